"""Every table once: columns, types, units, allowed values and checks.

The public tables are those of the contract; the few inner ones (`river_lines`, `rasters`, `located`) are marked so.
A frame is brought to a table's form at the doors by `Table.conform` and checked there by `Table.check` (pandera);
inside, plain pandas frames travel. Times are UTC with millisecond resolution, lon/lat WGS84 degrees.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from geo_monitor.errors import GeoMonitorError, Usage

if TYPE_CHECKING:
    import pandas as pd

TIMEZONE = "Asia/Shanghai"
CRS = "EPSG:4326"

TEXT = pa.string()
FLOAT = pa.float64()
INT = pa.int64()
BOOL = pa.bool_()
TIME = pa.timestamp("ms", tz="UTC")
DAY = pa.date32()
TEXTS = pa.list_(pa.string())
GEOMETRY = pa.binary()  # WKB in files and in the store, shapely objects in frames

PLATFORMS = ("boat", "foot", "drone", "vehicle", "camera")
ROLES = ("patrol", "traffic")
SOURCES = ("gps", "ais", "beidou")
SETTINGS = ("water", "bank", "market", "road", "restaurant", "shop")
ORIGINS = ("patrol", "tip", "camera", "check")
DISPOSITIONS = ("none", "advice", "education", "warning", "administrative", "criminal")
BANKS = ("left", "right", "mid")
STATES = ("hot", "normal", "cold", "not_looked")
TREATMENTS = ("surge", "crackdown")
WATCH_STATES = ("quiet", "back", "watching", "quiet_not_looked")
CLOCKS = ("passed", "running", "relapsed", "not_looked")
VERDICTS = (
    "displaced",
    "displaced_up",
    "displaced_down",
    "diffused",
    "dropped",
    "no_change",
    "rose",
    "not_enough_looking",
)
EVENT_KINDS = ("zone_entry", "slow", "meeting", "gap", "dark", "loiter", "no_permit", "overdue", "avoids")
WARNING_CLASSES = ("zone", "gear", "trade", "reemergence", "coverage", "border", "tip")
GRADES = ("red", "orange", "yellow", "blue")  # gravest first
LEVELS = ("county", "city", "province")
OUTCOMES = ("case", "education", "nothing_found", "no_unit", "false")
CLASSES = (
    *(
        f"{heat}_{name}"
        for heat in ("hot", "cold")
        for name in (
            "new",
            "consecutive",
            "intensifying",
            "persistent",
            "diminishing",
            "sporadic",
            "oscillating",
            "historical",
        )
    ),
    "none",
)


@dataclass(frozen=True)
class Column:
    """One column: its name, Arrow type, meaning with unit, and what values it may hold."""

    name: str
    type: pa.DataType
    doc: str
    null: bool = True
    allowed: tuple[str, ...] = ()
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True)
class Table:
    """One table. `key` names the columns that identify a row; `geometry` is True where each row has a shape."""

    name: str
    doc: str
    columns: tuple[Column, ...]
    key: tuple[str, ...] = ()
    inner: bool = False
    names: tuple[str, ...] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "names", tuple(column.name for column in self.columns))

    @property
    def geometry(self) -> bool:
        return "geometry" in self.names

    @property
    def arrow(self) -> pa.Schema:
        """The Arrow schema of the table (geometry as WKB)."""
        return pa.schema([pa.field(column.name, column.type) for column in self.columns])

    def to_arrow(self, frame: pd.DataFrame | pa.Table) -> pa.Table:
        """`frame` as an Arrow table of this schema; missing columns become null, others are dropped. An Arrow table is to
        have them all."""
        import shapely

        if isinstance(frame, pa.Table):
            return frame.select(self.names).cast(self.arrow)
        arrays = []
        for column in self.columns:
            if column.name not in frame:
                arrays.append(pa.nulls(len(frame), column.type))
                continue
            values: Any = frame[column.name]
            if column.type == GEOMETRY:
                arrays.append(pa.array(shapely.to_wkb(values.to_numpy(dtype=object)), pa.binary()))
            elif column.type == TEXTS:  # an empty column of lists has no dtype that Arrow would know
                arrays.append(pa.array(list(values), type=TEXTS, from_pandas=True))
            else:
                arrays.append(pa.Array.from_pandas(values, type=column.type, safe=column.type != TIME))
        return pa.Table.from_arrays(arrays, schema=self.arrow)

    def from_arrow(self, table: pa.Table) -> pd.DataFrame:
        """The frame of an Arrow table: a GeoDataFrame (EPSG:4326) where the table has a geometry."""
        import shapely

        table = table.select([name for name in self.names if name in table.column_names])
        frame = table.to_pandas(date_as_object=True, timestamp_as_object=False)
        if self.geometry:
            import geopandas as gpd

            frame["geometry"] = shapely.from_wkb(frame["geometry"].to_numpy(dtype=object))
            return gpd.GeoDataFrame(frame, geometry="geometry", crs=CRS)
        return frame

    def conform(self, frame: pd.DataFrame) -> pd.DataFrame:
        """`frame` with exactly this table's columns, in order and in their types (through Arrow, so lossless)."""
        return self.from_arrow(self.to_arrow(frame))

    def check(self, frame: pd.DataFrame) -> pd.DataFrame:
        """`frame`, once every value was found to be allowed.

        Raises `GeoMonitorError("table_broken")` naming the first columns and values that are not.
        """
        import pandera.errors

        try:
            _schema(self.name).validate(frame, lazy=True)
        except pandera.errors.SchemaErrors as error:
            cases = error.failure_cases[["column", "check", "failure_case"]].head(5)
            detail = "; ".join(f"{row.column}: {row.check} ({row.failure_case})" for row in cases.itertuples())
            raise GeoMonitorError("table_broken", table=self.name, detail=detail) from None
        return frame


