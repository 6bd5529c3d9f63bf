"""Sentences of the area `cli`: code -> (Chinese, English). `help.*` are the help texts of the command line."""

MESSAGES: dict[str, tuple[str, str]] = {
    # --- faults of ours and wrong calls ---
    "fault": (
        "程序出错（编号 {reference}）。已入库的数据未受影响。",
        "The program failed (reference {reference}). Data already held are untouched.",
    ),
    "fault.hint": (
        "请把编号和文件 {file} 交给技术人员；加 --debug 可显示详情。",
        "Give the reference and the file {file} to your technician; --debug shows the details.",
    ),
    "usage.hint": ("用 --help 查看用法。", "See --help."),
    "stopped": ("已中断。未完成的步骤不会留下半截数据。", "Stopped. An unfinished step leaves nothing half done."),
    "note": ("说明：{message}", "note: {message}"),
    "lang_unknown": ("不支持语言“{language}”。", 'There is no language "{language}".'),
    "lang_unknown.hint": ("可用：zh、en。", "Use zh or en."),
    "option_value": ("{option} 不能是“{value}”。", '{option} cannot be "{value}".'),
    "option_value.hint": ("可用：{allowed}。", "Use one of: {allowed}."),
    "columns_bad": ("--columns 中的“{part}”看不懂。", 'The part "{part}" of --columns was not understood.'),
    "columns_bad.hint": (
        "写法：--columns 本系统列名=文件列名,… 例如 --columns unit_id=艇号,time=时刻",
        "Write --columns ours=theirs,… such as --columns unit_id=boat,time=when",
    ),
    "accuracy_bad": (
        "--accuracy 应为大于 0 的米数，收到 {accuracy}。",
        "--accuracy is metres above 0; got {accuracy}.",
    ),
    "kind_unknown": ("不认识的数据种类“{kind}”。未导入。", 'There is no kind "{kind}". Nothing was imported.'),
    "kind_unknown.hint": ("可用的种类：{kinds}。", "The kinds are: {kinds}."),
    "file_missing": ("找不到文件“{file}”。未导入。", 'There is no file "{file}". Nothing was imported.'),
    "folder_empty": ("文件夹“{folder}”是空的。未导入。", 'The folder "{folder}" is empty. Nothing was imported.'),
    "log_left_behind": (
        "“{file}”还有改动保存在同一文件夹的“{log}”中，单独导入会丢失这些改动。未作任何更改。",
        'Changes to "{file}" still lie in "{log}" beside it; without it they would be lost. Nothing was changed.',
    ),
    "log_left_behind.hint": (
        "请关闭正在使用该文件的程序（如 QGIS）后再导入，或把两个文件放进同一文件夹或压缩包一起导入。",
        "Close the program that uses the file (QGIS, say) and import it then, or import both files in one folder or zip.",
    ),
    "folder_holds_workspace": (
        "文件夹“{folder}”里有本工作区，不能整个上传。未导入。",
        'The folder "{folder}" holds this workspace and cannot be sent as a whole. Nothing was imported.',
    ),
    "folder_holds_workspace.hint": (
        "请指明要上传的文件，或放在单独的文件夹里。",
        "Name the files to send, or put them into a folder of their own.",
    ),
    "time_unreadable": ("时间“{time}”看不懂。", 'The time "{time}" was not understood.'),
    "time_unreadable.hint": (
        "写法：2026-06-01 或 2026-06-01T20:30（北京时间），也可带时区 2026-06-01T12:30Z。",
        "Write 2026-06-01 or 2026-06-01T20:30 (Shanghai time), or with a zone: 2026-06-01T12:30Z.",
    ),
    "output_unwritable": ("“{file}”无法写入：{reason}。", '"{file}" cannot be written: {reason}.'),
    "output_unwritable.hint": (
        "请换一个可以写入的位置或文件名。",
        "Name another place or file that can be written to.",
    ),
    "stdout_unwritable": ("结果无法输出：{reason}。", "The result could not be written to stdout: {reason}."),
    "stdout_unwritable.hint": (
        "命令已经执行，无需重做；请换一个有空间的位置再查看结果。",
        "What the command did stands: look at it from a place with room instead of repeating it.",
    ),
    "name_too_long": ("名称过长：“{name}”。未作任何更改。", 'The name "{name}" is too long. Nothing was changed.'),
    "name_too_long.hint": ("请改用较短的名称。", "Use a shorter one."),
    "not_utf8": (
        "名称或参数“{text}”不是 UTF-8 编码，无法使用。未作任何更改。",
        'The name or argument "{text}" is not in UTF-8 and cannot be used. Nothing was changed.',
    ),
    "not_utf8.hint": (
        "文件名显示为乱码的，请先改名，再试一次。",
        "Rename a file whose name looks garbled, and try again.",
    ),
    "period_empty": (
        "起始时间 {start} 不早于截止时间 {end}。未分析。",
        "The period is empty: {start} is not before {end}. Nothing was analysed.",
    ),
    "reach_length_bad": (
        "江段长度应在 50 到 50000 米之间，收到 {length}。未分析。",
        "A reach is 50 to 50000 metres long; got {length}. Nothing was analysed.",
    ),
    "method_unknown": ("没有名为“{method}”的方法。未分析。", 'There is no method "{method}". Nothing was analysed.'),
    "method_unknown.hint": ("可用的方法：{methods}，或 all。", "The methods are: {methods}; or all."),
    "engine_unknown": (
        "没有名为“{engine}”的计算引擎。未分析。",
        'There is no engine "{engine}". Nothing was analysed.',
    ),
    "engine_unknown.hint": ("可用的引擎：{engines}。", "The engines are: {engines}."),
    "engine_missing": (
        "本机未装 Spark 所需的部件（{missing}）。未分析。",
        "What Spark needs is not installed here ({missing}). Nothing was analysed.",
    ),
    "engine_missing.hint": (
        "安装 Java 17 和附加组件 spark（pip install 'geo-monitor[spark]'），或改用 --engine local。",
        "Install Java 17 and the extra spark (pip install 'geo-monitor[spark]'), or use --engine local.",
    ),
    "no_versions": ("数据表“{table}”不分版本。", 'The table "{table}" has no versions.'),
    "no_versions.hint": ("可看全部版本的表：{tables}。", "Tables with versions: {tables}."),
    "reference_missing": (
        "安装不完整：缺少随附数据“{name}”。",
        'The installation is incomplete: the shipped data "{name}" are missing.',
    ),
    "reference_missing.hint": ("请重新安装 geo_monitor。", "Install geo_monitor again."),
    "river_shipped": (
        "未导入河道，使用随附的长江干支流概化中心线（定位误差约 {accuracy} 米）。",
        "No river was imported: the shipped, generalised lines of the Yangtze are used (good to about {accuracy} m).",
    ),
    "jurisdictions_shipped": (
        "未导入辖区，使用随附的 {count} 个市县界（示意，不作执法依据）。",
        "No jurisdictions were imported: the {count} shipped localities are used (a drawing, no legal boundary).",
    ),
    # --- export ---
    "export.done": ("已导出 {table}：{rows} 行 -> {file}", "Exported {table}: {rows} rows -> {file}"),
    "export_format": ("不知道如何写“{file}”。未导出。", 'No format is known for "{file}". Nothing was exported.'),
    "export_format.hint": ("可用的扩展名：{formats}。", "Extensions: {formats}."),
    "export_no_shape": (
        "数据表“{table}”没有图形，也不对应江段，不能导出为 {format}。未导出。",
        'The table "{table}" has neither shapes nor reaches and cannot become {format}. Nothing was exported.',
    ),
    "export_no_shape.hint": ("请改用 csv、xlsx 或 parquet。", "Use csv, xlsx or parquet."),
    "export_no_surface": (
        "数据表“{table}”不能导出为 tif。未导出。",
        'The table "{table}" cannot become a tif. Nothing was exported.',
    ),
    "export_no_surface.hint": ("可导出为 tif 的表：hotspots、effort。", "Surfaces are made of hotspots and effort."),
    "surface_empty": ("该次分析没有江段，无法生成栅格。", "This run has no reaches: there is no surface to make."),
    "xlsx_too_long": (
        "共 {rows} 行，超出 Excel 一张表的上限（1,048,576 行）。未导出。",
        "{rows} rows are more than a sheet holds (1,048,576). Nothing was exported.",
    ),
    "xlsx_too_long.hint": ("请改用 csv 或 parquet。", "Use csv or parquet."),
    "xlsx_cell_too_long": (
        "有一格文字长 {length} 字，超出 Excel 的上限（32,767）。未导出。",
        "A text of {length} characters is more than a cell holds (32,767). Nothing was exported.",
    ),
    "xlsx_cell_too_long.hint": ("请改用 csv 或 parquet。", "Use csv or parquet."),
    "shp_text_cut": (
        "{count} 处文字超过 shapefile 的 {bytes} 字节上限，已截短；完整文字请用 gpkg。",
        "{count} texts were cut to the {bytes} bytes a shapefile holds; use gpkg for the whole.",
    ),
    "shp_layers": (
        "shapefile 一个文件只能放一类图形，压缩包内分为：{layers}。",
        "A shapefile holds one sort of shape: the zip has {layers}.",
    ),
    # --- what commands say ---
    "init.done": ("已新建工作区：{root}", "Made the workspace {root}"),
    "init.there": ("工作区已存在，未作更改：{root}", "The workspace is there already, nothing was changed: {root}"),
    "withdraw.done": (
        "已撤回“{file}”（回执 {receipt_id}）；数据不再生效，但仍可查阅。",
        'Withdrew "{file}" (receipt {receipt_id}): out of force, still readable.',
    ),
    "receipt.accepted": ("已入库：{file}", "Accepted: {file}"),
    "receipt.accepted_with_warnings": ("已入库（有警告）：{file}", "Accepted with warnings: {file}"),
    "receipt.could_accepted": ("可以入库：{file}", "Could be accepted: {file}"),
    "receipt.could_accepted_with_warnings": ("可以入库（有警告）：{file}", "Could be accepted, with warnings: {file}"),
    "receipt.duplicate": ("重复上传，未作更改：{file}", "Held already, nothing was changed: {file}"),
    "receipt.rejected": ("已拒收，未作更改：{file}", "Refused, nothing was changed: {file}"),
    "receipt.dry_run": ("试运行：未保存任何内容。", "Dry run: nothing was kept."),
    "receipt.id": ("回执编号", "receipt"),
    "receipt.rows.read": ("读取行数", "rows read"),
    "receipt.rows.accepted": ("新增", "accepted"),
    "receipt.rows.corrected": ("更正", "corrected"),
    "receipt.rows.unchanged": ("未变", "unchanged"),
    "receipt.rows.quarantined": ("退回", "quarantined"),
    "receipt.encoding": ("文字编码", "encoding"),
    "receipt.crs": ("坐标系", "CRS"),
    "receipt.quarantine": ("退回行文件", "refused rows"),
    "receipt.errors": ("错误：{message}", "error: {message}"),
    "receipt.warnings": ("警告：{message}", "warning: {message}"),
    "receipt.notes": ("说明：{message}", "note: {message}"),
    "run.done": ("分析完成。", "Analysed."),
    "run.id": ("分析编号", "run"),
    "run.positions": ("定位点（其中未落在江段上）", "positions (of these on no reach)"),
    "run.hours": ("巡护小时", "hours looked"),
    "run.unlocated": ("未落在江段上的小时", "hours on no reach"),
    "run.seizures": ("计入比率的案件 / 全部案件", "seizures in the rate / all"),
    "run.left.unpatrolled": ("  未计入：举报或监控发现，当时附近无巡护", "  left out: tip or camera, no unit there"),
    "run.left.no_place": ("  未计入：没有地点坐标或里程", "  left out: no coordinates and no chainage"),
    "run.left.off_river": ("  未计入：不在任何江段上", "  left out: on no reach"),
    "run.left.elsewhere": ("  未计入：市场、公路、餐馆等非水上地点", "  left out: market, road, restaurant or shop"),
    "run.state.hot": ("热点江段", "reaches hot"),
    "run.state.normal": ("正常江段", "reaches normal"),
    "run.state.cold": ("冷点江段", "reaches cold"),
    "run.state.not_looked": ("未巡江段", "reaches not looked at"),
    "run.seconds": ("用时（秒）", "seconds"),
    "stage.read": ("读取数据", "reading"),
    "stage.river": ("构建河网", "building the river"),
    "stage.locate": ("定位到江段", "locating"),
    "stage.joins": ("关联禁捕区与案件", "joining zones and seizures"),
    "stage.effort": ("计算巡护时长", "summing effort"),
    "stage.hotspots": ("计算热点", "finding hotspots"),
    "stage.simulate": ("生成模拟数据", "simulating"),
    "stage.warm": ("首次使用，正在编译计算程序", "first use: compiling"),
    "stage.import": ("导入", "importing"),
    "simulate.done": (
        "模拟数据已写入 {folder}（真值在 truth 子文件夹）",
        "Wrote a simulated world to {folder} (its truth under truth/)",
    ),
    "demo.next": (
        "打开地图：geo-monitor --workspace {root} app",
        "Open the map: geo-monitor --workspace {root} app",
    ),
    "demo_in_real_workspace": (
        "工作区“{root}”里有真实数据，不能混入模拟数据。未作任何更改。",
        'The workspace "{root}" holds real data; simulated data are not mixed in. Nothing was changed.',
    ),
    "demo_in_real_workspace.hint": (
        "请用 --workspace 另选一个文件夹。",
        "Choose another folder with --workspace.",
    ),
    "demo_refused": (
        "模拟文件“{file}”未被接收（{detail}）。这是程序的差错。",
        'The simulated file "{file}" was refused ({detail}). This is a fault of the program.',
    ),
    "compact.done": (
        "已合并 {days} 天：{before} 个定位文件合为 {days} 个，{fixes} 个定位点无一增减（{mb_before} MB → {mb_after} MB）。",
        "{days} days compacted: {before} files of positions became {days}, all {fixes} fixes in them "
        "({mb_before} MB became {mb_after} MB).",
    ),
    "compact.unreadable": (
        "有 {count} 天的定位文件读不出来或被改动过（{days} 等），这些天未合并，保持原样。请运行 geo-monitor verify 查明是哪些文件。",
        "{count} days have a file of positions that cannot be read or was altered ({days} ...): they were left as they are. "
        "geo-monitor verify tells which files.",
    ),
    "compact.nothing": (
        "没有需要合并的日期（今天的文件要等今天过完）。",
        "No day needs compacting (today's files wait until the day is over).",
    ),
    "expire.would": (
        "{held_from} 之前的定位数据将被销毁：{days} 天（{first} 至 {last}）、{files} 个文件、{fixes} 个定位点；连同再无用处的原始文件 {uploads} 份，"
        "共 {mb} MB。",
        "Positions before {held_from} would be let go: {days} days ({first} to {last}), {files} files, {fixes} fixes; with "
        "{uploads} uploads of which nothing would be left, {mb} MB in all.",
    ),
    "expire.done": (
        "{held_from} 之前的定位数据已销毁：{days} 天（{first} 至 {last}）、{files} 个文件、{fixes} 个定位点；连同再无用处的原始文件 {uploads} 份，"
        "共 {mb} MB。已记入审计簿。",
        "Positions before {held_from} were let go: {days} days ({first} to {last}), {files} files, {fixes} fixes; with "
        "{uploads} uploads of which nothing is left, {mb} MB in all. It is in the audit book.",
    ),
    "expire.nothing": (
        "{held_from} 之前没有可销毁的定位数据。",
        "There are no positions before {held_from} to let go.",
    ),
    "expire.lost": (
        "此后分析、查找事件、回放和导出只能从 {held_from} 起，更早的时段不再可答，也补报不了；以前的分析结果、案件、预警和回执不受影响。"
        "此前所做的备份里仍有这些数据，须另行处置。",
        "From then on analyses, events, replays and exports begin on {held_from}: nothing can be said, or sent in later, of "
        "the time before. Earlier runs, reports, warnings and receipts stay. Backups made before still hold these data.",
    ),
    "expire.kept": (
        "原始文件“{file}”（回执 {receipt_id}）还含有以后日期的数据，保留到 {until} 之前的数据销毁时。",
        'the upload "{file}" (receipt {receipt_id}) holds later days too: it stays until positions before {until} are let go',
    ),
    "expire.kept_more": (
        "另有 {count} 份原始文件同样保留（--json 可列出全部）。",
        "and {count} more (--json lists them all)",
    ),
    "expire.how": (
        '以上仅为预演，未作任何更改。确认无误后加 --yes --reason "原因" 执行；销毁后无法恢复。',
        'Nothing was changed. To carry it out add --yes --reason "why"; it cannot be undone.',
    ),
    "backup.done": (
        "已备份到 {file}：{members} 个部分，{rows} 行记录，{mb} MB",
        "Backed up to {file}: {members} members, {rows} rows of records, {mb} MB",
    ),
    "backup.head": (
        "审计簿末尾校验值 {head}（请另行抄存，核对时用 verify --head）",
        "head of the audit book {head} (note it down elsewhere, for verify --head)",
    ),
    "backup.key": (
        "注意：姓名密钥不在备份里。请另行保存文件 {file}，否则恢复后姓名再也读不出来。",
        "Note: the key of people's names is not in the backup. Keep a copy of {file} elsewhere, or the names can never be "
        "read again after a restore.",
    ),
    "backup.damaged": (
        "注意：工作区里有 {count} 个文件缺失或已被改动（{names}）；备份里也是如此。请运行 geo-monitor verify。",
        "Note: {count} files of the workspace are missing or changed ({names}), and so they are in the backup: "
        "run geo-monitor verify.",
    ),
    "restore.done": (
        "已由 {file} 恢复到 {root}：{receipts} 份回执，{runs} 次分析",
        "Restored {file} to {root}: {receipts} receipts, {runs} runs",
    ),
    "stage.backup": ("备份", "backing up"),
    "stage.compact": ("合并定位文件", "compacting"),
    "stage.expire": ("清点到期定位数据", "counting positions"),
    "stage.restore": ("恢复", "restoring"),
    "stage.verify": ("核对", "verifying"),
    "verify.fine": ("核对无误：与入库时完全一致。", "All is as it was taken in."),
    "verify.wrong": ("发现 {count} 处问题：", "{count} things are wrong:"),
    "verify.wrong.hint": (
        "请从备份恢复到新文件夹（geo-monitor --workspace 新文件夹 restore 备份文件），或联系技术人员。",
        "Restore a backup into a new folder (geo-monitor --workspace NEW restore FILE), or call your technician.",
    ),
    "verify.looked.raw": ("原始文件", "raw uploads"),
    "verify.looked.receipts": ("回执", "receipts"),
    "verify.looked.rows": ("记录行", "rows of records"),
    "verify.looked.fixes": ("定位点", "fixes"),
    "verify.looked.expired": ("已按期限销毁的定位点", "fixes let go"),
    "verify.looked.quarantine": ("退回行文件", "files of refused rows"),
    "verify.looked.runs": ("分析", "runs"),
    "verify.looked.audit": ("审计条目", "rows of the audit book"),
    "verify.database": ("数据库文件已损坏：{detail}", "the database file is damaged: {detail}"),
    "verify.receipt": (
        "“{file}”的回执 {receipt_id} 读不出来：{detail}",
        'receipt {receipt_id} of "{file}" cannot be read: {detail}',
    ),
    "verify.raw_missing": (
        "原始文件丢失：“{file}”（回执 {receipt_id}）",
        'the raw upload "{file}" is lost (receipt {receipt_id})',
    ),
    "verify.raw_changed": (
        "原始文件被改动：“{file}”（回执 {receipt_id}）",
        'the raw upload "{file}" was changed (receipt {receipt_id})',
    ),
    "verify.file_unreadable": ("文件 {file} 读不出来：{detail}", "the file {file} cannot be read: {detail}"),
    "verify.fixes_changed": (
        "文件 {file} 里的定位点与合并时不一致",
        "the fixes in {file} are not those that were put there when it was compacted",
    ),
    "verify.fixes_elsewhere": (
        "文件 {file} 里的定位点不属于该回执或该日期",
        "the file {file} holds fixes of another receipt or day",
    ),
    "verify.rows": (
        "“{file}”（回执 {receipt_id}）入库 {told} 行，现存 {held} 行",
        '"{file}" (receipt {receipt_id}) brought {told} rows; {held} are held',
    ),
    "verify.rows_of_nobody": (
        "数据表 {table} 里有不属于任何有效回执的行：{receipts}",
        "table {table} holds rows of receipts that brought none: {receipts}",
    ),
    "verify.quarantine": (
        "“{file}”（回执 {receipt_id}）退回 {told} 行，退回文件里有 {held} 行",
        'of "{file}" (receipt {receipt_id}) {told} rows were refused; the file of refused rows has {held}',
    ),
    "verify.run_missing": ("分析 {run_id} 的结果丢失", "the tables of run {run_id} are lost"),
    "verify.audit": ("审计簿第 {row} 条被改动过", "row {row} of the audit book was altered"),
    "verify.audit_cut": (
        "审计簿里没有校验值 {head}：末尾被截掉",
        "the hash {head} is not in the audit book: its end was cut off",
    ),
    "verify.left_over": ("中断的写入留下的文件：{file}", "left by an interrupted write: {file}"),
    "app.ready": ("地图已打开：{url}（按 Ctrl+C 停止）", "The map is at {url} (Ctrl+C stops it)"),
    "app_host": (
        "工作区还没有账号，地图只能在本机打开，不能绑定到“{host}”。未启动。",
        'The workspace has no accounts: the map opens on this machine only, not on "{host}". It was not started.',
    ),
    "app_host.hint": ("请去掉 --host，或用 --host 127.0.0.1。", "Leave out --host, or use --host 127.0.0.1."),
    "app_port": ("{host} 的端口 {port} 已被占用。未启动。", "Port {port} of {host} is taken. It was not started."),
    "app_port.hint": ("请用 --port 另选一个端口。", "Choose another with --port."),
}

