"""The real application, over HTTP, against the strict Bot API server: whole conversations."""

import asyncio
import json

import pytest
from aiohttp import ClientSession

from bot.actions import Rate, Read, ShowPage, encode
from bot.handlers import commands
from bot.state import State
from bot.webhook import Webhook

from .api_server import TOKEN, ApiServer, Person, Sent, units
from .archives import FakeArchive, article
from .conftest import BOTH_WAYS, RunningBot

pytestmark = BOTH_WAYS


def last(server: ApiServer) -> Sent:
    return max(server.messages.values(), key=lambda message: message.message_id)


async def test_start_says_what_there_is_and_its_questions_are_answered(
    server: ApiServer, running: RunningBot
) -> None:
    welcome = await server.answer_to("/start")
    assert "这里有 7 篇文章，发表于 2020-03-01 至 2021-07-07。" in welcome.text
    assert len(welcome.buttons) == 3
    assert next(iter(welcome.buttons)) == "什么时候去最好？"
    await server.press(welcome, "什么时候去最好？")
    await server.wait(lambda: len(server.messages) == 2)
    assert last(server).text.startswith("什么时候去最好？\n\n1. 口岸的冬天\n黑龙江日报 · 2021-07-07")


async def test_a_question_gets_its_hits_with_marks_and_links(server: ApiServer, running: RunningBot) -> None:
    answer = await server.answer_to("俄罗斯海外仓建了多少个")
    assert answer.text.startswith("1. 黑河口岸扩建完工\n黑龙江日报 · 2021-07-01 · 原文 ↗\n")
    assert "口岸建设边境仓5个，俄罗斯海外仓12个。" in answer.marked("bold")
    assert "海外仓" in answer.marked("underline")
    assert answer.links[0].startswith("https://news.example/heihe?id=1&lang=zh#:~:text=")
    assert answer.preview == {
        "url": "https://img.example/1.png",
        "prefer_small_media": True,
        "show_above_text": True,
    }
    assert len(answer.marked("text_link")) == 2 * len(answer.marked("blockquote"))


async def test_pages_turn_and_turn_back(server: ApiServer, running: RunningBot) -> None:
    answer = await server.answer_to("口岸")
    first = answer.text
    assert [label for label in answer.buttons if label.startswith("⤢")] == [f"⤢ {n}" for n in range(1, 6)]
    await server.pressed(answer, "下一页 ›")
    assert answer.text.startswith("第 2 页，共 2 页\n\n6. ")
    assert "下一页 ›" not in answer.buttons
    await server.pressed(answer, "‹ 上一页")
    assert answer.text == first


async def test_a_passage_unfolds_and_its_article_opens(server: ApiServer, running: RunningBot) -> None:
    answer = await server.answer_to("俄罗斯海外仓建了多少个")
    first = answer.text
    await server.pressed(answer, "⤢ 1")
    lines = answer.text.split("\n")
    assert "黑河口岸的扩建工程在七月完工。" in lines
    assert "新的查验大厅每天可以通过两千人。" in lines
    assert answer.marked("blockquote") == ["口岸建设边境仓5个，俄罗斯海外仓12个。仓库全部投入使用。"]
    await server.press(answer, "📖 阅读全文")
    await server.wait(lambda: len(server.messages) == 2)
    page = last(server)
    assert page.text.startswith("黑河口岸扩建完工\n黑龙江日报 · 2021-07-01\n\n黑河口岸的扩建工程")
    assert page.marked("blockquote") == ["口岸建设边境仓5个，俄罗斯海外仓12个。仓库全部投入使用。"]
    await server.pressed(answer, "‹ 返回")
    assert answer.text == first


async def test_an_article_without_address_opens_by_its_deep_link(
    server: ApiServer, running: RunningBot
) -> None:
    answer = await server.answer_to("莫斯科郊外有三名员工")
    link = answer.links[0]
    assert link.startswith("https://t.me/wenda_test_bot?start=")
    payload = link.partition("=")[2]
    assert len(payload) <= 64
    page = await server.answer_to(f"/start {payload}")
    assert page.text.startswith("海外仓的一天\n")
    assert page.marked("blockquote") == ["这座仓库在莫斯科郊外，有三名员工。"]
    assert (await server.answer_to("/start nonsense-payload")).text.startswith("你好")
    assert (await server.answer_to("/start aaaaaaaaaaaaaaaa0")).text == "这篇文章已经不在库里了。"


async def test_markup_and_emoji_in_question_and_article_come_out_as_themselves(
    server: ApiServer, running: RunningBot
) -> None:
    answer = await server.answer_to('正文 <i>&amp; "引号" 和 👩‍👩‍👧 <b>&" 😀')
    assert '标题里有 <b>&" 与 😀' in answer.text
    assert '正文也有 <i>&amp; "引号" 和 👩‍👩‍👧 表情。' in answer.text


