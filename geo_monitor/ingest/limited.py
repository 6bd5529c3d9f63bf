"""Parsing in a process of its own: whatever a file does to it is a receipt, never an outage.

    upload = read("zones", Path("zones.gpkg"), Options(), held, Settings(), now)

The process may use so much time, memory and disk (`Limits`), has no network and can open nothing but the upload, the
installation and its scratch folder, as far as the system allows that (`protections`). What it hands back is data, and
checked (`handover`). The store is asked on its behalf, through `Held` and nothing else.
"""

from __future__ import annotations

import hashlib
import inspect
import logging
import os
import queue
import signal
import subprocess
import sys
import sysconfig
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from importlib import import_module
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from geo_monitor import errors
from geo_monitor.errors import Refused
from geo_monitor.ingest import handover
from geo_monitor.ingest.drivers import SKIPPED
from geo_monitor.ingest.handover import Garbled
from geo_monitor.ingest.receipt import Held, Message, Options, Receipt, Upload

if TYPE_CHECKING:
    import psutil

    from geo_monitor.settings import Settings

log = logging.getLogger("geo_monitor")
SCRATCH = ".tmp-parse-"  # name of scratch folders, followed by the process that made them
POLL_S = 0.02
LAST_S = 10.0  # seconds until the last line of a parser that ended is read, on a machine that has much else to do
OPEN_FILES = 256
ASKED = frozenset(name for name in vars(Held) if not name.startswith("_"))
CHILD = Path(__file__).with_name("child.py")
CODES = ("parser_timeout", "parser_memory", "parser_output", "parser_crashed", "parser_garbled")

