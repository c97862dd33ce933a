"""A low-rank adapter: what tuning on labelled paragraphs adds to the shipped model's upper layers (LoRA, Hu et al., 2021).

`taxonomy/adapter.safetensors` holds, for each adapted weight W, two thin matrices a (rank, in) and b (out, rank) in half precision; the
tuned weight is W + SCALE * b a. It is merged before quantisation, so it costs nothing at run time.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np

from monitor.errors import ModelError

FILE = "adapter.safetensors"
# Alpha over rank, as usual in LoRA; it only fixes the unit of the learning rate.
SCALE = 2.0


def adapter_of(folder: Path) -> Path | None:
    """The adapter that belongs to a taxonomy folder, if there is one."""
    file = folder / FILE
    return file if file.is_file() else None


def adapter_fingerprint(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()[:8]


def merge(adapter: Path, model: Path) -> None:
    """Adds `adapter` to the weights in the sentence-transformers folder `model`. Raises ModelError where they do not fit."""
    from safetensors import SafetensorError
    from safetensors.numpy import load_file, save_file

    weights = load_file(model / "model.safetensors")
    try:
        thin = load_file(adapter)
    except (OSError, SafetensorError) as error:
        raise ModelError(f"{adapter}: cannot be read ({error}); run `monitor fit --encoder`, or remove it") from None
    for name in sorted({key.rsplit(".", 1)[0] for key in thin}):
        a, b = (thin[f"{name}.{side}"].astype(np.float32) for side in "ab")
        whole = weights.get(f"{name}.weight")
        if whole is None or whole.shape != (b.shape[0], a.shape[1]):
            raise ModelError(f"{adapter}: does not fit the model at {name}; run `monitor fit --encoder`")
        weights[f"{name}.weight"] = whole + SCALE * (b @ a)
    save_file(weights, model / "model.safetensors", metadata={"format": "pt"})
