"""Work that several threads share, piece by piece."""

import contextlib
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Executor, Future
from typing import Generic, TypeVar

Result = TypeVar("Result")


class SharedWork(Generic[Result]):
    """Pieces of work, each done by whichever thread is free first: helpers that begin at once, and whoever
    asks for the results, from then on.

    Nobody waits for a helper that is busy elsewhere. Pieces gain by it as far as they run without the
    interpreter's lock, as FAISS' scans do.
    """

    def __init__(self, pieces: Sequence[Callable[[], Result]]) -> None:
        self._left = deque(enumerate(pieces))
        self._results: dict[int, Result] = {}
        self._helpers: list[Future[None]] = []

    def begin(self, executor: Executor, helpers: int) -> None:
        """Let at most so many threads of `executor` start on the pieces."""
        with contextlib.suppress(RuntimeError):  # it was shut down: the index was closed meanwhile
            for _ in range(min(helpers, len(self._left))):
                self._helpers.append(executor.submit(self._work))

    def step(self) -> bool:
        """Do one piece; whether any was left. A helper that waits for the interpreter's lock gets it
        meanwhile."""
        try:
            place, piece = self._left.popleft()
        except IndexError:
            return False
        self._results[place] = piece()
        return True

    def results(self) -> list[Result]:
        """What the pieces gave, in their order; raises what one of them raised."""
        self._work()
        for helper in self._helpers:
            if not helper.cancel():
                helper.result()
        return [self._results[place] for place in sorted(self._results)]

    def _work(self) -> None:
        while self.step():
            pass