@cache
def _schema(name: str) -> Any:
    import pandera.pandas as pandera

    columns = {}
    for column in TABLES[name].columns:
        checks = []
        if column.allowed:
            checks.append(pandera.Check.isin(list(column.allowed)))
        if column.low is not None:
            checks.append(pandera.Check.ge(column.low))
        if column.high is not None:
            checks.append(pandera.Check.le(column.high))
        columns[column.name] = pandera.Column(checks=checks, nullable=column.null)
    key = list(TABLES[name].key)
    return pandera.DataFrameSchema(columns, strict=True, ordered=True, unique=key or None)


def _c(name: str, kind: pa.DataType, doc: str, **limits: Any) -> Column:
    return Column(name, kind, doc, **limits)


def _id(name: str, doc: str) -> Column:
    return Column(name, TEXT, doc, null=False)


RECEIPT = _c("receipt_id", TEXT, "the upload the row came with", null=False)
VERSION = _c("version", INT, "1 for the first, one more for every correction", null=False, low=1)
REVISION = _c("revision", INT, "1 for the first, one more for every change", null=False, low=1)
REVISED = (
    _c("revised_at", TIME, "when this revision was made, UTC", null=False),
    _c("revised_by", TEXT, "by whom", null=False),
    _c("reason", TEXT, "why it was changed"),
)
LON = _c("lon", FLOAT, "longitude, WGS84 degrees", low=-180, high=180)
LAT = _c("lat", FLOAT, "latitude, WGS84 degrees", low=-90, high=90)
SHAPE = _c("geometry", GEOMETRY, "shape, WGS84")
AGENCY = _c("agency", TEXT, "the agency that sent it")
KM_FROM = _c("km_from", FLOAT, "chainage where it begins, km from the mouth (inclusive)")
KM_TO = _c("km_to", FLOAT, "chainage where it ends, km from the mouth (exclusive)")
PLATFORM = _c("platform", TEXT, "what was used to look", allowed=PLATFORMS)


def _ratio(name: str, where: str) -> tuple[Column, ...]:
    return (
        _c(
            f"ratio_{name}",
            FLOAT,
            f"rate after / before {where}, over the same of the rest; empty: not looked at",
            low=0,
        ),
        _c(f"ratio_{name}_lo", FLOAT, "lower end of its 90 % interval", low=0),
        _c(f"ratio_{name}_hi", FLOAT, "upper end of its 90 % interval", low=0),
    )


def _habit(name: str, doc: str, common: pa.DataType) -> tuple[Column, ...]:
    return (
        _c(f"{name}_patrols", INT, f"patrols of which it is known: {doc}", null=False, low=0),
        _c(f"{name}_entropy", FLOAT, "0 always the same, 1 all alike; empty: too few", low=0, high=1),
        _c(f"{name}_lo", FLOAT, "lower end of its 90 % interval", low=0, high=1),
        _c(f"{name}_hi", FLOAT, "upper end of its 90 % interval", low=0, high=1),
        _c(f"{name}_month", FLOAT, "the same of all units that month", low=0, high=1),
        _c(f"{name}_p_below", FLOAT, "P(easier to guess than all units that month)", low=0, high=1),
        _c(f"{name}_common", common, "the commonest"),
        _c(f"{name}_share", FLOAT, "its share", low=0, high=1),
    )


