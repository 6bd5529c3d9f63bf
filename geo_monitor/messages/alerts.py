"""Sentences of rules and warnings: code -> (Chinese, English)."""

MESSAGES: dict[str, tuple[str, str]] = {
    # rules as written
    "rule_yaml": (
        "规则第 {line} 行不是有效的 YAML：{detail}。未作任何更改。",
        "Line {line} of the rule is no valid YAML: {detail}. Nothing was changed.",
    ),
    "rule_long": (
        "规则超过 {most} 个字符。未作任何更改。",
        "The rule is longer than {most} characters. Nothing was changed.",
    ),
    "rule_no_mapping": (
        "规则应由“字段：值”组成，例如 rule: night_nets。未作任何更改。",
        'A rule consists of "field: value" lines, as rule: night_nets. Nothing was changed.',
    ),
    "rule_field_twice": (
        "字段“{field}”出现两次（第 {line} 行）。未作任何更改。",
        'The field "{field}" stands there twice (line {line}). Nothing was changed.',
    ),
    "rule_field_unknown": (
        "规则中没有“{field}”这一字段（第 {line} 行）。未作任何更改。",
        'A rule has no field "{field}" (line {line}). Nothing was changed.',
    ),
    "rule_field_unknown.hint": ("可用的字段：{fields}。", "The fields are: {fields}."),
    "rule_field_missing": (
        "规则缺少字段“{field}”。未作任何更改。",
        'The rule lacks the field "{field}". Nothing was changed.',
    ),
    "rule_field_missing.hint": ("必填字段：{needed}。", "It needs: {needed}."),
    "rule_field_bad": (
        "字段“{field}”（第 {line} 行）应为{wants}。未作任何更改。",
        'The field "{field}" (line {line}) must be {wants}. Nothing was changed.',
    ),
    "rule_field_choice": (
        "字段“{field}”（第 {line} 行）不能取“{value}”。未作任何更改。",
        'The field "{field}" (line {line}) cannot be "{value}". Nothing was changed.',
    ),
    "rule_field_choice.hint": ("可取的值：{allowed}。", "It may be: {allowed}."),
    "rule_threshold_unknown": (
        "“{field}”（第 {line} 行）不是 {kind} 类事件的阈值。未作任何更改。",
        '"{field}" (line {line}) is no threshold of events of kind {kind}. Nothing was changed.',
    ),
    "rule_threshold_unknown.hint": ("该类事件的阈值：{names}。", "Its thresholds are: {names}."),
    "alerts.wants_slug": (
        "以小写字母开头、由小写字母、数字、- 和 _ 组成的名称（不超过 40 个字符）",
        "a name of small letters, digits, - and _ that begins with a letter (at most 40 characters)",
    ),
    "alerts.wants_text": ("文字（不能过长）", "text, and not too long"),
    "alerts.wants_name": ("文字；编号请加引号", "text; put numbers used as names in quotes"),
    "alerts.wants_number": ("数字", "a number"),
    "alerts.wants_positive": ("不小于 0 的数字", "a number not below 0"),
    "alerts.wants_harm": ("大于 0 且不超过 10 的数字", "a number above 0 and at most 10"),
    "alerts.wants_list": ("列表", "a list"),
    "alerts.wants_mapping": ("“阈值：数字”的组合", 'a mapping of "threshold: number"'),
    "alerts.wants_reach": (
        "river、km_from、km_to 三项，且起点里程小于终点里程",
        "river, km_from and km_to, with km_from below km_to",
    ),
    "alerts.wants_hours": (
        "两个不同的钟点，在 0 到 24 之间，例如 [20, 4]（20:30 写作 20.5）",
        "two different hours between 0 and 24, as [20, 4] (20:30 is 20.5)",
    ),
    "alerts.wants_expires": (
        "天数，或最后一天的日期，例如 2026-12-31",
        "a number of days, or the last day, as 2026-12-31",
    ),
    # the life of a rule
    "rule_expires_past": (
        "规则的有效期已过。未作任何更改。",
        "The rule would be over already. Nothing was changed.",
    ),
    "rule_expires_far": (
        "规则的有效期最长为 {days} 天。未作任何更改。",
        "A rule holds for {days} days at most. Nothing was changed.",
    ),
    "rule_expires_far.hint": ("到期前可以续期。", "It can be renewed before it ends."),
    "rule_unchanged": (
        "规则“{rule}”现行内容与此相同。未作任何更改。",
        'The rule "{rule}" in force says the same. Nothing was changed.',
    ),
    "rule_unchanged.hint": ("如需延长有效期，请续期。", "To make it hold longer, renew it."),
    "rule_state_wrong": (
        "规则“{rule}”的状态为“{state}”，不能{action}。未作任何更改。",
        'The rule "{rule}" is {state}: {action} is not possible. Nothing was changed.',
    ),
    "rule_reason_missing": (
        "停用或退回规则“{rule}”须写明理由。未作任何更改。",
        'A reason is needed to retire or refuse the rule "{rule}". Nothing was changed.',
    ),
    "rule_backtest_other": (
        "回测所用内容与规则“{rule}”现在的内容不同。未作任何更改。",
        'The back-test was made of other content than the rule "{rule}" has now. Nothing was changed.',
    ),
    "rule_backtest_other.hint": ("请重新回测。", "Test it again."),
    "rule_raises_nothing": (
        "规则“{rule}”在已存的 {days} 天数据上没有产生任何预警（事件 {events} 个），不予启用。未作任何更改。",
        'The rule "{rule}" raises nothing on the {days} days stored ({events} events) and was refused. '
        "Nothing was changed.",
    ),
    "rule_raises_nothing.hint": (
        "请检查阈值、水域、江段和时段。",
        "Check its thresholds, zones, reaches and hours.",
    ),
    "rule_raises_everything": (
        "规则“{rule}”涉及至少 {share} % 的船·日，等于对所有船只预警，不予启用。未作任何更改。",
        'The rule "{rule}" speaks of at least {share} % of all boat days, which is traffic, and was refused. '
        "Nothing was changed.",
    ),
    "rule_raises_everything.hint": (
        "请收紧阈值，或限定水域、时段。",
        "Tighten its thresholds, or limit where and when.",
    ),
    "rule_second_person": (
        "规则“{rule}”预计每天产生的预警超过 {cap} 条，须由提出人以外的人批准。未作任何更改。",
        'The rule "{rule}" would raise over {cap} warnings a day, the cap: somebody else than its maker '
        "must approve it. Nothing was changed.",
    ),
    "rule_period": ("回测时段的终点须晚于起点。", "The period of a back-test must end after it begins."),
    "alerts.rule_proposed": ("待批准", "proposed"),
    "alerts.rule_in_force": ("生效", "in force"),
    "alerts.rule_retired": ("已停用", "retired"),
    "alerts.rule_expired": ("已到期", "expired"),
    "alerts.rule_action_approve": ("批准", "approving"),
    "alerts.rule_action_renew": ("续期", "renewing"),
    "alerts.rule_action_retire": ("停用", "retiring"),
    "alerts.rule_action_drop": ("退回", "refusing"),
    # what people do with warnings
    "warning_state_wrong": (
        "预警 {id} 的状态为“{state}”，不能{action}。未作任何更改。",
        "Warning {id} is {state}: {action} is not possible. Nothing was changed.",
    ),
    "warning_level_other": (
        "预警 {id} 现由{level}（{office}）签收。未作任何更改。",
        "Warning {id} is now for the {level} ({office}) to sign. Nothing was changed.",
    ),
    "warning_outcome_missing": (
        "办结预警 {id} 须填写处置结果。未作任何更改。",
        "Warning {id} cannot be closed without an outcome. Nothing was changed.",
    ),
    "warning_outcome_missing.hint": ("可选结果：{outcomes}。", "The outcomes are: {outcomes}."),
    "warning_outcome_unknown": ("没有“{outcome}”这一处置结果。", 'There is no outcome "{outcome}".'),
    "warning_outcome_unknown.hint": ("可选结果：{outcomes}。", "The outcomes are: {outcomes}."),
    "warning_reason_missing": (
        "{action}须写明理由（预警 {id}）。未作任何更改。",
        "A reason is needed for {action} (warning {id}). Nothing was changed.",
    ),
    "warning_grade_unknown": ("没有“{grade}”这一预警等级。", 'There is no grade "{grade}".'),
    "warning_grade_unknown.hint": ("可选等级：{grades}。", "The grades are: {grades}."),
    "warning_grade_same": (
        "预警 {id} 已是{grade}预警。未作任何更改。",
        "Warning {id} is {grade} already. Nothing was changed.",
    ),
    "warning_class_unknown": ("没有“{cls}”这一预警类别。", 'There is no class of warnings "{cls}".'),
    "warning_class_unknown.hint": ("可选类别：{classes}。", "The classes are: {classes}."),
    "warning_quiet_past": (
        "静默期的终点须在此刻之后（预警 {id}）。未作任何更改。",
        "A quiet period must end in the future (warning {id}). Nothing was changed.",
    ),
    "warning_quiet_long": (
        "静默期最长 {days} 天（预警 {id}）。未作任何更改。",
        "A quiet period lasts {days} days at most (warning {id}). Nothing was changed.",
    ),
    "warning_quiet_nowhere": (
        "预警 {id} 不在已定位的水域上，须指明水域才能静默。未作任何更改。",
        "Warning {id} lies on no located water; name a zone to be quiet in. Nothing was changed.",
    ),
    "alerts.state_open": ("待签收", "open"),
    "alerts.state_signed": ("已签收", "signed"),
    "alerts.state_dispatched": ("已派单", "dispatched"),
    "alerts.state_verified": ("已核实", "verified"),
    "alerts.state_closed": ("已办结", "closed"),
    "alerts.state_recalled": ("已撤回", "recalled"),
    "alerts.action_raise": ("发出预警", "raising it"),
    "alerts.action_sign": ("签收", "signing"),
    "alerts.action_dispatch": ("派单", "dispatching"),
    "alerts.action_verify": ("核实", "verifying"),
    "alerts.action_close": ("办结", "closing"),
    "alerts.action_recall": ("撤回", "recalling"),
    "alerts.action_regrade": ("调整等级", "changing the grade"),
    "alerts.action_silence": ("静默", "silencing"),
    "alerts.level_county": ("县级", "county"),
    "alerts.level_city": ("市级", "city"),
    "alerts.level_province": ("省级", "province"),
    "alerts.grade_red": ("红色", "red"),
    "alerts.grade_orange": ("橙色", "orange"),
    "alerts.grade_yellow": ("黄色", "yellow"),
    "alerts.grade_blue": ("蓝色", "blue"),
    "alerts.class_zone": ("闯入禁捕水域", "zone intrusion"),
    "alerts.class_gear": ("非法捕捞作业", "gear"),
    "alerts.class_trade": ("转运销售", "trade"),
    "alerts.class_reemergence": ("死灰复燃", "re-emergence"),
    "alerts.class_coverage": ("巡护缺口", "coverage gap"),
    "alerts.class_border": ("跨界", "cross-border"),
    "alerts.class_tip": ("线索", "tip"),
    "alerts.outcome_case": ("立案", "case"),
    "alerts.outcome_education": ("劝导教育", "education"),
    "alerts.outcome_nothing_found": ("未发现", "nothing found"),
    "alerts.outcome_no_unit": ("无力量可派", "no unit available"),
    "alerts.outcome_false": ("误报", "false"),
    # reasons of changes nobody made by hand
    "alerts.reason_joined": ("并入同一情形的新事件", "another event of the same situation"),
    "alerts.reason_graver": ("新事件使等级上升", "a new event raised the grade"),
    "alerts.reason_event_changed": ("所依据的事件有更新", "an event it stands on was revised"),
    "alerts.reason_fallen": (
        "所依据的事件已全部撤销",
        "all events it stood on were withdrawn",
    ),
    "alerts.reason_risen": ("所依据的事件重新成立", "an event it stood on stands again"),
    "alerts.reason_late": ("数据迟到，事件已过去一段时间", "told late: the event is some hours past"),
    "alerts.reason_quiet": ("静默期内的事件，只计数不预警", "an event in a quiet period, counted and not raised"),
    "alerts.reason_escalated": ("逾期未签收，上报上一级", "not signed in time: gone up a level"),
    "alerts.reason_overdue": ("省级逾期未签收", "not signed in time by the province"),
    "alerts.reason_report_overdue": ("逾期未反馈处置结果", "the outcome was not reported in time"),
    "alerts.reason_shipped": ("随程序提供的规则", "a rule that comes with the program"),
    "alerts.reason_approved": ("回测后批准启用", "approved after its back-test"),
    "alerts.reason_expired": ("到期未续期", "not renewed before its end"),
}
