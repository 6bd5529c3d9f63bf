"""Sentences of the area `basemaps`: code -> (Chinese, English). Base maps of an agency's own."""

MESSAGES: dict[str, tuple[str, str]] = {
    # what is wrong with a file
    "basemap_not_one": (
        "“{file}”不是 GeoTIFF，也不是 PMTiles（第 3 版），未添加。",
        '"{file}" is neither a GeoTIFF nor PMTiles (version 3); it was not added.',
    ),
    "basemap_not_one.hint": (
        "压缩包请先解压；其他格式请先转换成 GeoTIFF。",
        "Unpack an archive first; make a GeoTIFF of other formats.",
    ),
    "basemap_unreadable": (
        "底图文件“{file}”无法读取：{detail}",
        'The base map file "{file}" can\'t be read: {detail}',
    ),
    "basemap_unreadable.hint": (
        "文件可能不完整或已损坏，请重新导出。",
        "It may be cut off or damaged: export it again.",
    ),
    "basemap_too_large": (
        "底图文件“{file}”过大（{width} × {height} 像素），未添加。",
        'The base map file "{file}" is too large ({width} x {height} pixels); it was not added.',
    ),
    "basemap_too_large.hint": (
        "请裁切到工作范围，并以 256 或 512 像素分块保存（GeoTIFF 选项 TILED=YES）。",
        "Clip it to the area of work and save it in blocks of 256 or 512 pixels (GeoTIFF option TILED=YES).",
    ),
    "basemap_no_crs": (
        "底图文件“{file}”没有坐标系，不知道应放在什么位置，未添加。",
        'The base map file "{file}" has no coordinate reference system: nobody knows where it lies. It was not added.',
    ),
    "basemap_no_crs.hint": (
        "请在 GIS 软件中定义坐标系（如 EPSG:4547）并重新导出 GeoTIFF。",
        "Give it one (such as EPSG:4547) in a GIS program and export the GeoTIFF again.",
    ),
    "basemap_elsewhere": (
        "底图文件“{file}”的坐标超出地图范围，可能标错了坐标系，未添加。",
        'The places of the base map file "{file}" lie off the map; its coordinate reference system may be wrong. '
        "It was not added.",
    ),
    "basemap_blank": (
        "底图文件“{file}”里没有可显示的内容，未添加。",
        'The base map file "{file}" holds nothing to show; it was not added.',
    ),
    "basemap_packing": (
        "底图文件“{file}”使用了不支持的压缩方式（支持：不压缩、gzip），未添加。",
        'The base map file "{file}" is compressed in a way not read here (none and gzip are); it was not added.',
    ),
    "basemap_packing.hint": ("请改用 gzip 重新生成 PMTiles。", "Make the PMTiles file again with gzip."),
    "basemap_too_much": (
        "矢量底图“{file}”在最低一级仍超过 {most} 个要素或 30 万个顶点，未添加。",
        'The vector base map "{file}" has over {most} features or 300,000 corners even at its lowest zoom; '
        "it was not added.",
    ),
    "basemap_too_much.hint": (
        "请裁切到工作范围，或只保留主要图层。",
        "Clip it to the area of work, or keep fewer layers.",
    ),
    "basemap_stopped": (
        "处理底图文件“{file}”时已强制停止：{why}，未添加。其他数据不受影响。",
        'Work on the base map file "{file}" was stopped: {why}. It was not added, and no other data are affected.',
    ),
    "basemap_stopped.hint": (
        "请裁切成较小的文件，或用 QGIS 另存为 GeoTIFF 后再试。",
        "Clip it to a smaller file, or save it anew as a GeoTIFF (in QGIS, say), and try again.",
    ),
    "basemap_parser_timeout": ("超过时间上限", "it went past the time limit"),
    "basemap_parser_memory": ("超过内存上限", "it went past the memory limit"),
    "basemap_parser_output": ("临时数据超过上限", "it wrote more than the limit"),
    "basemap_parser_crashed": (
        "处理进程意外终止，文件可能已损坏或经过恶意构造",
        "the process crashed; the file may be damaged or made to do harm",
    ),
    "basemap_parser_garbled": (
        "处理结果不合约定，文件可能经过恶意构造",
        "what came of it breaks the rules; the file may be made to do harm",
    ),
    # keeping them
    "basemap_there": ("已有名为“{name}”的底图。", 'There is a base map called "{name}" already.'),
    "basemap_there.hint": ("请另取名称，或先删除原有底图。", "Choose another name, or remove the old one first."),
    "basemap_too_many": ("底图已达上限（{most} 幅）。", "There are as many base maps as there may be ({most})."),
    "basemap_too_many.hint": ("请先删除不再使用的底图。", "Remove one that is no longer used."),
    "basemap_name_bad": (
        "底图名称应为 1 至 {most} 个字符。",
        "The name of a base map has 1 to {most} characters.",
    ),
    "basemap_unknown": ("没有名为“{name}”的底图。", 'There is no base map called "{name}".'),
    "basemap_unknown.hint": (
        "geo-monitor basemap list 可列出全部底图。",
        "geo-monitor basemap list names them.",
    ),
    "basemap_damaged": (
        "底图“{name}”的文件已损坏或缺失。",
        'The files of the base map "{name}" are damaged or missing.',
    ),
    "basemap_damaged.hint": (
        "现显示内置底图。请管理员删除后重新添加。",
        "The built-in base map is shown. An administrator can remove it and add it anew.",
    ),
    "basemap_kind_geotiff": ("影像（GeoTIFF）", "picture (GeoTIFF)"),
    "basemap_kind_tiles": ("影像（PMTiles）", "picture (PMTiles)"),
    "basemap_kind_shapes": ("矢量（PMTiles）", "lines and areas (PMTiles)"),
    # the command line
    "stage.basemap": ("转换底图", "Converting the base map"),
    "basemap_added": (
        "已添加底图“{name}”：{kind}。在页面左侧“选择底图”中可选用。",
        'The base map "{name}" was added: {kind}. It can be chosen on the left of the map.',
    ),
    "basemap_removed": ("已删除底图“{name}”。", 'The base map "{name}" was removed.'),
    "basemap_none": ("还没有自备底图。", "There are no base maps of your own yet."),
    "help.basemap": ("管理自备底图。", "Base maps of your own."),
    "help.basemap.add": (
        "添加底图：在服务器上转换 GeoTIFF 或 PMTiles（需要管理员权限）。",
        "Add a base map: converts a GeoTIFF or PMTiles file (role admin).",
    ),
    "help.basemap.list": ("列出底图。", "List base maps."),
    "help.basemap.remove": ("删除底图（需要管理员权限）。", "Remove a base map (role admin)."),
    "help.basemap.add.name": ("名称（默认用文件名）", "its name (default: that of the file)"),
    "help.basemap.add.file": ("GeoTIFF 或 PMTiles 文件", "GeoTIFF or PMTiles file"),
    "help.basemap.remove.name": ("底图名称", "name of the base map"),
    # the pages
    "app.base": ("选择底图", "Base map"),
    "app.base_none": ("内置底图", "built-in"),
    "app.base_missing": (
        "没有名为“{name}”的底图，现显示内置底图。",
        'There is no base map called "{name}"; the built-in one is shown.',
    ),
    "app.base_outside": (
        "所选底图不在当前范围内。",
        "The base map chosen does not reach into this area.",
    ),
    "app.admin_basemaps": ("底图", "Base map"),
    "app.admin_basemap_say": (
        "本单位自备的影像或矢量图，可在“态势”和“热点”页左侧选用，显示在河流、界线、地名和执法数据之下。默认不显示。"
        "文件在服务器上转换，只保留转换结果和原文件的校验值；所有能查看地图的账号都能看到。",
        "Pictures or vector maps of your own, chosen on the left of Situation and Hotspots. They lie below rivers, "
        "borders, names and police data, and are off unless chosen. Files are converted on the server; what is kept is "
        "the result and the hash of the original. Everybody who may see the maps sees them.",
    ),
    "app.admin_basemap_list": ("已有底图", "Base maps held"),
    "app.admin_basemap_add": ("添加底图", "Add a base map"),
    "app.admin_basemap_file": ("GeoTIFF 或 PMTiles 文件", "GeoTIFF or PMTiles file"),
    "app.admin_basemap_big": (
        "大文件（如航测影像）请在服务器上运行：geo-monitor basemap add 文件 --name 名称",
        "For large files (aerial pictures) run on the server: geo-monitor basemap add FILE --name NAME",
    ),
    "app.admin_basemap_name": ("名称（默认用文件名）", "Name (default: that of the file)"),
    "app.admin_basemap_no_file": ("请先选择文件。", "Choose a file first."),
    "app.admin_basemap_working": ("正在转换…", "Converting …"),
    "app.admin_basemap_kind": ("类型", "Kind"),
    "app.admin_basemap_bounds": ("范围（经纬度）", "Extent (degrees)"),
    "app.admin_basemap_of": ("原文件", "Original"),
    "app.admin_basemap_who": ("添加人", "Added by"),
    "app.admin_basemap_at": ("添加时间", "Added"),
    "app.admin_basemap_pick": ("要删除的底图", "Base map to remove"),
    "app.admin_basemap_sure": ("确认删除，之后无法恢复", "Remove it; this can't be undone"),
    "app.admin_basemap_remove": ("删除底图", "Remove base map"),
    "app.admin_basemap_added": ("已添加底图“{name}”。", 'The base map "{name}" was added.'),
    "app.admin_basemap_removed": ("已删除底图“{name}”。", 'The base map "{name}" was removed.'),
    "app.admin_act_basemap_add": ("添加底图", "base map added"),
    "app.admin_act_basemap_remove": ("删除底图", "base map removed"),
    "app.admin_folder_basemaps": ("自备底图", "base maps of your own"),
}
