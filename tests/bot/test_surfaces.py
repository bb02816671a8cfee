"""Everything that is registered is exercised: every command, every kind of button, in two languages.

The lists come from the application itself, so that what is added later is covered, or fails here.
"""

import re
from collections.abc import AsyncIterator, Iterator
from dataclasses import fields, replace
from datetime import UTC
from pathlib import Path
from typing import Any

import pytest
from telegram.ext import (
    Application,
    BaseHandler,
    CallbackQueryHandler,
    CommandHandler,
    InlineQueryHandler,
    MessageHandler,
    TypeHandler,
)

from bot import actions, serving
from bot.access import Welcome
from bot.actions import decode, encode
from bot.administration import Administration
from bot.application import ALLOWED_UPDATES
from bot.handlers import admin
from bot.keeping import Keeper
from bot.state import State
from retrieval import Retriever

from .api_server import BOT, ApiServer, Limits, Person, Sent
from .archives import FakeArchive, article, river_articles
from .conftest import BOTH_WAYS, RunningBot

pytestmark = BOTH_WAYS
GROUP = -100900
PEOPLE = {"zh": Person(42, language_code="zh-hans"), "en": Person(43, language_code="en")}
ADMINS = {"zh": Person(1, language_code="zh-hans"), "en": Person(3, language_code="en")}
STARTS = (
    "俄罗斯海外仓建了多少个",
    "口岸",
    "去年口岸小学",
    "明天黑河到上海的航班还有票吗",
    "那海外仓呢？",
    "zzz qqq",
)
MOST_PRESSES = 150
CHINESE = re.compile("[\u4e00-\u9fff]")


@pytest.fixture
async def server() -> AsyncIterator[ApiServer]:
    """One without flood control: the tests below press as fast as they can."""
    server = ApiServer(limits=Limits(overall=None, private=None, group=None))
    await server.start()
    yield server
    await server.stop()


@pytest.fixture(autouse=True)
def built(monkeypatch: pytest.MonkeyPatch) -> list[Application[Any, Any, Any, Any, Any, Any]]:
    """The applications that were served, and no limit on pressing."""
    seen: list[Application[Any, Any, Any, Any, Any, Any]] = []
    register = serving.register

    def noting(application: Any, *args: Any, **kwargs: Any) -> None:
        register(application, *args, **kwargs)
        seen.append(application)

    monkeypatch.setattr(serving, "register", noting)
    monkeypatch.setattr("bot.pacing._PRIVATE", (1000, 1.0))
    monkeypatch.setattr("bot.pacing._GROUP", (1000, 1.0))
    monkeypatch.setattr("bot.pacing.Patience.lets", lambda *_: True)
    return seen


@pytest.fixture
def keeper(tmp_path: Path) -> Iterator[Keeper]:
    """What admins change: an archive that can be written to."""
    with Retriever.open(tmp_path / "index") as retriever:
        retriever.add(river_articles())
        yield Keeper(retriever, [], tmp_path / "uploads")


@pytest.fixture
async def crawled(
    built: list[Any],
    server: ApiServer,
    running: RunningBot,
    archive: FakeArchive,
    keeper: Keeper,
    state: State,
) -> AsyncIterator[Any]:
    """The application, with admins, over articles of two categories."""
    for number, category in ((8, "交通"), (9, "贸易")):
        archive._articles[f"a{number}"] = article(
            number, f"口岸的{category}", "口岸很忙。", categories=(category,)
        )
    await running.stop()
    welcome = Welcome(admins=frozenset(person.id for person in ADMINS.values()))
    for person in ADMINS.values():
        server.incoming("/start", person, person.id, {})
    administration = Administration(keeper, state, UTC)
    running._service = replace(running._service, welcome=welcome, administration=administration)
    await running.start()
    await server.answer_to("/help", ADMINS["zh"])
    yield built[-1]
    assert [each for each in server.refusals if "not modified" not in each] == []
    server.refusals.clear()


def handlers(application: Any) -> list[BaseHandler[Any, Any, Any]]:
    return [handler for group in application.handlers.values() for handler in group]


def commands(application: Any) -> list[str]:
    """The names of all commands, those of admins too."""
    found = {
        name for each in handlers(application) if isinstance(each, CommandHandler) for name in each.commands
    }
    return sorted(found)


