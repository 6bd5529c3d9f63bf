"""Lines for the tests, and waiting without leaning on how quick a machine is."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from datetime import UTC, datetime
from functools import reduce
from operator import xor
from typing import Any

from geo_monitor.feeds import Fix, Source

T0 = int(datetime(2026, 5, 31, 15, 10, tzinfo=UTC).timestamp() * 1000)  # 23:10 in Shanghai


def sentence(body: str, mark: str = "$") -> str:
    """With its checksum."""
    return f"{mark}{body}*{reduce(xor, body.encode(), 0):02X}"


def row(i: int = 0, unit: str = "渔政1", **more: Any) -> str:
    """A JSON line, a minute after the one before and 111 m further north."""
    when = datetime.fromtimestamp(T0 / 1000 + 60 * i, UTC).isoformat()
    return json.dumps({"unit_id": unit, "time": when, "lon": 112.1, "lat": 30 + i / 1000, **more}, ensure_ascii=False)


def gathered(
    source: Source, enough: Callable[[list[Fix], list[tuple[str, str]]], bool], store: bool = True, limit: float = 60
) -> tuple[list[Fix], list[tuple[str, str]]]:
    """What a source gives until it is enough; fails after `limit` seconds."""
    fixes: list[Fix] = []
    refused: list[tuple[str, str]] = []
    deadline = time.monotonic() + limit
    while not enough(fixes, refused):
        assert time.monotonic() < deadline, (len(fixes), refused[:5])
        batch = source.read(0.2)
        if batch is None:
            break
        fixes += batch.fixes
        refused += batch.refused
        if store:
            source.stored(batch)
    return fixes, refused


def some(n: int) -> Callable[[list[Fix], list[tuple[str, str]]], bool]:
    return lambda fixes, refused: len(fixes) + len(refused) >= n
