"""Visits block by block: however fixes are cut in time and units shared out, the table is that of the whole."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
import shapely
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from geo_monitor.joins.areas import Areas
from geo_monitor.joins.visits import Underway, Visits, advance, visits_table, zone_visits
from geo_monitor.joins.zones import zones_between
from geo_monitor.settings import Settings
from geo_monitor.tracks import encode
from tests.joins.test_joins import T0, at, shapes, walks, zone, zones
from tests.water import fixes

SET = Settings()


def by_blocks(rows: list[dict[str, Any]], law: Any, edges: list[int], parts: int) -> pd.DataFrame:
    """Blocks between `edges` (places in the rows by time), units dealt out over `parts`; what goes on is written to plain
    arrays and read again, beside other zones, before it is used."""
    times = sorted(row["time"] for row in rows)
    span = times[0], times[-1]
    areas = [Areas.of(zones_between(law, *span, None, SET)), Areas.of(zones_between(more(law), *span, None, SET))]
    units = sorted({row.get("unit", "u1") for row in rows})
    found = []
    underway = Underway.nobody()
    for number, (low, high) in enumerate(pairwise([*edges, len(times)])):
        first, last = times[low], times[high] if high < len(times) else span[1] + 1
        states = []
        for part in range(parts):
            mine = units[part::parts]
            own = fixes([row for row in rows if row.get("unit", "u1") in mine and first <= row["time"] < last])
            tracks = encode(own)
            of = areas[number % 2]
            before = Underway.from_arrays(underway.arrays())
            for chunk in tracks.chunks():
                visits, before = advance(of, chunk, tracks.unit_ids, tracks.patrol_ids, before, SET)
                found.append(Visits.from_arrays(visits.arrays()))
            states.append(before.without([unit for unit in units if unit not in mine]))
        underway = Underway.joined(states)
    found.append(underway.finished(areas[0], SET))
    every = visits_table(found, areas[1])
    return every[every["zone_id"] != "A0"].reset_index(drop=True)


def more(law: Any) -> Any:
    """The same zones after another one."""
    return zones(zone(shapely.box(111.9, 29.9, 112.1, 30.1), zone_id="A0"), law)


@settings(max_examples=200, deadline=None)
@given(
    shapes(), st.lists(walks, min_size=1, max_size=3), st.sets(st.integers(0, 200)), st.integers(1, 2), st.booleans()
)
def test_any_cutting_gives_the_whole(
    shape: Any, of_units: list[tuple[int, int, float, bool]], cuts: set[int], parts: int, seasonal: bool
) -> None:
    assume(shape.is_valid)
    rows = []
    for unit, (seed, n, step, wanders) in zip("abc", of_units, strict=False):
        rng = np.random.default_rng(seed)
        t = T0 + np.cumsum(rng.choice([5, 30, 60, 120, 290, 301, 900, 1900, 90_000], n)) * 1000
        begin = shape.boundary.interpolate(rng.uniform(), normalized=True)
        offsets = rng.normal(0, step, (2, n))
        offsets = np.cumsum(offsets, axis=1) if wanders else offsets
        patrols = rng.choice([None, "P", "Q"], n)
        rows += [
            {"time": int(a), "lon": float(b), "lat": float(c), "unit": unit, "patrol": p}
            for a, b, c, p in zip(t, begin.x + offsets[0], begin.y + offsets[1], patrols, strict=True)
        ]
    law = zone(shape)
    if seasonal:
        until = pd.Timestamp(T0 + 3_600_000, unit="ms", tz="UTC")
        law = zones(zone(shape, valid_to=until), zone(shape.buffer(0.001), zone_id="Y", valid_from=until))
    edges = sorted({0, *(cut for cut in cuts if cut < len(rows))})
    pd.testing.assert_frame_equal(by_blocks(rows, law, edges, parts), zone_visits(fixes(rows), law), check_exact=True)


def test_a_boat_moored_inside_over_many_blocks_is_one_visit() -> None:
    # a fix an hour would break the track: one every 20 minutes for five days, cut every 12 h; in at 30 s, never out
    rows = [at(0, 8), *(at(60 + 1200 * i, 12 + i % 3) for i in range(360))]
    found = by_blocks(rows, zone(), [0, *range(36, 360, 36)], 1)
    assert found["minutes"].tolist() == [(60 + 1200 * 359 - 30) / 60]
    assert found["certainty"].tolist() == ["possible"]


def test_what_goes_on_is_small() -> None:
    rows = [{**at(60 * i, 500 + i), "unit": f"u{n}"} for n in range(20) for i in range(50)]
    tracks = encode(fixes(rows))
    areas = Areas.of(zones_between(zone(), T0, T0 + 10**7, None, SET))
    for chunk in tracks.chunks():
        visits, underway = advance(areas, chunk, tracks.unit_ids, tracks.patrol_ids, Underway.nobody(), SET)
    assert len(visits.unit_id) == len(underway.pair_unit) == 0
    assert underway.unit_id.tolist() == tracks.unit_ids
