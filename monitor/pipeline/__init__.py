"""The stages in order, each: read what is due → pure functions → write. Read this first.

    poll      due sources → entries            monitor.fetch, monitor.sources
    read      pending entries → articles       monitor.fetch, monitor.extract; meanwhile vectors, monitor.pipeline.ahead
    group     new articles → stories           monitor.stories
    analyse   unseen paragraphs → hits         monitor.embed, monitor.match
    count     hits of the window → counts      monitor.store.counts
    alert     new stories → messages → sent    monitor.alerts
    report    counts and hits → pages          monitor.report

Work is found by query and every write is harmless when repeated, so after a crash the cure is the same: run again.
Each stage takes the `Parts` and returns its counters; `run` calls them all and adds up a `RunSummary`.
"""

from monitor.pipeline.alert import alert
from monitor.pipeline.analyse import analyse, count, group
from monitor.pipeline.parts import Parts
from monitor.pipeline.pieces import keep_vectors, vectors_of, without_vector
from monitor.pipeline.poll import poll
from monitor.pipeline.read import read
from monitor.pipeline.report import report
from monitor.pipeline.run import STAGES, run, summarise

__all__ = [
    "STAGES",
    "Parts",
    "alert",
    "analyse",
    "count",
    "group",
    "keep_vectors",
    "poll",
    "read",
    "report",
    "run",
    "summarise",
    "vectors_of",
    "without_vector",
]
