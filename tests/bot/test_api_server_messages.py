"""The tests' Bot API server: texts, chats, topics, replies, copies, files, as Telegram treats them."""

import struct
import zlib
from typing import Any

import pytest

from .api_client import Api
from .api_server import BOT, ApiServer, Entity, Person, parse_html
from .api_server.cleaning import cleaned, is_blank
from .api_server.links import is_link

GROUP = -100700


def png(width: int, height: int) -> bytes:
    """The beginning of a PNG picture; no more of it is ever looked at."""
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + struct.pack(">I", 13)
        + b"IHDR"
        + header
        + struct.pack(">I", zlib.crc32(header))
    )


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("a\x00\tb\x1fc", "a  b c"),
        ("a\r\nb\u2028\u202ec\u202d", "a\nbc"),
        ("a\u0333b\u033fc\u030a", "abc"),
        ("\u200e\u200f\u200ea", "\u200c\u200c\u200ea"),
        ("中\u3000文\u200b", "中\u3000文\u200b"),
    ],
)
def test_texts_are_cleaned(given: str, kept: str) -> None:
    assert cleaned(given) == kept


@pytest.mark.parametrize("text", ["", " \n", "\u200b\u200d", "\u3000\u2800", "\ufeff\u00a0", "\u200e"])
def test_texts_of_which_nothing_shows_are_blank(text: str) -> None:
    assert is_blank(text)
    assert not is_blank(text + "。")


def test_entities_move_with_what_is_cleaned_away() -> None:
    text, entities = parse_html(" \u202e\u2028<b>仓\u202d😀</b>\r\n <i>\u202e</i>x<u> </u>")
    assert text == "仓😀\n x"
    assert entities == [Entity("bold", 0, 3)]


@pytest.mark.parametrize(
    ("url", "good"),
    [
        ("https://a.org/x?y=1#z", True),
        ("http://[::1]:80/", True),
        ("tg://user?id=1", True),
        ("https://news.例子/仓", True),
        ("http://localhost/", False),
        ("https://", False),
        ("https://a b.org", False),
        ("https://a.org/a b", False),
        ("https://a.org:port/", False),
        ("javascript:alert(1)", False),
        ("ftp://a.org", False),
    ],
)
def test_which_addresses_are_links(url: str, good: bool) -> None:
    assert is_link(url) == good


async def test_a_link_telegram_does_not_want_is_text(api: Api) -> None:
    html = '<a href="http://localhost/">a</a><a href="javascript:x">b</a><a href="https://a.org">c</a>'
    sent = await api.result("sendMessage", chat_id=42, text=html, parse_mode="HTML")
    assert sent["text"] == "abc"
    assert sent["entities"] == [{"type": "text_link", "offset": 2, "length": 1, "url": "https://a.org"}]


async def test_who_cannot_be_written_to(api: Api, server: ApiServer) -> None:
    async def refusal(chat_id: int) -> tuple[int, str]:
        body = await api("sendMessage", chat_id=chat_id, text="x")
        return body["error_code"], body["description"]

    server.group(GROUP)
    await server.say("hello", Person(7), chat_id=GROUP)
    assert await refusal(8) == (400, "Bad Request: chat not found")
    assert await refusal(7) == (403, "Forbidden: bot can't initiate conversation with a user")
    server.muted.add(GROUP)
    assert await refusal(GROUP) == (400, "Bad Request: not enough rights to send text messages to the chat")
    await server.kick(GROUP)
    assert await refusal(GROUP) == (403, "Forbidden: bot was kicked from the supergroup chat")
    await server.block(Person())
    assert await refusal(42) == (403, "Forbidden: bot was blocked by the user")
    await server.unblock(Person())
    assert (await api("sendMessage", chat_id=42, text="x"))["ok"]
    server.deactivated.add(42)
    assert await refusal(42) == (403, "Forbidden: user is deactivated")
    changes = [update["my_chat_member"] for update in server.pending if "my_chat_member" in update]
    assert [(each["chat"]["id"], each["new_chat_member"]["status"]) for each in changes] == [
        (GROUP, "kicked"),
        (42, "kicked"),
        (42, "member"),
    ]


