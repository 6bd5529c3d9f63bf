"""What people do: sign, verify, send somebody, close, recall; propose and approve rules; tell how a tasking goes.

Every act is judged on the newest revision, written as a new one with who and why, and noted in the audit book. The right
to it is asked of the viewer, and a warning that the viewer does not see is not there.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import sqlalchemy as sql

from geo_monitor.alerts import actions, grade, written
from geo_monitor.alerts import rules as rulebook
from geo_monitor.alerts.backtest import Backtest
from geo_monitor.alerts.counts import counts, falling, yields
from geo_monitor.alerts.rows import LIVE
from geo_monitor.dispatch import taskings
from geo_monitor.dispatch.candidates import OPEN, candidates
from geo_monitor.dispatch.water import Conditions, Place, waterway
from geo_monitor.errors import Usage
from geo_monitor.loop.ground import Ground, shared
from geo_monitor.loop.rows import place_of, tasking_of
from geo_monitor.loop.warnings import called_off, settle
from geo_monitor.stages import Tell, silent
from geo_monitor.store import expire, live, positions, revisions
from geo_monitor.store.database import milliseconds
from geo_monitor.store.schema import SQL
from geo_monitor.times import utc
from geo_monitor.tracks import DAY_MS

if TYPE_CHECKING:
    import pandas as pd

    from geo_monitor.workspace import Workspace

HEARD_MS = DAY_MS  # a unit heard since then may be sent
COLUMNS = ("unit_id", "time", "lon", "lat", "platform", "role")


class Desk:
    """The desk of one viewer of a workspace. Moments `now` are datetimes with a zone."""

    def __init__(self, workspace: Workspace) -> None:
        self._store, self._seen, self._settings = workspace._store, workspace.store, workspace.settings
        self.viewer = workspace.viewer

    @property
    def replayed_to(self) -> datetime | None:
        """Where the clock of a replayed night (`watch --clock event`) stands; None: time is that of the wall."""
        held = live.clock(self._store)
        return None if held is None else utc(held)

    def now(self) -> datetime:
        """The moment at which warnings and taskings are acted upon: by the wall, or by the clock of a replay. Rules go by
        the wall."""
        return self.replayed_to or datetime.now(UTC)

    # --- looking ----------------------------------------------------------------------------------------------------

    def queue(self, now: datetime, every: bool = False) -> pd.DataFrame:
        """Warnings that wait for somebody (`every`: closed and recalled ones too), by their clock: the newest revisions,
        with due_at (sign_by or report_by), left_s (seconds until then, negative when overdue)."""
        import pandas as pd

        of = SQL["warnings"]
        frame = self._seen.revised("warnings", None if every else of.c.state.in_(LIVE))
        due = frame["sign_by"].where(frame["state"] == "open", frame["report_by"])
        left = (due - pd.Timestamp(now)).dt.total_seconds()
        done = ~frame["state"].isin(LIVE)
        frame = frame.assign(due_at=due.mask(done), left_s=left.mask(done))
        return frame.sort_values(["left_s", "opened_at"], kind="stable").reset_index(drop=True)

    def warning(self, warning_id: str) -> dict[str, Any]:
        """The newest revision of a warning, as plain values. Raises `Usage("warning_unknown")`."""
        found = self._seen.revised("warnings", SQL["warnings"].c.warning_id == warning_id)
        if not len(found):
            raise Usage("warning_unknown", warning_id=warning_id)
        return revisions.of_ids(self._store, "warnings", [warning_id])[warning_id]

    def history(self, warning_id: str) -> pd.DataFrame:
        """Every revision of a warning, oldest first. Raises as `warning`."""
        self.warning(warning_id)
        return self._seen.revised("warnings", SQL["warnings"].c.warning_id == warning_id, every=True)

    def events(self, warning_id: str) -> pd.DataFrame:
        """The events a warning stands on. Raises as `warning`."""
        ids = list(self.warning(warning_id)["event_ids"])
        return self._seen.revised("events", SQL["events"].c.event_id.in_(ids))

    def taskings(self, warning_id: str | None = None, running: bool = False) -> pd.DataFrame:
        """Taskings of a warning or of all; `running`: those not at their end, and those recalled in the last
        `taskings.RECALLED_MS`, of which crews must hear."""
        of = SQL["taskings"]
        where: Any = sql.true()
        if warning_id is not None:
            where &= of.c.warning_id == warning_id
        if running:
            since = milliseconds(self.now()) - taskings.RECALLED_MS
            where &= of.c.state.in_(OPEN) | ((of.c.state == "recalled") & (of.c.ended_at >= since))
        return self._seen.revised("taskings", where)

    def hit_rates(self) -> pd.DataFrame:
        """What each grade was worth, beside its cut-off (`alerts.grade.hit_rates`), over the whole workspace."""
        self.viewer.needs("read")
        return grade.hit_rates(revisions.rows(self._store, "warnings"), self._settings)

    # --- warnings ---------------------------------------------------------------------------------------------------

    def sign(self, warning_id: str, now: datetime) -> dict[str, Any]:
        """Signs for a warning. Raises as `actions.sign`."""
        row, moment = self._asked(warning_id, now)
        return self._told(actions.sign(row, self.viewer.account, moment, self._areas, self._settings), moment, "sign")

    def verify(self, warning_id: str, now: datetime, note: str | None = None) -> dict[str, Any]:
        """Somebody saw that it is so. Raises as `actions.verify`."""
        row, moment = self._asked(warning_id, now)
        return self._told(actions.verify(row, self.viewer.account, moment, note, self._settings), moment, "verify")

    def close(self, warning_id: str, outcome: str | None, now: datetime, reason: str | None = None) -> dict[str, Any]:
        """Closes a warning with what was found; who was sent is called off. Raises as `actions.close`."""
        row, moment = self._asked(warning_id, now)
        new = actions.close(row, self.viewer.account, moment, outcome, reason, self._settings)
        return self._told(new, moment, "close")

    def recall(self, warning_id: str, reason: str | None, now: datetime) -> dict[str, Any]:
        """Takes a warning back; who was sent is called off. Raises as `actions.recall`."""
        row, moment = self._asked(warning_id, now)
        return self._told(actions.recall(row, self.viewer.account, moment, reason, self._settings), moment, "recall")

    def regrade(self, warning_id: str, to: str, reason: str | None, now: datetime) -> dict[str, Any]:
        """Gives a warning another grade. Raises as `actions.regrade`."""
        row, moment = self._asked(warning_id, now)
        new = actions.regrade(row, self.viewer.account, moment, to, reason, self._settings)
        return self._told(new, moment, "regrade")

    def silence(
        self, warning_id: str, until: datetime, reason: str | None, now: datetime, zone_id: str | None = None
    ) -> dict[str, Any]:
        """Nothing more of this kind from this place until then. Raises as `actions.silence`."""
        row, moment = self._asked(warning_id, now)
        end = milliseconds(until)
        new = actions.silence(row, self.viewer.account, moment, end, reason, zone_id, self._settings)
        return self._told(new, moment, "silence")

    @property
    def _areas(self) -> Sequence[str] | None:
        return None if self.viewer.everywhere else self.viewer.adcodes

    def _asked(self, warning_id: str, now: datetime) -> tuple[dict[str, Any], int]:
        self.viewer.needs("command")
        return self.warning(warning_id), milliseconds(now)

    def _told(self, row: dict[str, Any], now: int, action: str) -> dict[str, Any]:
        off = called_off(self._store, row, now, self.viewer.account, row["reason"])
        revisions.together(self._store, {"warnings": [row], "taskings": off}, now, self.viewer.account, action)
        return revisions.of_ids(self._store, "warnings", [row["warning_id"]])[row["warning_id"]]

    # --- dispatch ---------------------------------------------------------------------------------------------------

    def candidates(self, warning_id: str, now: datetime, need: Sequence[str] = (), urgent: bool = True) -> pd.DataFrame:
        """Who can be at a warning's place first (`dispatch.candidates`). Raises as `warning`, `Usage("warning_nowhere")`."""
        import pandas as pd

        row, ground = self.warning(warning_id), self._ground()
        place, moment = place_of(row, ground), milliseconds(now)
        held = self._seen.positions(
            None, expire.since(self._seen, moment - HEARD_MS), None, list(COLUMNS), encoded=True
        )
        fixes = positions.last(held).to_pandas()
        patrols = held.filter(pc.equal(held["role"].cast(pa.string()), "patrol"))["unit_id"]
        known = self._seen.records("units")
        others = sorted(set(pc.unique(patrols).to_pylist()) - set(known["unit_id"]))
        units = known.drop_duplicates("unit_id", keep="last")
        if others:
            units = pd.concat([units, pd.DataFrame({"unit_id": others})], ignore_index=True)
        fixes = fixes.assign(platform=fixes["platform"].fillna("boat"))  # as everywhere, one that tells none is a boat
        busy = {
            row["unit_id"]
            for row in revisions.rows(self._store, "taskings", SQL["taskings"].c.state.in_(OPEN))
            if row["unit_id"]
        }
        return candidates(
            place, units, fixes, busy, ground.network, Conditions(), self._settings, moment, need=need, urgent=urgent
        )

    def way(self, warning_id: str, unit_id: str, now: datetime) -> np.ndarray:
        """The way of a boat to a warning's place by water, lon, lat (m, 2); empty where it does not come by water."""
        import pandas as pd

        found = self.candidates(warning_id, now)
        row = found[(found["unit_id"] == unit_id) & (found["how"] == "water")]
        if not len(row) or not pd.notna(row["lon"].iloc[0]):
            return np.empty((0, 2))
        ground = self._ground()
        start = Place.at(ground.network, float(row["lon"].iloc[0]), float(row["lat"].iloc[0]))
        seconds = float(row["seconds"].iloc[0])
        speed = float(row["distance_m"].iloc[0]) / seconds if seconds > 0 else 1.0
        graph = waterway(ground.network, Conditions())
        way = graph.way(start.reach, start.km, place_of(self.warning(warning_id), ground), max(speed, 0.1))
        return np.empty((0, 2)) if way is None else way.line

    def dispatch(self, warning_id: str, unit_id: str, now: datetime) -> dict[str, Any]:
        """Sends a unit: a tasking is offered, the warning is dispatched. One that nobody has signed is signed by it.
        Raises as `sign`, `actions.dispatch`, `Usage("unit_cannot_come")`."""
        row, moment = self._asked(warning_id, now)
        found = self.candidates(warning_id, now)
        mine = found[found["unit_id"] == unit_id]
        if not len(mine) or not np.isfinite(float(mine["seconds"].fillna(np.inf).iloc[0])):
            reason = f"@dispatch.reason.{mine['reason'].iloc[0]}" if len(mine) else "@unit_unknown_there"
            raise Usage("unit_cannot_come", unit=unit_id, reason=reason)
        eta = moment + round(1000 * float(mine["seconds"].iloc[0] + mine["mobilise_s"].iloc[0]))
        tasking = taskings.offer(warning_id, unit_id, moment, taskings.due(eta, self._settings))
        steps = []
        if row["state"] == "open":
            steps.append(actions.sign(row, self.viewer.account, moment, self._areas, self._settings))
            row = {**steps[0], "revision": row["revision"] + 1}
        steps.append(actions.dispatch(row, self.viewer.account, moment, self._settings))
        both = {"taskings": [asdict(tasking)], "warnings": steps}
        revisions.together(self._store, both, moment, self.viewer.account, "dispatch")
        return revisions.of_ids(self._store, "taskings", [tasking.tasking_id])[tasking.tasking_id]

    def no_unit(self, warning_id: str, why: str, now: datetime) -> dict[str, Any]:
        """Nobody can be sent: kept and counted, with the reason. Raises `Refused`: `tasking_why_missing`,
        `warning_state_wrong` where it is closed or recalled."""
        row, moment = self._asked(warning_id, now)
        actions.still(row, "alerts.action_dispatch")
        tasking = taskings.no_unit(warning_id, moment, why, self.viewer.account)
        both = {"taskings": [asdict(tasking)], "warnings": [row]}  # the warning only so that it is still what it was
        revisions.together(self._store, both, moment, self.viewer.account, "task")
        settle(self._store, [warning_id], self.viewer.account, moment, self._settings)
        return revisions.of_ids(self._store, "taskings", [tasking.tasking_id])[tasking.tasking_id]

    def act(
        self,
        tasking_id: str,
        action: str,
        now: datetime,
        *,
        outcome: str | None = None,
        words: str | None = None,
        report_id: str | None = None,
    ) -> dict[str, Any]:
        """How a tasking goes: accept, decline (with `words`), depart, arrive, finish (with an outcome). Raises as
        `taskings.act`, `Usage("tasking_unknown")`, `Refused("warning_state_wrong")` where its warning is closed or
        recalled."""
        self.viewer.needs("command")
        moment = milliseconds(now)
        found = self._seen.revised("taskings", SQL["taskings"].c.tasking_id == tasking_id)
        if not len(found):
            raise Usage("tasking_unknown", tasking_id=tasking_id)
        row = revisions.of_ids(self._store, "taskings", [tasking_id])[tasking_id]
        result = taskings.Result(outcome, words, report_id) if outcome is not None else None
        new = taskings.act(
            tasking_of(row), action, moment, self.viewer.account, result, why=words, speaks_for=[row["unit_id"] or ""]
        )
        actions.still(self.warning(row["warning_id"]), f"tasking.action.{action}")
        changed = {**asdict(new), "revision": row["revision"]}
        revisions.revise(self._store, "taskings", [changed], moment, self.viewer.account, action)
        settle(self._store, [row["warning_id"]], self.viewer.account, moment, self._settings)
        return revisions.of_ids(self._store, "taskings", [tasking_id])[tasking_id]

    # --- counting -----------------------------------------------------------------------------------------------------

    def counts(self) -> pd.DataFrame:
        """Warnings that the viewer sees, counted by locality, month and grade (`alerts.counts.counts`)."""
        seen = set(self._seen.revised("warnings")["warning_id"])
        held = [row for row in revisions.rows(self._store, "warnings") if row["warning_id"] in seen]
        return counts(held, revisions.rows(self._store, "taskings"))

    def yields(self, by_month: bool = False) -> pd.DataFrame:
        """What each rule is worth (`alerts.counts.yields`), over the whole workspace."""
        self.viewer.needs("read")
        rules, warnings, sent = (revisions.rows(self._store, name) for name in ("rules", "warnings", "taskings"))
        return yields(rules, warnings, sent, by_month, self._settings)

    def falling(self, now: datetime) -> pd.DataFrame:
        """Rules whose yield fell (`alerts.counts.falling`)."""
        self.viewer.needs("read")
        return falling(revisions.rows(self._store, "warnings"), milliseconds(now), self._settings)

    # --- rules --------------------------------------------------------------------------------------------------------

    def rules(self, every: bool = False) -> pd.DataFrame:
        """Rules, the newest revision of each (`every`: all)."""
        return self._seen.revised("rules", every=every)

    def test_rule(self, given: str, now: datetime, tell: Tell = silent) -> Backtest:
        """What a rule (YAML) would have done on the last `rule_backtest_days` of stored fixes, as far as the viewer sees
        it; nothing is kept. Raises as `alerts.rules.propose`, `Usage("rule_no_history")`."""
        self.viewer.needs("rules")
        found, _ = self._tested(self._proposal(given, now), tell)
        # tried again and again with own waters to make up the rest, the cap would count the warnings of others
        return replace(found, over_cap=False)

    def propose(self, given: str, now: datetime, tell: Tell = silent) -> tuple[dict[str, Any], Backtest]:
        """Proposes a rule (YAML) with its back-test beside it; under the daily cap it comes in force at once, above it a
        second person must `approve`. The cap is on what it raises anywhere, as it holds for everybody. Raises as
        `test_rule`, `alerts.rules.approve`."""
        self.viewer.needs("rules")
        moment, who = milliseconds(now), self.viewer.account
        row = self._proposal(given, now)
        found, whole = self._tested(row, tell)
        found.check(self._settings)
        whole.check(self._settings, exact=self.viewer.everywhere)
        row = {**row, "backtest": json.dumps(found.told(), ensure_ascii=False)}
        steps = [row]
        if whole.per_day <= self._settings.alerts_cap_day:
            proposed = {**row, "revision": (row.get("revision") or 0) + 1}
            steps.append(rulebook.approve(proposed, found, who, moment, self._settings))
        revisions.revise(self._store, "rules", steps, moment, who, "rule")
        return self._shown(row["rule"]), found

    def approve(self, name: str, now: datetime) -> dict[str, Any]:
        """A second person puts a proposed rule in force. Raises as `alerts.rules.approve`, `Usage("rule_unknown")`."""
        row = self._rule(name)
        held = Backtest.from_told(json.loads(row["backtest"])) if row["backtest"] else self._tested(row, silent)[0]
        return self._ruled(rulebook.approve(row, held, self.viewer.account, milliseconds(now), self._settings), now)

    def renew(self, name: str, now: datetime, days: int | None = None, reason: str | None = None) -> dict[str, Any]:
        """A rule in force holds on. Raises as `alerts.rules.renew`, `Usage("rule_unknown")`."""
        row, moment = self._rule(name), milliseconds(now)
        return self._ruled(rulebook.renew(row, self.viewer.account, moment, days, reason, self._settings), now)

    def retire(self, name: str, reason: str | None, now: datetime) -> dict[str, Any]:
        """Takes a rule out of force, or drops a proposal (the rule is then what it was before). Raises as
        `alerts.rules.retire`, `Usage("rule_unknown")`."""
        row, moment = self._rule(name), milliseconds(now)
        if row["state"] == "proposed":
            return self._ruled(rulebook.drop(self._revisions(name), self.viewer.account, moment, reason), now)
        return self._ruled(rulebook.retire(row, self.viewer.account, moment, reason), now)

    def _proposal(self, given: str, now: datetime) -> dict[str, Any]:
        held = self._revisions(written.read(given, self._settings).rule)
        return rulebook.propose(given, self.viewer.account, milliseconds(now), held, self._settings)

    def _revisions(self, name: str) -> list[dict[str, Any]]:
        return revisions.rows(self._store, "rules", SQL["rules"].c.rule == name, every=True)

    def _rule(self, name: str) -> dict[str, Any]:
        self.viewer.needs("rules")
        held = revisions.of_ids(self._store, "rules", [name])
        if name not in held:
            raise Usage("rule_unknown", rule=name)
        return held[name]

    def _ruled(self, row: dict[str, Any], now: datetime) -> dict[str, Any]:
        revisions.revise(self._store, "rules", [row], milliseconds(now), self.viewer.account, "rule")
        return self._shown(row["rule"])

    def _shown(self, name: str) -> dict[str, Any]:
        row = self._rule(name)
        return {**row, "backtest": self._seen.backtest(row["backtest"])}

    def _tested(self, row: dict[str, Any], tell: Tell) -> tuple[Backtest, Backtest]:
        from geo_monitor.loop import batch

        tell("backtest", 0.0)
        return batch.backtest(self._store, self._seen, self._settings, row, self._ground(), tell)

    def _ground(self) -> Ground:
        return shared(self._store, self._settings)
