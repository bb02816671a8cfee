"""Chat-style surfaces over HTTP: follow-ups, options, related and latest articles, forwarding, /reset."""

from collections.abc import Callable

import pytest

from bot.actions import Alone, Choose, Related, encode
from bot.conversation import Conversation
from bot.greeting import Greeter
from bot.hashtags import Hashtags
from bot.links import TelegramLinks
from bot.opening import overview
from bot.serving import Service
from bot.state import State
from bot.suggestions import Suggestions
from bot.webhook import Webhook
from retrieval import Retriever

from .api_server import BOT, ApiServer, Person, Sent
from .archives import FakeArchive, article
from .conftest import BOTH_WAYS, RunningBot

pytestmark = BOTH_WAYS
NAME = f"@{BOT['username']}"
GROUP = -100500
ENGLISH = Person(7, "Ann", "en")
PICTURE = {"url": "https://img.example/1.png", "prefer_small_media": True, "show_above_text": True}
TAIWANESE = Person(8, "小華", "zh-tw")


def last(server: ApiServer) -> Sent:
    return max(server.messages.values(), key=lambda message: message.message_id)


@pytest.mark.parametrize(
    ("person", "first", "follow", "understood", "undo", "title"),
    [
        (
            *(
                Person(),
                "赵州桥是谁设计的？",
                "那洛阳桥呢？",
                "理解为：洛阳桥是谁设计的？\n\n1. ",
                "✕ 只看这一句",
            ),
            "洛阳桥不在洛阳：种牡蛎来加固的海上石桥",
        ),
        (
            *(TAIWANESE, "台北捷運第一條路線是哪一條？", "什麼時候通車的？"),
            *(
                "理解為：台北捷運第一條路線什麼時候通車的？\n\n1. ",
                "✕ 只看這一句",
                "台北捷運第一條路線為什麼用膠輪",
            ),
        ),
        (
            *(ENGLISH, "When was the Forth Bridge opened?", "How many rivets does it have?"),
            *("Understood as: How many rivets does Forth Bridge have?\n\n1. ", "✕ Just this question"),
            "Why the Forth Bridge is so enormously strong",
        ),
    ],
)
async def test_a_follow_up_is_understood_from_the_conversation_and_undone_with_one_tap(
    server: ApiServer,
    demo: RunningBot,
    person: Person,
    first: str,
    follow: str,
    understood: str,
    undo: str,
    title: str,
) -> None:
    await server.answer_to(first, person)
    answer = await server.answer_to(follow, person)
    assert answer.text.startswith(understood + title)
    await server.pressed(answer, undo, person)
    assert understood not in answer.text
    assert undo not in answer.buttons


async def test_a_follow_up_survives_a_restart_and_not_a_reset(server: ApiServer, demo: RunningBot) -> None:
    await server.answer_to("赵州桥是谁设计的？")
    await demo.stop()
    await demo.start()
    answer = await server.answer_to("什么时候的事？")
    assert answer.text.startswith("理解为：赵州桥，什么时候的事？\n\n1. 石匠李春")
    first = answer.text
    await demo.stop()
    await demo.start()
    await server.pressed(answer, "⤢ 1")
    await server.pressed(answer, "‹ 返回")
    assert answer.text == first
    assert (await server.answer_to("/reset")).text == "好，之前的对话忘掉了，从头问起吧。"
    assert not (await server.answer_to("什么时候的事？")).text.startswith("理解为")
    english = await server.answer_to("/reset", ENGLISH)
    assert english.text == "All right, I have forgotten our conversation. Ask away."


async def test_more_and_the_second_article(server: ApiServer, demo: RunningBot) -> None:
    answer = await server.answer_to("京杭大运河最早的一段是什么？")
    second = _titles(answer)[1]
    more = await server.answer_to("还有吗")
    assert more.text.startswith("理解为：接着“京杭大运河最早的一段是什么？”往下看\n\n")
    await server.answer_to("京杭大运河最早的一段是什么？")
    opened = await server.answer_to("第二篇讲了什么")
    assert opened.text.startswith(f"理解为：打开《{second}》\n\n{second}\n")
    assert "🔗 相关" in opened.buttons
    first = await server.answer_to("What is the Pale Blue Dot?", ENGLISH)
    opened = await server.answer_to("What does the second article say?", ENGLISH)
    title = _titles(first)[1]
    assert opened.text.startswith(f"Understood as: open “{title}”\n\n{title}\n")


def _titles(answer: Sent) -> list[str]:
    """The titles of the hits: what is linked and bold."""
    return [text for text in answer.marked("text_link") if text in answer.marked("bold")]


