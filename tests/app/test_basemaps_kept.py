"""Base maps of an agency's own: who may add them, what stays, what the commands and pages do."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from geo_monitor.app import base, door
from geo_monitor.cli import run
from geo_monitor.errors import Denied, GeoMonitorError, Refused, Usage
from geo_monitor.store.restore import restore
from geo_monitor.store.rights import OWNER, Viewer
from geo_monitor.workspace import Workspace
from tests.app.test_basemaps import geotiff

HOSTILE = "@@=foo(<b>![x](http://a.b)"


@pytest.fixture
def held(tmp_path: Path) -> Workspace:
    return Workspace.create(tmp_path / "w")


# --- who may, and what stays ----------------------------------------------------------------------------------------


def small(folder: Path, name: str = "小图.tif") -> Path:
    return geotiff(folder / name, np.full((3, 40, 40), 90, np.uint8), "EPSG:4326", 112, 30.4, 0.01)


def test_only_who_keeps_the_workspace_adds_and_removes(held: Workspace, tmp_path: Path) -> None:
    path = small(tmp_path)
    held.basemaps.add(path, "a")
    for role in ("commander", "analyst", "uploader", "auditor"):
        other = Workspace(held.root, Viewer("王", "荆州渔政", (role,), ("421000",)))
        for act in (lambda other=other: other.basemaps.add(path, "b"), lambda other=other: other.basemaps.remove("a")):
            with pytest.raises(Denied):
                act()
        if role in ("commander", "analyst"):
            assert [one.name for one in other.basemaps.every()] == ["a"]
            assert other.basemaps.content("a")[1][:4] == b"RIFF"
        else:
            with pytest.raises(Denied):
                other.basemaps.every()
            with pytest.raises(Denied):
                other.basemaps.content("a")
    admin = Workspace(held.root, Viewer("管", None, ("admin",), ()))
    admin.basemaps.remove("a")
    admin.basemaps.add(path, HOSTILE)
    book = held.table("audit")
    assert book[["who", "action", "subject"]].to_numpy().tolist() == [
        ["local", "basemap_add", "a"],
        ["管", "basemap_remove", "a"],
        ["管", "basemap_add", HOSTILE],
    ]
    assert held.basemaps.every()[0].sha256 in book["detail"].iloc[-1]
    assert held.verify_audit().ok


def test_names_stay_names(held: Workspace, tmp_path: Path) -> None:
    path = small(tmp_path)
    for name in (HOSTILE, "../../x", "C:\\x", ".."):
        held.basemaps.add(path, name)
    assert {one.name for one in held.basemaps.every()} == {HOSTILE, "../../x", "C:\\x", ".."}
    folders = {part.name for part in (held.root / "basemaps").iterdir()}
    assert all(len(name) == 16 and set(name) <= set("0123456789abcdef") for name in folders)
    for name in ("", "  \n", "x" * 41):
        with pytest.raises(Usage):
            held.basemaps.add(path, name)
    with pytest.raises(Refused) as told:
        held.basemaps.add(path, " .. ")
    assert told.value.code == "basemap_there"
    with pytest.raises(Usage):
        held.basemaps.remove("nothing")


def test_a_damaged_one_is_told_and_can_be_removed(held: Workspace, tmp_path: Path) -> None:
    made = held.basemaps.add(small(tmp_path))
    folder = next((held.root / "basemaps").iterdir())
    image = folder / "image.webp"
    image.write_bytes(image.read_bytes()[:-1] + b"x")
    with pytest.raises(Refused) as told:
        held.basemaps.content(made.name)
    assert told.value.code == "basemap_damaged"
    told_ = json.loads((folder / "base.json").read_text())
    for change in (
        {"shows": "../../geo_monitor.sqlite"},
        {"bounds": [1, 2, 3]},
        {"kind": "svg"},
        {"name": 5},
        {"x": 1},
    ):
        (folder / "base.json").write_text(json.dumps({**told_, **change}))
        assert held.basemaps.every() == []
        with pytest.raises(GeoMonitorError):
            held.basemaps.content(made.name)
    held.basemaps.remove(made.name)
    assert list((held.root / "basemaps").iterdir()) == []


def test_a_backup_holds_them(held: Workspace, tmp_path: Path) -> None:
    held.basemaps.add(small(tmp_path), "图")
    held.backup(tmp_path / "b.gmb")
    restore(tmp_path / "b.gmb", tmp_path / "again").close()
    again = Workspace(tmp_path / "again")
    assert again.basemaps.content("图") == held.basemaps.content("图")
    assert again.verify().troubles == []


# --- commands and pages ---------------------------------------------------------------------------------------------


def test_the_commands(held: Workspace, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def told(*arguments: str, code: int = 0) -> dict:
        capsys.readouterr()
        assert run(["--workspace", str(held.root), *arguments, "--json"]) == code
        return json.loads(capsys.readouterr().out)

    assert told("basemap", "add", str(small(tmp_path)), "--name", HOSTILE)["bounds"] == pytest.approx(
        [112, 30, 112.4, 30.4]
    )
    assert [one["name"] for one in told("basemap", "list")["basemaps"]] == [HOSTILE]
    assert told("basemap", "add", str(small(tmp_path)), "--name", HOSTILE, code=3)["error"]["code"] == "basemap_there"
    assert told("basemap", "remove", HOSTILE) == {"removed": HOSTILE}
    assert told("basemap", "remove", HOSTILE, code=2)["error"]["code"] == "basemap_unknown"
    assert run(["--workspace", str(held.root), "basemap", "list"]) == 0
    assert "还没有自备底图" in capsys.readouterr().out


def chooser(path: str) -> None:
    import streamlit as st

    from geo_monitor.app import base
    from geo_monitor.app.words import Speaker

    st.text(f"own {base.choose(path, Speaker('zh'))}")


def chosen(root: Path, name: str | None) -> AppTest:
    at = AppTest.from_function(chooser, kwargs={"path": door.key(str(root), OWNER, acting=True)})
    at.default_timeout = 60
    if name is not None:
        at.query_params["base"] = name
    at.run()
    assert not at.exception
    return at


def test_off_unless_chosen_and_kept_in_the_address(held: Workspace, tmp_path: Path) -> None:
    assert not chosen(held.root, None).selectbox  # nothing to choose
    held.basemaps.add(small(tmp_path), HOSTILE)
    at = chosen(held.root, None)
    assert at.text[0].value == "own None"
    assert at.selectbox[0].value is None
    assert not at.selectbox[0].options[1].startswith("@@")  # text, not code
    at.selectbox[0].select_index(1).run()
    assert HOSTILE in at.query_params["base"]
    assert "/media/" in at.text[0].value
    assert "static" not in at.text[0].value
    at.selectbox[0].select_index(0).run()
    assert "base" not in at.query_params
    assert "/media/" in chosen(held.root, HOSTILE).text[0].value


def test_a_missing_or_damaged_one_is_told_and_the_built_in_one_stays(held: Workspace, tmp_path: Path) -> None:
    at = chosen(held.root, "没有的")
    assert "没有名为" in at.warning[0].value
    assert at.text[0].value == "own None"
    held.basemaps.add(small(tmp_path), "图")
    next((held.root / "basemaps").glob("*/image.webp")).unlink()
    at = chosen(held.root, "图")
    assert "已损坏或缺失" in at.error[0].value
    assert at.text[0].value == "own None"


@pytest.mark.parametrize("theme", ["day", "night"])
@pytest.mark.parametrize("shapes", [False, True])
def test_it_lies_above_the_land_and_below_everything_else(theme: str, shapes: bool) -> None:
    made = base.drawn(theme, "zh", "/media/x", (110, 29, 112, 31), shapes)
    order = [layer["id"] for layer in made["layers"]]
    own = [order.index(name) for name in order if name.startswith("own-")]
    assert own
    assert order.index("coast") < min(own)
    assert max(own) < min(n for n, name in enumerate(order) if name not in ("sea", "land", "coast") and n not in own)
    assert "http" not in json.dumps(made)


def test_the_part_of_the_administration(held: Workspace, tmp_path: Path) -> None:
    from tests.app.test_administration import fill, newest, opened, press, said

    held.basemaps.add(small(tmp_path), HOSTILE)
    at = opened(held.root, OWNER, "basemaps")
    assert at.dataframe[0].value.iloc[0, 0].startswith("＠＠")
    fill(at, basemap_pick=HOSTILE)
    press(at, "admin_basemap_remove")
    assert held.basemaps.every()  # not without the tick
    fill(at, basemap_pick=HOSTILE, basemap_sure=True)
    press(at, "admin_basemap_remove")
    assert held.basemaps.every() == []
    assert "已删除底图" in said(at)
    assert newest(held.root) == ("local", "basemap_remove", HOSTILE)
    assert "@@" not in said(at)
