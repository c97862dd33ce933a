"""Matching in a worker process: the matcher is sent there once, then paragraphs and vectors in pages."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from monitor.domain import Hit, Paragraph
from monitor.match.matcher import Matcher

_mine: list[Matcher] = []


def keep(matcher: Matcher) -> None:
    """Called once in a worker process, when it starts."""
    _mine.append(matcher)


def match_there(paragraphs: Sequence[Paragraph], vectors: NDArray[np.float16]) -> Sequence[tuple[Hit, ...]]:
    """`match_stored` with the matcher that this process keeps."""
    return match_stored(_mine[-1], paragraphs, vectors)


def match_stored(matcher: Matcher, paragraphs: Sequence[Paragraph], vectors: NDArray[np.float16]) -> Sequence[tuple[Hit, ...]]:
    """The hits of each paragraph. `vectors`: (paragraphs, dimensions), as they are stored."""
    return matcher.match(paragraphs, vectors.astype(np.float32)) if paragraphs else ()
