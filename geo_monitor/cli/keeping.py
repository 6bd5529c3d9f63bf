"""Commands that keep what is held, or let it go: backup, restore, verify, compact, expire."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from geo_monitor.cli.console import console
from geo_monitor.cli.people import opened

Json = Annotated[bool, typer.Option("--json")]


def backup(
    output: Annotated[Path, typer.Option("-o", "--output")],
    as_json: Json = False,
) -> None:
    console.json |= as_json
    workspace = opened()
    with console.progress() as tell:
        made = workspace.backup(output, datetime.now(UTC), tell)
    size = output.stat().st_size
    told = {
        "file": str(output),
        "bytes": size,
        "members": len(made.members),
        "rows": made.rows,
        "damaged": made.damaged,
        "audit_head": made.audit_head,
        "key_file": str(made.key_file) if made.key_file else None,
    }
    counts = {"members": f"{len(made.members):,}", "rows": f"{sum(made.rows.values()):,}", "mb": f"{size / 1e6:,.1f}"}
    head = console("backup.head", head=made.audit_head)
    console.result(told, [console("backup.done", file=str(output), **counts), head])
    if made.key_file:
        console.say(console("backup.key", file=str(made.key_file)))
    if made.damaged:
        console.say(console("backup.damaged", count=len(made.damaged), names=made.damaged[:3]))


def restore(
    file: Annotated[Path, typer.Argument(metavar="FILE")],
    database: Annotated[str | None, typer.Option("--database", envvar="GEO_MONITOR_DATABASE")] = None,
    as_json: Json = False,
) -> None:
    from geo_monitor.store.restore import restore as restored

    console.json |= as_json
    with console.progress() as tell:
        store = restored(file, console.workspace, database, tell)
    counts = {"receipts": len(store.book("receipts")), "runs": len(store.book("runs"))}
    store.close()
    told = {"workspace": str(console.workspace.resolve()), "file": str(file), **counts}
    console.result(told, [console("restore.done", file=str(file), root=told["workspace"], **counts)])


def verify(
    head: Annotated[str | None, typer.Option("--head")] = None,
    as_json: Json = False,
) -> None:
    console.json |= as_json
    workspace = opened()
    with console.progress() as tell:
        found = workspace.verify(head, tell)
    troubles = [{"code": one.code, "message": console(f"verify.{one.code}", **one.params)} for one in found.troubles]
    lines = [console("verify.wrong" if troubles else "verify.fine", count=len(troubles))]
    lines += [f"- {one['message']}" for one in troubles]
    lines += console.table([(console(f"verify.looked.{name}"), f"{count:,}") for name, count in found.looked.items()])
    console.result({"ok": not troubles, "looked": found.looked, "troubles": troubles}, lines)
    if troubles:
        console.say(console("verify.wrong.hint"))
        raise typer.Exit(3)


def compact(
    start: Annotated[str | None, typer.Option("--from")] = None,
    end: Annotated[str | None, typer.Option("--to")] = None,
    as_json: Json = False,
) -> None:
    console.json |= as_json
    workspace = opened()
    with console.progress() as tell:
        done = workspace.compact(start, end, tell=tell)
    counts = {"days": f"{done.days:,}", "before": f"{done.files_before:,}", "fixes": f"{done.fixes:,}"}
    size = {"mb_before": f"{done.bytes_before / 1e6:,.1f}", "mb_after": f"{done.bytes_after / 1e6:,.1f}"}
    console.result(asdict(done), [console("compact.done" if done.days else "compact.nothing", **counts, **size)])
    if done.unreadable:
        console.say(console("compact.unreadable", count=len(done.unreadable), days=done.unreadable[:3]))
        raise typer.Exit(3)


def expire(
    before: Annotated[str, typer.Option("--before")],
    reason: Annotated[str, typer.Option("--reason")] = "",
    yes: Annotated[bool, typer.Option("--yes")] = False,
    as_json: Json = False,
) -> None:
    console.json |= as_json
    workspace = opened()
    with console.progress() as tell:
        found = workspace.expire(before, reason, do=yes, tell=tell)
    counts = {name: f"{getattr(found, name):,}" for name in ("days", "files", "fixes", "uploads")}
    size = f"{(found.bytes + found.upload_bytes) / 1e6:,.1f}"
    told = {**counts, "mb": size, "held_from": found.held_from, "first": found.first or "-", "last": found.last or "-"}
    some = bool(found.days or found.uploads)
    lines = [console(f"expire.{'done' if yes else 'would'}" if some else "expire.nothing", **told)]
    lines += [console("expire.lost", **told)] if some else []
    lines += [console("expire.kept", **one) for one in found.kept[:20]]
    lines += [console("expire.kept_more", count=f"{len(found.kept) - 20:,}")] if len(found.kept) > 20 else []
    lines += [console("expire.how")] if some and not yes else []
    console.result(asdict(found), lines)


def join(app: typer.Typer) -> None:
    """Puts the commands of this file into the program."""
    for one in (backup, restore, verify, compact, expire):
        app.command(one.__name__)(one)