async def test_people_in_a_group_have_conversations_of_their_own(server: ApiServer, demo: RunningBot) -> None:
    server.group(GROUP, topics=True)
    topic = {"message_thread_id": 5, "is_topic_message": True}
    answer = await server.answer_to(f"{NAME} 赵州桥是谁设计的？", Person(1), chat_id=GROUP, **topic)
    assert answer.thread == 5
    follow = f"{NAME} 那洛阳桥呢？"
    assert "理解为" not in (await server.answer_to(follow, Person(2), chat_id=GROUP, **topic)).text
    other = {"message_thread_id": 6, "is_topic_message": True}
    assert "理解为" not in (await server.answer_to(follow, Person(1), chat_id=GROUP, **other)).text
    understood = await server.answer_to(follow, Person(1), chat_id=GROUP, **topic)
    assert understood.text.startswith("理解为：洛阳桥是谁设计的？")
    assert understood.reply_to == understood.message_id - 1


async def test_a_reply_to_an_answer_goes_on_with_that_answer(server: ApiServer, demo: RunningBot) -> None:
    server.group(GROUP)
    answer = await server.answer_to(f"{NAME} 赵州桥是谁设计的？", Person(1), chat_id=GROUP)
    await server.answer_to(f"{NAME} 大熊猫是谁发现的？", Person(2), chat_id=GROUP)
    replied = {k: v for k, v in server.shown(answer).items() if k != "reply_to_message"}
    follow = await server.answer_to("它有多长？", Person(2), chat_id=GROUP, reply_to_message=replied)
    assert follow.text.startswith("理解为：赵州桥有多长？")


async def test_an_edited_follow_up_is_answered_anew(
    server: ApiServer, demo: RunningBot, transport: Webhook | None
) -> None:
    await server.answer_to("赵州桥是谁设计的？")
    message = await server.say("那洛阳桥呢？")
    await server.wait(lambda: len(server.messages) == 2)
    await server.edit(message, "那灵渠呢？")
    await server.wait(lambda: last(server).text.startswith("理解为：灵渠是谁设计的？"))
    assert len(server.messages) == (3 if transport else 2)


@pytest.mark.parametrize(
    ("person", "question", "which", "option"),
    [
        (Person(), "什么时候通车？", "你问的是哪一个？", "是问“西桥”？"),
        (ENGLISH, "When?", "Which one do you mean?", "About “West Bridge”?"),
        (TAIWANESE, "通车", "你問的是哪一個？", "是問「西桥」？"),
    ],
)
async def test_an_incomplete_question_offers_choices(
    server: ApiServer,
    running: RunningBot,
    archive: FakeArchive,
    person: Person,
    question: str,
    which: str,
    option: str,
) -> None:
    for number, name in enumerate(("东桥：旧的一座", "西桥：新的一座"), start=8):
        archive._articles[name] = article(number, name, f"{name[:2]}什么时候通车？七月通车。", id=name)
    for number, name in enumerate(("East Bridge: the old", "West Bridge: the new"), start=8):
        archive._articles[name] = article(number, name, f"{name[:11]} When? In July.", id=name)
    answer = await server.answer_to(question, person)
    assert answer.text.startswith(which)
    await server.pressed(answer, option, person)
    assert answer.text.split("\n")[2] == f"1. {archive._articles[_full(archive, option)].title}"
    assert option not in answer.buttons


def _full(archive: FakeArchive, option: str) -> str:
    return next(name for name in archive._articles if name.split("：")[0].split(":")[0] in option)


async def test_related_articles(server: ApiServer, demo: RunningBot) -> None:
    answer = await server.answer_to("哈勃望远镜的照片一开始为什么模糊")
    await server.press(answer, "🔗 相关")
    await server.wait(lambda: len(server.messages) == 2)
    related = last(server)
    assert related.text.startswith("与《哈勃望远镜戴上“眼镜”的故事》相关的文章：\n\n1. ")
    assert "韦布空间望远镜" in related.text
    await server.press(related, "📖 1")
    await server.wait(lambda: len(server.messages) == 3)
    assert last(server).marked("bold")[0] == related.marked("bold")[1]
    await server.press(last(server), "🔗 相关")
    await server.wait(lambda: len(server.messages) == 4)
    query = await server.press_data(answer, encode(Related("aaaaaaaaaaaaaaaa")))
    await server.wait(lambda: query.answered)
    assert query.notice == "这篇文章已经不在库里了。"


