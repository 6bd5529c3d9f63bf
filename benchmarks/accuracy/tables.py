"""The tables of docs/accuracy.md, from the JSON of a run."""

from __future__ import annotations

from typing import Any

from benchmarks.accuracy.run import SIDES
from benchmarks.accuracy.worlds import HABITS, KINDS


def tables(answer: dict[str, Any]) -> str:
    """Markdown. Means over kinds weigh every kind alike; the flat river has no worst reach and stands apart."""
    rows = {(row["kind"], row["habit"], row["method"]): row for row in answer["summary"]}
    names = list(dict.fromkeys(row["method"] for row in answer["summary"]))
    kinds = [kind for kind in KINDS if any(row["kind"] == kind for row in answer["summary"])]
    patchy = [kind for kind in kinds if kind != "flat"]
    parts = [f"{answer['worlds']} worlds of {answer['reaches']} reaches, each under {len(HABITS)} habits.\n"]

    def told(title: str, measure: str) -> None:
        body = []
        for name in names:
            values = [[rows.get((kind, habit, name), {}).get(measure) for kind in patchy] for habit in HABITS]
            if all(value is not None for line in values for value in line):
                means = [sum(value["mean"] for value in line if value) / len(line) for line in values]
                body.append([name, *(f"{mean:.2f}" for mean in means)])
        parts.append(_table(title, ["method", *(f"effort {habit}" for habit in HABITS)], body))

    told("Truly among the worst 50, of the 50 named worst", "precision")
    told("True rate held by the 50 named worst, of that held by the 50 of the oracle", "of_oracle")
    told("Share of all true activity in the first 5 % of the river's length", "activity")
    spread = "{mean:.3f} ({min:.3f}–{max:.3f})"
    body = [
        [kind, name, *(spread.format(**rows[kind, habit, name]["coverage"]) for habit in HABITS)]
        for kind in kinds
        for name in names
        if "coverage" in rows.get((kind, HABITS[0], name), {})
    ]
    title = "True rates inside their 90 % interval: mean over worlds (least–most)"
    parts.append(_table(title, ["kind", "method", *(f"effort {habit}" for habit in HABITS)], body))
    for title, sides in (
        ("True rates above / below the interval of `rates`: mean over worlds", SIDES[:2]),
        ("The same in the third of the reaches with fewest hours", SIDES[2:]),
    ):
        body = [
            [
                kind,
                *(" / ".join(f"{rows[kind, habit, 'rates'][side]['mean']:.3f}" for side in sides) for habit in HABITS),
            ]
            for kind in patchy
        ]
        parts.append(_table(title, ["kind", *(f"effort {habit}" for habit in HABITS)], body))
    body = [[kind, *(f"{rows[kind, habit, 'habit']['told']['mean']:.2f}" for habit in HABITS)] for kind in kinds]
    title = "Share of worlds in which a run says that patrols follow or avoid the risk (`effort_habit`)"
    parts.append(_table(title, ["kind", *(f"effort {habit}" for habit in HABITS)], body))
    if "flat" in kinds:
        body = [
            [name, *(f"{rows['flat', habit, name]['small_p']['mean']:.3f}" for habit in HABITS)]
            for name in names
            if "small_p" in rows.get(("flat", HABITS[0], name), {})
        ]
        title = "Share of p-values under 0.05 where every reach has the same rate (scan: share of worlds)"
        parts.append(_table(title, ["method", *(f"effort {habit}" for habit in HABITS)], body))
    body = [
        [name, f"{ratio:,.2f}" if ratio < 10 else f"{ratio:,.0f}"] for name, ratio in answer["times_marshall"].items()
    ]
    parts.append(_table("Time, as a multiple of `marshall` (median over all runs)", ["method", "times"], body))
    return "\n".join(parts)


def _table(title: str, head: list[str], body: list[list[str]]) -> str:
    lines = [head, ["---"] * len(head), *body]
    return f"**{title}**\n\n" + "".join("| " + " | ".join(line) + " |\n" for line in lines)
