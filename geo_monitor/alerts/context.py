"""What warnings need to know of the river, of earlier warnings and of quiet periods: everything that is not an event."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from geo_monitor.alerts.grade import Book
from geo_monitor.alerts.rows import Row, told

if TYPE_CHECKING:
    import pandas as pd
    from scipy.sparse import csr_matrix

Distance = Callable[[str, str], float]


@dataclass(frozen=True)
class Place:
    """A reach: localities on its banks; rr with its 90 % interval and state of the latest run (None: no run);
    `watched`: on the re-emergence watch. km from the mouth, WGS84 degrees."""

    adcodes: tuple[str, ...] = ()
    lon: float | None = None
    lat: float | None = None
    river: str | None = None
    km: float | None = None
    state: str | None = None
    rr: float | None = None
    rr_lo: float | None = None
    rr_hi: float | None = None
    watched: bool = False


@dataclass(frozen=True)
class Quiet:
    """A quiet period: events there are counted on `warning_id` and not raised. Around `reach_id` (by water, as events
    join), or in `zone_id`; `base`: the class of rules it holds for; since <= start of the event < until, ms UTC."""

    warning_id: str
    base: str
    reach_id: str | None
    zone_id: str | None
    since: int
    until: int
    reason: str
    who: str


@dataclass(frozen=True)
class Context:
    """places: by reach_id. distance: metres by water between two reaches, inf where there is no way. book: what earlier
    warnings came to (`grade.learn`). quiets: of `quiets`."""

    places: Mapping[str, Place] = field(default_factory=dict)
    distance: Distance = lambda a, b: 0.0 if a == b else float("inf")
    book: Book = field(default_factory=Book)
    quiets: tuple[Quiet, ...] = ()

    def place(self, reach_id: str | None) -> Place:
        """What is known of a reach; of one that is not known, nothing."""
        return self.places.get(reach_id or "", Place())

    def metres(self, a: str | None, b: str | None) -> float:
        """Metres by water; inf where one of them is not on located water."""
        if a is None or b is None:
            return float("inf")
        return 0.0 if a == b else float(self.distance(a, b))


def within(reach_ids: Sequence[str], metres: csr_matrix) -> Distance:
    """The distance function of `Network.within`: a sparse (n, n) matrix of metres by water between reaches that are near
    each other; inf for all others, so it must reach as far as anybody asks (`alerts_join_m`, `alerts_caught_m`)."""
    at = {reach: i for i, reach in enumerate(reach_ids)}
    rows: dict[int, dict[int, float]] = {}

    def distance(a: str, b: str) -> float:
        if a == b:
            return 0.0
        if a not in at or b not in at:
            return float("inf")
        i = at[a]
        if i not in rows:
            part = slice(metres.indptr[i], metres.indptr[i + 1])
            rows[i] = dict(zip(metres.indices[part].tolist(), metres.data[part].tolist(), strict=True))
        return rows[i].get(at[b], float("inf"))

    return distance


def quiets(warnings: Iterable[Row]) -> tuple[Quiet, ...]:
    """The quiet periods that warnings carry, by warning_id: also those that are over, for events told late."""
    found = []
    for row in warnings:
        evidence = told(row)
        quiet = evidence.get("quiet")
        if quiet:
            found.append(
                Quiet(
                    warning_id=row["warning_id"],
                    base=str(evidence.get("base") or row["class"]),
                    reach_id=row.get("reach_id"),
                    zone_id=quiet.get("zone"),
                    since=quiet["since"],
                    until=quiet["until"],
                    reason=quiet["reason"],
                    who=quiet["who"],
                )
            )
    return tuple(sorted(found, key=lambda quiet: quiet.warning_id))


def places(
    reaches: pd.DataFrame, hotspots: pd.DataFrame | None = None, watch: pd.DataFrame | None = None
) -> dict[str, Place]:
    """Places by reach_id from tables `reaches`, and `hotspots` and `reemergence` of a run where there is one.

    rr's interval is rate_lo and rate_hi over the basin's rate (rate / rr). Watched: a watch without an end.
    """
    import pandas as pd

    heat: dict[str, dict[str, Any]] = {}
    if hotspots is not None:
        for row in hotspots[["reach_id", "state", "rate", "rate_lo", "rate_hi", "rr"]].to_dict("records"):
            basin = row["rate"] / row["rr"] if row["rr"] > 0 else None
            heat[row["reach_id"]] = {
                "state": row["state"],
                "rr": float(row["rr"]),
                "rr_lo": None if not basin else row["rate_lo"] / basin,
                "rr_hi": None if not basin else row["rate_hi"] / basin,
            }
    watched: set[str] = set()
    if watch is not None:
        on = watch[watch["watch_to"].isna()]
        watched = {reach for reach_ids in on["reach_ids"] for reach in reach_ids}

    def known(value: Any) -> Any:
        return None if value is None or pd.isna(value) else value

    found = {}
    columns = ["reach_id", "adcode_left", "adcode_right", "lon", "lat", "river", "km_from"]
    for row in reaches[columns].to_dict("records"):
        sides = [known(row["adcode_left"]), known(row["adcode_right"])]
        found[row["reach_id"]] = Place(
            adcodes=tuple(sorted({side for side in sides if side})),
            lon=float(row["lon"]),
            lat=float(row["lat"]),
            river=known(row["river"]),
            km=known(row["km_from"]),
            watched=row["reach_id"] in watched,
            **heat.get(row["reach_id"], {}),
        )
    return found
