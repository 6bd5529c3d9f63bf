"""The server as it is started: ready before it answers, files packed, whatever starts it."""

from __future__ import annotations

import gzip
import sys
import urllib.request
from datetime import UTC, datetime
from pathlib import Path

import pytest

from geo_monitor.app import data, door, levels, main, served, situation
from geo_monitor.app.situation import ground
from geo_monitor.store.rights import OWNER, Viewer
from geo_monitor.workspace import Workspace
from tests.app.visit import running
from tests.store import worlds
from tests.store.test_accounts import WORD

ROOT = Path(__file__).parents[2]
PAGE = """
from pathlib import Path
import streamlit as st
with Path("runs").open("a") as file:
    file.write("run\\n")
{more}
"""
SERVER = """
from streamlit import App
from geo_monitor.app.served import ready
app = App("page.py", lifespan=ready)
"""


def fetched(url: str, **headers: str) -> tuple[bytes, str | None]:
    with urllib.request.urlopen(urllib.request.Request(url, headers=headers), timeout=20) as reply:
        return reply.read(), reply.headers["Content-Encoding"]


@pytest.mark.parametrize("more", ["", "raise RuntimeError('broken')", "st.stop()"])
def test_the_first_page_is_made_before_it_answers(tmp_path: Path, more: str) -> None:
    (tmp_path / "page.py").write_text(PAGE.format(more=more))
    (tmp_path / "server.py").write_text(SERVER)
    with running(Path("server.py"), tmp_path, tmp_path / "log", str(tmp_path / "ws")):
        assert (tmp_path / "runs").read_text() == "run\n" * 2  # hot waters, and all the rest


@pytest.mark.parametrize("file", ["app.py", "geo_monitor/app/served.py"])
def test_either_file_serves_page_base_map_and_settings(tmp_path: Path, file: str) -> None:
    Workspace.create(tmp_path / "ws")
    with running(ROOT / file, ROOT, tmp_path / "log", str(tmp_path / "ws")) as url:
        body, how = fetched(url + "app/static/basemap/land.geojson", **{"Accept-Encoding": "gzip"})
        assert how == "gzip"
        page, how = fetched(url + "hotspots", **{"Accept": "text/html", "Accept-Encoding": "gzip"})
        assert how is None
        assert b"modulepreload" in page
        land = Path(main.__file__).parent / "static/basemap/land.geojson"
        assert gzip.decompress(body) == land.read_bytes()
    assert "first page could not be made" not in (tmp_path / "log").read_text()


def test_a_workspace_that_cannot_be_opened_does_not_keep_the_server_from_telling(tmp_path: Path) -> None:
    (tmp_path / "ws").write_text("a file, not a folder")
    with running(ROOT / "app.py", ROOT, tmp_path / "log", str(tmp_path / "ws")) as url:
        assert fetched(url)[0]


def test_those_who_were_here_find_their_page_made(tmp_path: Path, monkeypatch) -> None:
    filled = Workspace(worlds.workspace(tmp_path).root, OWNER)
    now = datetime.now(UTC)
    filled.accounts.add_agency("荆州渔政", "421000", now, "local")
    filled.accounts.add("管理员", WORD, ["admin"], None, [], now, "local")
    filled.accounts.add("王", WORD, ["commander"], "荆州渔政", ["421000"], now, "管理员")
    filled.accounts.sign_in("管理员", WORD, now, "page")  # reads no maps
    viewer = filled.accounts.sign_in("王", WORD, now, "page").viewer
    monkeypatch.setattr(sys, "argv", ["main.py", str(filled.root)])
    served.prepare()

    def never(*_, **__):
        raise AssertionError

    for module, name in ((levels, "joined"), (ground.layers, "zones"), (ground.layers, "reaches")):
        monkeypatch.setattr(module, name, never)
    situation.prepare(door.key(str(filled.root), viewer), "zh")
    with pytest.raises(AssertionError):
        situation.prepare(door.key(str(filled.root), Viewer("李", None, ("commander",), ("420000",))), "zh")
    assert data.workspace(door.key(str(filled.root), viewer)).viewer.adcodes == ("421000",)
