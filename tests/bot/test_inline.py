"""Inline results where Telegram does not take a picture's address."""

from typing import Any

import pytest
from telegram import InlineQuery, InlineQueryResultArticle, Update, User
from telegram.error import BadRequest

from bot.conversation import Chat, Conversation
from bot.handlers.inline import Inline


class Assistant:
    """What the handler needs of the real one, without threads."""

    def __init__(self, conversation: Conversation, chat: Chat) -> None:
        self.conversation, self._chat = conversation, chat

    async def chat(self, _: Update) -> Chat:
        return self._chat

    async def run(self, function: Any, *arguments: Any) -> Any:
        return function(*arguments)


class Query(InlineQuery):
    """Refuses pictures the way Telegram does."""

    def __init__(self, text: str, refusal: str = "Webpage_url_invalid") -> None:
        super().__init__("1", User(1, "Ann", is_bot=False), text, "")
        with self._unfrozen():
            self.refusal = refusal
            self.tries: list[list[InlineQueryResultArticle]] = []

    async def answer(self, results: Any, **_: Any) -> bool:
        self.tries.append(results)
        if any(result.thumbnail_url for result in results):
            raise BadRequest(self.refusal)
        return True


async def test_results_go_without_pictures_that_are_not_taken(conversation: Conversation, chat: Chat) -> None:
    query = Query("口岸")
    await Inline(Assistant(conversation, chat)).typed(Update(1, inline_query=query), None)  # type: ignore[arg-type]
    first, second = query.tries
    assert first[0].thumbnail_url == "https://img.example/1.png"
    assert [result.title for result in second] == [result.title for result in first]
    assert {result.thumbnail_url for result in second} == {None}


async def test_other_refusals_are_errors(conversation: Conversation, chat: Chat) -> None:
    query = Query("口岸", "RESULT_ID_INVALID")
    with pytest.raises(BadRequest, match="RESULT_ID_INVALID"):
        await Inline(Assistant(conversation, chat)).typed(Update(1, inline_query=query), None)  # type: ignore[arg-type]
    assert len(query.tries) == 1
