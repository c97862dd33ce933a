"""A sentence-transformers folder → `model.onnx` in int8 and `tokenizer.json`, with torch's exporter and ONNX Runtime's quantiser alone.

Dynamic quantisation a channel, with the range reduced by a bit (no overflow in AVX2's 16-bit sums). Measured against full precision:
cosine 0.997; a tensor-wide scale falls to 0.95. Weights are signed: processors have an instruction for unsigned times signed (VNNI), and
with it this is 1.9 times as quick as unsigned weights, at the same cosine.
"""

from __future__ import annotations

import logging
import shutil
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

OPSET = 17


def quantise(source: Path, folder: Path) -> None:
    """Writes `folder/model.onnx` and `folder/tokenizer.json` from `source`, then removes `source`."""
    from onnxruntime.quantization import QuantType, quantize_dynamic

    full = source / "full.onnx"
    with warnings.catch_warnings(), _quiet():
        warnings.simplefilter("ignore")
        _export(source, full)
        quantize_dynamic(
            full,
            folder / "model.onnx",
            weight_type=QuantType.QInt8,
            per_channel=True,
            reduce_range=True,
            op_types_to_quantize=["MatMul", "Gather"],
            extra_options={"MatMulConstBOnly": True},
        )
    shutil.copyfile(source / "tokenizer.json", folder / "tokenizer.json")
    shutil.rmtree(source)


@contextmanager
def _quiet() -> Iterator[None]:
    """Without the quantiser's advice on the root logger."""
    root = logging.getLogger()
    level = root.level
    root.setLevel(max(logging.ERROR, level))
    try:
        yield
    finally:
        root.setLevel(level)


def _export(source: Path, target: Path) -> None:
    import torch
    from transformers import AutoModel
    from transformers.utils import logging as transformers_logging

    transformers_logging.set_verbosity_error()  # type: ignore[no-untyped-call]
    transformers_logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    model = AutoModel.from_pretrained(source, attn_implementation="eager", add_pooling_layer=False).eval()

    class TokenVectors(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.model = model

        def forward(self, input_ids: Any, attention_mask: Any) -> Any:
            return self.model(input_ids=input_ids, attention_mask=attention_mask)[0]

    example = torch.ones(2, 8, dtype=torch.long)
    axes = {name: {0: "texts", 1: "tokens"} for name in ("input_ids", "attention_mask", "states")}
    torch.onnx.export(
        TokenVectors(),
        (example, example),
        str(target),
        dynamo=False,
        input_names=["input_ids", "attention_mask"],
        output_names=["states"],
        dynamic_axes=axes,
        opset_version=OPSET,
    )
