"""What hostile articles, names, questions, buttons and files can do: nothing."""

import asyncio
import logging
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.conversation import Chat, Conversation
from bot.delivery import keyboard, picture_preview
from bot.i18n import Language
from bot.links import Links, TelegramLinks
from bot.reply import Reply
from bot.state import State
from bot.telegram_html import to_html
from retrieval.types import Article

from .api_server import BOT, TOKEN, ApiServer, Person, Sent, units
from .api_server.rules import check_preview, markup_of, text_of
from .archives import FakeArchive, article
from .conftest import RunningBot

NASTY = (
    "<b>", "</b>", "<a href='tg://user?id=1'>", "<script>", "&lt;", "&#x202e;", "&", "*_`[x](http://y.z)",
    "\\", "\u202e", "\u2066", "\u200b", "\u200d", "\ufeff", "\x00", "\x1b[31m", "\ud800", "👨\u200d👩", "ﷺ",
    "e\u0301\u0333", "\r\n", "\n\n\n", "\u2028", "口岸", "海盗", "{0}", "%s", "/start", f"@{BOT['username']}",
    '"', "'>",
)  # fmt: skip
texts = st.lists(st.sampled_from(NASTY) | st.text(max_size=12), max_size=15).map("".join)
long_texts = st.tuples(texts, st.integers(1, 60)).map(lambda pair: pair[0] * pair[1])
addresses = (
    st.none() | texts | st.just("https://x.org/?q=" + "a" * 1900) | texts.map("https://x.org/{}".format)
)
# Lone surrogates cannot be stored: an index never holds them, questions may.
held = long_texts.map(lambda text: text.replace("\ud800", ""))
articles = st.builds(
    Article,
    id=st.integers(1, 10**6).map(str),
    title=held,
    text=held.map(lambda text: text + "\n口岸海盗的箱子。"),
    url=addresses,
    author=held,
    source=held,
    image=addresses,
    tags=st.lists(held, max_size=5).map(tuple),
    categories=st.lists(held, max_size=3).map(tuple),
    published_at=st.none() | st.datetimes(),
)


def accepted(reply: Reply) -> None:
    """Assert that the strict server takes the reply, as a message or as a notice."""
    assert len(reply.notice) <= 200
    if not reply.text:
        return
    text_of({"text": to_html(reply.text), "parse_mode": "HTML"})
    markup = keyboard(reply)
    markup_of({"reply_markup": markup.to_dict()} if markup else {})
    check_preview({"link_preview_options": picture_preview(reply.image).to_dict()})


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    collection=st.lists(articles, min_size=1, max_size=6, unique_by=lambda each: each.id), question=long_texts
)
def test_whatever_articles_and_questions_hold_every_reply_is_a_message_telegram_takes(
    collection: list[Article], question: str
) -> None:
    state = State.open(None)
    archive = FakeArchive(collection)
    build: Callable[[Links], Conversation] = _conversation(archive, state)
    conversation = build(TelegramLinks(lambda: BOT["username"], state))
    chat = Chat("1", Language.SIMPLIFIED_CHINESE)
    pending = [conversation.ask(chat, question), conversation.ask(chat, "口岸海盗")]
    pressed: set[object] = set()
    while pending and len(pressed) < 30:
        reply = pending.pop()
        accepted(reply)
        for button in (button for row in reply.buttons for button in row):
            if button.action is not None and button.action not in pressed:
                pressed.add(button.action)
                pending.append(conversation.press(chat, button.action))
    state.close()


def _conversation(archive: FakeArchive, state: State) -> Callable[[Links], Conversation]:
    from bot.greeting import Greeter
    from bot.suggestions import Suggestions

    return lambda links: Conversation(
        archive, state, links, Greeter(archive.overview, Suggestions(archive), state)
    )


@settings(max_examples=60, deadline=None)
@given(data=st.text(max_size=64) | st.from_regex(r"[a-z]{1,2}(:[0-9a-zA-Z_-]{0,20}){0,6}", fullmatch=True))
def test_forged_buttons_get_a_reply_that_telegram_takes(data: str) -> None:
    from bot.actions import decode

    state = State.open(None)
    conversation = _conversation(FakeArchive([article(1, "口岸", "口岸")]), state)(
        TelegramLinks(lambda: BOT["username"], state)
    )
    if (action := decode(data)) is not None:
        accepted(conversation.press(Chat("1", Language.ENGLISH), action))
    state.close()


def last(server: ApiServer) -> Sent:
    return max(server.messages.values(), key=lambda message: message.message_id)