async def test_every_kind_of_handler_is_one_that_these_tests_know(crawled: Any) -> None:
    known = CommandHandler | CallbackQueryHandler | MessageHandler | InlineQueryHandler | TypeHandler
    assert [each for each in handlers(crawled) if not isinstance(each, known)] == []
    assert set(ALLOWED_UPDATES) >= {"message", "edited_message", "callback_query", "inline_query"}


async def test_every_command_is_answered_in_both_languages_and_in_groups(
    server: ApiServer, crawled: Any
) -> None:
    server.group(GROUP)
    names = commands(crawled)
    assert {"ask", "help", "language", "latest", "reset", "start", *admin.MENU} <= set(names)
    for name in names:
        people = ADMINS if name in admin.MENU else PEOPLE
        plain = {tag: await server.answer_to(f"/{name}", person) for tag, person in people.items()}
        assert CHINESE.search(plain["zh"].text)
        assert plain["zh"].text != plain["en"].text
        assert not CHINESE.search(plain["en"].text.split("\n")[0].split("：")[0].split(":")[0])
        assert (await server.answer_to(f"/{name} 口岸食堂的饺子", people["zh"])).text
    for name in ("ask", "help", "language", "latest", "reset", "start"):
        answer = await server.answer_to(f"/{name}@{BOT['username']}", PEOPLE["en"], chat_id=GROUP)
        assert answer.chat_id == GROUP


@pytest.mark.parametrize("tag", ["zh", "en"])
async def test_every_kind_of_button_is_pressed(server: ApiServer, crawled: Any, tag: str) -> None:
    person = ADMINS[tag]
    pending: list[Sent] = []
    for name in commands(crawled):
        pending.append(await server.answer_to(f"/{name}", person))
        pending.append(await server.answer_to(f"/{name} 口岸", person))
    for text in STARTS:
        pending.append(await server.answer_to(text, person))
    pending.append(await server.answer_to("口岸的货车排成长队", person, forward_origin=_origin()))
    pressed = await _press_all(server, pending, person)
    kinds = {type(decode(data)) for data in pressed}
    missing = {kind.__name__ for kind in set(actions._CODES.values()) - kinds}
    assert not missing, f"no message above has buttons for {missing}: say in STARTS what brings them"


def _origin() -> dict[str, Any]:
    return {"type": "hidden_user", "date": 1, "sender_user_name": "某人"}


async def _press_all(server: ApiServer, pending: list[Sent], person: Person) -> set[str]:
    """Press the buttons of messages, and those that appear then; of each kind only so many."""
    pressed: set[str] = set()
    counts: dict[str, int] = {}
    while pending and len(pressed) < MOST_PRESSES:
        message = pending.pop()
        for data in list(message.buttons.values()):
            kind = data.partition(":")[0]
            if data in pressed or decode(data) is None or counts.get(kind, 0) >= 6:
                continue
            pressed.add(data)
            counts[kind] = counts.get(kind, 0) + 1
            before = set(server.messages)
            query = await server.press_data(message, data, person)
            await server.wait(lambda query=query: query.answered)  # type: ignore[misc]
            await server.answer_to("/help", Person(999))
            fresh = [server.messages[key] for key in server.messages.keys() - before if key[0] == person.id]
            pending += [message, *fresh]
    return pressed


async def test_nobody_else_can_do_what_admins_can(
    server: ApiServer, crawled: Any, archive: FakeArchive, keeper: Keeper
) -> None:
    stranger, bystander = Person(77), Person(78)
    await server.answer_to("/start", bystander)
    before = [each.id for each in (*archive.articles(), *keeper.retriever.articles())]
    others = {key for key in server.messages if key[0] != stranger.id}
    for name in commands(crawled):
        for text in (f"/{name}", f"/{name} 口岸", f"/{name} a1"):
            await server.answer_to(text, stranger)
    answer = await server.answer_to("口岸", stranger)
    for kind in actions._CODES.values():
        for value in (0, 1, 2):
            given = ["aaaaaaaaaaaaaaaa" if each.type in {"str", str} else value for each in fields(kind)]
            query = await server.press_data(answer, encode(kind(*given)), stranger)
            await server.wait(lambda query=query: query.answered)  # type: ignore[misc]
    await server.send_file(b"# x\n\nnew", "new.md", stranger)
    await server.answer_to("/help", stranger)
    assert [each.id for each in (*archive.articles(), *keeper.retriever.articles())] == before
    assert {key for key in server.messages if key[0] != stranger.id} == others
    assert not [method for method, _ in server.calls if method in {"getFile", "sendDocument", "sendPhoto"}]
