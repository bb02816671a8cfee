"""The commands of admins over HTTP, by an admin and by others; documents; messages to everyone."""

import io
import json
import threading
import zipfile
from collections.abc import AsyncIterator, Iterator
from dataclasses import fields
from datetime import UTC
from pathlib import Path
from typing import Any, get_args

import pytest

from bot.access import Welcome
from bot.actions import Administering, SendBroadcast, decode, encode
from bot.administration import Administration
from bot.conversation import Conversation
from bot.greeting import Greeter
from bot.handlers import admin
from bot.i18n import Language, texts
from bot.keeping import Keeper, safe_name
from bot.links import TelegramLinks
from bot.opening import overview
from bot.serving import Service
from bot.state import State
from bot.suggestions import Suggestions
from bot.webhook import Webhook
from retrieval import Retriever, SyncReport
from retrieval.evaluation.datasets import load_dataset

from .api_server import BOT, ApiServer, Limits, Person, Sent
from .api_server.floods import Floods
from .archives import river_articles
from .conftest import BOTH_WAYS, RunningBot

ADMIN = Person(1)
ENGLISH_ADMIN = Person(3, language_code="en")
OTHER = Person(2)
STRANGER = Person(77)
GROUP = -100600


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "articles"
    folder.mkdir()
    for each in river_articles():
        (folder / f"{each.id}.md").write_text(
            f"---\ntitle: {each.title}\n---\n{each.text}\n", encoding="utf-8"
        )
    return folder


@pytest.fixture
def keeper(tmp_path: Path, folder: Path) -> Iterator[Keeper]:
    with Retriever.open(tmp_path / "index") as retriever:
        retriever.sync(folder)
        yield Keeper(retriever, [str(folder)], tmp_path / "uploads")


@pytest.fixture
async def running(
    server: ApiServer,
    keeper: Keeper,
    state: State,
    transport: Webhook | None,
    monkeypatch: pytest.MonkeyPatch,
) -> AsyncIterator[RunningBot]:
    monkeypatch.setattr("bot.telling.LOOK_SECONDS", 0.05)
    retriever = keeper.retriever
    greeter = Greeter(lambda: overview(retriever), Suggestions(retriever), state)
    service = Service(
        lambda username: Conversation(retriever, state, TelegramLinks(username, state), greeter),
        state,
        administration=Administration(keeper, state, UTC),
        welcome=Welcome(admins=frozenset({1, 3})),
        webhook=transport,
        signals=(),
    )
    for person in (ADMIN, ENGLISH_ADMIN):  # Telegram knows only chats in which somebody has written
        server.incoming("/start", person, person.id, {})
    bot = RunningBot(server, service)
    await bot.start()
    await server.wait(lambda: ("chat:3", "en") in server.scoped_commands)
    yield bot
    await bot.stop()
    assert server.refusals == []


def sent_to(server: ApiServer, person: Person) -> list[Sent]:
    return [sent for (chat, _), sent in sorted(server.messages.items()) if chat == person.id]


@BOTH_WAYS
async def test_figures_come_with_a_chart(server: ApiServer, running: RunningBot, state: State) -> None:
    await server.answer_to("口岸食堂的饺子多少钱一份", OTHER)
    await server.answer_to("zzz qqq", OTHER)
    state.questions.rate(1, True)
    shown = await server.answer_to("/stats", ADMIN)
    caption = server.calls[-1][1]["caption"] if server.calls[-1][0] == "sendPhoto" else shown.text
    assert "这里有 7 篇文章" in caption
    assert "今天：2 个问题，1 个有答案。" in caption
    assert "最近 7 天：2 个问题，50 % 有答案。" in caption
    assert "👍 1，👎 0" in caption


