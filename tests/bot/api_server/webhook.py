"""Updates delivered to the bot's webhook: in order within a chat, again and again until it takes them.

A response that takes an update may carry a call of the Bot API, whose result nobody learns.
"""

import asyncio
import contextlib
import json
import re
import ssl
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from aiohttp import ClientError, ClientSession
from aiohttp.web import FileField

from .methods import method
from .parameters import Params, bad, flag, number
from .polling import allow
from .world import Webhook, World

PORTS = {443, 80, 88, 8443}
NOT_IN_RESPONSES = {"setwebhook", "deletewebhook", "close", "logout"}
"""What a response may not call, nor any method whose name begins with "get"."""

SECRET_HEADER = "X-Telegram-Bot-Api-Secret-Token"


@method("setWebhook")
async def set_webhook(world: World, params: Params) -> bool:
    url = params.get("url") or ""
    allow(world, params)
    if flag(params, "drop_pending_updates"):
        world.pending.clear()
    world.hook = Webhook()
    if url:
        _check_address(url, local=world.local)
        certificate = params.get("certificate")
        if certificate is not None and not isinstance(certificate, FileField):
            raise bad("bad webhook: certificate must be uploaded as a file")
        world.hook = Webhook(
            url,
            secret_of(params),
            min(max(number(params, "max_connections", 40), 1), 100),
            certificate.file.read() if certificate is not None else b"",
        )
    await world.notify()
    return True


def _check_address(url: str, *, local: bool) -> None:
    address = urlsplit(url)
    if address.scheme != "https" and not (local and address.scheme == "http"):
        raise bad("bad webhook: An HTTPS URL must be provided for webhook")
    if not local and (address.port or 443) not in PORTS:
        raise bad("bad webhook: Webhook can be set up only on ports 80, 88, 443 or 8443")


def secret_of(params: Params) -> str:
    """What the server proves itself with to the webhook."""
    secret: str = params.get("secret_token") or ""
    if len(secret) > 256:
        raise bad("secret token is too long")
    if not re.fullmatch(r"[A-Za-z0-9_-]*", secret):
        raise bad("secret token contains unallowed characters")
    return secret


@method("deleteWebhook")
async def delete_webhook(world: World, params: Params) -> bool:
    if flag(params, "drop_pending_updates"):
        world.pending.clear()
    world.hook = Webhook()
    await world.notify()
    return True


@method("getWebhookInfo")
async def get_webhook_info(world: World, _: Params) -> dict[str, Any]:
    hook = world.hook
    info: dict[str, Any] = {
        "url": hook.url,
        "has_custom_certificate": bool(hook.certificate),
        "pending_update_count": len(world.pending),
    }
    if hook.url:
        info["max_connections"] = hook.connections
    if world.allowed:
        info["allowed_updates"] = sorted(world.allowed)
    if hook.failure:
        info |= {"last_error_date": hook.failed_at, "last_error_message": hook.failure}
    return info


class Delivery:
    """Brings updates to the webhook while one is set. What it does not take is brought again later."""

    def __init__(
        self, world: World, perform: Callable[[str, Params], Awaitable[None]], *, pause: float
    ) -> None:
        self._world, self._perform, self._pause = world, perform, pause
        self._busy: set[int] = set()
        self._tasks: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        """Deliver until cancelled."""
        world = self._world
        try:
            while True:
                async with world.changed:
                    await world.changed.wait_for(lambda: bool(world.webhook) and self._next() is not None)
                while world.webhook and (update := self._next()) is not None:
                    self._busy.add(_queue(update))
                    task = asyncio.create_task(self._bring(update))
                    self._tasks.add(task)
                    task.add_done_callback(self._tasks.discard)
        finally:
            for task in self._tasks:
                task.cancel()

    def _next(self) -> dict[str, Any] | None:
        """The first update of a chat to which none is on its way."""
        if len(self._busy) >= self._world.hook.connections:
            return None
        return next((each for each in self._world.pending if _queue(each) not in self._busy), None)

    async def _bring(self, update: dict[str, Any]) -> None:
        world, pause = self._world, self._pause
        try:
            while (hook := world.hook).url and update in world.pending:
                taken = await _post(hook, update)
                if not taken.failure:
                    with contextlib.suppress(ValueError):
                        world.pending.remove(update)
                    if name := callable_from_response(taken.call):
                        await self._perform(name, taken.call)
                    return
                hook.failed_at, hook.failure = int(time.time()), taken.failure
                await world.notify()
                await asyncio.sleep(taken.retry_after or pause)
                if not taken.retry_after:
                    pause = min(2 * pause, 60.0)
        finally:
            self._busy.discard(_queue(update))
            await world.notify()


@dataclass(frozen=True)
class Taken:
    """A webhook's response: why it did not take the update, '' where it did; the call in it."""

    failure: str = ""
    retry_after: int = 0
    call: Params = field(default_factory=dict)


async def _post(hook: Webhook, update: dict[str, Any]) -> Taken:
    """Post an update."""
    headers = {SECRET_HEADER: hook.secret} if hook.secret else {}
    trust: ssl.SSLContext | bool = True
    if hook.certificate:
        trust = ssl.create_default_context(cadata=hook.certificate.decode())
    try:
        async with (
            ClientSession() as session,
            session.post(hook.url, json=update, headers=headers, ssl=trust) as response,
        ):
            content = await response.read()
            if not response.ok:
                failure = f"Wrong response from the webhook: {response.status} {response.reason}"
                again = response.headers.get("Retry-After", "")
                return Taken(failure, int(again) if again.isdecimal() else 0)
            return Taken(call=_call_in(response.content_type, content))
    except (ClientError, OSError) as error:
        return Taken(f"Connection failed: {type(error).__name__}")


def _call_in(kind: str, content: bytes) -> Params:
    """The parameters in a response; what is not JSON, and no object, holds none."""
    if kind != "application/json" or not content:
        return {}
    try:
        call = json.loads(content)
    except ValueError:
        return {}
    return call if isinstance(call, dict) else {}


def callable_from_response(call: Params) -> str:
    """The name of the method that a response calls, '' where it calls none that it may."""
    name = str(call.pop("method", ""))
    return "" if name.lower() in NOT_IN_RESPONSES or name.lower().startswith("get") else name


def _queue(update: dict[str, Any]) -> int:
    """Updates of one queue are delivered one after another: those of a chat, or of a user."""
    content = next(value for key, value in update.items() if key != "update_id")
    chat = content.get("chat") or content.get("message", {}).get("chat") or content.get("from") or {}
    return int(chat.get("id", 0))
