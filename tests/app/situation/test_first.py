"""The first picture of a session, and all else once the browser asks for it."""

from __future__ import annotations

import json
from pathlib import Path

from streamlit.testing.v1 import AppTest

from geo_monitor.app import address

PAGE = Path(__file__).parents[1] / "page.py"


def layers(at: AppTest) -> set[str]:
    """Names of the layers of the map, without the number of the choice behind them."""
    (chart,) = at.get("deck_gl_json_chart")
    return {layer["id"].rpartition("-")[0] or layer["id"] for layer in json.loads(chart.proto.json)["layers"]}


def test_hot_waters_come_first_and_the_rest_when_asked_for() -> None:
    at = AppTest.from_file(str(PAGE), default_timeout=120)
    at.run()
    assert not at.exception
    first = layers(at)
    assert first
    assert "go-live" not in {one.key for one in at.button}  # of the charts below
    at.button(key=address.MORE).click().run()
    assert not at.exception
    assert first < layers(at)
    keys = {one.key for one in at.button}
    assert "go-live" in keys
    assert address.MORE not in keys
    at.run()
    assert first < layers(at)  # and it stays
    at.text_input(key="find").input("长江 K950").run()
    found = at.button(key="find-0")
    assert found.label.startswith("长江 K950")
    found.click().run()
    assert not at.exception
    assert at.selectbox(key="area-river").value == "长江"
    assert at.session_state["picked"]
    assert at.text_input(key="find").value == ""


def test_the_area_is_told_in_the_other_language_at_once() -> None:
    at = AppTest.from_file(str(PAGE), default_timeout=120)
    at.run()
    box = at.selectbox(key="area-kind")
    box.select("river").run()
    switch = next(one for one in at.button_group if one.key == "lang-switch")
    switch.set_value("en").run()
    assert not at.exception
    box = at.selectbox(key="area-kind")
    assert box.value == "river"
    assert (box.proto.set_value, box.proto.raw_value) == (True, "River or lake")
