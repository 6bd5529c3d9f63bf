"""What needs a decision on a water at a moment, worst first: the list beside the live map.

In: units at the moment (`moments.Fixes.at`), zones and which of them are in force, reaches (`levels.joined`, days counted
back from the moment), seizures. Out: `Need`s. Pure. It names places to look at; grading, routing and signing are the work
of warnings.
"""

from __future__ import annotations

from collections.abc import Mapping, Set
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from geo_monitor.app.deck import plain
from geo_monitor.app.rows import rows, zone_key
from geo_monitor.app.words import km, moment, number

if TYPE_CHECKING:
    import pandas as pd

    from geo_monitor.app.words import Speaker

UNSEEN_D = 7.0  # days; a hot place not looked at for so long is named
NEVER_D = 365.0  # days that a hot place nobody had looked at before counts for, beside others
JOIN_KM = 2.0  # km; hot reaches nearer than this along one river are one place
SILENT_S = 900.0  # seconds; a unit is silent after the longer of this ...
SILENT_TIMES = 5.0  # ... and so many times its own usual time between fixes
SEIZURE_H = 24.0  # hours; a seizure is news for so long
EACH = 5  # of one kind at most


@dataclass(frozen=True)
class Need:
    """kind (intrusion, unseen, silent, seizure, never); id of what to choose on the map; a headline and a sentence."""

    kind: str
    id: str
    title: str
    body: str


@dataclass(frozen=True)
class Water:
    """What a water asks for by itself, however the units on it move: hot places long not looked at, and what nobody ever
    looked at."""

    unseen: tuple[Need, ...]
    never: tuple[Need, ...]

    @classmethod
    def of(cls, reaches: pd.DataFrame, speaker: Speaker) -> Water:
        """Of the reaches of a water (`levels.joined`)."""
        return cls(tuple(_unseen(reaches, speaker)), tuple(_never(reaches, speaker)))


class Forced:
    """The rows of `zones` that are in force (`zone_key`), ready to be asked what lies in them.

    >>> import pandas as pd, shapely
    >>> zones = pd.DataFrame({"agency": [None], "zone_id": ["Z"], "version": [1], "geometry": [shapely.box(0, 0, 1, 1)]})
    >>> Forced(zones, {("", "Z", 1)}).inside(pd.DataFrame({"lon": [0.5, 2.0], "lat": [0.5, 0.5]}))
    [(0, 0)]
    """

    def __init__(self, zones: pd.DataFrame, in_force: Set[tuple[str, str, int]]) -> None:
        import shapely

        self.zones = zones
        self._held = [i for i, row in enumerate(rows(zones)) if zone_key(row) in in_force]
        self._tree = shapely.STRtree(zones["geometry"].to_numpy()[self._held])

    def inside(self, units: pd.DataFrame) -> list[tuple[int, int]]:
        """Pairs (row of `units`, row of `zones`) of units within them."""
        import shapely

        if not self._held or not len(units):
            return []
        unit, zone = self._tree.query(shapely.points(units["lon"], units["lat"]), predicate="within")
        return sorted((int(u), self._held[int(z)]) for u, z in zip(unit, zone, strict=True))


def needs(
    units: pd.DataFrame,
    usual_s: Mapping[str, float],
    forced: Forced,
    water: Water,
    seizures: pd.DataFrame,
    now: pd.Timestamp,
    names: Mapping[str, str],
    speaker: Speaker,
) -> list[Need]:
    """All of them, at most EACH of a kind."""
    found = _intrusions(units, forced, names, speaker)
    found += water.unseen
    found += _silent(units, usual_s, names, speaker)
    found += _seizures(seizures, now, speaker)
    return [*found, *water.never]


def places(reaches: pd.DataFrame) -> list[pd.DataFrame]:
    """Hot reaches of `reaches` as places: those of one river nearer than JOIN_KM together, lakes as a whole."""
    hot = reaches[reaches["state"] == "hot"].sort_values(["river", "kind", "km_from", "reach_id"])
    if not len(hot):
        return []
    river, kind = hot["river"].to_numpy(), hot["kind"].to_numpy()
    low, high = hot["km_from"].to_numpy(dtype=float), hot["km_to"].to_numpy(dtype=float)
    apart = (river[1:] != river[:-1]) | (kind[1:] != kind[:-1])
    # the chainage of a lake cell says nothing of its neighbours
    far = (kind[1:] == "channel") & ~(low[1:] - np.maximum.accumulate(high)[:-1] <= JOIN_KM)
    return [hot.iloc[part] for part in np.split(np.arange(len(hot)), np.flatnonzero(apart | far) + 1)]


