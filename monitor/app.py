"""Builds the real parts from the settings: the one place where they meet."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

import numpy as np

from monitor.domain import MatcherVersion, Vectors
from monitor.embed import Encoder, adapter_of, cache_folder, encoder_name, open_encoder
from monitor.errors import CalibrationError
from monitor.match import RULES, Calibration, Exemplars, Matcher, exemplar_sentences, load_calibration
from monitor.pipeline import Parts
from monitor.pipeline.parts import Progress, silent
from monitor.settings import Settings
from monitor.store.database import Database, check_revision
from monitor.taxonomy import Taxonomy, load_taxonomy


def build(settings: Settings, *, progress: Progress = silent, clock: Callable[[], datetime] | None = None) -> Parts:
    """The parts of one run. The model is loaded when it is first needed.

    Raises DatabaseError when the database cannot be reached or is not upgraded, TaxonomyError, CalibrationError.
    """
    database = Database(settings.database_url.get_secret_value(), home=settings.home)
    check_revision(database)
    taxonomy = load_taxonomy(settings.taxonomy)
    calibration = load_calibration(taxonomy.folder)
    encoder = cache(lambda: encoder_for(settings, taxonomy))
    return Parts(
        settings=settings,
        database=database,
        taxonomy=taxonomy,
        version=matcher_version(settings, taxonomy, calibration),
        encoder=encoder,
        matcher=cache(lambda: build_matcher(taxonomy, calibration, encoder())),
        progress=progress,
        clock=clock or now,
    )


def matcher_version(settings: Settings, taxonomy: Taxonomy, calibration: Calibration) -> MatcherVersion:
    """Known without loading a model."""
    name = encoder_name(settings.encoder, settings.precision, adapter_of(taxonomy.folder))
    return MatcherVersion(taxonomy.fingerprint, name, calibration.fingerprint, RULES)


def encoder_for(settings: Settings, taxonomy: Taxonomy) -> Encoder:
    return open_encoder(settings.encoder, settings.precision, adapter=adapter_of(taxonomy.folder))


def exemplars_for(taxonomy: Taxonomy, encoder: Encoder) -> Exemplars:
    """The vectors of the model sentences; kept, since they only change with taxonomy or encoder."""
    texts, areas = exemplar_sentences(taxonomy)
    return Exemplars(texts, kept_vectors(texts, encoder.name, encoder.encode), areas)


def kept_vectors(texts: Sequence[str], encoder: str, encode: Callable[[Sequence[str]], Vectors]) -> Vectors:
    """`encode(texts)`, kept in the cache folder under the name of the encoder and the texts."""
    key = hashlib.sha256("\x1f".join([encoder, *texts]).encode("utf-8", "replace")).hexdigest()[:24]
    file = cache_folder() / "vectors" / f"{key}.npy"
    try:
        return np.asarray(np.load(file), dtype=np.float32)
    except (OSError, ValueError, EOFError):
        vectors = encode(texts)
    partial = file.with_name(f"{key}.{os.getpid()}.npy")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        np.save(partial, vectors)
        partial.replace(file)
    except OSError:  # a full disk costs the time of encoding again, nothing else
        partial.unlink(missing_ok=True)
    return vectors


def build_matcher(taxonomy: Taxonomy, calibration: Calibration, encoder: Encoder) -> Matcher:
    """Raises CalibrationError when the calibration was fitted on the vectors of another model."""
    if model_of(calibration.encoder) != model_of(encoder.name):
        raise CalibrationError(
            f"{taxonomy.folder / 'calibration.json'}: was fitted for {calibration.encoder}, not for {encoder.name}; run `monitor fit`"
        )
    return Matcher(taxonomy, calibration, exemplars_for(taxonomy, encoder))


def model_of(encoder: str) -> str:
    """The name of an encoder without its precision, which a calibration does not depend on."""
    return encoder.rpartition(":")[0]


def open_matcher(settings: Settings) -> tuple[Matcher, Encoder]:
    """A matcher and its encoder, without a database."""
    taxonomy = load_taxonomy(settings.taxonomy)
    encoder = encoder_for(settings, taxonomy)
    return build_matcher(taxonomy, load_calibration(taxonomy.folder), encoder), encoder


def at_home(settings: Settings, home: Path) -> Settings:
    """The same settings in another folder."""
    return settings.model_copy(update={"home": home})


def now() -> datetime:
    """The clock of everything that is not given another."""
    return datetime.now(UTC)
