"""Sentences that belong to no single area: code -> (Chinese, English)."""

MESSAGES: dict[str, tuple[str, str]] = {
    "unknown_table": ("没有名为“{table}”的数据表。", 'There is no table called "{table}".'),
    "unknown_table.hint": ("可用的数据表：{tables}。", "The tables are: {tables}."),
    "table_broken": (
        "数据表“{table}”不符合约定：{detail}。这是程序的差错，数据未改动。",
        'The table "{table}" breaks its own rules: {detail}. This is a fault of the program; no data were changed.',
    ),
    "settings_unknown": (
        "settings.toml 中有不认识的设置项：{names}。未作任何更改。",
        "settings.toml holds unknown settings: {names}. Nothing was changed.",
    ),
    "settings_unreadable": (
        "设置文件“{file}”读不出来：{reason}。未作任何更改。",
        'The settings in "{file}" cannot be read: {reason}. Nothing was changed.',
    ),
    "settings_unreadable.hint": (
        "请改正该文件（TOML 格式，UTF-8 编码），或先把它移走，按默认设置运行。",
        "Correct the file (TOML, in UTF-8), or move it away to go on with the defaults.",
    ),
}
