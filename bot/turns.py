"""An update's turn: what its handlers can do about its end."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Iterator
from contextvars import ContextVar
from dataclasses import dataclass

_MOST_PICTURES = 10_000
_current: ContextVar["Turn | None"] = ContextVar("turn", default=None)


@dataclass(frozen=True, slots=True)
class Response:
    """What the webhook responds: whether it took the update, and one call of the Bot API, as JSON, if any."""

    taken: bool = True
    call: str = ""


class TakenPictures:
    """Addresses of pictures that Telegram took: the last 10,000."""

    def __init__(self) -> None:
        self._addresses: dict[str, None] = {}

    def add(self, address: str) -> None:
        """Remember one."""
        while len(self._addresses) >= _MOST_PICTURES:
            del self._addresses[next(iter(self._addresses))]
        self._addresses[address] = None

    def __contains__(self, address: object) -> bool:
        return address in self._addresses


class Turn:
    """One update while it is handled. Used on the event loop only.

    Telegram, which brought it to the webhook, may still wait for the response (`waiting`). The response may
    carry one call of the Bot API. Then Telegram takes both for done or neither: if the process dies before,
    Telegram brings the update again; so what is said in the response is said exactly once. Whether Telegram
    carried the call out, and the number of a message sent by it, are never known.
    """

    def __init__(
        self,
        cross_out: Callable[[str | None], Awaitable[None]],
        *,
        waiting: bool = False,
        pictures: TakenPictures | None = None,
    ) -> None:
        """`cross_out` notes durably that the update is handled, and with which response; `pictures` are those
        of earlier turns."""
        self._cross_out = cross_out
        self.pictures = pictures or TakenPictures()
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
