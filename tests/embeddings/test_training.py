"""Training on a few made-up articles: what comes out is a model, the same one each time, and a better one."""

import gzip
import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from embeddings import EncoderError, ModelFormatError, ModelNotFoundError, load_encoder
from embeddings.__main__ import commands
from embeddings.corpus import build_corpus, build_vocabulary, read_texts
from embeddings.model_folder import read_model
from embeddings.pairs import PairMaker, PairSettings
from embeddings.static import StaticEncoder
from embeddings.table import compose, decompose
from embeddings.training import TrainingSettings, train

SUBJECTS = (
    "黑河口岸边境仓",
    "北京地铁票价",
    "大熊猫繁育基地",
    "量子计算机芯片",
    "Python programming language",
)
FACTS = (
    "于2019年建成，总投资三亿元。",
    "由专家组验收通过！",
    "每天接待游客两千人。",
    "采用了新的管理办法；效果明显。",
)


def articles() -> list[str]:
    return [
        "".join(f"{SUBJECTS[i % 5]}第{i}期{FACTS[(i + j) % 4]}{SUBJECTS[i % 5]}的消息" for j in range(4))
        for i in range(60)
    ]


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("data") / "articles.jsonl.gz"
    with gzip.open(path, "wt", encoding="utf-8") as file:
        for text in articles():
            file.write(json.dumps({"text": text}, ensure_ascii=False) + "\n")
    return path


SETTINGS = TrainingSettings(
    dimension=32, pairs=200, words=40, classes=16, steps=6, batch=32, learning_rate=0.05
)


