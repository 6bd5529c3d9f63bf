"""Zone visits and seizure links: each rule with numbers worked out by hand, then against slow references.

Hand-made tracks run along lat 30 past a zone from lon 112.010 to 112.020. One millidegree of longitude there is
96.486 m on WGS84; tests speak of millidegrees east of 112 (`x`).
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pyarrow as pa
import pyproj
import pytest
import shapely
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from geo_monitor import tables
from geo_monitor.errors import GeoMonitorError
from geo_monitor.events.ground import edges
from geo_monitor.joins import seizure_counts, seizure_links, zone_visits
from geo_monitor.joins.areas import Areas
from geo_monitor.joins.zones import KEPT, Zone, polygons, zones_between
from geo_monitor.settings import Settings
from tests.water import LAT, StraightRiver, fixes, lon_of, ms

T0 = ms("2026-05-31T02:00")
DAY = 86_400_000
RIVER = StraightRiver()
BOX = shapely.box(112.010, 29.99, 112.020, 30.01)


def zone(geometry: Any = BOX, **row: Any) -> gpd.GeoDataFrame:
    base = {"zone_id": "Z", "version": 1, "name": "保护区", "category": None, "rule": None, "season_from": None,
            "season_to": None, "valid_from": None, "valid_to": None, "agency": None}  # fmt: skip
    base["receipt_id"] = f"r{row.get('version', 1)}"
    frame = gpd.GeoDataFrame([{**base, **row}], geometry=[geometry], crs="EPSG:4326")
    for name in ("valid_from", "valid_to"):
        frame[name] = pd.to_datetime(frame[name], utc=True)
    return frame


def zones(*frames: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    return gpd.GeoDataFrame(pd.concat(frames, ignore_index=True), geometry="geometry", crs="EPSG:4326")


def packed(shape: Any) -> tuple[Areas, tuple[Any, ...]]:
    """A polygon as the joins keep it, and what `kernels.inside` takes of it."""
    areas = Areas.of([Zone("z", 1, np.array([[0, 1]]), shape)])
    return areas, edges(areas, 0)


def at(second: float, x: float, **more: Any) -> dict[str, Any]:
    return {"time": T0 + round(second * 1000), "lon": 112 + x / 1000, **more}


def visits(rows: list[dict[str, Any]], frame: gpd.GeoDataFrame | None = None) -> list[tuple[Any, ...]]:
    """(entered, left, certainty) of each visit, in seconds after T0."""
    found = zone_visits(fixes(rows), zone() if frame is None else frame)
    tables.TABLES["zone_visits"].check(found)
    assert found["minutes"].tolist() == pytest.approx(
        ((found["left_at"] - found["entered_at"]).dt.total_seconds() / 60).tolist(), abs=1e-9
    )
    begin, end = (
        found[name].dt.tz_localize(None).to_numpy("datetime64[ms]").astype(np.int64) - T0
        for name in ("entered_at", "left_at")
    )
    return list(zip((begin / 1000).tolist(), (end / 1000).tolist(), found["certainty"], strict=True))


# --- when a visit begins ----------------------------------------------------------------------------------------------


def test_a_way_through_with_interpolated_crossings() -> None:
    # 4 millidegrees a minute: at 8, 12, 16, 20 (the border: inside), 24
    track = [at(60 * i, 8 + 4 * i) for i in range(5)]
    assert visits(track) == [(30, 180, "observed")]  # in half-way between 8 and 12, out at 20
    assert visits(list(reversed(track))) == [(30, 180, "observed")]


def test_one_fix_inside_begins_a_visit_only_with_sixty_seconds_inside() -> None:
    # 6 to 14 in 80 s crosses 10 at 40 s; 14 to 22 or 26 leaves after a share of the next interval
    assert visits([at(0, 6), at(80, 14), at(107, 22)]) == [(40, 100.25, "observed")]  # 40 s + 6/8 of 27 s = 60.25 s
    assert visits([at(0, 6), at(80, 14), at(106, 22)]) == []  # 59.5 s
    assert visits([at(0, 6), at(30, 11), at(31, 12), at(40, 30)]) == [(24, 31 + 4, "observed")]  # two fixes are enough


def test_a_passage_between_two_fixes_outside_needs_sixty_seconds_inside_within_five_minutes() -> None:
    assert visits([at(0, 5), at(120, 25)]) == [(30, 90, "observed")]  # 10 of 20 millidegrees in 120 s
    assert visits([at(0, 5), at(118, 25)]) == []  # 59 s
    assert visits([at(0, 5), at(300, 25)]) == [(75, 225, "observed")]
    assert visits([at(0, 5), at(301, 25)]) == []  # nobody saw where it was
    assert zone_visits(fixes([at(0, 5, patrol="P"), at(120, 25, patrol="P")]), zone())["patrol_id"].tolist() == ["P"]


def test_track_that_begins_or_ends_inside_is_possible() -> None:
    assert visits([at(0, 12), at(60, 14), at(120, 24)]) == [(0, 96, "possible")]
    assert visits([at(0, 8), at(60, 12), at(120, 14)]) == [(30, 120, "possible")]
    assert visits([at(0, 12)]) == []  # one fix, no time


# --- when a visit ends ------------------------------------------------------------------------------------------------


def test_near_the_border_for_under_five_minutes_does_not_end_it() -> None:
    # 20.4 is 38.6 m outside; out at 180 + 60 * 1/1.4 = 222.857 s, back at 450 + 60 * 0.4/1.4 = 467.143 s: 244 s outside
    inside = [at(0, 8), at(60, 12), at(120, 15), at(180, 19)]
    near = [at(240, 20.4), at(450, 20.4)]
    back = [at(510, 19), at(570, 15), at(630, 25)]
    assert visits(inside + near + back) == [(30, 600, "observed")]
    # half a minute later back: 500 + 17.143 - 222.857 = 294.3 s; 507: 301.3 s, and all are outside for 5 min
    late = [[at(240, 20.4), at(s, 20.4), at(s + 60, 19), at(s + 120, 15), at(s + 180, 25)] for s in (500, 507)]
    assert visits(inside + late[0]) == [(30, 650, "observed")]
    assert visits(inside + late[1]) == [(30, 222.857, "observed"), (524.143, 657, "observed")]


def test_over_fifty_metres_outside_ends_it_at_once() -> None:
    # 50 m are 0.518 millidegrees
    def track(x: float) -> list[dict[str, Any]]:
        return [at(0, 8), at(60, 12), at(120, 19), at(180, x), at(240, 19), at(300, 15), at(360, 25)]

    assert visits(track(20.516)) == [(30, 330, "observed")]
    first, second = visits(track(20.520))
    assert first == (30, pytest.approx(120 + 60 / 1.52, abs=0.001), "observed")
    assert second == (pytest.approx(180 + 60 * 0.52 / 1.52, abs=0.001), 330, "observed")


def test_the_exit_is_where_it_finally_left() -> None:
    # after the last fix inside it stays near the border, then goes away: the exit is the crossing after that last fix
    track = [at(0, 8), at(60, 12), at(120, 19), at(180, 20.4), at(240, 20.3), at(300, 30)]
    assert visits(track) == [(30, pytest.approx(120 + 60 / 1.4, abs=0.001), "observed")]


def test_a_crossing_between_fixes_over_five_minutes_apart_is_possible() -> None:
    track = [at(0, 8), at(300, 12), at(360, 16), at(420, 24)]
    assert visits(track) == [(150, 390, "observed")]
    assert visits([at(-1, 8), *track[1:]])[0][2] == "possible"
    assert visits([*track[:3], at(661, 24)]) == [(150, pytest.approx(510.5), "possible")]
    # the distance between two fixes inside matters to neither end
    assert visits([at(0, 8), at(60, 12), at(1500, 16), at(1560, 24)]) == [(30, 1530, "observed")]


def test_a_track_break_closes_a_visit_at_its_last_fix() -> None:
    track = [at(0, 8), at(60, 12), at(120, 16), at(120 + 1801, 16), at(1981, 18), at(2041, 22)]
    assert visits(track) == [(30, 120, "possible"), (1921, 2011, "possible")]
    assert visits([*track[:3], *[{**row, "time": row["time"] - 1000} for row in track[3:]]]) == [(30, 2010, "observed")]


def test_visits_across_midnight_month_and_year_are_whole() -> None:
    new_year = ms("2026-12-31T16:00")
    rows = [{"time": new_year + 600_000 * i, "lon": 112.015} for i in range(-12, 13)]
    rows = [
        {"time": rows[0]["time"] - 60_000, "lon": 112.005},
        *rows,
        {"time": rows[-1]["time"] + 60_000, "lon": 112.025},
    ]
    for frame in (zone(), zone(season_from="01-01", season_to="12-31"), zone(season_from="11-01", season_to="02-28")):
        found = zone_visits(fixes(rows), frame)
        assert found["minutes"].tolist() == [241.0]  # 2 x 120 min and half a minute at each end
        assert found["certainty"].tolist() == ["observed"]


# --- which rule was in force ------------------------------------------------------------------------------------------


def test_times_are_clipped_to_when_the_rule_begins_and_ends() -> None:
    track = [at(0, 8), at(60, 12), at(120, 13), at(180, 14), at(240, 18), at(300, 22)]  # inside from 30 to 270 s
    begin, end = (pd.Timestamp(T0 + s * 1000, unit="ms", tz="UTC") for s in (100, 200))
    assert visits(track, zone(valid_from=begin)) == [(100, 270, "observed")]
    assert visits(track, zone(valid_to=end)) == [(30, 200, "observed")]
    assert visits(track, zone(valid_from=begin, valid_to=end)) == [(100, 200, "observed")]
    # a fix at valid_from counts, one at valid_to does not: 120 s is inside the rule, 180 s no more
    exact = [pd.Timestamp(T0 + s * 1000, unit="ms", tz="UTC") for s in (120, 180)]
    assert visits(track, zone(valid_from=exact[0], valid_to=exact[1])) == [(120, 180, "observed")]
    short = [pd.Timestamp(T0 + s * 1000, unit="ms", tz="UTC") for s in (121, 179)]
    assert visits(track, zone(valid_from=short[0], valid_to=short[1])) == []  # no fix, and 58 s


def test_two_versions_make_two_visits_and_the_newer_holds_where_both_are_valid() -> None:
    track = [at(0, 8), at(60, 12), at(120, 13), at(180, 14), at(240, 18), at(300, 22)]
    turn = pd.Timestamp(T0 + 150_000, unit="ms", tz="UTC")
    both = zones(zone(), zone(version=2, valid_from=turn))
    found = zone_visits(fixes(track), both)
    assert found["zone_version"].tolist() == [1, 2]
    assert visits(track, both) == [(30, 150, "observed"), (150, 270, "observed")]
    # a correction of the shape replaces the older version altogether
    corrected = zones(zone(), zone(shapely.box(112.014, 29.99, 112.020, 30.01), version=2))
    assert visits(track, corrected) == [(180, 270, "observed")]


def test_seasons_are_shanghai_days_inclusive_and_may_wrap_the_year() -> None:
    def windows(first: str, last: str, begin: str, end: str) -> list[list[str]]:
        found = zones_between(zone(season_from=begin, season_to=end), ms(first), ms(last))
        return [
            [str(np.datetime64(int(t), "ms").astype("datetime64[m]")) for t in window]
            for z in found
            for window in z.windows
        ]

    # 1 March 00:00 in Shanghai is 29 (28) February 16:00 UTC
    assert windows("2026-01-01", "2026-12-31", "03-01", "06-30") == [["2026-02-28T16:00", "2026-06-30T16:00"]]
    assert windows("2026-12-01", "2027-01-10", "11-01", "02-29") == [["2026-10-31T16:00", "2027-02-28T16:00"]]
    assert windows("2028-02-01", "2028-02-02", "11-01", "02-29") == [["2027-10-31T16:00", "2028-02-29T16:00"]]
    assert windows("2026-07-01", "2026-10-01", "11-01", "02-28") == []
    assert windows("2026-05-01", "2026-05-02", "05-01", "05-01") == [["2026-04-30T16:00", "2026-05-01T16:00"]]
    with pytest.raises(GeoMonitorError, match="13-01"):
        windows("2026-05-01", "2026-05-02", "13-01", "05-01")


def test_a_rule_until_the_year_9999_holds_today() -> None:
    frame = zone()
    frame["valid_to"] = pd.Series([datetime(9999, 12, 31, tzinfo=UTC)], dtype=object)
    assert len(zones_between(frame, T0, T0 + DAY)) == 1


def test_off_season_of_a_newer_version_brings_no_older_one_back() -> None:
    frame = zones(zone(), zone(version=2, season_from="06-01", season_to="06-30"))
    assert zones_between(frame, ms("2026-05-01"), ms("2026-05-02")) == []


# --- shapes -----------------------------------------------------------------------------------------------------------


def test_holes_parts_and_overlapping_zones() -> None:
    hole = BOX.difference(shapely.box(112.013, 29.995, 112.017, 30.005))
    through = [at(60 * i, 8 + 1 * i) for i in range(15)]  # 8 … 22; 13 and 17 are the hole's border: inside
    assert visits(through, zone(hole)) == [(120, 300, "observed"), (540, 720, "observed")]
    parts = shapely.union_all([shapely.box(112.010, 29.9, 112.012, 30.1), shapely.box(112.018, 29.9, 112.020, 30.1)])
    assert visits(through, zone(parts)) == [(120, 240, "observed"), (600, 720, "observed")]
    found = zone_visits(fixes(through), zones(zone(), zone(hole, zone_id="Y")))
    assert found["zone_id"].tolist() == ["Y", "Z", "Y"]
    assert zone_visits(fixes(through), zone(shapely.Polygon())).empty


def test_a_passage_on_the_way_in_needs_fixes_five_minutes_apart() -> None:
    parts = shapely.union_all([shapely.box(112.010, 29.9, 112.014, 30.1), shapely.box(112.018, 29.9, 112.020, 30.1)])
    # 8 to 19 in 264 s: in the first part from 48 to 144 s, in the second from 240 s; in 396 s nobody saw the first
    # (96 s between the two, no fix far away: one visit)
    assert visits([at(0, 8), at(264, 19), at(324, 19.5), at(384, 24)], zone(parts)) == [(48, 330.667, "observed")]
    assert visits([at(0, 8), at(396, 19), at(456, 19.5), at(516, 24)], zone(parts)) == [(360, 462.667, "possible")]


def test_traffic_visits_too_and_a_moment_sent_twice_counts_once() -> None:
    track = [at(60 * i, 8 + 4 * i, role="traffic") for i in range(5)]
    twice = [at(0, 8), at(30, 11), at(30, 11, patrol="P"), at(40, 24), at(50, 30)]
    assert visits(track) == [(30, 180, "observed")]
    assert visits(twice) == []  # the one fix inside is no two successive fixes


def test_the_patrol_is_that_of_the_first_fix_inside() -> None:
    track = [at(0, 8, patrol="A"), at(60, 12, patrol="B"), at(120, 16, patrol="C"), at(180, 24, patrol="D")]
    assert zone_visits(fixes(track), zone())["patrol_id"].tolist() == ["B"]


# --- visits against a slow reference ----------------------------------------------------------------------------------


def slow_visits(track: list[tuple[int, float, float]], polygon: Any) -> list[tuple[int, int, str]]:
    """The rules again, with shapely and geodesics: (entered, left, certainty) in ms. One unit, no windows."""
    geod = pyproj.Geod(ellps="WGS84")
    track = sorted({t: (t, x, y) for t, x, y in sorted(track, reverse=True)}.values())
    inside = [polygon.intersects(shapely.Point(x, y)) for _, x, y in track]

    def cuts(i: int) -> list[tuple[int, int]]:
        """Parts of the line i to i + 1 inside, in ms."""
        (t, x, y), (t2, x2, y2) = track[i], track[i + 1]
        line = shapely.LineString([(x, y), (x2, y2)])

        def along(p: Any) -> int:
            share = np.hypot(p[0] - x, p[1] - y) / np.hypot(x2 - x, y2 - y)
            return t + int(np.floor((t2 - t) * share + 0.5))

        parts = []
        common = shapely.line_merge(line.intersection(polygon))
        for part in shapely.get_parts(common):
            if part.geom_type == "LineString":
                ends = sorted(along(p) for p in (part.coords[0], part.coords[-1]))
                parts.append((ends[0], ends[1]))
        return sorted(parts)

    def metres(i: int) -> float:
        _, x, y = track[i]
        border = polygon.boundary
        # metres to degrees are not the same both ways: search the border finely around the nearest vertex-free guess
        best = np.inf
        scale = np.cos(np.radians(y))
        squeezed = shapely.transform(border, lambda c: np.column_stack([c[:, 0] * scale, c[:, 1] * 0.99767]))
        near = shapely.get_point(shapely.shortest_line(squeezed, shapely.Point(x * scale, y * 0.99767)), 0)
        best = min(best, geod.inv(x, y, near.x / scale, near.y / 0.99767)[2])
        return best

    spells = []  # entered, seen, left, seen, enough, fix before which an outside stretch begins
    i = 0
    while i < len(track):
        if inside[i]:
            j = i
            while j + 1 < len(track) and inside[j + 1] and track[j + 1][0] - track[j][0] <= 1_800_000:
                j += 1
            enter, enter_seen = track[i][0], False
            if i > 0 and track[i][0] - track[i - 1][0] <= 1_800_000:
                enter_seen = track[i][0] - track[i - 1][0] <= 300_000
                parts = cuts(i - 1)
                if parts and parts[-1][1] == track[i][0]:
                    enter = parts[-1][0]
            leave, leave_seen = track[j][0], False
            if j + 1 < len(track) and track[j + 1][0] - track[j][0] <= 1_800_000:
                leave_seen = track[j + 1][0] - track[j][0] <= 300_000
                parts = cuts(j)
                if parts and parts[0][0] == track[j][0]:
                    leave = parts[0][1]
            spells.append((enter, enter_seen, leave, leave_seen, j > i or leave - enter >= 60_000, i, j))
            i = j + 1
        else:
            i += 1
    for k in range(len(track) - 1):
        if track[k + 1][0] - track[k][0] > 300_000:
            continue
        if inside[k] and inside[k + 1]:
            continue
        for a, b in cuts(k):
            of_fix = (inside[k] and a == track[k][0]) or (inside[k + 1] and b == track[k + 1][0])
            if not of_fix and b - a >= 60_000:
                spells.append((a, True, b, True, True, k + 0.5, k + 0.5))
    spells.sort(key=lambda s: (s[5], s[0]))
    found: list[list[Any]] = []
    closed_at: float = -1.0  # position in the track up to which the open visit reaches
    for enter, enter_seen, leave, leave_seen, enough, first, last in spells:
        if found and found[-1][4]:
            between = range(int(np.floor(closed_at)) + 1, int(np.ceil(first)))
            steps = range(int(np.floor(closed_at)), int(np.ceil(first)))
            unbroken = all(track[k + 1][0] - track[k][0] <= 1_800_000 for k in steps)
            if unbroken and enter - found[-1][1] < 300_000 and all(metres(k) <= 50 for k in between):
                found[-1][1], found[-1][3] = leave, leave_seen
                closed_at = last
                continue
            found[-1][4] = False
        if enough:
            found.append([enter, leave, enter_seen, leave_seen, True])
            closed_at = last
    return [(a, b, "observed" if s and e else "possible") for a, b, s, e, _ in found]


@st.composite
def shapes(draw: st.DrawFn) -> Any:
    """A star-shaped polygon of some 100 m to 2 km around (112, 30), perhaps with a hole or a second part."""
    n = draw(st.integers(3, 12))
    radius = [draw(st.floats(0.002, 0.015)) for _ in range(n)]
    angle = np.arange(n) * 2 * np.pi / n + draw(st.floats(0, 1))
    points = [(112 + r * np.cos(a), 30 + r * np.sin(a)) for r, a in zip(radius, angle, strict=True)]
    shape = shapely.Polygon(points)
    more = draw(st.sampled_from(["none", "hole", "part"]))
    if more == "hole":
        shape = shape.difference(shapely.Point(112, 30).buffer(0.001, quad_segs=3))
    if more == "part":
        shape = shape.union(shapely.box(112.02, 29.99, 112.03, 30.01))
    return shape


walks = st.tuples(st.integers(0, 2**32 - 1), st.integers(2, 80), st.sampled_from([0.0003, 0.001, 0.004]), st.booleans())


@settings(max_examples=250, deadline=None)
@given(shapes(), walks, st.randoms(use_true_random=False))
def test_visits_equal_the_slow_reference(shape: Any, walk: tuple[int, int, float, float], random: Any) -> None:
    assume(shape.is_valid)
    seed, n, step, wanders = walk
    rng = np.random.default_rng(seed)
    share = [0.2, 0.3, 0.2, 0.1, 0.1, 0.04, 0.04, 0.02]
    t = T0 + np.cumsum(rng.choice([5, 30, 60, 120, 290, 301, 900, 1900], n, p=share)) * 1000
    begin = shape.boundary.interpolate(rng.uniform(), normalized=True)  # near the border is where rules matter
    offsets = rng.normal(0, step, (2, n))
    offsets = np.cumsum(offsets, axis=1) if wanders else offsets
    lon, lat = begin.x + offsets[0], begin.y + offsets[1]
    rows = [{"time": int(a), "lon": float(b), "lat": float(c)} for a, b, c in zip(t, lon, lat, strict=True)]
    expected = slow_visits([(row["time"], row["lon"], row["lat"]) for row in rows], shape)
    random.shuffle(rows)
    found = zone_visits(fixes(rows), zone(shape))
    entered, left = (
        found[name].dt.tz_localize(None).to_numpy("datetime64[ms]").astype(np.int64).tolist()
        for name in ("entered_at", "left_at")
    )
    assert len(found) == len(expected)
    assert found["certainty"].tolist() == [certainty for _, _, certainty in expected]
    # interpolation may round to the neighbouring millisecond
    assert entered == pytest.approx([a for a, _, _ in expected], abs=1)
    assert left == pytest.approx([b for _, b, _ in expected], abs=1)


@settings(max_examples=60, deadline=None)
@given(shapes(), st.lists(st.tuples(st.integers(-8, 8), st.integers(-8, 8)), min_size=1, max_size=40))
def test_the_kernel_and_shapely_agree_on_inside(shape: Any, steps: list[tuple[int, int]]) -> None:
    from geo_monitor.joins.kernels import inside

    # corners snapped to the points' own grid, so that points fall on corners and borders
    snapped = shapely.set_precision(shape, 1 / 512)
    assume(snapped.geom_type == "Polygon" and not snapped.is_empty)
    _, own = packed(snapped)
    for i, j in steps:
        x, y = 112 + i / 512, 30 + j / 512
        answer = inside(x, y, *own)
        assert answer == snapped.intersects(shapely.Point(x, y))


def test_of_a_square_all_between_its_sides_is_surely_inside_and_all_beyond_them_outside() -> None:
    sure = packed(shapely.segmentize(shapely.box(112.0, 30.0, 112.5, 30.25), 0.05))[0].sure
    assert len(sure) > 4
    nothing, sides = [np.inf, -np.inf], [112.0, 112.5]  # the lower and upper side fill their slabs
    middle = [[*sides, *sides]] * (len(sure) - 3)
    assert sure.tolist() == [[*nothing, *sides], *middle, [*nothing, *sides], [*nothing, *nothing]]


def test_between_two_arms_nothing_is_surely_inside() -> None:
    """A comb of two teeth 1 and 2 degrees wide: the gap between them is the widest place without an edge, and outside."""
    comb = shapely.union_all(
        [shapely.box(110, 30, 115, 31), shapely.box(110, 31, 111, 33), shapely.box(113, 31, 115, 33)]
    )
    areas, _ = packed(shapely.segmentize(comb, 0.1))
    south, per_degree = areas.grid[0]
    assert areas.sure[int((32.5 - south) * per_degree)].tolist() == [113.0, 115.0, 110.0, 115.0]


@settings(max_examples=60, deadline=None)
@given(shapes(), st.integers(0, 2**32 - 1))
def test_who_is_surely_inside_is_inside_and_who_is_surely_outside_outside(shape: Any, seed: int) -> None:
    areas, (_, slab_ends, _, _, per_degree, _) = packed(shape)
    assert len(areas.sure) == len(areas.slab)
    west, south, east, north = areas.box[0]
    rng = np.random.default_rng(seed)
    x, y = rng.uniform(west, east, 300), rng.uniform(south, north, 300)
    slab = np.minimum(((y - south) * per_degree).astype(int), len(slab_ends) - 2)
    surely = (x > areas.sure[slab, 0]) & (x < areas.sure[slab, 1])
    assert shapely.contains_xy(shape, x[surely], y[surely]).all()
    beyond = (x < areas.sure[slab, 2]) | (x > areas.sure[slab, 3])
    assert not shapely.intersects_xy(shape, x[beyond], y[beyond]).any()


def test_many_zones_are_made_ready_as_each_alone() -> None:
    """More than are remembered, of every kind: good, crossing itself, of parts on each other, with heights, of no area, none."""
    bow = shapely.Polygon([(0, 0), (2, 2), (2, 0), (0, 2)])
    kinds = [shapely.box(0, 0, 1, 1), bow, shapely.MultiPolygon([shapely.box(0, 0, 2, 2), shapely.box(1, 1, 3, 3)]),
             shapely.force_3d(shapely.box(0, 0, 1, 1), 7.0), shapely.LineString([(0, 0), (1, 1)]), shapely.Polygon(), None,
             shapely.GeometryCollection([shapely.box(5, 5, 6, 6), shapely.Point(0, 0)])]  # fmt: skip
    alone = polygons(np.array(kinds, dtype=object))
    assert [None if one is None else one.area for one in alone] == [1, 2, 7, 1, None, None, None, 1]
    many = polygons(np.array(kinds * (KEPT // len(kinds) + 1), dtype=object))
    assert len(many) > KEPT
    for one, other in zip(many, [*alone] * (len(many) // len(kinds)), strict=True):
        assert one is None if other is None else shapely.equals_identical(one, other)


def test_many_units_zones_and_chunks_give_what_each_gives_alone() -> None:
    from unittest import mock

    rng = np.random.default_rng(7)
    rows = []
    for unit in ("a", "b", "c"):
        x, y = rng.normal(0, 3, 200).cumsum() + 15, 30 + rng.normal(0, 0.001, 200).cumsum()
        rows += [{**at(60 * i, x[i], unit=unit), "lat": y[i]} for i in range(200)]
    frame = zones(zone(), zone(shapely.box(112.0, 29.98, 112.012, 30.02), zone_id="Y"))
    whole = zone_visits(fixes(rows), frame)
    assert len(whole) > 10
    alone = [
        zone_visits(fixes([row for row in rows if row["unit"] == unit]), frame[frame["zone_id"] == name])
        for unit in "abc"
        for name in "YZ"
    ]
    order = ["unit_id", "entered_at", "zone_id"]
    expected = pd.concat(alone).sort_values(order, ignore_index=True)
    pd.testing.assert_frame_equal(whole.sort_values(order, ignore_index=True), expected, check_exact=True)
    with mock.patch("geo_monitor.tracks.Tracks.chunks.__defaults__", (1,)):
        pd.testing.assert_frame_equal(zone_visits(fixes(rows[::-1]), frame), whole, check_exact=True)


# --- seizure links ----------------------------------------------------------------------------------------------------


def seizure(**row: Any) -> dict[str, Any]:
    base = {"report_id": "S1", "time": T0, "lon": None, "lat": None, "river": None, "km": None, "bank": None,
            "setting": None, "origin": None}  # fmt: skip
    return {**base, **row}


def links(
    rows: list[dict[str, Any]], track: list[dict[str, Any]], frame: gpd.GeoDataFrame | None = None, **more: Any
) -> pd.DataFrame:
    seizures = pd.DataFrame(rows)
    seizures["time"] = pd.to_datetime(seizures["time"], unit="ms", utc=True)
    found = seizure_links(
        seizures, fixes(track), zone() if frame is None else frame, RIVER, locate=lambda b, n: n.locate(b), **more
    )
    tables.TABLES["seizure_links"].check(found)
    return found


def test_where_a_report_lies() -> None:
    found = links(
        [
            seizure(lon=float(lon_of(2.7)), lat=29.999),
            seizure(report_id="S2", river="长江", km=2.5, bank="left"),
            seizure(report_id="S3", lon=float(lon_of(2.7)), lat=31.0),
            seizure(report_id="S4"),
            seizure(report_id="S5", river="汉江", km=2.5),
            seizure(report_id="S6", river="长江", km=20.0),
        ],
        [],
    )
    assert found["reach_id"].fillna("-").tolist() == ["r005", "r005", "-", "-", "-", "r039"]
    assert found["km"].tolist() == pytest.approx([2.7, 2.5, np.nan, np.nan, np.nan, 20.0], nan_ok=True)
    assert found["bank"].fillna("-").tolist() == ["right", "left", "-", "-", "-", "-"]
    assert found["offset_m"].iloc[0] == pytest.approx(110.85, abs=0.01)
    assert found["offset_m"].iloc[1:].isna().all()
    assert found["use"].tolist() == ["rate", "rate", "off_river", "no_place", "off_river", "rate"]


def test_which_law_held_there_at_that_moment() -> None:
    inside = {"lon": 112.015, "lat": 30.0}
    frame = zones(
        zone(),
        zone(zone_id="A", season_from="03-01", season_to="06-30"),
        zone(shapely.box(112.015, 29, 113, 31), zone_id="B", valid_to=pd.Timestamp(T0, unit="ms", tz="UTC")),
        zone(shapely.box(113, 29, 114, 31), zone_id="C"),
    )
    rows = [
        seizure(**inside),
        seizure(report_id="S2", time=T0 - 1, **inside),  # B's border belongs to it, its last moment does not
        seizure(report_id="S3", time=ms("2026-07-01T00:00"), **inside),
        seizure(report_id="S4"),
    ]
    assert links(rows, [], frame)["zone_ids"].tolist() == [["A", "Z"], ["A", "B", "Z"], ["Z"], []]


def test_the_nearest_among_each_units_fix_closest_in_time() -> None:
    place = {"lon": float(lon_of(5.0)), "lat": LAT}
    track = [
        at(-100, 0, unit="a", lon=float(lon_of(5.1))),  # 100 m away, but a's closest fix in time is the next
        at(10, 0, unit="a", lon=float(lon_of(8.0))),
        at(1800, 0, unit="b", lon=float(lon_of(6.0))),  # exactly half an hour counts
        at(-1800.001, 0, unit="c", lon=float(lon_of(5.0))),
        at(0, 0, unit="ship", lon=float(lon_of(5.0)), role="traffic"),
    ]
    found = links([seizure(**place)], track).iloc[0]
    assert found["nearest_unit_id"] == "b"
    assert found["nearest_unit_m"] == pytest.approx(1000.0, abs=0.01)
    assert found["nearest_unit_s"] == 1800.0
    before = links([seizure(**place)], [at(-1800, 0, unit="b", lon=float(lon_of(6.0)))]).iloc[0]
    assert before["nearest_unit_s"] == -1800.0
    tie = [at(5, 0, unit=u, lon=float(lon_of(5.2))) for u in ("y", "x")]
    assert links([seizure(**place)], tie)["nearest_unit_id"].tolist() == ["x"]
    none = links([seizure(**place)], [])
    assert none["nearest_unit_id"].isna().tolist() == [True]
    assert none["nearest_unit_m"].isna().all()


def test_what_counts_in_the_rate() -> None:
    place = {"lon": float(lon_of(5.05)), "lat": LAT}
    track = [at(0, 0, lon=float(lon_of(5.5))), at(1500, 0, lon=float(lon_of(15.0)))]
    rows = [
        seizure(report_id="patrol", origin="patrol", setting="water", **place),
        seizure(report_id="market", origin="check", setting="market", **place),
        seizure(report_id="tip", origin="tip", setting="bank", **place),  # a patrol was 450 m away at that minute
        seizure(report_id="passed", origin="tip", time=T0 + 1_400_000, **place),  # 23 min before; by now 10 km off
        seizure(report_id="far", origin="camera", lon=float(lon_of(12.05)), lat=LAT),  # 6.55 km away is not there
        seizure(report_id="late", origin="tip", time=T0 + 9_000_000, **place),
        seizure(report_id="lone", origin="patrol", time=T0 + 9_000_000, **place),
        seizure(report_id="words", origin="tip"),
    ]
    found = links(rows, track)
    assert dict(zip(found["report_id"], found["use"], strict=True)) == {
        "patrol": "rate", "market": "elsewhere", "tip": "rate", "passed": "rate", "far": "unpatrolled",
        "late": "unpatrolled", "lone": "rate", "words": "no_place",
    }  # fmt: skip
    cases, unpatrolled, left_out = seizure_counts(found, RIVER)
    assert (cases[10], cases.sum()) == (4, 4)
    assert (unpatrolled[10], unpatrolled[24], unpatrolled.sum()) == (1, 1, 2)
    assert left_out == {"unpatrolled": 2, "no_place": 1, "off_river": 0, "elsewhere": 1}
    far = links(rows, track, settings=Settings(there_m=7000.0))
    assert far["use"].tolist()[4] == "rate"


def test_no_seizures_no_links() -> None:
    empty = seizure_links(pd.DataFrame([seizure()]).iloc[:0], fixes([]), zone(), RIVER, locate=lambda b, n: n.locate(b))
    assert empty.empty
    assert list(empty.columns) == list(tables.TABLES["seizure_links"].names)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(st.sampled_from("abc"), st.integers(-3000, 3000), st.floats(0.1, 19.9)), max_size=40,
             unique_by=lambda row: row[:2]),
    st.lists(st.tuples(st.integers(-2000, 2000), st.floats(0.1, 19.9)), min_size=1, max_size=8),
    st.randoms(use_true_random=False),
)  # fmt: skip
def test_nearest_unit_equals_the_slow_reference(
    track: list[tuple[str, int, float]], reports: list[tuple[int, float]], random: Any
) -> None:
    geod = pyproj.Geod(ellps="WGS84")
    rows = [seizure(report_id=str(i), time=T0 + s * 1000, lon=float(lon_of(km)), lat=LAT, origin="tip")
            for i, (s, km) in enumerate(reports)]  # fmt: skip
    moved = [at(s, 0, unit=u, lon=float(lon_of(km))) for u, s, km in track]
    random.shuffle(moved)
    found = links(rows, moved)
    for i, (second, km) in enumerate(reports):
        best: list[tuple[float, str, int]] = []
        there = False
        for unit in "abc":
            near = []
            for u, s, other in track:
                if u == unit and abs(s - second) <= 1800:
                    metres = geod.inv(lon_of(km), LAT, lon_of(other), LAT)[2]
                    near.append((abs(s - second), metres, s - second))
                    there |= metres <= 2000
            if near:
                _, metres, delta = min(near)
                best.append((metres, unit, delta))
        row = found.iloc[i]
        if best:
            metres, unit, delta = min(best)
            assert (row["nearest_unit_id"], row["nearest_unit_s"]) == (unit, delta)
            assert row["nearest_unit_m"] == pytest.approx(metres)
        else:
            assert pd.isna(row["nearest_unit_id"])
        assert row["use"] == ("rate" if there else "unpatrolled")


def test_columns_of_a_dictionary_type_are_understood() -> None:
    table = fixes([at(60 * i, 8 + 4 * i) for i in range(5)])
    for name in ("unit_id", "role", "platform"):
        position = table.column_names.index(name)
        table = table.set_column(position, name, table[name].dictionary_encode())
    assert len(zone_visits(pa.concat_tables([table.slice(0, 2), table.slice(2)]), zone())) == 1
