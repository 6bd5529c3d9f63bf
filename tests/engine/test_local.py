"""The main job in blocks against the main job over everything at once, and what is worked on again when something changes."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from unittest import mock

import pandas as pd
import pytest

from geo_monitor import engine, joins, river
from geo_monitor.engine import blocks, earlier, work
from geo_monitor.engine.kept import FOLDER
from geo_monitor.errors import Refused, Usage
from geo_monitor.inputs import Period, read, with_platforms
from geo_monitor.settings import Settings
from geo_monitor.store import Store
from geo_monitor.store.compact import compact
from geo_monitor.workspace import Workspace
from tests.effort import reference
from tests.engine import worlds

FIX_COLUMNS = ("unit_id", "patrol_id", "time", "lon", "lat", "platform", "role")
TABLES = ("effort", "effort_gaps", "patrols", "zone_visits", "seizure_links", "hotspots")


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    return worlds.made(tmp_path_factory.mktemp("first"))


@pytest.fixture
def workspace(first: Workspace, tmp_path: Path) -> Workspace:
    shutil.copytree(first.root, tmp_path / "w", ignore=shutil.ignore_patterns(FOLDER))
    return Workspace(tmp_path / "w")


def tables(workspace: Workspace, **period: Any) -> dict[str, pd.DataFrame]:
    run = workspace.analyse(**period)
    return {name: run.table(name) for name in TABLES}


def same(one: dict[str, pd.DataFrame], other: dict[str, pd.DataFrame]) -> None:
    for name, frame in one.items():
        pd.testing.assert_frame_equal(frame, other[name], check_exact=True, obj=name)


@pytest.fixture(autouse=True)
def days_kept_as_one() -> Iterator[None]:
    """What earlier blocks gave is kept as one in a world of twelve days too."""
    with mock.patch.object(earlier, "DAYS", 4):
        yield


@contextmanager
def counted() -> Iterator[dict[str, int]]:
    """How many parts of blocks are worked on."""
    found = {"look": 0, "advance": 0, "nearest": 0, "chainage": 0}

    def counting(name: str) -> Any:
        do = getattr(work, name)

        def done(*given: Any) -> Any:
            found[name] += 1
            return do(*given)

        return done

    one_thread = mock.patch("geo_monitor.engine.local.THREADS", 1)
    with mock.patch.multiple(work, **{name: counting(name) for name in found}), one_thread:
        yield found


@pytest.mark.parametrize("beside", [False, True])
def test_blocks_give_what_everything_at_once_gives(workspace: Workspace, tmp_path: Path, beside: bool) -> None:
    if beside:
        worlds.border(workspace, tmp_path)
    found = tables(workspace)
    store, settings = Store(workspace.root), Settings()
    inputs = read(store, Period(), settings)
    drawn = inputs.river
    network = river.build(drawn.lines, drawn.lakes, drawn.marks, drawn.jurisdictions, settings=settings)
    fixes = with_platforms(store.positions(columns=FIX_COLUMNS, encoded=True), inputs.platforms)
    located = river.locate(fixes.select(["lon", "lat"]).combine_chunks().to_batches()[0], network)
    whole = reference.effort(fixes, located, network, settings, inputs.reported)
    visits = joins.zone_visits(fixes, inputs.zones, settings, inputs.levels)
    links = joins.seizure_links(inputs.seizures, fixes, inputs.zones, network, settings, levels=inputs.levels)
    expected = {"effort": whole.effort, "effort_gaps": whole.gaps, "zone_visits": visits, "seizure_links": links}
    assert len(inputs.plan.blocks) == (5 if beside else 3)
    assert min(len(frame) for frame in expected.values()) > 2
    for column in ("zone_ids", "zone_ids_possible"):
        found["seizure_links"][column] = found["seizure_links"][column].map(list)
    for name, frame in expected.items():
        pd.testing.assert_frame_equal(found[name], frame, check_exact=True, obj=name)
    tracked = found["patrols"][found["patrols"]["how"] == "tracked"].reset_index(drop=True)
    pd.testing.assert_frame_equal(tracked, whole.patrols, check_exact=True)
    summary = workspace.run().summary
    assert summary["counts"]["positions"] == fixes.num_rows
    assert summary["unlocated_minutes"] == round(whole.unlocated_minutes, 3)


@pytest.mark.parametrize("rows", [1, 300, 3000])
def test_however_blocks_are_cut(workspace: Workspace, rows: int) -> None:
    expected = tables(workspace)
    shutil.rmtree(workspace.root / FOLDER)
    with mock.patch.object(blocks, "BLOCK_ROWS", rows), mock.patch.object(blocks.plan, "__defaults__", (rows,)):
        plan = read(Store(workspace.root), Period(), Settings()).plan
        assert len(plan.blocks) == {1: 60, 300: 60, 3000: 12}[rows]
        same(tables(workspace), expected)


def test_columns_of_one_word_are_told_from_the_head_of_a_file_as_they_stand_in_it(workspace: Workspace) -> None:
    plan = read(Store(workspace.root), Period(), Settings()).plan
    ask, told = blocks._same, []

    def asked(*given: Any) -> Any:
        told.append(ask(*given))
        return told[-1]

    for block in plan.blocks:
        with mock.patch.object(blocks, "_same", asked):
            quick = blocks.Reader(plan.span, 3_600_000).rows(block)
        with mock.patch.object(blocks, "_same", return_value=None):
            plain = blocks.Reader(plan.span, 3_600_000).rows(block)
        assert quick.schema == plain.schema and len(quick) > 100
        assert quick.to_pylist() == plain.to_pylist()
    kinds = {None if one is None else len(one) for one in told}
    assert kinds == {None, 0, 1}  # words that differ, no word at all, one word


def test_the_first_block_is_read_beforehand_where_nothing_is_kept(workspace: Workspace) -> None:
    inputs, settings = read(Store(workspace.root), Period(), Settings()), Settings()
    begun = engine.ahead("local", inputs, settings, workspace.root)
    assert begun is not None and begun.first is not None and len(begun.first.result().chunk) > 100
    expected = tables(workspace)
    with mock.patch.object(blocks.Reader, "rows", side_effect=AssertionError("read")):
        same(tables(workspace), expected)  # all is kept: nothing is read, not beforehand either
    assert engine.ahead("spark", inputs, settings, workspace.root) is None


def test_what_is_kept_is_not_worked_on_again(workspace: Workspace) -> None:
    expected = tables(workspace)
    with counted() as done:
        same(tables(workspace), expected)
    assert done == {"look": 0, "advance": 0, "nearest": 0, "chainage": 0}


def test_of_earlier_days_nothing_is_read_one_by_one(workspace: Workspace, tmp_path: Path) -> None:
    tables(workspace)
    for what in ("effort", "visits", "near"):
        shutil.rmtree(workspace.root / FOLDER / what)
    worlds.send(workspace, tmp_path, "tracks", worlds.tracks(worlds.DAYS), "new")
    with counted() as done:
        found = tables(workspace)
    assert 0 < done["look"] <= 3  # the new day's block, the one before it and the last of the days before
    shutil.rmtree(workspace.root / FOLDER)
    same(tables(workspace), found)


def test_a_new_day_costs_a_day(workspace: Workspace, tmp_path: Path) -> None:
    tables(workspace)
    worlds.send(workspace, tmp_path, "tracks", worlds.tracks(worlds.DAYS), "new")
    with counted() as done:
        found = tables(workspace)
    # the block of the new day, and the one whose halo it is
    assert done["look"] <= 2
    assert done["advance"] <= 2
    shutil.rmtree(workspace.root / FOLDER)
    same(tables(workspace), found)


def test_a_late_file_touches_its_days_and_what_hangs_on_them(workspace: Workspace, tmp_path: Path) -> None:
    tables(workspace)
    frame = worlds.tracks(6, seed=9)
    worlds.send(workspace, tmp_path, "tracks", frame[frame["unit_id"] == "U0"].assign(unit_id="U9"), "late2")
    with counted() as done:
        found = tables(workspace)
    assert 0 < done["look"] <= 2
    shutil.rmtree(workspace.root / FOLDER)
    same(tables(workspace), found)


def test_a_withdrawal_is_undone_in_no_time(workspace: Workspace, tmp_path: Path) -> None:
    before = tables(workspace)
    receipt = worlds.send(workspace, tmp_path, "tracks", worlds.tracks(4, seed=5), "wrong")
    with_it = tables(workspace)
    assert not before["effort"].equals(with_it["effort"])
    workspace.withdraw(receipt, "another boat's")
    with counted() as done:
        same(tables(workspace), before)
    assert done["look"] == done["advance"] == 0


def test_compacted_days_give_the_same_and_are_not_worked_on_again(workspace: Workspace, tmp_path: Path) -> None:
    """Several uploads a day, one of them withdrawn; an analysis that began before the days were compacted ends well."""
    ours = [worlds.tracks(day, seed=9).query("unit_id == 'U0'").assign(unit_id="U9") for day in (2, 3, 7)]
    worlds.send(workspace, tmp_path, "tracks", pd.concat(ours, ignore_index=True), "more")
    wrong = worlds.send(workspace, tmp_path, "tracks", worlds.tracks(3, seed=5).assign(unit_id="UX"), "wrong")
    workspace.withdraw(wrong, "another boat's")
    expected = tables(workspace)
    plan = blocks.plan

    def plan_then_compact(*given: Any) -> blocks.Plan:
        made = plan(*given)
        assert workspace.compact().days == 3
        return made

    shutil.rmtree(workspace.root / FOLDER)
    with mock.patch.object(blocks, "plan", plan_then_compact):
        same(tables(workspace), expected)
    with counted() as done:
        same(tables(workspace), expected)
    assert done == {"look": 0, "advance": 0, "nearest": 0, "chainage": 0}
    shutil.rmtree(workspace.root / FOLDER)
    with mock.patch.object(blocks, "BLOCK_ROWS", 300), mock.patch.object(plan, "__defaults__", (300,)):
        same(tables(workspace), expected)


def test_new_law_asks_for_visits_alone(workspace: Workspace, tmp_path: Path) -> None:
    tables(workspace)
    ring = [[112.0, 29.99], [112.3, 29.99], [112.3, 30.01], [112.0, 30.01], [112.0, 29.99]]
    told = {"zone_id": "Z3", "valid_from": "2026-06-07"}
    worlds.write(tmp_path / "law.geojson", [(told, {"type": "Polygon", "coordinates": [ring]})])
    assert workspace.import_file("zones", tmp_path / "law.geojson").status.startswith("accepted")
    with counted() as done:
        found = tables(workspace)
    assert done["look"] == 0
    assert 0 < done["advance"] <= 2  # of days before it came into force nothing is asked again
    assert (found["zone_visits"]["zone_id"] == "Z3").any()
    shutil.rmtree(workspace.root / FOLDER)
    same(tables(workspace), found)


def test_a_new_report_asks_who_was_near_it_alone(workspace: Workspace, tmp_path: Path) -> None:
    tables(workspace)
    more = pd.DataFrame(
        {"report_id": ["S9"], "time": [worlds.START + pd.Timedelta(hours=24 * 8 + 8)], "lon": 112.1, "lat": 30.0}
    )
    worlds.send(workspace, tmp_path, "seizures", more, "more")
    with counted() as done:
        tables(workspace)
    assert (done["look"], done["advance"], done["nearest"]) == (0, 0, 1)


@pytest.mark.parametrize("period", [{"start": "2026-06-02T03:00"}, {"end": "2026-06-05T23:59"},
                                    {"start": "2026-06-02T21:00", "end": "2026-06-03T01:00"}])  # fmt: skip
def test_a_period_is_what_lies_in_it(workspace: Workspace, period: dict[str, str]) -> None:
    tables(workspace)  # what is kept of all days must not be taken for that of the period
    found = tables(workspace, **period)
    shutil.rmtree(workspace.root / FOLDER)
    same(tables(workspace, **period), found)
    edges = Period(
        *(pd.Timestamp(period[name], tz="Asia/Shanghai") if name in period else None for name in ("start", "end"))
    )
    fixes = Store(workspace.root).positions(None, edges.start, edges.end)
    assert workspace.run().summary["counts"]["positions"] == fixes.num_rows > 0


def test_reports_at_a_border_of_blocks_are_asked_of_both_sides(workspace: Workspace, tmp_path: Path) -> None:
    worlds.border(workspace, tmp_path)
    links = tables(workspace)["seizure_links"].set_index("report_id").loc[["B1", "B2", "B3"]]
    assert links["nearest_unit_id"].tolist() == ["U8"] * 3
    assert links["nearest_unit_s"].tolist() == [-19 * 60, -19 * 60, 16 * 60]
    assert set(links["use"]) == {"rate"}
    shutil.rmtree(workspace.root / FOLDER)
    with mock.patch.object(blocks.plan, "__defaults__", (300,)):
        again = tables(workspace)["seizure_links"].set_index("report_id").loc[["B1", "B2", "B3"]]
    pd.testing.assert_frame_equal(again, links, check_exact=True)


def test_windows_longer_than_a_day(workspace: Workspace) -> None:
    """S2, at 23:54 of the fourth day, is looked for from the second day on; a window longer than a block is refused."""
    (workspace.root / "settings.toml").write_text("nearest_window_s = 180000.0\n")
    expected = tables(workspace)
    for rows in (300, 3000):
        shutil.rmtree(workspace.root / FOLDER)
        with mock.patch.object(blocks.plan, "__defaults__", (rows,)):
            same(tables(workspace), expected)
    (workspace.root / "settings.toml").write_text("nearest_window_s = 400000.0\n")
    with pytest.raises(Refused) as told:
        workspace.analyse()
    assert told.value.code == "halo_too_long"


@pytest.mark.parametrize("rows", [300, 1 << 30])
@pytest.mark.parametrize("period", [{"start": "2026-06-02T03:00", "end": "2026-06-02T03:01"},
                                    {"end": "2026-05-31T00:00:01"}, {"start": "2026-06-11T23:59:59.999"}])  # fmt: skip
def test_a_period_in_which_nobody_sent_anything(workspace: Workspace, period: dict[str, str], rows: int) -> None:
    """Files of its days there are, but they tell of other hours (U2, which always sends, is withdrawn with its days)."""
    for receipt in [*workspace.store.tracks()]:
        workspace.withdraw(receipt, "another time")
    quiet = worlds.tracks(2).query("unit_id == 'U0'")
    ends = pd.concat([worlds.tracks(day).query("unit_id == 'U0'") for day in (0, 11)])
    worlds.send(workspace, workspace.root.parent, "tracks", pd.concat([quiet, ends], ignore_index=True), "quiet")
    with mock.patch.object(blocks.plan, "__defaults__", (rows,)):
        run = workspace.analyse(**period)
    assert run.summary["counts"]["positions"] == 0
    assert not len(run.table("effort"))


def test_a_part_of_units_without_fixes_in_the_period(workspace: Workspace) -> None:
    """U1 patrols by night, U0 by day: of the parts of a day some have nothing to do."""
    period = {"start": "2026-06-02T00:00", "end": "2026-06-02T05:59"}
    expected = tables(workspace, **period)
    assert workspace.run().summary["counts"]["positions"] > 0
    shutil.rmtree(workspace.root / FOLDER)
    with mock.patch.object(blocks.plan, "__defaults__", (1,)):
        same(tables(workspace, **period), expected)


def test_the_folder_of_what_is_kept_may_be_of_no_use(workspace: Workspace) -> None:
    expected = tables(workspace)
    shutil.rmtree(workspace.root / FOLDER)
    (workspace.root / FOLDER).write_text("a file of that name\n")
    same(tables(workspace), expected)


def test_on_a_full_disk_a_run_takes_the_room_of_what_is_kept(workspace: Workspace) -> None:
    write = Store.write_run

    def full(store: Store, *given: Any) -> Any:
        if (workspace.root / FOLDER).exists():
            raise Refused("disk_full", place="", free_mb=0)
        return write(store, *given)

    with mock.patch.object(Store, "write_run", full):
        workspace.analyse()
    assert not (workspace.root / FOLDER).exists()
    nowhere = mock.patch.object(Store, "write_run", side_effect=Refused("disk_full", place="", free_mb=0))
    with nowhere, pytest.raises(Refused):
        workspace.analyse()


@pytest.mark.parametrize("compacted", [False, True])
@pytest.mark.parametrize("keep", [0, 40, -40])
def test_a_file_of_positions_that_was_damaged_is_named(workspace: Workspace, keep: int, compacted: bool) -> None:
    if compacted:
        compact(Store(workspace.root), datetime.now(UTC))
    path = sorted((workspace.root / "positions").rglob("*.parquet"))[3]
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(Refused) as told:
        workspace.analyse()
    assert told.value.code == "positions_unreadable"
    assert told.value.params["files"] == [f"{path.parent.name}/{path.name}"]


def test_a_file_that_was_damaged_is_made_anew(workspace: Workspace) -> None:
    expected = tables(workspace)
    kept = sorted((workspace.root / FOLDER).rglob("*.arrow"))
    for number, path in enumerate(kept):
        content = bytearray(path.read_bytes())
        content[len(content) // 2] ^= 0xFF
        path.write_bytes(content if number % 3 else b"")
    same(tables(workspace), expected)


def test_of_a_block_only_what_was_used_lately_is_kept(workspace: Workspace) -> None:
    for length in (400, 600, 800, 1000, 1200):
        workspace.analyse(reach_length=length)
    for folder in (workspace.root / FOLDER / "effort").iterdir():
        assert len(list(folder.glob("*"))) == 3


def test_an_engine_that_does_not_exist_is_told(workspace: Workspace) -> None:
    with pytest.raises(Usage) as told:
        workspace.analyse(engine="cloud")
    assert told.value.code == "engine_unknown"
    assert told.value.params["engines"] == ["local", "spark"]


def test_no_positions_at_all(tmp_path: Path) -> None:
    workspace = Workspace.create(tmp_path / "w")
    run = workspace.analyse()
    assert run.summary["counts"]["positions"] == 0


@pytest.mark.parametrize("compacted", [False, True])
def test_a_file_of_positions_that_is_gone_is_named_though_its_results_are_kept(
    workspace: Workspace, compacted: bool
) -> None:
    if compacted:
        compact(Store(workspace.root), datetime.now(UTC))
    workspace.analyse()
    path = sorted((workspace.root / "positions").rglob("*.parquet"))[3]
    day = path.parent.name.removeprefix("day=")
    path.unlink()
    with pytest.raises(Refused) as told:
        workspace.analyse()
    assert told.value.code == "positions_unreadable"
    assert all(name.startswith(f"day={day}/") for name in told.value.params["files"])
    workspace.analyse(end=day)  # nobody asks for that day
