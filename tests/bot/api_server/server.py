"""The server: HTTP around the chats, and the deliveries to a webhook."""

import asyncio
import contextlib
import json
import re
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from . import editing, polling, profile, sending, uploads, webhook
from .floods import too_many
from .methods import COUNTED, METHODS
from .parameters import Params, RefusedError
from .users import Users
from .world import TOKEN

MODULES = (editing, polling, profile, sending, uploads, webhook)
"""The rooms of the methods; importing them fills the table."""


@dataclass
class ApiServer(Users):
    """One bot's Bot API. Start it, point a bot at `url`, then act as its users.

    `retry` is the first pause before an update is brought to a webhook again, in seconds; `in_responses`
    counts the calls that came with a webhook's responses.
    """

    url: str = ""
    retry: float = 0.1
    in_responses: int = 0

    def __post_init__(self) -> None:
        super().__post_init__()
        self._runner: web.AppRunner | None = None
        self._delivery: asyncio.Task[None] | None = None

    async def start(self, port: int = 0) -> None:
        """Listen on a port of this machine, a free one where none is named."""
        application = web.Application(client_max_size=64 * 2**20)
        application.router.add_route("*", "/bot{token}/{method}", self._handle)
        application.router.add_get("/file/bot{token}/{path:.+}", self._download)
        self._runner = web.AppRunner(application, shutdown_timeout=0.1, handler_cancellation=True)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", port)
        await site.start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}"
        self._delivery = asyncio.create_task(
            webhook.Delivery(self, self._perform_response, pause=self.retry).run()
        )

    async def stop(self) -> None:
        """Stop listening."""
        if self._delivery is not None:
            self._delivery.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._delivery
        if self._runner is not None:
            await self._runner.cleanup()

    async def _handle(self, request: web.Request) -> web.Response:
        try:
            params = await parameters(request)
            _check_token(request.match_info["token"])
            result = await self._perform(request.match_info["method"], params)
        except RefusedError as refused:
            self.refusals.append(refused.description)
            await self.notify()
            body: dict[str, Any] = {
                "ok": False,
                "error_code": refused.code,
                "description": refused.description,
            }
            if refused.parameters:
                body["parameters"] = refused.parameters
            return web.json_response(body, status=refused.code)
        await self.notify()
        return web.json_response({"ok": True, "result": result})

    async def _perform(self, name: str, params: Params) -> Any:
        answer = METHODS.get(name.lower())
        if answer is None:
            raise RefusedError(404, "Not Found: method not found")
        self.calls.append((name, params))
        self._flood(name, params)
        return await answer(self, params)

    async def _perform_response(self, name: str, params: Params) -> None:
        """A call that a webhook's response carries: whether it is refused is said to nobody."""
        self.in_responses += 1
        try:
            await self._perform(name, params)
        except RefusedError as refused:
            self.refusals.append(refused.description)

    def _flood(self, name: str, params: Params) -> None:
        if self.floods and "chat_id" in params:
            raise too_many(self.floods.popleft())
        with contextlib.suppress(ValueError, TypeError):
            if name.lower() in COUNTED and int(params.get("chat_id", "")) in self.chats:
                self.flood_control.check(int(params["chat_id"]))

    async def _download(self, request: web.Request) -> web.Response:
        path = request.match_info["path"]
        known = {file.path: file.content for file in self.files.values()}
        if request.match_info["token"] != TOKEN or path not in known:
            return web.json_response({"ok": False, "error_code": 404, "description": "Not Found"}, status=404)
        return web.Response(body=known[path], content_type="application/octet-stream")


def _check_token(token: str) -> None:
    if not re.fullmatch(r"\d+:[\w-]+", token):
        raise RefusedError(404, "Not Found")
    if token != TOKEN:
        raise RefusedError(401, "Unauthorized")


async def parameters(request: web.Request) -> Params:
    """The request's parameters, however they were sent."""
    params: Params = dict(request.query)
    if request.content_type == "application/json":
        return params | json.loads(await request.text() or "{}")
    return params | dict(await request.post())
