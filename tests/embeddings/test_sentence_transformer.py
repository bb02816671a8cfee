"""SentenceTransformerEncoder over a real MiniLM and a tiny BERT; prompts, windows, failures."""

from pathlib import Path

import numpy as np
import pytest

from embeddings import Encoder, EncoderError, ModelFormatError, ModelNotFoundError, load_encoder
from embeddings.families import OTHERS, family_of
from embeddings.sentence_transformer import SentenceTransformerEncoder


@pytest.fixture(scope="module")
def tiny(tiny_transformer: Path) -> SentenceTransformerEncoder:
    return SentenceTransformerEncoder(str(tiny_transformer), device="cpu")


def test_minilm_finds_the_passage_that_answers(minilm: Path) -> None:
    encoder = load_encoder(str(minilm), device="cpu")
    assert isinstance(encoder, Encoder)
    assert encoder.dimension == 384
    passages = [
        "The harbour of Rotterdam is the largest seaport in Europe.",
        "Photosynthesis turns light into chemical energy in plants.",
        "The violin has four strings tuned in perfect fifths.",
    ]
    vectors = encoder.encode_passages(passages)
    queries = encoder.encode_queries(["How do leaves make energy?", "biggest port in Europe"])
    assert (queries @ vectors.T).argmax(axis=1).tolist() == [1, 0]
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)


def test_odd_texts(tiny: SentenceTransformerEncoder) -> None:
    vectors = tiny.encode_passages(["", " \n", "😀", "\ud800 a", "，。", "x" * 2000])
    assert np.isfinite(vectors).all()
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), [0, 0, 1, 1, 1, 1], atol=1e-5)
    assert tiny.encode_passages([]).shape == (0, 16)
    assert not tiny.encode_queries([""]).any()


def test_long_passage_is_the_mean_of_its_windows(tiny: SentenceTransformerEncoder) -> None:
    assert tiny.passage_tokens == 30
    first, second = "a " * 30, "b " * 30
    parts = tiny.encode_passages([first, second])
    whole = tiny.encode_passages([first + second])[0]
    mean = parts.mean(axis=0)
    np.testing.assert_allclose(whole, mean / np.linalg.norm(mean), atol=1e-5)


def test_prompts_are_used_and_change_the_fingerprint(tiny_transformer: Path) -> None:
    plain = SentenceTransformerEncoder(str(tiny_transformer), device="cpu")
    asking = SentenceTransformerEncoder(str(tiny_transformer), device="cpu", query_prompt="ask ")
    assert plain.fingerprint != asking.fingerprint
    expected = plain.encode_queries(["ask 黑河"])
    np.testing.assert_allclose(asking.encode_queries(["黑河"]), expected, atol=1e-6)
    assert asking.passage_prompt == ""


def test_fingerprint_is_of_the_weights(tiny_transformer: Path, minilm: Path) -> None:
    again = SentenceTransformerEncoder(str(tiny_transformer), device="cpu")
    assert again.fingerprint == SentenceTransformerEncoder(str(tiny_transformer), device="cpu").fingerprint
    assert again.fingerprint != SentenceTransformerEncoder(str(minilm), device="cpu").fingerprint


def test_truncated_vectors_have_length_one(tiny_transformer: Path) -> None:
    encoder = SentenceTransformerEncoder(str(tiny_transformer), device="cpu", truncate_dim=8)
    vectors = encoder.encode_passages(["黑河口岸", "b " * 100])
    assert vectors.shape == (2, 8)
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)


def test_missing_folder_and_wrong_folder(tmp_path: Path) -> None:
    with pytest.raises(ModelNotFoundError, match="There is no model folder"):
        load_encoder(str(tmp_path / "nothing"))
    with pytest.raises(ModelFormatError, match="does not hold a model"):
        load_encoder(str(tmp_path))


def test_failed_download_says_what_to_do() -> None:
    with pytest.raises(ModelNotFoundError, match="HF_ENDPOINT"):
        load_encoder("nobody/no-such-model", local_files_only=True)


def test_code_of_its_own_needs_trust(monkeypatch: pytest.MonkeyPatch) -> None:
    import sentence_transformers

    def refuse(*_: object, **__: object) -> None:
        raise ValueError("Please pass the argument `trust_remote_code=True` to allow custom code to be run.")

    monkeypatch.setattr(sentence_transformers, "SentenceTransformer", refuse)
    with pytest.raises(EncoderError, match="trust_remote_code=True"):
        load_encoder("Alibaba-NLP/gte-multilingual-base")


def test_static_model_takes_no_options() -> None:
    with pytest.raises(EncoderError, match="device"):
        load_encoder("bundled", device="cpu")


@pytest.mark.parametrize(
    ("name", "query", "passage"),
    [
        ("BAAI/bge-small-zh-v1.5", "为这个句子生成表示以用于检索相关文章：", ""),
        ("BAAI/bge-m3", "", ""),
        ("intfloat/multilingual-e5-base", "query: ", "passage: "),
        ("/models/multilingual-e5-small/", "query: ", "passage: "),
        ("someone/gte-base", "", ""),
    ],
)
def test_known_families(name: str, query: str, passage: str) -> None:
    family = family_of(name)
    assert (family.query_prompt, family.passage_prompt) == (query, passage)


def test_instructions_of_instructed_models() -> None:
    assert family_of("Qwen/Qwen3-Embedding-0.6B").query_prompt.endswith("\nQuery:")
    assert family_of("intfloat/multilingual-e5-large-instruct").query_prompt.endswith("\nQuery: ")
    assert family_of("intfloat/multilingual-e5-large-instruct").passage_prompt == ""
    assert family_of("somebody/model") is OTHERS


def test_options_may_follow_the_name(minilm: Path) -> None:
    name = f"{minilm}?device=cpu&batch_size=2&truncate_dim=16&query_prompt=ask: "
    encoder = load_encoder(name)
    assert (encoder.name, encoder.dimension) == (name, 16)
    assert isinstance(encoder, SentenceTransformerEncoder)
    assert encoder.query_prompt == "ask: "
    assert encoder.encode_queries(["rivers"]).shape == (1, 16)


@pytest.mark.parametrize("option", ["colour=red", "batch_size=none", "batch_size=0", "backend=jax", "device"])
def test_an_option_that_does_not_fit_is_named(option: str) -> None:
    if option == "device":
        with pytest.raises(EncoderError, match="static model bundled takes no options"):
            load_encoder("bundled?device=cpu")
        return
    with pytest.raises(EncoderError, match=f"option {option} of the encoder any-model is not understood"):
        load_encoder(f"any-model?{option}")
