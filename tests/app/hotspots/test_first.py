"""The first picture of the page, and all else once the browser asks for it."""

from __future__ import annotations

from pathlib import Path

from streamlit.testing.v1 import AppTest

from geo_monitor.app import address, door
from geo_monitor.store.rights import OWNER
from tests.app.situation.test_first import layers


def page(path: str) -> None:
    import geo_monitor.workspace
    from geo_monitor.app import data, door, hotspots
    from geo_monitor.app.words import Speaker
    from tests.app.fake import FakeWorkspace

    geo_monitor.workspace.open_workspace = lambda _: FakeWorkspace()
    door.viewer(data.workspace(path))
    hotspots.page(path, Speaker("zh"))


def test_hot_waters_come_first_and_the_rest_when_asked_for(tmp_path: Path) -> None:
    at = AppTest.from_function(page, args=(door.key(str(tmp_path), OWNER, acting=True),), default_timeout=120)
    at.run()
    assert not at.exception
    first = layers(at)
    assert first == {"cells", "unlooked", "reaches", "bold"}
    assert not at.tabs
    at.button(key=address.MORE).click().run()
    assert not at.exception
    assert first < layers(at)
    assert len(at.tabs) == 4
    assert address.MORE not in {one.key for one in at.button}