async def test_a_message_of_5000_characters_is_answered_within_the_limits(
    server: ApiServer, running: RunningBot, archive: FakeArchive
) -> None:
    answer = await server.answer_to("俄罗斯海外仓建了多少个" + "、还有呢" * 1250)
    assert answer.text.startswith("问题很长，只用了前 1000 个字。")
    assert units(answer.text) <= 4096
    assert len(archive.questions[-1]) == 1000


async def test_a_question_without_answer_is_refused_and_names_the_nearest(
    server: ApiServer, running: RunningBot
) -> None:
    refusal = await server.answer_to("明天黑河到上海的航班还有票吗")
    assert refusal.text.startswith("没有找到能回答这个问题的内容。\n最接近的是：\n\n黑河口岸扩建完工\n")
    await server.pressed(refusal, "看看相近的内容")
    assert refusal.text.startswith("以下内容与问题相近，但未必能回答：\n\n1. 黑河口岸扩建完工")
    nothing = await server.answer_to("zzz qqq")
    assert nothing.text == "没有找到能回答这个问题的内容。\n\n文章里没有与这个问题有关的内容。换个说法试试？"
    assert list(nothing.buttons) == ["🔔 有了告诉我", "👍", "👎"]


@pytest.mark.parametrize("text", ["😀😀", "？？？", "\u202e\u200b…"])
async def test_a_message_without_words_is_told_so(server: ApiServer, running: RunningBot, text: str) -> None:
    assert (await server.answer_to(text)).text == "请用文字提问，一句话就好。"


async def test_stickers_and_captions(server: ApiServer, running: RunningBot) -> None:
    sticker = {"file_id": "1", "file_unique_id": "1", "type": "regular", "width": 1, "height": 1,
               "is_animated": False, "is_video": False}  # fmt: skip
    assert (await server.answer_to("", sticker=sticker)).text == "请用文字提问，一句话就好。"
    photo = [{"file_id": "1", "file_unique_id": "1", "width": 1, "height": 1}]
    assert (await server.answer_to("", photo=photo, caption="口岸食堂的饺子")).text.startswith("1. 口岸食堂")


async def test_a_phrase_read_as_a_limit_is_shown_and_undone(server: ApiServer, running: RunningBot) -> None:
    answer = await server.answer_to("去年口岸小学")
    assert answer.text.startswith("理解为：去年 → 2020-01-01 至 2020-12-31\n\n1. 边境小镇")
    await server.pressed(answer, "✕ 不限范围")
    assert not answer.text.startswith("理解为")


async def test_pages_and_passages_open_after_a_restart(server: ApiServer, running: RunningBot) -> None:
    answer = await server.answer_to("口岸")
    first = answer.text
    await running.stop()
    await running.start()
    await server.pressed(answer, "下一页 ›")
    assert answer.text.startswith("第 2 页，共 2 页")
    await running.stop()
    await running.start()
    await server.pressed(answer, "‹ 上一页")
    assert answer.text == first
    await server.pressed(answer, "⤢ 1")
    assert "‹ 返回" in answer.buttons


async def test_buttons_whose_time_has_passed_say_so(
    server: ApiServer, running: RunningBot, archive: FakeArchive
) -> None:
    answer = await server.answer_to("俄罗斯海外仓建了多少个")
    archive.remove("a1")
    assert (await server.pressed(answer, "⤢ 1")).notice == "这条消息已经过期，请重新提问。"
    for forged in ("p:zz:0:0", "u:1:0:1:1:1", "nonsense", "p:1:zzzzzzzzzzz:0", encode(ShowPage(99, 0))):
        query = await server.press_data(answer, forged)
        await server.wait(lambda query=query: query.answered)  # type: ignore[misc]
        assert query.notice in {"这条消息已经过期，请重新提问。", "没有更多了。"}
    query = await server.press_data(answer, encode(Read("aaaaaaaaaaaaaaaa", 0, 0, 1)))
    await server.wait(lambda: query.answered)
    assert query.notice == "这篇文章已经不在库里了。"
    assert len(server.messages) == 1


async def test_one_chat_cannot_open_the_questions_of_another(server: ApiServer, running: RunningBot) -> None:
    await server.answer_to("俄罗斯海外仓建了多少个", Person(1))
    other = await server.answer_to("口岸", Person(2))
    query = await server.press_data(other, encode(ShowPage(1, 0)), Person(2))
    await server.wait(lambda: query.answered)
    assert query.notice == "这条消息已经过期，请重新提问。"


