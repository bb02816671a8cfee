"""The cross-encoder wrapper over a tiny BERT."""

from pathlib import Path

import numpy as np
import pytest

from embeddings.cross_encoder import CrossEncoderReranker
from embeddings.errors import EncoderError, ModelNotFoundError


def test_scores_are_those_of_sentence_transformers(tiny_cross_encoder: Path) -> None:
    from sentence_transformers import CrossEncoder

    reranker = CrossEncoderReranker(str(tiny_cross_encoder), device="cpu", max_length=32)
    passages = ["黑河口岸", "边境仓", "海外"]
    scores = reranker.score("黑河", passages)
    model = CrossEncoder(str(tiny_cross_encoder), device="cpu", max_length=32)
    expected = model.predict([("黑河", passage) for passage in passages])
    assert scores.shape == (3,)
    assert scores.dtype == np.float32
    np.testing.assert_allclose(scores, expected, atol=1e-6)
    assert len(set(scores.tolist())) == 3


def test_odd_passages_come_last_and_nothing_crashes(tiny_cross_encoder: Path) -> None:
    reranker = CrossEncoderReranker(str(tiny_cross_encoder), device="cpu", max_length=32)
    scores = reranker.score("\ud800黑河", ["黑河 \ud800", "", "口岸 " * 5000, "😀"])
    assert np.isfinite(scores).all()
    assert scores[1] == scores.min()
    assert reranker.score("黑河", []).shape == (0,)
    assert reranker.score("黑河", [""]).tolist() == [0]


def test_missing_model() -> None:
    with pytest.raises(ModelNotFoundError, match="could not be downloaded"):
        CrossEncoderReranker("nobody/no-such-reranker", local_files_only=True)


def test_more_than_one_label_is_refused(tmp_path: Path, tiny_cross_encoder: Path) -> None:
    from transformers import AutoTokenizer, BertConfig, BertForSequenceClassification

    settings = BertConfig.from_pretrained(tiny_cross_encoder, num_labels=3)
    BertForSequenceClassification(settings).save_pretrained(tmp_path)
    AutoTokenizer.from_pretrained(tiny_cross_encoder).save_pretrained(tmp_path)
    with pytest.raises(EncoderError, match="3 scores"):
        CrossEncoderReranker(str(tmp_path), device="cpu")


def test_options_may_follow_the_name(tiny_cross_encoder: Path) -> None:
    reranker = CrossEncoderReranker.called(f"{tiny_cross_encoder}?device=cpu&batch_size=1")
    assert reranker.name == str(tiny_cross_encoder)
    assert reranker.score("黑河", ["黑河口岸", "边境仓"]).shape == (2,)
    with pytest.raises(EncoderError, match=r"takes no backend; its options are batch_size, device"):
        CrossEncoderReranker.called(f"{tiny_cross_encoder}?backend=onnx")
