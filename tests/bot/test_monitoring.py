"""Health and metrics over HTTP: what they say when all is well, and when the memory is away."""

import asyncio
from collections.abc import Callable
from dataclasses import replace

from aiohttp import ClientSession

from bot.application import Connection
from bot.archive import Overview
from bot.conversation import Conversation
from bot.links import Links, TelegramLinks
from bot.serving import Service, serve
from bot.state import State

from .api_server import TOKEN, ApiServer
from .replicas import free_port


async def fetched(url: str) -> tuple[int, str]:
    async with ClientSession() as session, session.get(url) as response:
        return response.status, await response.text()


async def test_health_and_metrics(
    server: ApiServer, state: State, converse: Callable[[Links], Conversation]
) -> None:
    port, stop = free_port(), asyncio.Event()
    service = Service(lambda username: converse(TelegramLinks(username, state)), state, signals=())
    service = replace(service, monitor=f"127.0.0.1:{port}", overview=lambda: Overview(7))
    task = asyncio.create_task(serve(TOKEN, Connection(server.url), service, stop))
    answer = await server.answer_to("口岸食堂的饺子")
    await server.pressed(answer, "👍")
    await server.answer_to("zzz qqq")
    assert await fetched(f"http://127.0.0.1:{port}/health") == (200, "ok\n")
    for _ in range(100):
        status, text = await fetched(f"http://127.0.0.1:{port}/metrics")
        if "wenda_updates_handled_total 3\n" in text:
            break
        await asyncio.sleep(0.05)
    assert status == 200
    for line in (
        "# TYPE wenda_questions_total counter",
        "wenda_updates_handled_total 3",
        "wenda_updates_waiting 0",
        "wenda_questions_total 2",
        "wenda_questions_answered_total 1",
        "wenda_ratings_good_total 1",
        "wenda_articles 7",
    ):
        assert f"{line}\n" in text
    assert (await fetched(f"http://127.0.0.1:{port}/nothing"))[0] == 404
    state.database.run("ALTER TABLE questions RENAME TO gone")
    status, text = await fetched(f"http://127.0.0.1:{port}/metrics")
    assert status == 503
    assert "no such table" in text
    state.database.run("ALTER TABLE gone RENAME TO questions")
    stop.set()
    await asyncio.wait_for(task, 20)
