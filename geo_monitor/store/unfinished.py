"""What a writer is at, written down before it begins, so that after a fall the next start can say what became of it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from geo_monitor.store import files

MARK = ".unfinished"
NEW = f"{MARK}.new"  # there is one writer, so one name will do
RESTORING = f"{files.TEMPORARY}restoring"  # a folder: a backup is being restored, or was


@dataclass(frozen=True)
class Work:
    """What a writer is at: action (import, analyse, compact, expire, other), what it is about (a file's name, a run, a day), and
    the receipt or run whose row in the database, or the file whose name, will make it true, once that is known."""

    action: str = "other"
    name: str = ""
    subject: str = ""


@dataclass(frozen=True)
class Fallen:
    """A write that was interrupted: whether it had come through all the same, and what it had left (paths in the
    workspace, removed)."""

    work: Work
    done: bool
    left: tuple[str, ...]

    @property
    def code(self) -> str:
        """The sentence that tells of it, filled by `params`."""
        return f"fallen.{self.work.action}.{'finished' if self.done else 'undone'}"

    @property
    def params(self) -> dict[str, str]:
        return {"name": self.work.name, "subject": self.work.subject}


def begin(root: Path, work: Work) -> None:
    """Writes down what is being done in the workspace `root`: the old mark or the new one stands, never half of one."""
    new = root / NEW
    new.write_text(json.dumps(work.__dict__, ensure_ascii=False), encoding="utf-8")
    files.sync(new)
    new.replace(root / MARK)
    files.sync(root)


def found(root: Path) -> Work | None:
    """What a writer was at that did not come to its end, or None. A mark that cannot be read says nothing."""
    try:
        told = json.loads((root / MARK).read_text(encoding="utf-8"))
        return Work(**{name: str(told[name]) for name in ("action", "name", "subject")})
    except FileNotFoundError:
        return None
    except (ValueError, KeyError, TypeError):
        return Work()


def end(root: Path) -> None:
    """Takes the mark away."""
    (root / NEW).unlink(missing_ok=True)
    (root / MARK).unlink(missing_ok=True)
