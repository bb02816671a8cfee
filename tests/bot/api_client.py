"""A bare client of the Bot API: one call, the body as it came."""

import json
from typing import Any

from aiohttp import ClientSession, FormData

from .api_server import TOKEN, ApiServer


class Api:
    """Calls methods as a program without any library would."""

    def __init__(self, server: ApiServer, session: ClientSession) -> None:
        self._server, self._session = server, session

    async def __call__(
        self,
        method: str,
        token: str = TOKEN,
        *,
        files: dict[str, tuple[str, bytes]] | None = None,
        **params: Any,
    ) -> dict[str, Any]:
        form = FormData(default_to_multipart=bool(files))
        for name, value in params.items():
            form.add_field(name, value if isinstance(value, str) else json.dumps(value))
        for name, (filename, content) in (files or {}).items():
            form.add_field(name, content, filename=filename)
        async with self._session.post(f"{self._server.url}/bot{token}/{method}", data=form) as response:
            body: dict[str, Any] = await response.json()
            assert body["ok"] == (response.status == 200)
            assert body.get("error_code", 200) == response.status
            return body

    async def refusal(self, method: str, **params: Any) -> str:
        """Why the call is refused."""
        return str((await self(method, **params))["description"])

    async def result(self, method: str, **params: Any) -> Any:
        """What the call returns."""
        body = await self(method, **params)
        assert body["ok"], body
        return body["result"]

    async def download(self, path: str, token: str = TOKEN) -> bytes | None:
        """The file at a path, None where there is none."""
        async with self._session.get(f"{self._server.url}/file/bot{token}/{path}") as response:
            return await response.read() if response.status == 200 else None
