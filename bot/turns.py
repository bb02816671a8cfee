"""An update's turn: what its handlers can do about its end."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Iterator
from contextvars import ContextVar
from dataclasses import dataclass

_current: ContextVar["Turn | None"] = ContextVar("turn", default=None)


@dataclass(frozen=True, slots=True)
class Response:
    """What the webhook responds: whether it took the update, and one call of the Bot API, as JSON, if any."""

    taken: bool = True
    call: str = ""


class Turn:
    """One update while it is handled. Used on the event loop only.

    Telegram, which brought it to the webhook, may still wait for the response (`waiting`). The response may
    carry one call of the Bot API. Then Telegram takes both for done or neither: if the process dies before,
    Telegram brings the update again; so what is said in the response is said exactly once. Whether Telegram
    carried the call out, and the number of a message sent by it, are never known.
    """

    def __init__(self, cross_out: Callable[[str | None], Awaitable[None]], *, waiting: bool = False) -> None:
        """`cross_out` notes durably that the update is handled, and with which response."""
        self._cross_out = cross_out
        self.response: asyncio.Future[Response] = asyncio.get_running_loop().create_future()
        self.waiting = waiting
        self._over = False
        if not waiting:
            self.resolve(Response())

    @staticmethod
    def current() -> "Turn | None":
        """The turn of the update that is being handled; None outside of handlers."""
        return _current.get()

    @contextlib.contextmanager
    def taken(self) -> Iterator[None]:
        """Inside, it is the current one."""
        token = _current.set(self)
        try:
            yield
        finally:
            _current.reset(token)

    async def respond(self, call: str) -> bool:
        """Have the response carry a call, which ends the turn; False where it is too late for that."""
        if not self.waiting:
            return False
        self.waiting, self._over = False, True
        await self._cross_out(call)
        self.resolve(Response(call=call))
        return True

    async def end(self) -> None:
        """The update is handled: have that noted now, so that nobody handles it again."""
        if self._over:
            return
        self.waiting, self._over = False, True
        await self._cross_out(None)
        self.resolve(Response())

    def resolve(self, response: Response) -> None:
        """Send the response, if none was sent yet."""
        self.waiting = False
        if not self.response.done():
            self.response.set_result(response)
