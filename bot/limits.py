"""How fast one user may ask."""

import math
import time
from collections import OrderedDict, deque
from collections.abc import Callable
from dataclasses import dataclass

_WINDOW_SECONDS = 60.0
_USERS = 10_000


@dataclass(frozen=True, slots=True)
class Wait:
    """For how many seconds to wait, 0 for none; `first` says that it was not said before."""

    seconds: int = 0
    first: bool = False


class Limits:
    """At most so many questions of one user in any minute; 0 for any number. Used by one thread."""

    def __init__(self, questions_per_minute: int = 0, clock: Callable[[], float] = time.monotonic) -> None:
        self._most = questions_per_minute
        self._clock = clock
        self._asked: OrderedDict[int, deque[float]] = OrderedDict()
        self._told: set[int] = set()

    def ask(self, user: int) -> Wait:
        """Count a question of a user; or how long the user has to wait before the next."""
        if not self._most:
            return Wait()
        now = self._clock()
        asked = self._asked.setdefault(user, deque())
        self._asked.move_to_end(user)
        while len(self._asked) > _USERS:
            self._told.discard(self._asked.popitem(last=False)[0])
        while asked and now - asked[0] >= _WINDOW_SECONDS:
            asked.popleft()
        if len(asked) < self._most:
            asked.append(now)
            self._told.discard(user)
            return Wait()
        first = user not in self._told
        self._told.add(user)
        return Wait(math.ceil(asked[0] + _WINDOW_SECONDS - now), first)
