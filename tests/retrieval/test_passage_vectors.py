"""What of a passage is encoded, and that vectors are the same whoever makes them."""

from dataclasses import replace

import numpy as np
import pytest

from embeddings import load_encoder
from retrieval import Article
from retrieval.lexical.analyzer import Analyzer
from retrieval.passage_vectors import (
    encoded_text,
    load_again,
    loadable_elsewhere,
    passage_vectors,
    with_vectors,
)
from retrieval.preparation import Prepared, prepare_all

from .encoders import HashEncoder


@pytest.fixture(scope="module")
def prepared() -> list[Prepared]:
    """Articles of several passages, of one, and of none."""
    long = "\n".join(
        f"第{number}条河流经{number * 7}个城市，长{number * 31}公里。" * 9 for number in range(5)
    )
    articles = [
        Article(id="a", title="河", text=long),
        Article(id="b", text=""),
        Article(id="c", title="桥", text="桥长99米。"),
    ]
    return prepare_all(articles, Analyzer())


def test_title_and_heading_are_encoded_once_each() -> None:
    assert encoded_text("河", "上游", "很长。") == "河\n上游\n很长。"
    assert encoded_text("河", "河", "很长。") == "河\n很长。"
    assert encoded_text("", "", "很长。") == "很长。"


def test_vectors_that_came_along_are_taken_as_they_are(prepared: list[Prepared]) -> None:
    encoder = HashEncoder()
    expected = passage_vectors(prepared, encoder)
    assert expected.dtype == np.float16
    assert len(expected) == sum(len(item.passages) for item in prepared) > 3
    for known in ([0], [2], [0, 1, 2]):
        mixed = list(prepared)
        for place in known:
            mixed[place] = with_vectors([prepared[place]], encoder)[0]
        np.testing.assert_array_equal(passage_vectors(mixed, encoder), expected)
    marked = replace(prepared[2], vectors=np.full((1, 48), 0.5, dtype=np.float16))
    assert passage_vectors([prepared[0], marked], encoder)[-1].tolist() == [0.5] * 48
    assert passage_vectors([prepared[1]], encoder).shape == (0, 48)


def test_only_encoders_that_load_in_no_time_are_loaded_elsewhere() -> None:
    bundled = load_encoder()
    assert loadable_elsewhere(bundled) == ("bundled", bundled.fingerprint)
    assert loadable_elsewhere(HashEncoder()) is None
    again = load_again("bundled", bundled.fingerprint)
    assert again is not None
    assert again.fingerprint == bundled.fingerprint
    assert load_again("bundled", "another one") is None
