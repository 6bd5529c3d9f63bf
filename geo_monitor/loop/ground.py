"""What detectors and warnings need to know of the water, the law and the last analysis, read from the store."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from geo_monitor.errors import Usage
from geo_monitor.inputs import Period, read
from geo_monitor.store import revisions

if TYPE_CHECKING:
    import geopandas as gpd
    import pandas as pd

    from geo_monitor.alerts.context import Distance, Place
    from geo_monitor.events.rule import Rule
    from geo_monitor.river import Network
    from geo_monitor.settings import Settings
    from geo_monitor.store import Store


@dataclass(frozen=True)
class Ground:
    """mark: changes with everything this was read from. `rules`: those in force as detectors take them, `rows` of table
    `rules` of the same. places: what warnings need to know of each reach. distance: metres by water between two reaches,
    as far as anything asks."""

    mark: str
    network: Network
    zones: gpd.GeoDataFrame
    levels: pd.DataFrame
    rules: Sequence[Rule]
    rows: Sequence[dict[str, Any]]
    places: dict[str, Place]
    distance: Distance

    @classmethod
    def of(cls, store: Store, settings: Settings, now: int) -> Ground:
        """As it is in the store now (ms UTC); the river is built once and kept."""
        from geo_monitor import engine
        from geo_monitor.alerts import context, rules

        with store.reading():
            mark = mark_of(store)
            inputs = read(store, Period(start=datetime.now(UTC)), settings)
            rows = rules.in_force(revisions.rows(store, "rules", every=True), now)
            hot, watch = (_result(store, name) for name in ("hotspots", "reemergence"))
        network = engine.river(inputs, settings, store.root)
        names = network.reaches["reach_id"].tolist()
        if hot is not None and not set(hot["reach_id"]) & set(names):
            hot = watch = None  # an analysis of another river, or of reaches of another length
        reaches = network.reaches
        if any(note["code"] == "jurisdictions_shipped" for note in inputs.notes):
            # the shipped localities are drawings, no legal boundaries: nobody is told that a warning is theirs by them
            reaches = reaches.assign(adcode_left=None, adcode_right=None)
        places = context.places(reaches, hot, watch)
        far = max(settings.alerts_join_m, settings.alerts_caught_m)
        distance = context.within(names, network.within(far))
        run = [rules.to_run(row) for row in rows]
        return cls(mark, network, inputs.zones, inputs.levels, run, rows, places, distance)

    def told(self, events: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
        """Of these events (rows) those by the rules in force that stand."""
        versions = {(rule.rule, rule.version) for rule in self.rules}
        return [row for row in events if row["state"] != "withdrawn" and (row["rule"], row["rule_version"]) in versions]

    def adcodes(self, reach_id: str | None) -> tuple[str, ...]:
        """Localities on the banks of a reach."""
        place = self.places.get(reach_id or "")
        return () if place is None else place.adcodes


def _result(store: Store, name: str) -> pd.DataFrame | None:
    try:
        return store.result(name)
    except Usage:  # no analysis yet, or one without this method
        return None


def begin_rules(store: Store, settings: Settings, now: int) -> None:
    """A workspace without any rule gets the shipped ones, in force."""
    from geo_monitor.alerts import rules

    if not revisions.rows(store, "rules"):
        revisions.revise(store, "rules", rules.shipped(settings), now, rules.MAKER)


def mark_of(store: Store) -> str:
    """Changes when zones, water, units or rules change, an analysis ends, or an upload is withdrawn."""
    return f"{store.mark(tracks=False)}|{revisions.mark(store, 'rules')}"


_kept: dict[str, Ground] = {}


def shared(store: Store, settings: Settings) -> Ground:
    """The ground of a workspace as it is now, kept in memory while nothing changes."""
    key = str(store.root.resolve())
    held = _kept.get(key)
    if held is None or held.mark != mark_of(store):
        held = _kept[key] = Ground.of(store, settings, round(datetime.now(UTC).timestamp() * 1000))
    return held
