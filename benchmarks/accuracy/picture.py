"""The picture of a summary: how many of the 50 worst each method finds, and whether intervals hold what they say."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.accuracy.worlds import HABITS

PROMISED = (0.86, 0.955)  # coverage of a 90 % interval over the reaches of one world
COLOURS = {"opposed": "#b2182b", "unrelated": "#4d4d4d", "following": "#2166ac"}


def draw(records: list[dict[str, Any]], path: Path) -> None:
    """Writes a PNG or SVG, by the name of `path`."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(12, 6), layout="constrained")
    FigureCanvasAgg(figure)
    left, right = figure.subplots(1, 2, width_ratios=[3, 2])
    judged = [record for record in records if record["kind"] != "flat"]
    names = [name for name in records[0]["methods"] if name not in ("scan", "habit")]
    for step, habit in enumerate(HABITS):
        own = [record["methods"] for record in judged if record["habit"] == habit]
        if own:
            values = [np.mean([each[name]["precision"] for each in own]) for name in names]
            place = np.arange(len(names)) + 0.25 * (step - 1)
            left.barh(place, values, height=0.22, color=COLOURS[habit], label=f"effort {habit}")
    left.set_yticks(range(len(names)), names)
    left.invert_yaxis()
    left.set_title("Truly among the worst 50,\nof the 50 named worst (mean)", loc="left", fontsize=11)
    left.legend(loc="lower right", bbox_to_anchor=(1.0, 1.0), frameon=False, fontsize=9)
    with_interval = [name for name in names if "coverage" in records[0]["methods"][name]]
    kinds = list(dict.fromkeys(record["kind"] for record in judged))
    right.axvspan(*PROMISED, color="#d9ead3", label="promised for each world")
    ticks: list[str] = []
    for kind in kinds:
        for name in with_interval:
            own = [record for record in judged if record["kind"] == kind]
            height = np.full(len(own), float(len(ticks)))
            colours = [COLOURS[record["habit"]] for record in own]
            right.scatter([record["methods"][name]["coverage"] for record in own], height, c=colours, s=14, alpha=0.6)
            ticks.append(f"{kind}: {name}")
    right.set_yticks(range(len(ticks)), ticks)
    right.invert_yaxis()
    right.set_title("True rates inside their 90 % interval\n(a dot a world and habit)", loc="left", fontsize=11)
    right.legend(loc="upper left", bbox_to_anchor=(0.0, -0.05), frameon=False, fontsize=9)
    for axes in (left, right):
        axes.spines[["top", "right"]].set_visible(False)
    figure.savefig(path, dpi=150)
