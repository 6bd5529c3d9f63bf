"""Sentences of the area `simulate`: code -> (Chinese, English)."""

MESSAGES: dict[str, tuple[str, str]] = {
    "simulate_folder": (
        "文件夹“{folder}”不是空的。未写入任何文件。",
        'The folder "{folder}" is not empty. Nothing was written.',
    ),
    "simulate_folder.hint": ("请另选一个新的或空的文件夹。", "Give a new or an empty folder."),
    "simulate_habit": ("不认识的巡护习惯“{habit}”。未生成。", 'Unknown patrol habit "{habit}". Nothing was made.'),
    "simulate_habit.hint": ("可用的巡护习惯：{habits}。", "The habits are: {habits}."),
    "simulate_size": (
        "模拟至少需要 2 天、1 个单位、大于 0 的发案率和 1 个以上定位点；收到：{days} 天、{units} 个单位、"
        "发案率 {mean_rate}、定位点上限 {fixes_max}。未生成。",
        "A world needs at least 2 days, 1 unit, a rate above 0 and 1 fix; got {days} days, {units} units, rate "
        "{mean_rate}, at most {fixes_max} fixes. Nothing was made.",
    ),
    "simulate_night_size": (
        "模拟夜间至少需要 40 艘船、4 小时；收到：{units} 艘、{hours} 小时。未生成。",
        "A night needs at least 40 boats and 4 hours; got {units} boats, {hours} hours. Nothing was made.",
    ),
    "night_two_nights": (
        "编号有重复：每一夜须分别评分，或先在编号前加上夜次。未评分。",
        "Ids are not unique: score each night by itself, or put the night before its ids. Nothing was scored.",
    ),
    "simulate_no_channel": (
        "该水系没有河道江段，模拟巡护无处可去。未生成。",
        "This network has no channel reaches for simulated patrols to move along. Nothing was made.",
    ),
    "simulate_no_channel.hint": (
        "请先导入河道中心线。",
        "Import the centre lines of a river first.",
    ),
    "simulate_plant": ("不认识的植入情形“{plant}”。未生成。", 'Unknown plant "{plant}". Nothing was made.'),
    "simulate_plant.hint": ("可用的植入情形：{plants}。", "The plants are: {plants}."),
    "simulate_plant_days": (
        "植入情形“{plant}”至少需要 {least} 天才能判断；收到 {days} 天。未生成。",
        'The plant "{plant}" needs at least {least} days to be judged; got {days}. Nothing was made.',
    ),
    "simulate_plant_days.hint": (
        "不指定天数时，按该情形所需的天数生成。",
        "Without a number of days, the world is as long as the plant needs.",
    ),
    "simulate_plant_room": (
        "最长的河道只有 {reaches} 个江段，植入至少需要 {need} 个。未生成。",
        "The longest course has {reaches} reaches; the plant needs {need}. Nothing was made.",
    ),
    "simulate_plant_room.hint": ("请换用更长的河道。", "Use a longer river."),
    "simulate_plant_values": (
        "植入情形“{plant}”的倍数须不小于 1，其余数值须大于 0，专项行动须为 1 至 {days} 天。未生成。",
        'The factor of the plant "{plant}" must be 1 or more, its other values above 0, an operation 1 to {days} days. '
        "Nothing was made.",
    ),
    "simulate_plant_fixes": (
        "定期巡查就需要约 {fixes} 个定位点，超过上限 {fixes_max}。未生成。",
        "The regular rounds alone make about {fixes} fixes, more than the {fixes_max} allowed. Nothing was made.",
    ),
    "simulate_plant_fixes.hint": (
        "请缩短天数，或调高定位点上限。",
        "Ask for fewer days, or allow more fixes.",
    ),
    "simulate_score_reaches": (
        "结果中有 {count} 个江段不在真值里（例如 {reach}）。未评分。",
        "{count} reaches of the result are not in the truth (such as {reach}). Nothing was scored.",
    ),
    "simulate_score_reaches.hint": (
        "请确认分析所用的河道与江段长度和模拟时相同。",
        "Analyse on the river and the reach length the world was made with.",
    ),
    "simulated_notice": (
        "巡护与案件为模拟数据，河道与行政界线为真实数据。",
        "Patrols and seizures are simulated; river and borders are real.",
    ),
    "simulated_notice_all": ("全部为模拟数据。", "All of it is simulated data."),
}
