"""What is measured, each beside the naive way in one run: medians and ratios, for these machines are shared and noisy."""
