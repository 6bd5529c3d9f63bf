"""Worlds x habits x methods: the runs, and their summary."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import numpy as np

from benchmarks.accuracy import methods, worlds
from benchmarks.accuracy.measures import SMALL_P, measured
from geo_monitor import hotspots
from geo_monitor.hotspots.scan import scan

SCAN_PERMUTATIONS = 199  # replicates: p down to 0.005
SIDES = ("above", "below", "above_least", "below_least")
MEASURES = ("precision", "share", "activity", "coverage", *SIDES, "small_p", "told")


def runs(count: int, first: int = 0, reaches: int = worlds.REACHES) -> Iterator[dict[str, Any]]:
    """One record a world and habit. World i has the i-th kind in turn, then the next river and the next mean rate; each
    is seen under every habit, so that habits are compared on the same truth."""
    warm(reaches)
    for i in range(first, first + count):
        kind = worlds.KINDS[i % len(worlds.KINDS)]
        turn = i // len(worlds.KINDS)
        name = worlds.RIVERS[turn % len(worlds.RIVERS)]
        mean_rate = worlds.MEAN_RATES[turn % len(worlds.MEAN_RATES)]
        made = worlds.world(kind, worlds.river(name, i, reaches), mean_rate, i)
        for at, habit in enumerate(worlds.HABITS):
            hours, cases = worlds.patrolled(made, habit, len(worlds.HABITS) * i + at)
            record = {"world": i, "kind": kind, "river": name, "mean_rate": mean_rate, "habit": habit}
            yield record | {"cases": int(cases.sum()), "methods": judged(made, hours, cases)}


def judged(made: worlds.World, hours: Any, cases: Any) -> dict[str, dict[str, float]]:
    """The measures of every method on one world, and its seconds; whether a habit of patrols is told; on a flat one also the
    p-value of the scan."""
    seen = methods.Looked(cases, hours, made.river.links, made.river.points)
    found = {}
    for name, method in methods.METHODS.items():
        begin = time.perf_counter()
        answer = method(seen, made)
        seconds = time.perf_counter() - begin
        found[name] = measured(answer, made.rate, hours, methods.SETTINGS.looked_h) | {"seconds": seconds}
    begin = time.perf_counter()
    leaning = hotspots.habit(cases, hours)
    told = leaning is not None and leaning.leans != ""
    found["habit"] = {"told": float(told), "seconds": time.perf_counter() - begin}
    if made.kind == "flat":
        begin = time.perf_counter()
        first = scan(cases, hours, made.river.links, permutations=SCAN_PERMUTATIONS, max_clusters=1)
        seconds = time.perf_counter() - begin
        small = bool(len(first) and first["p_value"].iloc[0] < SMALL_P)
        found["scan"] = {"small_p": float(small), "seconds": seconds}
    return found


def warm(reaches: int) -> None:
    """Everything once on a small water, so that compiling is not timed."""
    made = worlds.world("flat", worlds.river(worlds.RIVERS[0], 0, min(reaches, 60)), 0.3, 0)
    judged(made, *worlds.patrolled(made, worlds.HABITS[0], 0))


def summary(records: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """A row a kind, habit and method: worlds; mean, least and most of every measure; and, where the oracle stands beside
    it, of the true rate held over the oracle's (`of_oracle`)."""
    rows = []
    for kind, habit in [(kind, habit) for kind in worlds.KINDS for habit in worlds.HABITS]:
        own = [record["methods"] for record in records if (record["kind"], record["habit"]) == (kind, habit)]
        for name in own[0] if own else {}:
            row: dict[str, Any] = {"kind": kind, "habit": habit, "method": name, "worlds": len(own)}
            for measure in (*MEASURES, "of_oracle"):
                values = [value for each in own if (value := _value(each, name, measure)) is not None]
                if values:
                    row[measure] = {
                        "mean": round(float(np.mean(values)), 4),
                        "min": round(min(values), 4),
                        "max": round(max(values), 4),
                    }
            rows.append(row)
    return rows


def times(records: list[dict[str, Any]]) -> dict[str, float]:
    """Seconds of every method as multiples of Marshall's run beside it: the median over all runs."""
    ratios: dict[str, list[float]] = {}
    for record in records:
        base = record["methods"]["marshall"]["seconds"]
        for name, found in record["methods"].items():
            ratios.setdefault(name, []).append(found["seconds"] / base)
    return {name: float(f"{np.median(values):.3g}") for name, values in ratios.items()}


def of_oracle(found: dict[str, dict[str, float]], name: str) -> float | None:
    """True rate held by the reaches `name` calls worst over that of the oracle's; None where no reach is worst."""
    return found[name]["held"] / found["oracle"]["held"] if "held" in found[name] else None


def _value(found: dict[str, dict[str, float]], name: str, measure: str) -> float | None:
    return of_oracle(found, name) if measure == "of_oracle" else found[name].get(measure)
