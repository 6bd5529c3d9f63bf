"""The process that parses one upload, started by `limited`: `python -I child.py`.

Reads from standard input one line of JSON with what to do, and the answers to what it asks; writes to standard output
lines of JSON: what protects it, what it asks of the store, how it ended. Frames pass as Arrow files in its scratch
folder. Whatever libraries print goes to standard error.
"""

from __future__ import annotations

import errno
import faulthandler
import mimetypes
import os
import sys
import tempfile
import traceback
from importlib import import_module
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

if TYPE_CHECKING:
    from geo_monitor.ingest.receipt import Upload
    from geo_monitor.settings import Settings

HEAVY = ("numpy", "pyarrow", "pandas", "shapely", "geo_monitor.ingest.door")


class Asking:
    """`ingest.Held` as seen from here: every question goes to the parent."""

    def __init__(self, out: IO[bytes], answers: IO[bytes], scratch: Path) -> None:
        self._out, self._answers, self._scratch = out, answers, scratch

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)

        def ask(*args: Any, **named: Any) -> Any:
            from geo_monitor.ingest import handover

            plain = [
                value if isinstance(value, str) or not hasattr(value, "__iter__") else list(value) for value in args
            ]
            tell(self._out, {"ask": name, "args": plain, "named": named})
            answer = handover.loads(self._answers.readline())
            if "frame" not in answer:
                return answer["value"]
            path = self._scratch / answer["frame"]
            frame = handover.read_frame(path, answer["crs"])
            path.unlink()
            return frame

        return ask


def tell(out: IO[bytes], what: dict[str, Any]) -> None:
    from geo_monitor.ingest import handover

    out.write(handover.dumps(what))
    out.flush()


def main() -> None:
    """Everything from the first line read to the last line told. Never raises."""
    out, answers = os.fdopen(os.dup(1), "wb"), os.fdopen(os.dup(0), "rb")
    os.dup2(2, 1)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    faulthandler.enable()
    try:
        from geo_monitor.ingest import handover, sandbox

        job = handover.loads(answers.readline())
        sys.path += [path for path in job["path"] if path not in sys.path]
        mimetypes.init()  # openpyxl asks for these; once inside, the system's own list (/etc) can't be read
        held = sandbox.enter(job["limits"], job["readable"], job["writable"])
        tell(out, {"protections": held})
        scratch = Path(job["scratch"])
        tempfile.tempdir = job["scratch"]  # left to look for itself, it takes a full disk for no folder at all
        for module in HEAVY:  # while the parent still counts the bytes of the upload
            import_module(module)
        job = handover.loads(answers.readline())
        if "receipt" in job:
            upload = _parse(job, Asking(out, answers, scratch), scratch)
            handover.write_upload(upload, scratch)
            tell(out, {"done": True})
        elif "base_map" in job:
            from geo_monitor.basemaps import convert

            tell(out, {"made": convert.convert(Path(job["base_map"]), scratch, _settings(job))})
        else:
            tell(out, {"drivers": _drivers()})
    except BaseException as error:  # noqa: BLE001  the parent raises it
        tell(out, _ending(error))
    out.flush()
    os._exit(0)  # nothing is left to tidy: the parent removes the scratch folder


def _parse(job: dict[str, Any], held: Any, scratch: Path) -> Upload:
    from geo_monitor.ingest import Options, Receipt, door

    receipt, path = Receipt(**job["receipt"]), Path(job["file"])
    options = Options(**job["options"])
    return door.fill(receipt, path, options, held, _settings(job), receipt.received_at, scratch)


def _settings(job: dict[str, Any]) -> Settings:
    from geo_monitor.settings import Settings

    told: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value for name, value in job["settings"].items()
    }
    return Settings(**told)


def _drivers() -> list[str]:
    import pyogrio

    return sorted(pyogrio.list_drivers())


def _ending(error: BaseException) -> dict[str, Any]:
    """How to tell the parent of an exception: as an error of ours with its code, a limit, or a fault."""
    from geo_monitor.errors import GeoMonitorError

    if isinstance(error, GeoMonitorError):
        rows = getattr(error, "rows", [])
        return {"error": type(error).__name__, "code": error.code, "params": error.params, "rows": rows}
    trace = "".join(traceback.format_exception(error))
    if isinstance(error, MemoryError):
        return {"failed": "parser_memory", "trace": trace}
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC)):
        return {"failed": "scratch_full", "trace": trace}
    if isinstance(error, OSError) and error.errno == errno.EFBIG:
        return {"failed": "parser_output", "trace": trace}
    return {"fault": trace}


if __name__ == "__main__":
    root = str(Path(__file__).resolve().parents[2])
    if root not in sys.path:
        sys.path.insert(0, root)
    sys.modules["geo_monitor.ingest.child"] = sys.modules["__main__"]
    main()
