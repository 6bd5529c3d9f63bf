"""What stands under the map of the hotspots: intervals, two analyses beside each other, the watch, clusters."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd
import streamlit as st

from geo_monitor.app import controls, data, levels, panel
from geo_monitor.app.deck import plain
from geo_monitor.app.hotspots import compare, intervals
from geo_monitor.app.look import LOOKS
from geo_monitor.app.rows import rows
from geo_monitor.app.words import day, km, number, percent
from geo_monitor.messages import listed, text

if TYPE_CHECKING:
    from geo_monitor.app.words import Speaker

NAMES = ("intervals", "compare", "watch", "clusters")
HABITS = ("effort_follows", "effort_avoids")  # notes of a run
ROWS = 200  # rows of a table at most


def basin_rate(frame: pd.DataFrame) -> float:
    """Cases per hour of the basin: what `expected` of any looked-at reach was made with."""
    looked = frame[frame["exposure_h"] > 0]
    return float(looked["expected"].sum() / looked["exposure_h"].sum()) if len(looked) else float("nan")


def draw_intervals(run: pd.Series, area: pd.DataFrame, whole: pd.DataFrame, speaker: Speaker) -> None:
    """The worst looked-at reaches of the area, and which way intervals lean where patrols have a habit."""
    told = intervals.frame(levels.worst_first(area), speaker)
    if not len(told):
        st.info(speaker.say("intervals_none"))
        return
    chart = intervals.chart(told, basin_rate(whole), speaker, LOOKS[controls.theme()])
    st.vega_lite_chart(told, chart, key="chart-intervals", width="content")
    for note in data.summary(run)["notes"]:
        if note["code"] in HABITS:
            st.caption(text(note["code"], speaker.lang, **note["params"]))


def draw_compare(
    path: str, runs: pd.DataFrame, run: pd.Series, area: pd.DataFrame, shown: tuple[Any, ...], speaker: Speaker
) -> None:
    """This analysis beside another one, reach by reach."""
    say = speaker.say
    others = runs[runs["run_id"] != run["run_id"]]
    if not len(others):
        st.info(say("compare_none"))
        return
    named = {row["run_id"]: controls.run_label(row) for _, row in others.iterrows()}
    wanted = st.query_params.get("with")
    ids = list(named)
    chosen = st.selectbox(
        say("compare_with"), ids, index=ids.index(wanted) if wanted in ids else 0, format_func=named.__getitem__
    )
    controls.remember("with", chosen if chosen != ids[0] else None)
    before = others[others["run_id"] == chosen].iloc[0]
    st.caption(say("compare_periods", now=controls.run_label(run), before=named[chosen]))
    (a0, a1), (b0, b1) = data.period(run), data.period(before)
    if a0 < b1 and b0 < a1:
        st.warning(say("compare_overlap"))
    earlier = data.in_area(data.reaches(path, str(chosen), b1), shown)
    told = compare.table(area, earlier, speaker.settings.interval)
    counts = told["change"].value_counts()
    st.markdown(say("compare_counts", **{name: f"{counts.get(name, 0):,}" for name in compare.CHANGES}))
    listed = compare.worth_telling(told).head(ROWS)

    def span(row: Any, end: str) -> str:
        if getattr(row, f"state{end}") == "not_looked":
            return say("not_looked")
        low, high = (number(getattr(row, f"rate_{side}{end}")) for side in ("lo", "hi"))
        return f"{number(getattr(row, f'rate{end}'))} ({low}–{high})"

    shown_ = pd.DataFrame(
        {
            say("change"): [say(f"change_{name}") for name in listed["change"]],
            say("col_place"): [plain(speaker.place(row)) for row in rows(listed)],
            say("compare_rate"): [span(row, "") for row in rows(listed)],
            say("compare_rate_before"): [span(row, "_before") for row in rows(listed)],
            say("compare_ratio"): listed["ratio"].round(2).to_numpy(),
            say("compare_p"): ["" if p != p else percent(p) for p in listed["p_higher"]],
        }
    )
    _table(shown_, listed["reach_id"].tolist(), "compare")
    st.caption(say("compare_how"))


def draw_watch(path: str, run_id: str, area: pd.DataFrame, whole: pd.DataFrame, speaker: Speaker) -> None:
    """Places that were hot, were treated and went quiet, the likeliest to be back first."""
    say = speaker.say
    mine = _local(path, "reemergence", run_id, area)
    if mine is None:
        st.info(say("watch_none"))
        return
    listed = mine.sort_values(["p_back", "unlooked_days"], ascending=False, kind="stable").head(ROWS)
    firsts = [next(iter(ids)) for ids in listed["reach_ids"]]
    shown = pd.DataFrame(
        {
            say("watch_state"): [say(f"watch_{state}") for state in listed["state"]],
            say("watch_place"): [_place(ids, whole, speaker) for ids in listed["reach_ids"]],
            say("watch_p"): [percent(p) for p in listed["p_back"]],
            say("watch_treatment"): [say(f"watch_{name}") for name in listed["treatment"]],
            say("watch_since"): listed["watch_days"].round(0).to_numpy(),
            say("watch_unlooked"): listed["unlooked_days"].round(0).to_numpy(),
            say("watch_cases"): listed["seizures"].to_numpy(),
            say("watch_expected"): listed["expected_if_hot"].round(1).to_numpy(),
        }
    )
    _table(shown, firsts, "watch")


def draw_clusters(path: str, run_id: str, area: pd.DataFrame, whole: pd.DataFrame, speaker: Speaker) -> None:
    """Clusters of the scan statistic, the least likely to be chance first."""
    say = speaker.say
    mine = _local(path, "clusters", run_id, area)
    if mine is None:
        st.info(say("clusters_none"))
        return
    listed = mine.sort_values(["p_value", "llr"], ascending=[True, False], kind="stable").head(ROWS)
    joint = "–"
    shown = pd.DataFrame(
        {
            say("cluster_place"): [_place(ids, whole, speaker) for ids in listed["reach_ids"]],
            say("cluster_period"): [f"{day(row.period_from)}{joint}{day(row.period_to)}" for row in rows(listed)],
            say("cluster_cases"): listed["seizures"].to_numpy(),
            say("cluster_expected"): listed["expected"].round(1).to_numpy(),
            say("cluster_rr"): listed["rr"].round(1).to_numpy(),
            say("cluster_p"): listed["p_value"].round(3).to_numpy(),
        }
    )
    _table(shown, [next(iter(ids)) for ids in listed["reach_ids"]], "clusters")


def why(path: str, run_id: str, reach_id: str, speaker: Speaker) -> None:
    """What stands behind the rate of a reach, in one sentence of the analysis."""
    held = data.result(path, "why", run_id)
    if held is None:
        st.caption(speaker.say("why_none"))
        return
    found = held.loc[held["reach_id"] == reach_id, speaker.lang]
    if len(found):
        panel.sentence(speaker.say("why_head"), str(found.iloc[0]))


def _local(path: str, name: str, run_id: str, area: pd.DataFrame) -> pd.DataFrame | None:
    """Rows of a result that hold a reach of the area; None where the run has no such result, or it no such rows."""
    held, mine = data.result(path, name, run_id), set(area["reach_id"])
    if held is None:
        return None
    found = held[[bool(mine.intersection(ids)) for ids in held["reach_ids"]]]
    return found if len(found) else None


def _place(ids: Any, whole: pd.DataFrame, speaker: Speaker) -> str:
    """The waters of some reaches, each with its span."""
    held = whole[whole["reach_id"].isin(list(ids))]
    told = []
    for river, own in held.groupby("river", sort=False):
        channel, called = own[own["kind"] == "channel"], speaker.river(str(river))
        if len(channel):
            low, high = km(channel["km_from"].min()), km(channel["km_to"].max())
            called = speaker.say("place_km", river=called, low=low, high=high)
        told.append(called)
    return plain(listed(told, speaker.lang))


def _table(shown: pd.DataFrame, ids: list[str], name: str) -> None:
    """A table of which a click on a row chooses its reach."""
    key = f"{name}-{st.session_state.get(panel.TURN, 0)}"
    st.dataframe(
        shown,
        hide_index=True,
        on_select=lambda: panel.from_table(key, ids),
        selection_mode="single-cell",
        key=key,
    )
