"""The answer of the benchmark as a Markdown table: figure, measured, target, met or not."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from typing import Any


def quantile(values: Sequence[float], share: float) -> float:
    """The smallest value with at least `share` of all at or below it.

    >>> quantile([3, 1, 2], 0.5), quantile(range(1, 101), 0.99)
    (2, 99)
    """
    held = sorted(values)
    return held[max(-int(-share * len(held) // 1) - 1, 0)]


def table(answer: dict[str, Any]) -> str:
    """Markdown."""
    one, all_ = answer["alone"], answer["crowded"]
    users = answer["users"]
    rows: list[tuple[str, str, str, bool | None]] = []

    def add(figure: str, value: float | None, unit: str, target: float | None = None, digits: int = 2) -> None:
        said = "none" if value is None else f"{value:,.{digits}f} {unit}"
        met = None if target is None else value is not None and value < target
        rows.append((figure, said, "" if target is None else f"< {target:,g} {unit}", met))

    visits = [(f"alone, {name}", one[name]) for name in ("first visitor", "second visitor", "same browser again")]
    visits.append((f"beside {users - 1} others", all_["visitor"]))
    add("server answers, from its start", one["first visitor"]["answers"], "s")
    for name, visit in visits:
        seen = visit.get("seen", {})
        add(f"basin seen: {name}", seen.get("hot"), "s", 5)
        add(f"base map seen: {name}", seen.get("base"), "s")
    for name, visit in visits:
        told = visit["bytes"]
        add(f"bytes on opening, all: {name}", sum(told.values()) / 1000, "kB", 2000, 0)
        for kind in ("connection", "base map", "program"):
            add(f"– of these {kind}", told.get(kind, 0) / 1000, "kB", None, 0)
    for name, where in (("basin", one["ticks basin"]), ("city", one["ticks city"])):
        add(f"map and page in the connection, unpacked, on opening: {name}", where[0]["payload"] / 1000, "kB", None, 0)
    for name in ("basin", "city"):
        mine = [run for run in one[f"ticks {name}"] if run["tick"]]
        _ticks(add, f"{name}, alone", mine)
        _ticks(add, f"{name}, {users} users", all_[name])
        beside = [run["seconds"] for run in all_[f"{name} beside the browser"]]
        add(
            f"tick, {name}, {users} users and the browser drawing: median",
            quantile(beside, 0.5) if beside else None,
            "s",
        )
    both = [*all_["basin"], *all_["city"]]
    done = len(both) / all_["due"]
    rows.append((f"ticks done of those due, {users} users", f"{done:.0%}", "", None))
    add(f"processor time of the server, {users} users", all_["cpu_s"] / all_["seconds"], "processors")
    for name, found in (("alone", one["filters"]), (f"{users} users ticking", all_["filters"])):
        for run in found:
            add(f"filter, {run['choice']}: {name}", run["seconds"], "s", 0.5)
    late, feeds = all_["late"], all_["feeds"]
    add("fix stored to map, median", quantile(late, 0.5) if late else None, "s", 5)
    add("fix stored to map, 99 %", quantile(late, 0.99) if late else None, "s", 5)
    took = [fed["stored"] - fed["begun"] for fed in feeds]
    add(f"import of {answer['units']:,} fixes, median", statistics.median(took) if took else None, "s")
    add("peak memory of the server, alone", one["peak_mb"], "MB", None, 0)
    add(f"peak memory of the server, {users} users", all_["peak_mb"], "MB", 4000, 0)
    head = (
        f"{answer['reaches']:,} reaches, {answer['zones']:,} zones, {answer['units']:,} units, "
        f"{answer['seizures']:,} seizures of a year, {users} users; simulated\n"
    )
    lines = [head, "| figure | measured | target | met |", "| --- | --- | --- | --- |"]
    words = {True: "yes", False: "**no**", None: ""}
    lines += [f"| {figure} | {said} | {target} | {words[met]} |" for figure, said, target, met in rows]
    if all_["errors"]:
        lines += ["", *[f"A client was told: {error}" for error in all_["errors"]]]
    return "\n".join(lines) + "\n"


def _ticks(add: Any, name: str, runs: list[dict[str, Any]]) -> None:
    def at(column: str, share: float) -> float | None:
        return quantile([run[column] for run in runs], share) if runs else None

    wire, payload = at("wire", 0.99), at("payload", 0.99)
    add(f"tick, {name}: bytes on the wire, 99 %", None if wire is None else wire / 1000, "kB", 200, 0)
    add(f"tick, {name}: bytes unpacked, 99 %", None if payload is None else payload / 1000, "kB", None, 0)
    add(f"tick, {name}: median", at("seconds", 0.5), "s")
    add(f"tick, {name}: 99 %", at("seconds", 0.99), "s")
