"""The encoders: texts → unit vectors.

`OnnxEncoder` runs the shipped model in int8 on ONNX Runtime, one thread a text and one text a call: dynamic quantisation scales by all
that is in a call, so in a batch a vector would depend on its neighbours (cosine 0.996), and batches are no quicker on a processor. It
never imports torch once its file is made. `SentenceTransformerEncoder` runs any sentence-transformers model in full
precision. Both give the same kind of vector; every stored vector carries the encoder's `name`.
"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from monitor.domain import Vectors
from monitor.embed.adapter import adapter_fingerprint, merge
from monitor.embed.weights import WEIGHTS_SHA256, built_once, packaged_weights, unpack
from monitor.errors import ModelError

SHIPPED = "e5-small"
# The model's authors ask for this prefix wherever both sides are compared alike (the «query:»/«passage:» rule of multilingual-e5).
E5_PREFIX = "query: "
MAX_TOKENS = 512
# Changes with whatever makes `quantise` give other vectors: they are stored under the encoder's name.
INT8 = "int8-signed"


class Encoder(Protocol):
    """`name` is model@revision:precision. `encode` gives a float32 array (texts, dimensions) of unit rows, in the texts' order."""

    @property
    def name(self) -> str: ...

    @property
    def dimensions(self) -> int: ...

    def encode(self, texts: Sequence[str]) -> Vectors: ...


def encoder_name(model: str, precision: str = "int8", adapter: Path | None = None) -> str:
    """The name that vectors and hits carry, known without loading the model."""
    if model != SHIPPED:
        return f"{model}:full"
    tuned = f"+{adapter_fingerprint(adapter)}" if adapter else ""
    return f"multilingual-e5-small@{WEIGHTS_SHA256[:8]}{tuned}:{INT8 if precision == 'int8' else precision}"


def open_encoder(
    model: str, precision: str = "int8", *, adapter: Path | None = None, threads: int | None = None, cache: Path | None = None
) -> Encoder:
    """The encoder for a setting: `e5-small`, a sentence-transformers folder, or a name on a hub. Raises ModelError.

    `adapter` is merged into the shipped model; other models are taken as they are. The first call makes the files (about half a minute).
    """
    name = encoder_name(model, precision, adapter)
    if model != SHIPPED:
        return SentenceTransformerEncoder(model, name=name)
    place = (cache or cache_folder()) / re.sub(r"[^\w.+-]", "-", name)
    if precision == "full":
        folder = built_once(place, lambda made: _build_full(made / "model", adapter))
        return SentenceTransformerEncoder(str(folder / "model"), name=name, prefix=E5_PREFIX)
    return OnnxEncoder(built_once(place, lambda made: _build_int8(made, adapter)), name=name, threads=threads)


def cache_folder() -> Path:
    """Where made model files are kept: `areawatch` under XDG_CACHE_HOME or ~/.cache."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "areawatch"


def _build_full(folder: Path, adapter: Path | None) -> None:
    unpack(packaged_weights(), folder)
    if adapter:
        merge(adapter, folder)


def _build_int8(folder: Path, adapter: Path | None) -> None:
    from monitor.embed.quantise import quantise

    _build_full(folder / "full", adapter)
    quantise(folder / "full", folder)


class OnnxEncoder:
    """The shipped model in int8. `folder` holds `model.onnx` (token vectors out) and `tokenizer.json`."""

    dimensions = 384

    def __init__(self, folder: Path, *, name: str, prefix: str = E5_PREFIX, threads: int | None = None) -> None:
        import onnxruntime
        from tokenizers import Tokenizer

        self.name = name
        self._prefix = prefix
        self._threads = threads or os.cpu_count() or 2
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.log_severity_level = 3
        try:
            self._tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
            self._session = onnxruntime.InferenceSession(str(folder / "model.onnx"), options, providers=["CPUExecutionProvider"])
        except Exception as error:
            raise ModelError(f"{folder} does not hold a model that can be loaded ({error}); remove the folder and run again") from error
        self._tokenizer.enable_truncation(MAX_TOKENS)

    def encode(self, texts: Sequence[str]) -> Vectors:
        """Unit vectors, float32, (len(texts), 384). Equal texts cost once."""
        distinct = list(dict.fromkeys(texts))
        tokens = [encoding.ids for encoding in self._tokenizer.encode_batch([self._prefix + clean(text) for text in distinct])]
        vectors = np.empty((len(distinct), self.dimensions), dtype=np.float32)
        longest_first = sorted(range(len(distinct)), key=lambda row: len(tokens[row]), reverse=True)
        with ThreadPoolExecutor(self._threads) as pool:
            for row, vector in zip(longest_first, pool.map(lambda row: self._run(tokens[row]), longest_first), strict=True):
                vectors[row] = vector
        place = {text: row for row, text in enumerate(distinct)}
        return vectors[[place[text] for text in texts]]

    def _run(self, tokens: list[int]) -> Vectors:
        ids = np.array([tokens], dtype=np.int64)
        states: Any = self._session.run(None, {"input_ids": ids, "attention_mask": np.ones_like(ids)})[0]
        summed = states[0].sum(axis=0)
        return np.asarray(summed / np.linalg.norm(summed), dtype=np.float32)


class SentenceTransformerEncoder:
    """Any sentence-transformers model, from a folder or a hub, in full precision."""

    def __init__(self, model: str, *, name: str, prefix: str = "") -> None:
        if Path(model).is_dir():
            os.environ.setdefault("HF_HUB_OFFLINE", "1")
        os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
        from sentence_transformers import SentenceTransformer
        from transformers.utils import logging as transformers_logging

        transformers_logging.set_verbosity_error()  # type: ignore[no-untyped-call]
        transformers_logging.disable_progress_bar()  # type: ignore[no-untyped-call]
        try:
            self._model = SentenceTransformer(model, device="cpu")
        except Exception as error:
            reason = str(error).splitlines()[0] if str(error) else type(error).__name__
            raise ModelError(f"the model {model!r} cannot be loaded ({reason}); set `encoder` to e5-small or to a folder") from error
        self.name = name
        self._prefix = prefix

    @property
    def dimensions(self) -> int:
        return int(self._model.get_embedding_dimension() or 0)

    def encode(self, texts: Sequence[str]) -> Vectors:
        """Unit vectors, float32, (len(texts), dimensions)."""
        prepared = [self._prefix + clean(text) for text in texts]
        found = self._model.encode(prepared, batch_size=16, normalize_embeddings=True, convert_to_numpy=True, show_progress_bar=False)
        return np.asarray(found, dtype=np.float32).reshape(len(prepared), self.dimensions)


def clean(text: str) -> str:
    """`text` without what a tokenizer cannot take: lone surrogates and NUL become spaces; bounded to what the model could see."""
    return text[: MAX_TOKENS * 16].encode("utf-8", "replace").decode("utf-8").replace("\x00", " ")
