"""Sentences of the area `analysis`: code -> (Chinese, English)."""

MESSAGES: dict[str, tuple[str, str]] = {
    "rates_shape": (
        "案件数与小时数须为等长的一维数组，且至少含一个江段；收到的形状为 {cases} 与 {hours}。未计算。",
        "Cases and hours must be one-dimensional, of equal length and not empty; got {cases} and {hours}. "
        "Nothing was computed.",
    ),
    "rates_cases": (
        "案件数须为非负整数；位置 {position}（从 0 起）的值为 {value}，此类值共 {count} 个。未计算。",
        "Cases must be whole numbers of 0 or more; position {position} (from 0) holds {value}, {count} such values in "
        "all. Nothing was computed.",
    ),
    "rates_cases.hint": (
        "缺失的案件数应先核实：确无案件填 0，无人巡查则将小时数填 0。",
        "Check missing counts first: 0 where there was no case; where nobody looked, set the hours to 0.",
    ),
    "rates_hours": (
        "巡护小时数须为有限的非负数；位置 {position}（从 0 起）的值为 {value}，此类值共 {count} 个。未计算。",
        "Hours must be finite and 0 or more; position {position} (from 0) holds {value}, {count} such values in all. "
        "Nothing was computed.",
    ),
    "rates_hours.hint": ("无人巡查的江段填 0。", "Use 0 for reaches where nobody looked."),
    "effort_follows": (
        "巡护多的江段，每小时查获也多：巡护小时每多一倍，每小时查获为 {times} 倍（区间 {lo}–{hi}）。巡护少的江段往往被高估，"
        "真实水平低于区间的会比标称的多。",
        "Patrols are out most where they find most an hour: where hours are twice as many, cases an hour are {times}-fold "
        "({lo}–{hi}). Reaches seldom looked at tend to be told too high: more of them lie under their interval than it says.",
    ),
    "effort_avoids": (
        "巡护多的江段，每小时查获反而少：巡护小时每多一倍，每小时查获为 {times} 倍（区间 {lo}–{hi}）。巡护少的江段往往被低估，"
        "真实水平高于区间的会比标称的多，宜先加强这些江段的巡护。",
        "Patrols are out least where they find most an hour: where hours are twice as many, cases an hour are {times}-fold "
        "({lo}–{hi}). Reaches seldom looked at tend to be told too low: more of them lie over their interval than it says. "
        "Look there first.",
    ),
    "no_hours": (
        "本期无巡护时长：各江段频率均为先验值，不能据以判断。",
        "Nobody looked in the period: every rate is what was assumed before any data, and nothing can be judged by it.",
    ),
    "no_hours.hint": (
        "请核对时段（--from、--to），并导入该时段的轨迹或巡护记录。",
        "Check the period (--from, --to), and import tracks or patrols of that time.",
    ),
    "cases_beyond_hours": (
        "有 {count} 起计入频率的案件不在有巡护记录的日期（{first} 至 {last}）之内：只计案件而无时长，频率会偏高。",
        "{count} cases in the rates lie outside the days of which there are hours ({first} to {last}): cases without the "
        "hours that found them make rates too high.",
    ),
    "cases_beyond_hours.hint": (
        "请用 --from、--to 把时段限于有巡护记录的日期，或补报此前的巡护，并核对案件日期。",
        "Limit the period to those days (--from, --to), send the patrols of the time before, and check the dates of the cases.",
    ),
    "forecast_shape": (
        "案件数与小时数须为形状相同的二维数组（行为时段，列为江段），且不得为空；收到的形状为 {cases} 与 {hours}。未计算。",
        "Cases and hours must be two-dimensional (a row a step, a column a reach), of equal shape and not empty; got "
        "{cases} and {hours}. Nothing was computed.",
    ),
    "forecast_value": (
        "第 {step} 时段第 {position} 江段（均从 0 起）的 {what} 值为 {value}：案件数须为非负整数，小时数须为有限的非负数。未计算。",
        "{what} of step {step}, reach {position} (both from 0) is {value}: cases are whole numbers of 0 or more, hours "
        "finite and 0 or more. Nothing was computed.",
    ),
    "forecast_value.hint": (
        "某时段无人巡查的江段，小时数填 0。",
        "Where nobody looked in a step, set its hours to 0.",
    ),
    "forecast_steps": (
        "时段参数有误：step_days={step_days}，last_day={last_day}，ahead={ahead}（共 {t} 个时段）。未计算。",
        "The steps make no sense: step_days={step_days}, last_day={last_day}, ahead={ahead} ({t} steps). Nothing was "
        "computed.",
    ),
    "forecast_steps.hint": (
        "step_days 为正的天数，可为一个数或每个时段一个；last_day 为 1 至 366 的年内日序；ahead 不小于 1。",
        "step_days is over 0, one number or one a step; last_day is a day of the year, 1 to 366; ahead is 1 or more.",
    ),
    "scores_shape": (
        "预测值、案件数与江段长度须为等长的一维数组，且不得为空；收到的形状为 {foretold} 与 {length}。未计算。",
        "What was foretold, the cases and the lengths must be one-dimensional, of equal length and not empty; got "
        "{foretold} and {length}. Nothing was computed.",
    ),
    "scores_value": (
        "预测值须为有限数，案件数须为有限的非负数，江段长度须大于 0，长度占比须大于 0 且不超过 1（收到 {share}）。未计算。",
        "What was foretold must be finite, cases finite and 0 or more, lengths over 0, and the share of length over 0 and "
        "at most 1 (got {share}). Nothing was computed.",
    ),
    "rates_links": (
        "江段邻接矩阵应为 {n} × {n}，收到 {links}。未计算。",
        "The links between reaches must be {n} x {n}, got {links}. Nothing was computed.",
    ),
    "rates_links_symmetric": (
        "江段邻接矩阵不对称：甲与乙相邻而乙与甲不相邻。未计算。",
        "The links between reaches are not symmetric: a touches b, but b does not touch a. Nothing was computed.",
    ),
    "rates_links_symmetric.hint": (
        "可用 links + links.T 使其对称。",
        "Make them symmetric, for example by links + links.T.",
    ),
    "gistar_shape": (
        "比率、是否巡查与水路距离矩阵的大小不一致：{rate}、{looked}、{distances}。未计算。",
        "Rates, looked and distances by water do not match: {rate}, {looked}, {distances}. Nothing was computed.",
    ),
    "gistar_rate": (
        "已巡查的江段（位置 {position}，从 0 起）没有有效的比率。未计算。",
        "A reach that was looked at (position {position}, from 0) has no finite rate. Nothing was computed.",
    ),
    "gistar_rate.hint": (
        "请先用 hotspots.rates 求得比率，或将该江段标为未巡查。",
        "Take the rate from hotspots.rates, or mark the reach as not looked at.",
    ),
    "hotspots_shape": (
        "“{name}”应为长度 {n} 的一维数组（每江段一个值），收到 {shape}。未计算。",
        '"{name}" must be one-dimensional with {n} values, one a reach; got {shape}. Nothing was computed.',
    ),
    "why_shape": (
        "待说明的江段（{which}）与水路距离矩阵（{distances}）须对应 {n} 个江段。未计算。",
        "The reaches to explain ({which}) and the distances by water ({distances}) must belong to {n} reaches. "
        "Nothing was computed.",
    ),
    "hotspots_hours": (
        "巡护小时数应为（江段数，巡查方式数，2）= {expected} 的数组，末维依次为白天、夜间；收到 {shape}。未计算。",
        "Hours must be (reaches, platforms, 2) = {expected}, by day and by night; got {shape}. Nothing was computed.",
    ),
    "exposure_shape": (
        "小时数与案件数须同为（江段数，巡查方式数，2），设定权重每种巡查方式一个；收到 {hours}、{cases}、{stated}。未计算。",
        "Hours and cases must both be (reaches, platforms, 2), with one stated weight a platform; got {hours}, {cases}, "
        "{stated}. Nothing was computed.",
    ),
    "exposure_value": (
        "小时数须为有限的非负数，案件数须为非负整数。未计算。",
        "Hours must be finite and 0 or more, cases whole numbers of 0 or more. Nothing was computed.",
    ),
    "exposure_weight": (
        "巡查权重须为有限的非负数，且不得全为 0；收到 {weights}。未计算。",
        "Weights must be finite, 0 or more and not all 0; got {weights}. Nothing was computed.",
    ),
    "exposure_weight.hint": (
        "请检查 settings.toml 中的 weight_boat、weight_foot 等项。",
        "See weight_boat, weight_foot and their like in settings.toml.",
    ),
    "near_repeat_shape": (
        "案件江段、案件日期、巡护小时数与水路距离矩阵的大小不一致：{reaches}、{days}、{hours}、{distances}。未计算。",
        "Reaches and days of the cases, hours by day and reach, and distances by water do not match: {reaches}, {days}, "
        "{hours}, {distances}. Nothing was computed.",
    ),
    "near_repeat_case": (
        "案件（位置 {position}，从 0 起）的江段或日期超出范围（江段 {reaches} 个、共 {days} 天），此类案件共 {count} 个。未计算。",
        "The case at position {position} (from 0) lies outside the {reaches} reaches or the {days} days, {count} such "
        "cases in all. Nothing was computed.",
    ),
    "near_repeat_hours": (
        "巡护小时数须为有限的非负数。未计算。",
        "Hours must be finite and 0 or more. Nothing was computed.",
    ),
    "near_repeat_hours.hint": ("无人巡查的日期与江段填 0。", "Use 0 for days and reaches where nobody looked."),
    "near_repeat_permutations": (
        "随机置换次数至少为 1，收到 {permutations}。未计算。",
        "At least 1 permutation is needed, got {permutations}. Nothing was computed.",
    ),
    "near_repeat_bands": (
        "设置 {name} 须为由小到大的非负数列，天数须为整数。未计算。",
        "The setting {name} must be a rising list of numbers of 0 or more, in whole days for days. Nothing was computed.",
    ),
    "reemergence_shape": (
        "“{name}”应为（时段数，江段数）= {expected} 的二维数组，收到 {shape}。未计算。",
        '"{name}" must be two-dimensional, (steps, reaches) = {expected}; got {shape}. Nothing was computed.',
    ),
    "reemergence_value": (
        "“{name}”须为有限的非负数（案件数须为整数）；第 {step} 时段第 {reach} 江段（均从 0 起）的值为 {value}。未计算。",
        '"{name}" must be finite and 0 or more (cases whole numbers); step {step}, reach {reach} (both from 0) holds '
        "{value}. Nothing was computed.",
    ),
    "reemergence_value.hint": (
        "确无案件填 0；无人巡查则将小时数填 0。",
        "Use 0 where there was no case; where nobody looked, set the hours to 0.",
    ),
    "reemergence_step_days": (
        "时段长度须为大于 0 的天数，收到 {days}。未计算。",
        "A step must last more than 0 days, got {days}. Nothing was computed.",
    ),
    "reemergence_basin": (
        "全流域平均查获率须为大于 0 的有限数，收到 {value}。未计算。",
        "The basin's rate must be finite and over 0, got {value}. Nothing was computed.",
    ),
    "reemergence_links": (
        "江段邻接矩阵应为 {n} × {n}，收到 {links}。未计算。",
        "The links between reaches must be {n} x {n}, got {links}. Nothing was computed.",
    ),
    "reemergence_place": (
        "第 {place} 个监看江段组（从 0 起）无法使用：江段编号须在 0 至 {last} 之间且不重复、不为空；时段须满足 "
        "0 ≤ 热起 ≤ 热止 < 监看起点 ≤ {steps}。未计算。",
        "Watched place {place} (from 0) cannot be used: its reaches must be within 0 to {last}, each once, at least one; "
        "its steps 0 ≤ hot_from ≤ hot_to < start ≤ {steps}. Nothing was computed.",
    ),
    "relapse_interval": (
        "第 {position} 段观察期（从 0 起）须满足 0 ≤ 起 < 止，收到 {entry} 至 {exit} 天。未计算。",
        "Observed stretch {position} (from 0) must satisfy 0 <= entry < exit, got {entry} to {exit} days. Nothing was "
        "computed.",
    ),
    "relapse_shape": (
        "观察期的起、止与复发标志须为等长的一维数组；收到 {entry}、{exit}、{event}。未计算。",
        "Entry, exit and event must be one-dimensional and of equal length; got {entry}, {exit}, {event}. Nothing was "
        "computed.",
    ),
    "reemergence.back": (
        "已反弹：处置后第 {back_day} 天起再度活跃（把握 {p} %）。处置至今 {days} 天，巡查 {hours} 小时，查获 {cases} 起；"
        "若与处置前一样，应查获约 {expected} 起。",
        "Back: active again on day {back_day} after the treatment ({p} % sure). In the {days} days since, {hours} h of "
        "looking found {cases} cases; about {expected} would have been found had nothing changed.",
    ),
    "reemergence.quiet": (
        "保持平静：处置后 {days} 天，巡查 {hours} 小时，查获 {cases} 起；若与处置前一样，应查获约 {expected} 起。"
        "反弹的可能为 {p} %。",
        "Quiet: in the {days} days since the treatment {hours} h of looking found {cases} cases; about {expected} would "
        "have been found had nothing changed. Chance that it is back: {p} %.",
    ),
    "reemergence.watching": (
        "仍在监看，尚无定论：处置后 {days} 天，最近连续有人巡查 {looked_days} 天，累计巡查 {hours} 小时，"
        "查获 {cases} 起。反弹的可能为 {p} %。",
        "Still watched, no verdict yet: {days} days since the treatment, looked at without a break for the last "
        "{looked_days}, {hours} h of looking in all, {cases} cases. Chance that it is back: {p} %.",
    ),
    "reemergence.quiet_not_looked": (
        "是否反弹无从判断：处置后 {days} 天，最近 {unlooked_days} 天巡查不足。没有查获，不等于没有人捕捞；请安排巡查。",
        "Nobody can tell whether it is back: of the {days} days since the treatment the last {unlooked_days} had too "
        "little patrol. No case found is not no fishing; send a patrol.",
    ),
    "emerging_shape": (
        "Gi* 得分须为二维数组（时段数，江段数），收到 {shape}。未计算。",
        "Gi* scores must be two-dimensional, (steps, reaches); got {shape}. Nothing was computed.",
    ),
    "emerging_value": (
        "Gi* 得分须为有限数，未巡查的时段为 NaN；第 {step} 时段第 {reach} 江段（均从 0 起）的值为无穷大，此类值共 {count} 个。未计算。",
        "Gi* scores must be finite, or NaN where nobody looked; step {step}, reach {reach} (both from 0) is infinite, "
        "{count} such values in all. Nothing was computed.",
    ),
    "series_shape": (
        "案件数与小时数须为相同大小的二维数组（时段数，江段数），水路距离矩阵须与江段数一致；收到 {cases}、{hours}、{distances}。未计算。",
        "Cases and hours must be two-dimensional, (steps, reaches), of one size, and distances by water must match the "
        "reaches; got {cases}, {hours}, {distances}. Nothing was computed.",
    ),
    "series_step_days": (
        "时段长度须为不少于 1 的整天数，且起始日不晚于截止日；收到时段 {days} 天，第 {first} 日至第 {last} 日。未计算。",
        "A step must last 1 or more whole days, and the first day not come after the last; got steps of {days} days from "
        "day {first} to day {last}. Nothing was computed.",
    ),
    "heat_shape": (
        "Gi* 得分、案件数与小时数须为相同大小的二维数组（时段数，江段数），邻接矩阵须与江段数一致；收到 {z}、{cases}、{hours}、{links}。未计算。",
        "Gi* scores, cases and hours must be two-dimensional, (steps, reaches), of one size, and links must match the "
        "reaches; got {z}, {cases}, {hours}, {links}. Nothing was computed.",
    ),
    "displacement_shape": (
        "行动前后的案件数与小时数、处置江段与上下游圈层的形状须一致，收到 {shapes}。未计算。",
        "Cases and hours before and after, treated and ring must have one shape; got {shapes}. Nothing was computed.",
    ),
    "displacement_value": (
        "“{name}”中有 {count} 个值不可用。未计算。",
        '"{name}" holds {count} values that cannot be used. Nothing was computed.',
    ),
    "displacement_value.hint": (
        "案件数须为非负整数，小时数须为有限的非负数，treated 为 0 或 1,ring 为 -1 至 4 的整数。",
        "Cases are whole numbers of 0 or more, hours finite and 0 or more, treated 0 or 1, ring a whole number from -1 "
        "to 4.",
    ),
    "displacement_flow": (
        "江段流向不可用：应为长度 {n} 的下一江段序号（无则为 -1），且不得成环。未计算。",
        "The direction of flow cannot be used: it must name the next reach down for each of {n} reaches (-1: none), "
        "without going round in a circle. Nothing was computed.",
    ),
    "surge_shape": (
        "分期小时数与江段邻接矩阵的大小不一致：{hours}、{links}。未计算。",
        "Hours by step and links between reaches do not match: {hours}, {links}. Nothing was computed.",
    ),
    "scan_shape": (
        "案件数与期望数须形状相同，为（江段）或（时段，江段），且不为空；收到的形状为 {cases} 与 {expected}。未计算。",
        "Cases and expected must have the same shape, (reaches) or (steps, reaches), and not be empty; got {cases} and "
        "{expected}. Nothing was computed.",
    ),
    "scan_cases": (
        "案件数须为非负整数；第 {step} 时段、位置 {position}（均从 0 起）的值为 {value}，此类值共 {count} 个。未计算。",
        "Cases must be whole numbers of 0 or more; step {step}, position {position} (from 0) holds {value}, {count} such "
        "values in all. Nothing was computed.",
    ),
    "scan_cases.hint": (
        "缺失的案件数应先核实：确无案件填 0，无人巡查则将期望数填 0。",
        "Check missing counts first: 0 where there was no case; where nobody looked, set expected to 0.",
    ),
    "scan_expected": (
        "期望数须为有限的非负数；第 {step} 时段、位置 {position}（均从 0 起）的值为 {value}，此类值共 {count} 个。未计算。",
        "Expected must be finite and 0 or more; step {step}, position {position} (from 0) holds {value}, {count} such "
        "values in all. Nothing was computed.",
    ),
    "scan_expected.hint": ("无人巡查之处填 0。", "Use 0 where nobody looked."),
    "scan_unexpected": (
        "期望数为 0 之处有案件：第 {step} 时段、位置 {position}（均从 0 起）有 {value} 起，此类位置共 {count} 个。未计算。",
        "There are cases where none are expected: step {step}, position {position} (from 0) has {value}, {count} such "
        "places in all. Nothing was computed.",
    ),
    "scan_unexpected.hint": (
        "无人巡查却有案件，无从判断案件是否偏多：补上巡护小时数，或剔除这些案件。",
        "Cases where nobody looked say nothing of a rate: give the hours looked, or leave these cases out.",
    ),
    "scan_links": (
        "江段邻接矩阵应为 {n} × {n}，收到 {links}。未计算。",
        "The links between reaches must be {n} x {n}, got {links}. Nothing was computed.",
    ),
    "scan_one_way": (
        "江段邻接矩阵不对称：{count} 处只有单向邻接。未计算。",
        "The links between reaches must be symmetric: {count} lead one way only. Nothing was computed.",
    ),
    "scan_one_way.hint": ("可用 links + links.T。", "Use links + links.T."),
    "scan_points": (
        "坐标应为 {n} × 2 的有限数值，收到形状 {points}。未计算。",
        "Points must be {n} x 2 finite coordinates, got {points}. Nothing was computed.",
    ),
    "scan_option": (
        "参数 {name} 的值 {value} 无效。未计算。",
        "Option {name} can't be {value}. Nothing was computed.",
    ),
    "scan_option.hint": (
        "max_share 须大于 0 且不超过 1；其余须为不小于 1 的整数。",
        "max_share is over 0 and at most 1; the others are whole numbers of 1 or more.",
    ),
    "predictability_shape": (
        "单位、月份、出发时刻、出发地点与方向须为等长的一维数组；收到 {shapes}。未计算。",
        "Unit, month, start minute, place and direction must be one-dimensional and of equal length; got {shapes}. "
        "Nothing was computed.",
    ),
    "predictability_value": (
        "“{name}”须为整数且在允许范围内；位置 {position}（从 0 起）的值为 {value}。未计算。",
        '"{name}" must hold whole numbers within range; position {position} (from 0) holds {value}. Nothing was computed.',
    ),
    "predictability_value.hint": (
        "出发时刻为当日第几分钟（北京时间，0 至 1439）；方向：1 先上行，-1 先下行，0 不详；地点不详填 -1。",
        "Start minute is the minute of the day in Beijing time, 0 to 1439; direction: 1 upstream first, -1 downstream "
        "first, 0 unknown; an unknown place is -1.",
    ),
    "predictability.hour": (
        "{patrols} 次巡护中有 {count} 次在 {hour} 时至 {hour_end} 时之间出发。",
        "{count} of {patrols} patrols started between {hour}:00 and {hour_end}:00.",
    ),
    "predictability.place": (
        "{patrols} 次巡护中有 {count} 次从{place}出发。",
        "{count} of {patrols} patrols started from {place}.",
    ),
    "predictability.direction_up": (
        "{patrols} 次巡护中有 {count} 次先往上游。",
        "{count} of {patrols} patrols went upstream first.",
    ),
    "predictability.direction_down": (
        "{patrols} 次巡护中有 {count} 次先往下游。",
        "{count} of {patrols} patrols went downstream first.",
    ),
    # --- why here: one sentence; rates are told per ten hours, as a commander counts shifts --------------------------
    "why.place_km": ("{river} {km_from}-{km_to} 公里江段", "{river} km {km_from}-{km_to}"),
    "why.place": ("{river}一处水面", "A water of {river}"),
    "why.hot": (
        "{place}为高发：巡查 {hours} 小时查获 {seizures} 起，估计每 10 小时 {rate} 起（90% 区间 {lo}-{hi}），"
        "为全流域（{basin} 起）的 {times} 倍",
        "{place} is hot: {seizures} cases in {hours} hours of looking, an estimated {rate} per 10 hours (90 % interval "
        "{lo}-{hi}), {times} times the basin's {basin}",
    ),
    "why.normal": (
        "{place}属一般：巡查 {hours} 小时查获 {seizures} 起，估计每 10 小时 {rate} 起（90% 区间 {lo}-{hi}），"
        "为全流域（{basin} 起）的 {times} 倍",
        "{place} is ordinary: {seizures} cases in {hours} hours of looking, an estimated {rate} per 10 hours (90 % "
        "interval {lo}-{hi}), {times} times the basin's {basin}",
    ),
    "why.cold": (
        "{place}为低发：巡查 {hours} 小时查获 {seizures} 起，估计每 10 小时 {rate} 起（90% 区间 {lo}-{hi}），"
        "为全流域（{basin} 起）的 {times} 倍",
        "{place} is cold: {seizures} cases in {hours} hours of looking, an estimated {rate} per 10 hours (90 % interval "
        "{lo}-{hi}), {times} times the basin's {basin}",
    ),
    "why.not_looked": (
        "{place}巡查不足，不作判断：本期仅巡查 {hours} 小时，查获 {seizures} 起，"
        "凭邻近江段与全流域估计每 10 小时 {rate} 起（90% 区间 {lo}-{hi}；全流域 {basin} 起，{times} 倍）",
        "{place} cannot be judged, too little was looked: {hours} hours and {seizures} cases in the period; by its "
        "neighbours and the basin an estimated {rate} per 10 hours (90 % interval {lo}-{hi}; the basin's {basin}, "
        "{times} times)",
    ),
    "why.weighed": (
        "按手段加权计 {hours} 小时",
        "weighed by platform and night this counts as {hours} hours",
    ),
    "why.follows": (
        "巡查多集中在多发江段，此处巡查少，估计值可能偏高",
        "patrols are out most where they find most and were here little, so this may be too high",
    ),
    "why.avoids": (
        "多发江段反而巡查少，此处巡查也少，估计值可能偏低",
        "patrols are out least where they find most and were here little, so this may be too low",
    ),
    "why.near": (
        "水路 2 公里内另巡查 {hours} 小时查获 {seizures} 起，不计本江段数据则估计为 {alone} 起",
        "within 2 km by water {seizures} more cases in {hours} hours; without its own data the estimate would be {alone}",
    ),
    "why.near_none": (
        "水路 2 公里内另巡查 {hours} 小时、查获 {seizures} 起，不计本江段数据则估计为 {alone} 起",
        "within 2 km by water nobody else looked ({hours} hours, {seizures} cases); without its own data the estimate "
        "would be {alone}",
    ),
    "why.like": (
        "巡查量相近的最近江段在 {km} 公里外，{hours} 小时查获 {seizures} 起",
        "the nearest reach looked at about as long, {km} km away, had {seizures} cases in {hours} hours",
    ),
    "why.last": ("最近一次巡查止于 {at}", "last look until {at}"),
    "why.never": ("本期无人巡查", "nobody looked in the period"),
    "why.shift": (
        "再巡查一班（{hours} 小时），区间预计收窄 {share}%",
        "one more shift ({hours} hours) is expected to narrow the interval by {share} %",
    ),
    "why.shift_wanted": (
        "建议增派一班巡查（{hours} 小时），区间预计收窄 {share}%",
        "one more shift is recommended ({hours} hours): it is expected to narrow the interval by {share} %",
    ),
}
