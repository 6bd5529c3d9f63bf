"""The river of a run, with the index that fixes are located by: built once, then kept beside what blocks gave.

The key is a hash of everything it is built from: lines, lakes, marks, localities, masks, settings, and the programs that
build it.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from geo_monitor import __version__
from geo_monitor.engine.kept import Kept, digest

if TYPE_CHECKING:
    import geopandas as gpd

    from geo_monitor.inputs import Inputs
    from geo_monitor.river import Network
    from geo_monitor.settings import Settings

VERSION = 2  # to be raised whenever the rules by which a river is built change


def network(inputs: Inputs, settings: Settings, root: Path) -> Network:
    """The network that drains, of what was sent or of the shipped river, kept below `root`."""
    from geo_monitor import river
    from geo_monitor.river import saved
    from geo_monitor.river.grid import Grid

    built, indices = Kept(root, "river"), Kept(root, "grid")
    key = _key(inputs, settings)
    arrays = built.get("river", key)
    if arrays is not None:
        found = saved.from_arrays(arrays, settings)
    else:
        found = river.build(
            inputs.lines,
            inputs.lakes,
            inputs.marks,
            inputs.jurisdictions,
            reach_length_m=settings.reach_length_m,
            settings=settings,
        )
        for mask in inputs.masks:
            found = river.with_mask(found, mask)
        built.put("river", key, saved.to_arrays(found))
    index = indices.get("river", found.digest)
    if index is None:
        indices.put("river", found.digest, found.grid.arrays())
    else:
        found.grid = Grid.from_arrays(index)
    return found


def _key(inputs: Inputs, settings: Settings) -> str:
    """A hash of all a river depends on; a mask is stored under the hash of its content."""
    from importlib.metadata import version

    import shapely

    made_by = [
        VERSION,
        __version__,
        shapely.geos_version_string,
        *(version(name) for name in ("shapely", "h3", "numpy", "rasterio")),
    ]
    frames = [_told(frame) for _, frame in sorted(inputs.sent.items())]
    files = [hashlib.sha256(path.read_bytes()).hexdigest() for path in inputs.used]
    masks = [mask.name for mask in inputs.masks]
    return digest(made_by, vars(settings), *(part for frame in frames for part in frame), files, masks)


def _told(frame: gpd.GeoDataFrame) -> list[Any]:
    """What a frame holds, for `digest`."""
    import shapely

    told: list[Any] = [len(frame)]
    for name in frame.columns:
        if frame[name].dtype == "geometry":
            written = b"".join(shapely.to_wkb(frame[name].to_numpy()).tolist())
            told += [name, np.frombuffer(written, np.uint8)]
        else:
            told += [name, frame[name].astype(object).tolist()]
    return told
