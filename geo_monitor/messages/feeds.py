"""Sentences of live feeds: code -> (Chinese, English)."""

MESSAGES: dict[str, tuple[str, str]] = {
    # --- addresses -----------------------------------------------------------------------------------------------
    "feed_unknown": (
        "不认识的数据源“{feed}”。未作任何更改。",
        'The feed "{feed}" is of no kind known. Nothing was changed.',
    ),
    "feed_unknown.hint": (
        "可用：tcp://、tcp-listen://、udp://、mqtt://、mqtts://、serial:///、http://、文件、文件夹，或 -（标准输入）。",
        "Feeds are tcp://, tcp-listen://, udp://, mqtt://, mqtts://, serial:///, http://, a file, a folder, or - "
        "(standard input).",
    ),
    "feed_address": (
        "数据源地址“{feed}”无法识别。未作任何更改。",
        'The address "{feed}" can\'t be read. Nothing was changed.',
    ),
    "feed_address.hint": (
        "写法如 tcp://主机:端口、udp://主机:端口、serial:///dev/ttyUSB0?baud=38400。",
        "Write tcp://host:port, udp://host:port, serial:///dev/ttyUSB0?baud=38400.",
    ),
    "feed_no_topic": (
        "“{feed}”没有写明主题（topic）。未作任何更改。",
        'The address "{feed}" names no topic. Nothing was changed.',
    ),
    "feed_no_topic.hint": ("写法：mqtt://主机:端口/主题。", "Write mqtt://host:port/topic."),
    "feed_option": (
        "“{feed}”的选项“{option}”不认识或没有值。未作任何更改。",
        'The option "{option}" of "{feed}" is unknown or empty. Nothing was changed.',
    ),
    "feed_option.hint": ("可用的选项：{options}。", "The options are: {options}."),
    "feed_no_file": (
        "没有“{feed}”这个文件或文件夹。未作任何更改。",
        'There is no file or folder "{feed}". Nothing was changed.',
    ),
    "feed_address_taken": (
        "无法在“{feed}”接收：{reason}。未作任何更改。",
        'Can\'t listen at "{feed}": {reason}. Nothing was changed.',
    ),
    "feed_address_taken.hint": (
        "请换一个端口，或停止占用该端口的程序。",
        "Choose another port, or stop the program that uses this one.",
    ),
    "feed_mark_unreadable": (
        "保存的读取位置无法识别，不能接着读。数据未改动。",
        "The kept place to go on from can't be read. No data were changed.",
    ),
    "feed_broker_refused": (
        "消息服务器拒绝了“{feed}”的连接：{reason}。",
        'The broker refuses the connection of "{feed}": {reason}.',
    ),
    "feed_broker_refused.hint": (
        "请核对用户名和环境变量 GEO_MONITOR_MQTT_PASSWORD 中的密码。",
        "Check the user and the password in the variable GEO_MONITOR_MQTT_PASSWORD.",
    ),
    "feed_topic_refused": (
        "消息服务器不允许“{feed}”订阅主题“{reason}”。",
        'The broker does not let "{feed}" subscribe to "{reason}".',
    ),
    "feed_topic_refused.hint": (
        "请让服务器管理员授予该用户读取此主题的权限。",
        "Ask the administrator of the broker for the right to read this topic.",
    ),
    # --- lines ---------------------------------------------------------------------------------------------------
    "feed_line_unknown": (
        "既不是 NMEA 语句，也不是 JSON。",
        "The line is neither an NMEA sentence nor JSON.",
    ),
    "feed_line_long": ("一行过长，未读取。", "The line is too long; it was not read."),
    "feed_body_large": ("消息过大，未读取。", "The message is too large; it was not read."),
    "feed_json": (
        "不是一条 JSON 位置记录（一个对象）。",
        "This is no position as a JSON object.",
    ),
    "feed_encrypted": (
        "位置已加密，无法读取。请在手机软件中关闭加密，改用加密的连接。",
        "The position is encrypted and can't be read. Turn encryption of messages off on the phone; encrypt the connection instead.",
    ),
    "feed_no_unit": (
        "没有可用的船只或终端编号（unit_id）。",
        "There is no usable name of a unit (unit_id).",
    ),
    "feed_no_time": ("没有时间。", "The time is missing."),
    "feed_time": (
        "时间无法识别。请用带日期的时间，如 2026-05-31T23:10:00+08:00。",
        "The time can't be read. Write it with its day, such as 2026-05-31T23:10:00+08:00.",
    ),
    "feed_no_date": (
        "GGA 语句只有钟点，尚未收到日期（RMC 或 ZDA）。",
        "GGA tells the time of day only, and no date (RMC or ZDA) has come yet.",
    ),
    "feed_datum": (
        "实时位置只接收 WGS84（或 CGCS2000）坐标。",
        "Live positions are taken in WGS84 (or CGCS2000) only.",
    ),
    "feed_number": ("航速或航向不是合理的数。", "Speed or heading is no sensible number."),
    "feed_role": (
        "角色（role）只能是 patrol（巡护）或 traffic（过往船舶）。",
        "The role must be patrol or traffic.",
    ),
    "feed_base_clock": (
        "AIS 基站的时钟与本机相差过大，未采用。",
        "The clock of the AIS base station is far off ours; it was not used.",
    ),
    # --- fixes ---------------------------------------------------------------------------------------------------
    "feed_future": (
        "定位时间晚于收到的时刻，设备时钟有误。",
        "The time of the fix lies after its arrival: the device's clock is wrong.",
    ),
    "feed_past": (
        "定位时间过早，设备时钟有误。",
        "The time of the fix is too long ago to be true: the device's clock is wrong.",
    ),
    "feed_clock_skew": (
        "终端“{unit}”的时钟持续偏差 {seconds} 秒（正数为快）。快的不予采用，慢的照收；时间一律不作改动。",
        'The clock of "{unit}" is off by {seconds} s all the time (above 0: ahead). Fixes ahead of the clock are '
        "refused, those behind are kept; no time is altered.",
    ),
    "feed_clock_skew.hint": ("请校准该终端的时钟。", "Set the clock of this device."),
    "feed_jump": (
        "位置跳变：船只不可能在这段时间内到达，后续定位也未证实。",
        "A jump: no boat gets there in the time between, and no later fix has proved it.",
    ),
    "feed_identity_split": (
        "有两艘船在用编号“{unit}”（相距约 {kilometres} 公里），另一艘记为“{other}”。",
        'Two boats use the number "{unit}", about {kilometres} km apart; the other one is kept as "{other}".',
    ),
    "feed_identity_split.hint": (
        "请核查两船的识别码（MMSI）或终端编号。",
        "Check the MMSI or the device number of both boats.",
    ),
    # --- answers to a post ---------------------------------------------------------------------------------------
    "feed_http_token": ("缺少令牌或令牌不对。", "The token is missing or wrong."),
    "feed_http_path": ("没有这个地址。", "There is nothing at this address."),
    "feed_http_length": (
        "请求须写明长度（Content-Length），不能分块发送。",
        "The request must tell its length (Content-Length) and not come in chunks.",
    ),
    "feed_http_post": ("请用 POST 发送位置。", "Send positions by POST."),
    "feed_http_busy": (
        "暂时来不及保存，请稍后再发。",
        "There is no time to store this now; send it again in a while.",
    ),
}
