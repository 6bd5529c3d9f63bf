"""Commands of the loop: feeds, events, warnings, rules, taskings."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
import typer

from geo_monitor.cli import people
from geo_monitor.cli.console import console, one_of
from geo_monitor.errors import GeoMonitorError, Usage
from geo_monitor.messages import worded
from geo_monitor.tables import TIMEZONE
from geo_monitor.times import moment

if TYPE_CHECKING:
    from geo_monitor.loop.watch import Watch

START_S = 60.0  # seconds a watch waits for a database that cannot be reached when it starts
Json = Annotated[bool, typer.Option("--json")]


def watch(
    feed: Annotated[str, typer.Argument(metavar="FEED")],
    clock: Annotated[str, typer.Option("--clock")] = "wall",
    until_idle: Annotated[float | None, typer.Option("--until-idle")] = None,
    agency: Annotated[str | None, typer.Option("--agency")] = None,
    role: Annotated[str | None, typer.Option("--role")] = None,
    as_json: Json = False,
) -> None:
    from geo_monitor.loop.watch import Watch

    console.json |= as_json
    one_of("--clock", clock, ("event", "wall"))
    one_of("--role", role, ("patrol", "traffic"))
    if until_idle is not None and not until_idle > 0:
        raise Usage("option_value", option="--until-idle", value=f"{until_idle:g}", allowed="> 0")

    def say(code: str, params: dict[str, Any]) -> None:
        console.say(f"{datetime.now():%H:%M:%S} {console(code, **params)}")

    watching = _begun(
        lambda: Watch(
            people.opened(),
            feed,
            event_clock=clock == "event",
            until_idle=until_idle,
            agency=agency,
            role=role,
            say=say,
        ),
        say,
    )
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: watching.stop())
    console.say(console("watch.begun", feed=watching.done.feed))
    done = watching.run().to_json()
    lines = [
        console("watch.done", feed=done["feed"], stored=done["stored"], repeated=done["repeated"]),
        console("watch.found", events=done["events"], warnings=done["warnings"]),
    ]
    lines += [f"  {console(code)}: {count}" for code, count in sorted(done["refused"].items())]
    console.result(done, lines)


def _begun(begin: Callable[[], Watch], say: Callable[[str, dict[str, Any]], None]) -> Watch:
    """The watch, tried again for `START_S` while the database cannot be reached: a server may be starting, too."""
    end, told = time.monotonic() + START_S, False
    while True:
        try:
            return begin()
        except GeoMonitorError as error:
            if error.code != "database_unreachable" or time.monotonic() > end:
                raise
            if not told:
                say(error.code, dict(error.params))
            told = True
            time.sleep(1.0)


def detect(
    start: Annotated[str | None, typer.Option("--from")] = None,
    end: Annotated[str | None, typer.Option("--to")] = None,
    as_json: Json = False,
) -> None:
    console.json |= as_json
    done = people.opened().detect(start, end, datetime.now(UTC))
    told = {name: done[name] for name in ("fixes", "units", "events", "new", "revised", "withdrawn")}
    lines = [console("detect.done", **told)]
    lines += [f"  {console(f'event.{kind}')}: {count}" for kind, count in sorted(done["kinds"].items())]
    if done["warnings"]:
        lines.append(console("detect.warnings", warnings=done["warnings"]))
    if "judged_from" in done:
        lines.append(console("note", message=console("detect.judged_from", first=done["judged_from"])))
    console.result(done, lines)


# --- warnings -------------------------------------------------------------------------------------------------------

warnings = typer.Typer(no_args_is_help=True)
rules = typer.Typer(no_args_is_help=True)
taskings = typer.Typer(no_args_is_help=True)
Id = Annotated[str, typer.Argument(metavar="ID")]
Reason = Annotated[str | None, typer.Option("--reason")]


def _plain(row: Any) -> dict[str, Any]:
    """A row as JSON holds it: times in ISO 8601 with +08:00."""
    import pandas as pd

    told: dict[str, Any] = {}
    for name, value in dict(row).items():
        if isinstance(value, np.generic):
            value = value.item()
        if isinstance(value, pd.Timestamp):
            told[name] = None if pd.isna(value) else value.tz_convert(TIMEZONE).isoformat(timespec="seconds")
        elif isinstance(value, float):
            told[name] = None if np.isnan(value) else value
        elif isinstance(value, list | tuple | np.ndarray):
            told[name] = list(value)
        else:
            told[name] = None if value is pd.NaT else value
    return told


def _frame(name: str, frame: Any, line: Any) -> None:
    rows = [_plain(row) for row in frame.to_dict("records")]
    console.result({name: rows}, [line(row) for row in rows] or [console(f"{name}.none")])


def _shown(table: str, row: dict[str, Any], done: str) -> None:
    """A row that was changed, as `--json` gives it, or a sentence."""
    from geo_monitor.store import revisions

    told = _plain(revisions.as_frame(table, row).iloc[0])
    words = {"warnings": "alerts.state_", "taskings": "tasking.state.", "rules": "alerts.rule_"}[table]
    state = console(words + row["state"])
    console.result(told, [console(done, id=str(next(iter(row.values()))), state=state)])


@warnings.command("list")
def warnings_list(every: Annotated[bool, typer.Option("--all")] = False, as_json: Json = False) -> None:
    console.json |= as_json
    desk = people.opened().desk
    frame = desk.queue(desk.now(), every)

    def line(row: dict[str, Any]) -> str:
        told = {name: console(f"alerts.{name}_{row[name]}") for name in ("grade", "class", "level")}
        state = console(f"alerts.state_{row['state']}")
        left = "" if row["left_s"] is None else _clock(row["left_s"])
        where = row["reach_id"] or f"{row['lon']}, {row['lat']}"
        return f"{row['warning_id']}  {told['grade']}  {told['class']}  {state}  {told['level']} {row['adcode'] or '-'}  {where}  {left}"

    _frame("warnings", frame, line)


def _clock(seconds: float) -> str:
    """Time left, or how long overdue, as h:mm:ss.

    >>> _clock(3723.4), _clock(-61)
    ('1:02:03', '-0:01:01')
    """
    whole = abs(int(seconds))
    return f"{'-' if seconds < 0 else ''}{whole // 3600}:{whole // 60 % 60:02d}:{whole % 60:02d}"


@warnings.command("sign")
def warnings_sign(warning: Id, as_json: Json = False) -> None:
    console.json |= as_json
    desk = people.opened().desk
    _shown("warnings", desk.sign(warning, desk.now()), "warnings.done")


@warnings.command("verify")
def warnings_verify(
    warning: Id, note: Annotated[str | None, typer.Option("--note")] = None, as_json: Json = False
) -> None:
    console.json |= as_json
    desk = people.opened().desk
    _shown("warnings", desk.verify(warning, desk.now(), note), "warnings.done")


@warnings.command("who")
def warnings_who(
    warning: Id, need: Annotated[list[str] | None, typer.Option("--need")] = None, as_json: Json = False
) -> None:
    console.json |= as_json
    desk = people.opened().desk
    frame = desk.candidates(warning, desk.now(), need or ())
    frame = frame.assign(seconds=frame["seconds"].where(np.isfinite(frame["seconds"].astype(float))))

    def line(row: dict[str, Any]) -> str:
        if row["seconds"] is None:
            return f"{row['unit_id']}  -  {console('dispatch.reason.' + row['reason'])}"
        minutes = (row["seconds"] + (row["mobilise_s"] or 0)) / 60
        why = "" if row["reason"] is None else console("dispatch.reason." + row["reason"])
        return f"{row['unit_id']}  {minutes:.0f} min  {row['distance_m'] / 1000:.1f} km  {why}"

    _frame("units", frame, line)


@warnings.command("dispatch")
def warnings_dispatch(
    warning: Id,
    unit: Annotated[str | None, typer.Option("--unit")] = None,
    none: Annotated[str | None, typer.Option("--none")] = None,
    as_json: Json = False,
) -> None:
    console.json |= as_json
    if (unit is None) == (none is None):
        raise Usage("dispatch_unit_or_none")
    desk = people.opened().desk
    row = (
        desk.dispatch(warning, unit, desk.now()) if unit is not None else desk.no_unit(warning, none or "", desk.now())
    )
    _shown("taskings", row, "taskings.done")


@warnings.command("close")
def warnings_close(
    warning: Id,
    outcome: Annotated[str | None, typer.Option("--outcome")] = None,
    reason: Reason = None,
    as_json: Json = False,
) -> None:
    console.json |= as_json
    desk = people.opened().desk
    _shown("warnings", desk.close(warning, outcome, desk.now(), reason), "warnings.done")


@warnings.command("recall")
def warnings_recall(warning: Id, reason: Reason = None, as_json: Json = False) -> None:
    console.json |= as_json
    desk = people.opened().desk
    _shown("warnings", desk.recall(warning, reason, desk.now()), "warnings.done")


@warnings.command("regrade")
def warnings_regrade(
    warning: Id, grade: Annotated[str, typer.Option("--grade")], reason: Reason = None, as_json: Json = False
) -> None:
    console.json |= as_json
    desk = people.opened().desk
    _shown("warnings", desk.regrade(warning, grade, reason, desk.now()), "warnings.done")


@warnings.command("silence")
def warnings_silence(
    warning: Id, until: Annotated[str, typer.Option("--until")], reason: Reason = None, as_json: Json = False
) -> None:
    console.json |= as_json
    desk = people.opened().desk
    row = desk.silence(warning, moment(until), reason, desk.now())
    _shown("warnings", row, "warnings.done")


@warnings.command("counts")
def warnings_counts(as_json: Json = False) -> None:
    console.json |= as_json
    desk = people.opened().desk
    by, rates = desk.counts(), desk.hit_rates()
    told = {
        name: [_plain(row) for row in frame.to_dict("records")] for name, frame in (("counts", by), ("grades", rates))
    }
    lines = [
        f"{row['adcode'] or '-'}  {row['month']}  {console('alerts.grade_' + row['grade'])}  {row['raised']}"
        for row in told["counts"]
    ]
    console.result(told, lines or [console("warnings.none")])


# --- rules ----------------------------------------------------------------------------------------------------------


def _tested(found: Any) -> list[str]:
    told = found.told()
    lines = [] if found.areas is None else [console("rule.own_waters")]
    lines += [
        console("rule.tested", days=f"{told['days']:.0f}", events=told["events"], warnings=told["warnings"],
                per_day=f"{told['per_day']:.2f}", worst=told["worst_day"])
    ]  # fmt: skip
    if told["cases"]:
        lines.append(
            console("rule.caught", caught=told["caught"], cases=told["cases"], chance=f"{told['by_chance']:.1f}",
                    lo=f"{100 * told['share_lo']:.0f}", hi=f"{100 * told['share_hi']:.0f}")
        )  # fmt: skip
    lines += [f"  {reach}: {count}" for reach, count in told["places"]]
    return lines


@rules.command("list")
def rules_list(as_json: Json = False) -> None:
    console.json |= as_json
    desk = people.opened().desk
    frame = desk.rules().merge(desk.yields(), on="rule", how="left", suffixes=("", "_yield"))
    falling = set(desk.falling(desk.now())["rule"])
    frame = frame.assign(falling=frame["rule"].isin(falling))

    def line(row: dict[str, Any]) -> str:
        mark = f"  {console('rule.falling')}" if row["falling"] else ""
        return f"{row['rule']}  v{row['version']}  {console('alerts.rule_' + row['state'])}  {row['expires_at'] or '-'}{mark}"

    _frame("rules", frame, line)


@rules.command("test")
def rules_test(file: Annotated[Path, typer.Argument(metavar="FILE")], as_json: Json = False) -> None:
    console.json |= as_json
    with console.progress() as tell:
        found = people.opened().desk.test_rule(_read(file), datetime.now(UTC), tell)
    console.result(found.told(), _tested(found))


@rules.command("add")
def rules_add(file: Annotated[Path, typer.Argument(metavar="FILE")], as_json: Json = False) -> None:
    console.json |= as_json
    with console.progress() as tell:
        row, found = people.opened().desk.propose(_read(file), datetime.now(UTC), tell)
    lines = [console(f"rule.now.{row['state']}", rule=row["rule"], version=row["version"]), *_tested(found)]
    console.result(
        {"rule": row["rule"], "version": row["version"], "state": row["state"], "backtest": found.told()}, lines
    )


@rules.command("approve")
def rules_approve(rule: Annotated[str, typer.Argument(metavar="RULE")], as_json: Json = False) -> None:
    console.json |= as_json
    _shown("rules", people.opened().desk.approve(rule, datetime.now(UTC)), "rules.done")


@rules.command("renew")
def rules_renew(
    rule: Annotated[str, typer.Argument(metavar="RULE")],
    days: Annotated[int | None, typer.Option("--days")] = None,
    reason: Reason = None,
    as_json: Json = False,
) -> None:
    console.json |= as_json
    _shown("rules", people.opened().desk.renew(rule, datetime.now(UTC), days, reason), "rules.done")


@rules.command("retire")
def rules_retire(
    rule: Annotated[str, typer.Argument(metavar="RULE")], reason: Reason = None, as_json: Json = False
) -> None:
    console.json |= as_json
    _shown("rules", people.opened().desk.retire(rule, reason, datetime.now(UTC)), "rules.done")


def _read(file: Path) -> str:
    if not file.is_file():
        raise Usage("file_missing", file=str(file))
    return file.read_text(encoding="utf-8", errors="replace")


# --- taskings -------------------------------------------------------------------------------------------------------


@taskings.command("list")
def taskings_list(every: Annotated[bool, typer.Option("--all")] = False, as_json: Json = False) -> None:
    console.json |= as_json
    frame = people.opened().desk.taskings(running=not every)

    def line(row: dict[str, Any]) -> str:
        state = console(f"tasking.state.{row['state']}")
        why = "" if row["state"] != "recalled" else f"  {worded(row['reason'], console.lang)}  {row['text'] or ''}"
        return (
            f"{row['tasking_id']}  {row['warning_id']}  {row['unit_id'] or '-'}  {state}  {row['due_at'] or '-'}{why}"
        )

    _frame("taskings", frame, line)


def _step(action: str) -> Any:
    def step(
        tasking: Id,
        outcome: Annotated[str | None, typer.Option("--outcome")] = None,
        words: Annotated[str | None, typer.Option("--words")] = None,
        report: Annotated[str | None, typer.Option("--report")] = None,
        as_json: Json = False,
    ) -> None:
        console.json |= as_json
        desk = people.opened().desk
        row = desk.act(tasking, action, desk.now(), outcome=outcome, words=words, report_id=report)
        _shown("taskings", row, "taskings.done")

    return step


for _action in ("accept", "decline", "depart", "arrive", "finish"):
    taskings.command(_action)(_step(_action))


def join(app: typer.Typer) -> None:
    """Adds these commands to the program."""
    app.command("watch")(watch)
    app.command("detect")(detect)
    app.add_typer(warnings, name="warnings")
    app.add_typer(rules, name="rules")
    app.add_typer(taskings, name="taskings")
