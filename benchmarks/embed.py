"""Vectors of a stream of news paragraphs: what each way gains over `SentenceTransformer.encode`, one paragraph at a time.

    python -m benchmarks.embed [--paragraphs 24] [--rounds 3] [--json]

| way | what it is |
|---|---|
| one at a time | the model in single precision by sentence-transformers, a paragraph a call |
| batches | the same, 16 a call, sorted by length (sentence-transformers does that itself) |
| int8 | as shipped: ONNX Runtime, one text a call, a thread a core |
| int8, distinct | as shipped, on a stream of which a quarter are repeats (syndicated text and boilerplate, each embedded once) |

All work on the same paragraphs by turns; medians of the rounds, ratios round by round, by the clock and by processor time: on a busy
machine the clock flatters what does not wait for a second thread. The limit: multiply-adds that the model needs over
what the processor does in a large product of matrices, in single precision. F1 is measured by `monitor gate` for either precision.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import statistics
import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from benchmarks.table import Row
from monitor.embed import adapter_of, cache_folder, open_encoder
from monitor.evaluate.fit import training_files
from monitor.evaluate.gold import load_gold
from monitor.taxonomy import load_taxonomy

# Weights that take part in each token: twelve layers of four products of 384 x 384 and two of 384 x 1536.
MULTIPLY_ADDS_A_TOKEN = 12 * (4 * 384 * 384 + 2 * 384 * 1536)
REPEATS = 0.25


def multiply_rate() -> float:
    """Multiply-adds a second of all cores in a product of matrices, single precision."""
    a, b = (np.random.default_rng(0).random((1536, 1536), dtype=np.float32) for _ in range(2))
    found = []
    for _ in range(5):
        began = time.perf_counter()
        a @ b
        found.append(1536**3 / (time.perf_counter() - began))
    return statistics.median(found)


def measure(paragraphs: int, rounds: int) -> dict[str, Any]:
    taxonomy = load_taxonomy()
    adapter = adapter_of(taxonomy.folder)
    gold = load_gold(training_files(taxonomy.folder)[1], taxonomy.facets)
    texts = [p.text for p in gold[:paragraphs]]
    repeated = (texts * 2)[: round(paragraphs / (1 - REPEATS))]
    full, shipped = (open_encoder("e5-small", precision, adapter=adapter) for precision in ("full", "int8"))
    ways: dict[str, tuple[Callable[[], object], Sequence[str]]] = {
        "one at a time": (lambda: [full.encode([text]) for text in texts], texts),
        "batches": (lambda: full.encode(texts), texts),
        "int8": (lambda: shipped.encode(texts), texts),
        "int8, distinct": (lambda: shipped.encode(repeated), repeated),
    }
    cosines = (full.encode(texts) * shipped.encode(texts)).sum(axis=1)
    rates: dict[str, list[float]] = {name: [] for name in ways}
    core_rates: dict[str, list[float]] = {name: [] for name in ways}
    limit = []
    for _ in range(rounds):
        limit.append(multiply_rate())
        for name, (run, given) in ways.items():
            began, used = time.perf_counter(), time.process_time()
            run()
            rates[name].append(len(given) / (time.perf_counter() - began))
            core_rates[name].append(len(given) / (time.process_time() - used))
    tokens = _tokens(texts)
    possible = [rate / (MULTIPLY_ADDS_A_TOKEN * tokens) for rate in limit]
    return {
        "cores": os.cpu_count(), "paragraphs": paragraphs, "tokens": round(tokens, 1),
        "cosine": [round(float(cosines.mean()), 4), round(float(cosines.min()), 4)],
        "single_precision_limit": round(statistics.median(possible), 1),
        "peak_memory_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3),
        "ways": {
            name: {
                "a_second": round(statistics.median(found), 1),
                "ratio": round(statistics.median(a / b for a, b in zip(found, rates["one at a time"], strict=True)), 2),
                "a_core_second": round(statistics.median(core_rates[name]), 1),
                "core_ratio": round(
                    statistics.median(a / b for a, b in zip(core_rates[name], core_rates["one at a time"], strict=True)), 2
                ),
                "of_limit": round(statistics.median(a / b for a, b in zip(found, possible, strict=True)), 2),
            }
            for name, found in rates.items()
        },
    }  # fmt: skip


def _tokens(texts: Sequence[str]) -> float:
    from tokenizers import Tokenizer

    file = next(cache_folder().glob("multilingual-e5-small*/tokenizer.json"))
    return statistics.mean(len(each.ids) for each in Tokenizer.from_file(str(file)).encode_batch(list(texts)))


def rows(found: dict[str, Any]) -> list[Row]:
    """The lines of the table."""
    naive = found["ways"]["one at a time"]["a_second"]
    return [
        Row(f"vectors, {name}", "paragraphs a second", way["a_second"], naive, way["ratio"], limit=f"{way['of_limit']:.2f}")
        for name, way in found["ways"].items()
        if name.startswith("int8")
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--paragraphs", type=int, default=24)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", action="store_true")
    chosen = parser.parse_args()
    found = measure(chosen.paragraphs, chosen.rounds)
    if chosen.json:
        print(json.dumps(found))
        return
    print(f"{found['cores']} cores, {found['tokens']} tokens a paragraph")
    print(f"{'':16}{'a second':>10}{'ratio':>8}{'a core-s':>10}{'ratio':>8}{'of limit':>10}")
    for name, way in found["ways"].items():
        print(f"{name:16}{way['a_second']:10}{way['ratio']:8}{way['a_core_second']:10}{way['core_ratio']:8}{way['of_limit']:10}")
    print(f"cosine with full precision: mean {found['cosine'][0]}, lowest {found['cosine'][1]}; peak memory {found['peak_memory_mb']} MB")


if __name__ == "__main__":
    main()