async def test_a_message_that_is_gone_is_sent_anew(server: ApiServer, running: RunningBot) -> None:
    answer = await server.answer_to("口岸")
    del server.messages[answer.chat_id, answer.message_id]
    await server.press(answer, "下一页 ›")
    await server.wait(lambda: len(server.messages) == 1)
    assert last(server).text.startswith("第 2 页")
    assert server.refusals.pop() == "Bad Request: message to edit not found"


async def test_pressing_the_same_button_twice_changes_nothing(server: ApiServer, running: RunningBot) -> None:
    answer = await server.answer_to("口岸")
    await asyncio.gather(server.press(answer, "下一页 ›"), server.press(answer, "下一页 ›"))
    await server.wait(lambda: all(query.answered for query in server.queries.values()))
    await server.answer_to("口岸食堂")
    assert answer.edits == 1
    assert server.refusals.pop().startswith("Bad Request: message is not modified")


async def test_a_picture_telegram_does_not_want_is_left_out(
    server: ApiServer, running: RunningBot, archive: FakeArchive
) -> None:
    archive._articles["a9"] = article(9, "独角兽", "独角兽在这里。", image="https://intranet/1.png")
    answer = await server.answer_to("独角兽在这里")
    assert answer.preview == {"is_disabled": True}
    assert server.refusals.pop() == "Bad Request: WEBPAGE_URL_INVALID"


async def test_ratings_are_thanked_for_and_kept(server: ApiServer, running: RunningBot) -> None:
    answer = await server.answer_to("口岸")
    assert (await server.pressed(answer, "👍")).notice == "谢谢，很高兴帮上忙。"
    assert (await server.pressed(answer, "👎")).notice == "谢谢，会改进的。"
    assert answer.buttons["👎"] == encode(Rate(1, 0))


async def test_languages(server: ApiServer, running: RunningBot) -> None:
    english, taiwanese = Person(1, language_code="en"), Person(2, language_code="zh-tw")
    assert "There are 7 articles" in (await server.answer_to("/start", english)).text
    assert "這裡有 7 篇文章" in (await server.answer_to("/start", taiwanese)).text
    choice = await server.answer_to("/language", english)
    await server.pressed(choice, "繁體中文", english)
    assert choice.text == "好，接下來用繁體中文。"
    assert "按鈕" in (await server.answer_to("/help", english)).text


async def test_commands_and_the_menu(server: ApiServer, running: RunningBot) -> None:
    assert (await server.answer_to("/ask")).text == "请在 /ask 后面写上问题，例如：/ask 什么时候去最好？"
    assert (await server.answer_to("/ask\n口岸食堂的饺子")).text.startswith("1. 口岸食堂")
    assert (await server.answer_to("/nonsense")).text.startswith("直接发来一个问题")
    await server.wait(lambda: set(server.commands) == {"", "zh", "en"})
    assert [each["command"] for each in server.commands["zh"]] == list(commands.MENU)
    assert server.commands["zh"][0]["description"] == "提问：/ask 问题"


async def test_the_answer_to_an_edited_question_changes(
    server: ApiServer, running: RunningBot, transport: Webhook | None
) -> None:
    message = await server.say("口岸食堂的饺子")
    await server.wait(lambda: len(server.messages) == 1)
    answer = last(server)
    await server.edit(message, "口岸今天通过货车")
    if transport is not None:  # what went out in a response has no number by which it could be changed
        await server.wait(lambda: len(server.messages) == 2)
        assert last(server).text.startswith("1. 口岸日志")
        assert last(server).reply_to == message["message_id"]
        return
    await server.wait(lambda: answer.edits == 1)
    assert answer.text.startswith("1. 口岸日志")
    del server.messages[answer.chat_id, answer.message_id]
    await server.edit(message, "口岸食堂的饺子")
    await server.wait(lambda: len(server.messages) == 1)
    assert last(server).text.startswith("1. 口岸食堂")
    assert last(server).reply_to == message["message_id"]
    assert server.refusals.pop() == "Bad Request: message to edit not found"


async def test_an_error_is_logged_and_the_user_gets_one_kind_sentence(
    server: ApiServer, running: RunningBot, archive: FakeArchive, caplog: pytest.LogCaptureFixture
) -> None:
    answer = await server.answer_to("口岸")
    archive.failing = True
    assert (await server.answer_to("口岸食堂")).text == "出了点问题，已经记录下来。请稍后再试一次。"
    query = await server.press(answer, "下一页 ›")
    await server.wait(lambda: query.answered)
    assert query.notice == "出了点问题，已经记录下来。请稍后再试一次。"
    assert "(chat 42, user 42): the disk is on fire" in caplog.text


