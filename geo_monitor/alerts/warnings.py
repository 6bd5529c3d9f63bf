"""From events to warnings: one warning for one situation and locality, its evidence growing, its grade only rising.

In: events that are new or changed, rules in force, warnings held, the context, now. Out: warnings new or changed.

An event joins a live situation of the same class when it lies within `alerts_join_m` by water of its place, or shares a
boat, and within `alerts_join_h` of its time; else it opens one, and every locality on the banks of its reach gets a
warning (one with an empty adcode where none is loaded). A situation that comes to other localities is raised there too,
as class border. Events are taken by their start and id whatever order they come in, and those withdrawn last, so the
order of the input never matters; what is told in one call or in several does where an event could join two situations,
or starts before one that is already held.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from geo_monitor.alerts import actions, clocks, route
from geo_monitor.alerts.context import Context, Place, Quiet
from geo_monitor.alerts.fresh import fresh, warning_id
from geo_monitor.alerts.grade import Judgement, grade_of, graver, judge
from geo_monitor.alerts.rows import HOUR_MS, LIVE, Row, changed, event_row, short_hash, told, written
from geo_monitor.events.event import Event
from geo_monitor.settings import Settings

WATCHED = ("zone", "gear", "trade")  # classes that become reemergence at a watched place


@dataclass(frozen=True)
class Raised:
    """`rows`: warnings new or changed, by opening, for `store.revisions.revise`. `raised`: ids of the new ones.
    `quieted`: (event_id, warning_id of the quiet period) of events counted and not raised."""

    rows: list[dict[str, Any]]
    raised: tuple[str, ...]
    quieted: tuple[tuple[str, str], ...]


def raise_(
    events: Iterable[Event | Row],
    rules: Iterable[Row],
    warnings: Iterable[Row],
    context: Context,
    now: int,
    settings: Settings | None = None,
) -> Raised:
    """Warnings from events (rows of `events`, or fresh ones) new or changed up to `now` (ms UTC).

    rules: rows in force; events of other rules raise nothing new, and what stands on them is kept up. warnings: newest
    revisions of all live ones and of every one, closed or recalled too, that an event given here stands on: of a closed
    one left out, its event would raise another. Of an event that comes twice the higher revision counts.
    """
    settings = settings or Settings()
    board = _Board({rule["rule"]: rule for rule in rules}, context, now, settings)
    for row in warnings:
        board.take(row)
    newest: dict[str, dict[str, Any]] = {}
    for event in map(event_row, events):
        held = newest.get(event["event_id"])
        if held is None or (event.get("revision") or 0) >= (held.get("revision") or 0):
            newest[event["event_id"]] = event
    ordered = sorted(
        newest.values(), key=lambda event: (event["state"] == "withdrawn", event["started_at"], event["event_id"])
    )
    for event in ordered:
        board.put(event)
    return board.raised()


@dataclass
class _Situation:
    """Warnings of one situation, by id. `origin`: reach and zone of the event that opened it, its place ever after;
    `entries`: what its live warnings stand on, which is the same for all of them."""

    key: str
    base: str
    origin: tuple[str | None, str | None]
    rows: dict[str, dict[str, Any]] = field(default_factory=dict)
    entries: list[dict[str, Any]] = field(default_factory=list)

    @property
    def live(self) -> list[dict[str, Any]]:
        return [row for _, row in sorted(self.rows.items()) if row["state"] in LIVE]

    def hold(self, entries: Sequence[Mapping[str, Any]]) -> None:
        self.entries = [dict(entry) for entry in entries]

    def span(self, now: int) -> tuple[int, int] | None:
        """From the first start to the last end of the events that stand, ms UTC; what goes on goes on until now."""
        standing = _standing(self.entries)
        if not standing or not self.live:
            return None
        return min(entry["from"] for entry in standing), max(_end(entry["to"], now) for entry in standing)

    @property
    def units(self) -> set[str]:
        return {unit for entry in _standing(self.entries) for unit in entry["units"]}


class _Board:
    """The warnings as they stand while events are put on them."""

    def __init__(self, rules: Mapping[str, Row], context: Context, now: int, settings: Settings) -> None:
        self.rules, self.context, self.now, self.settings = rules, context, now, settings
        self.situations: dict[str, _Situation] = {}
        self.joinable: dict[str, list[_Situation]] = {}  # by class of the rules
        self.of_event: dict[str, str] = {}
        self.before: dict[str, Row] = {}
        self.rows: dict[str, dict[str, Any]] = {}
        self.new: list[str] = []
        self.quieted: list[tuple[str, str]] = []

    def take(self, row: Row) -> None:
        evidence = told(row)
        self.before[row["warning_id"]] = row
        self.rows[row["warning_id"]] = dict(row)
        if "situation" in evidence:  # one raised by hand has no events
            self._file(dict(row), evidence)

    def _file(self, row: dict[str, Any], evidence: Mapping[str, Any]) -> None:
        key = evidence["situation"]
        situation = self.situations.get(key)
        if situation is None:
            reach, zone = evidence["origin"]
            situation = self._begin(key, evidence["base"], (reach, zone))
        situation.rows[row["warning_id"]] = row
        if row["state"] in LIVE:
            situation.hold(evidence["events"])
        for entry in evidence["events"]:
            self.of_event[entry["id"]] = key

    def _begin(self, key: str, base: str, origin: tuple[str | None, str | None]) -> _Situation:
        situation = self.situations[key] = _Situation(key, base, origin)
        self.joinable.setdefault(base, []).append(situation)
        return situation

    def put(self, event: Row) -> None:
        if event["event_id"] in self.of_event:
            self._keep_up(self.situations[self.of_event[event["event_id"]]], event)
            return
        rule = self.rules.get(event["rule"])
        if event["state"] == "withdrawn" or rule is None:
            return
        quiet = self._quiet(event, rule["class"])
        if quiet is not None:
            self._count(quiet, event)
            return
        entry = _entry(event, float(rule["harm"]))
        situation = self._join(event, rule["class"])
        if situation is None:
            key = short_hash(rule["class"], event["event_id"])
            situation = self._begin(key, rule["class"], (event.get("reach_id"), event.get("zone_id")))
        self.of_event[event["event_id"]] = situation.key
        self._grow(situation, entry)
        self._open(situation, event)

    # --- joining ----------------------------------------------------------------------------------------------------

    def _join(self, event: Row, base: str) -> _Situation | None:
        best: tuple[tuple[bool, float, int, str], _Situation] | None = None
        reach_ms = self.settings.alerts_join_h * HOUR_MS
        until = _end(event.get("ended_at"), self.now)
        keep = []
        for situation in self.joinable.get(base, []):
            span = situation.span(self.now)
            if span is None or event["started_at"] > span[1] + reach_ms:
                continue  # events come by their start, so no later one joins it either
            keep.append(situation)
            if until < span[0] - reach_ms:
                continue
            shared = bool(set(event["unit_ids"]) & situation.units)
            metres = 0.0 if shared else self.context.metres(event.get("reach_id"), situation.origin[0])
            if not shared and event.get("reach_id") is None and situation.origin[0] is None:
                zone = event.get("zone_id")  # off the network a zone is all there is to tell one place from another
                metres = 0.0 if zone is not None and zone == situation.origin[1] else float("inf")
            if shared or metres <= self.settings.alerts_join_m:
                rank = (not shared, metres, span[0], situation.key)
                if best is None or rank < best[0]:
                    best = rank, situation
        self.joinable[base] = keep
        return None if best is None else best[1]

    def _quiet(self, event: Row, base: str) -> Quiet | None:
        for quiet in self.context.quiets:
            if quiet.base != base or not quiet.since <= event["started_at"] < quiet.until:
                continue
            near = self.context.metres(event.get("reach_id"), quiet.reach_id) <= self.settings.alerts_join_m
            if near or (quiet.zone_id is not None and quiet.zone_id == event.get("zone_id")):
                return quiet
        return None

    def _count(self, quiet: Quiet, event: Row) -> None:
        self.quieted.append((event["event_id"], quiet.warning_id))
        row = self.rows.get(quiet.warning_id)
        held = None if row is None else told(row).get("quiet")
        if row is None or held is None or event["event_id"] in held["event_ids"]:
            return
        counted = {**held, "event_ids": [*held["event_ids"], event["event_id"]]}
        self._put_back(changed(row, {"quiet": counted}, "@alerts.reason_quiet"))

    # --- changing ---------------------------------------------------------------------------------------------------

    def _put_back(self, row: dict[str, Any]) -> None:
        self.rows[row["warning_id"]] = row
        situation = self.situations.get(told(row).get("situation", ""))
        if situation is not None:
            situation.rows[row["warning_id"]] = row

    def _grow(self, situation: _Situation, entry: dict[str, Any]) -> None:
        entries = sorted([*situation.entries, entry], key=lambda one: (one["from"], one["id"]))
        situation.hold(entries)
        for row in situation.live:
            new = changed(row, {"events": entries}, "@alerts.reason_joined", event_ids=_ids(entries))
            self._put_back(self._regrade(new, entries))

    def _regrade(self, row: dict[str, Any], entries: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
        """The row with what its events say now, if that is graver than what was told before: grades only rise here."""
        judged, harm = self._judge(row["class"], entries)
        weight, old = judged.probability * harm, (row["probability"] or 0.0) * (row["harm"] or 0.0)
        if weight <= old:
            return row
        before = grade_of(row["probability"] or 0.0, row["harm"] or 0.0, self.settings)
        grade = self._grade(judged, harm)
        new = changed(row, _graded(judged), row["reason"], **_numbers(judged, harm))
        # a person may have set another grade: only new evidence that crosses a cut-off moves it, and only up
        if not graver(grade, before) or not graver(grade, row["grade"]):
            return new
        due = clocks.up_to(new, self.now, self.settings)
        return {**actions.regraded(due, grade, self.now, self.settings), "reason": "@alerts.reason_graver"}

    def _judge(self, cls: str, entries: Sequence[Mapping[str, Any]]) -> tuple[Judgement, float]:
        standing = _standing(entries)
        judged = judge(
            [entry["rule"] for entry in standing],
            [entry["kind"] for entry in standing],
            [self.context.place(entry["reach"]) for entry in standing],
            self.context.book,
            self.settings,
        )
        harm = max(entry["harm"] for entry in standing)
        if cls in ("reemergence", "border"):
            harm = max(harm, float(getattr(self.settings, f"alerts_harm_{cls}")))
        return judged, harm

    def _grade(self, judged: Judgement, harm: float) -> str:
        return grade_of(judged.probability, harm, self.settings)

    def _open(self, situation: _Situation, event: Row) -> None:
        """A warning for every locality of the event that has no live one of this situation."""
        place = self.context.place(event.get("reach_id"))
        wanted = route.localities(place.adcodes or event.get("adcodes") or ())
        live = situation.live
        if live and wanted == (None,):
            return
        covered = {row.get("adcode") for row in live}
        cls = situation.base
        if live:
            cls = "border" if covered - {None} else live[0]["class"]
        elif place.watched and cls in WATCHED:
            cls = "reemergence"
        for adcode in wanted:
            if adcode not in covered:
                self._new(situation, cls, adcode, event, place)
        everybody = sorted(row["warning_id"] for row in situation.live)
        for row in situation.live:
            others = [other for other in everybody if other != row["warning_id"]]
            others = sorted({*told(row).get("with", ()), *others})
            if others != told(row).get("with", []):
                self._put_back(changed(row, {"with": others}, row.get("reason")))

    def _new(self, situation: _Situation, cls: str, adcode: str | None, event: Row, place: Place) -> None:
        entries = situation.entries
        judged, harm = self._judge(cls, entries)
        grade = self._grade(judged, harm)
        least = self.settings.alerts_coverage_grade
        if situation.base == "coverage" and graver(least, grade):
            grade = least
        evidence: dict[str, Any] = {
            "situation": situation.key,
            "base": situation.base,
            "origin": list(situation.origin),
            "events": entries,
            "river": place.river,
            "km": place.km,
            "state": place.state,
            **_graded(judged),
        }
        late = (self.now - event["started_at"]) / HOUR_MS
        if late > self.settings.alerts_late_h:
            evidence["late_h"] = round(late, 2)
        id_ = warning_id(cls, event["event_id"], adcode)
        self.new.append(id_)
        row = fresh(id_, cls, grade, event.get("reach_id"), adcode, place, self.now, self.settings)
        if event.get("lon") is not None and event.get("lat") is not None:
            row |= {"lon": event["lon"], "lat": event["lat"]}
        live = situation.live
        rule = live[0]["rule"] if live else event["rule"]  # the merit is that of the rule that found it
        row |= {"event_ids": _ids(entries), "rule": rule, **_numbers(judged, harm)}
        row |= {"evidence": written(evidence), "reason": "@alerts.reason_late" if "late_h" in evidence else None}
        situation.rows[id_] = row
        self._put_back(row)

    def _keep_up(self, situation: _Situation, event: Row) -> None:
        """An event that a situation already stands on has changed, was withdrawn, or stands again."""
        for _, row in sorted(situation.rows.items()):
            evidence = told(row)
            at = next((i for i, entry in enumerate(evidence["events"]) if entry["id"] == event["event_id"]), None)
            if at is None:
                continue
            entry = _entry(event, evidence["events"][at]["harm"])
            if entry == evidence["events"][at]:
                continue
            entries = [*evidence["events"]]
            entries[at] = entry
            new = changed(row, {"events": entries}, "@alerts.reason_event_changed", event_ids=_ids(entries))
            if not _standing(entries):
                new = self._fallen(new)
            elif evidence.get("fallen"):
                new = self._risen(new)
            self._put_back(new)
            if new["state"] in LIVE:
                situation.hold(entries)
                if all(situation is not other for other in self.joinable.setdefault(situation.base, [])):
                    self.joinable[situation.base].append(situation)

    def _fallen(self, row: dict[str, Any]) -> dict[str, Any]:
        """No event stands any more: recalled where nobody has signed, else told in the evidence."""
        row = changed(row, {"fallen": self.now}, "@alerts.reason_fallen")
        if row["state"] != "open":
            return row
        due = clocks.up_to(row, self.now, self.settings)
        return changed(due, {"recalled_at": self.now}, "@alerts.reason_fallen", state="recalled")

    def _risen(self, row: dict[str, Any]) -> dict[str, Any]:
        """An event stands again: a warning that was recalled for want of one is open again, with a fresh clock."""
        evidence = told(row)
        again = row["state"] == "recalled" and "recalled_by" not in evidence
        for name in ("fallen", *(("recalled_at", "overdue_at") if again else ())):
            evidence.pop(name, None)
        new = {**row, "evidence": written(evidence)}
        if not again:
            return new
        return {
            **new,
            "state": "open",
            "level": route.level(row.get("adcode")),
            "sign_by": self.now + clocks.sign_ms(row["grade"], self.settings),
            "reason": "@alerts.reason_risen",
        }

    def raised(self) -> Raised:
        rows = [row for id_, row in self.rows.items() if id_ not in self.before or _differs(row, self.before[id_])]
        rows.sort(key=lambda row: (row["opened_at"], row["warning_id"]))
        return Raised(rows, tuple(sorted(self.new)), tuple(self.quieted))


def _end(moment: int | None, now: int) -> int:
    return now if moment is None else int(moment)


def _entry(event: Row, harm: float) -> dict[str, Any]:
    """What a warning keeps of an event."""
    return {
        "id": event["event_id"],
        "kind": event["kind"],
        "rule": event["rule"],
        "version": event["rule_version"],
        "state": event["state"],
        "from": event["started_at"],
        "to": event.get("ended_at"),
        "units": sorted(event["unit_ids"]),
        "reach": event.get("reach_id"),
        "zone": event.get("zone_id"),
        "harm": harm,
        **({"why": event.get("reason")} if event["state"] == "withdrawn" else {}),
    }


def _standing(entries: Iterable[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    return [entry for entry in entries if entry["state"] != "withdrawn"]


def _ids(entries: Sequence[Mapping[str, Any]]) -> tuple[str, ...]:
    """The events a warning stands on; once none stands, those it stood on."""
    return tuple(entry["id"] for entry in (_standing(entries) or entries))


def _numbers(judged: Judgement, harm: float) -> dict[str, float]:
    return {
        "probability": judged.probability,
        "probability_lo": judged.lo,
        "probability_hi": judged.hi,
        "harm": harm,
    }


def _graded(judged: Judgement) -> dict[str, Any]:
    return {"raw": judged.raw, "rest": judged.rest, "calibrated": judged.calibrated, "parts": dict(judged.parts)}


def _differs(new: Row, old: Row) -> bool:
    return any(_plain(new[name]) != _plain(old.get(name)) for name in new if name != "reason")


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, list | tuple) else value
