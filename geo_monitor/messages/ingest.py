"""Sentences about uploads: code -> (Chinese, English). A hint under `<code>.hint` tells what to do next."""

MESSAGES: dict[str, tuple[str, str]] = {
    # --- the file as a whole -------------------------------------------------------------------------------------
    "file_empty": (
        "文件“{file}”是空的（0 字节），未导入。",
        'The file "{file}" is empty (0 bytes); nothing was taken in.',
    ),
    "file_empty.hint": ("请重新导出或重新拷贝后再上传。", "Export or copy it again, then send it."),
    "file_no_rows": (
        "文件“{file}”里没有数据行（空表），未导入。",
        'The file "{file}" holds no rows (empty); nothing was taken in.',
    ),
    "file_no_rows.hint": ("请检查是否导出了正确的图层或工作表。", "Check that the right layer or sheet was exported."),
    "file_wrong_content": (
        "文件“{file}”的内容不是可导入的数据（实为 {found}），未导入。",
        'The content of "{file}" is no data we can read (image or other: {found}); nothing was taken in.',
    ),
    "file_wrong_content.hint": (
        "请上传 Shapefile（zip）、GeoPackage、GeoJSON、KML、GPX、CSV、Excel（xlsx）、Parquet 或 NMEA 文件。",
        "Send a zipped shapefile, GeoPackage, GeoJSON, KML, GPX, CSV, Excel (xlsx), Parquet or NMEA file.",
    ),
    "file_is_page": (
        "文件“{file}”是网页（HTML），不是数据表，未导入。",
        'The file "{file}" is a web page (HTML), not a table; nothing was taken in.',
    ),
    "file_is_page.hint": (
        "可能是下载时存成了登录页或提示页，请重新下载原始数据文件。",
        "Perhaps a sign-in page was saved instead of the data; download the file itself.",
    ),
    "file_virtual": (
        "不支持虚拟数据源（{found}）文件“{file}”：它会让服务器去读取别处的文件或网址，未导入。",
        'Virtual files ({found}) such as "{file}" are not allowed: they make the server fetch other files or addresses. '
        "Nothing was taken in.",
    ),
    "file_virtual.hint": ("请上传数据文件本身。", "Send the data file itself."),
    "file_xml_unknown": (
        "文件“{file}”是 XML，但不是 GPX 或 KML，未导入。",
        'The file "{file}" is XML, but neither GPX nor KML; nothing was taken in.',
    ),
    "file_xml_unknown.hint": ("请导出为 GPX、KML 或 GeoJSON。", "Export it as GPX, KML or GeoJSON."),
    "file_too_slow": (
        "读取“{file}”超过 {seconds} 秒的时间上限，已停止，未导入。",
        'Reading "{file}" took more than the time limit of {seconds} s and was stopped; nothing was taken in.',
    ),
    "file_too_slow.hint": ("请拆分为较小的文件后再上传。", "Split it into smaller files and send these."),
    "parser_timeout": (
        "读取“{file}”超过 {seconds} 秒的时间上限，已强制停止，未导入。原文件已保留，其他数据不受影响。",
        'Reading "{file}" went past the time limit of {seconds} s and was stopped; nothing was taken in. '
        "The file is kept, and no other data are affected.",
    ),
    "parser_timeout.hint": (
        "请拆分为较小的文件后再上传；若文件确实正常，可请管理员调大 settings.toml 中的 upload_seconds。",
        "Split it into smaller files. If it is sound, ask the administrator to raise upload_seconds in settings.toml.",
    ),
    "parser_memory": (
        "读取“{file}”所需内存超过 {limit} MB 的上限，已强制停止，未导入。原文件已保留，其他数据不受影响。",
        'Reading "{file}" needed more memory than the limit of {limit} MB and was stopped; nothing was taken in. '
        "The file is kept, and no other data are affected.",
    ),
    "parser_memory.hint": (
        "请拆分为较小的文件后再上传；若文件确实正常，可请管理员调大 settings.toml 中的 upload_memory_mb 或 upload_memory_factor。",
        "Split it into smaller files. If it is sound, ask the administrator to raise upload_memory_mb or "
        "upload_memory_factor in settings.toml.",
    ),
    "parser_output": (
        "读取“{file}”时写出的临时数据超过 {limit} MB 的上限，已强制停止，未导入。原文件已保留，其他数据不受影响。",
        'Reading "{file}" wrote more than the limit of {limit} MB and was stopped; nothing was taken in. '
        "The file is kept, and no other data are affected.",
    ),
    "parser_output.hint": (
        "请拆分为较小的文件后再上传；若文件确实正常，可请管理员调大 settings.toml 中的 upload_output_mb。",
        "Split it into smaller files. If it is sound, ask the administrator to raise upload_output_mb in settings.toml.",
    ),
    "parser_crashed": (
        "读取“{file}”的进程意外终止（{signal}），文件可能已损坏或经过恶意构造，未导入。原文件已保留，其他数据不受影响。",
        'The process reading "{file}" crashed ({signal}); the file may be damaged or made to do harm. Nothing was taken '
        "in. The file is kept, and no other data are affected.",
    ),
    "parser_crashed.hint": (
        "请用常规软件（如 QGIS、Excel）打开后另存为新文件再上传；仍然失败请把回执交给管理员。",
        "Open it in an ordinary program (QGIS, Excel), save it anew and send that; if it fails again, give the receipt to "
        "the administrator.",
    ),
    "parser_garbled": (
        "读取“{file}”的进程交回的结果不合约定，文件可能经过恶意构造，未导入。原文件已保留，其他数据不受影响。",
        'What the process reading "{file}" handed back breaks the rules; the file may be made to do harm. Nothing was '
        "taken in. The file is kept, and no other data are affected.",
    ),
    "parser_garbled.hint": (
        "请用常规软件打开后另存为新文件再上传；仍然失败请把回执交给管理员。",
        "Open it in an ordinary program, save it anew and send that; if it fails again, give the receipt to the "
        "administrator.",
    ),
    "scratch_full": (
        "磁盘空间不足，读取“{file}”所需的临时文件无法写入“{folder}”。未作任何更改，临时文件已清除。",
        'The disk is full: the temporary files for reading "{file}" can\'t be written to "{folder}". Nothing was changed; '
        "the temporary files were removed.",
    ),
    "scratch_full.hint": (
        "请腾出磁盘空间（约为文件大小的 5 倍）后重新导入。",
        "Free some space (about 5 times the file), then import it again.",
    ),
    "nothing_usable": (
        "“{file}”里没有可导入的数据文件（含：{files}）。",
        'No usable data file (no shapefile, no data) in "{file}" (it holds: {files}).',
    ),
    "nothing_usable.hint": ("请检查压缩包内容后重新打包。", "Check what was packed, and pack it again."),
    "member_skipped": (
        "压缩包中的“{member}”无法读取，已跳过：{why}",
        'The member "{member}" can\'t be read and was skipped: {why}',
    ),
    "members_left": ("未用到的文件：{members}。", "Files not used: {members}."),
    "names_recoded": (
        "压缩包内的文件名按 GBK 编码读取：{names}。",
        "File names in the archive were read as GBK: {names}.",
    ),
    "several_layers": (
        "包含多个图层，已全部导入：{layers}。请确认都属于本次报送。",
        "It holds several layers; all were taken in: {layers}. Check that all belong to this upload.",
    ),
    "sheets_hidden": (
        "隐藏的工作表未读取：{sheets}。如需导入，请取消隐藏后重新上传。",
        "Hidden sheets were not read: {sheets}. To import them, unhide them and send the file again.",
    ),
    "sheets_skipped": (
        "没有可识别表头的工作表已跳过：{sheets}。",
        "Sheets without a known header were skipped: {sheets}.",
    ),
    "layers_crs_differ": (
        "同一上传中的图层坐标系不同（{systems}），未导入。",
        "The layers of this upload have different coordinate systems ({systems}); nothing was taken in.",
    ),
    "layers_crs_differ.hint": (
        "请分开上传，或统一坐标系后再上传。",
        "Send them one by one, or in one coordinate system.",
    ),
    "same_file": (
        "与已导入的文件完全相同（回执 {receipt}），已存在，未作更改。",
        "The same bytes were taken in already (receipt {receipt}); nothing changed.",
    ),
    "rows_held_already": ("{count} 行全部已存在，未作更改。", "All {count} rows are held already; nothing changed."),
    # --- archives ------------------------------------------------------------------------------------------------
    "archive_broken": (
        "压缩包“{file}”已损坏或不完整，未导入。",
        'The archive "{file}" is damaged or incomplete; nothing was taken in.',
    ),
    "archive_broken.hint": ("请重新打包为 zip 后上传。", "Pack it again as a zip and send it."),
    "archive_empty": ("“{file}”是空的，没有任何文件。", '"{file}" is empty: there is no data in it.'),
    "archive_empty.hint": ("请检查后重新打包。", "Check it and pack it again."),
    "archive_encrypted": (
        "压缩包中的“{member}”已加密（需要密码），未导入。",
        'The member "{member}" is encrypted (password); nothing was taken in.',
    ),
    "archive_encrypted.hint": ("请去掉密码后重新打包。", "Pack it again without a password."),
    "archive_link": (
        "压缩包中的“{member}”是符号链接，不安全，未导入。",
        'The member "{member}" is a symbolic link, which is unsafe; nothing was taken in.',
    ),
    "archive_link.hint": ("请打包文件本身，而不是链接。", "Pack the files themselves, not links."),
    "archive_path_outside": (
        "压缩包中的“{member}”路径越出目标文件夹，不安全，未导入。",
        'The path of member "{member}" leads outside the folder, which is unsafe; nothing was taken in.',
    ),
    "archive_path_outside.hint": ("请用普通压缩软件重新打包。", "Pack it again with an ordinary tool."),
    "archive_too_many": (
        "压缩包中的文件超过 {limit} 个，未导入。",
        "The archive holds more than {limit} files; nothing was taken in.",
    ),
    "archive_too_many.hint": ("请分批上传。", "Send it in parts."),
    "archive_too_large": (
        "解压后超过 {limit} MB，过大，未导入。",
        "It would unpack to more than {limit} MB, which is too large; nothing was taken in.",
    ),
    "archive_too_large.hint": ("请分批上传。", "Send it in parts."),
    "archive_bomb": (
        "压缩包中的“{member}”压缩比异常（解压后 {size} MB，疑似压缩炸弹），未导入。",
        'The member "{member}" has an abnormal compression ratio ({size} MB uncompressed, a zip bomb?); nothing was taken in.',
    ),
    "archive_bomb_whole": (
        "压缩包整体压缩比异常（共 {packed} MB，解压后达 {size} MB，疑似压缩炸弹），未导入。",
        "The archive as a whole has an abnormal compression ratio ({packed} MB unfold to {size} MB, a zip bomb?); nothing was taken in.",
    ),
    "archive_bomb_whole.hint": (
        "请检查文件，去掉无关内容后用普通方式重新打包，或分几次上传。",
        "Check the files, leave out what does not belong there, pack them again the ordinary way, or send them one by one.",
    ),
    "archive_bomb.hint": ("请检查文件后用普通方式重新打包。", "Check the file and pack it again the ordinary way."),
    "archive_too_deep": (
        "压缩包嵌套超过 {limit} 层，未导入。",
        "Archives are nested more than {limit} deep; nothing was taken in.",
    ),
    "archive_too_deep.hint": ("请解压后直接打包数据文件。", "Unpack it and pack the data files themselves."),
    # --- formats -------------------------------------------------------------------------------------------------
    "shp_broken": (
        "“{file}”的 .shp 已损坏（corrupt），未导入。",
        'The .shp of "{file}" is corrupt; nothing was taken in.',
    ),
    "shp_broken.hint": ("请重新导出整套 Shapefile。", "Export the whole shapefile again."),
    "shp_truncated": (
        "“{file}”的 .shp 不完整（文件被截断，只有前 {whole} 条完整），未导入。",
        'The .shp of "{file}" is incomplete (truncated after {whole} whole records); nothing was taken in.',
    ),
    "shp_truncated.hint": ("请重新拷贝或导出整套 Shapefile。", "Copy or export the whole shapefile again."),
    "shp_missing": ("“{file}”缺少 .shp 文件，未导入。", 'The .shp of "{file}" is missing; nothing was taken in.'),
    "shp_missing.hint": ("请把 .shp、.dbf、.shx、.prj 一起上传。", "Send .shp, .dbf, .shx and .prj together."),
    "shx_rebuilt": (
        "缺少 .shx 索引文件，已由 .shp 重建。",
        "The .shx index was missing and was rebuilt from the .shp.",
    ),
    "dbf_missing": (
        "“{file}”缺少 .dbf 属性表，无法知道名称和编号，未导入。",
        'The .dbf (attribute table) of "{file}" is missing: nobody can tell names and ids. Nothing was taken in.',
    ),
    "dbf_missing.hint": ("请把 .shp、.dbf、.shx、.prj 一起上传。", "Send .shp, .dbf, .shx and .prj together."),
    "dbf_broken": ("“{file}”的 .dbf 属性表已损坏，未导入。", 'The .dbf of "{file}" is damaged; nothing was taken in.'),
    "dbf_broken.hint": ("请重新导出整套 Shapefile。", "Export the whole shapefile again."),
    "dbf_rows_differ": (
        "“{file}”的 .shp 有 {shapes} 条记录，.dbf 有 {records} 条，行数不一致，无法对应，未导入。",
        'The .shp of "{file}" has {shapes} records, its .dbf {records}: the record counts mismatch. Nothing was taken in.',
    ),
    "dbf_rows_differ.hint": ("请重新导出整套 Shapefile。", "Export the whole shapefile again."),
    "gpkg_broken": ("GeoPackage“{file}”无法读取：{detail}", 'The GeoPackage "{file}" can\'t be read: {detail}'),
    "gpkg_broken.hint": ("请重新导出。", "Export it again."),
    "gpkg_no_layers": (
        "GeoPackage“{file}”里没有要素图层，未导入。",
        'The GeoPackage "{file}" holds no feature layer; nothing was taken in.',
    ),
    "gpkg_no_layers.hint": ("请导出要素（矢量）图层。", "Export a feature layer."),
    "gpkg_triggers": (
        "GeoPackage 自带触发器（{triggers}），只读取了数据表，未执行任何触发器。",
        "The GeoPackage carries triggers ({triggers}); its tables were read and none was run.",
    ),
    "gpkg_views_skipped": ("GeoPackage 中的视图未读取：{views}。", "Views in the GeoPackage were not read: {views}."),
    "parquet_broken": ("“{file}”无法读取：{detail}", '"{file}" can\'t be read: {detail}'),
    "parquet_broken.hint": ("请重新导出。", "Export it again."),
    "workbook_broken": ("Excel 文件“{file}”无法读取：{detail}", 'The workbook "{file}" can\'t be read: {detail}'),
    "workbook_broken.hint": ("请另存为 xlsx 后再上传。", "Save it as xlsx and send it again."),
    "header_unknown": (
        "“{file}”找不到可识别的表头（列名）。看到的是：{headers}",
        'No known column header in "{file}". It begins with: {headers}',
    ),
    "header_unknown.hint": (
        "请在第一行写列名，或用 --columns 我们的列名=你的列名 说明。",
        "Put column names into the first row, or name them with --columns ours=theirs.",
    ),
    "row_cells_many": (
        "单元格数（{found}）多于表头（{wanted}）。",
        "It has more cells ({found}) than the header ({wanted}).",
    ),
    "quotes_unclosed": (
        "有一个双引号没有成对，已按每行一条记录读取，引号保留原样，请核对。",
        "A quotation mark is never closed; every line was read as a row, with the marks as they stand. Check it.",
    ),
    "row_cells_repaired": (
        "{count} 行的单元格数与表头不符，已补齐。",
        "{count} rows did not match the header and were completed.",
    ),
    "control_characters": (
        "{count} 行含有空字符（NUL）等控制字符，已去除。",
        "{count} rows held control characters (NUL); these were removed.",
    ),
    "cell_cut": (
        "列“{column}”有单元格过长，已截短到 {limit} 个字符（{count} 行）。",
        'Cells of column "{column}" were too long and were cut to {limit} characters ({count} rows).',
    ),
    "json_broken": (
        "GeoJSON“{file}”第 {line} 行有语法错误：{detail}",
        'The GeoJSON "{file}" has a syntax error in line {line}: {detail}',
    ),
    "json_broken.hint": ("请重新导出。", "Export it again."),
    "json_no_features": ("“{file}”里没有要素，未导入。", 'There are no features in "{file}"; nothing was taken in.'),
    "json_no_features.hint": ("请导出为要素集合（FeatureCollection）。", "Export it as a FeatureCollection."),
    "json_too_deep": (
        "JSON 嵌套超过 {limit} 层，未导入。",
        "The JSON is nested more than {limit} deep; nothing was taken in.",
    ),
    "json_too_deep.hint": ("请用常规软件重新导出。", "Export it again with an ordinary program."),
    "ring_closed": ("{count} 个多边形边界未闭合，已自动闭合。", "{count} rings were not closed and were closed."),
    "ring_too_short": ("多边形边界少于三个顶点。", "A ring has fewer than three vertices."),
    "xml_entities": (
        "“{file}”含有 XML 实体或 DTD 定义，不安全，未导入。",
        '"{file}" defines XML entities (DTD), which is unsafe; nothing was taken in.',
    ),
    "xml_entities.hint": ("请用常规软件重新导出 GPX 或 KML。", "Export the GPX or KML again with an ordinary program."),
    "xml_broken": ("“{file}”的 XML 有错误：{detail}", 'The XML of "{file}" is broken: {detail}'),
    "xml_broken.hint": ("请重新导出。", "Export it again."),
    "gpx_no_tracks": (
        "GPX“{file}”里没有轨迹点（另有航点 {points} 个），未导入。",
        'The GPX "{file}" holds no track points ({points} way points); nothing was taken in.',
    ),
    "gpx_no_tracks.hint": ("请导出轨迹（track）。", "Export the track."),
    "gpx_points_left": (
        "{count} 个航点或航线点未导入（只取轨迹）。",
        "{count} way or route points were left out (tracks only).",
    ),
    "nmea_no_positions": (
        "“{file}”里没有可用的定位语句（共 {sentences} 条其他语句），未导入。",
        'There is no position sentence in "{file}" ({sentences} others); nothing was taken in.',
    ),
    "nmea_no_positions.hint": ("需要 RMC、GGA 或 AIS 位置报告。", "RMC, GGA or AIS position reports are needed."),
    "nmea_checksum": (
        "校验和（checksum）不符，语句在传输中改变。",
        "The checksum does not fit: the sentence was altered on its way.",
    ),
    "nmea_void": ("无效定位（状态 V）。", "No valid fix (status V)."),
    "nmea_incomplete": ("语句不完整或无法解析。", "The sentence is incomplete or can't be read."),
    "ais_payload": ("AIS 消息内容无法解析。", "The content of the AIS message can't be read."),
    "ais_no_time": ("AIS 语句没有接收时间。", "The AIS sentence carries no time of reception."),
    "ais_part_missing": (
        "多段 AIS 消息缺少其余分段（multipart, missing part）。",
        "A multi-part AIS message lacks its other part.",
    ),
    "ais_static_left": (
        "{count} 条 AIS 静态消息（船名等）不含位置，未导入。",
        "{count} static AIS messages (names …) hold no position and were left out.",
    ),
    "nmea_others_left": (
        "{count} 条其他语句不含位置，未导入。",
        "{count} other sentences hold no position and were left out.",
    ),
    # --- text ----------------------------------------------------------------------------------------------------
    "choice_needed": (
        "无法可靠判断文字编码或坐标系（{what} {where}），未导入。可能的读法：{readings}",
        "The {what} can't be told for sure ({where}); nothing was taken in. Readings: {readings}",
    ),
    "choice_needed.hint": (
        "请选定正确的读法后重新导入，例如加选项 {option}。可能的读法：{readings}",
        "Choose the right reading and import again, for example with {option}. Readings: {readings}",
    ),
    "encoding_unknown": ("不认识的编码名“{encoding}”。", 'Unknown encoding "{encoding}".'),
    "encoding_unknown.hint": ("可用：utf-8、gb18030、big5、utf-16。", "Use utf-8, gb18030, big5 or utf-16."),
    "encoding_broken": (
        "按编码 {encoding} 读取时第 {line} 行出现乱码，未导入。",
        "Line {line} is not in the encoding {encoding}; nothing was taken in.",
    ),
    "encoding_broken.hint": (
        "请去掉 --encoding 由程序判断，或换一种编码。",
        "Leave --encoding out, or name another one.",
    ),
    "encoding_mixed": (
        "文件中混用了多种编码（GBK 与 UTF-8），已逐行判断。",
        "The file mixes encodings (GBK and UTF-8); each line was read in its own.",
    ),
    "encoding_declared_wrong": (
        "文件声明的编码（.cpg 或文件头）与内容不符，已按内容判断。",
        "The encoding the file declares (.cpg, or in its head) does not fit; it was read by its content.",
    ),
    # --- columns -------------------------------------------------------------------------------------------------
    "column_unknown": (
        "“{kind}”没有名为“{column}”的列。可用：{columns}",
        '"{kind}" has no column "{column}". It has: {columns}',
    ),
    "column_unknown.hint": ("请改用列出的列名。", "Use one of the names listed."),
    "column_not_there": (
        "文件中没有名为“{column}”的列。文件的列：{headers}",
        'The file has no column "{column}". Its columns: {headers}',
    ),
    "column_not_there.hint": ("请检查 --columns 的写法：我们的列名=文件的列名。", "Check --columns: ours=theirs."),
    "columns_missing": (
        "缺少必需的列：{needed}。文件的列：{headers}",
        "A needed column is missing: {needed}. The file's columns: {headers}",
    ),
    "columns_missing.hint": (
        "请补上该列，或用 --columns 我们的列名=文件的列名 指明。",
        "Add it, or point it out with --columns ours=theirs.",
    ),
    "columns_ignored": ("未用到的列：{columns}。", "Columns not used: {columns}."),
    "columns_personal": ("含个人信息的列未读取：{columns}。", "Columns about persons were not read: {columns}."),
    "number_unreadable": (
        "列“{column}”有 {count} 行不是可用的数字，该格留空。",
        'Column "{column}": {count} rows hold no usable number; the cell was left empty.',
    ),
    "datum_word_unknown": (
        "列“{column}”有 {count} 行的坐标系不认识（如：{words}），未据此换算；如坐标有偏移，请用 --crs 或 --datum 说明后重新导入。",
        'Column "{column}": {count} rows name a reference system we don\'t know (such as {words}) and were not converted by it. '
        "If the places are off, name it with --crs or --datum and import again.",
    ),
    "word_unknown": (
        "列“{column}”有 {count} 行的用词不认识（如：{words}），该格留空。",
        'Column "{column}": {count} rows hold words we don\'t know (such as {words}); the cell was left empty.',
    ),
    # --- times ---------------------------------------------------------------------------------------------------
    "time_zone_assumed": (
        "未注明时区的时间按北京时间（Asia/Shanghai）理解。",
        "Times without a time zone were read as Asia/Shanghai.",
    ),
    "dates_day_first": ("日期按“日/月/年”理解（整列判断）。", "Dates were read day first (told by the whole column)."),
    "dates_month_first": (
        "日期按“月/日/年”理解（整列判断）。",
        "Dates were read month first (told by the whole column).",
    ),
    "dates_order_unclear": (
        "全部日期的日、月次序都无法判断，暂按“日/月/年”理解（3/4/2025 即 4 月 3 日），请核对；如不对，请撤回本次上传，把日期改写成 2025-04-03 的形式后重新上传。",
        "No date tells day from month; they were read day first (3/4/2025 is 3 April). Check them; if wrong, withdraw this upload, "
        "write dates like 2025-04-03 and send it again.",
    ),
    "dates_order_american": (
        "全部日期的日、月次序都无法判断，因时间带 AM/PM，暂按“月/日/年”理解（3/4/2025 即 3 月 4 日），请核对；如不对，请撤回本次上传，把日期改写成 2025-04-03 的形式后重新上传。",
        "No date tells day from month; as times say AM or PM they were read month first (3/4/2025 is 4 March). Check them; if wrong, "
        "withdraw this upload, write dates like 2025-04-03 and send it again.",
    ),
    "dates_order_both": (
        "同一列日期中“日/月”与“月/日”混用，请核对。",
        "One column of dates mixes day first and month first; check them.",
    ),
    "cell_time_unreadable": ("列“{column}”的时间无法识别。", 'The time in column "{column}" can\'t be read.'),
    "cell_time_unreadable.hint": ("请写成 2026-05-31 23:10:00 的形式。", "Write it like 2026-05-31 23:10:00."),
    "time_missing": ("没有时间。", "The time is missing."),
    "time_missing.hint": ("请补上时间后重新上传这些行。", "Add the time and send these rows again."),
    "time_dead_clock": (
        "时间早于 {year} 年（如 1970 年），设备时钟有误。",
        "The time lies before {year} (such as 1970, the epoch): a dead clock.",
    ),
    "time_dead_clock.hint": ("请更正时间后重新上传这些行。", "Correct the time and send these rows again."),
    "time_future": ("时间在未来。", "The time lies in the future."),
    "time_future.hint": ("请更正时间后重新上传这些行。", "Correct the time and send these rows again."),
    # --- places --------------------------------------------------------------------------------------------------
    "coordinate_unreadable": (
        "坐标无法识别（度分秒的分、秒须小于 60）。",
        "The coordinate can't be read (minutes and seconds of degrees must be under 60).",
    ),
    "coordinate_unreadable.hint": (
        "请写成十进制度，如 112.5041, 30.2310。",
        "Write decimal degrees, such as 112.5041, 30.2310.",
    ),
    "coordinate_half": (
        "只有经度或只有纬度，坐标不完整。",
        "Only one of longitude and latitude is there: half a coordinate.",
    ),
    "coordinate_half.hint": ("请补全坐标后重新上传这些行。", "Complete the coordinates and send these rows again."),
    "coordinate_not_finite": ("坐标为 NaN 或无穷大（Infinity）。", "A coordinate is NaN or infinite."),
    "coordinate_not_finite.hint": (
        "请更正坐标后重新上传这些行。",
        "Correct the coordinates and send these rows again.",
    ),
    "coordinate_beyond_earth": (
        "坐标超出经纬度范围。",
        "The coordinate lies outside the range of longitude and latitude.",
    ),
    "coordinate_beyond_earth.hint": (
        "请更正坐标，或用 --crs 说明坐标系。",
        "Correct it, or name the coordinate system with --crs.",
    ),
    "position_not_available": (
        "AIS 未给出位置（经度 181、纬度 91）。",
        "AIS gave no position (longitude 181, latitude 91: not available).",
    ),
    "position_missing": ("没有坐标。", "The coordinates are missing."),
    "position_missing.hint": ("请补上坐标后重新上传这些行。", "Add coordinates and send these rows again."),
    "null_island": ("坐标为 (0, 0)：设备未定位。", "The coordinates are (0, 0): the device had no fix."),
    "null_island.hint": ("请删去或更正这些行。", "Remove or correct these rows."),
    "wrong_hemisphere": (
        "位置在另一半球，超出流域范围（经纬度符号有误）。",
        "The place lies in the wrong hemisphere, outside the basin (a sign is wrong).",
    ),
    "wrong_hemisphere.hint": ("请更正符号后重新上传这些行。", "Correct the sign and send these rows again."),
    "points_many": ("一行含有多个点。", "The row holds several points."),
    "axes_swapped": (
        "经度与纬度写反了，已对调（{count} 行）。",
        "Longitude and latitude were swapped and were put right ({count} rows).",
    ),
    "crs_missing": (
        "没有坐标系说明（.prj），按数值判断。",
        "No coordinate system is given (.prj); it was told from the numbers.",
    ),
    "crs_contradicts": (
        "声明的坐标系（{crs}）与坐标数值（单位或带号看来是 {seen}）矛盾，按数值判断。",
        "The coordinate system declared ({crs}) contradicts the numbers (their unit or zone seems to be {seen}); the numbers count.",
    ),
    "crs_from_numbers": (
        "坐标系由数值判断为 {crs}（带号 {zone}）。",
        "The coordinate system was told from the numbers: {crs} (zone {zone}).",
    ),
    "crs_from_mercator": (
        "坐标系由数值判断为网络墨卡托投影（{crs}）。",
        "The coordinate system was told from the numbers: Web Mercator ({crs}).",
    ),
    "crs_unknown": ("文件声明的坐标系无法识别：{crs}", "The coordinate system of the file is not understood: {crs}"),
    "crs_unknown.hint": ("请用 --crs EPSG:编号 说明。", "Name it with --crs EPSG:NUMBER."),
    "crs_unknown_option": ("选项 --crs 的值“{crs}”无法识别。", 'The value of --crs, "{crs}", is not understood.'),
    "crs_unknown_option.hint": ("写法如 --crs EPSG:4547。", "Write it like --crs EPSG:4547."),
    "crs_missing_raster": (
        "栅格“{file}”没有坐标系（CRS），未导入。",
        'The raster "{file}" has no coordinate reference system (CRS); nothing was taken in.',
    ),
    "crs_missing_raster.hint": (
        "请用 --crs EPSG:编号 说明，或导出带坐标系的 GeoTIFF。",
        "Name it with --crs EPSG:NUMBER, or export a georeferenced GeoTIFF.",
    ),
    "zone_number_removed": (
        "东坐标带有带号 {zone}，已按 {crs} 去除。",
        "The eastings carry the zone number {zone}; it was removed for {crs}.",
    ),
    "zone_number_added": (
        "东坐标带有带号 {zone}，坐标系按 {crs} 理解。",
        "The eastings carry the zone number {zone}; taken as {crs}.",
    ),
    "cgcs2000_as_wgs84": (
        "CGCS2000（国家大地坐标系）视同 WGS84，相差仅厘米。",
        "CGCS2000 was taken as WGS84; they agree within centimetres.",
    ),
    "datum_approximate": (
        "{crs} 转换到 WGS84 只有近似参数，位置可能有数米到百米误差。",
        "The conversion from {crs} to WGS84 is approximate: places may be metres to a hundred metres off.",
    ),
    "datum_undone": ("坐标按 {datum} 还原为 WGS84。", "Coordinates were converted back from {datum} to WGS84."),
    "datum_converted": (
        "{count} 行注明为 {datum}（GCJ-02/BD-09 偏移坐标），已还原为 WGS84。",
        "{count} rows say {datum} (a shifted datum); they were converted to WGS84.",
    ),
    "datum_assumed": (
        "文件未说明坐标基准，按 WGS84 理解；是否为 GCJ-02 或 BD-09 偏移坐标无法判断。",
        "The file names no datum; taken as WGS84. Whether it is shifted (GCJ-02, BD-09) can't be told.",
    ),
    "reference.water": ("水面（岸线或水体栅格）", "water (banks or a mask)"),
    "reference.line": ("实测河线", "surveyed line"),
    "reference.track": ("基准确定的航迹", "tracks of certain datum"),
    "reference.zone": ("同编号禁渔区", "zones of the same ids"),
    "datum_confirmed": (
        "文件未说明坐标基准；与库中{group}（精度 {accuracy} 米，{places} 处）比对，确为 WGS84（把握 {sure}%）。",
        "No datum was told; compared with the {group} held (good to {accuracy} m, {places} places) it is WGS84"
        " ({sure} % sure).",
    ),
    "datum_cannot_tell": (
        "文件未说明坐标基准；与库中{group}（精度 {accuracy} 米，{places} 处）比对，仍无法判断是否为 GCJ-02 或 BD-09"
        " 偏移坐标（{weights}），按 WGS84 理解。",
        "No datum was told, and the {group} held (good to {accuracy} m, {places} places) can't tell whether it is shifted"
        " ({weights}); taken as WGS84.",
    ),
    "datum_cannot_tell_coarse": (
        "文件未说明坐标基准；库中河流数据精度不足（偏移仅 300 至 700 米），无法判断是否为 GCJ-02 或 BD-09 偏移坐标，按 WGS84 理解。",
        "No datum was told, and the river data held are coarser than a shift of 300-700 m: whether it is GCJ-02 or BD-09"
        " can't be told; taken as WGS84.",
    ),
    "datum_detected": (
        "坐标被判断为 {datum} 偏移坐标（偏移约 {metres} 米），已转换为 WGS84；依据：与库中{group}（精度 {accuracy} 米，"
        "{places} 处）比对，把握 {sure}%。如判断有误，请撤回后用 --datum wgs84 重新导入。",
        "The coordinates were found to be {datum}, about {metres} m off, and were converted to WGS84; told by the {group}"
        " held (good to {accuracy} m, {places} places), {sure} % sure. If that is wrong, withdraw and import again with"
        " --datum wgs84.",
    ),
    "datum_doubtful": (
        "文件声明为 WGS84/CGCS2000，但与库中{group}（精度 {accuracy} 米，{places} 处）比对更像 {datum} 偏移坐标（偏移约"
        " {metres} 米，把握 {sure}%）。坐标按声明未作改动；如确为偏移坐标，请撤回后用 --datum {datum} 重新导入。",
        "The file declares WGS84 or CGCS2000, yet compared with the {group} held (good to {accuracy} m, {places} places)"
        " it looks like {datum}, about {metres} m off ({sure} % sure). The coordinates were left as declared; if they are"
        " shifted, withdraw and import again with --datum {datum}.",
    ),
    # --- shapes --------------------------------------------------------------------------------------------------
    "shapes_missing": (
        "“{file}”没有图形（几何），未导入。",
        '"{file}" holds no shapes (geometry); nothing was taken in.',
    ),
    "shapes_missing.hint": ("请导出带图形的图层，或加一列 WKT。", "Export a layer with shapes, or add a WKT column."),
    "geometry_missing": ("图形为空（缺少几何）。", "The geometry is missing (null)."),
    "geometry_missing.hint": ("请补画后重新上传这些行。", "Draw it and send these rows again."),
    "geometry_empty": ("图形为空（empty）。", "The geometry is empty."),
    "geometry_empty.hint": ("请补画后重新上传这些行。", "Draw it and send these rows again."),
    "geometry_unreadable": ("图形无法解析。", "The geometry can't be read."),
    "geometry_type": (
        "图形类型不符：是 {found}（点/线），需要 {wanted}（面 Polygon 等）。",
        "Wrong type of geometry: {found}, where {wanted} is needed (a polygon, not lines).",
    ),
    "geometry_type.hint": ("请检查是否选错了图层。", "Check whether the wrong layer was sent."),
    "geometry_beyond_repair": ("图形无效（{why}），无法修复。", "The geometry is invalid ({why}) and beyond repair."),
    "geometry_beyond_repair.hint": ("请重新绘制后上传这些行。", "Draw it again and send these rows."),
    "geometry_repaired": (
        "{count} 个图形无效（自相交、孔洞等：{why}），已修复；面积由 {before} 变为 {after} 平方公里。",
        "{count} invalid geometry (self-intersection, hole …: {why}) was repaired; area {before} before, {after} km2 after.",
    ),
    "geometry_repaired_changed": (
        "{count} 个图形无效（自相交、孔洞等：{why}），修复后面积明显改变：{before} 变为 {after} 平方公里，请核对。",
        "{count} invalid geometry (self-intersection, hole …: {why}) changed by repair: {before} to {after} km2. Check it.",
    ),
    "geometry_sliver": (
        "{count} 个面极窄（平均宽度小于 {width} 米，疑为碎面）。",
        "{count} polygons are slivers (mean width under {width} m).",
    ),
    "vertices_repeated": (
        "{count} 个图形有重复顶点，已去除。",
        "{count} shapes had repeated vertices; these were removed.",
    ),
    # --- tracks --------------------------------------------------------------------------------------------------
    "unit_from_file": (
        "没有单位列，以文件名“{unit}”作为单位。",
        'There is no unit column; the unit is named after the file: "{unit}".',
    ),
    "unit_counts_rows": (
        "列“{column}”只是点的序号（1、2、3……），不能当作单位；全部点归为一个单位“{unit}”（文件名）。如不对，请用 --columns unit_id=列名 指定单位列后重新导入。",
        'Column "{column}" only counts the points (1, 2, 3 ...) and names no units; all points are of one unit, named after the file: '
        '"{unit}". If that is wrong, name the column of units with --columns unit_id=COLUMN and import again.',
    ),
    "unit_from_file_some": (
        "{count} 行没有单位，以文件名“{unit}”代替。",
        '{count} rows name no unit; they were given to "{unit}" (the file\'s name).',
    ),
    "ais_traffic": (
        "AIS 中 {units} 个不在册的船舶按过往船舶（traffic）处理，不计巡护。",
        "{units} AIS vessels not among our units were taken as traffic; they count no effort.",
    ),
    "speed_unit": ("列“{column}”的速度单位按 {unit} 理解。", 'Speeds in column "{column}" were read as {unit}.'),
    "heading_beyond": (
        "列“{column}”有 {count} 行航向不在 0–360 度，该格留空。",
        'Column "{column}": {count} headings outside 0-360 degrees were left empty.',
    ),
    "fix_jump": (
        "孤立跳变点：到前后点需要超过 {speed} 米/秒的速度，不可能。",
        "A lone jump: the way to and from it needs more than {speed} m/s, an impossible speed.",
    ),
    "fix_jump.hint": (
        "通常是定位漂移，无须处理；如点位属实请更正时间后重报。",
        "Mostly a drifting fix, nothing to do; if it is real, correct its time and send it again.",
    ),
    "track_cut": (
        "{count} 处轨迹跳变（速度超过 {speed} 米/秒）后停留在新位置：在此断开，其后的点照常计入。",
        "{count} jumps (speed over {speed} m/s) after which the unit stays: the track is cut there, later fixes count.",
    ),
    "patrol_twice": (
        "“{unit}”的 {count} 行与库中“{other}”同一时刻的位置完全重合：同一艘船以两个名称上报，未重复计入巡护时间。",
        'The {count} rows of "{unit}" are those held of "{other}" at the same moments: one boat under two names; its effort'
        " is not counted again.",
    ),
    "patrol_twice_elsewhere": (
        "“{unit}”的 {count} 行与其他单位已报送的轨迹在同一时刻位置完全重合：同一次巡护未重复计入。",
        'The {count} rows of "{unit}" lie where another agency has told at the same moments: the patrol is not counted'
        " again.",
    ),
    "track_frozen": (
        "{count} 行的位置在 {minutes} 分钟以上分毫不变，而航速不为零：终端定位可能已冻结，这些位置不可靠，请核对设备。",
        "{count} rows repeat one place for over {minutes} minutes while a speed is told: the receiver may be frozen and these"
        " places wrong; check the device.",
    ),
    "device_clash": (
        "同一单位在同一时刻出现在另一位置（可能两台设备用了同一编号）。",
        "The same unit at the same moment in another place (two devices under one id?).",
    ),
    "device_clash.hint": ("请核对终端编号后重新上传这些行。", "Check the device ids and send these rows again."),
    "day_expired": (
        "{count} 行早于 {first}：该日之前的定位数据已按保存期限销毁，不再接收。",
        "{count} rows are from before {first}: positions of that time were let go and are not taken in any more.",
    ),
    "day_expired.hint": (
        "只取零星几行会被误认为当天的全部巡护，因此不收。如确需找回，请由管理员从备份恢复到新的工作区。",
        "A few rows would pass for all patrols of such a day. If they are needed, an administrator restores a backup into a "
        "new workspace.",
    ),
    "duplicate_rows": ("{count} 行与其他行重复，只计一次。", "{count} rows are duplicates of others and count once."),
    # --- records -------------------------------------------------------------------------------------------------
    "id_from_content": ("没有编号列，编号由内容生成。", "There is no id column; ids were made from the content."),
    "id_twice": (
        "同一文件中该编号出现两次且内容不同。",
        "The same id stands twice in this file with different content.",
    ),
    "id_twice.hint": ("请核对编号后重新上传这些行。", "Check the ids and send these rows again."),
    "records_corrected": (
        "{count} 条记录已更新为新版本，旧版本仍可查（更正）。",
        "{count} records were corrected: a new version each, the old ones stay readable (update).",
    ),
    "place_missing": (
        "没有地点：既无坐标，也无河流加里程，也无文字地点。",
        "No place: neither coordinates, nor river and km, nor words.",
    ),
    "place_missing.hint": ("请补上坐标、河流加里程或文字地点。", "Add coordinates, river and km, or words."),
    "unplaced": (
        "{count} 条只有文字地点，已保留，待在地图上人工定位。",
        "{count} reports have a place in words only; they are kept, to be placed on the map by hand.",
    ),
    "zone_nameless": ("既无名称也无编号。", "It has neither a name nor an id."),
    "zone_nameless.hint": ("请补上名称或编号后重新上传这些行。", "Add a name or an id and send these rows again."),
    "season_half": (
        "{count} 行只有禁渔期的开始或结束，按全年理解。",
        "{count} rows give only one end of the season; taken as the whole year.",
    ),
    "season_unreadable": (
        "列“{column}”有 {count} 行的月日无法识别，按全年理解。",
        'Column "{column}": {count} days can\'t be read; taken as the whole year.',
    ),
    "valid_backwards": ("失效日期不晚于生效日期。", "It ends before it begins."),
    "valid_backwards.hint": ("请更正日期后重新上传这些行。", "Correct the dates and send these rows again."),
    "name_missing": ("没有名称。", "The name is missing."),
    "name_missing.hint": ("请补上名称后重新上传这些行。", "Add the name and send these rows again."),
    "parts_joined": (
        "{count} 行与同名行合并为一个辖区。",
        "{count} rows were joined with those of the same name into one unit.",
    ),
    "unit_nameless": ("没有编号、名称或 MMSI。", "It has neither id, name nor MMSI."),
    "unit_nameless.hint": ("请补上其中一项后重新上传这些行。", "Add one of them and send these rows again."),
    "river_no_lines": (
        "“{file}”里没有可用的河流中心线，未导入。",
        'There is no usable centre line in "{file}"; nothing was taken in.',
    ),
    "river_no_lines.hint": ("请导出线图层。", "Export the line layer."),
    "line_without_length": ("线的长度为零。", "The line has no length."),
    "mark_without_km": ("点没有里程（里程标需要里程列）。", "The point has no km (a km mark needs one)."),
    "mark_without_km.hint": ("请补上里程列，或只上传线。", "Add a km column, or send lines only."),
    "mark_without_river_name": ("里程标没有河流名称。", "The km mark names no river."),
    "river_nameless": ("{count} 条线没有河流名称。", "{count} lines have no river name."),
    "accuracy_assumed": (
        "未说明精度，按 {metres} 米计（可用 --accuracy 说明）。",
        "No accuracy is given; {metres} m was assumed (say it with --accuracy).",
    ),
    "patrol_over_midnight": (
        "{count} 条的结束时刻早于开始，按跨午夜理解。",
        "{count} patrols end before they begin; read as going past midnight.",
    ),
    "patrol_no_end": ("没有结束时间或时长。", "There is neither an end nor a duration."),
    "patrol_no_end.hint": ("请补上结束时间后重新上传这些行。", "Add the end and send these rows again."),
    "patrol_backwards": ("结束时间不晚于开始时间。", "It ends before it begins."),
    "patrol_backwards.hint": ("请更正时间后重新上传这些行。", "Correct the times and send these rows again."),
    "river_name_missing": ("没有河流名称。", "The river is not named."),
    "river_name_missing.hint": ("请补上河流名称后重新上传这些行。", "Name the river and send these rows again."),
    "stretch_missing": ("没有起止里程。", "The stretch (km from, km to) is missing."),
    "stretch_missing.hint": ("请补上起止里程后重新上传这些行。", "Add the stretch and send these rows again."),
    # --- rasters -------------------------------------------------------------------------------------------------
    "raster_broken": ("栅格“{file}”无法读取：{detail}", 'The raster "{file}" can\'t be read: {detail}'),
    "raster_broken.hint": (
        "请重新导出 GeoTIFF 后上传；分析因它中断时，请先撤回这份上传。",
        "Export the GeoTIFF again and send it; where it stops an analysis, withdraw that upload first.",
    ),
    "raster_one": (
        "“{file}”里应有且只有一个 GeoTIFF（找到 {found} 个）。",
        'There must be exactly one GeoTIFF in "{file}" (found {found}).',
    ),
    "raster_one.hint": ("请一次上传一个 GeoTIFF。", "Send one GeoTIFF at a time."),
    "raster_too_large": (
        "栅格“{file}”过大（{width} × {height} 像素，上限 {limit} 百万像素），未导入。",
        'The raster "{file}" is too large ({width} x {height} pixels; limit {limit} million); nothing was taken in.',
    ),
    "raster_too_large.hint": ("请裁切到工作范围后上传。", "Clip it to the area of work."),
    "raster_truncated": (
        "栅格“{file}”不完整（文件被截断），未导入。",
        'The raster "{file}" is truncated (incomplete); nothing was taken in.',
    ),
    "raster_truncated.hint": ("请重新拷贝或导出。", "Copy or export it again."),
    "raster_all_nodata": (
        "栅格“{file}”全部是无数据（nodata），不起作用。",
        'The raster "{file}" holds nothing but nodata (no data); it has no effect.',
    ),
    "raster_no_water": ("栅格“{file}”里没有水面像素。", 'The raster "{file}" shows no water.'),
}
