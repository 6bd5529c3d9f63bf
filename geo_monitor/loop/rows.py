"""Rows of the loop's tables out of what the pure rooms give, and back."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np

from geo_monitor.dispatch.taskings import Tasking
from geo_monitor.dispatch.water import Place
from geo_monitor.errors import Usage

if TYPE_CHECKING:
    from geo_monitor.events.event import Event
    from geo_monitor.loop.ground import Ground


def event_row(event: Event, ground: Ground) -> dict[str, Any]:
    """An event as a row of table `events` for `revisions.revise`."""
    return {
        "event_id": event.event_id,
        "state": "open" if event.ended_at is None else "ended",
        "kind": event.kind,
        "rule": event.rule,
        "rule_version": event.rule_version,
        "unit_ids": tuple(sorted(event.unit_ids)),
        "reach_id": event.reach_id,
        "zone_id": event.zone_id,
        "adcodes": ground.adcodes(event.reach_id),
        "started_at": event.started_at,
        "ended_at": event.ended_at,
        "lon": event.lon,
        "lat": event.lat,
        "evidence": json.dumps(event.evidence, ensure_ascii=False, sort_keys=True),
    }


def unsaid(row: dict[str, Any]) -> dict[str, Any]:
    """What is written of an event that does not follow from the fixes any more."""
    return {"event_id": row["event_id"], "state": "withdrawn", "reason": "judged_anew"}


def tasking_of(row: dict[str, Any]) -> Tasking:
    """A row of table `taskings` as the state machine takes it."""
    return Tasking(**{name: row[name] for name in Tasking.__dataclass_fields__})


def place_of(row: dict[str, Any], ground: Ground) -> Place:
    """Where a warning is. Raises `Usage("warning_nowhere")` for one without a place."""
    if row["lon"] is not None and row["lat"] is not None:
        return Place.at(ground.network, row["lon"], row["lat"])
    ids = ground.network.reaches["reach_id"]
    found = np.flatnonzero((ids == row["reach_id"]).to_numpy())
    if not len(found):
        raise Usage("warning_nowhere", warning_id=row["warning_id"])
    return Place.on(ground.network, int(found[0]))
