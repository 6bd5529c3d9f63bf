"""A night through the watch: what is found, what is warned of, and that batch and live say the same."""

from __future__ import annotations

import json
import random
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from geo_monitor.errors import Refused
from geo_monitor.loop.watch import Watch
from geo_monitor.store import live
from geo_monitor.workspace import Workspace
from tests.loop.conftest import KM, LINE, MS, features, line, make, passing, poacher, table, write


def watched(held: Workspace, file: Path | str, **more: Any) -> dict[str, Any]:
    return Watch(held, str(file), event_clock=True, until_idle=0.5, **more).run().to_json()


def events(held: Workspace) -> list[tuple[Any, ...]]:
    frame = held.table("events")
    frame = frame[frame["state"] != "withdrawn"].sort_values("event_id")
    return list(
        frame[["event_id", "kind", "state", "started_at", "ended_at", "zone_id"]].astype(str).itertuples(index=False)
    )


def night() -> list[dict[str, Any]]:
    """The poacher, and boats that only pass through at 4 m/s."""
    others = [passing(f"货{i}", MS + i * 300_000, 120, 112.0, 4.0) for i in range(3)]
    return [*poacher(), *(told for boat in others for told in boat)]


def test_what_the_poacher_does_becomes_events_and_a_warning_for_its_county(held: Workspace, tmp_path: Path) -> None:
    done = watched(held, write(tmp_path / "n.jsonl", night()))
    assert done["stored"] == len(night()) and done["refused"] == {}
    frame = held.table("events")
    mine = frame[[list(units) == ["渔1"] for units in frame["unit_ids"]]].set_index("kind")
    visit, slow = mine.loc["zone_entry"], mine.loc["slow"]
    assert visit["zone_id"] == "Z1" and list(visit["adcodes"]) == ["421022"]
    # 112.2 is reached after 2.4 km at 4 m/s: 602 s; it leaves at 112.25, 3.36 km on at 4 m/s: 3,000 + 840 s
    assert abs(visit["started_at"].timestamp() * 1000 - (MS + 602_000)) < 15_000
    assert abs(visit["ended_at"].timestamp() * 1000 - (MS + 3_840_000)) < 30_000
    assert abs(slow["started_at"].timestamp() * 1000 - (MS + 600_000)) <= 180_000  # speed is over a window of 3 min
    warnings = held.table("warnings")
    gear = warnings[warnings["class"] == "gear"].iloc[0]
    assert (gear["adcode"], gear["level"], gear["state"]) == ("421022", "county", "open")
    assert slow["event_id"] in list(gear["event_ids"])
    known = (gear["opened_at"].timestamp() * 1000 - MS) / 60_000
    assert 20 <= known <= 26  # ten minutes of it make an event
    assert not [units for units in frame.loc[frame["kind"] == "slow", "unit_ids"] if list(units) != ["渔1"]]


@pytest.mark.parametrize("seed", range(2))
def test_batch_says_what_live_said_whatever_the_order(tmp_path: Path, seed: int) -> None:
    lines = night()
    held = make(tmp_path / "live")
    rng = random.Random(seed)
    # late by up to half an hour, and some fixes twice
    arrival = sorted(
        [*lines, *rng.sample(lines, 50)],
        key=lambda told: told["time"] + rng.choice([0, 0, 0, 1_800_000]) * rng.random(),
    )
    file = tmp_path / "n.jsonl"
    file.write_text("".join(json.dumps(told, ensure_ascii=False) + "\n" for told in arrival), encoding="utf-8")
    watched(held, file)
    again = held.detect()
    assert (again["new"], again["withdrawn"]) == (0, 0)
    other = make(tmp_path / "batch")
    assert other.import_file("tracks", table(tmp_path / "sorted.csv", lines), role="traffic").status == "accepted"
    other.detect()
    assert events(held) == events(other)


