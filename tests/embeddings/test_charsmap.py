"""The binary character map, as the tokenizers library reads it."""

from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers.normalizers import Precompiled

from embeddings.charsmap import build_charsmap

LETTERS = st.characters(categories=["Lu", "Ll", "Lo", "So"])


def test_characters_become_strings() -> None:
    normaliser = Precompiled(build_charsmap({"國": "国国", "A": "a", "é": "e", "𠮷": "吉"}))
    assert normaliser.normalize_str("國x國 Aé𠮷b") == "国国x国国 ae吉b"


def test_nothing_to_change() -> None:
    assert Precompiled(build_charsmap({"A": "a"})).normalize_str("黑河 2023") == "黑河 2023"


@settings(max_examples=60)
@given(st.dictionaries(LETTERS, st.text("abc黑河", min_size=1, max_size=4), min_size=1, max_size=50))
def test_every_entry_is_found(strings: dict[str, str]) -> None:
    normaliser = Precompiled(build_charsmap(strings))
    for key, value in strings.items():
        assert normaliser.normalize_str(f".{key}.") == f".{value}."


@settings(max_examples=30)
@given(
    st.dictionaries(LETTERS, st.text("abc", min_size=1, max_size=2), min_size=1, max_size=20),
    st.text(LETTERS),
)
def test_other_characters_stay(strings: dict[str, str], text: str) -> None:
    separated = " ".join(text)
    expected = " ".join(strings.get(character, character) for character in text)
    assert Precompiled(build_charsmap(strings)).normalize_str(separated) == expected