async def test_floods_are_waited_out_and_blocks_are_no_errors(
    server: ApiServer, running: RunningBot, caplog: pytest.LogCaptureFixture
) -> None:
    answer = await server.answer_to("口岸")
    server.floods.append(1)
    await server.pressed(answer, "下一页 ›")
    server.blocked.add(42)
    await server.say("口岸")
    await server.wait(lambda: len(server.refusals) == 2)
    assert server.refusals == ["Too Many Requests: retry after 1", "Forbidden: bot was blocked by the user"]
    server.refusals.clear()
    await server.answer_to("口岸食堂的饺子", Person(7))
    assert "Traceback" not in caplog.text


async def test_questions_of_one_chat_are_answered_in_order_of_many_at_once(
    server: ApiServer, running: RunningBot
) -> None:
    questions = ["口岸食堂的饺子", "口岸今天通过货车", "莫斯科郊外有三名员工"] * 2
    people = [Person(id=100 + number) for number in range(4)]
    for question in questions:
        for person in people:
            await server.say(question, person)
    await server.wait(lambda: len(server.messages) == len(questions) * len(people))
    titles = {
        "口岸食堂的饺子": "口岸食堂",
        "口岸今天通过货车": "口岸日志",
        "莫斯科郊外有三名员工": "海外仓的一天",
    }
    for person in people:
        answers = sorted((key[1], sent.text) for key, sent in server.messages.items() if key[0] == person.id)
        assert [text.split("\n")[0] for _, text in answers] == [f"1. {titles[each]}" for each in questions]


async def test_a_second_program_with_the_same_token_is_reported(
    server: ApiServer, running: RunningBot, caplog: pytest.LogCaptureFixture, transport: Webhook | None
) -> None:
    await server.answer_to("口岸食堂的饺子")
    async with ClientSession() as session:
        await session.post(f"{server.url}/bot{TOKEN}/getUpdates", data={"offset": "1001"})
    await server.wait(lambda: bool(server.refusals))
    refused = "can't use getUpdates" if transport else "terminated by other getUpdates request"
    assert server.refusals.pop().startswith(f"Conflict: {refused}")
    await server.answer_to("口岸食堂的饺子")
    assert ("another program is polling with the same token" in caplog.text) == (transport is None)
    assert TOKEN not in caplog.text


async def test_what_was_asked_before_stopping_is_answered(server: ApiServer, running: RunningBot) -> None:
    for _ in range(5):
        await server.say("口岸食堂的饺子")
    await server.wait(lambda: len(server.messages) >= 1)
    await running.stop()
    await running.start()
    await server.wait(lambda: len(server.messages) == 5)


async def test_huge_and_hostile_articles_still_make_messages(
    server: ApiServer, running: RunningBot, archive: FakeArchive
) -> None:
    for number in range(10, 16):
        hostile = article(
            number,
            "长标题<&>\u202e" * 200,
            "海盗" + "<b>&😀" * 3000 + "\n" + "海盗。" * 4000,
            source="来源<i>" * 100,
            url="https://x.org/?q=" + "a" * 3000,
            image="https://x.org/" + "b" * 4000,
        )
        archive._articles[hostile.id] = hostile
    answer = await server.answer_to("海盗")
    assert units(answer.text) <= 4096
    await server.pressed(answer, "⤢ 1")
    await server.press(answer, "📖 阅读全文")
    await server.wait(lambda: len(server.messages) == 2)
    page = last(server)
    for _ in range(3):
        await server.pressed(page, "下一页 ›")
    assert "第 4 页" in page.text or "第 5 页" in page.text


async def test_an_update_left_behind_is_answered_once_at_the_next_start(
    server: ApiServer, running: RunningBot, state: State
) -> None:
    await running.stop()
    message = server.incoming("口岸食堂的饺子", Person(), 42, {})
    update = {"update_id": 999, "message": message}
    assert state.updates.receive(999, json.dumps(update))
    state.updates.receive(998, json.dumps(update | {"update_id": 998}))
    state.updates.finish(998)
    server.pending.append(update)
    await running.start()
    await server.wait(lambda: len(server.messages) == 1)
    await server.answer_to("口岸今天通过货车")
    assert [sent.text.split("\n")[0] for sent in server.messages.values()] == ["1. 口岸食堂", "1. 口岸日志"]
    await running.stop()
    assert state.updates.unfinished() == []


async def test_an_update_that_never_ends_is_given_up(
    server: ApiServer, running: RunningBot, state: State, caplog: pytest.LogCaptureFixture
) -> None:
    await running.stop()
    state.updates.receive(
        999, json.dumps({"update_id": 999, "message": server.incoming("口岸", Person(), 42, {})})
    )
    state.database.run("UPDATE inbox SET attempts = 10")
    await running.start()
    await server.answer_to("口岸食堂的饺子")
    assert len(server.messages) == 1
    assert "update 999 was begun 11 times and never finished" in caplog.text
