"""Fixes kept in memory for the pages, on real workspaces."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from geo_monitor.app import data
from geo_monitor.app.situation import fixes
from geo_monitor.errors import Refused
from geo_monitor.store import live
from geo_monitor.workspace import Workspace

NOW = datetime(2026, 5, 1, 14, 0, tzinfo=UTC)
MS = int(NOW.timestamp() * 1000)


@pytest.fixture
def held(tmp_path):
    st.cache_resource.clear()
    return Workspace.create(tmp_path / "w")


def send(held, tmp_path, name, *rows):
    """rows: (unit, minutes before NOW, lon)."""
    lines = ["unit_id,time,lon,lat"]
    lines += [f"{unit},{NOW - timedelta(minutes=ago):%Y-%m-%dT%H:%M:%SZ},{lon},30.0" for unit, ago, lon in rows]
    file = tmp_path / f"{name}.csv"
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")
    receipt = held.import_file("tracks", file, role="patrol")
    assert receipt.status.startswith("accepted"), receipt.to_json("en")
    return receipt.receipt_id


def where(path):
    seen = fixes.live(path).fixes(MS).at(MS, 3600)
    return dict(zip(seen["unit_id"], seen["lon"].round(2), strict=True))


def test_a_new_upload_appears_and_a_withdrawn_one_goes(held, tmp_path):
    path = str(held.root)
    send(held, tmp_path, "a", ("艇1", 20, 112.1), ("艇1", 10, 112.2))
    assert where(path) == {"艇1": 112.2}
    before = data.stamp(path)
    late = send(held, tmp_path, "b", ("艇1", 5, 112.3), ("艇2", 15, 113.0))
    assert data.stamp(path) != before
    assert where(path) == {"艇1": 112.3, "艇2": 113.0}
    send(held, tmp_path, "c", ("艇2", 18, 112.9))  # late data do not move a boat back
    assert where(path)["艇2"] == 113.0
    before = data.stamp(path)
    held.withdraw(late, "重复报送")
    assert data.stamp(path) != before
    assert where(path) == {"艇1": 112.2, "艇2": 112.9}


def test_what_is_read_again_is_only_what_came(held, tmp_path, monkeypatch):
    path = str(held.root)
    send(held, tmp_path, "a", ("艇1", 20, 112.1))
    where(path)
    asked = []
    real = fixes._read
    monkeypatch.setattr(fixes, "_read", lambda *given: asked.append(given[3]) or real(*given))
    where(path)
    assert asked == []
    receipt = send(held, tmp_path, "b", ("艇1", 5, 112.3))
    where(path)
    assert asked == [frozenset({receipt})]


def test_the_clock_moves_on_for_hours(held, tmp_path):
    path = str(held.root)
    send(held, tmp_path, "a", ("艇1", 20, 112.1))
    where(path)
    later = MS + 7 * fixes.HOUR_MS
    assert len(fixes.live(path).fixes(later).at(later, fixes.LIVE_MS / 1000)) == 0
    assert where(path) == {"艇1": 112.1}  # and back, for another session's moment


def test_the_newest_fix_is_told_without_reading_fixes(held, tmp_path):
    path = str(held.root)
    assert fixes.newest(path, data.stamp(path)) is None
    send(held, tmp_path, "a", ("艇1", 3000, 112.1), ("艇1", 7, 112.2))
    assert fixes.newest(path, data.stamp(path)) == MS - 7 * 60_000


def test_a_past_night_holds_noon_to_noon_and_the_hours_before(held, tmp_path):
    path = str(held.root)
    start = fixes.noon(MS)  # 2026-05-01 12:00 in Shanghai, ten hours before NOW
    assert start == MS - 10 * fixes.HOUR_MS
    ago = [(MS - start) / 60_000 + minutes for minutes in (361, 359, -1)]
    send(held, tmp_path, "a", *[("艇1", minutes, 112.0) for minutes in ago])
    assert len(fixes.night(path, data.stamp(path), start)) == 2  # what is older than six hours before noon is left out


@dataclass(frozen=True)
class Sent:
    unit_id: str
    time: int
    lon: float
    lat: float = 30.0
    speed: float | None = None
    heading: float | None = None
    platform: str | None = None
    role: str = "patrol"
    source: str | None = "gps"


def test_fixes_of_a_feed_appear_at_once_and_stay_when_they_are_sealed(held, tmp_path):
    path = str(held.root)
    send(held, tmp_path, "a", ("艇1", 20, 112.1))
    assert where(path) == {"艇1": 112.1}
    live.append(held._store, "tcp://港:1", None, [Sent("艇1", MS - 600_000, 112.2)], None, MS, {})
    assert where(path) == {"艇1": 112.2}
    live.append(held._store, "tcp://港:1", None, [Sent("艇2", MS - 300_000, 113.0)], None, MS, {})
    assert where(path) == {"艇1": 112.2, "艇2": 113.0}
    live.seal(held._store, held.settings, NOW)
    assert where(path) == {"艇1": 112.2, "艇2": 113.0}
    assert len(fixes.live(path).fixes(MS)) == 3
    live.append(held._store, "tcp://港:1", None, [Sent("艇2", MS - 60_000, 113.1)], None, MS, {})
    assert where(path) == {"艇1": 112.2, "艇2": 113.1}
    assert fixes.live(path).fixes(MS) is fixes.live(path).fixes(MS)  # nothing new, nothing made anew


def shown(path: str) -> None:
    import streamlit as st

    from geo_monitor.app.situation import timeline
    from geo_monitor.app.words import Speaker

    wall = timeline.wall_ms()
    st.text(str(timeline.clock(path, "", wall, Speaker("zh")).now(wall)))


def test_a_night_that_was_let_go_is_not_shown_as_one_without_boats(tmp_path):
    """Asked for by its address: the page says so and goes to the first night held, from noon on."""
    held, now = Workspace.create(tmp_path / "w"), datetime.now(UTC)
    file = tmp_path / "a.csv"
    file.write_text("unit_id,time,lon,lat\n艇1,2022-03-01 22:00:00,112.1,30.0\n艇1,2022-03-02 10:00:00,112.1,30.0\n")
    assert held.import_file("tracks", file, role="patrol").rows["accepted"] == 2
    before = data.stamp(path := str(held.root))

    def asked(at):
        page = AppTest.from_function(shown, kwargs={"path": path})
        page.query_params["at"] = at
        page.run(timeout=60)
        assert not page.exception
        return int(page.text[0].value), [one.value for one in page.warning]

    night = int(datetime(2022, 3, 1, 14, tzinfo=UTC).timestamp() * 1000)
    assert asked("2022-03-01T22:00") == (night, [])
    assert len(fixes.night(path, before, fixes.noon(night)).names) == 1
    held.expire("2022-03-02", "保存期满", do=True, now=now)
    assert data.stamp(path) != before
    moment, (said,) = asked("2022-03-01T22:00")
    assert moment == int(datetime(2022, 3, 2, 4, tzinfo=UTC).timestamp() * 1000)
    assert "2022-03-02 之前的定位数据已按保存期限销毁" in said
    # its trail of the morning is held; nothing of the night before is asked for
    assert len(fixes.night(path, data.stamp(path), moment).names) == 1
    with pytest.raises(Refused):
        held.store.positions(start=fixes.utc(night))
