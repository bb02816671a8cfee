"""How often Python looks for garbage in cycles, in processes that are ours."""

import contextlib
import gc
from collections.abc import Iterator

_SERVING = (20_000, 20, 50)
_SYNCING = (100_000, 20, 50)


def settle() -> None:
    """Of a process that answers questions from now on: what is there stays, and is looked through no more;
    what comes is looked through more seldom. A question leaves next to no cycles, and would take a thirtieth
    longer."""
    gc.freeze()
    gc.set_threshold(*_SERVING)


@contextlib.contextmanager
def seldom_collecting() -> Iterator[None]:
    """A large sync makes millions of objects and next to no cycles, and spends a fiftieth of its time looking
    for them otherwise."""
    before = gc.get_threshold()
    gc.set_threshold(*_SYNCING)
    try:
        yield
    finally:
        gc.set_threshold(*before)
