"""What was looked at and found, day by day: the tables of the main job as arrays for the methods that ask *when*.

In: the sums of table `effort`, tables `seizure_links` and `seizures`, a network. Out: `Panel`, hours and cases by
Shanghai day and reach, and by steps of any length counted back from the end of the period.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from geo_monitor.effort.minutes import Totals
    from geo_monitor.inputs import Period
    from geo_monitor.river import Network

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]

SHANGHAI = timedelta(hours=8)
EPOCH = date(1970, 1, 1)
LEAD = 366  # days kept before anything was looked at or found: no step is longer, and a century of nothing only costs


@dataclass(frozen=True)
class Panel:
    """Days are whole days since 1 January 1970 in Asia/Shanghai; `first_day` and `last_day` belong to the period.

    hours : scipy.sparse (days, n), weighted hours looked (exposure)
    case_reach, case_day : (m,) of the cases in the rate that lie in the period, by day, then reach
    case_row : (m,) their rows in `seizure_links`
    """

    first_day: int
    last_day: int
    hours: Any
    case_reach: Ints
    case_day: Ints
    case_row: Ints

    @property
    def n(self) -> int:
        return int(self.hours.shape[1])

    def steps(self, step_days: int, most: int | None = None) -> tuple[Floats, Floats]:
        """Cases and hours (t, n) of the whole steps of `step_days` in the period, oldest first; at most the last
        `most`. Days left over at the start make no step."""
        import scipy.sparse as sp

        from geo_monitor.hotspots.series import step_of

        count = (self.last_day - self.first_day + 1) // step_days
        skip = 0 if most is None else max(0, count - most)
        days = np.arange(self.first_day, self.last_day + 1)
        step = step_of(days, self.last_day, step_days, first_day=self.first_day) - skip
        inside = np.flatnonzero(step >= 0)
        count -= skip
        gather = sp.csr_matrix((np.ones(len(inside)), (step[inside], inside)), shape=(count, len(days)))
        cases = np.zeros((count, self.n))
        at = step[self.case_day - self.first_day] if len(self.case_day) else np.zeros(0, np.int64)
        np.add.at(cases, (at[at >= 0], self.case_reach[at >= 0]), 1.0)
        return cases, np.asarray((gather @ self.hours).todense())

    def since(self, step: int, step_days: int, count: int) -> datetime:
        """UTC moment at which a step begins, of `count` steps that end with the period."""
        return moment(self.last_day + 1 - (count - step) * step_days)


def moment(day: float) -> datetime:
    """00:00 Asia/Shanghai of a day since 1970 as UTC.

    >>> moment(0).isoformat()
    '1969-12-31T16:00:00+00:00'
    """
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(days=day) - SHANGHAI


def panel(
    effort: Totals,
    links: pd.DataFrame,
    seizures: pd.DataFrame,
    network: Network,
    period: Period,
    per_hour: Floats,
) -> Panel | None:
    """The panel of a period; None where nobody looked and nothing was found.

    `per_hour` (platforms, 2) is what an hour by day and by night counts for (`hotspots.exposure.Weights`). An open end of
    the period is the last day on which somebody looked or something was found. A reported patrol that went on after the
    period counts with its hours up to the end.
    """
    import pandas as pd
    import scipy.sparse as sp

    from geo_monitor.tracks import milliseconds, shanghai_day

    ids = pd.Index(network.reaches["reach_id"].to_numpy())
    row = np.flatnonzero((links["use"] == "rate").to_numpy())
    case_day = shanghai_day(milliseconds(seizures["time"].iloc[row])) if len(row) else np.zeros(0, np.int64)
    case_reach = ids.get_indexer(pd.Index(links["reach_id"].iloc[row])).astype(np.int64)
    look_day = effort.day
    told = np.r_[case_day, look_day]
    if not len(told):
        return None
    first = int(told.min()) if period.start is None else max(_day(period.start), int(told.min()) - LEAD)
    last = int(told.max()) if period.end is None else _day(period.end - timedelta(microseconds=1))
    inside = (look_day >= first) & (look_day <= last)
    hours = sp.coo_matrix(
        (effort.weighted_hours(per_hour)[inside], (look_day[inside] - first, effort.reach[inside])),
        shape=(last - first + 1, len(ids)),
    ).tocsr()
    order = np.lexsort([row, case_reach, case_day])
    return Panel(first, last, hours, case_reach[order], case_day[order].astype(np.int64), row[order])


def _day(value: datetime) -> int:
    return ((value.astimezone(UTC) + SHANGHAI).date() - EPOCH).days
