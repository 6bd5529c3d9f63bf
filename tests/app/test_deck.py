import json

from hypothesis import given
from hypothesis import strategies as st

from geo_monitor.app.deck import BASIN, Deck, fit, plain


@given(st.text())
def test_plain_text_can_be_neither_code_nor_placeholder(text):
    kept = plain(text)
    assert not kept.lstrip().startswith("@@")
    assert "{" not in kept
    assert "}" not in kept


@given(st.text(alphabet="@ \t\n\x00\u200b=#", max_size=8))
def test_no_prefix_of_blanks_or_invisible_characters_hides_the_signs(text):
    assert not plain(text).lstrip().startswith("@@")


def test_ordinary_names_stay_as_they_are():
    assert plain("石首 (天鹅洲) <b>") == "石首 (天鹅洲) <b>"
    assert plain(float("nan")) == ""


def test_json_is_compact_and_asks_nobody():
    layer = {"@@type": "PathLayer", "id": "a", "data": [{"path": [[1.0, 2.0]], "title": plain("@@=alert(1)")}]}
    text = Deck([layer], "app/static/basemap/style-day-zh.json", fit(BASIN), {}).to_json()
    spec = json.loads(text)
    assert ": " not in text
    assert spec["mapStyle"] == "app/static/basemap/style-day-zh.json"
    # `mapProvider` or an empty style would make the browser ask a server on the internet
    assert "mapProvider" not in spec
    assert "http" not in text
    assert '"@@=' not in text


def test_the_equator_fits_by_hand():
    # 90 degrees are a quarter of the world: 256 pixels at zoom 1 (512 * 2 / 4); so 1,024 pixels need zoom 3
    view = fit((0, -1, 90, 1), width=1024, height=1024, padding=0)
    assert view == {"longitude": 45.0, "latitude": 0.0, "zoom": 3.0}
