"""How much memory a process and its children take, where the system tells (Linux)."""

import contextlib
import threading
from collections.abc import Iterator
from pathlib import Path

_SECONDS = 0.1
_PROCESSES = Path("/proc")


def resident_megabytes(process: int) -> float:
    """Resident memory of a process, mapped files included; 0 where it cannot be told."""
    try:
        lines = (_PROCESSES / str(process) / "status").read_text().splitlines()
    except OSError:
        return 0.0
    return next((int(line.split()[1]) / 1024 for line in lines if line.startswith("VmRSS:")), 0.0)


def family(process: int) -> Iterator[int]:
    """A process and all its descendants."""
    yield process
    with contextlib.suppress(OSError):
        for task in (_PROCESSES / str(process) / "task").iterdir():
            for child in (task / "children").read_text().split():
                yield from family(int(child))


class MemoryMeter:
    """Watches a process and its descendants: `peak` is the most memory they took together, in megabytes."""

    def __init__(self, process: int) -> None:
        self.peak = 0.0
        self._process = process
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True, name="memory meter")

    def __enter__(self) -> "MemoryMeter":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()

    def _watch(self) -> None:
        while True:
            self.peak = max(self.peak, sum(map(resident_megabytes, family(self._process))))
            if self._ended.wait(_SECONDS):
                return