# GDAL keeps to the drivers we hand files to, and looks at no address and no neighbouring file
_LIBRARIES = {
    "GDAL_DISABLE_READDIR_ON_OPEN": "EMPTY_DIR",
    "GDAL_PAM_ENABLED": "NO",
    "GDAL_HTTP_MAX_RETRY": "0",
    "CPL_VSIL_CURL_ALLOWED_EXTENSIONS": ".none",
    "GDAL_VRT_ENABLE_PYTHON": "NO",
    "GDAL_VRT_ENABLE_RAWRASTERBAND": "NO",
    "GDAL_DRIVER_PATH": "disable",
    "OGR_GEOJSON_MAX_OBJ_SIZE": "200",
    "PROJ_NETWORK": "OFF",
    "OPENBLAS_NUM_THREADS": "1",
    "OMP_NUM_THREADS": "1",
}
_INHERITED = ("SYSTEMROOT", "SystemRoot", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH")
_SYSTEM = ("/lib", "/lib64", "/usr/lib", "/usr/lib64", "/usr/local/lib", "/etc/ld.so.cache", "/etc/localtime",
           "/usr/share/zoneinfo", "/proc/cpuinfo", "/proc/meminfo", "/proc/self", "/sys/devices/system/cpu",
           "/sys/fs/cgroup", "/dev/urandom", "/dev/zero")  # fmt: skip


class ParserFault(RuntimeError):
    """A fault of ours inside the parser; its text is the traceback from there."""


@dataclass(frozen=True)
class Limits:
    """What one parser may use: wall seconds, megabytes of memory, megabytes on disk."""

    seconds: float
    memory_mb: float
    output_mb: float


def limits(size_mb: float, settings: Settings, machine_mb: float) -> Limits:
    """The limits for an upload of `size_mb` megabytes (unpacked) on a machine with `machine_mb` of memory.

    Small files have the settings as they stand; larger ones as many times more as they are larger. By hand, with the
    defaults: 700 MB may take 7 x 60 s and 1,024 + 8 x 700 = 6,624 MB.

    >>> from geo_monitor.settings import Settings
    >>> limits(1, Settings(), 16_000), limits(700, Settings(), 16_000), limits(5_000, Settings(), 16_000).memory_mb
    (Limits(seconds=60.0, memory_mb=1032.0, output_mb=4004.0), Limits(seconds=420.0, memory_mb=6624.0, output_mb=6800.0), 12000.0)
    """
    memory = settings.upload_memory_mb + settings.upload_memory_factor * size_mb
    return Limits(
        settings.upload_seconds * max(1.0, size_mb / 100),
        min(memory, settings.upload_memory_share * machine_mb),
        settings.upload_output_mb + settings.upload_output_factor * size_mb,
    )


@contextmanager
def reading(
    kind: str,
    path: Path,
    options: Options,
    held: Held,
    settings: Settings,
    now: datetime,
    folder: Path | None = None,
) -> Iterator[Upload]:
    """As `ingest.read`, from a process of its own; fixes stay in the files they are in (`Upload.fixes`) until the block
    ends. `path` is one file. Scratch files lie in `folder` meanwhile.

    A limit reached or a crash is an `Upload` with a refused receipt (`CODES`). Raises what `ingest.read` raises,
    `Refused("scratch_full")` where the disk is full, and `ParserFault` where our own code failed.
    """
    path = path.absolute()
    with scratch(folder) as place, _Parser(path, place, settings) as parser:
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        blank = Receipt.blank(kind, path.name, digest, options.agency, now)
        parser.send(
            {
                "receipt": {field: getattr(blank, field) for field in ("receipt_id", "kind", "file", "sha256",
                            "received_at", "status", "agency", "rows", "encoding", "crs")},
                "file": str(path), "options": asdict(options), "settings": asdict(settings),
            }
        )  # fmt: skip
        try:
            ended = parser.run(held)
            if "done" in ended:
                parser.kill()
                upload = handover.read_upload(blank, place)
            elif "failed" not in ended:
                raise _error(ended)
        except Garbled as error:
            log.warning("parser of %s: %s", path.name, error)
            ended = {"failed": "parser_garbled"}
        if "failed" in ended:
            upload = Upload(replace(blank, errors=(_told(ended, path, parser),)))
        yield upload


@contextmanager
def base_map(path: Path, settings: Settings, folder: Path | None = None) -> Iterator[tuple[Any, Path]]:
    """What `basemaps.convert` makes of a file, in a process of its own: what it tells, and the folder with what it made,
    which is gone when the block ends. Nothing of it has been checked (`basemaps.convert.accepted`).

    Raises what `convert` raises, `Refused("basemap_stopped")` at a limit or crash, `Refused("scratch_full")`,
    `ParserFault`.
    """
    path = path.absolute()
    with scratch(folder) as place, _Parser(path, place, settings) as parser:
        parser.send({"base_map": str(path), "settings": asdict(settings)})
        try:
            ended = parser.run(None)
        except Garbled as error:
            log.warning("parser of %s: %s", path.name, error)
            ended = {"failed": "parser_garbled"}
        if "made" in ended:
            parser.kill()
            yield ended["made"], place
            return
        if "failed" not in ended:
            raise _error(ended)
        why = _told(ended, path, parser).code  # a full disk and a fault of ours are raised there
        raise Refused("basemap_stopped", file=path.name, why=f"@basemap_{why}")


def protections() -> tuple[list[str], list[str]]:
    """What protects parsers on this machine (of `sandbox.PROTECTIONS`), and the GDAL drivers left to them."""
    from geo_monitor.settings import Settings

    with scratch(None) as place, _Parser(place, place, Settings()) as parser:
        parser.send({})
        ended = parser.run(None)
        if "drivers" not in ended:
            raise _error(ended) if "failed" not in ended else ParserFault(str(ended))
        return parser.held_by, ended["drivers"]


@contextmanager
def scratch(folder: Path | None) -> Iterator[Path]:
    """A fresh folder in `folder` (None: that for temporary files), gone afterwards whatever happens.

    What a process that was killed left there is removed first.
    """
    folder = Path(tempfile.gettempdir()) if folder is None else folder
    clear(folder)
    place = Path(tempfile.mkdtemp(prefix=f"{SCRATCH}{os.getpid()}-", dir=folder)).resolve()
    try:
        yield place
    finally:
        _remove(place)


def clear(folder: Path) -> None:
    """Removes scratch folders in `folder` whose makers are gone."""
    for left in folder.glob(f"{SCRATCH}*"):
        import psutil

        maker = left.name.removeprefix(SCRATCH).split("-")[0]
        if maker.isdigit() and not psutil.pid_exists(int(maker)):
            _remove(left)


def _remove(place: Path) -> None:
    """The parser may have taken rights off its own folders."""
    import shutil

    def again(function: Any, path: str, _: Any) -> None:
        with suppress(OSError):
            os.chmod(Path(path).parent, 0o700)
            os.chmod(path, 0o700)
            function(path)

    shutil.rmtree(place, onerror=again)


class _Parser:
    """The process: started at once, so that it loads what it needs while we count the bytes of the upload."""

    def __init__(self, path: Path, place: Path, settings: Settings) -> None:
        import psutil

        self.place, self.settings, self.held_by = place, settings, list[str]()
        self.size_mb = path.stat().st_size / 1e6 if path.is_file() else 0.0
        self.machine_mb = psutil.virtual_memory().total / 1e6
        self.limits = limits(self.size_mb, settings, self.machine_mb)
        most = limits(self.size_mb + self.limits.output_mb, settings, self.machine_mb)
        self.errors = (place / "stderr.txt").open("wb")
        self.process = subprocess.Popen(
            [sys.executable, "-I", "-X", "utf8", "-B", str(CHILD)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.errors, cwd=place, env=_environment(place),
            start_new_session=True,
        )  # fmt: skip
        self.watched: psutil.Process = psutil.Process(self.process.pid)
        self.lines: queue.Queue[bytes] = queue.Queue(maxsize=4)
        threading.Thread(target=self._listen, args=(self.process.stdout,), daemon=True).start()
        threading.Thread(target=import_module, args=("pandas",), daemon=True).start()  # needed next, and slow to load
        self.started = time.monotonic()
        self.looked = 0.0
        libraries = _libraries()
        self.send(
            {
                "path": libraries, "scratch": str(place), "writable": [str(place), os.devnull],
                "readable": [*_SYSTEM, *_installation(), *libraries, str(path)],
                "limits": {"cpu_s": int(2 * most.seconds) + 10, "address_b": int(2e6 * most.memory_mb) + (4 << 30),
                           "file_b": int(self.limits.output_mb * 1e6), "files": OPEN_FILES},
            }
        )  # fmt: skip

    def __enter__(self) -> _Parser:
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()
        self.errors.close()
        with suppress(OSError):  # a pipe that nobody reads any more
            if self.process.stdin is not None:
                self.process.stdin.close()
        while self._line(1.0):  # lets the listener come to its end
            pass

    def send(self, what: Any) -> None:
        """A line to the parser; one that is gone already is noticed by `run`."""
        assert self.process.stdin is not None
        with suppress(BrokenPipeError, ConnectionError):
            self.process.stdin.write(handover.dumps(what))
            self.process.stdin.flush()

    def run(self, held: Held | None) -> dict[str, Any]:
        """Answers the parser and watches it, to its last line: `done`, `error`, `failed` or `fault`."""
        while True:
            line = self._line(POLL_S)
            if line is None:
                if over := self._over():
                    self.kill()
                    return {"failed": over}
                if not self._gone():
                    continue
                line = self._line(LAST_S)  # what it said last; what it started may hold the pipe open
            if not line:
                return self._crash()
            told = handover.loads(line)
            if not isinstance(told, dict):
                raise Garbled("a line is no record")
            if "protections" in told:
                self.held_by = [str(name) for name in told["protections"]]
            elif "ask" in told:
                since = time.monotonic()
                self.send(self._answer(told, held))
                self.started += time.monotonic() - since  # the parser waits for us then
            else:
                return told

    def kill(self) -> None:
        """Ends the process and whatever it started, so that nothing it handed over can change any more."""
        import psutil

        if self.process.returncode is not None:
            return  # its number may be another's by now
        with suppress(psutil.NoSuchProcess):
            for other in self.watched.children(recursive=True):
                with suppress(psutil.NoSuchProcess):
                    other.kill()
        with suppress(ProcessLookupError, PermissionError):
            if os.name == "posix":
                os.killpg(self.process.pid, signal.SIGKILL)
            else:
                self.process.kill()
        self.process.wait()

    def _listen(self, out: IO[bytes]) -> None:
        while line := out.readline(handover.JSON_BYTES):
            self.lines.put(line)
        out.close()
        self.lines.put(b"")

    def _line(self, seconds: float) -> bytes | None:
        """The next line, b"" after the last, None where there is none yet."""
        try:
            return self.lines.get(timeout=seconds)
        except queue.Empty:
            return None

    def _over(self) -> str | None:
        """The code of a limit that was passed, or None."""
        import psutil

        seconds = time.monotonic() - self.started
        output = 0.0
        if seconds - self.looked > 10 * POLL_S:  # walking folders costs more than asking for memory
            self.looked = seconds
            output = _megabytes(self.place)
            self.limits = limits(self.size_mb + output, self.settings, self.machine_mb)
        first = limits(self.size_mb, self.settings, self.machine_mb)
        if output > first.output_mb:
            return "parser_output"
        if seconds > self.limits.seconds:
            return "parser_timeout"
        try:
            used = self.watched.memory_info().rss
            if self.looked == seconds:
                used += sum(other.memory_info().rss for other in self.watched.children(recursive=True))
        except psutil.Error:
            return None  # it ended; its last lines are still to be read
        return "parser_memory" if used / 1e6 > self.limits.memory_mb else None

    def _answer(self, told: dict[str, Any], held: Held | None) -> dict[str, Any]:
        name, args, named = told.get("ask"), told.get("args"), told.get("named")
        if held is None or name not in ASKED or not isinstance(args, list) or not isinstance(named, dict):
            raise Garbled(f"asked for {str(name)[:60]}")
        method = getattr(held, name)
        try:
            inspect.signature(method).bind(*args, **named)
        except TypeError as error:
            raise Garbled(f"asked {name} otherwise: {error}") from None
        value = method(*args, **named)
        if not hasattr(value, "columns"):
            return {"value": value}
        path = self.place / f"answer-{os.urandom(8).hex()}.arrow"
        return {"frame": path.name, "crs": handover.write_frame(value, path)}

    def _gone(self) -> bool:
        """Whether it ended, asked without letting go of its number."""
        import psutil

        try:
            return bool(self.watched.status() == psutil.STATUS_ZOMBIE)
        except psutil.NoSuchProcess:
            return True

    def _crash(self) -> dict[str, Any]:
        for _ in range(100):  # the pipe closes a moment before the process is gone
            if self._gone():
                break
            time.sleep(POLL_S)
        self.kill()
        with (self.place / "stderr.txt").open("rb") as file:
            tail = file.read()[-4000:].decode("utf-8", "replace")
        log.warning("parser ended with %s: %s", self.process.returncode, tail)
        gone = -self.process.returncode if self.process.returncode < 0 else 0
        if gone and gone == getattr(signal, "SIGXCPU", None):
            return {"failed": "parser_timeout"}
        name = signal.Signals(gone).name if gone else f"exit {self.process.returncode}"
        return {"failed": "parser_crashed", "signal": name}


def _told(ended: dict[str, Any], path: Path, parser: _Parser) -> Message:
    """The sentence for a parser that did not come to its end."""
    code = ended["failed"]
    if code == "scratch_full":
        raise Refused("scratch_full", file=path.name, folder=str(parser.place.parent))
    if code not in CODES:
        raise ParserFault(str(ended))
    params: dict[str, Any] = {
        "parser_timeout": {"seconds": f"{parser.limits.seconds:,.0f}"},
        "parser_memory": {"limit": f"{parser.limits.memory_mb:,.0f}"},
        "parser_output": {"limit": f"{parser.limits.output_mb:,.0f}"},
        "parser_crashed": {"signal": ended.get("signal", "?")},
    }.get(code, {})
    return Message(code, {"file": path.name, **params})


def _error(ended: dict[str, Any]) -> Exception:
    """What the parser raised, raised here."""
    family = {kind.__name__: kind for kind in (errors.GeoMonitorError, errors.Usage, errors.Refused)}
    if "error" not in ended:
        return ParserFault(f"in the parser:\n{ended.get('fault')}")
    told = handover.message([ended.get("code"), ended.get("params"), ended.get("rows")])
    kind = family.get(str(ended["error"]), errors.GeoMonitorError)
    error = kind(told.code, **told.params)
    if isinstance(error, Refused):
        error.rows = list(told.rows)
    return error


def _environment(place: Path) -> dict[str, str]:
    """Nothing of ours, so that no password and no address gets there."""
    kept = {name: os.environ[name] for name in _INHERITED if name in os.environ}
    at = dict.fromkeys(("TMPDIR", "TEMP", "TMP", "HOME"), str(place))
    return {**kept, **at, **_LIBRARIES, "GDAL_SKIP": ",".join(SKIPPED), "LANG": "C.UTF-8", "LC_ALL": "C.UTF-8"}


def _installation() -> list[str]:
    package = Path(__file__).resolve().parents[1]
    found = {sys.prefix, sys.base_prefix, sys.exec_prefix, sysconfig.get_path("stdlib"), str(package)}
    return [*sorted(found), str(package.parent / "data"), str(Path(sys.executable).resolve())]


def _libraries() -> list[str]:
    """Where installed packages lie, also those a caller's environment put on the path."""
    return [path for path in sys.path if Path(path).name in ("site-packages", "dist-packages") and Path(path).is_dir()]


def _megabytes(place: Path) -> float:
    total = 0
    for folder, _, names in os.walk(place):
        for name in names:
            with suppress(OSError):
                total += os.lstat(os.path.join(folder, name)).st_size
    return total / 1e6
