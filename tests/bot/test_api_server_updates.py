"""The tests' Bot API server: polling, webhooks, flood control, menus by scope, as Telegram treats them."""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import web

from .api_client import Api
from .api_server import BOT, ApiServer, Limits, Person
from .api_server.floods import Bucket, Floods
from .api_server.parameters import RefusedError

GROUP = -100700
MENU = [{"command": "ask", "description": "Ask"}]


async def test_updates_are_confirmed_by_the_next_offset(api: Api, server: ApiServer) -> None:
    for number in range(150):
        await server.say(str(number))
    first = await api.result("getUpdates")
    assert [len(first), first[0]["message"]["text"]] == [100, "hello"]
    assert len(await api.result("getUpdates", limit=7)) == 7
    rest = await api.result("getUpdates", offset=first[-1]["update_id"] + 1)
    assert [each["message"]["text"] for each in rest] == [str(number) for number in range(99, 150)]
    last = await api.result("getUpdates", offset=-2)
    assert [each["message"]["text"] for each in last] == ["148", "149"]
    assert len(server.pending) == 2


async def test_only_wanted_kinds_are_queued_and_the_wish_is_remembered(api: Api, server: ApiServer) -> None:
    await api("getUpdates", allowed_updates=["callback_query"])
    await server.say("unwanted")
    assert [each["message"]["text"] for each in await api.result("getUpdates")] == ["hello"]
    await api("getUpdates", allowed_updates=[])
    await server.say("wanted")
    await server.publish({"message_reaction": {}})
    assert [each["message"]["text"] for each in await api.result("getUpdates")] == ["hello", "wanted"]


async def test_setting_a_webhook_ends_polling(api: Api, server: ApiServer) -> None:
    waiting = asyncio.create_task(api("getUpdates", offset=5000, timeout=20))
    await asyncio.sleep(0.05)
    assert await api.result("setWebhook", url="https://a.org/hook")
    assert (await waiting)["error_code"] == 409
    assert (await api("getUpdates"))["error_code"] == 409
    assert await api.result("deleteWebhook")
    assert await api.result("getUpdates") == []


@pytest.mark.parametrize(
    ("params", "refusal"),
    [
        ({"url": "http://a.org"}, "bad webhook: An HTTPS URL must be provided for webhook"),
        ({"url": "https://a.org:8080"},
         "bad webhook: Webhook can be set up only on ports 80, 88, 443 or 8443"),
        ({"url": "https://a.org", "secret_token": "a b"}, "secret token contains unallowed characters"),
        ({"url": "https://a.org", "secret_token": "a" * 257}, "secret token is too long"),
        ({"url": "https://a.org", "certificate": "PEM"},
         "bad webhook: certificate must be uploaded as a file"),
    ],
)  # fmt: skip
async def test_webhooks_that_are_refused(api: Api, params: dict[str, str], refusal: str) -> None:
    assert await api.refusal("setWebhook", **params) == f"Bad Request: {refusal}"
    assert (await api.result("getWebhookInfo"))["url"] == ""


class Hook:
    """A webhook: what was brought to it, and what it says next (200 where nothing is prepared)."""

    def __init__(self) -> None:
        self.brought: list[tuple[str, str | None]] = []
        self.statuses: list[int] = []
        self.responses: list[web.Response] = []
        self.url = ""

    async def handle(self, request: web.Request) -> web.Response:
        update: dict[str, Any] = await request.json()
        text = update["message"]["text"]
        self.brought.append((text, request.headers.get("X-Telegram-Bot-Api-Secret-Token")))
        if self.responses:
            return self.responses.pop(0)
        return web.Response(status=self.statuses.pop(0) if self.statuses else 200)


@pytest.fixture
async def hook() -> AsyncIterator[Hook]:
    hook = Hook()
    application = web.Application()
    application.router.add_post("/hook", hook.handle)
    runner = web.AppRunner(application)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    hook.url = f"http://127.0.0.1:{runner.addresses[0][1]}/hook"
    yield hook
    await runner.cleanup()


async def test_webhooks_are_brought_updates_in_order_until_they_take_them(
    api: Api, server: ApiServer, hook: Hook
) -> None:
    server.local = True
    hook.statuses = [500, 503]
    await server.say("again")
    await server.say("other", Person(7))
    assert await api.result("setWebhook", url=hook.url, secret_token="s3cret", max_connections=1)
    await server.wait(lambda: not server.pending)
    info = await api.result("getWebhookInfo")
    assert info["pending_update_count"] == 0
    assert info["max_connections"] == 1
    assert info["last_error_message"] == "Wrong response from the webhook: 503 Service Unavailable"
    assert [text for text, _ in hook.brought] == ["hello", "hello", "hello", "again", "other"]
    assert {secret for _, secret in hook.brought} == {"s3cret"}


async def test_a_response_that_takes_an_update_may_carry_a_call(
    api: Api, server: ApiServer, hook: Hook
) -> None:
    server.local = True
    said = {"method": "SendMessage", "chat_id": 42, "text": "<b>x</b>", "parse_mode": "HTML"}
    hook.responses = [
        web.json_response(said, status=500),
        web.json_response(said, status=503, headers={"Retry-After": "1"}),
        web.json_response(said),
        web.json_response(said | {"text": "<b>"}),  # refused: said to nobody, and not tried again
        web.json_response({"method": "getMe"}),
        web.json_response({"method": "deleteWebhook"}),
        web.json_response({"method": "noSuchMethod"}),
        web.json_response([said]),
        web.Response(text=json.dumps(said)),
        web.Response(text="{", content_type="application/json"),
    ]
    for _ in range(7):
        await server.say("again")
    started = time.monotonic()
    assert await api.result("setWebhook", url=hook.url)
    await server.wait(lambda: not server.pending)
    assert time.monotonic() - started > 1
    assert hook.responses == []
    assert [(sent.text, sent.marked("bold")) for sent in server.messages.values()] == [("x", ["x"])]
    assert server.in_responses == 3
    assert [each.partition(" ")[2][:16] for each in server.refusals] == [
        "Request: can't p",
        "Found: method no",
    ]
    assert server.webhook


