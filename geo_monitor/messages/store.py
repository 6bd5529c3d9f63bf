"""Sentences of the area `store`: code -> (Chinese, English)."""

MESSAGES: dict[str, tuple[str, str]] = {
    "workspace_missing": ("“{root}”不是工作区。", '"{root}" is no workspace.'),
    "workspace_missing.hint": (
        "请用 --workspace 指定已有的工作区，或先运行 geo-monitor --workspace {root} init 新建。",
        "Name an existing one with --workspace, or make one: geo-monitor --workspace {root} init",
    ),
    "workspace_not_empty": (
        "文件夹“{root}”里已有其他内容（{names} 等），不能在此新建工作区。未作任何更改。",
        'The folder "{root}" holds other things ({names} ...) and cannot become a workspace. Nothing was changed.',
    ),
    "workspace_not_empty.hint": ("请另选一个空文件夹。", "Choose an empty folder."),
    "workspace_newer": (
        "工作区“{root}”由更新版本的程序建立（结构版本 {found}，本程序认识到 {known}）。未作任何更改。",
        'The workspace "{root}" was made by a newer program (layout {found}; this one knows {known}). '
        "Nothing was changed.",
    ),
    "workspace_newer.hint": ("请升级 geo_monitor 后再打开。", "Upgrade geo_monitor, then open it again."),
    "database_url_bad": (
        "数据库地址“{url}”无法使用。未作任何更改。",
        'The database address "{url}" cannot be used. Nothing was changed.',
    ),
    "database_url_bad.hint": (
        "写法：postgresql://用户@主机:端口/数据库?schema=模式；密码用 PGPASSWORD 或 ~/.pgpass。",
        "Write postgresql://user@host:port/database?schema=name; the password goes into PGPASSWORD or ~/.pgpass.",
    ),
    "database_unreachable": (
        "连不上数据库 {url}（{why}）。未作任何更改。",
        "The database {url} cannot be reached ({why}). Nothing was changed.",
    ),
    "database_unreachable.hint": (
        "请检查服务器是否运行、网络、用户名和密码（PGPASSWORD 或 ~/.pgpass）。",
        "Check that the server runs, the network, and user and password (PGPASSWORD or ~/.pgpass).",
    ),
    "database_driver_missing": (
        "本机没有安装 PostgreSQL 驱动。",
        "The driver for PostgreSQL is not installed.",
    ),
    "database_driver_missing.hint": (
        "请安装：pip install geo-monitor[server]",
        "Install it: pip install geo-monitor[server]",
    ),
    "postgis_missing": (
        "数据库“{database}”没有 PostGIS 扩展，也无权建立。未作任何更改。",
        'The database "{database}" lacks the PostGIS extension and this login may not make it. Nothing was changed.',
    ),
    "postgis_missing.hint": (
        "请数据库管理员执行：CREATE EXTENSION postgis",
        "An administrator of the database runs: CREATE EXTENSION postgis",
    ),
    "fallen.import.undone": (
        "上次导入“{name}”中途中断，已全部撤销，先前数据不受影响。请重新导入该文件。",
        'The import of "{name}" was interrupted. All of it was undone, nothing held before is touched: import it again.',
    ),
    "fallen.import.finished": (
        "上次导入“{name}”虽被中断，但已完整入库（回执 {subject}），无需重新导入。",
        'The import of "{name}" was interrupted, but it had been taken in whole (receipt {subject}): nothing to do.',
    ),
    "fallen.analyse.undone": (
        "上次分析 {name} 在保存结果时中断，已全部撤销。请重新运行 geo-monitor analyse。",
        "Run {name} was interrupted while its results were being kept. All of it was undone: analyse again.",
    ),
    "fallen.analyse.finished": (
        "上次分析 {name} 虽被中断，但结果已完整保存。",
        "Run {name} was interrupted, but its results had been kept whole.",
    ),
    "fallen.compact.undone": (
        "上次合并 {name} 的定位文件时中途中断，原有文件完好，数据不受影响。可重新运行 geo-monitor compact。",
        "Compacting the positions of {name} was interrupted. Its files are as they were: run geo-monitor compact again.",
    ),
    "fallen.compact.finished": (
        "上次合并 {name} 的定位文件虽被中断，但合并后的文件已完整写好，余下的清理已完成，数据无一增减。",
        "Compacting the positions of {name} was interrupted, but the new file was whole; what was left to tidy up is "
        "done. No fix was lost or doubled.",
    ),
    "fallen.other.undone": (
        "上次写入中途中断，其残留已清除，先前数据不受影响。",
        "A write was interrupted; what it had left was removed, nothing held before is touched.",
    ),
    "compact_differs": (
        "{day} 的定位文件合并后与原文件不一致，新文件已丢弃，原有文件未动。",
        "The compacted positions of {day} are not what the files held. The new file was thrown away, the files are as "
        "they were.",
    ),
    "compact_differs.hint": (
        "请运行 geo-monitor verify 检查文件，并检查磁盘和内存。",
        "Run geo-monitor verify to check the files, and check disk and memory.",
    ),
    "fallen.expire.undone": (
        "上次销毁 {name} 之前的定位数据时中途中断，尚未销毁任何数据。请重新运行 geo-monitor expire。",
        "Letting go of positions before {name} was interrupted before anything was let go: run geo-monitor expire again.",
    ),
    "fallen.expire.finished": (
        "上次销毁 {name} 之前的定位数据虽被中断，但已记入审计簿，余下的文件现已清除。",
        "Letting go of positions before {name} was interrupted, but it was in the audit book; the files that were left are "
        "removed now.",
    ),
    "expire_too_young": (
        "不能销毁 {asked} 之前的定位数据：最近 {days} 天须保留，最晚只能到 {latest}。未作任何更改。",
        "Positions before {asked} cannot be let go: the last {days} days must stay, so {latest} is the latest possible. "
        "Nothing was changed.",
    ),
    "expire_too_young.hint": (
        "请把 --before 改为 {latest} 或更早。保留 {days} 天是为了同比上一年度；确需更短，由管理员在 settings.toml 中改 expire_days_least。",
        "Use --before {latest} or earlier. {days} days let a campaign be set against that of the year before; if your rules "
        "ask for less, an administrator changes expire_days_least in settings.toml.",
    ),
    "expire_no_reason": (
        "销毁定位数据必须写明原因。未作任何更改。",
        "Letting go of positions needs a reason. Nothing was changed.",
    ),
    "expire_no_reason.hint": ('请加上 --reason "原因"。', 'Add --reason "why".'),
    "expire_unreadable": (
        "{day} 的定位文件读不出来或被改动过，无法说明销毁了什么。未销毁任何数据。",
        "A file of positions of {day} cannot be read or was altered, so nobody could say what is let go. Nothing was let go.",
    ),
    "expire_unreadable.hint": (
        "请运行 geo-monitor verify 查明是哪个文件，从备份恢复后再试；或先用更早的 --before 销毁那天之前的数据。",
        "geo-monitor verify tells which file: restore it from a backup and try again, or let go of the days before it with an "
        "earlier --before.",
    ),
    "positions_unreadable": (
        "定位文件 {files} 缺失、读不出来或已损坏。未作计算，数据未改动。",
        "Files of positions are missing, damaged or cannot be read: {files}. Nothing was computed, no data were changed.",
    ),
    "positions_unreadable.hint": (
        "请运行 geo-monitor verify 查明是哪些文件，从备份恢复后再试；没有备份的，用 geo-monitor withdraw 撤回那次导入，再重新导入原文件；"
        "或用 --from、--to 避开那一天。",
        "geo-monitor verify tells which files and of which upload: restore them from a backup and try again; without one, withdraw "
        "that upload (geo-monitor withdraw) and import its file again; or leave that day out with --from, --to.",
    ),
    "positions_expired": (
        "{first} 之前的定位数据已按保存期限销毁，该时段有无巡护已无从得知，无法据此作答。未作任何更改。",
        "Positions before {first} were let go: nothing is known of who was out then, so this time cannot be answered for. "
        "Nothing was changed.",
    ),
    "positions_expired.hint": (
        "请把起始时间定在 {first} 或以后（--from {first}）；更早的情况请查以前的分析：geo-monitor export runs -o runs.csv。",
        "Begin on {first} or later (--from {first}). For the time before see earlier runs: geo-monitor export runs -o runs.csv",
    ),
    "positions_from": (
        "{first} 之前的定位数据已按保存期限销毁，本次从该日起算；更早的案件和巡护记录未计入。",
        "Positions before {first} were let go: this begins on that day, and reports and patrols before it are left out.",
    ),
    "export_positions_from": (
        "{first} 之前的定位数据已按保存期限销毁，文件从该日起。",
        "Positions before {first} were let go: the file begins on that day.",
    ),
    "expired_meanwhile": (
        "读取过程中，管理员销毁了到期的定位数据，本次未完成。未作任何更改。",
        "While this was reading, an administrator let go of old positions. It was not finished; nothing was changed.",
    ),
    "expired_meanwhile.hint": ("请重新运行同一命令。", "Run the same command again."),
    "upload_expired": (
        "“{file}”（回执 {receipt_id}）的原始文件和退回行已按保存期限销毁，只留有回执。",
        '"{file}" (receipt {receipt_id}) was let go with its refused rows when they had been kept long enough; only the '
        "receipt is left.",
    ),
    "workspace_unwritable": (
        "工作区“{root}”无法打开或写入（{reason}）。未作任何更改。",
        'The workspace "{root}" cannot be opened or written to ({reason}). Nothing was changed.',
    ),
    "workspace_unwritable.hint": (
        "请检查该文件夹的权限，以及所在磁盘是否为只读；要只读查看，请先复制到可写入的位置。",
        "Check the rights on that folder and whether its disk is read-only; to look at it only, copy it to where you may write.",
    ),
    "database_damaged": (
        "工作区“{root}”的数据库已损坏（{reason}）。未作任何更改。",
        'The database of the workspace "{root}" is damaged ({reason}). Nothing was changed.',
    ),
    "database_damaged.hint": (
        "请把备份恢复到新文件夹（geo-monitor --workspace 新文件夹 restore 备份文件），或联系技术人员。",
        "Restore a backup into a new folder (geo-monitor --workspace NEW restore FILE), or call your technician.",
    ),
    "database_busy": (
        "另一个程序正在工作区“{root}”里写入，等了 {seconds} 秒仍未结束。本次未作任何更改。",
        'Another program is writing in "{root}" and was not through after {seconds} s. Nothing was changed.',
    ),
    "database_busy.hint": ("请稍后重新运行同一命令。", "Run the same command again a little later."),
    "disk_full": (
        "“{place}”所在磁盘已满（剩余 {free} MB）或超出配额。本次未保存任何内容，已有数据不变。",
        'The disk that holds "{place}" is full ({free} MB are free), or a quota is used up. '
        "Nothing of this was kept; what is held is unchanged.",
    ),
    "disk_full.hint": ("请腾出空间后重新运行同一命令。", "Make room, then run the same command again."),
    "backup_inside": (
        "备份文件“{file}”不能放在工作区“{root}”里面。未备份。",
        'The backup "{file}" cannot lie inside the workspace "{root}". Nothing was written.',
    ),
    "backup_inside.hint": ("请用 -o 指定别处，最好是另一块磁盘。", "Name another place with -o, best on another disk."),
    "backup_unreadable": (
        "“{file}”不是可用的备份文件（{why}）。未恢复任何内容。",
        '"{file}" is no backup that can be read ({why}). Nothing was restored.',
    ),
    "backup_damaged": (
        "备份“{file}”已损坏或被改动（在 {member}）。未恢复任何内容。",
        'The backup "{file}" is damaged or was altered (at {member}). Nothing was restored.',
    ),
    "backup_damaged.hint": ("请用另一份备份。", "Use another backup."),
    "backup_newer": (
        "备份“{file}”由更新版本的程序（{program}）制作。未恢复任何内容。",
        'The backup "{file}" was made by a newer program ({program}). Nothing was restored.',
    ),
    "backup_newer.hint": ("请升级 geo_monitor 后再恢复。", "Upgrade geo_monitor, then restore it."),
    "restore_busy": (
        "另一个程序正在“{root}”里恢复或写入。未作任何更改。",
        'Another program is restoring or writing in "{root}". Nothing was changed.',
    ),
    "restore_unfinished": (
        "“{root}”里有一次中断的恢复，还不是工作区。",
        'A restore was interrupted in "{root}": it is no workspace yet.',
    ),
    "restore_unfinished.hint": (
        "请重新运行同一条 restore 命令。",
        "Run the same restore command again.",
    ),
    "database_not_empty": (
        "数据库 {url} 里已有工作区的记录。未恢复任何内容。",
        "The database {url} holds the records of a workspace already. Nothing was restored.",
    ),
    "database_not_empty.hint": ("请换一个模式（?schema=…）。", "Choose another schema (?schema=…)."),
    "database_of_another": (
        "数据库 {url} 里的记录属于另一个工作区（编号 {found}，本文件夹为 {expected}）。未作任何更改。",
        "The records in the database {url} belong to another workspace (id {found}; this folder is {expected}). "
        "Nothing was changed.",
    ),
    "database_of_another.hint": (
        "请换一个模式(?schema=…),或改正 database.url、GEO_MONITOR_DATABASE。",
        "Choose another schema (?schema=…), or correct database.url or GEO_MONITOR_DATABASE.",
    ),
    "time_without_zone": ("时间“{time}”没有时区。", 'The time "{time}" has no time zone.'),
    "upload_changed": (
        "文件“{file}”在读取过程中被改动，本次未入库，已有数据不变。",
        'The file "{file}" changed while it was being read. It was not taken in; nothing held was changed.',
    ),
    "upload_changed.hint": ("请等文件写完后重新导入。", "Import it again once it is complete."),
    "reason_missing": ("撤回必须写明原因，本次未撤回。", "A withdrawal needs a reason. Nothing was withdrawn."),
    "reason_missing.hint": ('请加上 --reason "原因"。', 'Add --reason "why".'),
    "receipt_unknown": (
        "没有回执“{receipt_id}”，未作任何更改。",
        'There is no receipt "{receipt_id}". Nothing was changed.',
    ),
    "receipt_unknown.hint": (
        "geo-monitor export receipts -o receipts.csv 可列出全部回执。",
        "geo-monitor export receipts -o receipts.csv lists them all.",
    ),
    "receipt_withdrawn": (
        "回执“{receipt_id}”早已撤回（原因：{reason}），未作任何更改。",
        'Receipt "{receipt_id}" was withdrawn before ({reason}). Nothing was changed.',
    ),
    "receipt_holds_nothing": (
        "回执“{receipt_id}”的状态为 {status}，没有入库的数据可撤回。",
        'Receipt "{receipt_id}" is {status}: it holds no rows to withdraw.',
    ),
    "run_unknown": ("没有编号为“{run_id}”的分析结果。", 'There is no run "{run_id}".'),
    "run_unknown.hint": (
        "geo-monitor export runs -o runs.csv 可列出全部分析。",
        "geo-monitor export runs -o runs.csv lists them all.",
    ),
    "no_run": ("工作区里还没有分析结果。", "This workspace holds no results yet."),
    "no_run.hint": ("请先运行 geo-monitor analyse。", "Run geo-monitor analyse first."),
    "no_such_result": (
        "分析“{run_id}”没有数据表“{table}”。",
        'Run "{run_id}" has no table "{table}".',
    ),
    "no_such_result.hint": (
        "该表可能需要其他方法或更新的分析，请重新运行 geo-monitor analyse。",
        "It may need another method or a newer run: run geo-monitor analyse again.",
    ),
    "feed_sealed": (
        "来自实时数据源“{feed}”的定位，按到达时的原样封存。",
        'Fixes of the live feed "{feed}", kept as they arrived.',
    ),
    "changed_meanwhile": (
        "“{id}”刚刚已被他人改动，您的操作没有执行。",
        '"{id}" was changed by somebody else meanwhile. Nothing was changed by you.',
    ),
    "changed_meanwhile.hint": ("请查看最新状态后再试。", "Look at its present state and try again."),
}
