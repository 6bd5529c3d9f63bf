"""The command line `geo-monitor`: what people type, and nothing else. The work is in `workspace`, `demo`, `doctor`.

Exit codes: 0 done; 1 a fault of ours, or nothing can be written to stdout; 2 wrong usage; 3 the input was refused and nothing changed.
Help texts are in `messages/cli.py`, in Chinese and English, and put into place by `command`.
"""

from __future__ import annotations

import atexit
import errno
import gc
import os
import sys
import traceback
from contextlib import suppress
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Any

import typer

from geo_monitor.cli import basemaps, keeping, loop, people
from geo_monitor.cli.console import console, one_of
from geo_monitor.errors import GeoMonitorError, Usage, in_utf8
from geo_monitor.messages import catalogue, text

app = typer.Typer(no_args_is_help=True, add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)
EVERYWHERE = {
    "--workspace": True,
    "--lang": True,
    "--account": True,
    "--json": False,
    "--debug": False,
    "--as-owner": False,
}  # option -> takes a value
NOT_OURS = (errno.EROFS, errno.EACCES, errno.EPERM)  # what may not be written to
DAYS_MOST, UNITS_MOST = 3660, 10_000  # of a simulated world

Json = Annotated[bool, typer.Option("--json")]


@app.callback()
def options(
    workspace: Annotated[Path, typer.Option("--workspace", envvar="GEO_MONITOR_WORKSPACE")] = Path("workspace"),
    lang: Annotated[str, typer.Option("--lang")] = "zh",
    as_json: Json = False,
    debug: Annotated[bool, typer.Option("--debug")] = False,
    account: Annotated[str | None, typer.Option("--account", envvar="GEO_MONITOR_ACCOUNT")] = None,
    as_owner: Annotated[bool, typer.Option("--as-owner")] = False,
) -> None:
    if lang not in ("zh", "en"):
        raise Usage("lang_unknown", language=lang)
    in_utf8(str(workspace), account or "")  # they may come from the environment
    console.workspace, console.debug = workspace, debug
    console.account, console.as_owner = account, as_owner
    console.json |= as_json


def _json(asked: bool) -> None:
    console.json |= asked


@app.command("init")
def init(
    database: Annotated[str | None, typer.Option("--database", envvar="GEO_MONITOR_DATABASE")] = None,
    as_json: Json = False,
) -> None:
    from geo_monitor.engine import warm
    from geo_monitor.store.database import DATABASE, URL_FILE
    from geo_monitor.workspace import Workspace

    _json(as_json)
    there = any((console.workspace / name).exists() for name in (DATABASE, URL_FILE))
    workspace = Workspace.create(console.workspace, database)
    if warm.needed():  # not at the first analysis, when somebody waits
        with console.progress() as tell:
            tell("warm", 0.0)
            warm.warm()
            tell("warm", 1.0)
    root = str(workspace.root.resolve())
    code = "init.there" if there else "init.done"
    console.result({"workspace": root, "created": not there}, [console(code, root=root)])


