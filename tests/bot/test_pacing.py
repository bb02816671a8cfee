"""The bot keeps to a pace, waits where Telegram says so, and makes only those wait whom it concerns."""

import asyncio
import time
from typing import Any

import pytest
from telegram.error import RetryAfter

from bot.pacing import Pacer, Patience


async def request(pacer: Pacer, chat: int | None, log: list[int | None], floods: int = 0) -> Any:
    """A call to a chat that Telegram refuses `floods` times."""
    left = [floods]

    async def callback() -> str:
        if left[0]:
            left[0] -= 1
            raise RetryAfter(1)
        log.append(chat)
        return "done"

    data = {} if chat is None else {"chat_id": chat}
    return await pacer.process_request(callback, (), {}, "sendMessage", data, None)


async def test_a_chat_has_a_burst_and_then_waits_while_others_go_on() -> None:
    pacer, log = Pacer(overall=1000), []
    hasty = [asyncio.create_task(request(pacer, 1, log)) for _ in range(25)]
    await asyncio.sleep(0.05)
    assert log == [1] * 20
    assert await request(pacer, 2, log) == "done"
    assert await request(pacer, -3, log) == "done"
    assert await request(pacer, None, log) == "done"
    for task in hasty:
        task.cancel()
    await asyncio.gather(*hasty, return_exceptions=True)


async def test_the_overall_pace_holds_for_all_chats_together() -> None:
    pacer, log = Pacer(overall=10), []
    started = time.monotonic()
    await asyncio.gather(*(request(pacer, chat, log) for chat in range(15)))
    assert sorted(log) == list(range(15))
    assert time.monotonic() - started >= 0.4


@pytest.mark.filterwarnings("ignore:.*retry_after.*")
async def test_a_chat_that_has_to_wait_does_not_stop_others() -> None:
    pacer, log = Pacer(), []
    flooded = asyncio.create_task(request(pacer, 1, log, floods=1))
    await asyncio.sleep(0.05)
    assert await request(pacer, 2, log) == "done"
    assert log == [2]
    assert await flooded == "done"
    assert log == [2, 1]


@pytest.mark.filterwarnings("ignore:.*retry_after.*")
async def test_it_gives_up_in_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    waits: list[float] = []

    async def sleep(seconds: float) -> None:
        waits.append(seconds)

    monkeypatch.setattr("bot.pacing.asyncio.sleep", sleep)
    with pytest.raises(RetryAfter):
        await request(Pacer(), 1, [], floods=99)
    assert waits == [1.1] * 10


def test_patience_with_buttons_ends_and_comes_back(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100.0]
    monkeypatch.setattr("bot.pacing.time.monotonic", lambda: now[0])
    patience = Patience(burst=3)
    assert [patience.lets(1) for _ in range(5)] == [True, True, True, False, False]
    assert patience.lets(2)
    now[0] += 1.0
    assert [patience.lets(1) for _ in range(2)] == [True, False]