async def test_a_group_that_moved_says_where(api: Api, server: ApiServer) -> None:
    server.group(-5)
    await server.migrate(-5, GROUP)
    body = await api("sendMessage", chat_id=-5, text="x")
    assert body["description"] == "Bad Request: group chat was upgraded to a supergroup chat"
    assert body["parameters"] == {"migrate_to_chat_id": GROUP}
    assert (await api("sendMessage", chat_id=GROUP, text="x"))["ok"]


async def test_replies_need_their_message(api: Api, server: ApiServer) -> None:
    hello = next(iter(server.history.values()))
    reply: dict[str, Any] = {"message_id": hello["message_id"]}
    sent = await api.result("sendMessage", chat_id=42, text="x", reply_parameters=reply)
    assert sent["reply_to_message"]["text"] == "hello"
    assert await api.result("deleteMessage", chat_id=42, message_id=hello["message_id"])
    assert await api.refusal("sendMessage", chat_id=42, text="x", reply_parameters=reply) == (
        "Bad Request: message to be replied not found"
    )
    allowed = reply | {"allow_sending_without_reply": True}
    sent = await api.result("sendMessage", chat_id=42, text="x", reply_parameters=allowed)
    assert "reply_to_message" not in sent
    await server.say("elsewhere", Person(7))
    elsewhere = {"message_id": max(number for chat, number in server.history if chat == 7)}
    assert await api.refusal("sendMessage", chat_id=42, text="x", reply_parameters=elsewhere) == (
        "Bad Request: message to be replied not found"
    )


async def test_topics(api: Api, server: ApiServer) -> None:
    server.group(GROUP, topics=True)
    asked = await server.say(f"@{BOT['username']} x", chat_id=GROUP, thread=9)
    sent = await api.result("sendMessage", chat_id=GROUP, text="x", message_thread_id=9)
    assert (sent["message_thread_id"], sent["is_topic_message"]) == (9, True)
    reply = {"message_id": asked["message_id"]}
    sent = await api.result("sendMessage", chat_id=GROUP, text="x", reply_parameters=reply)
    assert sent["message_thread_id"] == 9
    assert await api.refusal("sendMessage", chat_id=GROUP, text="x", message_thread_id=10) == (
        "Bad Request: message thread not found"
    )


async def test_copies_forwards_and_deletions(api: Api, server: ApiServer) -> None:
    await server.say("hi", Person(7))
    hello = next(iter(server.history))[1]
    assert await api.result("copyMessage", chat_id=7, from_chat_id=42, message_id=hello) == {"message_id": 3}
    assert server.messages[7, 3].text == "hello"
    forwarded = await api.result("forwardMessage", chat_id=42, from_chat_id=7, message_id=3)
    assert (forwarded["text"], forwarded["forward_origin"]["type"]) == ("hello", "user")
    assert await api.refusal("copyMessage", chat_id=7, from_chat_id=42, message_id=99) == (
        "Bad Request: message to copy not found"
    )
    assert await api.refusal("deleteMessage", chat_id=42, message_id=99) == (
        "Bad Request: message to delete not found"
    )
    server.group(GROUP)
    theirs = await server.say("theirs", chat_id=GROUP)
    assert await api.refusal("deleteMessage", chat_id=GROUP, message_id=theirs["message_id"]) == (
        "Bad Request: message can't be deleted for everyone"
    )
    assert await api.refusal("editMessageText", chat_id=GROUP, message_id=theirs["message_id"], text="x") == (
        "Bad Request: message can't be edited"
    )