@BOTH_WAYS
async def test_gaps_are_clustered_and_exported_as_an_evaluation_set(
    server: ApiServer, running: RunningBot, state: State, tmp_path: Path
) -> None:
    assert (await server.answer_to("/gaps", ENGLISH_ADMIN)).text.startswith(
        "Every question of the last 30 days"
    )
    for question in ("黑河有机场吗", "黑河有没有机场", "量子计算机的原理", "黑河有机场吗"):
        await server.answer_to(question, OTHER)
    state.database.run("UPDATE questions SET answered = 0")
    before = len(server.messages)
    listed = await server.answer_to("/gaps", ENGLISH_ADMIN)
    await server.wait(lambda: len(server.messages) == before + 2)
    assert listed.text.startswith(
        "3 questions of the last 30 days found no good answer:\n\n3 × 黑河有机场吗\n· 黑河有没有机场\n\n1 × "
    )
    content = next(file.content for file in server.files.values() if file.content.startswith(b"PK"))
    with zipfile.ZipFile(io.BytesIO(content)) as packed:
        packed.extractall(tmp_path)
        queries = [json.loads(line) for line in packed.read("gaps/queries.jsonl").decode().splitlines()]
    assert [each["text"] for each in queries][:2] == ["黑河有机场吗", "黑河有没有机场"]
    dataset = load_dataset(tmp_path / "gaps")
    assert set(dataset.queries.values()) <= {each["text"] for each in queries}
    assert all(gain == 0 for judged in dataset.qrels.values() for gain in judged.values())


