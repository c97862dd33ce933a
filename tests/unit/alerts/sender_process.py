"""One process of several that tell and send at once, as `monitor digest` on several machines does."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from threading import BrokenBarrierError
from typing import Any

from alert_desk import stage
from mail_server import PASSWORD, USER
from pydantic import SecretStr

from monitor.pipeline.parts import Parts
from monitor.settings import MailSettings, Settings
from monitor.store.database import Database
from monitor.taxonomy import load_taxonomy
from tests import builders


def no_model() -> Any:
    raise AssertionError("no model is needed to tell")


def tell_and_send(url: str, home: Path, port: int, now: datetime, begin: Any, counters: Path) -> None:
    """Waits for the others at `begin`, calls the stage once and writes its counters."""
    mail = MailSettings(
        host="127.0.0.1", port=port, security="none", username=USER, password=SecretStr(PASSWORD), sender="areawatch <a@example.org>"
    )
    database = Database(url)
    parts = Parts(Settings(home=home, mail=mail), database, load_taxonomy(), builders.VERSION, no_model, no_model, clock=lambda: now)
    try:
        begin.wait(120)
    except BrokenBarrierError:
        return
    counters.write_text(json.dumps(stage.alert(parts)))
    database.close()
