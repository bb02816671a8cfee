"""Several bot processes behind one webhook: the processes, and what shares their updates out."""

import asyncio
import contextlib
import itertools
import os
import signal
import socket
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from aiohttp import ClientError, ClientSession, web

ROOT = Path(__file__).resolve().parents[2]


def free_port() -> int:
    """A port of this machine that nothing listens on."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        port: int = bound.getsockname()[1]
        return port


@dataclass
class Replica:
    """One bot process, to be killed and started again."""

    environment: Mapping[str, str]
    folder: Path
    port: int = field(default_factory=free_port)
    process: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        """Start it and wait until it takes updates."""
        environment = {**self.environment, "WENDA_WEBHOOK_LISTEN": f"127.0.0.1:{self.port}"}
        with (self.folder / f"replica-{self.port}.log").open("ab") as log:
            self.process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "bot", env=environment, cwd=self.folder, stdout=log, stderr=log
            )
        async with asyncio.timeout(180):
            while not await self._listens():
                assert self.process.returncode is None, self.log()
                await asyncio.sleep(0.05)

    async def kill(self) -> None:
        """End it at once, whatever it does."""
        assert self.process is not None
        self.process.send_signal(signal.SIGKILL)
        await self.process.wait()

    async def stop(self) -> None:
        """Have it end in its own time."""
        if self.process is not None and self.process.returncode is None:
            self.process.terminate()
            await asyncio.wait_for(self.process.wait(), 30)

    def log(self) -> str:
        """What it wrote."""
        return (self.folder / f"replica-{self.port}.log").read_text(encoding="utf-8")

    async def _listens(self) -> bool:
        with contextlib.suppress(OSError):
            _, writer = await asyncio.open_connection("127.0.0.1", self.port)
            writer.close()
            return True
        return False


class Balancer:
    """Hands each delivery to the next replica; what one does not take gets 502, and is delivered again."""

    def __init__(self) -> None:
        self.ports: list[int] = []
        self.taken: dict[int, int] = {}
        self._turn = itertools.count()
        self._runner: web.AppRunner | None = None
        self._session: ClientSession | None = None
        self.url = ""

    async def start(self) -> None:
        """Listen on a free port."""
        application = web.Application()
        application.router.add_post("/wenda", self._forward)
        self._session = ClientSession()
        self._runner = web.AppRunner(application, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}/wenda"

    async def stop(self) -> None:
        """Stop listening."""
        if self._runner is not None:
            await self._runner.cleanup()
        if self._session is not None:
            await self._session.close()

    async def _forward(self, request: web.Request) -> web.Response:
        assert self._session is not None
        port = self.ports[next(self._turn) % len(self.ports)]
        kept = ("Content-Type", "X-Telegram-Bot-Api-Secret-Token")
        headers = {name: request.headers[name] for name in kept if name in request.headers}
        body = await request.read()
        try:
            async with self._session.post(
                f"http://127.0.0.1:{port}/wenda", data=body, headers=headers
            ) as response:
                self.taken[port] = self.taken.get(port, 0) + response.ok
                content = await response.read()
                kept = ("Content-Type", "Retry-After") if content else ("Retry-After",)
                passed = {name: response.headers[name] for name in kept if name in response.headers}
                return web.Response(status=response.status, headers=passed, body=content)
        except (ClientError, OSError):
            return web.Response(status=502)


def environment_of(
    *, token: str, api: str, webhook: str, index: Path, state: str, data: Path
) -> dict[str, str]:
    """The environment of a replica."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("WENDA_", "TELEGRAM_"))}
    return kept | {
        "TELEGRAM_BOT_TOKEN": token,
        "TELEGRAM_API_URL": api,
        "WENDA_INDEX": str(index),
        "WENDA_STATE": state,
        "WENDA_WEBHOOK_URL": webhook,
        "WENDA_QUESTIONS_PER_MINUTE": "0",
        "WENDA_MESSAGES_PER_SECOND": "1000",
        "XDG_DATA_HOME": str(data),
        "PYTHONPATH": str(ROOT),
        "LANG": "C.UTF-8",
    }
