"""Settings: the contract's defaults, and overriding them in a workspace."""

from __future__ import annotations

from pathlib import Path

import pytest

from geo_monitor.errors import Refused
from geo_monitor.settings import Settings, load


def test_defaults_of_the_contract() -> None:
    settings = Settings()
    assert settings.accuracy_m == 500
    assert settings.gap_s == 600
    assert settings.patrol_split_s == 1800
    assert (settings.stakeout_s, settings.stakeout_m) == (900, 150)
    assert (settings.hot_factor, settings.hot_p, settings.cold_factor, settings.cold_p) == (2, 0.8, 0.5, 0.8)
    assert settings.looked_h == 2


def test_a_workspace_overrides(tmp_path: Path) -> None:
    path = tmp_path / "settings.toml"
    path.write_text("gap_s = 300\n", encoding="utf-8")
    assert load(path).gap_s == 300
    assert load(path).patrol_split_s == 1800
    assert load(tmp_path / "none.toml") == Settings()


def test_bands_come_as_lists_and_are_fixed(tmp_path: Path) -> None:
    path = tmp_path / "settings.toml"
    path.write_text("near_repeat_km = [0.0, 2.0]\n", encoding="utf-8")
    assert load(path).near_repeat_km == (0.0, 2.0)


def test_a_name_that_is_no_setting_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "settings.toml"
    path.write_text("gap = 300\n", encoding="utf-8")
    with pytest.raises(Refused, match="gap"):
        load(path)


def test_weights_by_platform() -> None:
    assert Settings(weight_foot=0.5).weight("foot") == 0.5
