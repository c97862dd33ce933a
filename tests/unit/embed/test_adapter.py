"""What tuning adds is merged into the weights it was made for, and into no others."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from monitor.embed.adapter import FILE, SCALE, adapter_fingerprint, adapter_of, merge
from monitor.errors import ModelError

RNG = np.random.default_rng(5)
NAME = "encoder.layer.6.attention.self.query"


def model(folder: Path, shape: tuple[int, int] = (4, 3)) -> Path:
    """A model of two weights."""
    folder.mkdir()
    tensors = {f"{NAME}.weight": RNG.normal(size=shape).astype(np.float32), f"{NAME}.bias": np.ones(shape[0], np.float32)}
    save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})
    return folder


def adapter(folder: Path, *, rows: int = 4, name: str = NAME) -> Path:
    """Thin matrices of rank 2 for a weight (rows, 3)."""
    file = folder / FILE
    save_file({f"{name}.a": RNG.normal(size=(2, 3)).astype(np.float16), f"{name}.b": RNG.normal(size=(rows, 2)).astype(np.float16)}, file)
    return file


def test_merged_by_hand(tmp_path: Path) -> None:
    folder, thin = model(tmp_path / "model"), adapter(tmp_path)
    before, parts = load_file(folder / "model.safetensors"), load_file(thin)
    merge(thin, folder)
    after = load_file(folder / "model.safetensors")
    a, b = (parts[f"{NAME}.{side}"].astype(np.float32) for side in "ab")
    assert after[f"{NAME}.weight"] == pytest.approx(before[f"{NAME}.weight"] + SCALE * (b @ a), abs=1e-6)
    assert after[f"{NAME}.weight"].dtype == np.float32
    assert (after[f"{NAME}.bias"] == before[f"{NAME}.bias"]).all()


@pytest.mark.parametrize("change", [{"rows": 5}, {"name": "encoder.layer.99.output.dense"}])
def test_one_that_does_not_fit_is_refused(tmp_path: Path, change: dict[str, int | str]) -> None:
    folder = model(tmp_path / "model")
    before = (folder / "model.safetensors").read_bytes()
    with pytest.raises(ModelError, match="does not fit the model at encoder"):
        merge(adapter(tmp_path, **change), folder)  # type: ignore[arg-type]
    assert (folder / "model.safetensors").read_bytes() == before


def test_a_file_that_is_no_adapter(tmp_path: Path) -> None:
    (tmp_path / FILE).write_bytes(b"\x00" * 20)
    with pytest.raises(ModelError, match=r"adapter\.safetensors: cannot be read"):
        merge(tmp_path / FILE, model(tmp_path / "model"))


def test_where_it_is_looked_for(tmp_path: Path) -> None:
    assert adapter_of(tmp_path) is None
    file = adapter(tmp_path)
    assert adapter_of(tmp_path) == file
    assert len(adapter_fingerprint(file)) == 8
