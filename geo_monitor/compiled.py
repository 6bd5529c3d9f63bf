"""How loops over arrays are compiled where `numba.njit` alone would be slow, and how machine code comes back.

numba counts who holds an array. Where a function has early ends, or hands arrays on within a loop, it counts anew on every
call and turn, in memory that all processors share: two thirds of the time that finding the nearest reach took. Code that
makes no array has nothing to count.

Before it takes machine code from its cache, numba makes itself ready to compile, and then reads each function's
intermediate code along with it: half a second on every start. What is only to be run needs neither.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import numba

_njit: Any = numba.njit  # whose declared options leave out `_nrt`


def bare(**options: Any) -> Callable[[Any], Any]:
    """`numba.njit` for functions that make no arrays: nothing is counted, what they are handed somebody else holds."""
    return _njit(cache=True, nogil=True, _nrt=False, **options)


def counting(**options: Any) -> Callable[[Any], Any]:
    """`numba.njit` for functions that make arrays but are called by `bare` ones, which would make them bare too."""
    return _njit(cache=True, nogil=True, _nrt=True, **options)


@dataclass(frozen=True)
class Ready:
    """A compiled function as it is run: `name` in `module`, the types it is compiled for, its machine code, the symbol there
    that Python calls, and where the code finds its constants (`own`, of this function, among them)."""

    module: str
    name: str
    types: tuple[Any, ...]
    machine: bytes
    symbol: str
    own: Any
    constants: tuple[Any, ...]


def made_for() -> tuple[Any, ...]:
    """What machine code is tied to: it is run nowhere else."""
    return numba.__version__, sys.implementation.cache_tag, *_context().codegen().magic_tuple()


def ready(module: str, name: str) -> list[Ready]:
    """Of the function `name` of `module`, every type it has been called with whose machine code numba keeps on disk."""
    dispatcher, codegen = getattr(import_module(module), name), _context().codegen()
    files, found = dispatcher._cache, []
    for types in dispatcher.signatures:
        kept = files._cache_file.load(files._index_key(types, codegen))
        if kept is not None:
            (_, _, (machine, _)), description, own, _, _, _, _, _, constants = kept
            symbol = description.llvm_cpython_wrapper_name
            # functions without constants ask for none; numba's own would bring what they were compiled with
            constants = tuple(each for each in constants if each.consts)
            found.append(Ready(module, name, types, machine, symbol, own, constants))
    return found


def run(functions: Iterable[Ready]) -> None:
    """From now on, calls with these types run this machine code, `made_for` this process: made for another it would do
    anything. What is run already is left as it is."""
    from llvmlite.binding import ObjectFileRef
    from numba import _dynfunc  # type: ignore[attr-defined]
    from numba.core.compiler_lock import global_compiler_lock
    from numba.core.runtime import rtsys

    context = _context()
    with global_compiler_lock:  # another thread may call a function for the first time: numba then loads it by itself
        functions = [one for one in functions if _key(one) not in _held]
        rtsys.initialize(context)
        codegen = context.codegen()
        engine = codegen._engine._ee
        for one in functions:
            engine.add_object_file(ObjectFileRef.from_data(one.machine))
        engine.finalize_object()
        for one in functions:
            module = import_module(one.module)
            address = engine.get_function_address(one.symbol)
            called = _dynfunc.make_function(module, one.name, "", address, one.own, (engine,))
            for each in (one.own, *one.constants):
                codegen.set_env(each.env_name, each)
            getattr(module, one.name)._insert([kind._code for kind in one.types], called, objectmode=False)
            _held[_key(one)] = called, one


# machine code and dispatchers refer to these, and numba does not hold them; nor types, by number
_held: dict[tuple[Any, ...], tuple[Any, Ready]] = {}


def _key(one: Ready) -> tuple[Any, ...]:
    return one.module, one.name, one.types


def _context() -> Any:
    from numba.core.registry import cpu_target

    return cpu_target.target_context
