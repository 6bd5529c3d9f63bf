"""Planted worlds end to end through the command line: what is planted must be named for what it is.

    python checks/planted.py --kinds null new unlooked --seeds 3

A world a kind and seed: simulate, init, import of every file, analyse with all methods, export. Prints what each table named
at the planted reaches, and for the kinds in `JUDGES` whether that was right; exits 1 where it was not. Null worlds are
judged together: alarms at the 5 % level must not come from more worlds than 5 % explain.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
from scipy.stats import binom
from worlds import run

from geo_monitor.simulate import PLANTS

TABLES = ("hotspots", "clusters")
LEVEL = 0.05  # of a q-value or p-value that is an alarm
CHANCE = 0.001  # chance of failing null worlds although alarms come at the stated rate


@dataclass
class Found:
    """One world and what was made of it.

    tables : exported tables by name, missing where the run has none
    late : `hotspots` of the last 168 days alone
    plants : truth/plants.csv
    start, end : first day, and the day after the last
    """

    tables: dict[str, pd.DataFrame]
    late: pd.DataFrame
    plants: pd.DataFrame
    start: str
    end: str

    def at(self, part: str, what: str = "risk") -> list[str]:
        """Reaches of a part of what is planted."""
        rows = self.plants[(self.plants["part"] == part) & (self.plants["what"] == what)]
        return sorted(set(rows["reach_id"]))

    def hotspots(self, reaches: list[str]) -> pd.DataFrame:
        return self.tables["hotspots"].set_index("reach_id").loc[reaches]

    def clusters(self, reaches: list[str]) -> pd.DataFrame:
        """Significant clusters that hold any of the reaches; none where the run has no such table."""
        table = self.tables.get("clusters")
        if table is None:
            return pd.DataFrame(columns=["cluster_id", "period_from", "period_to", "p_value"])
        inside = table["reach_ids"].str.split(";").map(lambda ids: bool(set(ids) & set(reaches)))
        return table[inside & (table["p_value"] <= LEVEL)]


Verdict = list[tuple[str, bool]]


def judge_new(found: Found) -> Verdict:
    """A reach of the pocket is of class hot_new, or a cluster there is active now; the pocket is hot in the last steps."""
    pocket = found.at("pocket")
    classed = (found.hotspots(pocket)["class"] == "hot_new").any()
    clusters = found.clusters(pocket)
    active = (day(clusters["period_to"]) >= found.end).any()
    return [("new: class hot_new or a cluster up to the end", bool(classed or active))]


def judge_unlooked(found: Found) -> Verdict:
    """Where nobody ever looked, and where nobody looked lately, nothing is said of the risk."""
    never, left = found.at("never_looked", "closed"), found.at("no_longer_looked", "closed")
    since = found.plants.loc[
        (found.plants["part"] == "no_longer_looked") & (found.plants["what"] == "closed"), "day_from"
    ]
    late = found.late.set_index("reach_id")
    return [
        ("never looked at: not_looked", bool((found.hotspots(never)["state"] == "not_looked").all())),
        ("never looked at: no class", bool((found.hotspots(never)["class"] == "none").all())),
        ("never looked at: no last look", bool(found.hotspots(never)["last_look"].isna().all())),
        ("tips from there are shown", bool(found.hotspots(never)["seizures_unpatrolled"].sum() > 0)),
        (
            "no longer looked at: last look before that",
            bool((day(found.hotspots(left)["last_look"]) <= since.min()).all()),
        ),
        ("no longer looked at: lately not_looked", bool((late.loc[never + left, "state"] == "not_looked").all())),
    ]


# Judged world by world. Null worlds are judged together in `silent`. The other kinds are shown, not judged: the tables
# that name them are not there yet.
JUDGES: dict[str, Callable[[Found], Verdict]] = {"new": judge_new, "unlooked": judge_unlooked}


def alarms(found: Found) -> dict[str, bool]:
    """By table, whether a world in which nothing is planted raised an alarm at the 5 % level."""
    raised = {"hotspots q_value": bool((found.tables["hotspots"]["q_value"] <= LEVEL).any())}
    if "clusters" in found.tables:
        raised["clusters p_value"] = bool((found.tables["clusters"]["p_value"] <= LEVEL).any())
    return raised


def silent(worlds: list[dict[str, bool]]) -> Verdict:
    """Alarms of null worlds, a method at a time: more worlds than all but 0.1 % of chance would bring is too many."""
    most = int(binom.ppf(1 - CHANCE, len(worlds), LEVEL))
    verdict = []
    for name in sorted({name for world in worlds for name in world}):
        number = sum(world[name] for world in worlds)
        verdict.append((f"null: {name} {number} alarms in {len(worlds)} worlds, at most {most}", number <= most))
    return verdict


def day(times: pd.Series) -> pd.Series:
    """Shanghai days of exported times."""
    return times.astype("string").str.slice(0, 10)


def world(folder: Path, kind: str, seed: int, tables: list[str]) -> Found:
    """Makes a world, sends its files through the front door, analyses it, reads back what was named."""
    made, workspace = folder / f"{kind}-{seed}", folder / f"workspace-{kind}-{seed}"
    told = run(workspace, "simulate", "--seed", str(seed), "--plant", kind, "-o", str(made))
    run(workspace, "init")
    for sort in ("river", "zones", "units", "tracks", "patrols", "seizures"):
        for path in sorted(made.glob(f"{sort}_*")):
            receipt = run(workspace, "import", sort, str(path))
            rows = receipt["rows"]
            assert isinstance(rows, dict)
            if rows["quarantined"]:
                raise SystemExit(f"{path.name}: {rows['quarantined']} rows refused")
    totals = told["totals"]
    assert isinstance(totals, dict)
    start = str(totals["start"])
    end = str((pd.Timestamp(start) + pd.Timedelta(days=int(totals["days"]))).date())
    late = str((pd.Timestamp(end) - pd.Timedelta(days=168)).date())
    run(workspace, "analyse", "--from", late, "--to", end)
    lately = exported(folder, workspace, "hotspots")
    run(workspace, "analyse", "--from", start, "--to", end, "--methods", "all")
    frames = {}
    for table in tables:
        try:
            frames[table] = exported(folder, workspace, table)
        except SystemExit as error:
            if "no_such_result" not in str(error):
                raise
            print(f"     {kind} {seed}: this run has no table {table}")
    plants = pd.read_csv(made / "truth" / "plants.csv", encoding="utf-8")
    return Found(frames, lately, plants, start, end)


def exported(folder: Path, workspace: Path, table: str) -> pd.DataFrame:
    path = folder / f"{workspace.name}-{table}.csv"
    run(workspace, "export", table, "-o", str(path))
    return pd.read_csv(path, encoding="utf-8-sig", low_memory=False)


def show(found: Found, kind: str, seed: int) -> None:
    """What each table says of the planted reaches, part by part."""
    stretches = found.plants[~found.plants["what"].isin(["rounds"]) & (found.plants["part"] != "basin")]
    for part in sorted(set(stretches["part"])):
        reaches = found.at(part)
        here = found.hotspots(reaches)
        words = [f"{name} {here[name].value_counts().to_dict()}" for name in ("state", "class")]
        words.append(f"rr {here['rr'].median():.2f} p_hot {here['p_hot'].median():.2f} q {here['q_value'].min():.3f}")
        print(f"     {kind} {seed} {part} hotspots: {'; '.join(words)}")
        for name, table in found.tables.items():
            if name == "hotspots":
                continue
            column = next((column for column in ("reach_ids", "reach_id") if column in table), None)
            if column is None:
                print(f"     {kind} {seed} {name}: {table.head(3).to_dict('records')}")
                continue
            inside = table[column].astype(str).str.split(";").map(lambda ids, mine=set(reaches): bool(set(ids) & mine))
            rows = table[inside].drop(columns=column).head(3)
            print(f"     {kind} {seed} {part} {name}: {inside.sum()} rows {rows.to_dict('records')}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kinds", nargs="+", default=list(PLANTS), choices=list(PLANTS))
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--first", type=int, default=1)
    parser.add_argument("--tables", nargs="+", default=list(TABLES), help="result tables to export and show")
    asked = parser.parse_args()
    verdicts: Verdict = []
    quiet: list[dict[str, bool]] = []
    for kind in asked.kinds:
        for seed in range(asked.first, asked.first + asked.seeds):
            with tempfile.TemporaryDirectory() as folder:
                found = world(Path(folder), kind, seed, asked.tables)
            show(found, kind, seed)
            if kind == "null":
                quiet.append(alarms(found))
                print(
                    f"     null {seed} {quiet[-1]} states {found.tables['hotspots']['state'].value_counts().to_dict()}"
                )
            mine = JUDGES[kind](found) if kind in JUDGES else []
            for question, right in mine:
                print("ok  " if right else "FAIL", kind, seed, question, flush=True)
            verdicts += mine
    together = silent(quiet) if quiet else []
    for question, right in together:
        print("ok  " if right else "FAIL", question)
    unjudged = [kind for kind in asked.kinds if kind not in JUDGES and kind != "null"]
    if unjudged:
        print(f"shown, not judged: {', '.join(unjudged)}")
    sys.exit(0 if all(right for _, right in verdicts + together) else 1)


if __name__ == "__main__":
    main()
