"""Updates that are brought to the webhook: the response carries the answer, and is said again if need be."""

import asyncio
import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from aiohttp import ClientSession
from telegram import Update

from bot.inbox import Inbox
from bot.owner import owner_name
from bot.state import State
from bot.turns import Response
from bot.webhook import Webhook

from .api_server import ApiServer, Person
from .archives import FakeArchive, article
from .conftest import BOTH_WAYS, RunningBot

HOOK = pytest.mark.parametrize("transport", ["webhook"], indirect=True)
CHAT = {"id": 7, "type": "private"}
CALL = json.dumps({"method": "sendMessage", "chat_id": 7, "text": "x"})


def update(number: int) -> Update:
    message = {"message_id": number, "date": 0, "chat": CHAT, "text": "口岸"}
    found = Update.de_json({"update_id": number, "message": message}, None)
    assert found is not None
    return found


@pytest.fixture
def executor() -> Any:
    with ThreadPoolExecutor(2) as executor:
        yield executor


@pytest.fixture
async def inbox(state: State, executor: ThreadPoolExecutor) -> Inbox:
    return Inbox(state.updates, executor)


def unfinished(state: State) -> list[int]:
    return [left.id for left in state.updates.unfinished()]


async def test_the_response_carries_the_answer_and_is_said_again(inbox: Inbox, state: State) -> None:
    delivered = asyncio.create_task(inbox.deliver(update(1)))
    turn = await inbox.begin(await inbox.get())
    assert turn is not None
    assert turn.waiting
    again = asyncio.create_task(inbox.deliver(update(1)))
    assert await turn.respond(CALL)
    assert not await turn.respond("too late")
    assert unfinished(state) == []
    await inbox.done(update(1), turn)
    assert await delivered == await again == await inbox.deliver(update(1)) == Response(call=CALL)
    assert inbox.empty()


async def test_another_process_says_again_what_was_said(
    inbox: Inbox, state: State, executor: ThreadPoolExecutor
) -> None:
    delivered = asyncio.create_task(inbox.deliver(update(1)))
    turn = await inbox.begin(await inbox.get())
    assert turn is not None
    other = Inbox(state.updates, executor)
    assert await other.deliver(update(1)) == Response(taken=False)
    await turn.respond(CALL)
    await delivered
    assert await other.deliver(update(1)) == Response(call=CALL)


async def test_what_a_process_held_when_it_died_is_left_to_telegram(inbox: Inbox, state: State) -> None:
    machine, number, _, _ = owner_name().rsplit(" ", 3)
    dead = f"{machine} {number} 1 0"
    state.updates.hold(1, update(1).to_json(), chat=7, owner=dead, is_gone=lambda _: False)
    state.updates.receive(2, update(2).to_json(), chat=8, owner=dead)
    assert await inbox.resume(None) == 1  # type: ignore[arg-type]
    taken = await inbox.get()
    assert isinstance(taken, Update)
    assert taken.update_id == 2
    delivered = asyncio.create_task(inbox.deliver(update(1)))
    turn = await inbox.begin(await inbox.get())
    assert turn is not None
    await inbox.done(update(1), turn)
    assert await delivered == Response()


async def test_a_process_that_lives_keeps_what_it_holds(inbox: Inbox, state: State) -> None:
    state.updates.hold(1, update(1).to_json(), chat=7, owner="elsewhere 1 1 0", is_gone=lambda _: False)
    assert await inbox.deliver(update(1)) == Response(taken=False)
    assert inbox.empty()
    state.database.run("UPDATE inbox SET lease_until = 0")
    delivered = asyncio.create_task(inbox.deliver(update(1)))
    assert await inbox.begin(await inbox.get()) is not None
    delivered.cancel()


async def test_what_nobody_brings_again_does_not_hold_up_its_chat(inbox: Inbox, state: State) -> None:
    state.updates.hold(1, update(1).to_json(), chat=7, owner="elsewhere 1 1 0", is_gone=lambda _: False)
    state.database.run("UPDATE inbox SET lease_until = 0")
    await inbox.put(update(2))
    assert await inbox.begin(await inbox.get()) is not None


