"""The river of a run, with the index that fixes are located by and the links between reaches: built once, then kept beside
what blocks gave.

The key is a hash of everything it is built from: lines, lakes, marks, localities, masks, settings, and the programs that
build it. The shipped river is the same in every workspace and is kept where compiled code is, once an installation.
"""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from geo_monitor import __version__
from geo_monitor.engine.kept import Kept, digest
from geo_monitor.errors import Refused

if TYPE_CHECKING:
    import geopandas as gpd

    from geo_monitor.inputs import Drawing
    from geo_monitor.river import Network
    from geo_monitor.river.mask import Mask
    from geo_monitor.settings import Settings


Place = tuple[Path, str, str]
DIGEST = "digest"  # of the river, kept with it: to work it out takes a while
LINKS = ("links.a", "links.b", "links.metres")  # reaches that touch, kept with the index ...
WATER = "water."  # ... and so are the parts of the graph of its ways


def network(drawing: Drawing, settings: Settings, root: Path) -> Network:
    """The network that drains, of what was sent or of the shipped river, kept below `root`."""
    from geo_monitor.river.grid import Grid
    from geo_monitor.river.paths import WaterGraph

    home, name, key = place = _place(drawing, settings, root)
    found, indices = _built(drawing, settings, root, place), Kept(home, "grid")
    index = indices.get(name, key)
    if index is None:
        links = dict(zip(LINKS, found.pairs, strict=True))
        water = {WATER + part: array for part, array in found.water.arrays().items()}
        indices.put(name, key, found.grid.arrays() | links | water)
    else:
        a, b, metres = (index.pop(link) for link in LINKS)
        found.pairs = a, b, metres
        found.water = WaterGraph(found, {part: index.pop(WATER + part) for part in WaterGraph.PARTS})
        found.grid = Grid.from_arrays(index)
    return found


def _built(drawing: Drawing, settings: Settings, root: Path, place: Place) -> Network:
    """The same, kept at `place`, not ready to be located on."""
    from geo_monitor import river
    from geo_monitor.river import saved

    home, name, key = place
    built = Kept(home, "river")
    arrays = built.get(name, key)
    if arrays is not None:
        found = saved.from_arrays(arrays, settings)
        found.digest = str(arrays[DIGEST][0])
        return found
    if drawing.masks:  # they measure the widths of a river that is there mostly
        bare = replace(drawing, masks=[])
        found = _built(bare, settings, root, _place(bare, settings, root))
        for mask in drawing.masks:
            found = _measured(found, mask, settings)
    else:
        found = river.build(
            drawing.lines,
            drawing.lakes,
            drawing.marks,
            drawing.jurisdictions,
            reach_length_m=settings.reach_length_m,
            settings=settings,
        )
    built.put(name, key, {DIGEST: np.array([found.digest], dtype=object), **saved.to_arrays(found)})
    return found


def _measured(network: Network, mask: Mask, settings: Settings) -> Network:
    """`network` with the widths that a mask tells. Raises `Refused("raster_broken")` where it is not what was sent any more."""
    from rasterio.errors import RasterioError

    from geo_monitor import river
    from geo_monitor.ingest.files import geotiff

    try:
        with geotiff(mask.path, settings) as path:
            return river.with_mask(network, path, mask.crs)
    except (RasterioError, OSError) as error:
        detail = getattr(error, "strerror", None) or str(error)
        raise Refused("raster_broken", file=mask.name, detail=detail[:80]) from error


def _place(drawing: Drawing, settings: Settings, root: Path) -> Place:
    """Where the river is kept (below the workspace `root` what was sent to it; the shipped one beside compiled code, if that
    can be written), as what, and its key."""
    from geo_monitor.engine import warm

    home = root if drawing.own else warm.shelf() or root
    return home, "masked" if drawing.masks else "river", _key(drawing, settings)


def _key(drawing: Drawing, settings: Settings) -> str:
    """A hash of all a river depends on; a mask is stored under the hash of its content."""
    from importlib.metadata import version

    import shapely

    from geo_monitor import river

    programs = [*sorted(Path(river.__file__).parent.glob("*.py")), Path(__file__)]  # the last says how it is kept
    code = hashlib.sha256(b"".join(path.read_bytes() for path in programs))
    made_by = [
        code.hexdigest(),
        __version__,
        shapely.geos_version_string,
        *(version(name) for name in ("shapely", "h3", "numpy", "rasterio")),
    ]
    frames = [_told(frame) for _, frame in sorted(drawing.sent.items())]
    files = [hashlib.sha256(path.read_bytes()).hexdigest() for path in drawing.used]
    masks = [f"{mask.path.name} {mask.crs or ''}" for mask in drawing.masks]
    return digest(made_by, vars(settings), *(part for frame in frames for part in frame), files, masks)


def _told(frame: gpd.GeoDataFrame) -> list[Any]:
    """What a frame holds, for `digest`."""
    import shapely

    told: list[Any] = [len(frame)]
    for name in frame.columns if len(frame) else ():
        if frame[name].dtype == "geometry":
            written = b"".join(shapely.to_wkb(frame[name].to_numpy()).tolist())
            told += [name, np.frombuffer(written, np.uint8)]
        else:
            told += [name, frame[name].astype(object).tolist()]
    return told
