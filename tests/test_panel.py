"""The panel of days: what lies in which day, step and reach, by hand on a river of four reaches."""

from __future__ import annotations

from datetime import UTC, datetime
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from geo_monitor.effort.minutes import Totals, keys
from geo_monitor.inputs import Period
from geo_monitor.panel import EPOCH, LEAD, Panel, moment, panel
from geo_monitor.tables import PLATFORMS
from geo_monitor.tracks import MINUTE_MS

RIVER = SimpleNamespace(reaches=pd.DataFrame({"reach_id": ["a", "b", "c", "d"]}))
ONE = np.ones((len(PLATFORMS), 2))


def day(text: str) -> int:
    return (datetime.fromisoformat(text).date() - EPOCH).days


def effort(*rows: tuple[str, str, float], platform: str = "boat", night: float = 0.0) -> Totals:
    """Rows (reach, day, minutes) of a platform, `night` minutes of each at night."""
    total = Totals(4)
    reach = np.array(["abcd".index(row[0]) for row in rows], dtype=np.int64)
    days = np.array([day(row[1]) for row in rows], dtype=np.int64)
    sums = np.zeros((len(rows), 6), dtype=np.int64)
    sums[:, 0] = [row[2] * MINUTE_MS for row in rows]
    sums[:, 2] = night * MINUTE_MS
    total.sum(keys(reach, days, PLATFORMS.index(platform)), sums)
    return total