async def test_files_go_up(api: Api, server: ApiServer) -> None:
    sent = await api.result(
        "sendDocument",
        chat_id=42,
        files={"document": ("a.zip", b"zip")},
        caption="<b>c</b>",
        parse_mode="HTML",
    )
    assert (sent["document"]["file_name"], sent["document"]["file_size"], sent["caption"]) == (
        "a.zip",
        3,
        "c",
    )
    assert server.messages[42, sent["message_id"]].file == b"zip"
    assert (await api.result("sendPhoto", chat_id=42, files={"photo": ("a.png", png(640, 480))}))["photo"]
    again = await api.result("sendDocument", chat_id=42, document=sent["document"]["file_id"])
    assert server.messages[42, again["message_id"]].file == b"zip"
    server.web["https://a.org/1.png"] = png(10, 10)
    assert (await api("sendPhoto", chat_id=42, photo="https://a.org/1.png"))["ok"]
    edit = {"chat_id": 42, "message_id": sent["message_id"]}
    assert (await api("editMessageCaption", **edit, caption="d"))["ok"]
    assert (await api.refusal("editMessageCaption", **edit, caption="d")).startswith(
        "Bad Request: message is not modified"
    )
    assert await api.refusal("editMessageText", **edit, text="x") == (
        "Bad Request: there is no text in the message to edit"
    )


@pytest.mark.parametrize(
    ("method", "file", "refusal"),
    [
        ("sendPhoto", b"no picture", "IMAGE_PROCESS_FAILED"),
        ("sendPhoto", png(9000, 1001), "PHOTO_INVALID_DIMENSIONS"),
        ("sendPhoto", png(2100, 100), "PHOTO_INVALID_DIMENSIONS"),
        ("sendDocument", b"", "file must be non-empty"),
        ("sendPhoto", None, "there is no photo in the request"),
        ("sendDocument", "https://a.org/x", "failed to get HTTP URL content"),
        ("sendDocument", "nonsense", "wrong file identifier/HTTP URL specified"),
    ],
)
async def test_files_that_are_refused(api: Api, method: str, file: bytes | str | None, refusal: str) -> None:
    field = method.removeprefix("send").lower()
    if isinstance(file, bytes):
        body = await api(method, chat_id=42, files={field: ("x", file)})
    else:
        body = await api(method, chat_id=42, **({field: file} if file else {}))
    assert body["description"] == f"Bad Request: {refusal}"


async def test_captions_have_1024_units(api: Api) -> None:
    document = {"document": ("x", b"x")}
    assert (await api("sendDocument", chat_id=42, files=document, caption="😀" * 512))["ok"]
    assert await api.refusal("sendDocument", chat_id=42, files=document, caption="😀" * 512 + "x") == (
        "Bad Request: message caption is too long"
    )


async def test_files_come_down_up_to_a_size(api: Api, server: ApiServer) -> None:
    message = await server.send_file("仓".encode(), "../../仓.md", caption="look")
    assert message["document"]["file_name"] == "../../仓.md"
    file = await api.result("getFile", file_id=message["document"]["file_id"])
    assert await api.download(file["file_path"]) == "仓".encode()
    assert await api.download(file["file_path"], token="1:x") is None
    assert await api.download("documents/other") is None
    large = await server.send_file(bytes(20 * 2**20 + 1), "large.txt")
    file_id = large["document"]["file_id"]
    assert await api.refusal("getFile", file_id=file_id) == "Bad Request: file is too big"
    assert await api.refusal("getFile", file_id="nonsense") == "Bad Request: invalid file_id"
    server.local = True
    assert (await api.result("getFile", file_id=file_id))["file_size"] == 20 * 2**20 + 1


async def test_what_is_sent_inline_comes_back_to_the_chat_with_the_bot(api: Api, server: ApiServer) -> None:
    _, query = server.new_query()
    result = {
        "type": "article",
        "id": "1",
        "title": "t",
        "input_message_content": {"message_text": "<b>x</b>", "parse_mode": "HTML"},
        "reply_markup": {"inline_keyboard": [[{"text": "go", "callback_data": "a"}]]},
    }
    assert (await api("answerInlineQuery", inline_query_id="1", results=[result], is_personal=True))["ok"]
    assert (query.personal, query.cache_time) == (True, 300)
    sent = await server.choose(query)
    await server.press(sent, "go")
    kinds = [next(key for key in update if key != "update_id") for update in server.pending]
    assert kinds == ["message", "chosen_inline_result", "message", "callback_query"]
    assert server.pending[2]["message"]["via_bot"] == BOT
    assert server.pending[3]["callback_query"]["inline_message_id"] == sent.inline_id