def _intrusions(units: pd.DataFrame, forced: Forced, names: Mapping[str, str], speaker: Speaker) -> list[Need]:
    strangers = units[~units["patrol"].to_numpy(dtype=bool)]
    first: dict[int, int] = {}
    for unit, zone in forced.inside(strangers):
        first.setdefault(unit, zone)
    kept = list(first.items())[:EACH]  # words cost more than finding out: only of those that are told
    found = []
    for row, law in zip(
        rows(strangers.iloc[[unit for unit, _ in kept]]),
        rows(forced.zones.iloc[[zone for _, zone in kept]]),
        strict=True,
    ):
        name = plain(names.get(row.unit_id, row.unit_id))
        title = speaker.say("need_intrusion", unit=name, zone=plain(law.name) or plain(law.zone_id))
        found.append(Need("intrusion", f"unit|{plain(row.unit_id)}", title, speaker.motion(row)))
    return found


def _unseen(reaches: pd.DataFrame, speaker: Speaker) -> list[Need]:
    found = []
    for place in places(reaches):
        days = float(place["unseen_d"].min())
        if days < UNSEEN_D:
            continue
        p_hot, rate = place["p_hot"].to_numpy(dtype=float), place["rate"].to_numpy(dtype=float)
        worst = int(np.lexsort((-rate, -p_hot))[0])
        weight = days if days == days else NEVER_D
        found.append((-rate[worst] * weight, str(place["id"].iloc[worst]), place.iloc[[worst]], place, days))
    told = []
    for _, name, first, place, days in sorted(found, key=lambda one: one[:2])[:EACH]:
        row = next(rows(first))
        river = speaker.river(row.river)
        if row.kind == "lake":
            where = river
        else:
            where = speaker.say("place_km", river=river, low=km(place["km_from"].min()), high=km(place["km_to"].max()))
        title = speaker.say("need_unseen_never", place=where)
        if days == days:
            title = speaker.say("need_unseen", place=where, days=f"{int(days):,}")
        how, banks = speaker.rate(row), speaker.banks(row)
        told.append(Need("unseen", name, title, speaker.say("need_unseen_why", n=len(place), rate=how, place=banks)))
    return told


def _silent(
    units: pd.DataFrame, usual_s: Mapping[str, float], names: Mapping[str, str], speaker: Speaker
) -> list[Need]:
    age = units["age_s"].to_numpy()
    late = units[units["patrol"].to_numpy(dtype=bool) & (age > SILENT_S)]
    usual = np.array([usual_s.get(unit, 0.0) for unit in late["unit_id"]], dtype=float)
    late = late[late["age_s"].to_numpy() > SILENT_TIMES * usual].sort_values("age_s", ascending=False)
    found = []
    for row in rows(late.head(EACH)):
        title = speaker.say("need_silent", unit=plain(names.get(row.unit_id, row.unit_id)), age=speaker.age(row.age_s))
        body = speaker.say("need_silent_why", time=moment(row.time))
        found.append(Need("silent", f"unit|{plain(row.unit_id)}", title, body))
    return found


def _seizures(seizures: pd.DataFrame, now: pd.Timestamp, speaker: Speaker) -> list[Need]:
    import pandas as pd

    recent = seizures[(seizures["time"] <= now) & (seizures["time"] > now - pd.Timedelta(hours=SEIZURE_H))]
    found = []
    for row in rows(recent.sort_values("time", ascending=False).head(EACH)):
        title, body = speaker.seizure(row)
        found.append(Need("seizure", f"seizure|{plain(row.report_id)}", plain(title), plain(body)))
    return found


def _never(reaches: pd.DataFrame, speaker: Speaker) -> list[Need]:
    unseen = reaches[reaches["unseen_d"].isna()]
    if not len(unseen):
        return []
    kilometres = float(unseen.loc[unseen["kind"] == "channel", "length_m"].sum()) / 1000
    cells = int((unseen["kind"] == "lake").sum())
    title = speaker.say("need_never", km=number(kilometres), share=f"{len(unseen) / len(reaches):.0%}")
    return [Need("never", "", title, speaker.say("need_never_why", cells=f"{cells:,}"))]
