"""The closer look at the first candidates: which sentence is read, what comes of it, and where it counts."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from embeddings import load_encoder
from embeddings.encoder import QuickEncoder, Vectors
from retrieval import Article, Retriever
from retrieval.ranking.closeness import READ, closeness, likest_sentence, mostly_titled
from retrieval.ranking.fusion import CLOSE_SHARE, DENSE_SHARE, fuse
from retrieval.ranking.stages import Stages

from ..encoders import HashEncoder


class Counting:
    """A quick encoder of two dimensions, how many 甲 and how many 乙; a passage's mark is one 乙 more."""

    name = fingerprint = "counting"
    dimension = 2
    quick = True

    def __init__(self) -> None:
        self.read: list[str] = []

    def encode_passages(self, texts: Sequence[str], *, show_progress: bool = False) -> Vectors:
        return self._vectors(texts, 1)

    def encode_queries(self, texts: Sequence[str]) -> Vectors:
        return self._vectors(texts, 0)

    def _vectors(self, texts: Sequence[str], mark: int) -> Vectors:
        self.read += texts
        vectors = np.array([[text.count("甲"), text.count("乙") + mark] for text in texts], dtype=np.float32)
        lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
        np.divide(vectors, lengths, out=vectors, where=lengths > 0)
        return vectors


ASKED = np.array([1.0, 0.0], dtype=np.float32)
TEXTS = ["甲乙。乙乙。", "乙。甲甲！", "丙"]


def test_the_sentence_that_shares_most_is_read_where_nothing_has_a_title() -> None:
    encoder = Counting()
    close = closeness(encoder, ASKED, ["甲"], TEXTS, ["", "", ""], np.array([3.0, 2.0, 1.0]))
    assert close.tolist() == pytest.approx([0.5**0.5, 1.0, 0.0])
    assert encoder.read == ["甲乙", "甲甲", "丙"]


def test_passages_are_read_whole_where_most_have_titles() -> None:
    close = closeness(Counting(), ASKED, ["甲"], TEXTS, ["题", "题", ""], np.array([3.0, 2.0, 1.0]))
    assert close.tolist() == pytest.approx([1 / 17**0.5, 2 / 8**0.5, 0.0])


def test_the_rest_are_as_close_as_the_least_close_that_was_read() -> None:
    encoder = Counting()
    texts = ["甲乙"] * READ + ["甲甲"]
    close = closeness(encoder, ASKED, ["甲"], texts, [""] * len(texts), -np.arange(len(texts), dtype=float))
    assert len(encoder.read) == READ
    assert close.tolist() == pytest.approx([0.5**0.5] * (READ + 1))
    assert closeness(encoder, -ASKED, ["甲"], ["甲"], [""], np.zeros(1)).tolist() == [0.0]


def test_of_sentences_that_share_as_much_the_first_is_read() -> None:
    text = "很远。黑河建海外仓！黑河海外仓\n黑河"
    assert likest_sentence(text, frozenset("黑河海外仓")) == "黑河建海外仓"
    assert likest_sentence(text, frozenset("龘")) == "很远"
    assert likest_sentence("", frozenset("黑")) == ""


def test_half_is_not_most() -> None:
    assert not mostly_titled(["题", ""])
    assert mostly_titled(["题", "题", ""])
    assert not mostly_titled([])


def test_a_closer_look_takes_the_place_of_stored_similarities() -> None:
    lexical, dense, close = np.array([10.0, 5.0]), np.array([0.9, 0.1]), np.array([0.2, 0.8])
    expected = [(1 - CLOSE_SHARE) + CLOSE_SHARE * 0.2, (1 - CLOSE_SHARE) * 0.5 + CLOSE_SHARE * 0.8]
    assert fuse(lexical, dense, close).tolist() == pytest.approx(expected)


def test_the_bundled_encoder_is_quick_and_others_need_not_be() -> None:
    assert isinstance(load_encoder("bundled"), QuickEncoder)
    assert not isinstance(HashEncoder(), QuickEncoder)


QUESTION = "黑河的海外仓"
FUSED = Stages(reranking=False)


def _fusion(retriever: Retriever, stages: Stages) -> dict[str, float]:
    """The fused score of each article."""
    hits = retriever.search(QUESTION, explain=True, stages=stages).hits
    return {hit.article_id: (hit.explanation or {})["fusion"] for hit in hits}


def test_sentences_count_in_fusion_and_the_stage_of_the_encoder_switches_them_off(tmp_path: Path) -> None:
    whole, parts = "黑河建了海外仓。别的城市也有货运。", "海外仓很多。黑河很远，冬天也很冷，没有人去。"
    with Retriever.open(tmp_path / "index") as retriever:
        retriever.add([Article(id="whole", text=whole), Article(id="parts", text=parts)])
        asked = retriever.encoder.encode_queries([QUESTION])
        read = retriever.encoder.encode_queries(["黑河建了海外仓", "海外仓很多"]) @ asked[0]
        close, without = _fusion(retriever, FUSED), _fusion(retriever, FUSED.without("dense"))
        assert without["whole"] == pytest.approx(1 - DENSE_SHARE)
        assert close["whole"] == pytest.approx((1 - CLOSE_SHARE) + CLOSE_SHARE * read[0], abs=1e-5)
        lexical = without["parts"] / (1 - DENSE_SHARE)
        expected = (1 - CLOSE_SHARE) * lexical + CLOSE_SHARE * read[1]
        assert close["parts"] == pytest.approx(expected, abs=1e-5)


def test_neither_a_slow_encoder_nor_the_learned_stage_reads_anew(tmp_path: Path) -> None:
    class Slow(HashEncoder):
        asked = 0

        def encode_queries(self, texts: Sequence[str]) -> Vectors:
            self.asked += len(texts)
            return super().encode_queries(texts)

    encoder = Slow()
    with Retriever.open(tmp_path / "index", encoder=encoder) as retriever:
        retriever.add([Article(id="1", text="黑河建了海外仓。"), Article(id="2", text="海外仓很多。")])
        encoder.asked = 0
        retriever.search(QUESTION, stages=FUSED)
        assert encoder.asked == 1
    quick = Counting()
    with Retriever.open(tmp_path / "other", encoder=quick) as retriever:
        retriever.add([Article(id="1", text="甲乙。"), Article(id="2", text="甲甲。")])
        quick.read = []
        retriever.search("甲乙甲")
        assert quick.read == ["甲乙甲"]
        retriever.search("甲乙甲", stages=FUSED)
        assert sorted(quick.read[1:]) == ["甲乙", "甲乙甲", "甲甲"]
