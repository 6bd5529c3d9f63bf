"""Signing in on the page, in a real browser and a network namespace that holds nothing but loopback."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pandas as pd
import pytest
import streamlit as st

from geo_monitor.app import data, door
from geo_monitor.errors import Denied
from geo_monitor.store.rights import OWNER, Viewer
from geo_monitor.workspace import Workspace
from tests import counties
from tests.counties import MARK

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    folder = tmp_path_factory.mktemp("signing")
    inside = f"ip link set lo up && exec {sys.executable} -m tests.app.signing {folder}"
    cut = ["unshare", "--net", "--map-root-user", "sh", "-c", inside]
    done = subprocess.run(cut, cwd=ROOT, capture_output=True, text=True, timeout=900, check=False)
    assert done.returncode == 0, done.stderr[-4000:]
    return json.loads(done.stdout)


def test_nothing_is_shown_before_the_sign_in(seen: dict[str, str]) -> None:
    assert "试河" not in seen["before"]
    assert MARK not in seen["before"]


def test_a_county_sees_its_own_water_only(seen: dict[str, str]) -> None:
    # 3 degrees of longitude at 30 degrees north are 289 km; 荆州 begins half way and its county line cuts a reach
    assert re.search(r"(29|30) 段中", seen["here"])
    assert re.search(r"(29|30) 段中", seen["there"])
    assert "荆州员" in seen["here"]
    assert "宜昌员" in seen["there"]


def test_no_page_asks_anything_outside_and_every_console_is_clean(seen: dict[str, str]) -> None:
    assert seen["outside"] == []
    assert seen["errors"] == []


def test_administration_is_for_who_administers(seen: dict[str, str]) -> None:
    assert "新建账号" not in seen["refused"]
    assert "新建账号" in seen["managed"]
    assert "态势" not in seen["managed"]  # pages that would refuse are not listed


def test_a_preview_keeps_nothing_and_taking_in_does(seen: dict[str, str]) -> None:
    assert "以下只是预览，尚未入库" in seen["preview"]
    assert seen["units"].count("艇77") == 1  # once: the preview before it kept nothing


def test_an_unsure_upload_is_kept_and_read_as_chosen(seen: dict[str, str]) -> None:
    assert "EPSG:4546" in seen["choice"]
    assert "EPSG:4547" in seen["choice"]
    (line,) = [line for line in seen["seizures"].splitlines() if "YC案9" in line]
    # x = 456,000 m: 44 km west of 111 E (pyproj 3.7, EPSG:4546 to 4490)
    assert ",110.543987" in line


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(counties.office(tmp_path_factory.mktemp("pages")).root)


def everything(path: str, viewer: Viewer) -> str:
    """All that the pages may send to the browser of a viewer, as text."""
    key = door.key(path, viewer)
    mark = data.stamp(key)
    run = data.runs(key).iloc[0]
    frames = [data.uploaded(key, name, mark) for name in ("seizures", "zones", "units", "patrols")]
    frames += [
        data.reaches(key, run["run_id"], run["made_at"]),
        data.drawn(key, run["run_id"], run["made_at"], ("basin",)),
    ]
    frames += [data.result(key, "seizure_links", run["run_id"])]
    frames += [data.tracks(key, mark, run["made_at"], 365)[0]]
    return "".join(frame.to_csv() for frame in frames)


def test_what_pages_keep_for_one_county_is_never_given_to_another(path: str) -> None:
    accounts = Workspace(path).accounts
    now = datetime.now(UTC)
    there, here = (accounts.sign_in(name, counties.WORD, now, "page").viewer for name in ("宜昌员", "荆州员"))
    for _ in range(2):  # the second time from what is kept
        assert MARK in everything(path, there)
        told = everything(path, here)
        assert MARK not in told
        assert "JZ案1" in told


def test_a_page_kept_from_before_the_first_account_is_shut(tmp_path: Path) -> None:
    root = str(tmp_path / "w")
    held = data.workspace(root)
    assert len(held.table("zones")) == 0
    held.accounts.add("管理员", counties.WORD, ["admin"], None, [], datetime.now(UTC), "local")
    with pytest.raises(Denied, match="sign in"):
        data.workspace(root).table("zones")


def test_a_zone_of_a_water_level_is_judged_as_whoever_looks(tmp_path: Path) -> None:
    """A zone of the high water only, and a reading of today above it: a signed-in viewer's map knows it is in force."""
    held = Workspace.create(tmp_path / "w")
    now = datetime.now(UTC)
    zone = {"zone_id": "洲", "name": "洲", "level_station": "汉口", "level_from_m": 20}
    counties.features(tmp_path / "z.geojson", (zone, "Polygon", counties.box(112, 113)))
    read = tmp_path / "l.csv"
    read.write_text(f"station,time,level_m\n汉口,{now:%Y-%m-%d %H:%M},25.0\n", encoding="utf-8")
    assert held.import_file("zones", tmp_path / "z.geojson").status.startswith("accepted")
    assert held.import_file("levels", read).status.startswith("accepted")
    held.accounts.add("管理员", counties.WORD, ["admin"], None, [], now, "local")
    path = door.key(str(tmp_path / "w"), Viewer("甲", None, ("analyst",), ("421000",)))
    mark = data.stamp(path)
    assert {key[1] for key in data.in_force_at(path, mark, pd.Timestamp(now).floor("min"))} == {"洲"}


def test_a_live_page_ends_with_its_sign_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A tick counts as a click, so the page stays on past the idle time, but neither past the shift nor a closed account."""
    Workspace.create(tmp_path / "w")
    held = Workspace(tmp_path / "w", OWNER)
    now = datetime.now(UTC)
    session: dict[str, object] = {}
    monkeypatch.setattr(st, "session_state", session)
    assert door.alive(held)  # no accounts: nobody signs in
    held.accounts.add("管理员", counties.WORD, ["admin"], None, [], now, "local")
    assert not door.alive(held)
    for name in ("甲", "乙"):
        held.accounts.add(name, counties.WORD, ["commander"], None, ["421000"], now, "管理员")
    told = held.accounts.sign_in("甲", counties.WORD, now, "page")
    session[door.TOKEN] = told.token
    assert door.alive(held)
    moments = [now + timedelta(minutes=50 * n) for n in range(1, 14)]  # each within the idle hour of the one before

    class Clock(datetime):
        @classmethod
        def now(cls, zone: object = None) -> datetime:
            return moments[0]

    monkeypatch.setattr(door, "datetime", Clock)
    alive = []
    while moments:
        alive.append(door.alive(held))
        moments.pop(0)
    assert alive == [True] * 13  # 50 minutes to 10 h 50
    moments.append(told.ends_at + timedelta(seconds=1))
    assert not door.alive(held)
    moments[0] = now
    session[door.TOKEN] = held.accounts.sign_in("乙", counties.WORD, now, "page").token
    assert door.alive(held)
    held.accounts.change("乙", now, "管理员", disabled=True)
    assert not door.alive(held)