async def test_a_webhook_that_is_not_there_keeps_its_updates(api: Api, server: ApiServer) -> None:
    server.local = True
    await api("setWebhook", url="http://127.0.0.1:9/hook")
    await server.wait(lambda: bool(server.hook.failure))
    assert (await api.result("getWebhookInfo"))["pending_update_count"] == 1
    assert await api.result("deleteWebhook", drop_pending_updates=True)
    assert await api.result("getUpdates") == []


async def test_floods_to_one_chat(api: Api, server: ApiServer) -> None:
    server.group(GROUP)
    for _ in range(20):
        assert (await api("sendMessage", chat_id=GROUP, text="x"))["ok"]
    body = await api("sendMessage", chat_id=GROUP, text="x")
    assert (body["error_code"], body["parameters"]) == (429, {"retry_after": 3})
    assert body["description"] == "Too Many Requests: retry after 3"
    assert (await api("sendChatAction", chat_id=GROUP, action="typing"))["ok"]
    assert (await api("sendMessage", chat_id=42, text="x"))["ok"]


def refused(floods: Floods, chat_id: int) -> int:
    """Seconds to wait before the next message to a chat, 0 where it went out."""
    try:
        floods.check(chat_id)
    except RefusedError as error:
        return error.parameters["retry_after"]
    return 0


def test_floods_overall_and_in_private_chats() -> None:
    floods = Floods(Limits())
    assert [refused(floods, chat) for chat in range(1, 32)] == [0] * 30 + [1]
    floods = Floods(Limits(overall=None, private_burst=3, private=0.1))
    assert [refused(floods, 1) for _ in range(4)] == [0, 0, 0, 10]
    assert refused(floods, 2) == 0
    floods = Floods(Limits(overall=None, private=None, group=None))
    assert {refused(floods, chat) for chat in (1, -1) for _ in range(500)} == {0}


def test_a_bucket_fills_again() -> None:
    bucket = Bucket(room=2, rate=1)
    bucket.left, bucket.seen = 0.0, bucket.seen - 1.5
    assert bucket.wait() == 0
    bucket.seen -= 100
    bucket.wait()
    assert bucket.left == 2


async def test_menus_are_chosen_by_scope_and_language(api: Api, server: ApiServer) -> None:
    server.group(GROUP)
    admin, other = Person(7, language_code="en"), Person(8, language_code="zh-hans")
    for person in (admin, other):
        await server.say("hi", person)

    async def put(name: str, language: str = "", **scope: Any) -> None:
        menu = [{"command": name, "description": "x"}]
        assert await api.result(
            "setMyCommands", commands=menu, language_code=language, scope=scope or {"type": "default"}
        )

    await put("all")
    await put("alle", "en")
    await put("private", type="all_private_chats")
    await put("mine", type="chat", chat_id=7)
    assert [server.menu_of(person) for person in (admin, other)] == [["mine"], ["private"]]
    assert [server.menu_of(person, GROUP) for person in (admin, other)] == [["alle"], ["all"]]
    await put("admins", type="all_chat_administrators")
    await put("members", type="all_group_chats")
    server.members[GROUP, 7] = "administrator"
    assert [server.menu_of(person, GROUP) for person in (admin, other)] == [["admins"], ["members"]]
    await put("me", type="chat_member", chat_id=GROUP, user_id=8)
    assert server.menu_of(other, GROUP) == ["me"]
    mine = {"type": "chat", "chat_id": 7}
    assert [each["command"] for each in await api.result("getMyCommands", scope=mine)] == ["mine"]
    await api("deleteMyCommands", scope=mine)
    assert await api.result("getMyCommands", scope=mine) == []
    assert await api.refusal("setMyCommands", commands=MENU, scope={"type": "chat", "chat_id": 99}) == (
        "Bad Request: chat not found"
    )


async def test_descriptions_by_language(api: Api) -> None:
    for name, limit in (("Description", 512), ("ShortDescription", 120)):
        field = "description" if limit == 512 else "short_description"
        assert await api.result(f"setMy{name}", language_code="zh", **{field: "述" * limit})
        assert (await api.result(f"getMy{name}", language_code="zh"))[field] == "述" * limit
        assert (await api.result(f"getMy{name}"))[field] == ""
        assert (await api.refusal(f"setMy{name}", **{field: "x" * (limit + 1)})).endswith(" is too long")


async def test_commands_without_a_name_go_to_the_bot_that_spoke_last(api: Api, server: ApiServer) -> None:
    server.group(GROUP)
    await server.say("/ask what", chat_id=GROUP)
    server.other_bot_spoke.add(GROUP)
    await server.say("/ask which", chat_id=GROUP)
    edited = await server.say("nothing for bots", chat_id=GROUP)
    await server.edit(edited, "still nothing")
    await server.edit(edited, f"@{BOT['username']} who")
    texts = [(update.get("message") or update["edited_message"])["text"] for update in server.pending]
    assert texts == ["hello", "/ask what", f"@{BOT['username']} who"]
