"""`monitor fit` and `gate`: the head made from labelled paragraphs, and the floors it may not go below."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Annotated, Any

import numpy as np
import typer

from monitor import app as composition
from monitor.cli import show
from monitor.domain import Vectors
from monitor.embed import Encoder, open_encoder
from monitor.embed.encoder import SHIPPED
from monitor.errors import CalibrationError, InputError
from monitor.evaluate import gate as floors
from monitor.evaluate.fit import fit as fit_head
from monitor.evaluate.fit import training_files
from monitor.evaluate.gold import load_gold
from monitor.evaluate.metrics import judge, measure, of_facet
from monitor.evaluate.unseen import leave_each_out
from monitor.match import Calibration, save_calibration
from monitor.settings import Settings, load_settings
from monitor.taxonomy import Taxonomy, load_taxonomy

# Paragraphs between two steps of the progress bar.
STEP = 256
Json = Annotated[bool, typer.Option("--json", help="for scripts")]


class _Watched:
    """An encoder whose vectors are kept in the cache folder, and whose progress is shown."""

    def __init__(self, encoder: Encoder, progress: Any) -> None:
        self.name, self.dimensions = encoder.name, encoder.dimensions
        self._encoder = encoder
        self._progress = progress

    def encode(self, texts: Sequence[str]) -> Vectors:
        """As the encoder's own."""
        return composition.kept_vectors(texts, self.name, self._encode)

    def _encode(self, texts: Sequence[str]) -> Vectors:
        found = []
        for start in range(0, len(texts), STEP):
            found.append(self._encoder.encode(texts[start : start + STEP]))
            self._progress("vectors", min(start + STEP, len(texts)), len(texts))
        return np.concatenate(found)


def fit(
    encoder: Annotated[bool, typer.Option("--encoder", help="tune the model first, on gold/train: about an hour")] = False,
    leave_one_out: Annotated[
        bool, typer.Option("--leave-one-out", help="write nothing; measure each area as if it had just been added, without labels")
    ] = False,
    untuned: Annotated[bool, typer.Option("--untuned", help="with --leave-one-out: the model as it came, tuned on no area")] = False,
    json: Json = False,
) -> None:
    """Fits the head on the labelled paragraphs of the taxonomy folder and writes its calibration.json."""
    settings = load_settings()
    taxonomy = load_taxonomy(settings.taxonomy)
    if untuned and not leave_one_out:
        raise InputError("--untuned goes with --leave-one-out; `monitor fit` uses the model that matching uses")
    if leave_one_out:
        _leave_one_out(settings, taxonomy, untuned=untuned, json=json)
        return
    if encoder:
        _tune(settings, taxonomy)
    started = time.monotonic()
    with show.progress() as progress:
        model = _Watched(composition.encoder_for(settings, taxonomy), progress)
        calibration = fit_head(taxonomy, model, composition.exemplars_for(taxonomy, model))
    file = save_calibration(calibration, taxonomy.folder)
    done = {**_sizes(taxonomy), **_described(calibration), "seconds": round(time.monotonic() - started, 1), "file": str(file)}
    if json:
        show.as_json(done)
        return
    show.say(f"probes  {done['probes']} areas, on {done['train']} paragraphs of gold/train")
    show.say(f"head    on {done['head']} paragraphs of gold/head, by other writers; fires from {done['threshold']:.2f} on")
    show.say(f"model   {done['encoder']}")
    show.say(f"{file} is written, in {done['seconds']} s. `monitor gate` shows whether it is as good as the last one.")


def _tune(settings: Settings, taxonomy: Taxonomy) -> None:
    if settings.encoder != SHIPPED:
        raise InputError(f"only the shipped model can be tuned; `encoder` is set to {settings.encoder}, which is taken as it is")
    from monitor.evaluate.tune import tune

    file = tune(taxonomy, load_gold(training_files(taxonomy.folder)[0], taxonomy.facets), taxonomy.folder, say=show.say)
    show.say(f"{file} is written.")


def _sizes(taxonomy: Taxonomy) -> dict[str, int]:
    train, head = (len(load_gold(files, taxonomy.facets)) for files in training_files(taxonomy.folder))
    return {"train": train, "head": head}


def _described(calibration: Calibration) -> dict[str, Any]:
    return {
        "encoder": calibration.encoder,
        "probes": len(calibration.probes),
        "threshold": calibration.threshold,
        "calibration": calibration.fingerprint,
    }


def _leave_one_out(settings: Settings, taxonomy: Taxonomy, *, untuned: bool, json: bool) -> None:
    opened = open_encoder(settings.encoder, settings.precision) if untuned else composition.encoder_for(settings, taxonomy)
    with show.progress() as progress:
        model = _Watched(opened, progress)
        judged = leave_each_out(taxonomy, model, composition.exemplars_for(taxonomy, model))
    measured = measure(of_facet(judged, taxonomy.facets, "technology"))
    if json:
        show.as_json({name: measured[name] for name in ("paragraphs", "micro", "macro", "areas", "false_hits")})
        return
    scores = {**measured["areas"], "all": measured["micro"]}
    rows = [(name, s["positives"], *(f"{s[m]:.3f}" for m in ("precision", "recall", "f1"))) for name, s in scores.items()]
    columns = ("area", "positives", "precision", "recall", "F1")
    show.table(f"Each area as if just added: {measured['paragraphs']} paragraphs", columns, rows, numbers=columns[1:])


def gate(
    pin: Annotated[bool, typer.Option("--pin", help="make what is measured now the floors")] = False,
    lower: Annotated[bool, typer.Option("--lower", help="with --pin: also where a floor goes down")] = False,
    json: Json = False,
) -> None:
    """Measures the held-out paragraphs against the pinned floors. Exit status 1 below one of them."""
    if lower and not pin:
        raise InputError("--lower goes with --pin")
    settings = load_settings()
    matcher, encoder = composition.open_matcher(settings)
    folder = load_taxonomy(settings.taxonomy).folder
    gold = load_gold(floors.held_out_files(folder), matcher.facets)
    if not pin:
        floors.load_baseline(folder, gold)  # before the work, since it may refuse
    with show.progress() as progress:
        answers = floors.answers(matcher, _Watched(encoder, progress), gold)
    judged = judge(gold, matcher.areas, answers, dict.fromkeys(matcher.areas, matcher.calibration.threshold))
    rows = floors.table(judged, matcher.facets)
    if pin:
        file = floors.pin(folder, gold, rows, lower=lower)
    pinned = floors.load_baseline(folder, gold)
    worse = floors.below(pinned, rows)
    if json:
        show.as_json({"rows": [_row(name, measures, pinned) for name, measures in rows.items()], "below": worse, "pinned": pin})
    else:
        lines = [(n, f"{v:.3f}", f"{low:.3f}-{high:.3f}", f"{pinned[n]:.3f}" if n in pinned else "-") for n, (v, low, high) in rows.items()]
        columns = ("", "value", "95 %", "floor")
        show.table(f"{len(gold)} held-out paragraphs", columns, lines, numbers=columns[1:])
        if pin:
            show.say(f"{file} is written.")
    if worse:
        raise CalibrationError(f"{len(worse)} of {len(pinned)} rows are worse than pinned: {'; '.join(worse)}")
    if not json and not pin:
        show.say("No row is below its floor.")


def _row(name: str, measures: tuple[float, float, float], pinned: dict[str, float]) -> dict[str, Any]:
    value, low, high = measures
    return {"name": name, "value": value, "low": low, "high": high, "floor": pinned.get(name)}


def register(app: typer.Typer) -> None:
    app.command("fit")(fit)
    app.command("gate")(gate)
