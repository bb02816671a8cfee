"""Numbers, dates and Latin names in one canonical form."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retrieval.lexical.entities import find_entities


def terms(text: str) -> set[str]:
    return {term for entity in find_entities(text) for term in entity.terms}


def everything(text: str) -> set[str]:
    return terms(text) | {part for entity in find_entities(text) for part in entity.parts}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2,178,400人", {"n2178400"}),
        ("2178400", {"n2178400"}),
        ("增长6.42%", {"n6.42%"}),
        ("6.420", {"n6.42"}),
        ("1.5万余张", {"n15000"}),
        ("70亿元", {"n7000000000"}),
        ("gpt-4和c919", {"lgpt4", "lc919"}),
        ("gpt4", {"lgpt4"}),
        ("8月16日", {"d08-16"}),
        ("2021年8月16日", {"d2021-08-16", "d08-16", "d2021-08"}),
        ("2021-08-16", {"d2021-08-16", "d08-16", "d2021-08"}),
        ("2021年", {"d2021"}),
        ("c++", {"lc++"}),
        ("companies' harbours", {"lcompany", "lharbour"}),
        ("the bus", {"lthe", "lbus"}),
        ("007", {"n7"}),
        ("…，。", set()),
    ],
)
def test_canonical_terms(text: str, expected: set[str]) -> None:
    assert terms(text) == expected


def test_vaguer_questions_share_parts() -> None:
    assert {"n2021", "d2021", "d08"} <= everything("2021年8月16日")
    assert "n2021" in everything("in 2021")
    assert {"lgpt", "n4"} <= everything("gpt-4")
    assert "n6.42" in everything("6.42%")
    assert "n1.5" in everything("1.5万")


def test_places_are_those_of_the_text() -> None:
    text = "共2,178,400人,f-35与c919"
    assert [text[e.start : e.end] for e in find_entities(text)] == ["2,178,400", "f-35", "c919"]


@given(st.text(alphabet="0123456789年月日-/.,%万亿abcz'+# ", max_size=200))
def test_any_text_is_read_from_left_to_right(text: str) -> None:
    place = 0
    for entity in find_entities(text):
        assert place <= entity.start < entity.end <= len(text)
        assert entity.terms
        assert all(" " not in term for term in (*entity.terms, *entity.parts))
        place = entity.end
