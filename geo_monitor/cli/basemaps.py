"""Commands about base maps of an agency's own."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from geo_monitor.cli.console import console
from geo_monitor.cli.people import opened

basemap = typer.Typer(no_args_is_help=True)

Json = Annotated[bool, typer.Option("--json")]


@basemap.command("add")
def basemap_add(
    file: Annotated[Path, typer.Argument(metavar="FILE")],
    name: Annotated[str | None, typer.Option("--name")] = None,
    as_json: Json = False,
) -> None:
    console.json |= as_json
    workspace = opened()
    with console.progress() as tell:
        tell("basemap", 0.0)
        made = workspace.basemaps.add(file, name, datetime.now(UTC))
        tell("basemap", 1.0)
    kind = console(f"basemap_kind_{made.kind}")
    console.result(asdict(made), [console("basemap_added", name=made.name, kind=kind)])


@basemap.command("list")
def basemap_list(as_json: Json = False) -> None:
    console.json |= as_json
    held = opened().basemaps.every()
    pairs = [(one.name, f"{console(f'basemap_kind_{one.kind}')}  {one.file}  {one.who}  {one.at}") for one in held]
    console.result({"basemaps": [asdict(one) for one in held]}, console.table(pairs) or [console("basemap_none")])


@basemap.command("remove")
def basemap_remove(name: Annotated[str, typer.Argument(metavar="NAME")], as_json: Json = False) -> None:
    console.json |= as_json
    opened().basemaps.remove(name, datetime.now(UTC))
    console.result({"removed": name}, [console("basemap_removed", name=name)])


def join(app: typer.Typer) -> None:
    """Puts the commands of this file into the program."""
    app.add_typer(basemap, name="basemap")
