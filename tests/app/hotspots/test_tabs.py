"""What stands under the map of the hotspots."""

from __future__ import annotations

import pytest
from streamlit.testing.v1 import AppTest


def drawn(lang: str, code: str) -> None:
    import json

    import pandas as pd

    from geo_monitor.app import levels
    from geo_monitor.app.hotspots import tabs
    from geo_monitor.app.words import Speaker
    from tests.app import fake

    network = fake.network()
    hot = levels.joined(fake.hotspots(network), network, fake.END)
    note = {"code": code, "params": {"times": "0.61", "lo": "0.50", "hi": "0.74"}}
    other = {"code": "river_shipped", "params": {"accuracy": "2,000"}}
    run = pd.Series({"summary": json.dumps({"notes": [note, other]})})
    tabs.draw_intervals(run, hot, hot, Speaker(lang, {}))


@pytest.mark.parametrize(
    ("code", "lang", "told"),
    [
        ("effort_avoids", "zh", "巡护少的江段往往被低估"),
        ("effort_avoids", "en", "Look there first."),
        ("effort_follows", "zh", "巡护少的江段往往被高估"),
    ],
)
def test_intervals_say_which_way_they_lean(code: str, lang: str, told: str) -> None:
    at = AppTest.from_function(drawn, args=(lang, code), default_timeout=60).run()
    assert not at.exception
    (caption,) = at.caption
    assert told in caption.value
    assert "0.61" in caption.value
    assert "0.50–0.74" in caption.value
