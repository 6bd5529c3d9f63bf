"""A network as named arrays, and back: a river that nothing was sent for need not be built again.

What comes back is equal to the last bit: numbers go as they are, shapes as WKB, names and notes as JSON.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import fields
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely

from geo_monitor.river.lakes import Cells
from geo_monitor.river.network import Axis, Network
from geo_monitor.river.stems import Stem

if TYPE_CHECKING:
    from geo_monitor.settings import Settings

LONG = ("lonlat", "along", "km", "accuracy")  # of a stem: arrays; the rest of it is words and places
NUMBERS = ("low", "high", "accuracy_m", "half_width_m")
CELLS = ("lake", "lon", "lat", "area_m2", "accuracy_m", "pairs")


def to_arrays(network: Network) -> dict[str, np.ndarray]:
    """Named arrays of numbers and texts that hold all of a network but its settings."""
    arrays = {name: getattr(network, name) for name in NUMBERS}
    arrays |= {f"axis.{part.name}": getattr(network.axis, part.name) for part in fields(Axis)}
    arrays |= {f"cells.{name}": getattr(network.cells, name) for name in CELLS}
    for name in LONG:
        values = [getattr(stem, name) for stem in network.stems]
        arrays[f"stems.{name}"] = np.concatenate(values)
        arrays[f"stems.{name}.count"] = np.array([len(one) for one in values], np.int64)
    frame = network.reaches.drop(columns="geometry")
    kinds = {name: str(frame[name].dtype) for name in frame.columns}
    for name in frame.columns:
        texts = frame[name].dtype.kind == "O"
        arrays[f"reaches.{name}"] = np.array(_texts(frame[name]), object) if texts else frame[name].to_numpy()
    for name, shapes in (("reaches", network.reaches.geometry.to_numpy()), ("cells", network.cells.shape)):
        written = shapely.to_wkb(shapes).tolist()
        arrays[f"{name}.wkb"] = np.frombuffer(b"".join(written), np.uint8)
        arrays[f"{name}.wkb.count"] = np.array([len(one) for one in written], np.int64)
    words = {
        "kinds": kinds,
        "crs": network.reaches.crs.to_string(),
        "cell": network.cells.cell,
        "river": network.cells.river,
        "holes": network.holes,
        "notes": network.notes,
        "stems": [
            {part.name: getattr(stem, part.name) for part in fields(Stem) if part.name not in LONG}
            for stem in network.stems
        ],
    }
    arrays["words"] = np.array([json.dumps(words, ensure_ascii=False, default=_plain)], object)
    return arrays


def from_arrays(arrays: Mapping[str, np.ndarray], settings: Settings) -> Network:
    """The inverse of `to_arrays`; `settings` are those it was built with."""
    import geopandas as gpd
    import pandas as pd

    words = json.loads(arrays["words"][0])
    long = {name: np.split(arrays[f"stems.{name}"], np.cumsum(arrays[f"stems.{name}.count"])[:-1]) for name in LONG}
    stems = [
        Stem(
            **{name: long[name][number] for name in LONG},
            sections=[tuple(section) for section in told["sections"]],
            foot=_pair(told["foot"]),
            head=_pair(told["head"]),
            side=told["side"],
            main=told["main"],
            nodes=[tuple(node) for node in told["nodes"]],
        )
        for number, told in enumerate(words["stems"])
    ]
    columns = {name: pd.Series(arrays[f"reaches.{name}"], dtype=kind) for name, kind in words["kinds"].items()}
    shapes = {
        name: shapely.from_wkb(_cut(arrays[f"{name}.wkb"], arrays[f"{name}.wkb.count"]))
        for name in ("reaches", "cells")
    }
    reaches = gpd.GeoDataFrame(pd.DataFrame(columns), geometry=shapes["reaches"], crs=words["crs"])
    cells = Cells(
        cell=words["cell"],
        river=words["river"],
        shape=shapes["cells"],
        **{name: arrays[f"cells.{name}"] for name in CELLS},
    )
    return Network(
        reaches=reaches,
        stems=stems,
        axis=Axis(**{part.name: arrays[f"axis.{part.name}"] for part in fields(Axis)}),
        cells=cells,
        **{name: arrays[name] for name in NUMBERS},
        holes=[[(low, high, lake) for low, high, lake in one] for one in words["holes"]],
        settings=settings,
        notes=words["notes"],
    )


def _texts(column: Any) -> list[str | None]:
    return [value if isinstance(value, str) else None for value in column]


def _cut(joined: np.ndarray, count: np.ndarray) -> np.ndarray:
    """The shapes' WKB, (n,) bytes."""
    whole, end = joined.tobytes(), np.cumsum(count)
    cut = np.empty(len(count), dtype=object)
    cut[:] = [whole[a:b] for a, b in zip((end - count).tolist(), end.tolist(), strict=True)]
    return cut


def _pair(told: list[Any] | None) -> tuple[int, float] | None:
    return None if told is None else (told[0], told[1])


def _plain(value: Any) -> Any:
    """A number of numpy as Python's own."""
    if isinstance(value, np.generic):
        return value.item()
    raise TypeError(f"{type(value).__name__} in what a river tells about itself")
