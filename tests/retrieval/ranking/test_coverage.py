"""What candidates cover of a question, group by group: the table against plain loops."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from retrieval.ranking.coverage import GROUPS, Columns, coverage, table
from retrieval.ranking.matching import Grams, Matches
from retrieval.ranking.symbols import split
from retrieval.ranking.weighting import GramWeights


def weights_of(grams: Grams) -> GramWeights:
    """Weights that differ from gram to gram."""
    levels = tuple(np.arange(1.0, len(level) + 1) for level in grams.levels)
    return GramWeights(levels, levels, 1.0, np.arange(2.0, len(grams.words) + 2))


def test_groups_are_neighbouring_columns_with_weights_of_their_own() -> None:
    grams = Grams(["黑河市"], ["黑河"])
    columns = Columns(weights_of(grams))
    assert [columns.count, len(GROUPS)] == list(columns.raw.shape) == [7, 5]
    assert columns.raw.sum(axis=0).tolist() == [6, 3, 1, 0, 2]
    assert columns.shares[:3, 0].tolist() == pytest.approx([1 / 6, 2 / 6, 3 / 6])
    assert columns.squares[3:5, 1].tolist() == pytest.approx([1 / 5, 4 / 5])
    assert columns.keys[6].tolist() == [0, 0, 0, 0, 1]


def test_a_title_counts_beside_the_text_and_not_as_text() -> None:
    grams = Grams(["黑河市"], ["黑河"])
    matches = Matches(grams, ["市。", "黑河", "黑河", ""])
    found = coverage(table(grams, weights_of(grams), matches, 2), np.array([0, 1]))
    assert found["passage_1"].tolist() == pytest.approx([3 / 6, 3 / 6])
    assert found["title_1"].tolist() == pytest.approx([3 / 6, 0])
    assert found["either_1"].tolist() == pytest.approx([1, 3 / 6])
    assert found["together_word"].tolist() == [1, 1]
    assert found["passage_4"].tolist() == [0, 0]


TEXTS = st.text(alphabet="黑河市海。\n", max_size=20)


@settings(max_examples=100, deadline=None)
@given(
    st.text(alphabet="黑河市海", min_size=1, max_size=6),
    st.lists(st.tuples(TEXTS, st.text(alphabet="黑河市", max_size=3)), min_size=1, max_size=5),
)
def test_agrees_with_plain_loops(question: str, candidates: list[tuple[str, str]]) -> None:
    grams = Grams([question])
    weights = weights_of(grams)
    texts, titles = [text for text, _ in candidates], [title for _, title in candidates]
    found = coverage(
        table(grams, weights, Matches(grams, [*texts, *titles]), len(texts)), np.arange(len(texts))
    )
    for level, (names, values) in enumerate(zip(grams.levels[:4], weights.levels, strict=False), 1):
        shares = dict(zip(map("".join, names), values / values.sum(), strict=True))
        for place, (text, title) in enumerate(candidates):
            sentences = [part for line in text.split("\n") for part in line.split("。")]

            def covered(*parts: str, of: dict[str, float] = shares) -> float:
                return sum(share for gram, share in of.items() if any(gram in part for part in parts))

            pairs = [sentences[n : n + 2] for n in range(len(sentences))]
            assert found[f"passage_{level}"][place] == pytest.approx(covered(*sentences))
            assert found[f"sentence_{level}"][place] == pytest.approx(max(map(covered, sentences)), abs=1e-6)
            best = max(covered(*pair) for pair in pairs)
            assert found[f"window_{level}"][place] == pytest.approx(best, abs=1e-6)
            assert found[f"title_{level}"][place] == pytest.approx(covered(title))
            assert found[f"either_{level}"][place] == pytest.approx(covered(*sentences, title))
    assert all(len(split(name)) == 1 for name in question)
