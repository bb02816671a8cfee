"""Subscriptions over HTTP: subscribing, being told once, quiet hours, ending, who blocked the bot."""

from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from bot.arrivals import Arrivals, due_time
from bot.conversation import Conversation
from bot.greeting import Greeter
from bot.i18n import Language
from bot.links import TelegramLinks
from bot.opening import overview
from bot.serving import Service
from bot.state import State
from bot.state.preferences import Preference
from bot.suggestions import Suggestions
from bot.webhook import Webhook
from retrieval import Retriever

from .api_server import ApiServer, Person, Sent
from .archives import article, river_articles
from .conftest import BOTH_WAYS, RunningBot

SHIP = article(
    8, "黑龙江首航", "黑龙江今年的首航船期是四月二十八日，由黑河港开出。", categories=("航运",),
    url="https://news.example/ship",
)  # fmt: skip
ENGLISH = Person(2, language_code="en")


@pytest.fixture
def retriever(tmp_path: Path) -> Iterator[Retriever]:
    with Retriever.open(tmp_path / "index") as retriever:
        retriever.add(river_articles())
        yield retriever


@pytest.fixture
def state(location: str) -> Iterator[State]:
    state = State.open(location)
    yield state
    state.close()


@pytest.fixture
async def running(
    server: ApiServer,
    retriever: Retriever,
    state: State,
    transport: Webhook | None,
    monkeypatch: pytest.MonkeyPatch,
) -> AsyncIterator[RunningBot]:
    monkeypatch.setattr("bot.telling.LOOK_SECONDS", 0.05)
    greeter = Greeter(lambda: overview(retriever), Suggestions(retriever), state)
    service = Service(
        lambda username: Conversation(retriever, state, TelegramLinks(username, state), greeter),
        state,
        arrivals=Arrivals(retriever, state, UTC).look,
        webhook=transport,
        signals=(),
    )
    bot = RunningBot(server, service)
    await bot.start()
    await server.wait(lambda: bool(server.commands))
    yield bot
    await bot.stop()
    assert server.refusals == []


def told(server: ApiServer, person: Person) -> list[Sent]:
    return [
        sent
        for (chat, _), sent in sorted(server.messages.items())
        if chat == person.id and "黑龙江首航" in sent.text
    ]


async def looked(state: State, server: ApiServer) -> None:
    """Wait until the articles that are there have been looked at: what comes now is new."""
    await server.wait(lambda: state.database.row("SELECT 1 FROM jobs WHERE mark <> ''") is not None)


async def test_a_question_is_followed_and_its_answer_told_once(
    server: ApiServer, running: RunningBot, retriever: Retriever, state: State
) -> None:
    person = Person()
    added = await server.answer_to("/subscribe 黑龙江今年的首航船期是哪天？", person)
    assert added.text == "🔔 问题： 黑龙江今年的首航船期是哪天？\n\n有相关的新文章时会告诉你。"
    assert list(added.buttons) == ["当作关键词", "当作分类", "🔕 取消"]
    await looked(state, server)
    retriever.add([SHIP, article(9, "口岸招聘", "口岸招聘两名会计。")])
    await server.wait(lambda: len(told(server, person)) == 1)
    notice = told(server, person)[0]
    assert notice.text.startswith(
        "🔔 问题： 黑龙江今年的首航船期是哪天？\n\n黑龙江首航\n黑龙江日报 · 2021-07-08 · 原文 ↗\n"
    )
    assert "黑龙江今年的首航船期是四月二十八日，由黑河港开出。" in notice.marked("bold")
    retriever.add([article(8, "黑龙江首航", "黑龙江今年的首航船期是四月二十八日，由黑河港开出，改了。")])
    retriever.add([article(10, "黑龙江首航二", "黑龙江首航船期是四月，今年。")])
    await server.answer_to("/subscriptions", person)
    await server.wait(lambda: not state.notices.due_chats())
    assert sum("黑龙江首航\n" in sent.text for sent in told(server, person)) == 1
    await server.press(notice, "📖 阅读全文")
    await server.wait(lambda: any(sent.text.startswith("黑龙江首航\n") for sent in told(server, person)))
    await server.press(notice, "🔕 取消")
    await server.wait(lambda: state.subscriptions.all() == [])


