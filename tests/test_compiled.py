"""Loops compiled without counting who holds their arrays, and machine code that is run without numba's cache."""

from __future__ import annotations

import pickle
import re
import subprocess
import sys
from typing import Any

import numba
import numpy as np

from geo_monitor.compiled import bare, counting, made_for, ready
from geo_monitor.hotspots import sparse
from geo_monitor.joins import kernels as joins
from geo_monitor.river import kernels as river


@bare()
def first_over(values: np.ndarray, least: float) -> int:
    """With an early end, of which numba makes a count for every array."""
    if len(values) == 0:
        return -1
    for i in range(len(values)):
        if values[i] > least:
            return i
    return -1


@counting()
def ordered(values: np.ndarray, count: int) -> None:
    values[:count].sort()


@bare()
def lowest_two(values: np.ndarray) -> float:
    ordered(values, len(values))
    return values[0] + values[1]


def counts(function: Any) -> int:
    """How often its own code (not what hands arguments over) counts a holder."""
    (code,) = function.inspect_llvm().values()
    bodies = re.split(r"^(?=define )", code, flags=re.MULTILINE)
    own = [body for body in bodies if body.startswith("define") and "cpython" not in body.split("\n", 1)[0]]
    return sum(len(re.findall(r"call.*@NRT_incref", body)) for body in own)


def test_who_holds_an_array_is_not_counted() -> None:
    assert first_over(np.array([1.0, 3.0, 2.0]), 1.5) == 1 and first_over(np.empty(0), 0.0) == -1
    assert counts(first_over) == 0


def test_what_a_bare_function_calls_may_make_arrays() -> None:
    values = np.array([3.0, 1.0, 2.0])
    assert lowest_two(values) == 3.0 and values.tolist() == [1.0, 2.0, 3.0]


def test_the_loops_of_the_main_job_are_bare() -> None:
    for one in (river.channels, river.lakes, joins.inside, joins.within, joins.advance):
        assert one.targetoptions["_nrt"] is False


AGAIN = """
import pickle
import sys
import numpy as np
from geo_monitor import compiled
made_for, functions = pickle.load(sys.stdin.buffer)
assert made_for == compiled.made_for()
compiled.run(functions)
compiled.run(pickle.loads(pickle.dumps(functions)))
assert len(compiled._held) == 1  # an analysis after another takes nothing more
del functions
from geo_monitor.hotspots import sparse
print(sparse._postorder(np.array([2, 2, -1])).tolist(), sparse._postorder.signatures, "numba.np.arraymath" in sys.modules)
print(sparse._postorder(np.array([1, -1], dtype=np.int32)).tolist(), len(sparse._postorder.signatures))
"""


def test_machine_code_runs_in_another_process_without_what_numba_compiles_with() -> None:
    """Of a tree of three, two under the last, the order from the leaves: 0, 1, 2. Types it is not there for are compiled."""
    sparse._postorder.compile((numba.typeof(np.array([1, -1])),))  # a call may run what an analysis here took
    functions = [one for one in ready(sparse.__name__, "_postorder") if one.types[0].dtype.bitwidth == 64]
    assert len(functions) == 1 and functions[0].machine
    given = pickle.dumps((made_for(), functions))
    done = subprocess.run([sys.executable, "-c", AGAIN], input=given, capture_output=True)
    assert done.returncode == 0, done.stderr.decode()
    assert done.stdout.decode().split("\n")[:2] == ["[0, 1, 2] [] False", "[0, 1] 1"]