def test_stopped_and_started_again_it_says_the_same(tmp_path: Path) -> None:
    lines = sorted(night(), key=lambda told: told["time"])
    whole, parts = make(tmp_path / "whole"), make(tmp_path / "parts")
    watched(whole, write(tmp_path / "whole.jsonl", lines))
    file = tmp_path / "parts.jsonl"
    for cut in range(4):
        part = lines[cut * len(lines) // 4 : (cut + 1) * len(lines) // 4]
        with file.open("a", encoding="utf-8") as out:
            out.write("".join(json.dumps(told, ensure_ascii=False) + "\n" for told in part))
        watched(parts, file)
    assert events(whole) == events(parts)
    assert whole.table("warnings")["warning_id"].tolist() == parts.table("warnings")["warning_id"].tolist()


def test_the_file_read_again_changes_nothing(held: Workspace, tmp_path: Path) -> None:
    file = write(tmp_path / "n.jsonl", night())
    watched(held, file)
    before = held.table("events"), held.table("warnings")
    copy = tmp_path / "copy.jsonl"
    copy.write_bytes(file.read_bytes())  # another feed, so read from its start
    done = watched(held, copy)
    assert done["events"] == 0 and done["warnings"] == 0
    assert (done["stored"], done["repeated"]) == (0, len(night()))
    assert len(held.table("positions")) == len(night())
    assert held.table("events").equals(before[0]) and held.table("warnings").equals(before[1])
    assert live.count(held._store) == 0


def test_a_part_of_the_time_detected_anew_changes_nothing(held: Workspace, tmp_path: Path) -> None:
    """Not even what hangs on units that have been silent since: a patrol overdue after its last fix, the boat that a
    camera saw, a shore station that was down."""
    start = MS - MS % 60_000
    patrol = passing("巡1", start, 20, 112.05, 3.0, 60, role="patrol")  # overdue from an hour after its last fix on
    going = passing("货1", start, 160, 112.0, 2.0, 60)
    seen = [line("渔2", start + 1000 * s, 112.15) for s in range(0, 1800, 30)]  # last heard at 29:30
    camera = [line("摄1", start + 1000 * s, 112.15, platform="camera") for s in (1800, 1830)]
    # five boats fall silent at 50:00 to 50:04: the shore station
    shore = [told for i in range(5) for told in passing(f"船{i}", start + 1000 * i, 51, 112.3 + 0.003 * i, 3.5, 60)]
    watched(held, write(tmp_path / "n.jsonl", [*patrol, *going, *seen, *camera, *shore]))
    held.detect()
    before = events(held)
    assert {told[1] for told in before} >= {"overdue"}
    assert not [told for told in before if told[1] == "dark"]
    for minutes, seconds in ((30, 0), (50, 2), (60, 0)):
        moment = datetime.fromtimestamp((start + 60_000 * minutes + 1000 * seconds) / 1000, UTC)
        done = held.detect(moment.isoformat())
        assert (done["new"], done["revised"], done["withdrawn"]) == (0, 0, 0), moment
    assert events(held) == before


def evenings() -> list[dict[str, Any]]:
    """On three evenings a boat lies in one place for 110 min and leaves when a patrol comes within 3 km."""
    lines = []
    for day in range(3):
        start = MS + 86_400_000 * day
        for s in range(0, 10_800, 60):
            gone, come = max(s - 6600, 0), max(s - 3600, 0)
            lines.append(line("渔3", start + 1000 * s, 112.2 + min(3 * gone, 3000) / 1000 * KM))
            west = 112.35 - min(4 * come, 13_000) / 1000 * KM
            lines.append(line("巡1", start + 1000 * s, west, role="patrol"))
    return lines


def test_a_boat_that_avoids_patrols_is_not_forgotten_by_who_has_read_a_part_of_it(
    held: Workspace, tmp_path: Path
) -> None:
    """A start reads since the last silence of 6 h, `detect --from` too: two of the three evenings are not seen again."""
    lines = sorted(evenings(), key=lambda told: told["time"])
    file = write(tmp_path / "n.jsonl", lines[:-60])
    watched(held, file)
    before = [told for told in events(held) if told[1] == "avoids"]
    assert len(before) == 1
    with file.open("a", encoding="utf-8") as out:
        out.write("".join(json.dumps(told, ensure_ascii=False) + "\n" for told in lines[-60:]))
    watched(held, file)
    held.detect(datetime.fromtimestamp((MS + 2 * 86_400_000) / 1000, UTC).isoformat())
    held.detect()
    assert [told for told in events(held) if told[1] == "avoids"] == before
    every = held.table("events", all_versions=True)
    assert not (every["state"] == "withdrawn").any()


def test_a_long_stretch_without_anything_new_is_read_to_its_end(held: Workspace, tmp_path: Path) -> None:
    file = write(tmp_path / "n.jsonl", poacher()[:1])
    satellites = "$GPGSV,3,1,11,03,03,111,00,04,15,270,00,06,01,010,00,13,06,292,00*74\n"
    file.write_text(satellites * 5_000 + file.read_text(encoding="utf-8"), encoding="utf-8")
    assert Watch(held, str(file), event_clock=True, until_idle=0.001).run().stored == 1


def test_a_time_that_no_clock_should_tell_moves_no_clock(held: Workspace, tmp_path: Path) -> None:
    """Neither of a past night, where it is told by what is read first, nor of one that was made up for days to come."""
    wrong = [{**line("渔8", 0, 112.3), "time": told} for told in ("2099-01-01T00:00:00Z", "9999-12-31T23:59:59Z")]
    lines = [*poacher()[:60], *wrong]
    past = [
        {**told, "time": told["time"] - 10 * 365 * 86_400_000} if told["unit_id"] == "渔1" else told for told in lines
    ]
    file = tmp_path / "n.jsonl"
    file.write_text("".join(json.dumps(told, ensure_ascii=False) + "\n" for told in past), encoding="utf-8")
    done = watched(held, file)
    assert (done["stored"], done["refused"]) == (60, {"feed_future": 2})
    assert held.desk.now() < datetime(2017, 1, 1, tzinfo=UTC)
    future = [{**told, "time": told["time"] + 60 * 365 * 86_400_000} for told in poacher()[:60]]
    done = watched(held, write(tmp_path / "made.jsonl", future))
    assert (done["stored"], done["refused"]) == (60, {})


def test_a_withdrawn_upload_takes_its_events_back(held: Workspace, tmp_path: Path) -> None:
    receipt = held.import_file("tracks", table(tmp_path / "t.csv", poacher()), role="traffic")
    held.detect()
    assert set(held.table("events")["state"]) != {"withdrawn"}
    held.withdraw(receipt.receipt_id, "重复报送")
    assert held.detect()["withdrawn"] >= 2
    assert set(held.table("events")["state"]) == {"withdrawn"}
    assert set(held.table("events")["reason"]) == {"judged_anew"}


def test_an_old_night_replays_as_if_nothing_later_were_there(held: Workspace, tmp_path: Path) -> None:
    """What is stored of a month later neither floods the replay with silences nor is unsaid by it."""
    month = 30 * 86_400_000
    watched(held, write(tmp_path / "later.jsonl", poacher("渔9", MS + month)))
    later = set(events(held))
    warned = set(held.table("warnings")["warning_id"])
    watched(held, write(tmp_path / "n.jsonl", night()))
    assert later <= set(events(held)) and len(events(held)) > len(later)
    other = make(tmp_path / "alone")
    watched(other, write(tmp_path / "alone.jsonl", night()))
    assert set(events(held)) - later == set(events(other))
    every = held.table("events", all_versions=True)
    assert not (every["state"] == "withdrawn").any()
    new = held.table("warnings")
    new = new[~new["warning_id"].isin(warned)]
    assert new["opened_at"].max() < held.table("positions")["time"].max()
    assert new["opened_at"].tolist() == other.table("warnings")["opened_at"].tolist()


def test_without_any_jurisdiction_a_warning_is_raised_all_the_same(tmp_path: Path) -> None:
    held = Workspace.create(tmp_path / "ws")
    (held.root / "settings.toml").write_text("event_beat_s = 20.0\n", encoding="utf-8")
    river = features(tmp_path / "river.geojson", "LineString", ({"name": "试江", "mouth": "东"}, LINE))
    assert held.import_file("river", river, accuracy=50.0).status.startswith("accepted")
    watched(held, write(tmp_path / "n.jsonl", poacher()[:200]))
    rows = held.table("warnings")
    gear = rows[rows["class"] == "gear"]
    assert gear[["adcode", "level"]].fillna("").values.tolist() == [["", "county"]]
    assert all(not len(codes) for codes in held.table("events")["adcodes"])


def test_two_replays_at_once_are_refused(held: Workspace, tmp_path: Path) -> None:
    with held._store.alone("room"), pytest.raises(Refused, match="duty room"):
        watched(held, write(tmp_path / "n.jsonl", poacher()[:10]))
    assert len(held.table("positions")) == 0
