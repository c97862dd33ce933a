"""Texts → unit vectors. `open_encoder` gives the encoder that the settings name."""

from monitor.embed.encoder import Encoder, OnnxEncoder, SentenceTransformerEncoder, open_encoder

__all__ = ["Encoder", "OnnxEncoder", "SentenceTransformerEncoder", "open_encoder"]
