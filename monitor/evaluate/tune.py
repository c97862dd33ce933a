"""Labelled paragraphs → the adapter: the shipped model's upper layers learn what counts as a mention (LoRA, Hu et al., 2021).

The lower layers stay as they are, so their output is computed once; only thin matrices beside the upper layers' weights are fitted, with
a linear layer that is thrown away (`monitor fit` makes the probes afresh). Two are tuned, from random beginnings of their own, and the
mean of what they add is kept (a soup of models, Wortsman et al., 2022): as good as the better one, without choosing it by held-out
paragraphs. About half an hour each on one core; done once for a release, not for every change of the taxonomy. On one thread: on a
busy machine two wait for one another, and it is repeatable.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from monitor.embed.adapter import FILE, SCALE
from monitor.embed.encoder import E5_PREFIX, clean
from monitor.embed.weights import PIECES, packaged_weights, unpack
from monitor.evaluate.gold import Labelled
from monitor.taxonomy import Area, Taxonomy

SEEDS = (20240705, 7)
# Found with writers left out: more layers or a higher rank gain nothing, fewer lose a point of F1.
FROZEN_LAYERS = 6
RANK = 16
EPOCHS = 4
BATCH = 16
RATE = 7e-4
HEAD_RATE = 3e-3
WARM_UP = 0.1
MAX_TOKENS = 256
SHARPNESS = 20.0


@dataclass(frozen=True, slots=True)
class _Example:
    tokens: list[int]
    labels: list[float]
    counted: list[float]
    state: Any  # (tokens, hidden) from the frozen layers, half precision


def examples_of_taxonomy(taxonomy: Taxonomy) -> Iterator[Labelled]:
    """Exemplars and look-alikes as labelled paragraphs: the other areas of an exemplar are unsure, all of a look-alike but its own."""
    technologies = _technologies(taxonomy)
    keys = frozenset(area.id for area in technologies)
    for area in technologies:
        for language, texts in area.exemplars.items():
            for text in texts:
                yield Labelled("", text, language, frozenset({area.id}), keys - {area.id}, "plain", "taxonomy")
        for language, texts in area.look_alikes.items():
            for text in texts:
                yield Labelled("", text, language, frozenset(), keys - {area.id}, "hard-negative", "taxonomy")


def _technologies(taxonomy: Taxonomy) -> tuple[Area, ...]:
    """The areas to tune on. Policy instruments have softer borders: as targets, too, they raised false hits on look-alikes by half."""
    return tuple(area for area in taxonomy.areas if area.facet == "technology")


def tune(taxonomy: Taxonomy, gold: Sequence[Labelled], folder: Path, *, say: Callable[[str], None] = print) -> Path:
    """Fits the adapter on `gold` and the taxonomy's own sentences, and writes it into `folder`. Returns its path."""
    import torch
    from safetensors.torch import save_file

    torch.set_num_threads(1)
    keys = [area.id for area in _technologies(taxonomy)]
    with TemporaryDirectory() as made:
        unpack(packaged_weights(), Path(made) / "model")
        tokenizer, model = _load(Path(made) / "model")
        examples = _prepare(tokenizer, model, [*gold, *examples_of_taxonomy(taxonomy)], keys)
    thin = _adapt(model)
    tuned = []
    for seed in SEEDS:
        _tune_from(seed, model, thin, examples, len(keys), say)
        tuned.append({name: (a.detach().clone(), b.detach().clone()) for name, (a, b) in thin.items()})
    file = folder / FILE
    save_file(mean_of(tuned), file)
    return file


def _tune_from(
    seed: int, model: Any, thin: Mapping[str, tuple[Any, Any]], examples: Sequence[_Example], areas: int, say: Callable[[str], None]
) -> None:
    """Fits the thin matrices from a random beginning."""
    import torch

    torch.manual_seed(seed)
    shuffle = random.Random(seed)
    for a, b in thin.values():
        torch.nn.init.normal_(a, std=a.shape[1] ** -0.5)
        torch.nn.init.zeros_(b)
    head = torch.nn.Linear(model.config.hidden_size, areas)
    torch.nn.init.zeros_(head.weight)
    torch.nn.init.constant_(head.bias, -2.5)
    parameters = [p for pair in thin.values() for p in pair]
    groups = [{"params": parameters, "lr": RATE}, {"params": head.parameters(), "lr": HEAD_RATE}]
    optimiser = torch.optim.AdamW(groups, weight_decay=0.01)
    steps = EPOCHS * len(_batches(examples, random.Random(0)))
    schedule = torch.optim.lr_scheduler.LambdaLR(optimiser, lambda s: min(1, s / (WARM_UP * steps + 1)) * max(0.02, 1 - s / steps))
    with torch.no_grad():
        mean = torch.cat([_pool(model, b) for b in _batches(examples, random.Random(0))]).mean(0, keepdim=True)
    for epoch in range(EPOCHS):
        total = 0.0
        batches = _batches(examples, shuffle)
        for batch in batches:
            loss = _loss(head((_pool(model, batch) - mean) * SHARPNESS), batch)
            optimiser.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(parameters, 1.0)
            optimiser.step()
            schedule.step()
            total += float(loss.detach())
        say(f"beginning {SEEDS.index(seed) + 1} of {len(SEEDS)}, epoch {epoch + 1} of {EPOCHS}: loss {total / len(batches):.3f}")


