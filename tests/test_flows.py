"""The flows under Prefect: a real server, a real worker, deployed from `prefect.yaml`, against the newsroom on localhost."""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from datetime import UTC, datetime
from email import message_from_bytes
from email.policy import default
from pathlib import Path

import pytest
import yaml

from flows.start import healthy
from monitor.cli.demo import CONFIGURATION
from monitor.demo import Newsroom
from monitor.domain import Source
from monitor.store import look, runs, sources
from monitor.store.database import Database, upgrade

ROOT = Path(__file__).parent.parent
SECONDS = 240


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def until(seconds: float, check: object, what: str) -> None:
    deadline = time.monotonic() + seconds
    while not check():  # type: ignore[operator]
        assert time.monotonic() < deadline, f"{what} did not happen within {seconds} s"
        time.sleep(0.5)


@pytest.fixture(scope="module")
def prefect(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """The environment of a running Prefect server with a home of its own."""
    home, port = tmp_path_factory.mktemp("prefect"), free_port()
    environment = {
        **os.environ, "PREFECT_HOME": str(home), "PREFECT_API_URL": f"http://127.0.0.1:{port}/api", "DO_NOT_TRACK": "1",
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false", "PREFECT_LOGGING_EXTRA_LOGGERS": "monitor", "NO_COLOR": "1",
    }  # fmt: skip
    with (home / "server.log").open("w") as log:
        command = [sys.executable, "-m", "prefect", "server", "start", "--host", "127.0.0.1", "--port", str(port)]
        server = subprocess.Popen(command, stdout=log, stderr=log, env=environment)
    try:
        until(SECONDS, lambda: healthy(environment["PREFECT_API_URL"]), "the start of the server")
        yield environment
    finally:
        server.terminate()
        server.wait(20)


def call(environment: dict[str, str], *arguments: str) -> str:
    done = subprocess.run([sys.executable, "-m", "prefect", *arguments], env=environment, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def completed(api: str) -> list[str]:
    """The flows of the runs that the server saw end well."""
    asked = json.dumps({"flow_runs": {"state": {"type": {"any_": ["COMPLETED"]}}}}).encode()
    request = urllib.request.Request(f"{api}/flow_runs/filter", asked, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=10) as answer:
        return [run["name"].split("-")[0] for run in json.load(answer)]


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A folder as `monitor init` leaves it, for the newsroom."""
    (tmp_path / "areawatch.toml").write_text(CONFIGURATION, encoding="utf-8")
    upgrade("sqlite:///demo.db", home=tmp_path)
    return tmp_path


def test_deployed_from_prefect_yaml_a_worker_runs_it_and_the_rows_are_there(prefect: dict[str, str], home: Path) -> None:
    call(prefect, "work-pool", "create", "areawatch", "--type", "process")
    call(prefect, "--no-prompt", "deploy", "--all")
    shown = json.loads(call(prefect, "deployment", "inspect", "nightly/nightly", "--output", "json"))
    [schedule] = shown["schedules"]
    assert schedule["schedule"] == {"cron": "30 2 * * *", "timezone": "UTC", "day_or": True}
    assert shown["concurrency_limit"] == 1 or shown["global_concurrency_limit"]["limit"] == 1
    database = Database("sqlite:///demo.db", home=home)
    now = datetime.now(UTC)
    with Newsroom(now) as room, (home / "worker.log").open("w") as log:
        with database.writing() as connection:
            sources.add_sources(connection, [Source(s.url, s.title, s.kind, s.language) for s in room.sources], now=now)
        call(prefect, "deployment", "run", "nightly/nightly", "--param", f"config={json.dumps(str(home / 'areawatch.toml'))}")
        command = [sys.executable, "-m", "prefect", "worker", "start", "--pool", "areawatch", "--run-once"]
        worker = subprocess.run(command, env=prefect, cwd=ROOT, stdout=log, stderr=log, timeout=SECONDS, check=False)
    said = (home / "worker.log").read_text()
    assert worker.returncode == 0, said
    with database.reading() as connection:
        assert look.mention_count(connection) > 50, said
        [run] = runs.latest_runs(connection)
        assert (run.state, run.error) == ("done", None)
    assert re.search(rf"nightly-{now:%Y-%m}", said), "the run's name says which day"
    assert completed(prefect["PREFECT_API_URL"]) == ["nightly"]


def test_a_failed_flow_reaches_the_operator(prefect: dict[str, str], home: Path) -> None:
    (home / "areawatch.toml").write_text(f'operator = "ops@example.org"\n{CONFIGURATION}', encoding="utf-8")
    (home / "subscriptions.yaml").write_text("subscriptions:\n  - name: ana\n    zone: Mars\n    channels: [{email: a@example.org}]\n")
    code = f"from flows.alert import alert; alert(config={str(home / 'areawatch.toml')!r})"
    done = subprocess.run([sys.executable, "-c", code], env=prefect, cwd=ROOT, capture_output=True, text=True, timeout=SECONDS, check=False)
    assert done.returncode == 1
    assert "retry" not in (done.stdout + done.stderr).lower(), "a wrong file is wrong half a minute later"
    [file] = (home / "messages").glob("operator-*-failed.eml")
    message = message_from_bytes(file.read_bytes(), policy=default)
    said = " ".join(message.get_body(("plain",)).get_content().split())  # type: ignore[union-attr]
    assert re.search(r"The run failed: alert-\d{4}-\d\d-\d\d: .*subscriptions\.yaml:3: `subscriptions\.0\.zone`: no time zone", said), said


def test_readers_are_told_every_half_hour_by_both_schedules() -> None:
    from flows.alert import EVERY

    deployments = {d["name"]: d for d in yaml.safe_load((ROOT / "prefect.yaml").read_text())["deployments"]}
    assert [s["cron"] for s in deployments["digest"]["schedules"]] == [EVERY]


def test_every_deployment_names_a_flow_that_is_there() -> None:
    deployments = yaml.safe_load((ROOT / "prefect.yaml").read_text())["deployments"]
    assert {d["name"] for d in deployments} >= {"nightly", "digest"}
    for deployment in deployments:
        file, _, function = deployment["entrypoint"].partition(":")
        assert re.search(rf"^def {function}\(", (ROOT / file).read_text(), re.MULTILINE), deployment["entrypoint"]


def test_monitor_does_not_know_prefect() -> None:
    code = "import sys, monitor.cli; sys.exit('prefect' in sys.modules or 'torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
