"""Planted worlds end to end through the command line: what is planted must be named for what it is.

    python checks/planted.py --kinds null new unlooked --seeds 3

A world a kind and seed: simulate, init, import of every file, analyse with all methods, export. Prints what each table named
at the planted reaches and whether that was right; exits 1 where it was not. What chance alone may raise (worlds in which
nothing, or only a season of the whole river, is planted) is judged over all such worlds together: no more alarms than the
stated rate explains. `--keep DIR` keeps the worlds and makes only those that are not there.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
from scipy.stats import binom
from worlds import run

from geo_monitor.settings import Settings
from geo_monitor.simulate import PLANTS

TABLES = ("hotspots", "clusters", "near_repeat", "reemergence", "displacement", "why")
LEVEL = 0.05  # of a q-value or p-value that is an alarm
CHANCE = 0.001  # chance of failing worlds without a plant although alarms come at the stated rate
LATELY = 168  # days; the end of the world, analysed by itself for the kind `unlooked`
QUIET = ("null", "season_basin")  # kinds in which no place is hot


@dataclass
class Found:
    """One world and what was made of it.

    tables : exported tables by name
    summary : of the run
    plants : truth/plants.csv
    start, end : first day, and the day after the last
    late : `hotspots` of the last 168 days alone; None where not asked for
    """

    tables: dict[str, pd.DataFrame]
    summary: dict[str, object]
    plants: pd.DataFrame
    start: str
    end: str
    late: pd.DataFrame | None = None

    def spells(self, part: str, what: str = "risk") -> pd.DataFrame:
        return self.plants[(self.plants["part"] == part) & (self.plants["what"] == what)]

    def at(self, part: str, what: str = "risk") -> list[str]:
        """Reaches of a part of what is planted."""
        return sorted(set(self.spells(part, what)["reach_id"]))

    def hotspots(self, reaches: list[str]) -> pd.DataFrame:
        return self.tables["hotspots"].set_index("reach_id").loc[reaches]

    def places(self, name: str, reaches: list[str]) -> pd.DataFrame:
        """Rows of a table of places that hold any of the reaches."""
        table = self.tables[name]
        inside = [bool(set(ids.split(";")) & set(reaches)) for ids in table["reach_ids"].astype(str)]
        return table[pd.Series(inside, index=table.index, dtype=bool)]

    def active(self, reaches: list[str] | None = None) -> pd.DataFrame:
        """Significant clusters that are active now; those that hold any of the reaches."""
        table = self.tables["clusters"] if reaches is None else self.places("clusters", reaches)
        return table[(table["kind"] == "now") & (table["p_value"] <= LEVEL)]


Verdict = list[tuple[str, bool]]


def judge_new(found: Found) -> Verdict:
    """The pocket is of a class that has just begun, or a cluster there is active now and began in the last two steps."""
    pocket = found.at("pocket")
    named = found.hotspots(pocket)["class"].isin(["hot_new", "hot_consecutive"]).mean()
    began = day(found.active(pocket)["period_from"]).max()
    recent = str((pd.Timestamp(found.end) - pd.Timedelta(days=2 * Settings().step_days)).date())
    return [
        (f"hot_new or hot_consecutive in {named:.0%} of the pocket", named >= 0.5),
        (f"a cluster there is active now, since {began}", bool(not pd.isna(began) and began >= recent)),
    ]


def judge_steady(found: Found) -> Verdict:
    pocket = found.hotspots(found.at("pocket"))
    named = pocket["class"].isin(["hot_persistent", "hot_intensifying", "hot_diminishing"]).mean()
    hot = (pocket["state"] == "hot").mean()
    return [
        (f"persistent, intensifying or diminishing in {named:.0%} of the pocket", named >= 0.5),
        (f"hot in {hot:.0%} of it", hot >= 0.5),
    ]


def judge_displaced(found: Found) -> Verdict:
    """The operation is found, and told to have moved offenders to the side they moved to; where they are now is new."""
    pocket, ring = found.at("pocket"), found.at("ring")
    km = found.tables["hotspots"].set_index("reach_id")["km_from"]
    side = "displaced_up" if km[ring].mean() > km[pocket].mean() else "displaced_down"
    surge = day(found.spells("pocket", "operation")["day_from"]).min()
    rows = found.places("displacement", pocket)
    rows = rows[(day(rows["surge_from"]) <= surge) & (day(rows["surge_to"]) > surge)]
    told = rows["verdict"].tolist()
    active = day(found.active(ring)["period_from"]).tolist()
    watched = found.places("reemergence", pocket)
    return [
        (f"the operation of {surge}: {told}, truth {side}", side in told),
        (f"the ring is a cluster active now, since {active}", bool(active)),
        (
            f"the pocket is watched and quiet: {watched['state'].tolist()}",
            bool(watched["state"].isin(["quiet", "watching"]).any() and not (watched["state"] == "back").any()),
        ),
    ]


def judge_reemerging(found: Found) -> Verdict:
    pocket = found.at("pocket")
    returned = found.spells("pocket")["day_from"].max()
    rows = found.places("reemergence", pocket)
    back = day(rows.loc[rows["state"] == "back", "back_at"]).tolist()
    told = found.places("displacement", pocket)["verdict"].tolist()
    return [
        (f"back at {back}, truth from {returned}", any(returned < at <= found.end for at in back)),
        ("not told back before it was", all(at > returned for at in back)),
        (f"the operation helped and moved nothing: {told}", bool({"dropped", "diffused"} & set(told))),
    ]


def judge_season(found: Found) -> Verdict:
    """Hot in two winters and not between: it comes and goes. The rules of `class` call that oscillating where a step
    between was cold, else sporadic; never new, and not persistent, since it is hot in 6 or 7 of 26 steps. That it is
    active now is true: the world ends in winter."""
    pocket = found.hotspots(found.at("pocket"))
    named = pocket["class"].isin(["hot_sporadic", "hot_oscillating"]).mean()
    fresh = (pocket["class"] == "hot_new").mean()
    return [
        (f"sporadic or oscillating in {named:.0%} of the pocket", named >= 0.5),
        (f"hot_new in {fresh:.0%} of it", fresh <= 1 / 6),
    ]


def judge_unlooked(found: Found) -> Verdict:
    """Where nobody ever looked, and where nobody looked lately, nothing is said of the risk, and a shift is asked for."""
    never, left = found.at("never_looked", "closed"), found.at("no_longer_looked", "closed")
    since = found.spells("no_longer_looked", "closed")["day_from"].min()
    assert found.late is not None
    late = found.late.set_index("reach_id").loc[never + left]
    why = found.tables["why"].set_index("reach_id").reindex(never)
    watched = found.places("reemergence", left)["state"].tolist()
    return [
        ("never looked at: not_looked", bool((found.hotspots(never)["state"] == "not_looked").all())),
        ("never looked at: no class", bool((found.hotspots(never)["class"] == "none").all())),
        ("never looked at: no last look", bool(found.hotspots(never)["last_look"].isna().all())),
        ("tips from there are shown", bool(found.hotspots(never)["seizures_unpatrolled"].sum() > 0)),
        (
            f"never looked at: a shift is recommended, narrowing {why['narrowing'].round(2).tolist()}",
            bool(why["en"].str.contains("is recommended").all() and why["zh"].str.contains("建议").all()),
        ),
        ("no longer looked at: last look before that", bool((day(found.hotspots(left)["last_look"]) <= since).all())),
        ("no longer looked at: lately not_looked", bool((late["state"] == "not_looked").all())),
        (
            "no longer looked at: no class, not active now",
            bool((late["class"] == "none").all()) and found.active(left).empty,
        ),
        (f"it was hot, and is quiet because nobody looked: {watched}", "quiet_not_looked" in watched),
    ]


def judge_near_repeat(found: Found) -> Verdict:
    """Bands within 1 km and 14 days are raised, and more than any beyond (repeats of repeats reach farther and later); or
    it is said that patrols went back to their cases, so that there is no answer."""
    told = found.summary["near_repeat"]
    assert isinstance(told, dict)
    if not told["answered"]:
        limit = Settings().near_repeat_returned
        return [(f"not answered, hours after a case over before {told['returned']}", told["returned"] > limit)]
    bands = found.tables["near_repeat"]
    raised = bands[bands["raised"]]
    within = (raised["km_to"] <= 1) & (raised["days_to"] <= 14)
    window = f"window {told['window_days']} days, {told['window_km']} km; truth 14 and 1"
    return [
        (f"{within.sum()} bands raised within 1 km and 14 days ({window})", bool(within.any())),
        ("and more than any beyond", bool(raised.loc[within, "ratio"].max() == raised["ratio"].max())),
    ]


JUDGES: dict[str, Callable[[Found], Verdict]] = {
    "new": judge_new,
    "steady": judge_steady,
    "displaced": judge_displaced,
    "reemerging": judge_reemerging,
    "season": judge_season,
    "unlooked": judge_unlooked,
    "near_repeat": judge_near_repeat,
}


def alarms(found: Found, kind: str) -> dict[str, bool]:
    """By table, whether a world in which no place is hot raised an alarm."""
    tables = found.tables
    raised = {
        "hotspots q_value": bool((tables["hotspots"]["q_value"] <= LEVEL).any()),
        "clusters now": not found.active().empty,
        "clusters ever": bool((tables["clusters"]["p_value"] <= LEVEL)[tables["clusters"]["kind"] == "ever"].any()),
        "reemergence": bool(len(tables["reemergence"])),
    }
    if kind == "null":  # a season is no repeat, but the level of 7 days moves within it
        raised["near_repeat raised"] = bool(tables["near_repeat"]["raised"].any())
    return raised


def silent(worlds: list[dict[str, bool]], kind: str) -> Verdict:
    """Alarms of such worlds, a method at a time: more worlds than all but 0.1 % of chance would bring is too many."""
    most = int(binom.ppf(1 - CHANCE, len(worlds), LEVEL))
    verdict = []
    for name in sorted({name for world in worlds for name in world}):
        number = sum(world[name] for world in worlds)
        verdict.append((f"{kind}: {name} {number} alarms in {len(worlds)} worlds, at most {most}", number <= most))
    return verdict


def seldom(founds: list[Found], kind: str) -> Verdict:
    """Reaches and operations that were named something where nothing is: 5 % of all at most, all worlds together."""
    classes: Counter[str] = Counter()
    verdicts: Counter[str] = Counter()
    for found in founds:
        hot = found.tables["hotspots"]
        classes.update(hot.loc[hot["state"] != "not_looked", "class"])
        verdicts.update(found.tables["displacement"]["verdict"])
    reaches, surges = classes.total(), verdicts.total()
    named = sum(number for name, number in classes.items() if name.startswith("hot_"))
    moved = sum(number for name, number in verdicts.items() if name.startswith("displaced"))
    return [
        (f"{kind}: hot classes in {named} of {reaches} reaches: {dict(classes)}", named <= LEVEL * reaches),
        (
            f"{kind}: displaced after {moved} of {surges} surges: {dict(verdicts)}",
            moved <= max(binom.ppf(1 - CHANCE, surges, LEVEL), 0),
        ),
    ]


def day(times: pd.Series) -> pd.Series:
    """Shanghai days of exported times."""
    return times.astype("string").str.slice(0, 10)


def world(folder: Path, kind: str, seed: int) -> Found:
    """Makes a world, sends its files through the front door, analyses it, reads back what was named."""
    made, workspace = folder / f"{kind}-{seed}", folder / f"workspace-{kind}-{seed}"
    if not workspace.exists():
        run(workspace, "simulate", "--seed", str(seed), "--plant", kind, "-o", str(made))
        run(workspace, "init")
        for sort in ("river", "zones", "units", "tracks", "patrols", "seizures"):
            for path in sorted(made.glob(f"{sort}_*")):
                receipt = run(workspace, "import", sort, str(path))
                rows = receipt["rows"]
                assert isinstance(rows, dict)
                if rows["quarantined"]:
                    raise SystemExit(f"{path.name}: {rows['quarantined']} rows refused")
    totals = pd.read_json(made / "truth" / "totals.json", typ="series")
    start = str(totals["start"])[:10]
    end = str((pd.Timestamp(start) + pd.Timedelta(days=int(totals["days"]))).date())
    plants = pd.read_csv(made / "truth" / "plants.csv", encoding="utf-8")
    late = None
    if kind == "unlooked":
        since = str((pd.Timestamp(end) - pd.Timedelta(days=LATELY)).date())
        run(workspace, "analyse", "--from", since, "--to", end)
        late = exported(folder, workspace, "hotspots")
    summary = run(workspace, "analyse", "--from", start, "--to", end, "--methods", "all")
    return Found({name: exported(folder, workspace, name) for name in TABLES}, summary, plants, start, end, late)


def exported(folder: Path, workspace: Path, table: str) -> pd.DataFrame:
    path = folder / f"{workspace.name}-{table}.csv"
    run(workspace, "export", table, "-o", str(path))
    return pd.read_csv(path, encoding="utf-8-sig", low_memory=False)


def show(found: Found, kind: str, seed: int) -> None:
    """What the tables say of the planted reaches, part by part."""
    stretches = found.plants[found.plants["part"].isin(["beat", "basin"]) == False]  # noqa: E712
    for part in sorted(set(stretches["part"])):
        reaches = found.at(part)
        here = found.hotspots(reaches)
        words = [f"{name} {here[name].value_counts().to_dict()}" for name in ("state", "class")]
        words.append(f"rr {here['rr'].median():.2f} p_hot {here['p_hot'].median():.2f} q {here['q_value'].min():.3f}")
        print(f"     {kind} {seed} {part} hotspots: {'; '.join(words)}")
        for name in ("clusters", "reemergence", "displacement"):
            rows = found.places(name, reaches).copy()
            if name == "clusters":
                rows = rows[rows["p_value"] <= LEVEL]
            rows["inside"] = [len(set(ids.split(";")) & set(reaches)) for ids in rows["reach_ids"]]
            rows["reaches"] = rows["reach_ids"].str.count(";") + 1
            keep = ["period_from", "period_to", "surge_from", "hot_from", "hot_to", "watch_from", "back_at"]
            keep += ["kind", "treatment", "state", "verdict", "inside", "reaches"]
            for row in rows[[column for column in keep if column in rows]].to_dict("records"):
                print(f"     {kind} {seed} {part} {name}: {row}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kinds", nargs="+", default=list(PLANTS), choices=list(PLANTS))
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--first", type=int, default=1)
    parser.add_argument("--keep", type=Path, help="folder that keeps the worlds")
    asked = parser.parse_args()
    verdicts: Verdict = []
    for kind in asked.kinds:
        quiet: list[Found] = []
        for seed in range(asked.first, asked.first + asked.seeds):
            if asked.keep is not None:
                asked.keep.mkdir(parents=True, exist_ok=True)
                found = world(asked.keep, kind, seed)
            else:
                with tempfile.TemporaryDirectory() as folder:
                    found = world(Path(folder), kind, seed)
            show(found, kind, seed)
            if kind in QUIET:
                quiet.append(found)
                print(f"     {kind} {seed} {alarms(found, kind)}", flush=True)
                continue
            for question, right in JUDGES[kind](found):
                print("ok  " if right else "FAIL", kind, seed, question, flush=True)
                verdicts.append((question, right))
        for question, right in (
            [*silent([alarms(found, kind) for found in quiet], kind), *seldom(quiet, kind)] if quiet else []
        ):
            print("ok  " if right else "FAIL", question, flush=True)
            verdicts.append((question, right))
    sys.exit(0 if all(right for _, right in verdicts) else 1)


if __name__ == "__main__":
    main()
