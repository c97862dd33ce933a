"""Asking servers: `Client` does, `schedule` decides when. The only package that knows HTTP."""

from monitor.fetch import schedule
from monitor.fetch.client import Client

__all__ = ["Client", "schedule"]