@app.command("import")
def import_(
    kind: Annotated[str, typer.Argument(metavar="KIND")],
    file: Annotated[Path, typer.Argument(metavar="FILE")],
    agency: Annotated[str | None, typer.Option("--agency")] = None,
    crs: Annotated[str | None, typer.Option("--crs")] = None,
    datum: Annotated[str | None, typer.Option("--datum")] = None,
    encoding: Annotated[str | None, typer.Option("--encoding")] = None,
    columns: Annotated[str | None, typer.Option("--columns")] = None,
    role: Annotated[str | None, typer.Option("--role")] = None,
    accuracy: Annotated[float | None, typer.Option("--accuracy")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run")] = False,
    as_json: Json = False,
) -> None:
    _json(as_json)
    one_of("--datum", datum, ("wgs84", "gcj02", "bd09"))
    one_of("--role", role, ("patrol", "traffic"))
    if accuracy is not None and not accuracy > 0:
        raise Usage("accuracy_bad", accuracy=f"{accuracy:g}")
    workspace = people.opened()
    with console.progress() as tell:
        tell("import", 0.0)
        receipt = workspace.import_file(
            kind,
            file,
            agency=agency,
            crs=crs,
            datum=datum,
            encoding=encoding,
            columns=_pairs(columns),
            role=role,
            accuracy=accuracy,
            dry_run=dry_run,
        )
        tell("import", 1.0)
    told = receipt.to_json(console.lang)
    console.result(told, _receipt_lines(told, dry_run))
    if receipt.status == "rejected":
        raise typer.Exit(3)
    if not dry_run:
        with console.progress() as tell:
            workspace.build_river(receipt, tell)


@app.command("withdraw")
def withdraw(
    receipt: Annotated[str, typer.Argument(metavar="RECEIPT")],
    reason: Annotated[str, typer.Option("--reason")],
    as_json: Json = False,
) -> None:
    _json(as_json)
    done = people.opened().withdraw(receipt, reason)
    console.result(done, [console("withdraw.done", file=done["file"], receipt_id=done["receipt_id"])])


@app.command("analyse")
def analyse(
    start: Annotated[str | None, typer.Option("--from")] = None,
    end: Annotated[str | None, typer.Option("--to")] = None,
    as_of: Annotated[str | None, typer.Option("--as-of")] = None,
    reach_length: Annotated[float | None, typer.Option("--reach-length")] = None,
    methods: Annotated[str, typer.Option("--methods")] = "rates,gistar",
    engine: Annotated[str, typer.Option("--engine")] = "local",
    as_json: Json = False,
) -> None:
    _json(as_json)
    workspace = people.opened()
    with console.progress() as tell:
        run = workspace.analyse(start, end, as_of, reach_length, methods, engine=engine, tell=tell)
    _show_run(run.summary)


@app.command("export")
def export(
    table: Annotated[str, typer.Argument(metavar="TABLE")],
    output: Annotated[Path, typer.Option("-o", "--output")],
    run: Annotated[str | None, typer.Option("--run")] = None,
    all_versions: Annotated[bool, typer.Option("--all-versions")] = False,
    as_json: Json = False,
) -> None:
    _json(as_json)
    done = people.opened().export(table, output, run, all_versions, console.lang)
    notes = console.notes(done.notes)
    document = {"table": done.table, "file": done.file, "format": done.format, "rows": done.rows, "notes": notes}
    console.result(document, [console("export.done", table=done.table, rows=f"{done.rows:,}", file=done.file)])
    _say_notes(notes)


@app.command("quality")
def quality(
    agency: Annotated[str | None, typer.Option("--agency")] = None,
    as_json: Json = False,
) -> None:
    from geo_monitor import quality as scores

    _json(as_json)
    found = people.opened().quality(agency)
    lines = scores.lines(found, console.lang) or [console("quality.none")]
    console.result({"scores": scores.plain(found, console.lang)}, lines)


@app.command("simulate")
def simulate(
    output: Annotated[Path, typer.Option("-o", "--output")],
    seed: Annotated[int, typer.Option("--seed", min=0)],
    river: Annotated[str, typer.Option("--river")] = "made-up",
    days: Annotated[int | None, typer.Option("--days", min=2, max=DAYS_MOST)] = None,
    units: Annotated[int, typer.Option("--units", min=1, max=UNITS_MOST)] = 16,
    plant: Annotated[str | None, typer.Option("--plant")] = None,
    as_json: Json = False,
) -> None:
    from geo_monitor.cli.demo import write_world
    from geo_monitor.simulate import PLANTS

    _json(as_json)
    one_of("--river", river, ("made-up", "real"))
    one_of("--plant", plant, tuple(PLANTS))
    with console.progress() as tell:
        world, files = write_world(output, seed, river == "real", days, units, tell, plant)
    lines = [console("simulate.done", folder=str(output)), *console.table([(f.kind, f.path.name) for f in files])]
    told = [{"kind": file.kind, "file": str(file.path), "agency": file.agency} for file in files]
    console.result({"folder": str(output), "seed": seed, "files": told, "totals": world.totals}, lines)


@app.command("demo")
def demo(
    seed: Annotated[int, typer.Option("--seed", min=0)] = 7,
    days: Annotated[int, typer.Option("--days", min=2, max=DAYS_MOST)] = 180,
    units: Annotated[int, typer.Option("--units", min=1, max=UNITS_MOST)] = 24,
    as_json: Json = False,
) -> None:
    from geo_monitor.cli.demo import build

    _json(as_json)
    with console.progress() as tell:
        run = build(console.workspace, seed, days, units, tell)
    _show_run({**run.summary, "workspace": str(console.workspace.resolve())})
    if not console.json:
        console.say(console("demo.next", root=str(console.workspace)))


@app.command("app")
def app_(
    host: Annotated[str, typer.Option("--host")] = "127.0.0.1",
    port: Annotated[int, typer.Option("--port", min=1, max=65535)] = 8501,
    no_browser: Annotated[bool, typer.Option("--no-browser")] = False,
    as_json: Json = False,
) -> None:
    from geo_monitor.cli.launch import serve
    from geo_monitor.workspace import Workspace

    _json(as_json)
    workspace = Workspace(console.workspace)  # whoever looks signs in on the page

    def ready(url: str) -> None:
        console.result({"url": url, "workspace": str(workspace.root.resolve())}, [console("app.ready", url=url)])

    raise typer.Exit(serve(workspace, host, port, console.lang, not no_browser, ready))


@app.command("doctor")
def doctor(as_json: Json = False) -> None:
    from geo_monitor.cli.doctor import examine

    _json(as_json)
    findings = examine(console.workspace)
    told = []
    for found in findings:
        message = console(found.code, **found.params)
        code = f"{found.code}.hint"
        todo = text(code, console.lang, **found.params) if code in catalogue() else None
        told.append({"check": found.check, "state": found.state, "message": message, "hint": todo})
    broken = any(found.state == "broken" for found in findings)
    lines = []
    for line in told:
        lines.append(f"[{console('doctor.state.' + str(line['state']))}] {line['message']}")
        lines += [f"    {line['hint']}"] if line["hint"] else []
    console.result({"ok": not broken, "checks": told}, lines)
    raise typer.Exit(1 if broken else 0)


def _pairs(columns: str | None) -> dict[str, str]:
    """`ours=theirs,ours=theirs` as a dict; full-width signs of a Chinese keyboard are understood."""
    pairs = {}
    for part in (columns or "").translate(str.maketrans("\uff0c\uff1d", ",=")).split(","):
        ours, found, theirs = part.partition("=")
        if not part.strip():
            continue
        if not found or not ours.strip() or not theirs.strip():
            raise Usage("columns_bad", part=part.strip())
        pairs[ours.strip()] = theirs.strip()
    return pairs


def _say_notes(notes: list[dict[str, Any]]) -> None:
    if not console.json:
        for note in notes:
            console.say(console("note", message=note["message"]))


def _receipt_lines(told: dict[str, Any], dry_run: bool) -> list[str]:
    rows = told["rows"]
    could = "could_" if dry_run and told["status"].startswith("accepted") else ""
    lines = [console(f"receipt.{could}{told['status']}", file=told["file"])]
    if dry_run:
        lines.append(console("receipt.dry_run"))
    names = ("read", "accepted", "corrected", "unchanged", "quarantined")
    pairs = [(console("receipt.id"), str(told["receipt_id"]))]
    pairs += [(console(f"receipt.rows.{name}"), f"{rows[name]:,}") for name in names]
    for name in ("encoding", "crs"):
        if told.get(name) and told[name].get("used"):
            pairs.append((console(f"receipt.{name}"), f"{told[name]['used']} ({told[name]['how']})"))
    if told.get("quarantine"):
        pairs.append((console("receipt.quarantine"), str(told["quarantine"])))
    lines += console.table(pairs)
    for level in ("errors", "warnings", "notes"):
        for item in told.get(level) or []:
            lines.append(console(f"receipt.{level}", message=item["message"]))
            if item.get("hint"):
                lines.append(f"    {item['hint']}")
    return lines


def _show_run(summary: dict[str, Any]) -> None:
    notes = console.notes(summary["notes"])
    counts, left = summary["counts"], summary["seizures_left_out"]
    pairs = [
        (console("run.id"), summary["run_id"]),
        (console("run.positions"), f"{counts['positions']:,} ({counts['positions_unlocated']:,})"),
        (console("run.hours"), f"{counts['patrol_hours']:,.1f}"),
        (console("run.unlocated"), f"{summary['unlocated_minutes'] / 60:,.1f}"),
        (console("run.seizures"), f"{counts['seizures_in_rate']:,} / {counts['seizures']:,}"),
        *((console(f"run.left.{name}"), f"{number:,}") for name, number in left.items() if name != "total" and number),
        *((console(f"run.state.{name}"), f"{number:,}") for name, number in counts["states"].items()),
        (console("run.seconds"), f"{sum(summary['timings'].values()):,.1f}"),
    ]
    console.result({**summary, "notes": notes}, [console("run.done"), *console.table(pairs)])
    _say_notes(notes)


people.join(app)
keeping.join(app)
basemaps.join(app)
loop.join(app)


def command(lang: str) -> Any:
    """The parser, with every help text in `lang`."""
    group: Any = typer.main.get_command(app)
    group.help = text("help.geo-monitor", lang)  # type: ignore[arg-type]
    every = [("geo-monitor", group), *group.commands.items()]
    every += [(f"{name}.{sub}", part) for name, one in group.commands.items() for sub, part in _parts(one)]
    for name, one in every:
        one.help = text(f"help.{name}", lang)  # type: ignore[arg-type]
        for param in one.params:
            if param.name == "help":
                param.help = text("help.help", lang)  # type: ignore[arg-type]
                continue
            label = "json" if param.name == "as_json" else param.opts[-1].lstrip("-").lower()
            code = f"help.{name}.{label}" if f"help.{name}.{label}" in catalogue() else f"help.{label}"
            param.help = text(code, lang)  # type: ignore[arg-type]
    return group


def _parts(one: Any) -> list[tuple[str, Any]]:
    """The commands inside a group such as `accounts`."""
    return list(getattr(one, "commands", {}).items())


def hoisted(arguments: list[str]) -> list[str]:
    """`arguments` with the options that hold everywhere put first, so that they may stand anywhere.

    >>> hoisted(["export", "zones", "--lang", "en", "-o", "z.csv", "--workspace=w", "--json"])
    ['--lang', 'en', '--workspace=w', '--json', 'export', 'zones', '-o', 'z.csv']
    """
    first: list[str] = []
    rest: list[str] = []
    at = 0
    while at < len(arguments):
        name, equals, _ = arguments[at].partition("=")
        if arguments[at] == "--":
            rest += arguments[at:]
            break
        if name in EVERYWHERE:
            take = 2 if EVERYWHERE[name] and not equals else 1
            first += arguments[at : at + take]
            at += take
        else:
            rest.append(arguments[at])
            at += 1
    return first + rest


def run(arguments: list[str]) -> int:
    """Runs one command and gives its exit code."""
    arguments = hoisted(arguments)
    console.json, console.debug, console.workspace = "--json" in arguments, "--debug" in arguments, Path("workspace")
    english = "--lang=en" in arguments or ("--lang", "en") in pairwise(arguments)
    console.lang = "en" if english else "zh"
    try:
        in_utf8(*arguments)
        done = command(console.lang).main(arguments, prog_name="geo-monitor", standalone_mode=False)
        return done if isinstance(done, int) else 0
    except typer.Exit as leave:
        return int(leave.exit_code)
    except (typer.Abort, KeyboardInterrupt):
        console.say(console("stopped"))
        return 1
    except Exception as error:  # noqa: BLE001  the last door: every error is told, none is lost
        if _is_usage(error):
            return console.usage(error.format_message())  # type: ignore[attr-defined]
        if console.debug:
            traceback.print_exc()
        return console.failed(_of_place(error, arguments) or error)


def _of_place(error: Exception, arguments: list[str]) -> GeoMonitorError | None:
    """What to tell where the place of an output (`-o`, stdout), the workspace or a name that was given is what
    went wrong."""
    if not isinstance(error, OSError):
        return None
    reason = error.strerror or str(error)
    named = [value for name, value in pairwise(arguments) if name in ("-o", "--output")]
    named += [one.partition("=")[2] for one in arguments if one.startswith("--output=")]
    if not isinstance(error.filename, str):
        if "--help" in arguments:  # does nothing but write
            return GeoMonitorError("stdout_unwritable", reason=reason)
        full = named and error.errno in (errno.ENOSPC, errno.EDQUOT)  # of the workspace the store tells
        return Usage("output_unwritable", file=named[0], reason=reason) if full else None
    wrong = Path(os.path.abspath(error.filename))
    for place in named:
        whole = Path(os.path.abspath(place))
        if {wrong, wrong.parent} & {whole, whole.parent}:
            return Usage("output_unwritable", file=place, reason=reason)
    if error.errno == errno.ENAMETOOLONG:
        return Usage("name_too_long", name=str(error.filename))
    root = Path(os.path.abspath(console.workspace))
    if root.is_relative_to(wrong) or (wrong.is_relative_to(root) and error.errno in NOT_OURS):
        return Usage("workspace_unwritable", root=str(console.workspace), reason=reason)
    return None


def _is_usage(error: Exception) -> bool:
    """Whether the parser refused the call (Typer brings its own copy of Click in newer versions)."""
    return any(kind.__name__ == "UsageError" for kind in type(error).__mro__)


def main() -> None:
    """The program `geo-monitor`."""
    gc.set_threshold(200_000, 50, 50)  # what a command makes lives until it ends: cycles are looked for less often
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:  # closed by the caller: else the next file opened would take its number
            setattr(sys, name, open(os.devnull, mode))  # noqa: SIM115
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(encoding="utf-8", errors="replace")
    codes: list[int] = []
    atexit.register(_leave, codes)  # the first registered is the last called
    codes.append(run(sys.argv[1:]))
    sys.exit(codes[0])


def _leave(codes: list[int]) -> None:
    """Ends the process of a command that gave its exit code, when threads have ended and all else is done that was to be done at
    the end: the system takes memory back at once, Python piece by piece (0.3 s after an analysis of 5 million fixes)."""
    for stream in (sys.stdout, sys.stderr):
        with suppress(
            OSError, ValueError
        ):  # whoever read what we say has gone, or it was told that nothing can be written
            stream.flush()
    for code in codes:
        os._exit(code)
