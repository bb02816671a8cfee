"""The whole of it: the demo's articles, a real index, the real application, the strict Bot API server."""

import json
from pathlib import Path

import pytest

from bot.i18n import Language
from retrieval import Retriever

from .api_server import ApiServer, Person, Sent, units
from .conftest import RunningBot


def last(server: ApiServer) -> Sent:
    return max(server.messages.values(), key=lambda message: message.message_id)


@pytest.mark.parametrize("tag", ["zh-hans", "zh-hant", "en"])
async def test_every_offered_question_is_answered(
    server: ApiServer, demo: RunningBot, demo_retriever: Retriever, tag: str
) -> None:
    person = Person(language_code=tag)
    welcome = await server.answer_to("/start", person)
    assert str(demo_retriever.status().articles) in welcome.text
    assert len(welcome.buttons) == 3
    for number, question in enumerate(welcome.buttons, start=2):
        await server.press(welcome, question, person)
        await server.wait(lambda number=number: len(server.messages) == number)  # type: ignore[misc]
        answer = last(server)
        assert answer.text.startswith(f"{question}\n\n1. ")
        assert answer.marked("bold")
        assert answer.marked("blockquote")
        assert answer.links


async def test_a_conversation(server: ApiServer, demo: RunningBot) -> None:
    answer = await server.answer_to("洛阳桥为什么要养牡蛎？")
    first = answer.text
    assert "洛阳桥" in answer.text.split("\n")[0]
    await server.pressed(answer, "下一页 ›")
    assert answer.text.startswith("第 2 页")
    await server.pressed(answer, "‹ 上一页")
    assert answer.text == first
    await server.pressed(answer, "⤢ 1")
    assert len(answer.text) > 100
    await server.press(answer, "📖 阅读全文")
    await server.wait(lambda: len(server.messages) == 2)
    assert "洛阳桥" in last(server).text
    assert last(server).marked("blockquote")
    await server.pressed(answer, "‹ 返回")
    assert answer.text == first


@pytest.mark.parametrize(
    "text",
    [
        '洛阳桥 <b>&" 的牡蛎 😀 </b>',
        "<i>" * 50,
        "& &amp; &lt;b&gt; 桥",
        "洛阳桥的牡蛎" * 833 + "吗",
        "a" * 4096,
        "。" * 100,
    ],
)
async def test_any_text_gets_a_message_telegram_takes(server: ApiServer, demo: RunningBot, text: str) -> None:
    answer = await server.answer_to(text)
    assert 0 < units(answer.text) <= 4096


async def test_what_no_article_answers_is_refused(server: ApiServer, demo: RunningBot) -> None:
    refusal = await server.answer_to("红烧肉怎么做？")
    assert refusal.text.startswith("没有找到能回答这个问题的内容。")
    assert refusal.marked("bold") == [refusal.marked("text_link")[0]]


async def test_the_deep_link_of_every_hit_opens_its_article(server: ApiServer, demo: RunningBot) -> None:
    answer = await server.answer_to("龙井茶")
    titles = answer.marked("bold")
    for link in dict.fromkeys(answer.links):
        if link.startswith("https://t.me/"):
            page = await server.answer_to("/start " + link.partition("=")[2])
            assert page.marked("bold")[0] in titles
            assert page.marked("blockquote")


def test_the_demo_offers_three_questions_in_each_language() -> None:
    folder = Path(__file__).resolve().parents[2] / "bot" / "demo"
    questions = json.loads((folder / "questions.json").read_text(encoding="utf-8"))
    assert set(questions) == set(Language)
    assert all(len(each) == 3 for each in questions.values())