@pytest.fixture(scope="module")
def model(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("model")
    losses = []
    train(data, folder, SETTINGS, threads=1, progress=lambda step, steps, loss: losses.append((step, steps)))
    assert losses == [(i, 6) for i in range(1, 7)]
    return folder


TEXTS = [
    "黑河口岸的邊境倉是哪一年建成的？",
    "GPT-4 and Python 3.12 in 2023年",
    "量子　计算機ＣＨＩＰ",
    "每天接待游客两千人。" * 20,
    "한국어 テスト 龘",
    "中 国\n大熊猫😀基地",
    "x" * 64 + " 地铁",
]


def test_sentence_transformers_gives_the_same_vectors(model: Path) -> None:
    from sentence_transformers import SentenceTransformer

    ours, theirs = load_encoder(str(model)), SentenceTransformer(str(model), device="cpu")
    passages, queries = ours.encode_passages(TEXTS), ours.encode_queries(TEXTS)
    assert ((passages * theirs.encode(TEXTS)).sum(axis=1) > 0.9999).all()
    assert ((queries * theirs.encode(TEXTS, prompt_name="query")).sum(axis=1) > 0.9999).all()


def test_a_folder_saved_by_sentence_transformers_gives_the_same_vectors(model: Path, tmp_path: Path) -> None:
    from sentence_transformers import SentenceTransformer

    SentenceTransformer(str(model), device="cpu").save_pretrained(str(tmp_path), create_model_card=False)
    ours, saved = load_encoder(str(model)), load_encoder(str(tmp_path), device="cpu")
    for one, other in (
        (ours.encode_passages(TEXTS), saved.encode_passages(TEXTS)),
        (ours.encode_queries(TEXTS), saved.encode_queries(TEXTS)),
    ):
        assert ((one * other).sum(axis=1) > 0.9999).all()


def test_sentence_transformers_agrees_on_texts_without_words(model: Path) -> None:
    from sentence_transformers import SentenceTransformer

    texts = ["", "，。！", "😀", "x" * 65]
    ours, theirs = load_encoder(str(model)), SentenceTransformer(str(model), device="cpu")
    np.testing.assert_allclose(ours.encode_passages(texts), theirs.encode(texts), atol=1e-5)
    assert not ours.encode_queries(texts).any()
    assert not theirs.encode(texts, prompt_name="query").any()


def test_the_same_seed_gives_the_same_vectors(data: Path, model: Path, tmp_path: Path) -> None:
    train(data, tmp_path, SETTINGS, threads=1)
    again, once = load_encoder(str(tmp_path)), load_encoder(str(model))
    similarity = (again.encode_passages(TEXTS) * once.encode_passages(TEXTS)).sum(axis=1)
    assert (similarity > 0.999).all()
    assert again.fingerprint == once.fingerprint


def test_training_brings_questions_nearer_to_their_passages(data: Path, tmp_path: Path) -> None:
    from dataclasses import replace

    first: list[float] = []
    settings = replace(SETTINGS, steps=40)
    train(data, tmp_path, settings, threads=1, progress=lambda _, __, loss: first.append(loss))
    assert np.mean(first[-5:]) < np.mean(first[:5]) - 0.1


def test_base_keeps_the_vocabulary_and_changes_the_vectors(data: Path, model: Path, tmp_path: Path) -> None:
    output = tmp_path / "tuned"
    arguments = ["train", str(data), str(output), "--base", str(model), "--steps", "2", "--batch", "16"]
    result = CliRunner().invoke(commands, [*arguments, "--threads", "1"])
    assert result.exit_code == 0, result.output
    assert "Written" in result.output
    tuned, base = load_encoder(str(output)), load_encoder(str(model))
    assert tuned.fingerprint != base.fingerprint
    similarity = (tuned.encode_passages(TEXTS) * base.encode_passages(TEXTS)).sum(axis=1)
    assert (similarity > 0.8).all()


def test_decompose_undoes_compose(model: Path) -> None:
    loaded = read_model(model)
    vocabulary, rows = loaded.vocabulary, loaded.table.astype(np.float32)
    rows[vocabulary.passage_mark] = 0
    np.testing.assert_allclose(compose(vocabulary, decompose(vocabulary, rows)), rows, atol=1e-3)


def test_pairs_are_the_same_for_the_same_seed_and_within_bounds() -> None:
    vocabulary, corpus = build_vocabulary(articles(), pairs=50, words=10, classes=8)
    settings = PairSettings(shortest=20, longest=60)
    first, second = (
        next(PairMaker(corpus, vocabulary.alphabet, settings, seed=3).batches(40)) for _ in range(2)
    )
    np.testing.assert_array_equal(first.questions[0], second.questions[0])
    np.testing.assert_array_equal(first.passages[0], second.passages[0])
    lengths = np.diff(first.passages[1])
    assert len(lengths) == 40
    assert lengths.max() <= 121


def test_sentences_keep_their_closing_quotation_marks() -> None:
    vocabulary, _ = build_vocabulary(articles(), pairs=10, words=5, classes=4)
    texts = ["他说：“好！”然后走了。完", "第二篇"]
    corpus = build_corpus(texts, vocabulary.alphabet)
    joined = "\n".join(texts) + "\n"
    pieces = [joined[a:b] for a, b in zip(corpus.sentences, corpus.sentences[1:], strict=False)]
    assert pieces == ["他说：“好！”", "然后走了。", "完\n", "第二篇\n"]
    assert corpus.articles.tolist() == [0, 3, 4]


def test_data_that_cannot_be_used(tmp_path: Path) -> None:
    path = tmp_path / "data.jsonl"
    path.write_text('{"title": "no text"}\n', "utf-8")
    with pytest.raises(EncoderError, match='a field "text"'):
        read_texts(path)
    path.write_text('{"text": "短"}\n', "utf-8")
    with pytest.raises(EncoderError, match="holds no texts"):
        read_texts(path)
    with pytest.raises(EncoderError, match="cannot be read"):
        read_texts(tmp_path / "missing.jsonl")


def test_broken_folders(model: Path, tmp_path: Path) -> None:
    import shutil

    with pytest.raises(ModelNotFoundError):
        StaticEncoder.from_folder(tmp_path)
    for file, content in (
        ("static.json", "{}"),
        ("static.json", '{"format": 99, "classes": 16}'),
        ("vocabulary.safetensors", "x"),
        ("0_WordEmbeddings/model.safetensors", ""),
    ):
        folder = tmp_path / "broken"
        shutil.copytree(model, folder)
        (folder / file).write_text(content, "utf-8")
        with pytest.raises(ModelFormatError):
            load_encoder(str(folder))
        shutil.rmtree(folder)
