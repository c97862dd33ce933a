"""Texts → unit vectors. `open_encoder` gives the encoder that the settings name."""

from monitor.embed.adapter import adapter_of
from monitor.embed.encoder import Encoder, OnnxEncoder, SentenceTransformerEncoder, cache_folder, encoder_name, open_encoder

__all__ = ["Encoder", "OnnxEncoder", "SentenceTransformerEncoder", "adapter_of", "cache_folder", "encoder_name", "open_encoder"]