@BOTH_WAYS
async def test_keywords_and_categories_in_english(
    server: ApiServer, running: RunningBot, retriever: Retriever, state: State
) -> None:
    added = await server.answer_to("/subscribe 首航 -招聘", ENGLISH)
    assert added.text == "🔔 Keywords: 首航 -招聘\n\nYou will be told of new articles on this."
    await server.answer_to("/subscribe #航运", ENGLISH)
    overview = await server.answer_to("/subscriptions", ENGLISH)
    assert overview.text == "You are told of new articles on:\n\n1. Keywords: 首航 -招聘\n2. Category: 航运"
    await looked(state, server)
    retriever.add([SHIP])
    await server.wait(lambda: len(told(server, ENGLISH)) == 1)
    assert told(server, ENGLISH)[0].text.startswith("🔔 Keywords: 首航 -招聘\n\n黑龙江首航")
    await server.press(overview, "✕ 1", ENGLISH)
    await server.wait(lambda: overview.text == "You are told of new articles on:\n\n1. Category: 航运")
    await server.press(overview, "✕ 1", ENGLISH)
    await server.wait(lambda: overview.text == "There are no subscriptions yet. /subscribe adds one.")


@BOTH_WAYS
async def test_the_kind_is_changed_with_one_tap(server: ApiServer, running: RunningBot, state: State) -> None:
    added = await server.answer_to("/subscribe 首航")
    assert added.text.startswith("🔔 关键词： 首航")
    await server.pressed(added, "当作分类")
    assert added.text.startswith("🔔 分类： 首航")
    assert [each.kind for each in state.subscriptions.all()] == ["category"]
    await server.pressed(added, "当作问题")
    assert [each.kind for each in state.subscriptions.all()] == ["question"]


@BOTH_WAYS
async def test_a_refusal_offers_to_tell(
    server: ApiServer, running: RunningBot, retriever: Retriever, state: State
) -> None:
    refusal = await server.answer_to("黑龙江今年的首航船期是哪天？")
    assert refusal.text.startswith("没有找到能回答这个问题的内容。")
    await looked(state, server)
    await server.press(refusal, "🔔 有了告诉我")
    await server.wait(lambda: len(state.subscriptions.all()) == 1)
    retriever.add([SHIP])
    await server.wait(lambda: len(told(server, Person())) == 1)


@BOTH_WAYS
async def test_what_cannot_be_followed_is_explained(
    server: ApiServer, running: RunningBot, state: State
) -> None:
    assert (await server.answer_to("/subscribe")).text.startswith("有新文章时，想收到哪些？")
    assert (await server.answer_to("/subscribe …")).text.startswith("有新文章时，想收到哪些？")
    assert (await server.answer_to("/subscribe (口岸 | ")).text.startswith("这些关键词不能用：")
    assert (await server.answer_to("/subscribe " + "长" * 201)).text == "请写得短一些，最多 200 个字。"
    for number in range(50):
        state.subscriptions.add("42", "keywords", f"词{number}", Language.ENGLISH)
    assert (await server.answer_to("/subscribe 首航")).text.startswith("太多了：每个聊天最多 50 个订阅。")


async def test_digests_and_quiet_hours_are_chosen_and_kept_to(
    server: ApiServer, running: RunningBot, retriever: Retriever, state: State
) -> None:
    await server.answer_to("/subscribe 首航")
    listed = await server.answer_to("/subscriptions")
    await server.pressed(listed, "🔔 立即通知")
    assert "📰 每天 8 点汇总" in listed.buttons
    await server.pressed(listed, "🌙 不设免打扰")
    assert "🌙 22 点至 7 点免打扰" in listed.buttons
    assert state.preferences.of("42") == Preference(8, 22, 7)
    await looked(state, server)
    retriever.add([SHIP])
    await server.wait(lambda: state.database.row("SELECT 1 FROM notices") is not None)
    assert state.notices.due_chats() == []
    row = state.database.row("SELECT due_at FROM notices")
    assert row is not None
    assert datetime.fromtimestamp(row[0], UTC).strftime("%H:%M:%S") == "08:00:00"
    await server.pressed(listed, "📰 每天 8 点汇总")
    await server.pressed(listed, "📰 每天 20 点汇总")
    assert "🔔 立即通知" in listed.buttons
    await server.pressed(listed, "🌙 22 点至 7 点免打扰")
    await server.pressed(listed, "🌙 23 点至 8 点免打扰")
    await server.pressed(listed, "🌙 0 点至 9 点免打扰")
    await server.wait(lambda: len(told(server, Person())) == 1)