@pytest.mark.parametrize(
    "text",
    [
        "\u202e口岸\u202c<b>*食堂*</b>",
        "口\u200b岸\u200d食\ufeff堂的饺子",
        "[口岸食堂](https://evil.example) `饺子` __x__ ||y||",
        "<a href='https://evil.example'>口岸食堂的饺子</a>",
        "口岸食堂的饺子" + "\u0333\u030a" * 50,
    ],
)
async def test_markup_in_questions_is_never_markup(server: ApiServer, running: RunningBot, text: str) -> None:
    answer = await server.answer_to(text, Person(1, first_name="<b>\u202e&</b>"))
    assert not any("evil.example" in link for link in answer.links)
    assert "\u202e" not in answer.text
    assert 0 < units(answer.text) <= 4096


async def test_a_thousand_buttons_pressed_at_once_hold_nobody_else_up(
    server: ApiServer, running: RunningBot
) -> None:
    answer = await server.answer_to("口岸")
    labels = ["下一页 ›", "⤢ 1", "👍", "⤢ 2"]
    queries = await asyncio.gather(
        *(server.press(answer, labels[number % 4], Person()) for number in range(1000))
    )
    other = await server.answer_to("口岸食堂的饺子", Person(7))
    assert other.text.startswith("1. 口岸食堂")
    await server.wait(lambda: _count(server, "answerCallbackQuery") >= 1000, 120)
    refused = [query for query in queries if query.notice == "按得太快了，请稍等片刻。"]
    late = [query for query in queries if not query.answered]
    assert len(refused) + len(late) >= 800
    assert len(late) == sum("query is too old" in each for each in server.refusals)
    assert not [each for each in server.refusals if "modified" not in each and "too old" not in each]
    assert (await server.answer_to("口岸食堂的饺子")).text.startswith("1. 口岸食堂")
    server.refusals.clear()


def _count(server: ApiServer, method: str) -> int:
    return sum(name == method for name, _ in server.calls)


async def test_forged_and_cut_button_data(server: ApiServer, running: RunningBot) -> None:
    answer = await server.answer_to("口岸")
    real = list(answer.buttons.values())
    forged = [data[:cut] for data in real[:2] for cut in range(len(data))] + [
        data + ":0" for data in real[:3]
    ]
    forged += [
        "\u202e",
        "p:-1:0:0",
        "p:1:0x1:0",
        "u:1:0:99999999999:1:1",
        "r:../../etc:0:0:0",
        "😀" * 16,
        "l:zzzz",
    ]
    for number, data in enumerate(forged):
        query = await server.press_data(answer, data, Person(100 + number))
        await server.wait(lambda query=query: query.answered)  # type: ignore[misc]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("../../../etc/passwd", b"root"),
        ("口岸\u202egpj.exe", b"MZ" + bytes(100)),
        ("article.md\x00.png", b"\x89PNG"),
        ("a" * 5000 + ".md", b"# x"),
        ("", b"x"),
        ("huge.txt", bytes(21 * 2**20)),
    ],
)
async def test_files_from_people_who_are_no_admins_do_nothing(
    server: ApiServer, running: RunningBot, archive: FakeArchive, name: str, content: bytes
) -> None:
    before = list(archive.articles())
    answer = await server.answer_to_file(content, name)
    assert answer.text
    assert list(archive.articles()) == before
    assert not [method for method, _ in server.calls if method == "getFile"]


async def test_what_is_sent_inline_into_the_chat_with_the_bot_is_no_question(
    server: ApiServer, running: RunningBot
) -> None:
    typed = await server.type("口岸")
    await server.choose(typed)
    answer = await server.answer_to("口岸食堂的饺子")
    assert list(server.messages.values()) == [answer]


async def test_a_bot_thrown_out_of_its_groups_and_chats_goes_on(
    server: ApiServer, running: RunningBot, caplog: pytest.LogCaptureFixture
) -> None:
    server.group(-100)
    await server.kick(-100)
    await server.say(f"@{BOT['username']} 口岸", chat_id=-100)
    await server.answer_to("口岸食堂的饺子", Person(9))
    await server.block(Person(9))
    await server.say("口岸", Person(9))
    await server.wait(lambda: len(server.refusals) == 2)
    assert {each.partition(":")[0] for each in server.refusals} == {"Forbidden"}
    server.refusals.clear()
    assert (await server.answer_to("口岸食堂的饺子")).text.startswith("1. 口岸食堂")
    assert "Traceback" not in caplog.text


async def test_the_token_is_in_no_log_line_whatever_goes_wrong(
    server: ApiServer, running: RunningBot, archive: FakeArchive, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, "bot")
    archive.failing = True
    await server.answer_to("口岸")
    archive.failing = False
    server.floods.extend([1, 1])
    await server.answer_to("口岸食堂的饺子")
    port = int(server.url.rpartition(":")[2])
    await server.stop()
    await asyncio.sleep(0.3)
    await server.start(port)
    await server.answer_to("口岸食堂的饺子")
    shown: list[Any] = [caplog.text, *(sent.text for sent in server.messages.values())]
    assert not [each for each in shown if TOKEN in each or TOKEN.partition(":")[2] in each]
    server.refusals.clear()
