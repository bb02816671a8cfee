"""Foreseeing how tantivy merges segments."""

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from retrieval.lexical.index import LexicalDocument
from retrieval.lexical.merging import best_count, merged
from retrieval.lexical.tantivy_index import TantivyIndex

RAMP = [500, 1000, 2000, 4000]


def test_eight_small_segments_become_one_whatever_their_sizes() -> None:
    assert merged([9_000, *[10] * 6]) == [9_000, *[10] * 6]
    assert merged([9_000, *[10] * 7]) == [9_070]


def test_larger_ones_are_merged_with_their_like_alone() -> None:
    assert merged([20_000] * 7 + [11_000, 500]) == [20_000] * 7 + [11_000, 500]
    assert merged([20_000] * 7 + [12_000, 500]) == [152_000, 500]


def test_what_was_merged_is_merged_again() -> None:
    assert merged([64_000] * 7 + [8_000] * 8) == [512_000]


@given(st.lists(st.integers(1, 2_000_000), max_size=60))
def test_nothing_is_lost_and_no_eight_of_one_size_are_left(sizes: list[int]) -> None:
    left = merged(sizes)
    assert sum(left) == sum(sizes)
    assert left == sorted(left, reverse=True) == merged(left)
    assert sum(size < 10_000 for size in left) < 8


def test_as_tantivy_does(tmp_path: Path) -> None:
    index = TantivyIndex.open(tmp_path / "lexical", read_only=False)
    sizes: list[int] = []
    for number in range(9):
        documents = [_document(number * 100 + place) for place in range(1 + number % 3)]
        index.apply([], documents, position=number + 1)
        index.settle()
        sizes = merged([*sizes, len(documents)])
        assert sorted(index.segment_sizes(), reverse=True) == sizes
    assert sizes == [15, 3]
    index.close()


def test_so_many_equal_commits_as_leave_few_segments() -> None:
    assert best_count(RAMP, 168_000, 6_000, 24_000) == 8
    for expected in range(60_000, 1_200_000, 20_000):
        count = best_count(RAMP, expected, 6_000, 24_000)
        size = expected // (count + 1)
        assert 6_000 <= size <= 24_000
        sizes = RAMP
        for _ in range(count):
            sizes = merged([*sizes, size])
        assert sum(size >= 10_000 for size in sizes) <= 2 + (expected > 200_000), (expected, sizes)


def test_no_equal_commits_of_too_few_documents() -> None:
    assert best_count(RAMP, 5_000, 6_000, 24_000) == 0
    assert best_count([], 0, 6_000, 24_000) == 0


def _document(number: int) -> LexicalDocument:
    return LexicalDocument(
        passage_id=number, body=("word",), heading=(), title=(), article_id=f"{number}", day=0,
        categories=(), authors=(), sources=(), language="",
    )  # fmt: skip