HELP: dict[str, tuple[str, str]] = {
    "help.geo-monitor": (
        "长江禁捕执法：把巡护轨迹、禁捕区和查获案件放到江段上，算出巡护力度校正后的热点。",
        "Yangtze fishing ban: patrols, zones and seizures joined on the river; hotspots corrected for effort.",
    ),
    "help.help": ("显示帮助", "show this and leave"),
    "help.json": ("标准输出只给一份 JSON，进度写到标准错误", "one JSON document on stdout, progress on stderr"),
    "help.workspace": (
        "工作区文件夹（或环境变量 GEO_MONITOR_WORKSPACE）",
        "workspace folder (or GEO_MONITOR_WORKSPACE)",
    ),
    "help.lang": ("语言：zh 或 en", "language: zh or en"),
    "help.debug": ("出错时显示详细堆栈", "show the traceback of a fault"),
    "help.output": ("写到哪里", "where to write"),
    "help.seed": ("随机种子：同一种子得到同样的结果", "seed: the same gives the same"),
    "help.days": ("模拟的天数", "days to simulate"),
    "help.units": ("带定位的巡护单位数", "units with GPS"),
    "help.init": ("新建空工作区。", "Make an empty workspace."),
    "help.backup": ("把整个工作区备份成一个文件。", "Write the whole workspace to one file."),
    "help.backup.output": ("备份文件（放在工作区之外）", "the file, outside the workspace"),
    "help.restore": ("由备份文件恢复出工作区。", "Make a workspace of a backup."),
    "help.restore.file": ("备份文件", "the backup"),
    "help.restore.database": (
        "记录放到哪个 PostgreSQL 数据库，默认为文件夹内的 SQLite",
        "PostgreSQL database for the records, default SQLite in the folder",
    ),
    "help.verify": (
        "核对全部原始文件、数据行、分析结果和审计簿。",
        "Check every raw file, row, run and the audit book.",
    ),
    "help.compact": (
        "把已过完的每一天的定位小文件合并成一个文件（数据和回执不变）。",
        "Write the many small position files of each day that is over to one; data and receipts stay the same.",
    ),
    "help.compact.from": ("只合并这一时刻起的日期", "only days from this moment on"),
    "help.compact.to": ("只合并到这一时刻为止的日期", "only days up to this moment"),
    "help.expire": (
        "销毁超过保存期限的定位数据（整日；不加 --yes 只预演）。",
        "Let go of whole days of positions kept long enough; without --yes it only says what would go.",
    ),
    "help.expire.before": ("销毁这一日期之前的定位数据", "positions before this day"),
    "help.expire.reason": (
        "依据或原因（执行时必填，记入审计簿）",
        "why; needed to carry it out, kept in the audit book",
    ),
    "help.expire.yes": ("确认执行", "carry it out"),
    "help.verify.head": ("另行保存的审计簿末尾校验值", "hash of the audit book noted down elsewhere"),
    "help.init.database": (
        "记录存入 PostgreSQL（默认存于文件夹内的 SQLite）",
        "keep the records in PostgreSQL (else in SQLite in the folder)",
    ),
    "help.import": (
        "导入一份文件（或文件夹），给出回执。",
        "Take in a file (or folder) and print its receipt.",
    ),
    "help.import.kind": (
        "种类：river 河道、zones 禁捕区、tracks 轨迹、patrols 巡护记录、seizures 案件、units 单位、"
        "jurisdictions 辖区、levels 水位、raster 水体栅格",
        "river, zones, tracks, patrols, seizures, units, jurisdictions, levels or raster",
    ),
    "help.import.file": ("文件、文件夹或压缩包", "file, folder or zip"),
    "help.import.agency": ("报送单位", "who sends it"),
    "help.import.crs": ("坐标系，如 EPSG:4490", "coordinate system, such as EPSG:4490"),
    "help.import.datum": ("基准：wgs84、gcj02 或 bd09", "wgs84, gcj02 or bd09"),
    "help.import.encoding": ("文字编码，如 gb18030", "text encoding, such as gb18030"),
    "help.import.columns": ("列名对应：本系统列名=文件列名,…", "ours=theirs,…"),
    "help.import.role": ("轨迹性质：patrol 巡护或 traffic 过往船舶", "patrol or traffic"),
    "help.import.accuracy": ("河道数据的精度（米）", "accuracy of river lines, metres"),
    "help.import.dry-run": ("只检查，不保存", "check only, keep nothing"),
    "help.withdraw": ("撤回一次上传：不再生效，但仍可查阅。", "Take an upload out of force; its rows stay readable."),
    "help.withdraw.receipt": ("回执编号", "receipt id"),
    "help.withdraw.reason": ("原因（必填）", "why (needed)"),
    "help.analyse": ("运行分析，保存一套结果。", "Run the main job and keep one set of results."),
    "help.analyse.from": (
        "起始时间（含）；只写日期即北京时间 00:00",
        "from (inclusive); a bare date is 00:00 Shanghai",
    ),
    "help.analyse.to": ("截止时间（不含）", "until (exclusive)"),
    "help.analyse.as-of": ("只用该时刻前收到的数据", "use only what had been received by then"),
    "help.analyse.engine": (
        "计算引擎：local 本机，spark 集群；结果完全一致",
        "local (this machine) or spark (a cluster): the same tables",
    ),
    "help.analyse.reach-length": ("江段长度（米），默认 500", "metres a reach, default 500"),
    "help.analyse.methods": (
        "除 rates、gistar（始终运行）外再运行的方法，逗号分隔：emerging、scan、near_repeat、reemergence、displacement、forecast、"
        "why、predictability;all 为全部",
        "methods beside rates and gistar, which always run, joined by commas: emerging, scan, near_repeat, reemergence, "
        "displacement, forecast, why, predictability; or all",
    ),
    "help.export": ("导出数据表，格式由扩展名决定。", "Write a table to a file; the extension says how."),
    "help.export.table": ("数据表名，如 hotspots", "table, such as hotspots"),
    "help.export.output": (
        "文件：csv、xlsx、parquet、geojson、gpkg、shp.zip、fgb 或 tif",
        "file: csv, xlsx, parquet, geojson, gpkg, shp.zip, fgb or tif",
    ),
    "help.export.run": ("哪一次分析，默认最近一次", "which run, default the latest"),
    "help.export.all-versions": ("连同旧版本和已撤回的行", "with old versions and withdrawn rows"),
    "help.quality": (
        "各单位报送质量评分（按月），以及最值得改进的三件事。",
        "How good each agency's uploads are, by month, and the three most useful things to mend.",
    ),
    "help.quality.agency": ("只看一个单位", "one agency only"),
    "help.simulate": (
        "生成一份模拟数据：各单位的文件，并附真值。",
        "Write a made-up world as agency files, its truth beside.",
    ),
    "help.simulate.river": ("河道：made-up 虚构或 real 真实长江", "made-up, or real for the Yangtze"),
    "help.simulate.days": (
        "模拟的天数，默认 90；有植入情形时按其所需",
        "days to simulate, default 90; with --plant as many as it needs",
    ),
    "help.simulate.plant": (
        "植入已知情形：null 无变化、new 新热点、steady 常年热点、displaced 转移、reemerging 复发、season 局部季节性、"
        "season_basin 全流域季节性、unlooked 无人巡查、near_repeat 邻近重复",
        "plant a known truth: null, new, steady, displaced, reemerging, season, season_basin, unlooked or near_repeat",
    ),
    "help.demo": (
        "在真实长江上生成模拟巡护和案件，导入并分析。",
        "Build a workspace on the real river with simulated patrols and reports, analysed.",
    ),
    "help.app": ("打开指挥地图。", "Open the commanders' map."),
    "help.app.host": ("监听地址（没有账号时只能是本机）", "address (this machine only while there are no accounts)"),
    "help.app.port": ("端口", "port"),
    "help.app.no-browser": ("不自动打开浏览器", "do not open a browser"),
    "help.doctor": ("检查安装和工作区，并说明怎么办。", "Check installation and workspace, say what to do."),
}

