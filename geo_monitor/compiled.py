"""How loops over arrays are compiled where `numba.njit` alone would be slow.

numba counts who holds an array. Where a function has early ends, or hands arrays on within a loop, it counts anew on every
call and turn, in memory that all processors share: two thirds of the time that finding the nearest reach took. Code that
makes no array has nothing to count.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numba

_njit: Any = numba.njit  # whose declared options leave out `_nrt`


def bare(**options: Any) -> Callable[[Any], Any]:
    """`numba.njit` for functions that make no arrays: nothing is counted, what they are handed somebody else holds."""
    return _njit(cache=True, nogil=True, _nrt=False, **options)


def counting(**options: Any) -> Callable[[Any], Any]:
    """`numba.njit` for functions that make arrays but are called by `bare` ones, which would make them bare too."""
    return _njit(cache=True, nogil=True, _nrt=True, **options)
