"""The Bot API server of the tests refuses what Telegram refuses, in Telegram's words."""

import asyncio
import time
from typing import Any

import pytest

from .api_client import Api
from .api_server import ApiServer, Entity, ParseError, Person, parse_html, units


@pytest.mark.parametrize(
    ("markup", "refusal"),
    [
        ("仓&lt;<b", "Unclosed start tag at byte offset 7"),
        ("仓<br>", 'Unsupported start tag "br" at byte offset 3'),
        ("1 <2", 'Unclosed start tag at byte offset 2'),
        ("1 < 2>", 'Unsupported start tag "" at byte offset 2'),
        ("<a href", 'Unclosed start tag "a" at byte offset 0'),
        ("<a =x>", 'Empty attribute name in the tag "a" at byte offset 0'),
        ("<i b c>", 'Expected equal sign in declaration of an attribute of the tag "i" at byte offset 0'),
        ("<a href=x/y>", "Unexpected end of name token at byte offset 8"),
        ('<a href="x>', "Unclosed start tag at byte offset 0"),
        ("<span>x</span>", 'Tag "span" must have class "tg-spoiler" at byte offset 0'),
        ("</b>", "Unexpected end tag at byte offset 0"),
        ("<b>x</b", "Unclosed end tag at byte offset 4"),
        ("<b><i>x</b></i>", 'Unmatched end tag at byte offset 7, expected "</i>", found "</b>"'),
        ("<b>😀", 'Can\'t find end tag corresponding to start tag "b"'),
        ("&#xDFDF;", "Text contains invalid Unicode characters after decoding HTML entities, "
         "check for unmatched surrogate code units"),
        ("<code>a<b>b</b></code>", "bold inside of code"),
        ("<blockquote>a<blockquote>b</blockquote></blockquote>", "blockquote inside of blockquote"),
        ("<u>x</u>" * 101, "101 entities, but only 100 would be shown"),
    ],
)  # fmt: skip
def test_markup_is_refused(markup: str, refusal: str) -> None:
    with pytest.raises(ParseError) as refused:
        parse_html(markup)
    assert str(refused.value) == refusal


def test_markup_is_read() -> None:
    text, entities = parse_html(
        '  <b>😀<i>仓</i></b> &lt;&amp;&quot;&#20179;&nbsp; <A href="https://x.org/?a=1&amp;b">x</a>'
        "<blockquote expandable>q</blockquote><b></b><tg-spoiler>s</tg-spoiler> "
    )
    assert text == '😀仓 <&"仓&nbsp; xqs'
    assert entities == [
        Entity("bold", 0, 3),
        Entity("italic", 2, 1),
        Entity("text_link", 15, 1, "https://x.org/?a=1&b"),
        Entity("expandable_blockquote", 16, 1),
        Entity("spoiler", 17, 1),
    ]
    assert units("😀仓") == 3


async def test_tokens(api: Api) -> None:
    assert (await api("getMe"))["result"]["username"] == "wenda_test_bot"
    assert (await api("getMe", token="1:wrong"))["error_code"] == 401
    assert (await api("getMe", token="nonsense"))["error_code"] == 404
    assert await api.refusal("getNothing") == "Not Found: method not found"


async def test_messages(api: Api, server: ApiServer) -> None:
    send = api.refusal
    assert await send("sendMessage", chat_id=1, text="x") == "Bad Request: chat not found"
    assert await send("sendMessage", chat_id=42) == "Bad Request: message text is empty"
    assert await send("sendMessage", chat_id=42, text=" <b> </b> ", parse_mode="HTML") == (
        "Bad Request: message text is empty"
    )
    assert await send("sendMessage", chat_id=42, text="<b>", parse_mode="HTML") == (
        "Bad Request: can't parse entities: Can't find end tag corresponding to start tag \"b\""
    )
    assert await send("sendMessage", chat_id=42, text="😀" * 2049) == "Bad Request: message is too long"
    assert (await api("sendMessage", chat_id=42, text="<b>" + "😀" * 2048 + "</b>", parse_mode="HTML"))["ok"]
    assert await send("sendMessage", chat_id=42, text="x", reply_parameters={"message_id": 99}) == (
        "Bad Request: message to be replied not found"
    )
    assert await send("sendMessage", chat_id=42, text="x", message_thread_id=5) == (
        "Bad Request: message thread not found"
    )
    server.blocked.add(42)
    assert await send("sendMessage", chat_id=42, text="x") == "Forbidden: bot was blocked by the user"


