"""Prefect, and nothing but Prefect: flows and tasks of a few lines around `monitor.pipeline`. Take the decorators off and it still runs."""
