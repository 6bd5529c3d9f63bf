"""Sentences of the page of the hotspots: code -> (Chinese, English)."""

MESSAGES: dict[str, tuple[str, str]] = {
    "app.tab_intervals": ("区间", "Intervals"),
    "app.tab_compare": ("两次对照", "Compare"),
    "app.tab_watch": ("复燃观察", "Re-emergence"),
    "app.tab_clusters": ("聚集", "Clusters"),
    "app.axis_rate": (
        "每巡航小时查获（起）；点为估计，条为区间，虚线为全流域平均",
        "cases per hour looked; dot: estimate, bar: interval, dashed: basin",
    ),
    "app.axis_hours": ("巡航小时", "hours patrolled"),
    "app.intervals_none": (
        "这个范围里没有看够的江段，画不出区间。",
        "No reach of this area was looked at enough for an interval.",
    ),
    "app.why_head": ("判断依据", "Why here"),
    "app.why_none": (
        "这次分析没有算“为什么”。运行 geo-monitor analyse --methods all 后，这里逐条说明。",
        "This analysis holds no reasons: run geo-monitor analyse --methods all and they are told here.",
    ),
    "app.compare_with": ("与哪一次对照", "Compare with"),
    "app.compare_none": (
        "只有一次分析。按时段各做一次（geo-monitor analyse --from 2025-01-01 --to 2025-04-01），这里就能对照两个时段。",
        "There is one analysis only. Make one for each period (geo-monitor analyse --from 2025-01-01 --to 2025-04-01) to "
        "compare them here.",
    ),
    "app.compare_periods": ("本次：{now}；对照：{before}。", "This one: {now}; compared with: {before}."),
    "app.compare_overlap": (
        "两次的时段有重叠，用了部分相同的数据，下面的概率会偏向“没变”。",
        "The periods overlap and share data, so the probabilities below lean towards no change.",
    ),
    "app.compare_counts": (
        "新热 {risen_hot} 段，仍热 {stays_hot} 段，不再热 {left_hot} 段，原热现看得不够 {hot_unseen} 段；另有 {risen} 段明显上升，"
        "{fallen} 段明显下降，{same} 段说不上变化，{unknown} 段至少一次看得不够。",
        "{risen_hot} newly hot, {stays_hot} still hot, {left_hot} hot no more, {hot_unseen} hot before and not looked at now; "
        "{risen} clearly up, {fallen} clearly down, {same} cannot be told apart, {unknown} not looked at enough in one of them.",
    ),
    "app.change": ("变化", "Change"),
    "app.change_risen_hot": ("新热", "newly hot"),
    "app.change_stays_hot": ("仍热", "still hot"),
    "app.change_left_hot": ("不再热", "hot no more"),
    "app.change_hot_unseen": ("原热，现看得不够", "hot before, not looked now"),
    "app.change_risen": ("明显上升", "clearly up"),
    "app.change_fallen": ("明显下降", "clearly down"),
    "app.compare_ratio": ("本次/对照", "now / before"),
    "app.compare_p": ("上升的概率", "P(higher)"),
    "app.compare_rate": ("本次 起/小时（区间）", "Now, cases/h (interval)"),
    "app.compare_rate_before": ("对照 起/小时（区间）", "Before, cases/h (interval)"),
    "app.compare_how": (
        "上升的概率：两次的率各按对数正态、相互独立推算。",
        "P(higher): both rates taken as lognormal and independent.",
    ),
    "app.watch_none": (
        "这次分析没有复燃观察，或没有处置过的热点。运行 geo-monitor analyse --methods all 后再看。",
        "This analysis holds no watch, or no treated hot place: run geo-monitor analyse --methods all.",
    ),
    "app.watch_place": ("地点", "Place"),
    "app.watch_state": ("现状", "State"),
    "app.watch_treatment": ("处置", "Treatment"),
    "app.watch_since": ("处置后天数", "Days since"),
    "app.watch_unlooked": ("未看天数", "Days unlooked"),
    "app.watch_p": ("复燃概率", "P(back)"),
    "app.watch_cases": ("处置后查获", "Cases since"),
    "app.watch_expected": ("若仍热应有", "Expected if hot"),
    "app.watch_quiet": ("平静", "quiet"),
    "app.watch_back": ("复燃", "back"),
    "app.watch_watching": ("观察中", "watching"),
    "app.watch_quiet_not_looked": ("平静，但没人看", "quiet, nobody looked"),
    "app.watch_surge": ("巡护加强", "patrol surge"),
    "app.watch_crackdown": ("集中整治", "crackdown"),
    "app.clusters_none": (
        "这次分析没有做扫描统计，或没有显著聚集。运行 geo-monitor analyse --methods all 后再看。",
        "This analysis holds no scan, or no cluster: run geo-monitor analyse --methods all.",
    ),
    "app.cluster_place": ("位置", "Place"),
    "app.cluster_period": ("时段", "Period"),
    "app.cluster_cases": ("查获", "Cases"),
    "app.cluster_expected": ("期望", "Expected"),
    "app.cluster_rr": ("相对率", "Relative rate"),
    "app.cluster_p": ("p 值", "p-value"),
    "app.col_class": ("趋势类", "Class"),
}