@pytest.mark.parametrize(
    ("button", "refusal"),
    [
        ({"text": "x", "callback_data": "仓" * 22}, "BUTTON_DATA_INVALID"),
        ({"text": "x", "callback_data": ""},
         "can't parse inline keyboard button: Text buttons are unallowed in the inline keyboard"),
        ({"text": " ", "callback_data": "a"},
         "can't parse inline keyboard button: Field \"text\" must be of type String"),
        ({"text": "x"},
         "can't parse inline keyboard button: Text buttons are unallowed in the inline keyboard"),
        ({"text": "x", "url": "ftp://x"}, "inline keyboard button URL 'ftp://x' is invalid: Wrong HTTP URL"),
    ],
)  # fmt: skip
async def test_buttons(api: Api, button: dict[str, str], refusal: str) -> None:
    markup = {"inline_keyboard": [[button]]}
    assert (
        await api.refusal("sendMessage", chat_id=42, text="x", reply_markup=markup)
        == f"Bad Request: {refusal}"
    )


async def test_rows_have_eight_buttons_at_most(api: Api) -> None:
    button = {"text": "x", "callback_data": "a" * 64}
    assert (await api("sendMessage", chat_id=42, text="x", reply_markup={"inline_keyboard": [[button] * 8]}))[
        "ok"
    ]
    markup = {"inline_keyboard": [[button] * 9]}
    assert await api.refusal("sendMessage", chat_id=42, text="x", reply_markup=markup) == (
        "Bad Request: reply markup is too long"
    )


async def test_edits(api: Api) -> None:
    sent = (await api("sendMessage", chat_id=42, text="<b>x</b>", parse_mode="HTML"))["result"]["message_id"]
    edit = {"chat_id": 42, "message_id": sent}
    assert (await api.refusal("editMessageText", **edit, text="<b>x</b> ", parse_mode="HTML")).startswith(
        "Bad Request: message is not modified: "
    )
    assert (await api("editMessageText", **edit, text="x"))["ok"]
    assert await api.refusal("editMessageText", chat_id=42, message_id=99, text="x") == (
        "Bad Request: message to edit not found"
    )


async def test_presses_want_one_answer_in_time(api: Api, server: ApiServer) -> None:
    markup = {"inline_keyboard": [[{"text": "go", "callback_data": "a"}]]}
    await api("sendMessage", chat_id=42, text="x", reply_markup=markup)
    query = await server.press(server.messages[42, 2], "go")
    late = "Bad Request: query is too old and response timeout expired or query ID is invalid"
    assert await api.refusal("answerCallbackQuery", callback_query_id="99") == late
    assert await api.refusal("answerCallbackQuery", callback_query_id="1", text="x" * 201) == (
        "Bad Request: MESSAGE_TOO_LONG"
    )
    assert (await api("answerCallbackQuery", callback_query_id="1", text="done"))["ok"]
    assert (query.answered, query.notice) == (True, "done")
    assert await api.refusal("answerCallbackQuery", callback_query_id="1") == late
    query = await server.press(server.messages[42, 2], "go")
    query.pressed_at = time.monotonic() - 60
    assert await api.refusal("answerCallbackQuery", callback_query_id="2") == late