@BOTH_WAYS
async def test_a_sync_tells_what_it_did_while_questions_go_on(
    server: ApiServer, running: RunningBot, keeper: Keeper, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    answered, sync = threading.Event(), keeper.sync

    def slow(**options: Any) -> SyncReport | None:
        assert answered.wait(30)
        return sync(**options)

    monkeypatch.setattr(keeper, "sync", slow)
    (folder / "new.md").write_text("口岸的邮局上午九点开门。\n", encoding="utf-8")
    (folder / "broken.md").write_bytes(b"\x00\x01\x02" * 100)
    sent = await server.answer_to("/reindex", ADMIN)
    await server.answer_to("口岸食堂的饺子多少钱一份", OTHER)
    answered.set()
    await server.wait(lambda: sent.text.startswith("完成"))
    assert "新增 1 篇，更改 0 篇，删除 0 篇。" in sent.text
    assert "⚠️ broken.md: " in sent.text


@BOTH_WAYS
async def test_an_article_is_removed_after_confirmation(
    server: ApiServer, running: RunningBot, keeper: Keeper
) -> None:
    assert (await server.answer_to("/remove", ADMIN)).text.startswith("哪一篇？")
    asked = await server.answer_to("/remove a5.md", ADMIN)
    assert asked.text == "口岸食堂\na5.md"
    data = asked.buttons["🗑 删除这篇文章"]
    forged = await server.press_data(asked, data, OTHER)
    await server.wait(lambda: forged.answered)
    assert forged.notice == "这条消息已经过期，请重新提问。"
    assert keeper.retriever.article("a5.md") is not None
    await server.press(asked, "🗑 删除这篇文章", ADMIN)
    await server.wait(lambda: asked.text == "文章已删除。")
    assert keeper.retriever.article("a5.md") is None


@BOTH_WAYS
async def test_a_message_goes_to_everyone_once_confirmed(
    server: ApiServer, running: RunningBot, state: State
) -> None:
    blocked = Person(9)
    for person in (OTHER, blocked):
        await server.answer_to("口岸食堂的饺子多少钱一份", person)
    asked = await server.answer_to("/broadcast 明天停机\n<b>维护</b>", ADMIN)
    assert asked.text == "明天停机\n<b>维护</b>"
    forged = await server.press_data(asked, encode(SendBroadcast(1)), OTHER)
    await server.wait(lambda: forged.answered)
    other_admin = await server.press_data(asked, encode(SendBroadcast(1)), ENGLISH_ADMIN)
    await server.wait(lambda: other_admin.answered)
    assert len(sent_to(server, OTHER)) == 1
    server.blocked.add(9)
    await server.press(asked, "📣 发给 2 个聊天", ADMIN)
    await server.press_data(asked, encode(SendBroadcast(1)), ADMIN)
    await server.wait(lambda: sent_to(server, ADMIN)[-1].text == "消息已发给 1 个聊天；1 个无法送达。")
    assert [sent.text for sent in sent_to(server, OTHER)][1:] == ["明天停机\n<b>维护</b>"]
    assert server.refusals.pop() == "Forbidden: bot was blocked by the user"
    second = await server.answer_to("/broadcast 算了", ADMIN)
    await server.press(second, "取消", ADMIN)
    await server.wait(lambda: second.text == "已取消。")
    assert (await server.answer_to("/broadcast", ADMIN)).text == "请在 /broadcast 后面写上消息。"


@BOTH_WAYS
@pytest.mark.parametrize("command", ["/stats", "/gaps", "/reindex", "/remove a5.md", "/broadcast 停机"])
async def test_others_get_the_help_text(server: ApiServer, running: RunningBot, command: str) -> None:
    assert (await server.answer_to(command, OTHER)).text.startswith("直接发来一个问题")
    assert (await server.answer_to(command, Person(5, language_code="en"))).text.startswith(
        "Send me a question"
    )


@BOTH_WAYS
async def test_a_stranger_who_tries_all_that_admins_can_do_changes_and_learns_nothing(
    server: ApiServer,
    running: RunningBot,
    keeper: Keeper,
    state: State,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    server.flood_control = Floods(Limits(overall=None, private=None, group=None))
    monkeypatch.setattr("bot.pacing._PRIVATE", (1000, 1.0))
    monkeypatch.setattr("bot.pacing.Patience.lets", lambda *_: True)
    server.group(GROUP)
    await server.answer_to("口岸食堂的饺子多少钱一份", OTHER)
    asked = await server.answer_to("/broadcast 秘密", ADMIN)
    removal = await server.answer_to("/remove a5.md", ADMIN)
    before = _held(server, keeper, state)
    unknown = (await server.answer_to("/nonsense", STRANGER)).text
    for name in (*admin.MENU, *(name.upper() for name in admin.MENU)):
        for words in ("", " a5.md", " 口岸", f"@{BOT['username']} 口岸\n<b>秘密</b>"):
            assert (await server.answer_to(f"/{name}{words}", STRANGER)).text == unknown
        await server.say(f"/{name}@{BOT['username']} a5.md", STRANGER, chat_id=GROUP)
        edited = await server.say("/nonsense", STRANGER)
        await server.edit(edited, f"/{name} a5.md")
    shown = sent_to(server, STRANGER)[0]
    real = [data for sent in (asked, removal) for data in sent.buttons.values()]
    assert {type(decode(data)) for data in real} == set(get_args(Administering))
    for data in [*real, *_forged()]:
        for message in (shown, asked, removal):  # the last two as if the admin's message were the stranger's
            query = await server.press_data(message, data, STRANGER)
            await server.wait(lambda query=query: query.answered)  # type: ignore[misc]
            assert query.notice == "这条消息已经过期，请重新提问。"
    for name in ("new.md", "a5.md", "../a5.md"):
        await server.send_file("---\ntitle: 假\n---\n假的。\n".encode(), name, STRANGER)
    await server.answer_to("/nonsense", STRANGER)
    assert _held(server, keeper, state) == before
    said = {sent.text for sent in sent_to(server, STRANGER)}
    assert said == {unknown, "请用文字提问，一句话就好。"}
    assert not [key for key in server.messages if key[0] == GROUP]
    assert not {"getFile", "sendDocument", "sendPhoto"} & {method for method, _ in server.calls}
    assert not (tmp_path / "uploads").exists()
    assert "stats" not in server.menu_of(STRANGER)


def _held(server: ApiServer, keeper: Keeper, state: State) -> list[object]:
    """All that an admin can change, and what others than the stranger were sent."""
    articles = sorted((each.id, each.title, each.text) for each in keeper.retriever.articles())
    prepared = state.database.rows("SELECT id, admin, text, confirmed FROM broadcasts ORDER BY id")
    sent = state.database.rows("SELECT * FROM deliveries")
    others = sorted((key, each.edits) for key, each in server.messages.items() if key[0] != STRANGER.id)
    return [articles, prepared, sent, others]


def _forged() -> Iterator[str]:
    """Data of every button of admins with numbers and keys that nobody gave out."""
    for kind in get_args(Administering):
        for value in (0, 1, 2, 2**62):
            named = ["aaaaaaaaaaaaaaaa" if each.type in {"str", str} else value for each in fields(kind)]
            yield encode(kind(*named))


@BOTH_WAYS
async def test_a_document_of_an_admin_is_searchable_at_once(
    server: ApiServer, running: RunningBot, keeper: Keeper, tmp_path: Path
) -> None:
    await server.send_file("黑河动物园有三只东北虎。\n".encode(), "../../动物园.md", ADMIN)
    await server.wait(lambda: bool(sent_to(server, ADMIN)))
    assert sent_to(server, ADMIN)[0].text == "../../动物园.md：已收入，1 篇文章。"
    assert (tmp_path / "uploads" / "动物园.md").is_file()
    assert keeper.retriever.search("黑河动物园有几只东北虎").hits[0].title == "动物园"
    await server.send_file("黑河动物园有四只东北虎。\n".encode(), "动物园.md", ENGLISH_ADMIN)
    await server.wait(lambda: bool(sent_to(server, ENGLISH_ADMIN)))
    assert sent_to(server, ENGLISH_ADMIN)[0].text == "动物园.md: taken in, 1 article."
    assert "四只" in keeper.retriever.search("黑河动物园有几只东北虎").hits[0].text


@BOTH_WAYS
async def test_documents_that_lie_or_are_too_large_are_refused(
    server: ApiServer, running: RunningBot, tmp_path: Path
) -> None:
    for content, name in (
        (b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 20, "文章.md"),
        (b"MZ\x90\x00" + bytes(500), "setup.exe"),
        ("口岸".encode(), "noname"),
    ):
        before = len(sent_to(server, ADMIN))
        await server.send_file(content, name, ADMIN)
        await server.wait(lambda before=before: len(sent_to(server, ADMIN)) > before)  # type: ignore[misc]
        assert " 没有收入：" in sent_to(server, ADMIN)[-1].text
    before = len(sent_to(server, ADMIN))
    await server.send_file(b"x" * (20 * 2**20 + 1), "huge.txt", ADMIN)
    await server.wait(lambda: len(sent_to(server, ADMIN)) > before)
    assert sent_to(server, ADMIN)[-1].text == "huge.txt 没有收入：20 MB, the most is 20 MB"
    assert list((tmp_path / "uploads").iterdir()) == []
    assert [method for method, _ in server.calls].count("getFile") == 3


@BOTH_WAYS
async def test_a_document_of_somebody_else_is_a_message_without_words(
    server: ApiServer, running: RunningBot, tmp_path: Path
) -> None:
    await server.send_file("黑河动物园有三只东北虎。\n".encode(), "动物园.md", OTHER)
    await server.wait(lambda: bool(sent_to(server, OTHER)))
    assert sent_to(server, OTHER)[0].text == "请用文字提问，一句话就好。"
    assert not (tmp_path / "uploads").exists()


@BOTH_WAYS
async def test_only_admins_see_the_commands_of_admins_and_menus_are_set_once(
    server: ApiServer, running: RunningBot
) -> None:
    default = [each["command"] for each in server.scoped_commands["default", "zh"]]
    admins = [each["command"] for each in server.scoped_commands["chat:1", "zh"]]
    assert "subscribe" in default
    assert admins == [*default, "stats", "gaps", "reindex", "remove", "broadcast"]
    say = texts(Language.SIMPLIFIED_CHINESE)
    assert server.scoped_commands["chat:1", "zh"][-1]["description"] == say("command_broadcast")
    assert server.descriptions["zh"] == say("description")
    before = len(server.calls)
    await running.stop()
    await running.start()
    await server.wait(lambda: [name for name, _ in server.calls[before:]].count("getMyCommands") == 9)
    assert [name for name, _ in server.calls[before:] if name.startswith("setMy")] == []


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("../../etc/passwd", "passwd"),
        ("C:\\Windows\\system.ini", "system.ini"),
        ("文章.MD", "文章.md"),
        (".hidden", "hidden"),
        ("a\u202eb\x00c|d.txt", "abcd.txt"),
        ("…" * 300 + ".html", "…" * 80 + ".html"),
        ("///", "document"),
        ("...", "document"),
    ],
)
def test_names_are_made_safe(name: str, safe: str) -> None:
    assert safe_name(name) == safe
