"""A workspace of one night on the made-up river: boats, patrols, events and the warnings that stand on them."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from streamlit.testing.v1 import AppTest

from geo_monitor.alerts import context, grade
from geo_monitor.alerts.warnings import raise_
from geo_monitor.app import door
from geo_monitor.events.event import event_id
from geo_monitor.feeds import Fix
from geo_monitor.loop.ground import Ground
from geo_monitor.store import live, revisions
from geo_monitor.store.rights import OWNER, Viewer
from geo_monitor.workspace import Workspace
from tests.loop.conftest import make

MINUTE = 60_000
NIGHT = datetime(2026, 6, 1, 14, 0, tzinfo=UTC)  # 22:00 in Shanghai
T0 = round(NIGHT.timestamp() * 1000)
NOW = T0 + 60 * MINUTE  # what the clock of the pages says: 23:00
HOSTILE = ("<script>document.title='broken'</script>", "@@=foo(((", "{id} {{title}}", "![x](http://a.b/c.png)")
FEED = "tcp://10.0.0.1:4001"


def event(kind: str, unit: str, lon: float, start: int, ground: Ground, **more: Any) -> dict[str, Any]:
    """An event of 20 minutes at a place of the river, its fixes one a minute to the east."""
    names = ground.network.reaches
    nearest = names.iloc[(names["lon"] - lon).abs().argmin()]
    some = [[unit, start + k * MINUTE, round(lon + 0.0004 * k, 6), 30.0] for k in range(20)]
    told = {"minutes": 20.0, "fixes": {"number": 20, "first": start, "last": start + 19 * MINUTE, "some": some}}
    told |= more.pop("evidence", {})
    zone = more.pop("zone_id", None)
    row = {
        "event_id": event_id(kind, kind, [unit], zone, start), "state": "ended", "kind": kind, "rule": kind,
        "rule_version": 1, "unit_ids": (unit,), "reach_id": nearest["reach_id"], "zone_id": zone,
        "adcodes": ground.adcodes(nearest["reach_id"]), "started_at": start, "ended_at": start + 20 * MINUTE,
        "lon": lon, "lat": 30.0, "evidence": json.dumps(told, ensure_ascii=False),
    }  # fmt: skip
    return row | more


SLOW = {
    "speed_mps": {"least": 0.4, "mean": 0.6, "most": 0.9},
    "limits": {"slow_low_kn": 0.2, "slow_high_kn": 2.5, "slow_s": 600.0},
    "current": "not known",
}


def night(root: Path, t0: int = T0) -> Workspace:
    """The hour after `t0` (ms UTC), 22:00 unless told. Three warnings, in the order of their clocks: a zone entry of 22:05 in 甲县 (yellow, half an hour to sign or more),
    a slow run of 22:30 in 甲县, a meeting of 22:40 in 乙县; two patrols with fixes of this minute."""
    held, now = make(root), t0 + 60 * MINUTE
    store, settings = held._store, held.settings
    ground = Ground.of(store, settings, now)
    events = [
        event("zone_entry", "渔1", 112.22, t0 + 5 * MINUTE, ground, zone_id="Z1", evidence={"certainty": "observed"}),
        event("slow", "渔2", 112.10, t0 + 30 * MINUTE, ground, evidence=SLOW),
        event("meeting", HOSTILE[0], 112.36, t0 + 40 * MINUTE, ground),
    ]
    for one in events:
        put(held, ground, [one], one["started_at"] + 10 * MINUTE)
    fixes = []
    for unit, lon in (("渔政01", 112.15), ("渔政02", 112.33)):
        for k in range(10):
            time = now - (10 - k) * MINUTE
            fixes.append(Fix(unit, time, lon + 0.0005 * k, 30.0, 4.0, 90.0, "patrol", "gps", "boat"))
    for one in events:
        told = json.loads(one["evidence"])["fixes"]["some"]
        fixes += [Fix(u, t, x, y, 0.6, 90.0, "traffic", "ais", "boat") for u, t, x, y in told]
    fixes.sort(key=lambda fix: fix.time)
    live.append(store, FEED, None, fixes, None, now - 30_000, {})
    return held


def put(held: Workspace, ground: Ground, events: list[dict[str, Any]], at: int) -> list[dict[str, Any]]:
    """Writes events and the warnings they ask for, as the duty room does."""
    store, settings = held._store, held.settings
    written = revisions.revise(store, "events", events, at, "geo-monitor")
    known = context.Context(ground.places, ground.distance, grade.Book(), ())
    found = raise_(written, ground.rows, revisions.rows(store, "warnings"), known, at, settings)
    return revisions.revise(store, "warnings", found.rows, at, "geo-monitor")


def warning(held: Workspace, cls: str) -> dict[str, Any]:
    """The newest revision of the first warning of a class."""
    return next(row for row in revisions.rows(held._store, "warnings") if row["class"] == cls)


def warnings_script(path: str, lang: str) -> None:
    from geo_monitor.app import duty
    from geo_monitor.app.uploads import told
    from geo_monitor.app.words import Speaker

    with told(Speaker(lang)):
        duty.page(path, Speaker(lang))


def dispatch_script(path: str, lang: str) -> None:
    from geo_monitor.app import dispatch
    from geo_monitor.app.uploads import told
    from geo_monitor.app.words import Speaker

    with told(Speaker(lang)):
        dispatch.page(path, Speaker(lang))


def line_script(path: str, lang: str) -> None:
    from geo_monitor.app import duty
    from geo_monitor.app.duty import waiting
    from geo_monitor.app.words import Speaker

    waiting.line_of(path, duty.teller(path, Speaker(lang)))


def opened(
    held: Workspace,
    script: Any = warnings_script,
    viewer: Viewer = OWNER,
    token: str | None = None,
    lang: str = "zh",
    **query: str,
) -> AppTest:
    """A page as `viewer` sees it, at an address."""
    at = AppTest.from_function(script, kwargs={"path": door.key(str(held.root), viewer, acting=True), "lang": lang})
    at.default_timeout = 120
    for name, value in query.items():
        at.query_params[name] = value
    if token is not None:
        at.session_state[door.TOKEN] = token
    return ran(at)


def ran(at: AppTest) -> AppTest:
    at.run()
    assert not at.exception, at.exception[0].value
    return at


def said(at: AppTest) -> str:
    """Everything the page says."""
    kinds = ("html", "markdown", "caption", "info", "warning", "error", "success")
    parts = [str(one.proto.body if kind == "html" else one.value) for kind in kinds for one in at.get(kind)]
    return "\n".join(parts)


def press(at: AppTest, key: str) -> AppTest:
    """Presses the button whose key begins so."""
    next(one for one in at.button if (one.key or "").startswith(key) or key in (one.key or "")).click()
    return ran(at)


def submit(at: AppTest, label: str) -> AppTest:
    """Presses the button of a form."""
    next(one for one in at.button if one.label == label).click()
    return ran(at)


def field(at: AppTest, kind: str, name: str) -> Any:
    """The field whose key holds `name`."""
    return next(one for one in at.get(kind) if name in (one.key or ""))
