"""The top of a concave function by Newton's method, each step halved until it climbs."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

STEPS = 100
END = 1e-10  # of a part: steps smaller than this end the search


def climbed(
    at: Floats, value: Callable[[Floats], float], step: Callable[[Floats], Floats], far: float = np.inf
) -> Floats:
    """Where `value` is highest, (d,), sought from `at`; `step` gives Newton's at a point. Ends early beyond `far`: of what has
    no top.

    >>> climbed(np.array([0.0]), lambda x: float(3 * x[0] - np.exp(x[0])), lambda x: 3 * np.exp(-x) - 1).round(9).tolist()
    [1.098612289]
    """
    for _ in range(STEPS):
        change, size, before = step(at), 1.0, value(at)
        while size > END and value(at + size * change) < before:  # concave: a step that does not climb is too long
            size /= 2
        at = at + size * change
        if np.abs(size * change).max(initial=0.0) < END or np.abs(at).max(initial=0.0) > far:
            break
    return at
