"""What keeps a parser from harm: limits of the operating system, no network, and no file but those it needs.

Runs in the parser's own process, before anything of an upload is opened and while it has one thread. Only the standard
library, so that nothing heavy is loaded unprotected.

| protection | by | where |
|---|---|---|
| limits | `resource`: CPU seconds, address space, size of a file, open files, no core dump | POSIX |
| network | an own, empty network namespace (`unshare`) | Linux, where user namespaces are allowed or for root |
| files | Landlock: only the paths named can be opened; TCP and signals to others are off too | Linux 5.13 and later |
| orphan | the kernel ends it with its parent (`PR_SET_PDEATHSIG`) | Linux |

Sources: Linux man pages unshare(2), landlock(7), prctl(2); `include/uapi/linux/landlock.h` for numbers and layouts.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path

PROTECTIONS = ("limits", "network", "files", "orphan")

_NEW_USER, _NEW_NET = 0x10000000, 0x40000000
_NO_NEW_PRIVILEGES, _DEATH_SIGNAL = 38, 1
_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446  # the same numbers on every architecture
_EXECUTE, _WRITE, _READ, _READ_DIR = 1, 2, 4, 8
_RIGHTS = {1: (1 << 13) - 1, 2: (1 << 14) - 1, 3: (1 << 15) - 1, 5: (1 << 16) - 1}  # file rights known, by version
_TCP = 0b11  # bind, connect
_SCOPES = 0b11  # abstract sockets, signals
_OF_FILES = _EXECUTE | _WRITE | _READ | 1 << 14 | 1 << 15  # rights that mean something for a file that is no folder


class _Ruleset(ctypes.Structure):
    _fields_ = (("files", ctypes.c_uint64), ("network", ctypes.c_uint64), ("scopes", ctypes.c_uint64))


class _Beneath(ctypes.Structure):
    _pack_ = 1
    _fields_ = (("allowed", ctypes.c_uint64), ("parent", ctypes.c_int32))


def enter(limits: Mapping[str, int], readable: Iterable[str], writable: Iterable[str]) -> list[str]:
    """Puts every protection the system allows around this process, for good. Gives the names of those that hold.

    limits: `cpu_s`, `address_b`, `file_b`, `files`. readable: files and folders that may be read; writable: those that
    may be changed too.
    """
    held = []
    if _limit(limits):
        held.append("limits")
    if sys.platform == "linux":
        libc = ctypes.CDLL(None, use_errno=True)
        if _no_network(libc):
            held.append("network")
        if _only_files(libc, readable, writable):
            held.append("files")
        if libc.prctl(_DEATH_SIGNAL, int(signal.SIGKILL), 0, 0, 0) == 0:
            held.append("orphan")
    return held


def _limit(limits: Mapping[str, int]) -> bool:
    if os.name != "posix":
        return False
    import resource

    wanted = {
        resource.RLIMIT_CPU: limits["cpu_s"],
        resource.RLIMIT_FSIZE: limits["file_b"],
        resource.RLIMIT_NOFILE: limits["files"],
        resource.RLIMIT_CORE: 0,
    }
    if sys.platform == "linux":  # elsewhere the address space can't be limited, or limits what is never used
        wanted[resource.RLIMIT_AS] = limits["address_b"]
    for what, value in wanted.items():
        _, most = resource.getrlimit(what)
        value = value if most == resource.RLIM_INFINITY else min(value, most)
        resource.setrlimit(what, (value, value))
    with suppress(AttributeError, ValueError, OSError):
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)  # a file too long is then an error of the write, told as one
    return True


def _no_network(libc: ctypes.CDLL) -> bool:
    """Root needs no user namespace, and would lose the right to read other people's files with one."""
    flags = (_NEW_NET, _NEW_USER | _NEW_NET) if os.geteuid() == 0 else (_NEW_USER | _NEW_NET,)
    return any(libc.unshare(flag) == 0 for flag in flags)


def _only_files(libc: ctypes.CDLL, readable: Iterable[str], writable: Iterable[str]) -> bool:
    version = libc.syscall(_CREATE_RULESET, None, ctypes.c_size_t(0), 1)
    if version < 1:
        return False
    rights = max(known for since, known in _RIGHTS.items() if since <= version)
    ruleset = _Ruleset(rights, _TCP if version >= 4 else 0, _SCOPES if version >= 6 else 0)
    size = 8 if version < 4 else 16 if version < 6 else 24
    handle = libc.syscall(_CREATE_RULESET, ctypes.byref(ruleset), ctypes.c_size_t(size), 0)
    if handle < 0:
        return False
    try:
        for paths, allowed in ((readable, _READ | _READ_DIR | _EXECUTE), (writable, rights)):
            for path in paths:
                _allow(libc, handle, path, allowed & rights)
        if libc.prctl(_NO_NEW_PRIVILEGES, 1, 0, 0, 0) != 0:
            return False
        return bool(libc.syscall(_RESTRICT_SELF, handle, 0) == 0)
    finally:
        os.close(handle)


def _allow(libc: ctypes.CDLL, handle: int, path: str, allowed: int) -> None:
    """A path that is not there needs no right."""
    try:
        opened = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except FileNotFoundError:
        return
    try:
        rule = _Beneath(allowed if Path(path).is_dir() else allowed & _OF_FILES, opened)
        if libc.syscall(_ADD_RULE, handle, 1, ctypes.byref(rule), 0) != 0:
            raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()), path)
    finally:
        os.close(opened)
