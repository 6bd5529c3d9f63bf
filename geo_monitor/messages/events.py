"""Sentences of the detectors: code -> (Chinese, English)."""

MESSAGES: dict[str, tuple[str, str]] = {
    "event_kind_unknown": (
        "规则“{rule}”的事件类型“{kind}”不存在。规则未启用，其他数据未改动。",
        'Rule "{rule}" is of kind "{kind}", which does not exist. The rule was not run; nothing was changed.',
    ),
    "event_kind_unknown.hint": (
        "可用的类型：{kinds}。请更正后重试。",
        "The kinds are {kinds}. Correct the rule and try again.",
    ),
    "event_threshold_unknown": (
        "规则“{rule}”（类型 {kind}）没有名为“{name}”的阈值。规则未启用，其他数据未改动。",
        'Rule "{rule}" of kind {kind} has no threshold "{name}". The rule was not run; nothing was changed.',
    ),
    "event_threshold_unknown.hint": (
        "可用的阈值：{names}。请更正后重试。",
        "Its thresholds are {names}. Correct the rule and try again.",
    ),
    "event_cut_too_short": (
        "设置 event_cut_s（{cut} 秒）不得短于 event_leg_s、event_window_s、patrol_split_s 和 "
        "visit_exit_s 中最长的一项（{least} 秒）。未作计算。",
        "The setting event_cut_s ({cut} s) must be longer than event_leg_s, event_window_s, patrol_split_s and "
        "visit_exit_s ({least} s). Nothing was computed.",
    ),
}