async def test_answers_and_articles_have_hashtags_once_keywords_are_ready(
    server: ApiServer, demo_retriever: Retriever, state: State, transport: Webhook | None
) -> None:
    hashtags = Hashtags(demo_retriever)
    hashtags.warm()
    greeter = Greeter(lambda: overview(demo_retriever), Suggestions(demo_retriever), state)

    def conversation(username: Callable[[], str]) -> Conversation:
        return Conversation(demo_retriever, state, TelegramLinks(username, state), greeter, hashtags=hashtags)

    bot = RunningBot(server, Service(conversation, state, signals=()))
    await bot.start()
    answer = await server.answer_to("朱鹮是在哪里重新发现的？")
    lines = answer.text.split("\n")
    assert lines[0] == "1. 从七只到五千只：朱鹮的回归"
    assert lines[2].split()[0] == "#朱鹮"
    assert all(word.startswith("#") for word in lines[2].split())
    assert answer.text.count("#") == len(lines[2].split()) <= 5
    opened = await server.answer_to("第一篇讲了什么")
    assert lines[2] in opened.text
    await bot.stop()
    assert server.refusals == []


@pytest.mark.parametrize(
    ("person", "text", "lead", "title"),
    [
        (
            Person(),
            "哈勃望远镜又出故障了，修不修？",
            "与转来的内容相关的文章：",
            "哈勃望远镜戴上“眼镜”的故事",
        ),
        (
            *(ENGLISH, "The Forth Bridge is being painted again, all of it."),
            *("Articles related to what you passed on:", "Why the Forth Bridge is so enormously strong"),
        ),
    ],
)
async def test_what_is_forwarded_finds_related_articles(
    server: ApiServer, demo: RunningBot, person: Person, text: str, lead: str, title: str
) -> None:
    origin = {"type": "hidden_user", "date": 1, "sender_user_name": "某人"}
    answer = await server.answer_to(text, person, forward_origin=origin)
    assert answer.text.startswith(f"{lead}\n\n1. {title}\n")
    assert next(iter(answer.buttons)) == "📖 1"
    photo = [{"file_id": "1", "file_unique_id": "1", "width": 1, "height": 1}]
    again = await server.answer_to("", person, forward_origin=origin, photo=photo, caption=text)
    assert again.text == answer.text


@pytest.mark.parametrize(
    ("person", "heading", "category", "everything"),
    [(Person(), "最新文章\n\n", "茶", "‹ 全部"), (ENGLISH, "Latest articles\n\n", "茶", "‹ All")],
)
async def test_what_is_new_by_category(
    server: ApiServer, demo: RunningBot, person: Person, heading: str, category: str, everything: str
) -> None:
    latest = await server.answer_to("/latest", person)
    first = latest.text
    assert first.startswith(heading)
    assert "📖 1" in latest.buttons
    await server.pressed(latest, category, person)
    assert latest.text.startswith(f"{category}\n1. 西湖龙井：三万六千个芽头炒成一斤茶 · ")
    await demo.stop()
    await demo.start()
    await server.pressed(latest, everything, person)
    assert latest.text == first
    await server.press(latest, "📖 1", person)
    await server.wait(lambda: len(server.messages) == 2)
    assert last(server).marked("bold")[0] in first


async def test_forged_buttons_of_conversations(server: ApiServer, demo: RunningBot) -> None:
    await server.answer_to("赵州桥是谁设计的？", Person(1))
    answer = await server.answer_to("灵渠有多长？", Person(2))
    for action in (Alone(1), Choose(1, 0), Choose(2, 0), Choose(2, 35), Alone(99)):
        query = await server.press_data(answer, encode(action), Person(2))
        await server.wait(lambda query=query: query.answered)  # type: ignore[misc]
        assert query.notice == "这条消息已经过期，请重新提问。"
    for forged in ("n:../../x:0", "n::0", "s:", "w:-1", "c:1:zzzzzzzzzzzzzz", "n:-"):
        query = await server.press_data(answer, forged, Person(2))
        await server.wait(lambda query=query: query.answered)  # type: ignore[misc]
        assert query.notice == "这条消息已经过期，请重新提问。"


async def test_inline_results_show_the_picture_of_their_article(
    server: ApiServer, running: RunningBot
) -> None:
    query = await server.type("口岸", person=ENGLISH)
    preview = query.results[0]["input_message_content"]["link_preview_options"]
    assert preview == PICTURE
    called = next(params for method, params in server.calls if method == "answerInlineQuery")
    assert (called["cache_time"], called["is_personal"]) == ("60", "true")


async def test_an_inline_answer_that_comes_too_late_is_no_error(
    server: ApiServer, running: RunningBot, caplog: pytest.LogCaptureFixture
) -> None:
    await server.answer_to("口岸食堂的饺子")
    update = {"id": "gone", "from": Person().json(), "query": "口岸", "offset": ""}
    await server.publish({"inline_query": update})
    await server.wait(lambda: bool(server.refusals))
    assert server.refusals.pop().startswith("Bad Request: query is too old")
    await server.answer_to("口岸食堂的饺子")
    assert "Traceback" not in caplog.text
