"""The quality of uploads: scores, and what to mend."""

from __future__ import annotations

MESSAGES: dict[str, tuple[str, str]] = {
    "quality.score": (
        "{agency}，{month}：{score} 分（90% 区间 {low}–{high}），报送 {uploads} 次，{rows} 行。",
        "{agency}, {month}: score {score} (90 % interval {low} to {high}); {uploads} uploads, {rows} rows.",
    ),
    "quality.too_few": (
        "{agency}，{month}：报送 {uploads} 次，{rows} 行，太少，不评分。",
        "{agency}, {month}: {uploads} uploads, {rows} rows: too few to say.",
    ),
    "quality.nobody": ("未注明单位", "No agency named"),
    "quality.none": ("还没有报送记录，无法评分。", "Nothing was uploaded yet; there is nothing to score."),
    "quality.fix.refused": ("{rows} 行被拒收：{what}", "{rows} row(s) were refused: {what}"),
    "quality.fix.file": ("{files} 个文件未能导入：{what}", "{files} file(s) could not be taken in: {what}"),
    "quality.fix.warned": ("{rows} 行有提醒：{what}", "{rows} row(s) had a warning: {what}"),
    "quality.fix.warned_file": ("{files} 个文件有提醒：{what}", "{files} file(s) had a warning: {what}"),
    "quality.fix.late": (
        "{count} 行在发生 {days} 天之后才报送。请缩短报送周期，至少每周报送一次。",
        "{count} row(s) came over {days} days after their own day. Send more often, at least once a week.",
    ),
    "quality.fix.again": (
        "{count} 条记录已更正两次以上。请核实无误后再报送。",
        "{count} record(s) were corrected twice or more. Check them before they are sent.",
    ),
    "quality.fix.encoding": (
        "{count} 个文件未说明文字编码。CSV 请导出为带 BOM 的 UTF-8（Excel 中选“CSV UTF-8”），shapefile 请附 .cpg 文件。",
        '{count} file(s) did not say their text encoding. Export CSV as UTF-8 with BOM ("CSV UTF-8" in Excel), a shapefile with its .cpg.',
    ),
    "quality.fix.datum": (
        "{count} 个文件未说明坐标系。请附 .prj 文件，或加“坐标系”一列（WGS84、CGCS2000、GCJ-02 等）。",
        "{count} file(s) did not say their coordinate system. Send the .prj, or a column datum (WGS84, CGCS2000, GCJ-02 ...).",
    ),
    # what to do about each warning
    "quality.todo.crs_from_mercator": (
        "坐标为网络墨卡托投影而未注明。请导出为经纬度，或附 .prj 文件。",
        "coordinates are Web Mercator and don't say so. Export degrees, or send the .prj along.",
    ),
    "quality.todo.patrol_twice": (
        "同一艘船以两个名称报送。请统一终端编号。",
        "one boat was sent under two names. Use one id.",
    ),
    "quality.todo.patrol_twice_elsewhere": (
        "其他单位已报送同一次巡护。请约定由一家报送。",
        "another agency sent the same patrol. Agree on who sends it.",
    ),
    "quality.todo.track_frozen": (
        "有航速而位置不变，终端定位可能已冻结。请检修设备。",
        "places stood still while a speed was told: the receiver may be frozen. Have it checked.",
    ),
    "quality.todo.number_unreadable": (
        "数字无法识别，该格留空。请只填数字，单位写在表头。",
        "numbers that can't be read were left empty. Write digits only, the unit in the header.",
    ),
    "quality.todo.word_unknown": (
        "用词不认识，该格留空。请使用模板中的固定用词。",
        "words we don't know were left empty. Use the words of the template.",
    ),
    "quality.todo.cell_cut": ("单元格过长，已截断。请缩短内容。", "cells were too long and were cut. Shorten them."),
    "quality.todo.control_characters": (
        "含不可见的控制字符，已去除。请从原系统重新导出。",
        "invisible control characters were removed. Export again from the source system.",
    ),
    "quality.todo.quotes_unclosed": (
        "双引号没有成对。请从原系统重新导出 CSV，或改用 Excel 格式。",
        "a quotation mark is never closed. Export the CSV again, or send a workbook.",
    ),
    "quality.todo.row_cells_repaired": (
        "列数与表头不符，已按引号修复。请用标准 CSV 或 Excel 格式导出。",
        "the number of cells did not match the header and was repaired. Export as standard CSV or as a workbook.",
    ),
    "quality.todo.dates_order_both": (
        "“日/月”与“月/日”混用。请统一写成 2026-05-31 的形式。",
        "day first and month first are mixed. Write all dates like 2026-05-31.",
    ),
    "quality.todo.dates_order_unclear": (
        "日期分不清日、月次序。请统一写成 2026-05-31 的形式。",
        "dates do not tell day from month. Write all dates like 2026-05-31.",
    ),
    "quality.todo.dates_order_american": (
        "日期分不清日、月次序。请统一写成 2026-05-31 的形式。",
        "dates do not tell day from month. Write all dates like 2026-05-31.",
    ),
    "quality.todo.unit_counts_rows": (
        "点的序号不能当作单位。请加一列船名或编号。",
        "numbers of points name no unit. Add a column with the unit.",
    ),
    "quality.todo.sheets_hidden": (
        "有隐藏的工作表未读取。请取消隐藏后再报送。",
        "hidden sheets were not read. Unhide them.",
    ),
    "quality.todo.datum_word_unknown": (
        "坐标系的写法不认识。请统一写成 WGS84、CGCS2000、GCJ-02 或 BD-09。",
        "reference systems in words we don't know. Write WGS84, CGCS2000, GCJ-02 or BD-09.",
    ),
    "quality.todo.encoding_mixed": (
        "同一文件混用两种文字编码。请统一导出为 UTF-8。",
        "one file mixes two text encodings. Export all of it as UTF-8.",
    ),
    "quality.todo.encoding_declared_wrong": (
        "声明的文字编码与内容不符。请更正 .cpg 文件。",
        "the text encoding declared is not the one used. Correct the .cpg.",
    ),
    "quality.todo.axes_swapped": (
        "经度与纬度写反了，已对调。请核对两列的次序。",
        "longitude and latitude were swapped and were put right. Check the order of the two columns.",
    ),
    "quality.todo.crs_missing": (
        "没有坐标系说明。请附上 .prj 文件。",
        "no coordinate system is given. Send the .prj file too.",
    ),
    "quality.todo.crs_contradicts": (
        "声明的坐标系与坐标数值矛盾。请更正 .prj 文件。",
        "the coordinate system declared contradicts the numbers. Correct the .prj.",
    ),
    "quality.todo.crs_from_numbers": (
        "坐标系只能由数值判断。请附上 .prj 文件。",
        "the coordinate system had to be told from the numbers. Send the .prj file too.",
    ),
    "quality.todo.zone_number_removed": (
        "东坐标带有带号，与坐标系不符。请统一导出设置。",
        "the eastings carry a zone number that the coordinate system does not have. Mend the export.",
    ),
    "quality.todo.zone_number_added": (
        "东坐标带有带号，与坐标系不符。请统一导出设置。",
        "the eastings carry a zone number that the coordinate system does not have. Mend the export.",
    ),
    "quality.todo.datum_approximate": (
        "旧坐标系只能近似转换。请改用 CGCS2000 或 WGS84 报送。",
        "an old datum can be converted approximately only. Send CGCS2000 or WGS84.",
    ),
    "quality.todo.datum_converted": (
        "坐标为 GCJ-02 或 BD-09 偏移坐标，已还原。请改报 WGS84 坐标。",
        "coordinates in a shifted datum (GCJ-02, BD-09) were converted back. Send WGS84.",
    ),
    "quality.todo.datum_detected": (
        "坐标为 GCJ-02 或 BD-09 偏移坐标而未说明，已还原。请改报 WGS84 坐标，或用“坐标系”一列说明。",
        "coordinates were in a shifted datum (GCJ-02, BD-09) that the file did not name, and were converted back. Send "
        "WGS84, or name it in a column datum.",
    ),
    "quality.todo.datum_doubtful": (
        "声明为 WGS84，但看来是 GCJ-02 或 BD-09 偏移坐标。请核对采集设备或底图所用的坐标。",
        "coordinates declared as WGS84 look shifted (GCJ-02, BD-09). Check what the device or the base map uses.",
    ),
    "quality.todo.geometry_repaired": (
        "图形无效（自相交等），已修复。请在绘图软件中检查拓扑后再报送。",
        "invalid shapes were repaired. Check the topology before sending.",
    ),
    "quality.todo.geometry_repaired_changed": (
        "图形无效，修复后面积明显改变。请核对并重新绘制。",
        "invalid shapes changed their area when repaired. Check them and draw them again.",
    ),
    "quality.todo.geometry_sliver": (
        "面极窄，疑为碎面。请删去碎面后再报送。",
        "polygons are slivers. Remove them before sending.",
    ),
    "quality.todo.ring_closed": ("图形边界未闭合，已闭合。请重新绘制。", "rings were not closed. Draw them again."),
    "quality.todo.heading_beyond": (
        "航向不在 0–360 度，该格留空。请检查设备设置。",
        "headings outside 0 to 360 degrees were left empty. Check the devices.",
    ),
    "quality.todo.track_cut": (
        "轨迹跳变，已断开。请检查终端定位与编号是否重复。",
        "tracks jump and were cut. Check the devices, and whether two share an id.",
    ),
    "quality.todo.unit_from_file_some": (
        "没有填写单位（船名或终端编号）。请补全该列。",
        "the unit is not named. Fill in that column.",
    ),
    "quality.todo.unplaced": (
        "只有文字地点，无法上图。请填写经纬度，或河流加里程。",
        "places are in words only and can't be mapped. Give coordinates, or river and km.",
    ),
    "quality.todo.season_half": (
        "只填了禁渔期的一端，按全年理解。请补全起止日期。",
        "only one end of the season is given; taken as the whole year. Give both.",
    ),
    "quality.todo.season_unreadable": (
        "禁渔期无法识别，按全年理解。请写成 3月1日至6月30日 的形式。",
        "the season can't be read; taken as the whole year. Write it like 03-01 and 06-30.",
    ),
    "quality.todo.level_no_station": (
        "写了水位上下限但没有水位站。请补上水位站。",
        "water levels without a gauge. Name the gauge.",
    ),
    "quality.todo.level_no_bounds": (
        "写了水位站但没有水位上下限。请补上水位上下限。",
        "a gauge without a water level. Give the level.",
    ),
    "quality.todo.zone_version_ended": (
        "更正后，起始日期更晚的规则不再有效。如需保留，请在同一文件中一并重报。",
        "with the correction, rules that begin later no longer hold. If they should, send them in the same file.",
    ),
    "quality.todo.river_nameless": ("河段没有河流名称。请补上名称。", "lines have no river name. Name them."),
    "quality.todo.patrol_over_midnight": (
        "结束时刻早于开始，按跨午夜理解。请写明日期和时间。",
        "patrols end before they begin; read as going past midnight. Write date and time of both.",
    ),
}
