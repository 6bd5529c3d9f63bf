"""Sentences of the area `analysis`: code -> (Chinese, English)."""

MESSAGES: dict[str, tuple[str, str]] = {
    "rates_shape": (
        "案件数与小时数须为等长的一维数组,且至少含一个江段;收到的形状为 {cases} 与 {hours}。未计算。",
        "Cases and hours must be one-dimensional, of equal length and not empty; got {cases} and {hours}. "
        "Nothing was computed.",
    ),
    "rates_cases": (
        "案件数须为非负整数;位置 {position}(从 0 起)的值为 {value},此类值共 {count} 个。未计算。",
        "Cases must be whole numbers of 0 or more; position {position} (from 0) holds {value}, {count} such values in "
        "all. Nothing was computed.",
    ),
    "rates_cases.hint": (
        "缺失的案件数应先核实:确无案件填 0,无人巡查则将小时数填 0。",
        "Check missing counts first: 0 where there was no case; where nobody looked, set the hours to 0.",
    ),
    "rates_hours": (
        "巡护小时数须为有限的非负数;位置 {position}(从 0 起)的值为 {value},此类值共 {count} 个。未计算。",
        "Hours must be finite and 0 or more; position {position} (from 0) holds {value}, {count} such values in all. "
        "Nothing was computed.",
    ),
    "rates_hours.hint": ("无人巡查的江段填 0。", "Use 0 for reaches where nobody looked."),
    "rates_links": (
        "江段邻接矩阵应为 {n} × {n},收到 {links}。未计算。",
        "The links between reaches must be {n} x {n}, got {links}. Nothing was computed.",
    ),
    "gistar_shape": (
        "比率、是否巡查与水路距离矩阵的大小不一致:{rate}、{looked}、{distances}。未计算。",
        "Rates, looked and distances by water do not match: {rate}, {looked}, {distances}. Nothing was computed.",
    ),
    "gistar_rate": (
        "已巡查的江段(位置 {position},从 0 起)没有有效的比率。未计算。",
        "A reach that was looked at (position {position}, from 0) has no finite rate. Nothing was computed.",
    ),
    "gistar_rate.hint": (
        "请先用 hotspots.rates 求得比率,或将该江段标为未巡查。",
        "Take the rate from hotspots.rates, or mark the reach as not looked at.",
    ),
    "hotspots_shape": (
        "“{name}”应为长度 {n} 的一维数组(每江段一个值),收到 {shape}。未计算。",
        '"{name}" must be one-dimensional with {n} values, one a reach; got {shape}. Nothing was computed.',
    ),
    "hotspots_platform": (
        "不认识的巡查方式:{platform}。未计算。",
        "Unknown platform: {platform}. Nothing was computed.",
    ),
    "hotspots_platform.hint": ("可用的巡查方式:{platforms}。", "The platforms are: {platforms}."),
    "near_repeat_shape": (
        "案件江段、案件日期、巡护小时数与水路距离矩阵的大小不一致:{reaches}、{days}、{hours}、{distances}。未计算。",
        "Reaches and days of the cases, hours by day and reach, and distances by water do not match: {reaches}, {days}, "
        "{hours}, {distances}. Nothing was computed.",
    ),
    "near_repeat_case": (
        "案件(位置 {position},从 0 起)的江段或日期超出范围(江段 {reaches} 个、共 {days} 天),此类案件共 {count} 个。未计算。",
        "The case at position {position} (from 0) lies outside the {reaches} reaches or the {days} days, {count} such "
        "cases in all. Nothing was computed.",
    ),
    "near_repeat_hours": (
        "巡护小时数须为有限的非负数。未计算。",
        "Hours must be finite and 0 or more. Nothing was computed.",
    ),
    "near_repeat_hours.hint": ("无人巡查的日期与江段填 0。", "Use 0 for days and reaches where nobody looked."),
    "near_repeat_permutations": (
        "随机置换次数至少为 1,收到 {permutations}。未计算。",
        "At least 1 permutation is needed, got {permutations}. Nothing was computed.",
    ),
    "near_repeat_bands": (
        "设置 {name} 须为由小到大的非负数列,天数须为整数。未计算。",
        "The setting {name} must be a rising list of numbers of 0 or more, in whole days for days. Nothing was computed.",
    ),
}