async def test_updates_wait_are_confirmed_and_have_one_reader(api: Api, server: ApiServer) -> None:
    first = (await api("getUpdates"))["result"]
    assert [update["message"]["text"] for update in first] == ["hello"]
    assert (await api("getUpdates"))["result"] == first
    waiting = asyncio.create_task(api("getUpdates", offset=first[0]["update_id"] + 1, timeout=20))
    await asyncio.sleep(0.05)
    await server.say("again")
    assert [update["message"]["text"] for update in (await waiting)["result"]] == ["again"]
    one = asyncio.create_task(api("getUpdates", offset=5000, timeout=20))
    await asyncio.sleep(0.05)
    two = asyncio.create_task(api("getUpdates", offset=5000, timeout=0))
    assert (await one)["description"].startswith("Conflict: terminated by other getUpdates request")
    assert (await two)["result"] == []
    await api("setWebhook", url="https://x.org")
    assert (await api.refusal("getUpdates")).startswith("Conflict: can't use getUpdates method while webhook")


async def test_floods_are_answered_with_the_time_to_wait(api: Api, server: ApiServer) -> None:
    server.floods.append(3)
    body = await api("sendMessage", chat_id=42, text="x")
    assert (body["error_code"], body["description"]) == (429, "Too Many Requests: retry after 3")
    assert body["parameters"] == {"retry_after": 3}
    assert (await api("sendMessage", chat_id=42, text="x"))["ok"]


async def test_commands(api: Api, server: ApiServer) -> None:
    command = {"command": "ask", "description": "Ask"}
    assert (await api("setMyCommands", commands=[command], language_code="zh"))["ok"]
    assert server.commands == {"zh": [command]}
    assert await api.refusal("setMyCommands", commands=[command | {"command": "Ask"}]) == (
        "Bad Request: BOT_COMMAND_INVALID"
    )
    assert await api.refusal("setMyCommands", commands=[], language_code="zh-hans") == (
        "Bad Request: invalid language code specified"
    )
    assert (
        await api.refusal("setMyDescription", description="x" * 513) == "Bad Request: description is too long"
    )


async def test_inline_results(api: Api, server: ApiServer) -> None:
    typing = asyncio.create_task(server.type("what"))
    await asyncio.sleep(0.02)
    result = {"type": "article", "id": "1", "title": "t", "input_message_content": {"message_text": "x"}}

    async def refusal(*results: dict[str, Any], **params: Any) -> str:
        return await api.refusal("answerInlineQuery", inline_query_id="1", results=list(results), **params)

    assert (
        await refusal(*[result | {"id": str(number)} for number in range(51)])
        == "Bad Request: RESULTS_TOO_MUCH"
    )
    assert await refusal(result, result) == "Bad Request: RESULT_ID_DUPLICATE"
    assert await refusal(result | {"id": "x" * 65}) == "Bad Request: RESULT_ID_INVALID"
    assert await refusal(result | {"title": ""}) == "Bad Request: ARTICLE_TITLE_EMPTY"
    wrong = {"message_text": "<b>", "parse_mode": "HTML"}
    assert (await refusal(result | {"input_message_content": wrong})).startswith(
        "Bad Request: can't parse entities"
    )
    assert await refusal(result, next_offset="x" * 65) == "Bad Request: next offset is too long"
    assert (await api("answerInlineQuery", inline_query_id="1", results=[result]))["ok"]
    assert [each["title"] for each in (await typing).results] == ["t"]


async def test_groups_are_private(api: Api, server: ApiServer) -> None:
    group = server.group(-100)
    reply = {"reply_to_message": {"message_id": 9, "from": {"id": 123456789}}}
    await server.say("nobody asked the bot", chat_id=group)
    await server.say("/ask@other_bot what", chat_id=group)
    await server.say("hey @wenda_test_bot", Person(7), chat_id=group)
    await server.say("/ask what", chat_id=group)
    await server.say("and then?", chat_id=group, **reply)
    texts = [update["message"]["text"] for update in (await api("getUpdates"))["result"]]
    assert texts == ["hello", "hey @wenda_test_bot", "/ask what", "and then?"]
