"""The full-size checks of the loop, small: feeds killed in the middle, and many units at once."""

from __future__ import annotations

from pathlib import Path

import pytest

from checks import feed_kills, feed_rate
from tests import postgres

CLEAN = {"lost": 0, "doubled": 0, "strange": 0, "unsealed": 0, "exit": 0, "verify": []}


def test_a_watch_killed_twenty_times_loses_and_doubles_nothing(tmp_path: Path) -> None:
    found = feed_kills.run(None, "file", "watch", 20, 12_000, 200.0, tmp_path, None, False)
    assert {name: found[name] for name in CLEAN} == CLEAN
    assert found["held"] == 12_000


def test_a_database_server_stopped_in_the_middle_loses_and_doubles_nothing(tmp_path: Path) -> None:
    with postgres.started() as server:
        found = feed_kills.run(server.url(), "file", "server", 6, 2_000, 200.0, tmp_path, server, False)
    assert {name: found[name] for name in CLEAN} == CLEAN


def test_a_client_of_a_broker_killed_in_the_middle_loses_and_doubles_nothing(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    found = feed_kills.run(None, "mqtt", "watch", 5, 3_000, 200.0, tmp_path, None, False)
    assert {name: found[name] for name in CLEAN} == CLEAN


def test_a_broker_killed_in_the_middle_loses_nothing_of_senders_that_repeat(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    found = feed_kills.run(None, "mqtt", "broker", 5, 2_000, 200.0, tmp_path, None, True)
    assert {name: found[name] for name in CLEAN} == CLEAN


@pytest.mark.parametrize("units", [2000])
def test_two_thousand_units_at_one_hertz_are_all_stored(tmp_path: Path, units: int) -> None:
    found = feed_rate.run(units, 2.0, None, tmp_path)
    assert found["stored"] == found["held"] == found["sent"]
    assert found["sent"] >= units * 110