DOCTOR: dict[str, tuple[str, str]] = {
    "doctor.state.fine": ("正常", "fine"),
    "doctor.state.look": ("留意", "look"),
    "doctor.state.broken": ("故障", "broken"),
    "doctor.versions.fine": ("Python {python};{libraries}", "Python {python}; {libraries}"),
    "doctor.versions.broken": (
        "Python {python}（需要 3.11 以上）；缺少的库：{missing}",
        "Python {python} (3.11 or newer is needed); missing: {missing}",
    ),
    "doctor.versions.broken.hint": ("请重新安装：pip install geo-monitor", "Install again: pip install geo-monitor"),
    "doctor.proj.fine": ("坐标转换 PROJ {version} 正常", "PROJ {version} works"),
    "doctor.proj.broken": (
        "坐标转换 PROJ {version} 结果不对（{detail}）",
        "PROJ {version} gives a wrong answer ({detail})",
    ),
    "doctor.proj.broken.hint": (
        "请检查环境变量 PROJ_LIB、PROJ_DATA 是否指向其他软件的目录。",
        "Check that PROJ_LIB and PROJ_DATA don't point to another program's folder.",
    ),
    "doctor.gdal.fine": ("GDAL 正常（矢量 {vector}，栅格 {raster}）", "GDAL works (vector {vector}, raster {raster})"),
    "doctor.gdal.broken": ("GDAL 缺少驱动：{missing}", "GDAL lacks drivers: {missing}"),
    "doctor.gdal.broken.hint": ("请重新安装 pyogrio 和 rasterio。", "Install pyogrio and rasterio again."),
    "doctor.reference.fine": ("随附的河道、湖泊和辖区数据齐全", "the shipped river, lakes and localities are there"),
    "doctor.reference.broken": ("缺少随附数据“{name}”", 'the shipped data "{name}" are missing'),
    "doctor.reference.broken.hint": ("请重新安装 geo_monitor。", "Install geo_monitor again."),
    "doctor.fonts.fine": ("有中文字体：{font}", "a Chinese font is there: {font}"),
    "doctor.fonts.look": (
        "没有找到中文字体，地图上的中文可能显示为方框",
        "no Chinese font was found: names on the map may show as boxes",
    ),
    "doctor.fonts.look.hint": (
        "请在看图的电脑上安装，例如 apt install fonts-noto-cjk。",
        "Install one where the map is looked at, such as: apt install fonts-noto-cjk",
    ),
    "doctor.disk.fine": ("剩余磁盘空间 {free} GB", "{free} GB of disk are free"),
    "doctor.disk.look": ("剩余磁盘空间只有 {free} GB", "only {free} GB of disk are free"),
    "doctor.disk.look.hint": ("建议至少留 {wanted} GB。", "Keep at least {wanted} GB."),
    "doctor.network.fine": ("地图只在本机开放", "the map opens on this machine only"),
    "doctor.network.look": (
        "环境变量 STREAMLIT_SERVER_ADDRESS 设为 {address}，直接运行 streamlit 会对网络开放",
        "STREAMLIT_SERVER_ADDRESS is {address}: streamlit run by hand would open to the network",
    ),
    "doctor.network.look.hint": (
        "请删除该变量，并只用 geo-monitor app 打开地图。",
        "Remove it, and open the map with geo-monitor app only.",
    ),
    "doctor.parser.fine": (
        "上传文件在受限进程中读取：资源上限、断网、只开放所需文件、随主程序结束，均已生效",
        "uploads are read in a limited process: limits, no network, only the files it needs, ends with its parent",
    ),
    "doctor.parser.look": (
        "上传文件在受限进程中读取，但缺少以下保护：{missing}"
        "（limits 资源上限，network 断网，files 只开放所需文件，orphan 随主程序结束，drivers 多余的 GDAL 驱动：{drivers}）",
        "uploads are read in a limited process, but these protections are missing: {missing} "
        "(limits of resources, no network, only the files it needs, orphan: ends with its parent, "
        "drivers of GDAL that are too many: {drivers})",
    ),
    "doctor.parser.look.hint": (
        "时间、内存和输出的上限仍然有效。Linux 5.13 及以上内核、允许用户命名空间时可全部生效。",
        "The limits on time, memory and output hold all the same. Linux 5.13 or later with user namespaces has them all.",
    ),
    "doctor.parser.broken": (
        "读取上传文件的进程无法启动：{detail}",
        "the process that reads uploads does not start: {detail}",
    ),
    "doctor.parser.broken.hint": ("请重新安装 geo_monitor。", "Install geo_monitor again."),
    "doctor.workspace.fine": ("工作区 {root}：{receipts} 份回执", "workspace {root}: {receipts} receipts"),
    "doctor.workspace.look": ("“{root}”还不是工作区", '"{root}" is no workspace yet'),
    "doctor.workspace.look.hint": (
        "新建：geo-monitor --workspace {root} init",
        "Make it: geo-monitor --workspace {root} init",
    ),
    "doctor.orphans.fine": ("没有中断的导入留下的文件", "no interrupted import left anything behind"),
    "doctor.orphans.look": (
        "有 {count} 个未完成的文件（可能正在导入）",
        "{count} unfinished files (perhaps an import is under way)",
    ),
    "doctor.orphans.look.hint": (
        "导入结束后会在下次启动时自动清除。",
        "They are swept at the next start after the import.",
    ),
    "doctor.files.fine": ("定位数据存放在 {count} 个文件里", "positions lie in {count} files"),
    "doctor.files.look": (
        "定位数据分散在 {count} 个文件里，打开和分析会变慢",
        "positions lie in {count} files: opening and analysing them gets slow",
    ),
    "doctor.files.look.hint": (
        "请运行 geo-monitor compact，把已过完的每一天合并成一个文件。",
        "Run geo-monitor compact: it writes each day that is over to one file.",
    ),
    "doctor.raw.fine": ("{count} 份原始文件与校验值一致", "{count} raw uploads match their hashes"),
    "doctor.raw.broken": (
        "{count} 份原始文件中有 {bad} 份丢失或被改动：{names}",
        "{bad} of {count} raw uploads are lost or changed: {names}",
    ),
    "doctor.raw.broken.hint": ("请从备份恢复 raw 文件夹。", "Restore the folder raw from a backup."),
    "doctor.positions.fine": ("{count} 份轨迹的定位数据齐全", "the fixes of {count} track uploads are there"),
    "doctor.positions.broken": ("这些回执的定位数据丢失：{lost}", "the fixes of these receipts are lost: {lost}"),
    "doctor.positions.broken.hint": (
        "请撤回这些回执，再从 raw 文件夹重新导入。",
        "Withdraw these receipts and import them again from the folder raw.",
    ),
    "doctor.simulated.look": ("本工作区的巡护与案件为模拟数据", "patrols and seizures of this workspace are simulated"),
}
MESSAGES |= HELP | DOCTOR
