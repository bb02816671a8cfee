"""StaticEncoder: shapes, lengths, odd input."""

import json
import subprocess
import sys

import numpy as np
import pytest

from embeddings import Encoder, load_encoder
from embeddings.loading import model_folder
from embeddings.pairs import PairSettings
from embeddings.static import StaticEncoder
from embeddings.training import TrainingSettings


@pytest.fixture(scope="module")
def encoder() -> Encoder:
    return load_encoder("bundled")


def test_it_is_an_encoder(encoder: Encoder) -> None:
    assert isinstance(encoder, Encoder)
    assert isinstance(encoder, StaticEncoder)
    assert encoder.name == "bundled"


def test_vectors_have_length_one_or_questions_are_zero(encoder: Encoder) -> None:
    texts = ["黑河口岸的边境仓", "，。", "", "GPT-4 in 2023"]
    passages, queries = encoder.encode_passages(texts), encoder.encode_queries(texts)
    assert passages.shape == queries.shape == (4, encoder.dimension)
    assert passages.dtype == queries.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(passages, axis=1), 1, atol=1e-5)
    np.testing.assert_allclose(np.linalg.norm(queries, axis=1), [1, 0, 0, 1], atol=1e-5)
    # A passage without text is the mark alone, which no question has a part of.
    assert np.abs(queries @ passages[1]).max() < 0.01


def test_passages_with_the_words_asked_for_are_nearer_than_others(encoder: Encoder) -> None:
    query = encoder.encode_queries(["黑河边境仓"])[0]
    short, long = encoder.encode_passages(["黑河边境仓", "黑河边境仓" + "，货物从这里出口到对岸的城市" * 2])
    other = encoder.encode_passages(["大熊猫繁育基地每天接待游客两千人"])[0]
    assert min(query @ short, query @ long) > query @ other + 0.1


@pytest.mark.parametrize(
    "text", ["", " \n", "，。！", "😀🎉", "\ud800", "\ud800中", "中" * 300_000, "a" * 300_000]
)
def test_odd_input_gives_a_finite_vector(encoder: Encoder, text: str) -> None:
    vector = encoder.encode_queries([text])[0]
    assert np.isfinite(vector).all()
    assert np.linalg.norm(vector) == pytest.approx(1, abs=1e-4) or not vector.any()


def test_no_texts_no_vectors(encoder: Encoder) -> None:
    assert encoder.encode_passages([]).shape == (0, encoder.dimension)


def test_traditional_width_and_case_are_folded(encoder: Encoder) -> None:
    vectors = encoder.encode_passages(["國際機場ＡＢＣ 2023", "国际机场abc２０２３"])
    assert vectors[0] @ vectors[1] > 0.9
    vectors = encoder.encode_passages(["國際機場", "国际机场"])
    np.testing.assert_allclose(vectors[0], vectors[1])


def test_batches_do_not_matter(encoder: Encoder) -> None:
    texts = [f"第{i}篇文章，关于黑河第{i % 7}口岸" * (i % 5) for i in range(50)]
    together = encoder.encode_passages(texts)
    alone = np.concatenate([encoder.encode_passages([text]) for text in texts])
    np.testing.assert_allclose(together, alone, atol=1e-6)


def test_encoding_imports_neither_torch_nor_sentence_transformers() -> None:
    code = (
        "import sys; from embeddings import load_encoder; load_encoder().encode_passages(['黑河口岸']); "
        "print({'torch', 'sentence_transformers', 'transformers', 'scipy'} & set(sys.modules))"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "set()"


def test_bundled_model_is_small_and_says_how_it_was_made() -> None:
    folder = model_folder("bundled")
    assert sum(file.stat().st_size for file in folder.rglob("*") if file.is_file()) <= 20_000_000
    record = json.loads((folder / "training.json").read_text("utf-8"))
    assert TrainingSettings(
        **{**record["settings"], "making": PairSettings(**record["settings"]["making"])}
    ) == (TrainingSettings())
    assert "nDCG@10" in (folder / "README.md").read_text("utf-8")


def test_bundled_model_in_sentence_transformers(encoder: Encoder) -> None:
    from sentence_transformers import SentenceTransformer

    texts = ["黑河口岸的邊境倉建於2019年", "GPT-4 in 2023", "量子計算機芯片，大熊猫"]
    model = SentenceTransformer(str(model_folder("bundled")), device="cpu")
    assert ((encoder.encode_passages(texts) * model.encode(texts)).sum(axis=1) > 0.9999).all()
    asked = model.encode(texts, prompt_name="query")
    assert ((encoder.encode_queries(texts) * asked).sum(axis=1) > 0.9999).all()
