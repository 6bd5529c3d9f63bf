"""The tables hold what the contract promises, and refuse what it does not allow."""

from __future__ import annotations

from datetime import date

import numpy as np
import pandas as pd
import pytest
from shapely import Point

from geo_monitor import tables
from geo_monitor.errors import GeoMonitorError, Usage

# the columns of the public contract, table by table
CONTRACT = {
    "positions": "unit_id patrol_id time lon lat speed heading platform role source receipt_id",
    "units": "unit_id mmsi name platform agency base",
    "patrols": "patrol_id unit_id started_at ended_at river km_from km_to persons how",
    "zones": "zone_id version name category rule season_from season_to valid_from valid_to agency geometry receipt_id",
    "seizures": "report_id version time lon lat river km bank place setting origin gear quantity catch_kg value_cny "
    "vessels suspects disposition patrol_id agency receipt_id",
    "jurisdictions": "adcode name level parent geometry",
    "reaches": "reach_id river km_from km_to mouth_km length_m lon lat kind adcode_left adcode_right geometry",
    "links": "reach_a reach_b distance_m",
    "effort": "reach_id day platform minutes stakeout_minutes passes units",
    "effort_gaps": "unit_id patrol_id gap_from gap_to minutes",
    "zone_visits": "unit_id patrol_id zone_id zone_version entered_at left_at minutes certainty",
    "seizure_links": "report_id reach_id km bank offset_m zone_ids nearest_unit_id nearest_unit_m nearest_unit_s",
    "hotspots": "reach_id river km_from km_to lon lat adcodes seizures seizures_unpatrolled patrol_h exposure_h "
    "expected rate rate_lo rate_hi rr p_hot gi_z q_value state class last_look",
    "clusters": "cluster_id reach_ids period_from period_to seizures expected rr llr p_value",
}


@pytest.mark.parametrize("name", sorted(CONTRACT))
def test_every_promised_column_is_there_in_order(name: str) -> None:
    promised = CONTRACT[name].split()
    assert [column for column in tables.table(name).names if column in promised] == promised


def test_seventeen_classes() -> None:
    assert len(tables.CLASSES) == 17
    assert {"hot_new", "cold_historical", "none"} <= set(tables.CLASSES)


def test_conform_orders_fills_and_types() -> None:
    frame = pd.DataFrame({"extra": [1], "distance_m": [3], "reach_a": ["a"]})
    made = tables.table("links").conform(frame)
    assert list(made.columns) == ["reach_a", "reach_b", "distance_m"]
    assert made["distance_m"].dtype == np.float64
    assert made["reach_b"].isna().all()


def test_times_are_utc_milliseconds_and_days_dates() -> None:
    fixes = pd.DataFrame({"time": pd.to_datetime(["2026-05-31T23:10:00.123+08:00"], utc=True)})
    made = tables.table("positions").conform(fixes)
    assert str(made["time"].dtype) == "datetime64[ms, UTC]"
    assert made["time"].iloc[0] == pd.Timestamp("2026-05-31T15:10:00.123Z")
    effort = tables.table("effort").conform(pd.DataFrame({"day": [date(2026, 5, 31)]}))
    assert effort["day"].iloc[0] == date(2026, 5, 31)


def test_shapes_go_through_arrow_unchanged() -> None:
    table = tables.table("jurisdictions")
    made = table.conform(pd.DataFrame({"name": ["甲县"], "geometry": [Point(112.5, 30.25)]}))
    assert made.crs == "EPSG:4326"
    assert made.geometry.iloc[0].equals(Point(112.5, 30.25))


def links(distance: float = 5.0) -> pd.DataFrame:
    return pd.DataFrame({"reach_a": ["a"], "reach_b": ["b"], "distance_m": [distance]})


def test_check_lets_good_rows_through_and_names_bad_ones() -> None:
    table = tables.table("links")
    assert len(table.check(table.conform(links()))) == 1
    with pytest.raises(GeoMonitorError, match="distance_m"):
        table.check(table.conform(links(-1.0)))
    with pytest.raises(GeoMonitorError, match="links"):
        table.check(table.conform(pd.concat([links(), links()])))


def test_unknown_table() -> None:
    with pytest.raises(Usage):
        tables.table("boats")
