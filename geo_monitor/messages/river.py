"""Sentences about the river network: code -> (Chinese, English)."""

MESSAGES: dict[str, tuple[str, str]] = {
    "river_empty": ("没有可用的河流中心线，未作分析。", "There is no usable river centre line; nothing was analysed."),
    "river_empty.hint": (
        "请用 import river 导入河流中心线（线要素）。",
        "Import river centre lines (line features) with: import river FILE.",
    ),
    "gap_bridged": (
        "{river}在东经{lon}、北纬{lat}附近有{gap_m}米断口，已连通。",
        "A gap of {gap_m} m in {river} near {lon} E {lat} N was closed.",
    ),
    "stub_dropped": (
        "{river}在东经{lon}、北纬{lat}附近有{length_m}米的残段（短于数据精度的两倍），未采用。",
        "A stub of {length_m} m of {river} near {lon} E {lat} N (shorter than twice the accuracy of the data) was left out.",
    ),
    "mouth_from_drawing": (
        "数据未说明河口，按最长线的绘制方向，以{river}在东经{lon}、北纬{lat}的一端为河口。",
        "The data do not name the mouth; by the direction in which the longest line is drawn it is the end of {river} at "
        "{lon} E {lat} N.",
    ),
    "mouth_not_understood": (
        "{river}的河口属性“{mouth}”无法识别，未采用。可填“是”、start、end 或“经度 纬度”。",
        'The attribute mouth of {river}, "{mouth}", was not understood and not used. It may be yes, start, end, or "lon lat".',
    ),
    "mark_without_river": (
        "里程标 {river} K{km} 所在河流不在河网中，未采用。",
        "The km mark {river} K{km} names a river that is not in the network; it was not used.",
    ),
    "mark_incomplete": (
        "里程标 {river} K{km} 缺少里程或位置，未采用。",
        "The km mark {river} K{km} has no km or no place; it was not used.",
    ),
    "mark_off_river": (
        "里程标 {river} K{km} 距河流中心线 {metres} 米，超出数据精度，未采用。",
        "The km mark {river} K{km} lies {metres} m off the line, beyond the accuracy of the data; it was not used.",
    ),
    "mark_out_of_order": (
        "里程标 {river} K{km} 与相邻里程标次序矛盾，未采用。",
        "The km mark {river} K{km} contradicts its neighbours; it was not used.",
    ),
}
