"""The methods of the main job from tables to tables: what `--methods` runs, that nothing breaks on too little data, and
sentences.

The river is that of `test_workspace`: 19.3 km along latitude 30, mouth in the east, 39 reaches. Hours come from patrols
told in words, whose time is shared over the km they name.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import shapely

from geo_monitor import open as open_workspace
from geo_monitor.errors import Usage
from geo_monitor.pipeline import METHODS
from geo_monitor.tables import TABLES
from geo_monitor.workspace import Run, Workspace
from tests.store.uploads import fixes, seizures
from tests.test_workspace import line, put

NOW = datetime(2026, 7, 1, tzinfo=UTC)
RECEIVED = "2026-06-30T00:00:00Z"
# table a method writes; rates and Gi* write hotspots, emerging its class
OF_METHOD = {
    "scan": {"clusters"},
    "near_repeat": {"near_repeat"},
    "reemergence": {"reemergence", "relapse_curve"},
    "displacement": {"displacement"},
    "forecast": {"forecast"},
    "why": {"why"},
    "predictability": {"predictability"},
}
ALWAYS = {"reaches", "links", "zone_visits", "seizure_links", "effort", "effort_gaps", "patrols", "hotspots"}
DAYS = 290  # ten steps of 28 days and ten days left over
KM_EAST = 112.2  # longitude of the mouth
DEGREE_KM = 96.48628


def told(days: int = DAYS, hours: float = 12.0, every: int = 2, km: tuple[float, float] = (0.0, 19.0)) -> pd.DataFrame:
    """Patrols told in words, one every `every` days over `km`, the last on 30 May."""
    start = pd.Timestamp("2026-05-30T00:00Z") - pd.to_timedelta(np.arange(0, days, every)[::-1], unit="D")
    return pd.DataFrame(
        {
            "patrol_id": [f"p{number}" for number in range(len(start))],
            "unit_id": "b",
            "started_at": start,
            "ended_at": start + pd.Timedelta(hours=hours),
            "river": "江",
            "km_from": km[0],
            "km_to": km[1],
            "how": "reported",
        }
    )


def cases(km: list[float], days_ago: list[int], disposition: str = "criminal") -> pd.DataFrame:
    """Reports found by patrol at chainages, so many days before 30 May."""
    time = pd.Timestamp("2026-05-30T04:00Z") - pd.to_timedelta(days_ago, unit="D")
    return seizures(
        report_id=[f"s{number}" for number in range(len(km))],
        time=time,
        lon=[KM_EAST - place / DEGREE_KM for place in km],
        lat=[30.0] * len(km),
        origin=["patrol"] * len(km),
        setting=["water"] * len(km),
        disposition=[disposition] * len(km),
    )


def made(
    folder: Path,
    patrols: pd.DataFrame | None = None,
    reports: pd.DataFrame | None = None,
    river: pd.DataFrame | None = None,
    tracks: pd.DataFrame | None = None,
) -> Workspace:
    workspace = open_workspace(folder / "ws")
    put(workspace, folder, "river", line() if river is None else river, "r-river", RECEIVED)
    for kind, rows in (("patrols", patrols), ("seizures", reports), ("tracks", tracks)):
        if rows is not None:
            put(workspace, folder, kind, rows, f"r-{kind}", RECEIVED)
    return workspace


def checked(run: Run) -> dict[str, pd.DataFrame]:
    """Every result table of a run with all methods, once each was found to be as `tables.py` says, without an
    infinite number, and empty only where that may be."""
    frames = {name: run.table(name) for name in sorted(ALWAYS.union(*OF_METHOD.values()))}
    for name, frame in frames.items():
        TABLES[name].check(frame)
        for column in frame.select_dtypes("number"):
            assert np.isfinite(frame[column].dropna().to_numpy(dtype=float)).all(), (name, column)
    for name in ("hotspots", "why", "forecast"):
        assert set(frames[name]["reach_id"]) <= set(frames["reaches"]["reach_id"])
    return frames


@pytest.fixture(scope="module")
def usual(tmp_path_factory: pytest.TempPathFactory) -> tuple[Workspace, Run]:
    """Every second day 12 h over 19 km; a hot kilometre (km 9 to 10) with a case a visit, and one case elsewhere in
    four visits."""
    rng = np.random.default_rng(3)
    ago = np.arange(0, DAYS, 2)
    some = ago[rng.random(len(ago)) < 0.25]
    km = [*rng.uniform(9.0, 10.0, len(ago)), *rng.uniform(0.0, 19.0, len(some))]
    track = fixes("t", "2026-05-20T00:00:00+00:00", 120).assign(lon=lambda frame: 112.0 + 0.001 * np.arange(len(frame)))
    workspace = made(tmp_path_factory.mktemp("usual"), told(), cases(km, [*ago, *some]), tracks=track)
    return workspace, workspace.analyse(methods="all", now=NOW)


def results(run: Run) -> set[str]:
    there = set()
    for name in TABLES:
        try:
            run.workspace.store.result(name, run.run_id)
        except Usage:
            continue
        there.add(name)
    return there


def test_rates_and_gistar_alone_unless_asked(usual: tuple[Workspace, Run]) -> None:
    run = usual[0].analyse(now=NOW)
    assert run.summary["methods"] == ["rates", "gistar"]
    assert not set(run.summary["timings"]) & set(METHODS)
    assert results(run) == ALWAYS | {"locating"}
    assert (run.table("hotspots")["class"] == "none").all()
    assert run.table("hotspots")["gi_z"].notna().any()
    with pytest.raises(Usage, match="clusters"):
        run.table("clusters")


def test_a_method_brings_rates_and_gistar_along(usual: tuple[Workspace, Run]) -> None:
    run = usual[0].analyse(methods="displacement , why", now=NOW)
    assert run.summary["methods"] == ["rates", "gistar", "displacement", "why"]
    assert results(run) == ALWAYS | {"locating", "displacement", "why"}
    assert usual[0].analyse(methods=["why", "displacement"], now=NOW).summary["methods"] == run.summary["methods"]


def test_all_is_every_method(usual: tuple[Workspace, Run]) -> None:
    run = usual[1]
    assert run.summary["methods"] == list(METHODS)
    assert set(METHODS) - {"rates", "gistar"} == {*OF_METHOD, "emerging"}
    assert results(run) == ALWAYS.union({"locating"}, *OF_METHOD.values())
    # in whatever order and company it is asked for
    assert usual[0].analyse(methods="why,all", now=NOW).summary["methods"] == list(METHODS)


@pytest.mark.parametrize("methods", ["magic", "rates,magic", "all,magic", "", " , ", []])
def test_methods_that_are_none_are_refused(usual: tuple[Workspace, Run], methods: str | list[str]) -> None:
    runs = len(usual[0].table("runs"))
    with pytest.raises(Usage) as refused:
        usual[0].analyse(methods=methods, now=NOW)
    assert refused.value.code == "method_unknown"
    assert len(usual[0].table("runs")) == runs


def test_a_hot_kilometre_is_named_by_every_method(usual: tuple[Workspace, Run]) -> None:
    """Reaches at km 9.0-9.5 and 9.5-10.0 (km 0 is at the mouth, within the length of a reach)."""
    frames = checked(usual[1])
    hot = frames["hotspots"].set_index("reach_id")
    pocket = hot.index[(hot["km_from"] > 8.8) & (hot["km_to"] < 10.2)]
    assert len(pocket) == 2
    assert (hot.loc[pocket, "state"] == "hot").all()
    assert hot.loc[pocket, "class"].isin(["hot_persistent", "hot_intensifying", "hot_diminishing"]).all()
    clusters = frames["clusters"].set_index("cluster_id")
    for kind in ("now", "ever"):
        assert clusters["reach_ids"].map(set)[f"{kind}-1"] == set(pocket)
        assert clusters.loc[f"{kind}-1", "p_value"] == 0.001
    # hot to the last day and a penalty in every step: watched, from the end of the period
    watched = frames["reemergence"]
    assert watched["reach_ids"].map(set).tolist() == [set(pocket)]
    assert watched["state"].tolist() == ["watching"]
    assert watched["watch_from"].tolist() == [pd.Timestamp("2026-05-30T16:00Z")]
    forecast = frames["forecast"].set_index("reach_id")["rate"]
    assert forecast[pocket].min() > forecast.drop(pocket).max()
    assert frames["predictability"]["patrols"].tolist() == [1]
    # evenly every second day: no surge
    assert len(frames["displacement"]) == 0


def test_tracks_that_lie_on_no_river_are_no_fault(tmp_path: Path) -> None:
    """Some on the river, and in another block some a degree away from it."""
    there = fixes("t", "2026-05-20T00:00:00+00:00", 120).assign(lon=lambda frame: 112.0 + 0.001 * np.arange(len(frame)))
    away = fixes("u", "2026-04-20T00:00:00+00:00", 120).assign(lat=31.0)
    workspace = made(tmp_path, tracks=pd.concat([there, away], ignore_index=True))
    frames = checked(workspace.analyse(methods="all", now=NOW))
    assert sorted(frames["predictability"]["unit_id"]) == ["t", "u"]
    only = made(tmp_path / "only", tracks=away)
    checked(only.analyse(methods="all", now=NOW))


def test_cases_from_before_any_hours_are_told_and_cost_nothing(usual: tuple[Workspace, Run], tmp_path: Path) -> None:
    """Two cases six years before the first patrol: in the rates, as everything is, and told; no cluster is found by them."""
    rng = np.random.default_rng(5)
    ago = [*range(0, DAYS, 2)]
    km = [*rng.uniform(9.0, 10.0, len(ago))]
    plain = made(tmp_path / "plain", told(), cases(km, ago)).analyse(methods="all", now=NOW)
    early = made(tmp_path / "early", told(), cases([*km, 3.2, 3.3], [*ago, 2200, 2201]))
    run = early.analyse(methods="all", now=NOW)
    code = {note["code"]: note["params"] for note in run.summary["notes"]}
    assert code["cases_beyond_hours"] == {"count": 2, "first": "2025-08-15", "last": "2026-05-30"}
    assert "cases_beyond_hours" not in {note["code"] for note in plain.summary["notes"]}
    # ten days more are a step of their own, so the windows may be others
    one, other = (checked(done)["clusters"][["kind", "reach_ids", "p_value"]] for done in (plain, run))
    pd.testing.assert_frame_equal(one, other)


def test_nobody_looked_is_told(tmp_path: Path) -> None:
    run = made(tmp_path, reports=cases([3.0], [1])).analyse(now=NOW)
    assert "no_hours" in {note["code"] for note in run.summary["notes"]}


# --- sentences ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("language", ["zh", "en"])
def test_a_sentence_holds_its_figures_and_no_blank(usual: tuple[Workspace, Run], language: str) -> None:
    table = usual[1].table("why")
    assert len(table) > 30
    hot = usual[1].table("hotspots").set_index("reach_id")
    for row in table.to_dict("records"):
        sentence = str(row[language])
        figures = [
            str(row["river"]),
            f"{row['km_from']:.1f}-{row['km_to']:.1f}",
            f"{row['seizures']}",
            f"{row['exposure_h']:.1f}",
            f"{hot['patrol_h'][row['reach_id']]:.1f}",
            f"{10 * row['rate']:.2f}",
            f"{10 * row['rate_lo']:.2f}-{10 * row['rate_hi']:.2f}",
            f"{10 * row['basin_rate']:.2f}",
            f"{row['rate'] / row['basin_rate']:.1f}",
            f"{row['near_seizures']}",
            f"{row['near_h']:.1f}",
            f"{10 * row['rate_alone']:.2f}",
            f"{100 * row['narrowing']:.0f}",
        ]
        if not pd.isna(row["like_reach_id"]):
            figures += [f"{row['like_m'] / 1000:.1f}", f"{row['like_seizures']:.0f}", f"{row['like_h']:.1f}"]
        if not pd.isna(row["last_look"]):
            figures.append(row["last_look"].tz_convert("Asia/Shanghai").strftime("%Y-%m-%d %H:%M"))
        for figure in figures:
            assert figure in sentence, (figure, sentence)
        assert not re.search(r"nan|None|NaT|<NA>|inf\b|[{}]|  ", sentence), sentence
        assert sentence.endswith("。" if language == "zh" else ".")
        assert not set(sentence) & set(";,?!()" if language == "zh" else "；，：。"), sentence
        assert sentence.count("。" if language == "zh" else ". ") == (1 if language == "zh" else 0)


def test_sentences_name_state_and_recommend_where_nobody_looked(tmp_path: Path) -> None:
    """Patrols keep to km 0-9: beyond, a shift is recommended, up to 2 km from where somebody looked; farther, no row."""
    workspace = made(tmp_path, told(60, km=(0.0, 9.0)), cases([3.2] * 12, list(range(0, 60, 5))))
    run = workspace.analyse(methods="why", now=NOW)
    why = run.table("why").set_index("km_from")
    unlooked = why[why["state"] == "not_looked"]
    assert len(unlooked) == 4
    assert unlooked["en"].str.contains("cannot be judged").all()
    assert unlooked["en"].str.contains("one more shift is recommended").all()
    assert unlooked["zh"].str.contains("不作判断").all()
    assert unlooked["zh"].str.contains("建议增派一班巡查").all()
    never = unlooked[unlooked["exposure_h"] == 0]
    assert never["en"].str.contains("nobody looked in the period").all()
    assert never["zh"].str.contains("本期无人巡查").all()
    assert never["like_reach_id"].isna().all()
    hot = why[why["state"] == "hot"]
    assert len(hot) == 1
    assert hot["seizures"].tolist() == [12]
    assert hot["en"].str.contains("is hot: 12 cases").all()
    assert hot["zh"].str.contains("为高发").all()


@pytest.mark.parametrize(
    ("many", "few", "zh", "en"),
    [(20, 2, "估计值可能偏高", "may be too high"), (2, 8, "估计值可能偏低", "may be too low")],
)
def test_a_sentence_says_which_way_a_rate_leans(tmp_path: Path, many: int, few: int, zh: str, en: str) -> None:
    """Km 0-10 have some three times the hours of km 10-19, and more cases an hour there or fewer."""
    below, above = told(km=(0.0, 10.0)), told(every=6, km=(10.0, 19.0))
    above = above.assign(patrol_id="q" + above["patrol_id"], unit_id="c")
    middles = np.arange(38) / 2 + 0.25
    km = np.repeat(middles, np.where(middles < 10, many, few))
    workspace = made(tmp_path, pd.concat([below, above]), cases(list(km), [2 * (n % 100) for n in range(len(km))]))
    run = workspace.analyse(methods="why", now=NOW)
    assert run.summary["effort_habit"]["leans"] == ("follows" if many > few else "avoids")
    why = run.table("why")
    lean = why["km_from"] >= 10.0
    assert (lean.sum(), (~lean).sum()) == (19, 20)
    for language, words in (("zh", zh), ("en", en)):
        assert (why[language].str.contains(words) == lean).all()


# --- too little data ------------------------------------------------------------------------------------------------


def test_nothing_but_a_river(tmp_path: Path) -> None:
    frames = checked(made(tmp_path).analyse(methods="all", now=NOW))
    assert (frames["hotspots"]["state"] == "not_looked").all()
    assert (frames["hotspots"]["class"] == "none").all()
    for name in set().union(*OF_METHOD.values()):
        assert len(frames[name]) == 0, name


def test_no_seizures_at_all(tmp_path: Path) -> None:
    frames = checked(made(tmp_path, told()).analyse(methods="all", now=NOW))
    assert frames["hotspots"]["exposure_h"].sum() > 1000
    assert not frames["hotspots"]["state"].isin(["hot"]).any()
    assert (frames["hotspots"]["class"] == "none").all()
    for name in ("clusters", "near_repeat", "reemergence", "displacement"):
        assert len(frames[name]) == 0, name
    assert len(frames["why"]) == len(frames["forecast"]) == len(frames["reaches"])


def test_one_seizure(tmp_path: Path) -> None:
    run = made(tmp_path, told(), cases([9.2], [40])).analyse(methods="all", now=NOW)
    frames = checked(run)
    assert frames["hotspots"]["seizures"].sum() == 1
    # one case is no cluster: it lies somewhere with any chance
    assert (frames["clusters"]["p_value"] > 0.05).all()
    assert len(frames["reemergence"]) == 0
    assert not frames["near_repeat"]["raised"].any()
    assert run.summary["near_repeat"]["cases"] == 1
    assert run.summary["near_repeat"]["window_km"] is None


def test_seizures_and_nobody_looked(tmp_path: Path) -> None:
    run = made(tmp_path, None, cases([9.2] * 30, [*range(0, 290, 10), 1])).analyse(methods="all", now=NOW)
    frames = checked(run)
    assert (frames["hotspots"]["state"] == "not_looked").all()
    assert (frames["hotspots"]["class"] == "none").all()
    for name in ("clusters", "reemergence", "displacement", "why", "predictability"):
        assert len(frames[name]) == 0, name
    assert run.summary["near_repeat"]["left_out"] == 30
    assert not frames["near_repeat"]["raised"].any()


def test_all_cases_in_one_reach_of_ten_thousand_hours(tmp_path: Path) -> None:
    """Beside the rounds, ten posts of 1,050 h each at km 9.05-9.35, from 60 days before the end on; 90 cases there and none
    elsewhere."""
    posts = told(10, 1050.0, every=1, km=(9.05, 9.35)).assign(unit_id=[f"c{number}" for number in range(10)])
    posts["patrol_id"] += "-post"
    for name in ("started_at", "ended_at"):
        posts[name] -= pd.Timedelta(days=60)
    patrols = pd.concat([told(), posts], ignore_index=True)
    frames = checked(made(tmp_path, patrols, cases([9.2] * 90, list(range(90)))).analyse(methods="all", now=NOW))
    hot = frames["hotspots"]
    assert hot["exposure_h"].max() > 10_000
    assert (hot["seizures"] > 0).sum() == 1
    assert hot["seizures"].max() == 90
    # the posts are a surge without half a year after it: nothing to compare, and no figure made up
    assert frames["displacement"]["verdict"].tolist() == ["not_enough_looking"]
    assert frames["displacement"]["ratio_treated"].isna().all()
    named = set(frames["clusters"].loc[frames["clusters"]["p_value"] <= 0.05, "reach_ids"].explode())
    assert named <= {*hot.loc[hot["seizures"] > 0, "reach_id"]}


def test_a_river_of_one_reach(tmp_path: Path) -> None:
    river = line()
    river["geometry"] = [shapely.LineString([(112.196, 30.0), (112.2, 30.0)])]
    patrols, reports = told(km=(0.0, 0.38)), cases([0.2] * 29, list(range(0, 290, 10)))
    frames = checked(made(tmp_path, patrols, reports, river).analyse(methods="all", now=NOW))
    assert len(frames["hotspots"]) == 1
    assert frames["hotspots"]["seizures"].tolist() == [29]
    # nothing to be compared with
    assert frames["hotspots"]["state"].tolist() == ["normal"]
    assert frames["hotspots"]["class"].tolist() == ["none"]
    assert (frames["clusters"]["p_value"] > 0.05).all()
    assert len(frames["why"]) == len(frames["forecast"]) == 1
    assert len(frames["reemergence"]) == len(frames["displacement"]) == 0


def test_waters_that_do_not_meet(tmp_path: Path) -> None:
    """Three rivers, 50 km apart; the middle one is a single reach. Cases on the first only."""
    one = line()
    short = one.assign(line_id="2", river="河")
    short["geometry"] = [shapely.LineString([(112.0, 30.5), (112.004, 30.5)])]
    other = one.assign(line_id="3", river="湖口水道")
    other["geometry"] = [shapely.LineString([(112.0, 31.0), (112.1, 31.0)])]
    river = pd.concat([one, short, other], ignore_index=True)
    parts = [told()]
    for name, end in (("河", 0.38), ("湖口水道", 9.0)):
        part = told(every=4, km=(0.0, end)).assign(river=name, unit_id=name)
        part["patrol_id"] += name
        parts.append(part)
    km, ago = [9.2] * 30, list(range(0, 300, 10))
    run = made(tmp_path, pd.concat(parts, ignore_index=True), cases(km, ago), river).analyse(methods="all", now=NOW)
    frames = checked(run)
    assert set(frames["hotspots"]["river"]) == {"江", "河", "湖口水道"}
    assert frames["hotspots"].groupby("river")["exposure_h"].sum().min() > 0
    named = frames["clusters"][frames["clusters"]["p_value"] <= 0.05]["reach_ids"].explode()
    at = frames["hotspots"].set_index("reach_id")
    assert len(named)
    assert set(at.loc[named, "river"]) == {"江"}


@pytest.mark.parametrize(
    ("start", "end", "hours"),
    [
        ("2026-05-30", "2026-05-31", 12.0),  # one day
        ("2026-05-20", "2026-05-31", 6 * 12.0),  # no whole step
        ("2026-04-20", "2026-05-31", 21 * 12.0),  # one step, and 13 days left over
        ("2020-01-01", "2020-02-01", 0.0),  # before anything
        ("2030-01-01", None, 0.0),  # after everything
    ],
)
def test_short_and_empty_periods(usual: tuple[Workspace, Run], start: str, end: str | None, hours: float) -> None:
    run = usual[0].analyse(start, end, methods="all", now=NOW)
    frames = checked(run)
    # the track of 20 May adds two hours
    assert frames["effort"]["reported_minutes"].sum() / 60 == pytest.approx(hours)
    assert (frames["hotspots"]["class"] == "none").all()
    if hours == 0:
        for name in set().union(*OF_METHOD.values()):
            assert len(frames[name]) == 0, name
    else:
        assert len(frames["forecast"]) == len(frames["reaches"])


def test_a_period_that_ends_before_it_begins_is_refused(usual: tuple[Workspace, Run]) -> None:
    with pytest.raises(Usage, match="not before"):
        usual[0].analyse("2026-05-30", "2026-05-30", methods="all", now=NOW)


def test_patrols_that_keep_away_from_the_risk_are_told(tmp_path: Path) -> None:
    """A case every half kilometre; the lower half of the river has four times the hours: a quarter of the cases an hour."""
    everywhere = told(hours=6.0)
    twice = told(hours=18.0, km=(0.0, 9.5)).assign(unit_id="c")
    twice["patrol_id"] += "c"
    reports = cases((0.25 + 0.5 * np.arange(38)).tolist(), [1] * 38)
    workspace = made(tmp_path, pd.concat([everywhere, twice], ignore_index=True), reports)
    summary = workspace.analyse(now=NOW).summary
    assert summary["effort_habit"]["leans"] == "avoids"
    assert summary["effort_habit"]["times_at_twice_the_hours"] == pytest.approx(0.5, abs=0.03)
    assert summary["notes"][0]["code"] == "effort_avoids"
    even = made(tmp_path / "even", everywhere, reports).analyse(now=NOW).summary
    assert [note for note in even["notes"] if note["code"].startswith("effort_")] == []
