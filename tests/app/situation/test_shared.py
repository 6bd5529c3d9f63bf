"""What many sessions look at in the same ticks is worked out once for all of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import streamlit as st

from geo_monitor.app import data, duty, layers
from geo_monitor.app.situation import fixes, ground, needs
from geo_monitor.app.situation.moments import Fixes
from geo_monitor.app.situation.view import look
from geo_monitor.app.words import Speaker
from geo_monitor.store import Store
from tests.store import worlds

AREAS = (("basin",), ("river", "江", None, None), ("river", "江", 0.0, 1.0))
TICK = 3000


@pytest.fixture
def path(tmp_path: Path) -> str:
    st.cache_resource.clear()
    return str(worlds.workspace(tmp_path).root)


@pytest.fixture
def counts(monkeypatch) -> Counter[str]:
    """How often what is heavy is worked out."""
    found: Counter[str] = Counter()

    def counted(of: Any, name: str) -> None:
        whole: Callable[..., Any] = getattr(of, name)

        def call(*given: Any, **more: Any) -> Any:
            found[name] += 1
            return whole(*given, **more)

        monkeypatch.setattr(of, name, call)

    for of, name in (
        (Fixes, "at"), (data, "in_area"), (needs, "_unseen"), (needs, "zone_key"), (layers, "units"), (layers, "zones"),
        (Store, "rows"),
    ):  # fmt: skip
        counted(of, name)
    return found


def looked(path: str, at: int) -> None:
    """What the sessions of all AREAS draw in one tick."""
    for area in AREAS:
        view = look(path, data.stamp(path), at, True, area, "zh")
        ground.zones(view, "day")
        ground.seizures(view, 30, "day")
        ground.moving(view, "day")
        assert view.needs is not None
        duty.teller(path, Speaker("zh"))


def test_a_tick_costs_what_moved_however_many_look(path: str, counts: Counter[str]) -> None:
    newest = fixes.newest(path, data.stamp(path))
    assert newest is not None
    at = (newest // TICK + 1) * TICK
    looked(path, at)
    counts.clear()
    looked(path, at)  # more sessions in the same tick
    assert not counts
    looked(path, at + TICK)
    # everybody is found once for all waters, and drawn on each; nothing is asked of the store while nothing was stored
    assert counts == {"at": 1, "units": len(AREAS)}


def test_a_single_map_does_not_look_for_jupyter(monkeypatch) -> None:
    from pydeck.bindings import deck

    from geo_monitor.app.deck import BASIN, Deck, fit

    def never() -> bool:
        raise AssertionError

    monkeypatch.setattr(deck, "has_jupyter_extra", never)
    made = Deck([], "style.json", fit(BASIN), {"html": "{title}"})
    assert '"mapStyle":"style.json"' in made.to_json()