async def test_telegram_does_not_wait_for_what_takes_long(
    inbox: Inbox, state: State, executor: ThreadPoolExecutor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.inbox.HOLD_SECONDS", 0.05)
    assert await inbox.deliver(update(1)) == Response()
    turn = await inbox.begin(await inbox.get())
    assert turn is not None
    assert not await turn.respond(CALL)
    assert unfinished(state) == [1]
    other = Inbox(state.updates, executor)
    assert await other.deliver(update(1)) == Response()  # it is sure to be handled: not brought again
    state.updates.release(inbox._owner)
    assert await other.resume(None) == 1  # type: ignore[arg-type]


async def test_polling_after_a_webhook_takes_over_what_was_held(inbox: Inbox, state: State) -> None:
    state.updates.hold(1, update(1).to_json(), chat=7, owner="", is_gone=lambda _: False)
    await inbox.put(update(1))
    assert inbox.empty()
    assert await inbox.resume(None) == 1  # type: ignore[arg-type]


@HOOK
async def test_answers_come_in_responses_and_nobody_else_is_let_in(
    server: ApiServer, running: RunningBot, transport: Webhook
) -> None:
    await server.answer_to("口岸食堂的饺子")
    await server.answer_to("/help")
    assert server.in_responses == 2
    sent = {"json": update(5).to_dict(), "headers": {"X-Telegram-Bot-Api-Secret-Token": "guessed"}}
    async with ClientSession() as session:
        for given in (sent, {"json": sent["json"]}, {"data": b"x", "headers": {"X": "y"}}):
            assert (await session.post(transport.url, **given)).status == 403  # type: ignore[arg-type]
        known = {"X-Telegram-Bot-Api-Secret-Token": transport.secret, "Content-Type": "application/json"}
        for body in (b"no JSON", b"[]", b'{"message": {}}'):
            assert (await session.post(transport.url, data=body, headers=known)).status == 400
        assert (await session.get(transport.url)).status == 405
    assert len(server.messages) == 2


@HOOK
async def test_a_picture_is_shown_in_a_response_once_telegram_took_it(
    server: ApiServer, running: RunningBot, archive: FakeArchive
) -> None:
    picture = "https://img.example/unicorn.png"
    archive._articles["a9"] = article(9, "独角兽", "独角兽在这里。", image=picture)
    answers = [await server.answer_to("独角兽在这里", Person(number)) for number in (1, 2)]
    assert [(answer.preview or {}).get("url") for answer in answers] == [picture, picture]
    assert server.in_responses == 1


@HOOK
async def test_near_the_limits_answers_are_sent_where_refusals_are_seen(
    server: ApiServer, running: RunningBot
) -> None:
    answer = await server.answer_to("口岸食堂的饺子")
    assert server.in_responses == 1
    server.floods.append(1)
    await server.pressed(answer, "⤢ 1")
    await server.answer_to("口岸食堂的饺子", Person(7))
    assert server.in_responses == 1
    assert server.refusals.pop() == "Too Many Requests: retry after 1"


@HOOK
async def test_half_of_what_may_be_sent_goes_in_responses(server: ApiServer, running: RunningBot) -> None:
    for _ in range(14):
        await server.answer_to("/help")
    assert 10 <= server.in_responses < 14


@BOTH_WAYS
async def test_what_was_begun_is_answered_when_the_bot_stops(
    server: ApiServer, running: RunningBot, archive: FakeArchive
) -> None:
    for person in range(100, 110):
        await server.say("口岸食堂的饺子", Person(person))
    await server.wait(lambda: bool(archive.questions))
    await running.stop()
    assert server.messages
    await running.start()
    await server.wait(lambda: len(server.messages) == 10)
    await server.answer_to("口岸食堂的饺子")
    assert len(server.messages) == 11
