"""Sentences of effort and the joins: code -> (Chinese, English)."""

MESSAGES: dict[str, tuple[str, str]] = {
    "tracks_rows_differ": (
        "定位结果有 {located} 行，轨迹点有 {fixes} 行，两者应逐行对应。这是程序的差错，未作计算，数据未改动。",
        "There are {located} located rows for {fixes} fixes; they must match row by row. This is a fault of the "
        "program; nothing was computed, no data were changed.",
    ),
    "tracks_platform_unknown": (
        "不认识的巡查方式：{names}。未作计算，数据未改动。",
        "Unknown platform: {names}. Nothing was computed, no data were changed.",
    ),
    "tracks_platform_unknown.hint": (
        "可用的巡查方式：boat（船）、foot（步行）、drone（无人机）、vehicle（车）、camera（监控）。请更正后重新上传。",
        "The platforms are boat, foot, drone, vehicle and camera. Correct the value and send the file again.",
    ),
    "halo_too_long": (
        "设置中的时间范围过长，超过 {days} 天。未作计算，数据未改动。",
        "The time windows in the settings are too long: over {days} days. Nothing was computed, no data were changed.",
    ),
    "halo_too_long.hint": (
        "请在 settings.toml 中调小 nearest_window_s、gap_s、stakeout_s 或 stakeout_stray_s（单位为秒）。",
        "Make nearest_window_s, gap_s, stakeout_s or stakeout_stray_s (seconds) in settings.toml smaller.",
    ),
    "effort_spread_broken": (
        "两点之间的水路分摊比例之和为 {share}，应为 1。这是河网计算的差错，未作计算，数据未改动。",
        "The shares of the way by water between two fixes sum to {share} instead of 1. This is a fault of the river "
        "network; nothing was computed, no data were changed.",
    ),
    "patrol_off_network": (
        "巡护“{patrol}”填报的江段（{river}，{km_from}–{km_to} 公里）有一部分或全部不在河网上，"
        "其中 {minutes} 分钟计入未定位时长。",
        'The stretch of the reported patrol "{patrol}" ({river}, km {km_from} to {km_to}) lies off the river network '
        "in part or whole; {minutes} minutes of it count as unlocated.",
    ),
    "patrol_off_network.hint": (
        "请核对河名与起止里程（自河口起算的公里数），更正后重新上传。",
        "Check the river's name and the chainage (km from the mouth), correct them and send the row again.",
    ),
    "patrol_without_time": (
        "巡护“{patrol}”填报的结束时间不晚于开始时间，未计入时长。",
        'The reported patrol "{patrol}" ends no later than it begins; it adds no time.',
    ),
    "patrol_without_time.hint": (
        "请核对起止时间，更正后重新上传。",
        "Check when it began and ended, correct it and send the row again.",
    ),
    "zone_season_unreadable": (
        "禁捕区“{zone}”第 {version} 版的季节“{season}”不是“月-日”（如 03-01）。未作计算。",
        'Version {version} of zone "{zone}" has a season "{season}" that is not MM-DD (such as 03-01). Nothing was '
        "computed.",
    ),
    "zone_season_unreadable.hint": (
        "请更正该禁捕区的起止日期后重新上传。",
        "Correct the season of that zone and send it again.",
    ),
}
