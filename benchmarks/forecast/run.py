"""Worlds through methods: a record a held-out week and method, and what they come to."""

from __future__ import annotations

import time
from typing import Any

import numpy as np

from benchmarks.forecast.methods import METHODS, Past, fitted
from benchmarks.forecast.worlds import FIRST_DAY, WEEK, World
from geo_monitor.hotspots import scores

PAST = 52  # weeks every forecast is made from
LENGTH = 0.05  # of the river


def weeks(made: World, number: int) -> list[dict[str, Any]]:
    """Every week after the first PAST, foretold by every method.

    A record: log_p, sum over reaches looked at (of a ranking: by setting); cells, cases; pai, pei of the cases that came, over
    reaches looked at; pai_true, pei_true: the same with true rates for cases, over the river; held: share of reaches whose
    90 % interval held the true rate.
    """
    records = []
    for week in range(PAST, len(made.rate)):
        day = FIRST_DAY - 1 + WEEK * week
        past = Past(
            made.cases[week - PAST : week], made.hours[week - PAST : week], made.water, 1 + (day - 1) % 365.2425
        )
        y, h, rate = made.cases[week], made.hours[week], made.rate[week]
        seen = h > 0
        size = np.ones(len(y))
        for name, method in METHODS.items():
            begin = time.perf_counter()
            told = method(past)
            seconds = time.perf_counter() - begin
            record = {"world": number, "kind": made.kind, "habit": made.habit, "week": week, "method": name}
            record |= {"cells": int(seen.sum()), "cases": float(y[seen].sum()), "seconds": round(seconds, 3)}
            if told.known is not None:
                record["log_p"] = float(scores.log_predictive(told.known, y, h).sum())
                held = (told.known.quantile(0.05) <= rate) & (rate <= told.known.quantile(0.95))
                record["held"] = float(held.mean())
            else:
                record["log_p"] = fitted(told.score, past, y, h).sum(axis=2).tolist()
            for label, which, found in (("", seen, y), ("_true", size > 0, rate)):
                record[f"pai{label}"] = scores.pai(told.score[which], found[which], size[which], LENGTH)
                record[f"pei{label}"] = scores.pei(told.score[which], found[which], size[which], LENGTH)
            records.append(record)
        truth = y[seen] * np.log(h[seen] * rate[seen]) - h[seen] * rate[seen] - _log_factorial(y[seen])
        records.append(
            {"world": number, "kind": made.kind, "habit": made.habit, "week": week, "method": "truth",
             "cells": int(seen.sum()), "cases": float(y[seen].sum()), "log_p": float(truth.sum())}
        )  # fmt: skip
    return records


def summary(records: list[dict[str, Any]]) -> dict[str, Any]:
    """By kind of world and method: log score a reach and week; how far it is behind `forecast`, in log units a case, with
    the standard error over worlds and habits; means of the rest."""
    answer: dict[str, Any] = {}
    for kind in sorted({record["kind"] for record in records}):
        mine = [record for record in records if record["kind"] == kind]
        names = sorted({(record["world"], record["habit"]) for record in mine})
        runs = [[r for r in mine if (r["world"], r["habit"]) == one] for one in names]
        total = {name: _log_p(runs, name) for name in [*METHODS, "truth"]}
        cases = np.array([sum(r["cases"] for r in run if r["method"] == "truth") for run in runs])
        cells = sum(r["cells"] for r in mine if r["method"] == "truth")
        answer[kind] = {"runs": len(runs), "cases": float(cases.sum())}
        for name, log_p in total.items():
            behind = (total["forecast"] - log_p) / cases
            own = [r for r in mine if r["method"] == name]
            found = {
                "log_score": float(log_p.sum() / cells),
                "behind_a_case": float((total["forecast"] - log_p).sum() / cases.sum()),
                "behind_error": float(behind.std(ddof=1) / np.sqrt(len(runs))) if len(runs) > 1 else None,
            }
            for what in ("pai", "pei", "pai_true", "pei_true", "held", "seconds"):
                values = [r[what] for r in own if what in r]
                found[what] = float(np.mean(values)) if values else None
            answer[kind][name] = found
        held = [np.mean([r["held"] for r in run if r["method"] == "forecast"]) for run in runs]
        answer[kind]["held_least"], answer[kind]["held_most"] = float(min(held)), float(max(held))
    return answer


def table(found: dict[str, Any]) -> str:
    """The summary as Markdown."""
    lines = []
    for kind, answer in found.items():
        lines += [
            f"Worlds `{kind}`: {answer['runs']} runs, {answer['cases']:.0f} cases foretold; 90 % intervals of `forecast` held "
            f"{answer['held_least']:.3f} to {answer['held_most']:.3f} of true rates a run.",
            "",
            "| method | log score | behind, a case | ± | PAI | PEI | PAI, true rates | PEI, true rates | interval held |",
            "|---|---|---|---|---|---|---|---|---|",
        ]
        for name, row in answer.items():
            if isinstance(row, dict):
                cells = [f"{row['log_score']:.4f}", f"{row['behind_a_case']:.3f}", _number(row["behind_error"], 3)]
                cells += [_number(row[what], 2) for what in ("pai", "pei", "pai_true", "pei_true")]
                lines.append(f"| {name} | " + " | ".join([*cells, _number(row["held"], 3)]) + " |")
        lines.append("")
    return "\n".join(lines)


def _number(value: float | None, digits: int) -> str:
    return "" if value is None else f"{value:.{digits}f}"


def _log_p(runs: list[list[dict[str, Any]]], method: str) -> Any:
    """Of every run, over its weeks, (runs,); of a ranking, by the one setting that is best over all of them."""
    by_run = np.array([np.sum([r["log_p"] for r in run if r["method"] == method], axis=0) for run in runs])
    settings = by_run.reshape(len(runs), -1)
    return settings[:, int(settings.sum(axis=0).argmax())]


def _log_factorial(y: Any) -> Any:
    from scipy.special import gammaln

    return gammaln(y + 1)
