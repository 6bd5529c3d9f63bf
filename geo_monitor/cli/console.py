"""How the command line speaks: results to stdout (text, or one JSON document), everything else to stderr."""

from __future__ import annotations

import json
import os
import sys
import tempfile
import traceback
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from geo_monitor.errors import GeoMonitorError, Usage
from geo_monitor.messages import Lang, hint, text
from geo_monitor.stages import Tell, silent


@dataclass
class Console:
    """What the global options said."""

    lang: Lang = "zh"
    json: bool = False
    debug: bool = False
    workspace: Path = Path("workspace")
    account: str | None = None
    as_owner: bool = False

    def __call__(self, code: str, **params: Any) -> str:
        """The sentence for `code` in the language chosen."""
        return text(code, self.lang, **params)

    def result(self, document: dict[str, Any], lines: Sequence[str] = ()) -> None:
        """The outcome of a command: `document` as JSON, or `lines` for people. Raises
        `GeoMonitorError("stdout_unwritable")`."""
        told = [json.dumps(document, ensure_ascii=False, allow_nan=False)] if self.json else lines
        try:
            sys.stdout.write("".join(f"{line}\n" for line in told))
            sys.stdout.flush()
        except BrokenPipeError:
            return  # whoever read it has gone, and the command goes on
        except OSError as error:
            raise GeoMonitorError("stdout_unwritable", reason=error.strerror or str(error)) from error

    def say(self, line: str) -> None:
        """Something beside the outcome: how far it is, what was noticed."""
        with suppress(OSError):  # there is no other place to tell it
            sys.stderr.write(f"{line}\n")
            sys.stderr.flush()

    def table(self, rows: Sequence[tuple[str, str]]) -> list[str]:
        """Pairs as lines with the second column aligned (a Chinese character is two columns wide)."""
        from rich.cells import cell_len

        wide = max((cell_len(name) for name, _ in rows), default=0)
        return [f"{name}{' ' * (wide - cell_len(name) + 2)}{value}" for name, value in rows]

    def notes(self, notes: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
        """Notes kept as code and params, with the sentence filled in."""
        return [{"code": note["code"], "message": self(note["code"], **note.get("params", {}))} for note in notes]

    @contextmanager
    def progress(self) -> Iterator[Tell]:
        """Gives a function that draws how far each stage is: bars on a terminal, nothing elsewhere."""
        if not sys.stderr.isatty():
            yield silent
            return
        from rich.console import Console as Screen
        from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

        columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
        with Progress(*columns, console=Screen(stderr=True), transient=False) as bars:
            tasks: dict[str, Any] = {}

            def tell(stage: str, share: float) -> None:
                if stage not in tasks:
                    tasks[stage] = bars.add_task(self(f"stage.{stage}"), total=1.0)
                bars.update(tasks[stage], completed=share)

            yield tell

    def failed(self, error: BaseException) -> int:
        """Tells of an error and gives the exit code."""
        if isinstance(error, GeoMonitorError):
            message = self(error.code, **error.params)
            todo = hint(error.code, self.lang, **error.params)
            return self._refusal(error.exit_code, error.code, message, todo)
        reference, kept = _keep(error, self.workspace)
        message = self("fault", reference=reference)
        return self._refusal(1, "fault", message, self("fault.hint", reference=reference, file=kept), reference)

    def usage(self, message: str) -> int:
        """Tells of a wrong call, as the parser found it. Exit code 2."""
        return self._refusal(2, "usage", message, self("usage.hint"))

    def _refusal(self, exit_code: int, code: str, message: str, todo: str | None, reference: str | None = None) -> int:
        error = {"code": code, "message": message, "hint": todo}
        if reference:
            error["reference"] = reference
        if self.json:
            with suppress(GeoMonitorError):  # it is said below, too
                self.result({"error": error})
        self.say(message if todo is None else f"{message}\n{todo}")
        return exit_code


def one_of(option: str, value: str | None, allowed: tuple[str, ...]) -> None:
    """Raises `Usage("option_value")` for a value of an option that is none of those `allowed`; none given is fine."""
    if value is not None and value not in allowed:
        raise Usage("option_value", option=option, value=value, allowed=[*allowed])


def _keep(error: BaseException, workspace: Path) -> tuple[str, str]:
    """Keeps the traceback of a fault of ours. Gives its short reference and the file."""
    reference = os.urandom(4).hex()
    trace = "".join(traceback.format_exception(error))
    told = f"{datetime.now(UTC).isoformat()}\n{' '.join(sys.argv)}\n{trace}"
    name = f"geo-monitor-{reference}.txt"
    path = workspace / "faults" / name
    try:
        if not workspace.is_dir():
            raise NotADirectoryError
        path.parent.mkdir(exist_ok=True)
        path.write_text(told, encoding="utf-8", errors="replace")
    except OSError:  # no workspace, one on a full disk, or not ours to write in
        path = Path(tempfile.gettempdir()) / name
        path.write_text(told, encoding="utf-8", errors="replace")
    return reference, str(path)


console = Console()  # one program, one console
