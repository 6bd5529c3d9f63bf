"""What each kind of upload may hold: our fields, the words agencies use for them, the unit a plain number is in.

The first synonyms are the better ones: where two columns mean the same field, the earlier word wins.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Field:
    """One of our fields. `type`: text, number, time, month_day, lon, lat, pair, vocabulary; `dimension` of a number."""

    name: str
    words: tuple[str, ...]
    type: str = "text"
    dimension: str = ""

    @property
    def synonyms(self) -> tuple[str, ...]:
        return (self.name, *self.words)


def _f(name: str, words: str = "", type: str = "text", dimension: str = "") -> Field:
    return Field(name, tuple(words.split()), type, dimension)


LON = _f(
    "lon",
    "longitude lng long 经度 东经 经 lon_wgs84 lng_wgs84 wgs84_lon wgs84_lng lon_gcj02 lng_gcj02 "
    "gcj02_lon gcj02_lng gcj_lon gcj_lng lon_bd09 lng_bd09 bd09_lon bd09_lng x 经度坐标 x坐标 坐标x 横坐标 东坐标 easting point_x coord_x gps_lon",
    "lon",
)
LAT = _f(
    "lat",
    "latitude 纬度 北纬 纬 lat_wgs84 wgs84_lat lat_gcj02 gcj02_lat gcj_lat lat_bd09 bd09_lat y 纬度坐标 y坐标 坐标y 纵坐标 北坐标 northing point_y coord_y gps_lat",
    "lat",
)
PAIR = _f("position", "坐标 经纬度 经纬度坐标 经纬度位置 位置坐标 地理坐标 gps坐标 坐标点 lonlat lnglat latlon latlng 纬经度 coordinates coordinate wkt "
          "geom geometry shape the_geom", "pair")  # fmt: skip
SHAPE = _f("geometry", "wkt geom the_geom shape geojson 图形 几何", "shape")
DATUM = _f("datum", "坐标系 坐标系统 坐标基准 坐标类型 coordinate_system coord_system coordsys crs 坐标参考系")
TIME = _f("time", "timestamp datetime date_time 时间 定位时间 查获时间 查处时间 案发时间 发现时间 采集时间 上报时间 gps时间 发生时间 查获日期时间 "
          "basedatetime base_date_time fix_time gps_time dt occurred_at 接报时间 立案时间 日期时间 time_utc utc_time ts tst utc loc_time", "time")  # fmt: skip
DATE = _f("date", "日期 查获日期 案发日期 发现日期 发生日期 定位日期 巡护日期 巡查日期 巡江日期 day", "time")
CLOCK = _f("clock", "时刻 time_of_day 钟点 具体时间", "time")
PATROL = _f(
    "patrol_id", "patrol 巡护编号 巡查编号 巡航编号 航次 航次编号 巡江编号 任务编号 任务号 trip trip_id track_id"
)
UNIT = _f("unit_id", "vessel_id unit vessel device device_id 船名 终端编号 终端号 设备编号 设备号 终端 设备 船舶名称 船舶 船号 船只 艇名 艇号 "
          "巡护单元 执法船 执法艇 boat boat_id ship ship_id vessel_name shipname imei sim_no terminal_no terminal_id terminal_phone unique_id 车牌号 无人机编号 unit_name 巡护船 track_name sim卡号 北斗卡号 卡号 编号 id name 名称")  # fmt: skip
# headers that may name anything: beside an MMSI that is the unit
VAGUE = frozenset(("name", "id", "编号", "名称", "shipname", "vesselname", "船舶名称", "ship", "vessel", "boat"))
MMSI = _f("mmsi", "mmsi号 九位码 ais编号 mmsi码 水上移动业务标识码")
PLATFORM = _f(
    "platform",
    "平台 载具 巡护方式 巡查方式 巡护类型 单元类型 设备类型 工具 交通工具 类型 type vehicle_type",
    "vocabulary",
)
AGENCY = _f("agency", "单位 报送单位 所属单位 执法单位 查处单位 机构 部门 管理单位 主管部门 上报单位 填报单位")
RIVER = _f("river", "河流 江河 水域名称 水系 河名 所在河流 江河名称 河流名称 river_name 水道 水域")
KM = _f("km", "里程 桩号 公里数 里程桩号 航道里程 chainage 里程数 公里桩 公里标", "number", "km")
SPEED = _f("speed", "sog 航速 速度 对地航速 船速 speed_over_ground spd kn 速率", "number", "speed")
HEADING = _f(
    "heading",
    "cog 航向 航迹向 方向 course 对地航向 bearing 方位角 heading_deg course_over_ground 船首向 true_heading hdg",
    "number",
    "angle",
)
NAME = _f(
    "name",
    "name_zh 名称 江段名 江段名称 区域名称 禁渔区名称 水域名称 保护区名称 地名 标题 title label 名字 zone_name mc 全称 区域名 保护区名 水域名 禁渔区名 qymc jyqmc bhqmc 江段",
)

FIELDS: dict[str, tuple[Field, ...]] = {
    "tracks": (
        UNIT, PATROL, MMSI, TIME, DATE, CLOCK, LON, LAT, PAIR, SPEED, HEADING, PLATFORM, DATUM,
        _f("role", "角色 用途", "vocabulary"), _f("source", "来源 定位方式 数据来源", "vocabulary"),
    ),
    "seizures": (
        _f("report_id", "编号 案号 案件编号 案件序号 id case_id case_no 报告编号 序列号 案件号 记录编号 case report 立案号 bh"),
        TIME, DATE, CLOCK, LON, LAT, PAIR, RIVER, KM, DATUM,
        _f("bank", "岸别 岸 左右岸 岸侧 side", "vocabulary"),
        _f("place", "地点 查获地点 案发地点 发现地点 位置 地址 详细地址 location address 发生地点 案发地 江段 水域位置"),
        _f("setting", "场所 场所类型 查获场所 环节 地点类型 发现场所", "vocabulary"),
        _f("origin", "线索来源 来源 发现方式 案件来源 查获方式 source 发现途径 案源", "vocabulary"),
        _f("gear", "渔具 作案工具 工具 渔具类型 捕捞工具 渔具名称 查获渔具 捕捞方式 作案方式 fishing_gear 禁用渔具 网具 网具类型"),
        _f("quantity", "数量 渔具数量 查获数量 件数 gear_count 渔具数", "number", "count"),
        _f("catch_kg", "渔获重量 渔获 渔获物 渔获量 渔获物重量 重量 catch weight 捕获量 渔获kg kg 渔获公斤 鱼获 鱼获物 鱼获重量 weight_kg", "number", "mass"),
        _f("value_cny", "价值 案值 涉案金额 金额 value 渔获价值 涉案价值", "number", "money"),
        _f("vessels", "船舶数 涉案船舶 船只数 查获船舶 涉渔船舶 船舶数量 船只 boats", "number", "count"),
        _f("suspects", "涉案人数 嫌疑人数 人数 抓获人数 涉案人员 嫌疑人 persons 当事人数", "number", "count"),
        _f("disposition", "处理结果 处置结果 处理方式 处置方式 处罚 处理 处置 处罚类型 案件性质 outcome 办理结果", "vocabulary"),
        PATROL, AGENCY,
    ),
    "zones": (
        _f("zone_id", "编号 id 禁渔区编号 区域编号 zone 代码 code 编码 保护区编号 bh"), NAME,
        _f("category", "类型 类别 分区 功能区 zone_type type 等级 分类 lx 区域类型 保护区类型 级别"),
        _f("rule", "规定 规则 禁止内容 管控要求 禁捕要求 rules 说明 管理规定 备注"),
        _f("season_from", "禁渔开始 禁渔期开始 季节开始 禁渔起始 season_start 禁捕期起 禁渔期起", "month_day"),
        _f("season_to", "禁渔结束 禁渔期结束 季节结束 禁渔截止 season_end 禁捕期止 禁渔期止", "month_day"),
        _f("season", "禁渔期 禁捕期 季节 禁渔时间 禁捕时间 禁捕时段 禁渔时段"),
        _f("valid_from", "生效日期 生效时间 有效期起 起始日期 开始日期 实施日期 effective_from start_date 启用日期", "time"),
        _f("valid_to", "失效日期 失效时间 有效期止 有效期至 截止日期 终止日期 结束日期 effective_to end_date 废止日期", "time"),
        _f("level_station", "水位站 水位站名 水位控制站 控制站 水位代表站 代表站 gauge gauge_station level_stat"),
        _f("level_from_m", "水位下限 水位下 起始水位 最低水位 水位高于 水位不低于 level_from level_min min_level", "number", "metre"),
        _f("level_to_m", "水位上限 水位上 终止水位 最高水位 水位低于 level_to level_max max_level", "number", "metre"),
        AGENCY, SHAPE, DATUM,
    ),
    "levels": (
        _f("station", "水位站 站名 测站 测站名称 水文站 站点 站点名称 水位站名 站码 测站编码 gauge station_name stnm stcd"),
        _f("level_m", "水位 水位值 实时水位 水位高程 level water_level stage waterlevel z", "number", "metre"),
        Field(TIME.name, (*TIME.words, "观测时间", "监测时间", "水位时间", "测报时间", "tm")),
        Field(DATE.name, (*DATE.words, "观测日期", "水位日期", "监测日期"), "time"), CLOCK, AGENCY,
    ),
    "patrols": (
        Field(PATROL.name, (*PATROL.words, "编号", "id")),
        _f("unit_id", "vessel_id unit vessel 船名 船舶名称 执法船 执法艇 艇名 巡护船 船号 终端编号 设备编号 unit_name 巡护队 队伍 班组"),
        _f("started_at", "开始时间 出航时间 起始时间 出发时间 巡护开始 start started start_time 开始 上岗时间 巡护开始时间", "time"),
        _f("ended_at", "结束时间 返航时间 截止时间 终止时间 巡护结束 end ended end_time 结束 下岗时间 返回时间 巡护结束时间", "time"),
        DATE, _f("hours", "时长 航时 巡护时长 duration 小时数 巡查时长", "number", "hours"), RIVER,
        _f("km_from", "起点里程 起始里程 开始里程 起点桩号 起点公里 from_km start_km 里程起 起始桩号 起点", "number", "km"),
        _f("km_to", "终点里程 结束里程 截止里程 终点桩号 终点公里 to_km end_km 里程止 终止桩号 终点", "number", "km"),
        _f("stretch", "里程区间 巡护里程 巡护区间 江段 桩号区间 km_range"),
        _f("persons", "人数 参加人数 巡护人数 出动人数 人员数量 执法人数 people crew 人次", "number", "count"), AGENCY,
    ),
    "units": (
        _f("unit_id", "vessel_id unit 终端编号 船名 编号 id 设备编号 device 单元编号 船号 vessel 设备号 终端号"), MMSI, NAME, PLATFORM,
        AGENCY, _f("base", "驻地 停靠地 基地 码头 停泊地 站点 home_port"),
        _f("capability", "能力 执法能力 装备 配备 capabilities skills 技能"), _f("crew", "人数 定员 船员 编制 船员人数 人员", "number"),
        _f("speed_kn", "航速 最高航速 最大航速 巡航航速 航速节 speed_knots max_speed", "number"), _f("duty", "值班 在岗 值班状态 在岗状态 on_duty"),
    ),
    "jurisdictions": (
        _f("adcode", "行政区划代码 区划代码 行政代码 代码 code 区划码 gb pac xzqdm 行政区代码 adcode99 国标码"),
        Field(NAME.name, (*NAME.words, "行政区名称", "行政区", "县名", "市名", "xzqmc", "辖区", "辖区名称", "区县", "地市")),
        _f("level", "级别 层级 行政级别 等级", "vocabulary"), _f("parent", "上级 上级代码 上级行政区 parent_code 父级代码"), SHAPE, DATUM,
    ),
    "river": (
        _f("line_id", "id 编号 河段编号"),
        Field("river", ("name_zh", "河流", "河流名称", "河名", "river_name", "name", "名称", "水系", "江河", "水道", "水域名称", "水域")),
        KM, _f("accuracy_m", "精度 accuracy 位置精度 定位精度 误差", "number", "metre"), _f("mouth", "河口 入河口 入海口"),
        _f("main_stem", "干流 是否干流 主干 主干流 mainstem main"), AGENCY, SHAPE, LON, LAT, PAIR, DATUM,
    ),
    "raster": (),
}  # fmt: skip
# columns of people: never read, and said so
PERSONAL = (
    "姓名",
    "身份证",
    "电话",
    "手机",
    "联系方式",
    "住址",
    "id_card",
    "phone",
    "嫌疑人姓名",
    "当事人姓名",
    "户籍",
)
# columns of reports with the names of those involved: kept sealed (store/persons.py), never in a table
NAMES = (
    "姓名",
    "当事人",
    "嫌疑人",
    "违法人",
    "违法行为人",
    "行为人",
    "涉案人",
    "捕捞人",
    "suspectname",
    "offender",
    "personname",
)
NOT_NAMES = ("身份证", "证件", "证号", "电话", "手机", "联系", "住址", "地址", "户籍", "性别", "年龄", "民族", "数", "单位", "执法", "办案", "承办",
             "填报", "填表", "录入", "审核", "报告人", "举报", "count", "phone", "id_card")  # fmt: skip
# a known word in such a header means something else
NOT_THESE = ("上传时间", "录入时间", "更新时间", "创建时间", "导入时间", "填报时间", "修改时间", "接收时间", "入库时间", "精度", "偏差", "误差",
             "updated", "created", "received", "shapearea", "shapeleng", "面积", "周长")  # fmt: skip
# of tracks: words too general to be recognised inside a longer header ("Ship type", "Type of position fixing device")
GENERAL = frozenset(
    ("type", "name", "code", "unit", "ship", "boat", "vessel", "device", "source", "track", "position", "shape")
)
