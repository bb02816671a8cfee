"""Files brought into memory before questions wait for them."""

import contextlib
import os
import threading
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from retrieval.retriever import Retriever

_CHUNK = 8 << 20
_ROOM = 2
"""Memory must be free for so many times what is read."""

_MEMORY, _LIMIT = Path("/proc/meminfo"), Path("/sys/fs/cgroup/memory.max")


def warm_up(retriever: "Retriever") -> None:
    """For a process that answers questions from now on: have what they read of the index brought into memory
    meanwhile, where there is room for it.

    A question reads a hundred places of the store: from a disk that takes as long as all the rest.
    """
    with retriever.reading() as index:
        index.read_ahead()


def read_ahead(folder: Path) -> threading.Thread | None:
    """Have the system read the files of `folder` in the background; gives the thread that asks for it.

    None where the system cannot (it is only about time), or where the files would take more than half of the
    memory that is free.
    """
    if not hasattr(os, "posix_fadvise"):
        return None
    files = [path for path in folder.rglob("*") if path.is_file()]
    if sum(path.stat().st_size for path in files) * _ROOM > _free():
        return None
    thread = threading.Thread(target=_ask_for, args=(files,), name="reading ahead", daemon=True)
    thread.start()
    return thread


def _ask_for(files: list[Path]) -> None:
    for path in files:
        with contextlib.suppress(OSError), path.open("rb") as file:  # a file may be gone by now
            for start in range(0, os.fstat(file.fileno()).st_size, _CHUNK):
                os.posix_fadvise(file.fileno(), start, _CHUNK, os.POSIX_FADV_WILLNEED)


def _free() -> int:
    """Bytes of memory that are free, or that the system can free, also by what a container may have; 0 where
    it cannot be told."""
    free = 0
    with contextlib.suppress(OSError, ValueError, StopIteration):
        lines = _MEMORY.read_text(encoding="ascii").splitlines()
        free = 1024 * next(int(line.split()[1]) for line in lines if line.startswith("MemAvailable:"))
    with contextlib.suppress(OSError, ValueError):  # "max" where there is no limit
        free = min(free, int(_LIMIT.read_text(encoding="ascii")))
    return free
