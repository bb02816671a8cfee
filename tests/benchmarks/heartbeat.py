"""Runs the bot and measures how long its event loop is ever kept from its work:

    python -m tests.benchmarks.heartbeat OUTPUT.json [arguments of `python -m bot`]
    python -m tests.benchmarks.heartbeat OUTPUT.json --idle

The second form runs nothing until it is terminated: how late a loop is on this machine with nothing to do.
"""

import asyncio
import json
import signal
import sys
import time
from pathlib import Path
from typing import Any

from bot.__main__ import main

BEAT = 0.005
"""Seconds between two beats; a beat that comes later was held up."""

_LATE = 0.05


class Heart:
    """Beats in the loop as long as it runs and notes by how much each beat is late, in seconds."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self.late: list[float] = []
        self.very_late: list[tuple[float, int]] = []
        self.begun = time.monotonic()

    def beat(self, due: float = 0.0) -> None:
        """Note how late this beat is and arrange the next."""
        now = time.monotonic()
        if due:
            self.late.append(max(0.0, now - due))
            if self.late[-1] > _LATE:
                self.very_late.append((round(now - self.begun, 2), round(1000 * self.late[-1])))
        self._loop.call_later(BEAT, self.beat, now + BEAT)

    def report(self) -> dict[str, Any]:
        """Lateness in milliseconds: the worst, the 99.9th percentile, and, by seconds since the start, all
        over 50 ms."""
        ordered = sorted(self.late) or [0.0]
        return {
            "beats": len(self.late),
            "worst_ms": round(1000 * ordered[-1], 1),
            "p999_ms": round(1000 * ordered[int(0.999 * (len(ordered) - 1))], 1),
            "p99_ms": round(1000 * ordered[int(0.99 * (len(ordered) - 1))], 1),
            "over_50_ms": self.very_late,
        }


class Policy(asyncio.DefaultEventLoopPolicy):
    """Gives every new loop a heart."""

    def __init__(self) -> None:
        super().__init__()
        self.hearts: list[Heart] = []

    def new_event_loop(self) -> asyncio.AbstractEventLoop:
        """A loop whose heart begins to beat as soon as it runs."""
        loop = super().new_event_loop()
        heart = Heart(loop)
        self.hearts.append(heart)
        loop.call_soon(heart.beat)
        return loop


async def idle() -> None:
    """Do nothing until told to end."""
    ended = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, ended.set)
    await ended.wait()


if __name__ == "__main__":
    policy = Policy()
    asyncio.set_event_loop_policy(policy)
    try:
        if sys.argv[2:] == ["--idle"]:
            asyncio.run(idle())
        else:
            main(sys.argv[2:])
    finally:
        Path(sys.argv[1]).write_text(json.dumps(policy.hearts[0].report()), encoding="utf-8")
