"""A name for this process that others can tell to be gone: machine, process number, moment of its start."""

import os
import secrets
import socket
from pathlib import Path

_PROCESSES = Path("/proc")


def owner_name() -> str:
    """A new name; of two made by one process, each is its own."""
    return f"{_machine()} {os.getpid()} {_started(os.getpid())} {secrets.token_hex(4)}"


def is_gone(name: str) -> bool:
    """Whether the process that made this name has surely ended; False where that cannot be known.

    It can be known on the same machine (the same container) where there is /proc.
    """
    machine, number, started = (name.rsplit(" ", 3) + [""] * 3)[:3]
    if not name:
        return True
    if machine != _machine() or not number.isdecimal() or not started:
        return False
    return _started(int(number)) != started


def _machine() -> str:
    """Host and, in containers, the name space that process numbers belong to."""
    try:
        return f"{socket.gethostname()}/{(_PROCESSES / 'self/ns/pid').readlink()}".replace(" ", "_")
    except OSError:
        return socket.gethostname().replace(" ", "_")


def _started(number: int) -> str:
    """When the process started, in ticks since the machine did; "" where it is not running or not known."""
    try:
        fields = (_PROCESSES / str(number) / "stat").read_text().rpartition(")")[2].split()
    except (OSError, ValueError):
        return ""
    # A process that has ended but was not yet waited for is a zombie (Z): it does nothing any more.
    return "" if fields[0] in {"Z", "X"} else fields[19]
