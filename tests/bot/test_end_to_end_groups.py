"""Groups, topics and inline mode, over HTTP against the strict Bot API server; and who is let in."""

from dataclasses import replace

import pytest

from bot.access import Welcome
from bot.i18n import Language
from bot.webhook import Webhook

from .api_server import BOT, ApiServer, Person, Sent
from .archives import FakeArchive
from .conftest import BOTH_WAYS, RunningBot

pytestmark = BOTH_WAYS
NAME = f"@{BOT['username']}"
GROUP = -100500


def last(server: ApiServer) -> Sent:
    return max(server.messages.values(), key=lambda message: message.message_id)


async def test_a_group_is_answered_when_it_speaks_to_the_bot(server: ApiServer, running: RunningBot) -> None:
    server.group(GROUP)
    for text in (f"{NAME} 口岸食堂的饺子", f"/ask 口岸食堂的饺子 {NAME}", f"/ask{NAME} 口岸食堂的饺子"):
        answer = await server.answer_to(text, chat_id=GROUP)
        assert "1. 口岸食堂\n" in answer.text
        assert answer.reply_to == answer.message_id - 1
    asked = {
        "message_id": last(server).message_id,
        "date": 1,
        "chat": server.chats[GROUP],
        "from": BOT,
        "text": "x",
    }
    answer = await server.answer_to("口岸今天通过货车", chat_id=GROUP, reply_to_message=asked)
    assert answer.text.startswith("1. 口岸日志")


async def test_a_mention_passes_somebody_elses_question_on(server: ApiServer, running: RunningBot) -> None:
    server.group(GROUP)
    question = await server.say("口岸食堂的饺子多少钱？", Person(7), chat_id=GROUP)
    for text in (NAME.upper(), "/ask"):
        answer = await server.answer_to(text, chat_id=GROUP, reply_to_message=question)
        assert answer.text.startswith("1. 口岸食堂")


async def test_a_group_is_left_in_peace_otherwise(server: ApiServer, running: RunningBot) -> None:
    server.group(GROUP)
    await server.publish({"message": server.incoming("口岸食堂的饺子", Person(), GROUP, {})})
    await server.publish({"message": server.incoming("@other_bot 口岸食堂", Person(), GROUP, {})})
    await server.publish({"message": server.incoming("/ask@other_bot 口岸食堂", Person(), GROUP, {})})
    answer = await server.answer_to(f"{NAME} 口岸今天通过货车", chat_id=GROUP)
    assert list(server.messages.values()) == [answer]


async def test_an_edited_question_in_a_group_is_answered_anew(
    server: ApiServer, running: RunningBot, transport: Webhook | None
) -> None:
    server.group(GROUP)
    message = await server.say(f"{NAME} 口岸食堂的饺子", chat_id=GROUP)
    await server.wait(lambda: len(server.messages) == 1)
    await server.edit(message, f"{NAME} 口岸今天通过货车")
    await server.wait(lambda: last(server).text.startswith("1. 口岸日志"))
    assert {answer.reply_to for answer in server.messages.values()} == {message["message_id"]}
    # What went out in a response has no number by which it could be changed.
    assert [answer.edits for answer in server.messages.values()] == ([0, 0] if transport else [1])


async def test_an_answer_stays_in_its_topic(server: ApiServer, running: RunningBot) -> None:
    server.group(GROUP, topics=True)
    topic = {"message_thread_id": 5, "is_topic_message": True}
    answer = await server.answer_to(f"{NAME} 口岸", chat_id=GROUP, **topic)
    assert answer.thread == 5
    await server.pressed(answer, "下一页 ›", Person(8))
    assert answer.text.startswith("第 2 页")


async def test_inline_questions_have_pages_of_choices(server: ApiServer, running: RunningBot) -> None:
    first = await server.type("口岸")
    assert [result["id"] for result in first.results] == ["1000", "3001", "4000", "5000", "6000"]
    assert first.results[0]["title"] == "黑河口岸扩建完工"
    assert first.results[0]["description"] == "黑河口岸的扩建工程在七月完工。"
    assert first.results[0]["thumbnail_url"] == "https://img.example/1.png"
    assert first.results[0]["text"].startswith(
        "黑河口岸扩建完工\n黑龙江日报 · 2021-07-01 · 原文 ↗\n黑河口岸的扩建"
    )
    second = await server.type("口岸", first.next_offset)
    assert [result["id"] for result in second.results] == ["7000"]
    assert second.next_offset == ""


@pytest.mark.parametrize(
    ("typed", "prompt"),
    [
        ("", "输入问题，例如：什么时候去最好？"),
        ("😀", "没有找到答案"),
        ("今晚吃什么好呢朋友们", "没有找到答案"),
    ],
)
async def test_inline_without_choices_leads_into_the_bot(
    server: ApiServer, running: RunningBot, typed: str, prompt: str
) -> None:
    query = await server.type(typed, "nonsense")
    assert query.results == []
    assert query.button == {"text": prompt, "start_parameter": "inline"}
    assert (await server.answer_to("/start inline")).text.startswith("你好")


async def test_admins_are_told_of_errors_once(
    server: ApiServer, running: RunningBot, archive: FakeArchive
) -> None:
    await running.stop()
    running._service = replace(
        running._service, welcome=Welcome(admins=frozenset({1})), language=Language.ENGLISH
    )
    await running.start()
    assert "There are 7 articles" in (await server.answer_to("/start", Person(1))).text
    archive.failing = True
    for _ in range(2):
        await server.say("口岸", Person(2))
    await server.wait(lambda: len([key for key in server.messages if key[0] == 2]) == 2)
    await server.answer_to("/help", Person(1))
    reports = [sent.text for sent in server.messages.values() if sent.chat_id == 1][1:-1]
    assert len(reports) == 1
    assert reports[0].endswith("(chat 2, user 2)\nRuntimeError: the disk is on fire")


async def test_only_listed_users_are_let_in(server: ApiServer, running: RunningBot) -> None:
    await running.stop()
    running._service = replace(running._service, welcome=Welcome(frozenset({1}), frozenset({2})))
    server.incoming("/start", Person(1), 1, {})  # the menu of admins is set in chats that are there
    await running.start()
    server.group(GROUP)
    refusal = await server.answer_to("口岸食堂的饺子", Person(3))
    assert refusal.text == "抱歉，这个机器人只对指定的用户开放。你的编号是 3，可以把它告诉管理员。"
    await server.say(f"{NAME} 口岸食堂的饺子", Person(3), chat_id=GROUP)
    for user in (1, 2):
        answer = await server.answer_to("口岸食堂的饺子", Person(user))
        assert answer.text.startswith("1. 口岸食堂")
    query = await server.press(answer, "⤢ 1", Person(3))
    await server.wait(lambda: query.answered)
    assert (query.notice or "").startswith("抱歉")
    assert len(server.messages) == 3