ALL = (
    Table(
        "positions",
        "Fixes of patrols and of traffic.",
        (
            _id("unit_id", "the boat, person, drone or device"),
            _c("patrol_id", TEXT, "the patrol, where the agency names it"),
            _c("time", TIME, "UTC", null=False),
            _c("lon", FLOAT, "longitude, WGS84 degrees", null=False, low=-180, high=180),
            _c("lat", FLOAT, "latitude, WGS84 degrees", null=False, low=-90, high=90),
            _c("speed", FLOAT, "m/s", low=0),
            _c("heading", FLOAT, "degrees from north", low=0, high=360),
            PLATFORM,
            _c("role", TEXT, "patrol (counts as effort) or traffic", null=False, allowed=ROLES),
            _c("source", TEXT, "what gave the fix", allowed=SOURCES),
            RECEIPT,
        ),
    ),
    Table(
        "units",
        "Who can be sent.",
        (
            _id("unit_id", "the unit"),
            _c("mmsi", TEXT, "its AIS number"),
            _c("name", TEXT, "as people call it"),
            PLATFORM,
            AGENCY,
            _c("base", TEXT, "where it lies: a name, or lon,lat"),
            _c("capability", TEXT, "what it can do (night, arrest, drone ...), words between ;"),
            _c("crew", FLOAT, "persons", low=0),
            _c("speed_kn", FLOAT, "speed it makes through the water, knots", low=0),
            _c("duty", TEXT, "on or off duty, as the agency words it"),
        ),
    ),
    Table(
        "patrols",
        "Patrols: found in tracks, or reported without GPS.",
        (
            _id("patrol_id", "the patrol"),
            _c("unit_id", TEXT, "the unit"),
            _c("started_at", TIME, "UTC", null=False),
            _c("ended_at", TIME, "UTC", null=False),
            _c("river", TEXT, "the river patrolled (reported patrols)"),
            KM_FROM,
            KM_TO,
            _c("persons", FLOAT, "persons on board", low=0),
            _c("how", TEXT, "tracked by GPS or reported in words", null=False, allowed=("tracked", "reported")),
        ),
    ),
    Table(
        "zones",
        "Ban zones, every version.",
        (
            _id("zone_id", "the zone"),
            VERSION,
            _c("name", TEXT, "its name"),
            _c("category", TEXT, "core zone, buffer zone, ban water ..."),
            _c("rule", TEXT, "what is forbidden, in words"),
            _c("season_from", TEXT, "MM-DD from which the rule holds each year (inclusive)"),
            _c("season_to", TEXT, "MM-DD to which it holds (inclusive; may wrap the year)"),
            _c("valid_from", TIME, "in force from (UTC; empty = always)"),
            _c("valid_to", TIME, "in force until (exclusive; empty = always)"),
            _c("level_station", TEXT, "gauge whose water level the rule asks for (empty: it asks for none)"),
            _c("level_from_m", FLOAT, "holds from this level on, metres as the gauge reads (inclusive)"),
            _c("level_to_m", FLOAT, "holds below this level, metres as the gauge reads (exclusive)"),
            AGENCY,
            SHAPE,
            RECEIPT,
        ),
    ),
    Table(
        "levels",
        "Water levels read at gauges, every version.",
        (
            _id("reading_id", "station and moment"),
            VERSION,
            _id("station", "the gauge, without 站, 水位站, 水文站 behind its name"),
            _c("time", TIME, "UTC", null=False),
            _c("level_m", FLOAT, "metres above the gauge's own datum", null=False),
            AGENCY,
            RECEIPT,
        ),
    ),
    Table(
        "seizures",
        "Reports of illegal fishing found, every version.",
        (
            _id("report_id", "the report"),
            VERSION,
            _c("time", TIME, "UTC", null=False),
            LON,
            LAT,
            _c("river", TEXT, "river, where the report is placed by chainage"),
            _c("km", FLOAT, "chainage, km from the mouth"),
            _c("bank", TEXT, "looking downstream", allowed=BANKS),
            _c("place", TEXT, "the place in words"),
            _c("setting", TEXT, "where in the chain it was found", allowed=SETTINGS),
            _c("origin", TEXT, "what led there", allowed=ORIGINS),
            _c("gear", TEXT, "gear seized"),
            _c("quantity", FLOAT, "pieces of gear", low=0),
            _c("catch_kg", FLOAT, "catch, kg", low=0),
            _c("value_cny", FLOAT, "value, CNY", low=0),
            _c("vessels", FLOAT, "vessels seized", low=0),
            _c("suspects", FLOAT, "persons", low=0),
            _c("disposition", TEXT, "what followed", allowed=DISPOSITIONS),
            _c("patrol_id", TEXT, "the patrol that found it"),
            AGENCY,
            RECEIPT,
        ),
    ),
    Table(
        "jurisdictions",
        "Who answers for which ground.",
        (
            _c("adcode", TEXT, "GB/T 2260 code"),
            _id("name", "its name"),
            _c("level", TEXT, "county, city or province"),
            _c("parent", TEXT, "adcode of the unit above"),
            SHAPE,
        ),
    ),
    Table(
        "reaches",
        "The river as space: pieces of channel, and lake cells.",
        (
            _id("reach_id", "from river and drawn chainage, or the H3 cell; calibrating km never changes it"),
            _c("river", TEXT, "local name of the river or lake", null=False),
            KM_FROM,
            KM_TO,
            _c("mouth_km", FLOAT, "km of the receiving river where a tributary joins"),
            _c("length_m", FLOAT, "metres along the channel (of a lake cell: its width)", null=False, low=0),
            _c("lon", FLOAT, "longitude of the mid point", null=False),
            _c("lat", FLOAT, "latitude of the mid point", null=False),
            _c("kind", TEXT, "channel or lake", null=False, allowed=("channel", "lake")),
            _c("adcode_left", TEXT, "locality on the left bank, looking downstream"),
            _c("adcode_right", TEXT, "locality on the right bank"),
            _c("side", TEXT, "label of a side channel around an island; its km is that of the main channel beside"),
            _c("geometry", GEOMETRY, "line drawn downstream, or lake cell", null=False),
        ),
        key=("reach_id",),
    ),
    Table(
        "links",
        "Which reaches touch, and how far apart their mid points are by water. Each pair once.",
        (
            _id("reach_a", "one reach"),
            _id("reach_b", "the other"),
            _c("distance_m", FLOAT, "metres by water, mid point to mid point", null=False, low=0),
        ),
        key=("reach_a", "reach_b"),
    ),
    Table(
        "effort",
        "Time looked: per reach, Shanghai day and platform.",
        (
            _id("reach_id", "the reach"),
            _c("day", DAY, "day in Asia/Shanghai", null=False),
            _c("platform", TEXT, "what was used to look", null=False, allowed=PLATFORMS),
            _c("minutes", FLOAT, "minutes looked", null=False, low=0),
            _c("stakeout_minutes", FLOAT, "of these, lying in wait", null=False, low=0),
            _c("night_minutes", FLOAT, "of the minutes, at night (20:00-04:00 in Asia/Shanghai)", null=False, low=0),
            _c("passes", INT, "times a unit came through", null=False, low=0),
            _c("units", INT, "different units", null=False, low=0),
            _c("reported_minutes", FLOAT, "of the minutes, reported in words without GPS", null=False, low=0),
        ),
        key=("reach_id", "day", "platform"),
    ),
    Table(
        "effort_gaps",
        "Gaps in tracks that added no effort.",
        (
            _id("unit_id", "the unit"),
            _c("patrol_id", TEXT, "the patrol"),
            _c("gap_from", TIME, "last fix before", null=False),
            _c("gap_to", TIME, "first fix after", null=False),
            _c("minutes", FLOAT, "minutes", null=False, low=0),
        ),
    ),
    Table(
        "zone_visits",
        "Who was inside which zone, from when to when.",
        (
            _id("unit_id", "the unit"),
            _c("patrol_id", TEXT, "the patrol of the first fix inside"),
            _id("zone_id", "the zone"),
            _c("zone_agency", TEXT, "the agency whose zone it is: zone_id is that agency's"),
            _c("zone_version", INT, "the version in force at that moment", null=False, low=1),
            _c("entered_at", TIME, "interpolated crossing, UTC", null=False),
            _c("left_at", TIME, "interpolated crossing, UTC", null=False),
            _c("minutes", FLOAT, "minutes between them", null=False, low=0),
            _c(
                "certainty",
                TEXT,
                "possible where a crossing lies between fixes over 5 min apart, or the level the rule asks for is unknown",
                null=False,
                allowed=("observed", "possible"),
            ),
        ),
    ),
    Table(
        "seizure_links",
        "For each seizure: where on the river, which zones held, who was near.",
        (
            _id("report_id", "the report"),
            _c("reach_id", TEXT, "the reach; empty where it could not be located"),
            _c("km", FLOAT, "chainage, km from the mouth"),
            _c("bank", TEXT, "looking downstream", allowed=BANKS),
            _c("offset_m", FLOAT, "metres from the line, > 0 to the right"),
            _c("zone_ids", TEXTS, "zones in force there at that moment"),
            _c("zone_ids_possible", TEXTS, "those of them whose rule asks for a water level not known then"),
            _c("nearest_unit_id", TEXT, "nearest patrol unit within +-30 min"),
            _c("nearest_unit_m", FLOAT, "straight-line metres to it", low=0),
            _c("nearest_unit_s", FLOAT, "its fix minus the report, seconds"),
            _c(
                "use",
                TEXT,
                "rate: in the rate; unpatrolled: tip or camera, no unit there; else why left out",
                null=False,
                allowed=("rate", "unpatrolled", "no_place", "off_river", "elsewhere"),
            ),
        ),
    ),
    Table(
        "hotspots",
        "The answer: per reach, how often illegal fishing is found per hour looked, and how sure that is.",
        (
            _id("reach_id", "the reach"),
            _c("river", TEXT, "local name", null=False),
            KM_FROM,
            KM_TO,
            _c("lon", FLOAT, "longitude of the mid point", null=False),
            _c("lat", FLOAT, "latitude of the mid point", null=False),
            _c("adcodes", TEXTS, "localities on its banks"),
            _c("seizures", INT, "cases in the rate", null=False, low=0),
            _c(
                "seizures_unpatrolled",
                INT,
                "by tip or camera with no unit there, not in the rate",
                null=False,
                low=0,
            ),
            _c("patrol_h", FLOAT, "hours looked", null=False, low=0),
            _c("exposure_h", FLOAT, "hours looked, platforms weighted to boat hours", null=False, low=0),
            _c("expected", FLOAT, "exposure_h x basin rate", null=False, low=0),
            _c("rate", FLOAT, "cases per hour looked", null=False, low=0),
            _c("rate_lo", FLOAT, "lower end of the 90 % interval", null=False, low=0),
            _c("rate_hi", FLOAT, "upper end of the 90 % interval", null=False, low=0),
            _c("rr", FLOAT, "rate / basin rate", null=False, low=0),
            _c("p_hot", FLOAT, "P(rate > 2 x basin rate)", null=False, low=0, high=1),
            _c("gi_z", FLOAT, "Gi* on the river network, z score"),
            _c("q_value", FLOAT, "its p-value after false discovery control", low=0, high=1),
            _c("state", TEXT, "hot, normal, cold or not_looked", null=False, allowed=STATES),
            _c("class", TEXT, "how it developed", allowed=CLASSES),
            _c("last_look", TIME, "end of the last look, UTC"),
        ),
        key=("reach_id",),
    ),
    Table(
        "clusters",
        "Clusters found by the scan statistic.",
        (
            _id("cluster_id", "the cluster"),
            _c(
                "kind",
                TEXT,
                "now: it reaches the end of the period; ever: at any time in it",
                null=False,
                allowed=("now", "ever"),
            ),
            _c("reach_ids", TEXTS, "its reaches", null=False),
            _c("period_from", TIME, "from", null=False),
            _c("period_to", TIME, "until", null=False),
            _c("seizures", INT, "cases inside", null=False, low=0),
            _c("expected", FLOAT, "cases expected inside", null=False, low=0),
            _c("rr", FLOAT, "rate inside / outside", low=0),
            _c("llr", FLOAT, "log likelihood ratio", null=False, low=0),
            _c("p_value", FLOAT, "Monte Carlo p-value", null=False, low=0, high=1),
        ),
        key=("cluster_id",),
    ),
    Table(
        "forecast",
        "What to expect of the next days: cases per hour of looking, reach by reach.",
        (
            _id("reach_id", "the reach"),
            _c("river", TEXT, "local name", null=False),
            KM_FROM,
            KM_TO,
            _c("period_from", TIME, "from", null=False),
            _c("period_to", TIME, "until", null=False),
            _c("rate", FLOAT, "cases per hour looked", null=False, low=0),
            _c("rate_lo", FLOAT, "lower end of the 90 % interval", null=False, low=0),
            _c("rate_hi", FLOAT, "upper end of the 90 % interval", null=False, low=0),
            _c("rr", FLOAT, "rate / basin rate", null=False, low=0),
            _c("p_hot", FLOAT, "P(rate > 2 x basin rate)", null=False, low=0, high=1),
        ),
        key=("reach_id",),
    ),
    Table(
        "near_repeat",
        "Are cases near each other in place and time more often than the patrols' hours explain?",
        (
            _c("km_from", FLOAT, "distance by water over, km (0 to 0: the same reach)", null=False, low=0),
            _c("km_to", FLOAT, "distance by water up to, km", null=False, low=0),
            _c("days_from", FLOAT, "days apart from", null=False, low=0),
            _c("days_to", FLOAT, "days apart up to", null=False, low=0),
            _c("observed", INT, "pairs of cases", null=False, low=0),
            _c("expected", FLOAT, "pairs expected of the hours looked", null=False, low=0),
            _c("expected_lo", FLOAT, "5 % of worlds have fewer", null=False, low=0),
            _c("expected_hi", FLOAT, "5 % of worlds have more", null=False, low=0),
            _c("ratio", FLOAT, "observed / expected", low=0),
            _c("p_value", FLOAT, "one-sided, by permutation", null=False, low=0, high=1),
            _c("q_value", FLOAT, "after false discovery control", null=False, low=0, high=1),
            _c("raised", BOOL, "more pairs than expected, q within the limit", null=False),
            _c("in_window", BOOL, "within the distance and days in which risk stays raised", null=False),
        ),
    ),
    Table(
        "reemergence",
        "The watch on places that were hot, were treated and went quiet: did it come back, and did anybody look?",
        (
            _id("place_id", "the place and its watch"),
            _c("reach_ids", TEXTS, "its reaches", null=False),
            _c("treatment", TEXT, "what was done", null=False, allowed=TREATMENTS),
            _c("hot_from", TIME, "hot from", null=False),
            _c("hot_to", TIME, "hot until", null=False),
            _c("watch_from", TIME, "watched from", null=False),
            _c("watch_to", TIME, "hot and treated again, which ends this watch; empty: still on"),
            _c("watch_days", FLOAT, "days since the treatment", null=False, low=0),
            _c("looked_days", FLOAT, "days up to the last look without a gap", null=False, low=0),
            _c("unlooked_days", FLOAT, "days since the last look", null=False, low=0),
            _c("looked_h", FLOAT, "hours looked since the treatment", null=False, low=0),
            _c("seizures", INT, "cases since the treatment", null=False, low=0),
            _c("hot_rate", FLOAT, "cases per hour while hot", null=False, low=0),
            _c("expected_if_hot", FLOAT, "cases expected since had it stayed hot", null=False, low=0),
            _c("p_back", FLOAT, "probability that it is back", null=False, low=0, high=1),
            _c("back_at", TIME, "when it was known to be back; empty: not back"),
            _c("back_unseen", BOOL, "it came back while nobody looked; empty: not back"),
            _c("state", TEXT, "quiet_not_looked: quiet because nobody looked", null=False, allowed=WATCH_STATES),
            *(
                _c(f"clock_{days}", TEXT, f"the clock of {days} days", null=False, allowed=CLOCKS)
                for days in (30, 90, 180, 365)
            ),
        ),
        key=("place_id",),
    ),
    Table(
        "relapse_curve",
        "Share of treated places that are not back, by days since the treatment (Kaplan-Meier; unlooked time censored).",
        (
            _c("days", FLOAT, "days since the treatment", null=False, low=0),
            _c("at_risk", INT, "places under observation", null=False, low=0),
            _c("relapsed", INT, "back on that day", null=False, low=0),
            _c("censored", INT, "no longer looked at from that day", null=False, low=0),
            _c("survival", FLOAT, "share not back", low=0, high=1),
            _c("lo", FLOAT, "lower end of the 90 % interval", low=0, high=1),
            _c("hi", FLOAT, "upper end of the 90 % interval", low=0, high=1),
            _c("clock", BOOL, "a day of the watch's clocks (30, 90, 180, 365)", null=False),
        ),
        key=("days",),
    ),
    Table(
        "displacement",
        "After a patrol surge: did the rate fall there, and did it rise next door along the water?",
        (
            _id("operation_id", "the surge"),
            _c("reach_ids", TEXTS, "its reaches", null=False),
            _c("surge_from", TIME, "from", null=False),
            _c("surge_to", TIME, "until", null=False),
            _c("verdict", TEXT, "what became of it", null=False, allowed=VERDICTS),
            _c("seizures_before", INT, "cases there before", null=False, low=0),
            _c("seizures_after", INT, "cases there after", null=False, low=0),
            _c("p_fell", FLOAT, "P(the rate fell, against the rest of the river); empty: not looked at", low=0, high=1),
            *_ratio("treated", "there"),
            *_ratio("up", "in the ring upstream"),
            *_ratio("down", "in the ring downstream"),
            *_ratio("up_outer", "in the outer ring upstream"),
            *_ratio("down_outer", "in the outer ring downstream"),
            _c("wdq", FLOAT, "weighted displacement quotient; -1: as much went next door as was prevented"),
            _c("wdq_lo", FLOAT, "lower end of its 90 % interval"),
            _c("wdq_hi", FLOAT, "upper end of its 90 % interval"),
        ),
        key=("operation_id",),
    ),
    Table(
        "why",
        "Why here? What stands behind the rate of a reach, and what one more shift there would teach.",
        (
            _id("reach_id", "the reach"),
            _c("river", TEXT, "local name", null=False),
            KM_FROM,
            KM_TO,
            _c("state", TEXT, "hot, normal, cold or not_looked", null=False, allowed=STATES),
            _c("seizures", INT, "cases in the rate", null=False, low=0),
            _c("exposure_h", FLOAT, "weighted hours looked", null=False, low=0),
            _c("rate", FLOAT, "cases per hour looked", null=False, low=0),
            _c("rate_lo", FLOAT, "lower end of the 90 % interval", null=False, low=0),
            _c("rate_hi", FLOAT, "upper end of the 90 % interval", null=False, low=0),
            _c("basin_rate", FLOAT, "the basin's rate, cases per hour", null=False, low=0),
            _c("rate_alone", FLOAT, "what neighbours and basin say without its own data, per hour", null=False, low=0),
            _c("near_seizures", INT, "cases within 2 km by water, itself not counted", null=False, low=0),
            _c("near_h", FLOAT, "hours looked there", null=False, low=0),
            _c("last_look", TIME, "end of the last look, UTC"),
            _c("like_reach_id", TEXT, "nearest reach looked at about as long; empty: none"),
            _c("like_m", FLOAT, "metres by water to it", low=0),
            _c("like_seizures", INT, "cases there", low=0),
            _c("like_h", FLOAT, "hours looked there", low=0),
            _c(
                "narrowing", FLOAT, "share by which one more shift would narrow the interval", null=False, low=0, high=1
            ),
            _c("zh", TEXT, "all of it in one sentence, in Chinese", null=False),
            _c("en", TEXT, "all of it in one sentence, in English", null=False),
        ),
        key=("reach_id",),
    ),
    Table(
        "predictability",
        "How well somebody who watches could guess the next patrol, by unit and month (0: always the same; 1: no guess).",
        (
            _id("unit_id", "the unit"),
            _c("month", TEXT, "YYYY-MM, Asia/Shanghai", null=False),
            _c("patrols", INT, "patrols begun in it", null=False, low=0),
            _c("too_few", BOOL, "too few to say anything", null=False),
            *_habit("hour", "hour of the day it starts (0-23)", INT),
            *_habit("place", "5 km of river it starts from", TEXT),
            *_habit("direction", "direction it takes first (up, down)", TEXT),
            _c("habit", TEXT, "the habit easiest to guess", allowed=("hour", "place", "direction")),
            _c("habit_share", FLOAT, "share of patrols that follow it", low=0, high=1),
        ),
        key=("unit_id", "month"),
    ),
    Table(
        "events",
        "What boats did that somebody should look at: every revision, nothing is overwritten.",
        (
            _id("event_id", "hash of kind, rule, units, zone and start"),
            REVISION,
            _c("state", TEXT, "open, ended or withdrawn", null=False, allowed=("open", "ended", "withdrawn")),
            _c("kind", TEXT, "what was seen", null=False, allowed=EVENT_KINDS),
            _id("rule", "the rule it came by"),
            _c("rule_version", INT, "its version", null=False, low=1),
            _c("unit_ids", TEXTS, "the boats"),
            _c("reach_id", TEXT, "where it began; empty: not on located water"),
            _c("zone_id", TEXT, "the zone, where one is meant"),
            _c("adcodes", TEXTS, "localities on the banks there"),
            _c("started_at", TIME, "UTC", null=False),
            _c("ended_at", TIME, "UTC; empty while it goes on"),
            LON,
            LAT,
            _c("evidence", TEXT, "what was measured, against which threshold, and the fixes that made it, as JSON"),
            *REVISED,
        ),
        key=("event_id", "revision"),
    ),
    Table(
        "warnings",
        "Graded warnings, each with its clock: every revision.",
        (
            _id("warning_id", "the warning"),
            REVISION,
            _c("class", TEXT, "what it is about", null=False, allowed=WARNING_CLASSES),
            _c("grade", TEXT, "probability of a verified case x harm", null=False, allowed=GRADES),
            _c("reach_id", TEXT, "where; empty: not on located water"),
            _c("adcode", TEXT, "the locality it goes to; empty: no jurisdiction is loaded there"),
            _c("level", TEXT, "who must sign now", null=False, allowed=LEVELS),
            LON,
            LAT,
            _c("opened_at", TIME, "UTC", null=False),
            _c("sign_by", TIME, "until when it must be signed at this level, UTC"),
            _c("signed_at", TIME, "UTC"),
            _c("signed_by", TEXT, "the account"),
            _c("escalated_at", TIME, "last escalation, UTC"),
            _c("report_by", TIME, "until when the outcome must be reported, UTC"),
            _c(
                "state",
                TEXT,
                "open, signed, dispatched, verified, closed or recalled",
                null=False,
                allowed=("open", "signed", "dispatched", "verified", "closed", "recalled"),
            ),
            _c("event_ids", TEXTS, "the events it stands on"),
            _c("rule", TEXT, "the rule it came by; empty: raised by hand"),
            _c("probability", FLOAT, "of a verified case", low=0, high=1),
            _c("probability_lo", FLOAT, "lower end of its 90 % interval", low=0, high=1),
            _c("probability_hi", FLOAT, "upper end of its 90 % interval", low=0, high=1),
            _c("harm", FLOAT, "what a case of this kind weighs (setting)", low=0),
            _c("evidence", TEXT, "why, as JSON"),
            _c("outcome", TEXT, "what was found", allowed=OUTCOMES),
            *REVISED,
        ),
        key=("warning_id", "revision"),
    ),
    Table(
        "rules",
        "Rules by which events become warnings: every revision.",
        (
            _id("rule", "its name"),
            REVISION,
            VERSION,
            _c("kind", TEXT, "the event it asks for", null=False, allowed=EVENT_KINDS),
            _c("class", TEXT, "the class of its warnings", null=False, allowed=WARNING_CLASSES),
            _c(
                "state",
                TEXT,
                "proposed, in_force, retired or expired",
                null=False,
                allowed=("proposed", "in_force", "retired", "expired"),
            ),
            _c("harm", FLOAT, "what a case of this kind weighs", null=False, low=0),
            _c("body", TEXT, "thresholds, zones, reaches, hours, permits, as JSON", null=False),
            _c("made_by", TEXT, "the account that proposed it", null=False),
            _c("approved_by", TEXT, "the second person, where the back-test asked for one"),
            _c("expires_at", TIME, "UTC; empty: never (shipped rules)"),
            _c("backtest", TEXT, "what it would have done on stored history, as JSON"),
            *REVISED,
        ),
        key=("rule", "revision"),
    ),
    Table(
        "taskings",
        "Who was sent, and what came of it: every revision.",
        (
            _id("tasking_id", "the tasking"),
            REVISION,
            _id("warning_id", "the warning"),
            _c("unit_id", TEXT, "the unit; empty where none was available"),
            _c(
                "state",
                TEXT,
                "how far it is",
                null=False,
                allowed=("offered", "accepted", "under_way", "on_scene", "done", "declined", "recalled", "no_unit"),
            ),
            _c("made_at", TIME, "UTC", null=False),
            _c("due_at", TIME, "until when the unit should be there, UTC"),
            _c("result", TEXT, "what was found", allowed=OUTCOMES),
            _c("text", TEXT, "the same in words; why it was declined or recalled, or nobody could be asked"),
            _c("report_id", TEXT, "the report it led to"),
            _c("accepted_at", TIME, "UTC"),
            _c("under_way_at", TIME, "UTC"),
            _c("on_scene_at", TIME, "UTC"),
            _c("ended_at", TIME, "UTC"),
            _c("told_by", TEXT, "who told the last step"),
            _c("how", TEXT, "the last step came by hand or by track", allowed=("hand", "track")),
            *REVISED,
        ),
        key=("tasking_id", "revision"),
    ),
    Table(
        "runs",
        "Every analysis done.",
        (
            _id("run_id", "the run"),
            _c("made_at", TIME, "when, UTC", null=False),
            _c("period_from", TIME, "from"),
            _c("period_to", TIME, "until"),
            _c("as_of", TIME, "only what had been received by then"),
            _c("summary", TEXT, "the run summary as JSON", null=False),
        ),
        key=("run_id",),
    ),
    Table(
        "receipts",
        "Every upload, accepted or not.",
        (
            _id("receipt_id", "the receipt"),
            _c("kind", TEXT, "what it holds", null=False),
            _c("file", TEXT, "file name as sent", null=False),
            _c("sha256", TEXT, "of the bytes", null=False),
            AGENCY,
            _c("received_at", TIME, "UTC", null=False),
            _c(
                "status",
                TEXT,
                "what became of it",
                null=False,
                allowed=("accepted", "accepted_with_warnings", "duplicate", "rejected"),
            ),
            _c("withdrawn_at", TIME, "taken out of force at, UTC"),
            _c("withdrawn_reason", TEXT, "why"),
            _c("receipt", TEXT, "the whole receipt as JSON", null=False),
        ),
        key=("receipt_id",),
    ),
    Table(
        "quality",
        "Rows and troubles of each agency's uploads, by receipt.",
        (
            RECEIPT,
            AGENCY,
            _c("kind", TEXT, "what it holds", null=False),
            _c("received_at", TIME, "UTC", null=False),
            _c("rows_read", INT, "rows in the file", null=False),
            _c("rows_accepted", INT, "taken in, new or corrected", null=False),
            _c("rows_quarantined", INT, "refused", null=False),
            _c("warnings", INT, "warnings given", null=False),
        ),
    ),
    Table(
        "persons",
        "The people in reports, as pseudonyms: the same for the same name. The names are sealed (`geo-monitor persons`).",
        (
            _c("report_id", TEXT, "the report", null=False),
            AGENCY,
            VERSION,
            _c("part", TEXT, "what the file calls them"),
            _c("pseudonym", TEXT, "stands for the name", null=False),
            RECEIPT,
        ),
    ),
    Table(
        "quality_scores",
        "How good each agency's uploads were, by month of receipt (Asia/Shanghai), and what to mend first.",
        (
            _c("agency", TEXT, "the agency that sent them; empty: none was named"),
            _c("month", TEXT, "YYYY-MM", null=False),
            _c("uploads", INT, "uploads", null=False, low=0),
            _c("uploads_duplicate", INT, "of these, with nothing new; they count nowhere else", null=False, low=0),
            _c("uploads_rejected", INT, "of these, refused", null=False, low=0),
            _c("uploads_withdrawn", INT, "of these, taken out of force since", null=False, low=0),
            _c("rows_read", INT, "rows read that were not held already", null=False, low=0),
            _c("rows_taken", INT, "of these, taken in, new or corrected", null=False, low=0),
            _c("rows_refused", INT, "of these, refused", null=False, low=0),
            _c("rows_warned", INT, "of those taken in, with a warning", null=False, low=0),
            _c("rows_corrected", INT, "of those taken in, corrections", null=False, low=0),
            _c("rows_corrected_again", INT, "of these, third or later versions", null=False, low=0),
            _c("rows_late", INT, "of those taken in, over 7 days after their own day", null=False, low=0),
            _c("days_late", FLOAT, "median days from a row's day to its receipt; empty: rows without a time"),
            _c("refused_for", TEXTS, "code:rows of each reason, most rows first (a file not readable counts as a row)"),
            _c("warned_for", TEXTS, "code:rows of each warning, most rows first"),
            _c("encoding_declared", FLOAT, "share of uploads that said their text encoding", low=0, high=1),
            _c("datum_declared", FLOAT, "share of uploads that said their datum", low=0, high=1),
            _c("score", FLOAT, "0 to 100; empty: too few to say", low=0, high=100),
            _c("score_lo", FLOAT, "lower end of its 90 % interval", low=0, high=100),
            _c("score_hi", FLOAT, "upper end of its 90 % interval", low=0, high=100),
            _c("fix_1", TEXT, "the most useful thing to mend, in Chinese"),
            _c("fix_1_en", TEXT, "the same in English"),
            _c("fix_2", TEXT, "the second"),
            _c("fix_2_en", TEXT, "the same in English"),
            _c("fix_3", TEXT, "the third"),
            _c("fix_3_en", TEXT, "the same in English"),
        ),
        key=("agency", "month"),
    ),
    Table(
        "audit",
        "Who did what, when.",
        (
            _c("at", TIME, "UTC", null=False),
            _c("who", TEXT, "the account", null=False),
            _c("action", TEXT, "what", null=False),
            _c("subject", TEXT, "on what"),
            _c("detail", TEXT, "more, as JSON"),
            _c("hash", TEXT, "over this row and the hash of the row before, SHA-256", null=False),
        ),
    ),
    Table(
        "river_lines",
        "Raw river data as sent: centre lines, lake polygons, official km marks.",
        (
            _id("line_id", "the feature"),
            VERSION,
            _c("river", TEXT, "its name"),
            _c("what", TEXT, "channel, lake or km mark", null=False, allowed=("channel", "lake", "mark")),
            _c("km", FLOAT, "of a mark: its official chainage"),
            _c("accuracy_m", FLOAT, "how far the real channel may lie from the line, metres", low=0),
            _c("mouth", TEXT, "what the data say of the mouth"),
            _c("main_stem", TEXT, "what the data say of the main stem (yes or no)"),
            AGENCY,
            SHAPE,
            RECEIPT,
        ),
        inner=True,
    ),
    Table(
        "locating",
        "How far from its line a fix still belongs to a reach.",
        (
            _id("reach_id", "the reach"),
            _c("tolerance_m", FLOAT, "metres; 2 x the river data's accuracy + half the water width", null=False, low=0),
        ),
        key=("reach_id",),
        inner=True,
    ),
    Table(
        "rasters",
        "Uploaded rasters: water masks.",
        (
            _id("raster_id", "the SHA-256 of the file; the bytes lie under raw/"),
            VERSION,
            _c("what", TEXT, "water_mask", null=False, allowed=("water_mask",)),
            _c("name", TEXT, "file name"),
            _c("width", INT, "pixels"),
            _c("height", INT, "pixels"),
            _c("pixel_m", FLOAT, "size of a pixel, metres"),
            AGENCY,
            _c("geometry", GEOMETRY, "its outline, WGS84"),
            RECEIPT,
        ),
        inner=True,
    ),
)

TABLES: dict[str, Table] = {table.name: table for table in ALL}


def table(name: str) -> Table:
    """The table called `name`. Raises `Usage("unknown_table")`.

    >>> table("links").names
    ('reach_a', 'reach_b', 'distance_m')
    """
    if name not in TABLES:
        raise Usage("unknown_table", table=name, tables=", ".join(sorted(TABLES)))
    return TABLES[name]
