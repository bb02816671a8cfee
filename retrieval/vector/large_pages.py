"""Memory in large pages: what is read from end to end for each question is read in two thirds of the time."""

import ctypes
import sys
from functools import cache
from typing import Any

_PAGE = 4096
_HUGEPAGE, _COLLAPSE = 14, 25
"""Linux' names for these: MADV_HUGEPAGE and, from 6.1 on, MADV_COLLAPSE."""


def in_large_pages(address: int, size: int) -> None:
    """Ask the system to put this memory, `size` bytes, into pages of 2 MiB, some 2 ms for each.

    It stays readable and keeps its contents meanwhile. Where the system cannot, nothing happens: it is only
    about time.
    """
    advise = _madvise()
    if advise is None:
        return
    first = -(-address // _PAGE) * _PAGE
    length = (address + size - first) // _PAGE * _PAGE
    if length > 0:
        advise(first, length, _HUGEPAGE)
        advise(first, length, _COLLAPSE)


@cache
def _madvise() -> Any:
    """The C library's function, which runs without the interpreter's lock; None where there is none."""
    if sys.platform != "linux":
        return None
    try:
        function = ctypes.CDLL(None).madvise
    except (OSError, AttributeError):
        return None
    function.argtypes = (ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int)
    return function