def found(*rows: tuple[str, str, str]) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Rows (reach, time, use) as tables `seizure_links` and `seizures`."""
    links = pd.DataFrame(
        {"reach_id": pd.Series([row[0] for row in rows], dtype=object), "use": [row[2] for row in rows]}
    )
    time = pd.to_datetime([row[1] for row in rows], utc=True).astype("datetime64[ms, UTC]")
    return links, pd.DataFrame({"time": time})


def made(looked: Totals, cases: tuple[pd.DataFrame, pd.DataFrame], period: Period | None = None) -> Panel | None:
    return panel(looked, cases[0], cases[1], RIVER, period or Period(), ONE)  # type: ignore[arg-type]


def test_days_are_those_of_shanghai() -> None:
    """15:59 UTC is 23:59 in Shanghai, 16:00 the next day."""
    cases = found(
        ("b", "2026-06-01T15:59:59Z", "rate"),
        ("a", "2026-06-01T16:00:00Z", "rate"),
        ("b", "2026-06-01T00:00:00Z", "unpatrolled"),
    )
    told = made(effort(("a", "2026-06-03", 90), ("a", "2026-06-01", 30), ("d", "2026-06-03", 60)), cases)
    assert told is not None
    assert (told.first_day, told.last_day, told.n) == (day("2026-06-01"), day("2026-06-03"), 4)
    assert told.hours.toarray().tolist() == [[0.5, 0, 0, 0], [0, 0, 0, 0], [1.5, 0, 0, 1.0]]
    assert told.case_day.tolist() == [day("2026-06-01"), day("2026-06-02")]
    assert told.case_reach.tolist() == [1, 0]
    assert told.case_row.tolist() == [0, 1]


def test_platforms_and_night_count_as_they_are_weighed() -> None:
    """A foot patrol of 60 min, 15 of them at night: 45 min at 0.5, 15 at 2 are 22.5 + 30 min."""
    looked = effort(("a", "2026-06-01", 60), platform="foot", night=15.0)
    weights = ONE.copy()
    weights[PLATFORMS.index("foot")] = [0.5, 2.0]
    told = panel(looked, *found(), RIVER, Period(), weights)  # type: ignore[arg-type]
    assert told is not None
    assert told.hours.toarray().tolist() == [[52.5 / 60, 0, 0, 0]]


def test_steps_end_with_the_period() -> None:
    """Ten days in steps of four: days 3-6 and 7-10, the first two are left over."""
    period = Period(datetime(2026, 5, 31, 16, tzinfo=UTC), datetime(2026, 6, 10, 16, tzinfo=UTC))
    cases = found(
        *((reach, f"2026-06-{date:02d}T04:00Z", "rate") for reach, date in (("a", 2), ("a", 3), ("b", 6), ("b", 7)))
    )
    told = made(
        effort(("a", "2026-06-02", 60), ("a", "2026-06-03", 60), ("a", "2026-06-06", 60), ("c", "2026-06-10", 60)),
        cases,
        period,
    )
    assert told is not None
    assert told.last_day - told.first_day + 1 == 10
    assert [part.tolist() for part in told.steps(4)] == [[[1, 1, 0, 0], [0, 1, 0, 0]], [[2, 0, 0, 0], [0, 0, 1, 0]]]
    assert [part.tolist() for part in told.steps(4, most=1)] == [[[0, 1, 0, 0]], [[0, 0, 1, 0]]]
    assert told.steps(11)[0].shape == (0, 4)
    # the first of the two steps begins on 3 June
    assert told.since(0, 4, 2) == datetime(2026, 6, 2, 16, tzinfo=UTC)
    assert moment(told.last_day + 1) == period.end


def test_the_period_and_not_the_data_makes_the_days() -> None:
    looked = effort(("a", "2026-06-05", 60))
    told = made(
        looked, found(), Period(datetime(2026, 5, 31, 20, tzinfo=UTC), datetime(2026, 6, 9, 16, 0, 1, tzinfo=UTC))
    )
    assert told is not None
    # 04:00 on 1 June in Shanghai; one second of 10 June
    assert (told.first_day, told.last_day) == (day("2026-06-01"), day("2026-06-10"))
    assert len(told.case_reach) == 0


def test_a_patrol_that_went_on_after_the_period() -> None:
    """A reported patrol is in the period if it began in it; its hours of the next day are beyond."""
    told = made(
        effort(("a", "2026-06-01", 60), ("a", "2026-06-02", 120)),
        found(),
        Period(None, datetime(2026, 6, 1, 16, tzinfo=UTC)),
    )
    assert told is not None
    assert told.hours.toarray().tolist() == [[1.0, 0, 0, 0]]


def test_a_start_long_before_anything() -> None:
    told = made(effort(("a", "2026-06-01", 60)), found(), Period(datetime(1990, 1, 1, tzinfo=UTC)))
    assert told is not None
    assert told.first_day == day("2026-06-01") - LEAD
    assert told.steps(28)[1].sum() == 1.0


def test_nothing_at_all() -> None:
    assert made(effort(), found()) is None
    assert made(effort(), found(("a", "2026-06-01T00:00Z", "no_place"))) is None
    alone = made(effort(), found(("c", "2026-06-01T00:00Z", "rate")))
    assert alone is not None
    assert (alone.first_day, alone.last_day) == (day("2026-06-01"),) * 2
    assert alone.hours.sum() == 0
    assert alone.steps(1)[0].tolist() == [[0, 0, 1, 0]]


@given(
    st.lists(st.tuples(st.integers(0, 3), st.integers(0, 80)), min_size=1, max_size=20),
    st.integers(1, 30),
    st.integers(1, 9),
)
def test_steps_hold_every_case_and_hour_once(rows: list[tuple[int, int]], length: int, most: int) -> None:
    """Added up over steps: what lies in the whole steps, counted back from the last day, whatever the length."""
    days = np.array([number for _, number in rows])
    dates = [str(np.datetime64("2026-01-01") + int(number)) for number in days]
    told = made(
        effort(*((RIVER.reaches["reach_id"][reach], date, 60.0) for (reach, _), date in zip(rows, dates, strict=True))),
        found(
            *(
                (RIVER.reaches["reach_id"][reach], f"{date}T12:00Z", "rate")
                for (reach, _), date in zip(rows, dates, strict=True)
            )
        ),
    )
    assert told is not None
    cases, hours = told.steps(length)
    span = days.max() - days.min() + 1
    kept = days.max() - days < span // length * length
    assert cases.sum() == kept.sum() == pytest.approx(hours.sum())
    few = told.steps(length, most)
    assert (few[0] == cases[max(0, len(cases) - most) :]).all()
    assert (few[1] == hours[max(0, len(hours) - most) :]).all()
