"""Which texts have any of many words in them."""

from hypothesis import given
from hypothesis import strategies as st

from retrieval.lexical.occurrence import Occurrence

WORDS = ("矽", "软体", "软体动物", "体重", "𨱏", "gpt")
OCCURRENCE = Occurrence(WORDS)


@given(st.lists(st.text("矽软体动物重𨱏gpt ，", max_size=8), max_size=6))
def test_the_same_as_a_search_for_each(texts: list[str]) -> None:
    having = [any(word in text for word in WORDS) for text in texts]
    assert [OCCURRENCE.any_in(text) for text in texts] == having
    assert OCCURRENCE.among(texts) == [place for place, has in enumerate(having) if has]


def test_words_of_one_character_and_of_several() -> None:
    assert OCCURRENCE.among(["砷矽铁", "软", "体", "两个软体", "", "𨱏"]) == [0, 3, 5]
    assert OCCURRENCE.among([]) == []
    assert not OCCURRENCE.any_in("")