async def test_many_new_articles_come_in_one_message(
    server: ApiServer, running: RunningBot, retriever: Retriever, state: State
) -> None:
    await server.answer_to("/subscribe 首航")
    await looked(state, server)
    retriever.add([article(20 + number, f"首航之{number}", f"第{number}次首航。") for number in range(4)])
    await server.wait(lambda: any("首航之3" in sent.text for sent in server.messages.values()))
    notices = [sent for sent in server.messages.values() if "首航之" in sent.text]
    assert len(notices) == 1
    assert [f"首航之{number}" in notices[0].text for number in range(4)] == [True] * 4
    assert "📖 阅读全文 4" in notices[0].buttons


async def test_who_blocked_the_bot_is_dropped(
    server: ApiServer, running: RunningBot, retriever: Retriever, state: State
) -> None:
    await server.answer_to("/subscribe 首航")
    await server.answer_to("/subscribe 首航", ENGLISH)
    await looked(state, server)
    server.blocked.add(42)
    retriever.add([SHIP])
    await server.wait(lambda: len(told(server, ENGLISH)) == 1 and len(server.refusals) == 1)
    assert server.refusals.pop() == "Forbidden: bot was blocked by the user"
    await server.wait(lambda: [each.chat for each in state.subscriptions.all()] == ["2"])


async def test_subscriptions_in_a_topic_are_told_there(
    server: ApiServer, running: RunningBot, retriever: Retriever, state: State
) -> None:
    group = server.group(-100, topics=True)
    await server.answer_to(
        "/subscribe@wenda_test_bot 首航", chat_id=group, message_thread_id=7, is_topic_message=True
    )
    await looked(state, server)
    retriever.add([SHIP])
    await server.wait(lambda: any("黑龙江首航" in sent.text for sent in server.messages.values()))
    notice = next(sent for sent in server.messages.values() if "黑龙江首航" in sent.text)
    assert (notice.chat_id, notice.thread) == (group, 7)


async def test_articles_that_came_while_the_bot_was_away_are_told(
    server: ApiServer, running: RunningBot, retriever: Retriever, state: State
) -> None:
    await server.answer_to("/subscribe 首航")
    await looked(state, server)
    await running.stop()
    retriever.add([SHIP])
    await running.start()
    await server.wait(lambda: len(told(server, Person())) == 1)


@pytest.mark.parametrize(
    ("hour", "preference", "due"),
    [
        (12, Preference(), "2021-07-19 12:30"),
        (12, Preference(digest=8), "2021-07-20 08:00"),
        (7, Preference(digest=8), "2021-07-19 08:00"),
        (23, Preference(quiet_from=22, quiet_until=7), "2021-07-20 07:00"),
        (6, Preference(quiet_from=22, quiet_until=7), "2021-07-19 07:00"),
        (7, Preference(quiet_from=22, quiet_until=7), "2021-07-19 07:30"),
        (3, Preference(quiet_from=0, quiet_until=9), "2021-07-19 09:00"),
    ],
)
def test_when_a_chat_is_told(hour: int, preference: Preference, due: str) -> None:
    zone = ZoneInfo("Asia/Shanghai")
    now = datetime(2021, 7, 19, hour, 30, tzinfo=zone)
    assert due_time(now, preference, zone).astimezone(zone).strftime("%Y-%m-%d %H:%M") == due
