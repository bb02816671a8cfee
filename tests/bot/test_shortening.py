"""Shortening: whole sentences around what matters, within the room there is."""

from hypothesis import given, settings
from hypothesis import strategies as st

from bot.shortening import window

TEXT = "一共五句。这是第二句。答案在第三句。第四句很长很长很长很长。最后一句。"


def shown(keep: tuple[int, int], room: int) -> str:
    start, end = window(TEXT, keep, room)
    return TEXT[start:end]


def test_all_of_it_where_there_is_room() -> None:
    assert shown((11, 18), 100) == TEXT


def test_whole_sentences_around_the_answer() -> None:
    assert shown((11, 18), 8) == "答案在第三句。"
    assert shown((11, 18), 13) == "这是第二句。答案在第三句。"
    assert shown((11, 18), 20) == "一共五句。这是第二句。答案在第三句。"


def test_a_sentence_too_long_is_cut_inside_from_what_matters() -> None:
    assert shown((11, 18), 3) == "答案在"
    long = "开头" * 30 + "重点在这里" + "结尾" * 30 + "。"
    start, end = window(long, (60, 65), 20)
    assert long[start:end].startswith("重点在这里")
    assert end - start == 20


def test_english_is_cut_between_words() -> None:
    text = "Voyager 1 crossed the heliopause and entered interstellar space in August 2012"
    start, end = window(text, (0, 0), 50)
    assert text[start:end] == "Voyager 1 crossed the heliopause and entered"


@settings(deadline=None)
@given(st.text("字句。！\n a😀", max_size=80), st.integers(0, 80), st.integers(0, 10), st.integers(1, 40))
def test_never_longer_than_the_room_and_it_holds_the_start_of_what_matters(
    text: str, start: int, length: int, room: int
) -> None:
    first, last = window(text, (start, start + length), room)
    assert 0 <= first <= last <= len(text)
    assert last - first <= max(room, 1)
    assert first < last or not text
