"""Water levels and the rules that ask for them."""

from __future__ import annotations

MESSAGES: dict[str, tuple[str, str]] = {
    "station_missing": ("没有水位站名。", "The gauge is not named."),
    "station_missing.hint": ("请补上站名后重新上传这些行。", "Name the gauge and send these rows again."),
    "level_missing": ("没有水位，或水位不是数字。", "The water level is missing, or is no number."),
    "level_missing.hint": (
        "请补上以米为单位的水位后重新上传这些行。",
        "Add the level in metres and send these rows again.",
    ),
    "level_absurd": (
        "水位不在 {low} 至 {high} 米之间，不可能（常见于缺测代码，如 -9999）。",
        "The level lies outside {low} to {high} m: impossible (often a code for a missing reading, such as -9999).",
    ),
    "level_absurd.hint": (
        "请删去缺测的行，或改正水位（单位为米）后重新上传。",
        "Leave out what was not read, or correct the level (in metres), and send these rows again.",
    ),
    "level_far": (
        "水位与该站水位的中位数相差超过 {apart} 米，疑为缺测代码或单位有误（应为米）。",
        "The level lies over {apart} m from the median of its gauge: a code for a missing reading, or not metres.",
    ),
    "level_far.hint": (
        "请核对单位（米）和基面，改正后重新上传这些行。",
        "Check the unit (metres) and the datum, and send these rows again.",
    ),
    "level_no_station": (
        "{count} 行写了水位上下限但没有水位站，无法按水位判断，按不限水位（始终有效）处理。",
        "{count} rows state water levels but no gauge; taken as in force at any level.",
    ),
    "level_no_bounds": (
        "{count} 行写了水位站但没有水位上下限，按不限水位（始终有效）处理。",
        "{count} rows name a gauge but no water level; taken as in force at any level.",
    ),
    "level_backwards": ("水位上限不高于下限。", "The upper water level is not above the lower one."),
    "level_backwards.hint": ("请更正水位上下限后重新上传这些行。", "Correct the levels and send these rows again."),
    "level_unknown": (
        "水位站“{station}”有 {hours} 小时没有可用的水位：按水位生效的 {count} 个区域（{zones}）在此期间仍按有效处理，"
        "相关进出记为“可能”。请用 import levels 补报水位。",
        'The level at "{station}" is not known for {hours} h. The {count} zones whose rule asks for it ({zones}) count as '
        "in force then, and their visits as possible. Send the readings with: import levels FILE.",
    ),
    "zone_version_ended": (
        "{count} 行更正后，原先报送、起始日期更晚的规则（区域 {zones}）不再有效。如仍需保留，请与更正后的行在同一文件中一并重报。",
        "After {count} corrected rows, rules sent before that begin later (zones {zones}) no longer hold. If they should, "
        "send them again in one file with the corrected rows.",
    ),
}