def mean_of(tuned: Sequence[Mapping[str, tuple[Any, Any]]]) -> dict[str, Any]:
    """One adapter, of the rank of all together, whose products b a are the mean of theirs; in half precision."""
    import torch

    mean = {}
    for name in tuned[0]:
        mean[f"{name}.a"] = torch.cat([thin[name][0] for thin in tuned]).half()
        mean[f"{name}.b"] = torch.cat([thin[name][1] / len(tuned) for thin in tuned], dim=1).half()
    return mean


def _load(folder: Path) -> tuple[Any, Any]:
    from transformers import AutoModel, AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(folder)
    model = AutoModel.from_pretrained(folder, attn_implementation="sdpa", add_pooling_layer=False).eval()
    for parameter in model.parameters():
        parameter.requires_grad_(False)
    return tokenizer, model


def _prepare(tokenizer: Any, model: Any, gold: Sequence[Labelled], keys: Sequence[str]) -> list[_Example]:
    import torch

    encoded = [tokenizer(E5_PREFIX + clean(p.text), truncation=True, max_length=MAX_TOKENS)["input_ids"] for p in gold]
    examples = []
    with torch.no_grad():
        for tokens, paragraph in zip(encoded, gold, strict=True):
            state = model.embeddings(input_ids=torch.tensor([tokens]))
            for layer in model.encoder.layer[:FROZEN_LAYERS]:
                state = _only(layer(state, None))
            labels = [float(key in paragraph.labels) for key in keys]
            examples.append(_Example(tokens, labels, [float(key not in paragraph.unsure) for key in keys], state[0].half()))
    return examples


def _adapt(model: Any) -> dict[str, tuple[Any, Any]]:
    """Puts thin matrices beside the weights of the upper layers; returns them by the weight's name."""
    import torch

    class Adapted(torch.nn.Module):
        def __init__(self, base: Any) -> None:
            super().__init__()
            self.base = base
            self.a = torch.nn.Parameter(torch.randn(RANK, base.in_features) / base.in_features**0.5)
            self.b = torch.nn.Parameter(torch.zeros(base.out_features, RANK))

        def forward(self, x: Any) -> Any:
            # No product of three: the order and the fused addition halve the time.
            whole, narrow = self.base(x).flatten(0, -2), (x @ self.a.T).flatten(0, -2)
            return torch.addmm(whole, narrow, self.b.T, alpha=SCALE).unflatten(0, x.shape[:-1])  # type: ignore[no-untyped-call]

    thin = {}
    for number, layer in enumerate(model.encoder.layer[FROZEN_LAYERS:], FROZEN_LAYERS):
        for path in PIECES.values():
            parent_path, _, name = path.rpartition(".")
            parent = layer.get_submodule(parent_path)
            adapted = Adapted(getattr(parent, name))
            setattr(parent, name, adapted)
            thin[f"encoder.layer.{number}.{path}"] = (adapted.a, adapted.b)
    return thin


def _batches(examples: Sequence[_Example], shuffle: random.Random) -> list[list[_Example]]:
    """Batches of like length, in random order."""
    mixed = list(examples)
    shuffle.shuffle(mixed)
    groups = [sorted(mixed[s : s + BATCH * 16], key=lambda e: len(e.tokens)) for s in range(0, len(mixed), BATCH * 16)]
    batches = [group[s : s + BATCH] for group in groups for s in range(0, len(group), BATCH)]
    shuffle.shuffle(batches)
    return batches


def _pool(model: Any, batch: Sequence[_Example]) -> Any:
    """Unit vectors (batch, hidden) from the adapted layers."""
    import torch

    states = torch.nn.utils.rnn.pad_sequence([e.state.float() for e in batch], batch_first=True)
    mask = torch.nn.utils.rnn.pad_sequence([torch.ones(len(e.state)) for e in batch], batch_first=True)
    hidden = (1.0 - mask[:, None, None, :]) * float(np.finfo(np.float32).min)
    for layer in model.encoder.layer[FROZEN_LAYERS:]:
        states = _only(layer(states, hidden))
    return torch.nn.functional.normalize((states * mask[:, :, None]).sum(1), dim=1)


def _loss(odds: Any, batch: Sequence[_Example]) -> Any:
    import torch

    counted = torch.tensor([e.counted for e in batch])
    each = torch.nn.functional.binary_cross_entropy_with_logits(odds, torch.tensor([e.labels for e in batch]), reduction="none")
    return (each * counted).sum() / len(batch)


def _only(output: Any) -> Any:
    return output[0] if isinstance(output, tuple) else output
