"""When the workers of a sync start, and when they end."""

from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from retrieval.reading_workers import Workers

FILES_FOR_WORKERS = 400
"""From so many files on, it is worth while to have workers read them: starting one takes as long as reading
some 200 files."""


class ReadingPool:
    """The workers of one sync, for all that it reads. They start when they are first asked for, or before,
    where it can be foreseen; ended by close()."""

    def __init__(self, make: "Callable[[], Workers | None]") -> None:
        """`make` starts workers; None where this process cannot. Nothing is started yet."""
        self._make = make
        self._workers: Workers | None = None

    def workers(self) -> "Workers | None":
        """The workers, which start now if they have not yet."""
        if self._workers is None:
            self._workers = self._make()
        return self._workers

    def close(self) -> None:
        """End the workers, if there are any."""
        if self._workers is not None:
            self._workers.close()
