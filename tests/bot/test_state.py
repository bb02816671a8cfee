"""The bot's memory: what is kept, for whom, and across restarts; the same in a file and in PostgreSQL."""

import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.errors import StateError
from bot.i18n import Language
from bot.state import KEY_LENGTH, State
from bot.state.updates import Claim, Left

from .postgres import Databases


@pytest.fixture
def state(location: str) -> Iterator[State]:
    state = State.open(location)
    yield state
    state.close()


def test_questions_belong_to_their_chat(state: State) -> None:
    number = state.questions.add("1", "口岸 100%?", literal=True)
    found = state.questions.get(number, "1")
    assert found is not None
    assert (found.text, found.literal) == ("口岸 100%?", True)
    assert state.questions.get(number, "2") is None
    assert state.questions.get(number + 1, "1") is None


def test_what_came_of_a_question_is_noted(state: State) -> None:
    number = state.questions.add("1", "口岸")
    state.questions.set_answered(number, True, seconds=0.25)
    state.questions.rate(number, False)
    row = state.database.row("SELECT answered, rating, seconds FROM questions WHERE id = ?", number)
    assert row == (1, -1, 0.25)


def test_offers_are_for_everyone_and_made_once(state: State) -> None:
    number = state.questions.offer("口岸？")
    assert state.questions.offer("口岸？") == number
    assert state.questions.get(number, "whoever") is not None


def test_everything_is_there_after_a_restart(location: str) -> None:
    state = State.open(location)
    number = state.questions.add("1", "口岸")
    key = state.article_keys.key("文章/一.md")
    state.languages.choose("1", Language.ENGLISH)
    state.languages.choose("1", Language.TRADITIONAL_CHINESE)
    state.close()
    again = State.open(location)
    assert again.questions.get(number, "1") is not None
    assert again.article_keys.article_id(key) == "文章/一.md"
    assert len(key) == KEY_LENGTH
    assert again.article_keys.key("文章/一.md") == key
    assert again.article_keys.article_id("?" * KEY_LENGTH) is None
    assert again.languages.of("1") is Language.TRADITIONAL_CHINESE
    assert again.languages.of("2") is None
    again.close()


def test_answers_are_found_by_the_message_they_answer(state: State) -> None:
    state.answers.remember("1", 5, 6)
    state.answers.remember("1", 5, 8)
    assert state.answers.answer_to("1", 5) == 8
    assert state.answers.answer_to("2", 5) is None


def test_an_update_is_received_once_and_kept_until_it_is_finished(state: State) -> None:
    assert state.updates.receive(1, "one", owner="me")
    assert not state.updates.receive(1, "one again", owner="you")
    assert state.updates.claim(1, "you") == (Claim.TAKEN, 0)
    assert state.updates.claim(1, "me") == (Claim.BEGUN, 1)
    assert state.updates.unfinished() == [Left(1, "one", 1)]
    state.updates.finish(1)
    assert state.updates.claim(1, "me") == (Claim.TAKEN, 0)
    assert not state.updates.receive(1, "one once more", owner="me")
    state.updates.forget_old()
    assert not state.updates.receive(1, "not forgotten yet", owner="me")
    state.database.run("UPDATE inbox SET received_at = NOW_SECONDS - 3 * 86400")
    state.updates.forget_old()
    assert state.updates.receive(1, "forgotten", owner="me")


def test_updates_of_a_chat_are_begun_in_order_by_whichever_process(state: State) -> None:
    state.updates.receive(1, "one", chat=7, owner="me")
    state.updates.receive(2, "two", chat=7, owner="you")
    state.updates.receive(3, "three", chat=8, owner="you")
    assert state.updates.claim(2, "you") == (Claim.WAITING, 0)
    assert state.updates.claim(3, "you") == (Claim.BEGUN, 1)
    assert state.updates.claim(1, "me") == (Claim.BEGUN, 1)
    assert state.updates.claim(2, "you") == (Claim.WAITING, 0)
    state.updates.finish(1)
    assert state.updates.claim(2, "you") == (Claim.BEGUN, 1)


def test_updates_are_taken_over_from_the_gone_the_silent_and_those_that_let_go(state: State) -> None:
    for number, owner in enumerate(("alive", "gone", "silent", "stopping"), start=1):
        state.updates.receive(number, str(number), chat=number, owner=owner)
    state.database.run("UPDATE inbox SET lease_until = NOW_SECONDS - 1 WHERE owner = 'silent'")
    state.updates.release("stopping")
    assert state.updates.owners() == {"alive", "gone", "silent", ""}
    assert [left.id for left in state.updates.take_over("me", ["gone"])] == [2, 3, 4]
    assert state.updates.take_over("you", ["gone"]) == []
    assert state.updates.claim(3, "silent") == (Claim.TAKEN, 0)
    assert state.updates.claim(3, "me") == (Claim.BEGUN, 1)


def test_a_sign_of_life_renews_the_lease(state: State) -> None:
    state.updates.receive(1, "one", owner="me")
    state.database.run("UPDATE inbox SET lease_until = NOW_SECONDS - 1")
    state.updates.renew("me")
    assert state.updates.take_over("you") == []


