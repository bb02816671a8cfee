"""The bot's memory: what is kept, for whom, and across restarts."""

from pathlib import Path

import pytest

from bot.errors import BotError
from bot.i18n import Language
from bot.state import KEY_LENGTH, State


def test_questions_belong_to_their_chat(state: State) -> None:
    number = state.add_question("1", "口岸", literal=True)
    found = state.question(number, "1")
    assert found is not None
    assert (found.text, found.literal) == ("口岸", True)
    assert state.question(number, "2") is None
    assert state.question(number + 1, "1") is None


def test_offers_are_for_everyone_and_made_once(state: State) -> None:
    number = state.offer("口岸？")
    assert state.offer("口岸？") == number
    assert state.question(number, "whoever") is not None


def test_everything_is_there_after_a_restart(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "bot.sqlite3"
    state = State.open(path)
    number = state.add_question("1", "口岸")
    key = state.article_key("文章/一.md")
    state.set_language("1", Language.ENGLISH)
    state.set_language("1", Language.TRADITIONAL_CHINESE)
    state.close()
    again = State.open(path)
    assert again.question(number, "1") is not None
    assert again.article_id(key) == "文章/一.md"
    assert len(key) == KEY_LENGTH
    assert again.article_id("?" * KEY_LENGTH) is None
    assert again.language("1") is Language.TRADITIONAL_CHINESE
    assert again.language("2") is None
    again.close()


def test_updates_are_kept_until_crossed_out(state: State) -> None:
    assert state.receive(2, "two")
    assert state.receive(1, "one")
    assert not state.receive(2, "two again")
    state.finish(1)
    assert not state.receive(1, "one again")
    assert state.unfinished() == [(2, "two", 1)]
    assert state.unfinished() == [(2, "two", 2)]
    state.receive(20_000, "later")
    state.finish(20_000)
    assert state.receive(1, "one, long forgotten")


def test_answers_are_found_by_the_message_they_answer(state: State) -> None:
    state.remember_answer("1", 5, 6)
    state.remember_answer("1", 5, 8)
    assert state.answer_to("1", 5) == 8
    assert state.answer_to("2", 5) is None


def test_memory_only() -> None:
    state = State.open(None)
    assert state.add_question("1", "口岸") == 1
    state.close()


def test_a_file_that_cannot_be_used_is_one_clear_sentence(tmp_path: Path) -> None:
    broken = tmp_path / "bot.sqlite3"
    broken.write_bytes(b"this is not a database" * 100)
    with pytest.raises(BotError, match=r"cannot use .*bot\.sqlite3 to remember conversations: .*WENDA_STATE"):
        State.open(broken)
    with pytest.raises(BotError):
        State.open(broken / "below" / "a" / "file")
