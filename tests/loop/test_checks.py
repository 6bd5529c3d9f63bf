"""The full-size checks of the loop, small: feeds killed in the middle, and, beside them, many units at once."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from checks import feed_kills
from tests import postgres

CLEAN = {"lost": 0, "doubled": 0, "strange": 0, "unsealed": 0, "exit": 0, "verify": []}
UNITS = 2000
ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module", autouse=True)
def rate(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[subprocess.Popen[bytes], Path]]:
    """Two minutes of many units at 1 Hz, which mostly wait: they run while feeds are killed."""
    told = tmp_path_factory.mktemp("rate") / "told.json"
    command = [sys.executable, str(ROOT / "checks" / "feed_rate.py"), "--units", str(UNITS), "--minutes", "2"]
    with told.open("wb") as out, subprocess.Popen(command, stdout=out, cwd=ROOT) as running:
        yield running, told
        running.kill()


def test_a_watch_killed_twenty_times_loses_and_doubles_nothing(tmp_path: Path) -> None:
    found = feed_kills.run(None, "file", "watch", 20, 12_000, 200.0, tmp_path, None, False)
    assert {name: found[name] for name in CLEAN} == CLEAN
    assert found["held"] == 12_000


def test_a_database_server_stopped_in_the_middle_loses_and_doubles_nothing(tmp_path: Path) -> None:
    with postgres.started() as server:
        found = feed_kills.run(server.url(), "file", "server", 6, 2_000, 200.0, tmp_path, server, False)
    assert {name: found[name] for name in CLEAN} == CLEAN


def test_a_broker_killed_in_the_middle_loses_nothing_of_senders_that_repeat(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    found = feed_kills.run(None, "mqtt", "broker", 5, 2_000, 200.0, tmp_path, None, True)
    assert {name: found[name] for name in CLEAN} == CLEAN


def test_two_thousand_units_at_one_hertz_are_all_stored(rate: tuple[subprocess.Popen[bytes], Path]) -> None:
    running, told = rate
    assert running.wait(600) == 0
    found = json.loads(told.read_text(encoding="utf-8"))
    assert found["stored"] == found["held"] == found["sent"]
    assert found["sent"] >= UNITS * 110