def test_of_many_that_take_over_at_once_each_update_goes_to_one(state: State) -> None:
    for number in range(100):
        state.updates.receive(number, "x", chat=number)
    taken: list[int] = []

    def take(name: str) -> None:
        taken.extend(left.id for left in state.updates.take_over(name))

    threads = [threading.Thread(target=take, args=(f"owner {number}",)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(taken) == list(range(100))


def test_what_is_done_together_counts_together_or_not_at_all(state: State) -> None:
    def interrupted() -> None:
        with state.database.transaction() as statements:
            statements.run("INSERT INTO chats (chat, language) VALUES ('1', 'en')")
            raise KeyError

    with pytest.raises(KeyError):
        interrupted()
    assert state.languages.of("1") is None
    state.database.many("INSERT INTO chats (chat, language) VALUES (?, ?)", [("1", "en"), ("2", "zh-Hant")])
    assert state.languages.of("2") is Language.TRADITIONAL_CHINESE


def test_several_may_open_a_new_memory_at_once(location: str) -> None:
    failed: list[Exception] = []

    def work() -> None:
        try:
            State.open(location).close()
        except Exception as error:
            failed.append(error)

    threads = [threading.Thread(target=work) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []


def test_memory_only() -> None:
    state = State.open(None)
    assert state.questions.add("1", "口岸") == 1
    state.close()


def test_a_file_of_an_earlier_version_is_taken_over(tmp_path: Path) -> None:
    path = tmp_path / "bot.sqlite3"
    with sqlite3.connect(path) as old:
        old.executescript(
            """CREATE TABLE questions (id INTEGER PRIMARY KEY AUTOINCREMENT, chat TEXT NOT NULL,
                text TEXT NOT NULL, literal INTEGER NOT NULL DEFAULT 0, asked_at TEXT NOT NULL,
                answered INTEGER, rating INTEGER);
            CREATE TABLE articles (key TEXT PRIMARY KEY, article_id TEXT NOT NULL) WITHOUT ROWID;
            CREATE TABLE answers (id INTEGER PRIMARY KEY AUTOINCREMENT, chat TEXT NOT NULL,
                message INTEGER NOT NULL, answer INTEGER NOT NULL,
                UNIQUE (chat, message) ON CONFLICT REPLACE);
            CREATE TABLE inbox (update_id INTEGER PRIMARY KEY, payload TEXT,
                attempts INTEGER NOT NULL DEFAULT 0);
            CREATE TABLE chats (chat TEXT PRIMARY KEY, language TEXT) WITHOUT ROWID;
            INSERT INTO questions (chat, text, asked_at) VALUES ('1', '口岸', '2021-07-19T06:51:46+00:00');
            INSERT INTO inbox VALUES (5, 'five', 1);
            INSERT INTO answers (chat, message, answer) VALUES ('1', 5, 6);"""
        )
    old.close()
    state = State.open(path)
    assert state.questions.get(1, "1") is not None
    assert state.updates.take_over("me") == [Left(5, "five", 1)]
    state.answers.remember("1", 5, 8)
    assert state.answers.answer_to("1", 5) == 8
    state.close()
    State.open(path).close()


def test_a_file_that_cannot_be_used_is_one_clear_sentence(tmp_path: Path) -> None:
    broken = tmp_path / "bot.sqlite3"
    broken.write_bytes(b"this is not a database" * 100)
    with pytest.raises(
        StateError, match=r"cannot use .*bot\.sqlite3 to remember conversations: .*WENDA_STATE"
    ):
        State.open(broken)
    with pytest.raises(StateError):
        State.open(broken / "below" / "a" / "file")


@pytest.mark.parametrize(
    "address",
    [
        "postgresql://wenda:hunter2secret@127.0.0.1:9/wenda",
        "postgresql://wenda:hunter2@secret@127.0.0.1:9/wenda",
        "postgresql://wenda:hunter2secret@127.0.0.1:port/wenda",
        "postgresql://wenda:hunter2secret@127.0.0.1:9/wenda?nonsense=hunter2secret",
    ],
)
def test_a_database_that_cannot_be_reached_is_one_sentence_without_the_password(address: str) -> None:
    with pytest.raises(StateError, match="WENDA_STATE") as raised:
        State.open(address)
    assert "hunter2" not in str(raised.value)
    assert "secret" not in str(raised.value)
    assert "\n" not in str(raised.value)


def test_a_server_that_was_away_is_found_again(databases: Databases, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.state.postgres._IDLE_SECONDS", 0.0)
    state = State.open(databases.new())
    number = state.questions.add("1", "口岸")
    databases.stop()
    try:
        with pytest.raises(StateError, match="cannot be used just now"):
            state.questions.get(number, "1")
    finally:
        databases.start()
    assert state.questions.get(number, "1") is not None
    state.close()


def test_nul_characters_do_not_stop_postgres(databases: Databases) -> None:
    state = State.open(databases.new())
    number = state.questions.add("1", "口\0岸")
    found = state.questions.get(number, "1")
    assert found is not None
    assert found.text == "口岸"
    state.close()


def test_without_the_extra_the_address_is_refused_in_one_sentence_and_files_need_no_driver(
    tmp_path: Path,
) -> None:
    code = (
        "import sys\nsys.modules['psycopg'] = None\n"
        "from bot.errors import StateError\nfrom bot.state import State\n"
        f"State.open({str(tmp_path / 'bot.sqlite3')!r}).close()\n"
        "try:\n    State.open('postgresql://localhost/wenda')\n"
        "except StateError as error:\n    print(error)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True)
    assert done.stdout == (
        "a PostgreSQL address in WENDA_STATE needs the package psycopg: pip install 'wenda[postgres]'\n"
    )
