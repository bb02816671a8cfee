"""Which texts have any of many words in them."""

import re

from hypothesis import given
from hypothesis import strategies as st

from retrieval.lexical.occurrence import Occurrence, ShortTextWords

WORDS = ("矽", "软体", "软体动物", "体重", "𨱏", "gpt")
OCCURRENCE = Occurrence(WORDS)


@given(st.lists(st.text("矽软体动物重𨱏gpt ，", max_size=8), max_size=6))
def test_the_same_as_a_search_for_each(texts: list[str]) -> None:
    having = [any(word in text for word in WORDS) for text in texts]
    assert OCCURRENCE.among(texts) == [place for place, has in enumerate(having) if has]


@given(st.text("矽软体动物重𨱏gpt ，", max_size=12))
def test_the_words_of_a_short_text(text: str) -> None:
    expected = {word for word in WORDS if len(word) > 1 and word in text}
    assert ShortTextWords(WORDS).within(text) == expected


def test_words_of_one_character_and_of_several() -> None:
    assert OCCURRENCE.among(["砷矽铁", "软", "体", "两个软体", "", "𨱏"]) == [0, 3, 5]
    assert OCCURRENCE.among([]) == []


@given(st.text("矽软体动物重𨱏gpt ,。\n", max_size=30))
def test_stretches_are_what_lies_between_marks_and_has_a_word(text: str) -> None:
    expected, start = [], 0
    for stretch in re.split("[,。\n]", text):
        if any(word in stretch for word in WORDS):
            expected.append((start, start + len(stretch)))
        start += len(stretch) + 1
    assert list(OCCURRENCE.stretches(text)) == expected
