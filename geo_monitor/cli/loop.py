"""Commands of the loop: feeds, events, warnings, rules, taskings."""

from __future__ import annotations

import signal
from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from geo_monitor.cli import people
from geo_monitor.cli.console import console
from geo_monitor.errors import Usage

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
    for option, value, allowed in (("--clock", clock, ("event", "wall")), ("--role", role, ("patrol", "traffic"))):
        if value is not None and value not in allowed:
            raise Usage("option_value", option=option, value=value, allowed=", ".join(allowed))
    if until_idle is not None and not until_idle > 0:
        raise Usage("option_value", option="--until-idle", value=f"{until_idle:g}", allowed="> 0")

    def say(code: str, params: dict[str, Any]) -> None:
        console.say(f"{datetime.now():%H:%M:%S} {console(code, **params)}")

    watching = Watch(
        people.opened(), feed, event_clock=clock == "event", until_idle=until_idle, agency=agency, role=role, say=say
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
    console.result(done, lines)


def join(app: typer.Typer) -> None:
    """Adds these commands to the program."""
    app.command("watch")(watch)
    app.command("detect")(detect)
