"""Updates of one chat in order, also where an earlier one is taken over from another process later."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from telegram import Update

from bot.inbox import Inbox
from bot.ordering import ChatOrderProcessor
from bot.state import State


def update(number: int) -> Update:
    message = {"message_id": number, "date": 0, "chat": {"id": 7, "type": "private"}, "text": "口岸"}
    found = Update.de_json({"update_id": number, "message": message}, None)
    assert found is not None
    return found


async def test_an_earlier_update_that_comes_later_is_not_waited_for_in_vain(tmp_path: Path) -> None:
    state = State.open(tmp_path / "bot.sqlite3")
    state.updates.receive(1, update(1).to_json(), chat=7, owner="another process")
    handled: list[int] = []
    with ThreadPoolExecutor(2) as executor:
        inbox = Inbox(state.updates, executor)
        processor = ChatOrderProcessor(inbox)

        async def handle(number: int) -> None:
            handled.append(number)

        await inbox.put(update(2))
        second = asyncio.create_task(processor.process_update(update(2), handle(2)))
        await asyncio.sleep(0.2)
        assert handled == []
        state.updates.release("another process")
        assert await inbox.resume(None) == 1  # type: ignore[arg-type]
        first = asyncio.create_task(processor.process_update(update(1), handle(1)))
        await asyncio.wait_for(asyncio.gather(first, second), 10)
        assert handled == [1, 2]
        assert state.updates.unfinished() == []
        third = asyncio.create_task(processor.process_update(update(2), handle(2)))
        await asyncio.wait_for(third, 10)
    assert handled == [1, 2]
    state.close()
