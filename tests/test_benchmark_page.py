"""The benchmark of the live page at its smallest: two clients at the page of the tests, and its table by hand."""

from __future__ import annotations

import asyncio
import os
import sys
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

from benchmarks.page import client, server
from benchmarks.page.__main__ import late, queries
from benchmarks.page.tables import quantile
from benchmarks.page.wire import Wire
from geo_monitor.app import main

ROOT = Path(__file__).parents[1]
# the made-up fixes end today: a page over old ones stands still
NOW = """
import pandas as pd
from tests.app import fake
if fake.END.year == 2026 and fake.END.month == 5:
    fake.END = pd.Timestamp.now("UTC").floor("s")
"""


async def ticked(url: str, addresses: list[str], seconds: float) -> list[dict[str, Any]]:
    """What clients noted until each had its first tick, or `seconds` had passed."""
    lookers = [client.Looker(url, query) for query in addresses]
    for looker in lookers:
        await looker.open()
    end = time.monotonic() + seconds
    while any(len(looker.noted.runs) < 2 for looker in lookers) and time.monotonic() < end:
        await asyncio.sleep(0.1)
    for looker in lookers:
        await looker.close()
    return [asdict(looker.noted) for looker in lookers]


def test_clients_tick_and_count(tmp_path: Path) -> None:
    page = (ROOT / "tests/app/page.py").read_text(encoding="utf-8")
    (tmp_path / "page.py").write_text(NOW + page, encoding="utf-8")
    for name in ("static", ".streamlit"):
        (tmp_path / name).symlink_to(Path(main.__file__).parent / name)
    port = server.free_port()
    line = [
        sys.executable,
        "-m",
        "streamlit",
        "run",
        "page.py",
        "--server.address",
        "127.0.0.1",
        "--server.port",
        str(port),
    ]
    env = {**os.environ, "PYTHONPATH": str(ROOT), "FAKE_EMPTY": "0"}
    with server.started(line, env, tmp_path, tmp_path / "log", port) as (_, memory), Wire(port) as wire:
        noted = asyncio.run(ticked(wire.url, ["", ""], 150.0))
        assert memory.now_mb() > 50
    for one in noted:
        assert one["errors"] == []
        first, *later = one["runs"]
        assert not first["tick"]
        assert first["map"] > first["asked"]
        assert later
        # a small tick may come in one packet with what was before it, and then counts nothing on the wire by itself
        for run in later:
            assert run["asked"] <= run["begun"] <= run["ended"]
            assert run["payload"] > 0
    # what the clients counted came through the door, with its handshakes and what came after the last run
    counted = sum(run["wire"] for one in noted for run in one["runs"])
    assert 0 < counted <= wire.counts["connection"]


def test_late_by_hand() -> None:
    feeds = [{"lon": 110.0, "stored": 10.0}, {"lon": 110.0004, "stored": 20.0}, {"lon": 110.0008, "stored": 30.0}]
    seen = [
        {"query": queries(1)[0], "marks": {"110.0": 12.5, "110.00041": 21.0}},
        {"query": "", "marks": {}},
    ]
    assert late(feeds, seen) == [2.5, 1.0, float("inf")]
    assert quantile(late(feeds, seen), 0.5) == 2.5
