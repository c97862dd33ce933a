"""The shipped model: its tokens, its vectors, and that nothing but the text decides them.

The model is made once in the user's cache folder, as in any run.
"""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from tokenizers import Tokenizer

from monitor.embed import Encoder, OnnxEncoder, cache_folder, encoder_name, open_encoder
from monitor.embed.encoder import MAX_TOKENS, clean
from monitor.errors import ModelError

TEXTS = (
    "The foundry will etch processors with features of two nanometres.",
    "晶圆厂将量产两纳米处理器。",
    "Das Chipwerk fertigt Prozessoren mit zwei Nanometern.",
    "The orchestra opened its season with a symphony by Mahler.",
    "交响乐团以马勒的交响曲拉开乐季帷幕。",
)


@pytest.fixture(scope="module")
def shipped() -> Encoder:
    return open_encoder("e5-small")


@pytest.fixture(scope="module")
def full() -> Encoder:
    return open_encoder("e5-small", "full")


def test_unit_vectors_in_the_texts_order(shipped: Encoder) -> None:
    vectors = shipped.encode(TEXTS)
    assert vectors.shape == (len(TEXTS), shipped.dimensions) == (5, 384)
    assert vectors.dtype == np.float32
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(np.ones(5), abs=1e-5)
    assert shipped.name == encoder_name("e5-small")


def test_the_same_news_is_nearer_in_another_language_than_other_news(shipped: Encoder) -> None:
    english, chinese, german, music, chinese_music = shipped.encode(TEXTS)
    for same in (chinese, german):
        assert english @ same > max(english @ music, english @ chinese_music) + 0.05


def test_int8_is_near_full_precision(shipped: Encoder, full: Encoder) -> None:
    assert (shipped.encode(TEXTS) * full.encode(TEXTS)).sum(axis=1).min() > 0.99


@pytest.mark.parametrize(
    ("first", "second", "cosine"),
    [(0, 1, 0.8419), (0, 2, 0.8875), (0, 3, 0.7563), (3, 4, 0.8209)],
)
def test_known_cosines(full: Encoder, first: int, second: int, cosine: float) -> None:
    """As the package's own engine gives them for the same weights."""
    vectors = full.encode([TEXTS[first], TEXTS[second]])
    assert float(vectors[0] @ vectors[1]) == pytest.approx(cosine, abs=0.002)


def test_tokens(shipped: Encoder) -> None:
    """As the published tokenizer of multilingual-e5, which is XLM-RoBERTa's, has them."""
    folder = cache_folder() / re.sub(r"[^\w.+-]", "-", shipped.name)
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    assert tokenizer.encode("Hello world").ids == [0, 35378, 8999, 2]
    assert tokenizer.encode("").ids == [0, 2]


def test_neighbours_change_nothing(shipped: Encoder) -> None:
    together = shipped.encode(TEXTS)
    assert (shipped.encode(TEXTS[::-1])[::-1] == together).all()
    for row, text in enumerate(TEXTS):
        assert (shipped.encode([text])[0] == together[row]).all()


def test_equal_texts_have_equal_vectors(shipped: Encoder) -> None:
    vectors = shipped.encode([TEXTS[0], TEXTS[3], TEXTS[0]])
    assert (vectors[0] == vectors[2]).all()
    assert (vectors[0] != vectors[1]).any()


@pytest.mark.parametrize(
    ("case", "text"),
    [
        ("nothing", ""),
        ("one character", "6"),
        ("a megabyte", "news of the day " * 65_000),
        ("one endless word", "a" * 1_000_000),
        ("lone surrogates", "\ud800\udfff"),
        ("NUL", "a\x00b"),
        ("marks alone", "\u202e\u200b\u0301"),
        ("a language nobody listed", "סין וארצות הברית"),
        ("a special token", "<s></s><pad><mask>"),
    ],
)
def test_bad_input_has_a_vector(shipped: Encoder, case: str, text: str) -> None:
    vector = shipped.encode([text])[0]
    assert np.linalg.norm(vector) == pytest.approx(1, abs=1e-5)


def test_no_texts(shipped: Encoder, full: Encoder) -> None:
    assert shipped.encode([]).shape == (0, 384)
    assert full.encode([]).shape == (0, 384)


def test_what_the_model_could_not_see_is_cut_before_it_costs_anything() -> None:
    assert len(clean("a" * 1_000_000)) == MAX_TOKENS * 16


@pytest.mark.parametrize(
    ("model", "precision", "name"),
    [
        ("e5-small", "int8", "multilingual-e5-small@1571fc98:int8-signed"),
        ("e5-small", "full", "multilingual-e5-small@1571fc98:full"),
        ("org/model", "int8", "org/model:full"),
    ],
)
def test_names(model: str, precision: str, name: str) -> None:
    assert encoder_name(model, precision) == name


def test_an_adapter_shows_in_the_name(tmp_path: Path) -> None:
    adapter = tmp_path / "adapter.safetensors"
    adapter.write_bytes(b"one")
    first = encoder_name("e5-small", adapter=adapter)
    adapter.write_bytes(b"two")
    assert first.startswith("multilingual-e5-small@1571fc98+")
    assert first != encoder_name("e5-small", adapter=adapter)
    assert encoder_name("org/model", adapter=adapter) == "org/model:full", "it belongs to the shipped model alone"


def test_a_model_that_is_not_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with pytest.raises(ModelError, match=r"cannot be loaded .*set `encoder` to e5-small or to a folder"):
        open_encoder(str(tmp_path / "none"))


def test_a_broken_model_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "model.onnx").write_bytes(b"\x00" * 100)
    (tmp_path / "tokenizer.json").write_text("{}", encoding="utf-8")
    with pytest.raises(ModelError, match=r"does not hold a model that can be loaded .*remove the folder and run again"):
        OnnxEncoder(tmp_path, name="broken")
