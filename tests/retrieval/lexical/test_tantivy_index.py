"""The lexical index against BM25 written out in NumPy, after adding, removing and reopening."""

import random
from collections import Counter
from collections.abc import Sequence
from datetime import date
from pathlib import Path

import numpy as np
import pytest

from retrieval.errors import IndexDamagedError, IndexNotFoundError, StorageError
from retrieval.lexical import tantivy_index
from retrieval.lexical.index import LexicalDocument
from retrieval.lexical.query import LexicalQuery, QueryTerm
from retrieval.lexical.tantivy_index import TantivyIndex
from retrieval.types import Filters

K1, B = 1.2, 0.75


def document(number: int, body: str, **fields: object) -> LexicalDocument:
    heading, title = str(fields.pop("heading", "")), str(fields.pop("title", ""))
    return LexicalDocument(
        passage_id=number,
        body=body.split(),
        heading=heading.split(),
        title=title.split(),
        article_id=str(fields.pop("article_id", f"article-{number}")),
        **fields,  # type: ignore[arg-type]
    )


def query(text: str, **weights: float) -> LexicalQuery:
    return LexicalQuery(tuple(QueryTerm(term) for term in text.split()), **weights)


def bm25(documents: Sequence[LexicalDocument], wanted: LexicalQuery) -> dict[int, float]:
    """Exact BM25 as tantivy defines it; lengths here are below 40, where its 8 bits are exact."""
    scores: Counter[int] = Counter()
    weights = {"body": wanted.body_weight, "heading": wanted.heading_weight, "title": wanted.title_weight}
    for field, weight in weights.items():
        texts = [list(getattr(item, field)) for item in documents]
        average = sum(map(len, texts)) / len(texts)
        for term in wanted.terms:
            containing = sum(term.text in text for text in texts)
            idf = np.log(1 + (len(texts) - containing + 0.5) / (containing + 0.5))
            for item, text in zip(documents, texts, strict=True):
                frequency = text.count(term.text)
                if frequency and weight * term.weight > 0:
                    length = K1 * (1 - B + B * len(text) / average)
                    scores[item.passage_id] += (
                        weight * term.weight * idf * frequency * (K1 + 1) / (frequency + length)
                    )
    return dict(scores)


@pytest.fixture
def documents() -> list[LexicalDocument]:
    dice = random.Random(7)
    words = [f"w{number}" for number in range(30)]
    weights = [1 / (number + 1) for number in range(30)]
    return [
        document(
            number,
            " ".join(dice.choices(words, weights, k=dice.randint(3, 38))),
            heading=" ".join(dice.choices(words, k=dice.randint(0, 3))),
            title=" ".join(dice.choices(words, k=4)),
            day=date(2021, 7, 1).toordinal() + number % 10 if number % 7 else 0,
            categories=("财经",) if number % 2 else ("体育", "足球"),
            authors=(f"作者{number % 3}",),
            sources=("新浪财经", "sina.com.cn") if number % 5 == 0 else ("新华社",),
            language="zh-Hans",
        )
        for number in range(1, 81)
    ]


def check(index: TantivyIndex, documents: Sequence[LexicalDocument], wanted: LexicalQuery) -> None:
    expected = bm25(documents, wanted)
    found = index.search(wanted, len(documents) + 1)
    assert set(found.ids.tolist()) == set(expected)
    np.testing.assert_allclose(found.scores, [expected[i] for i in found.ids.tolist()], rtol=1e-4)
    assert (np.diff(found.scores) <= 0).all()


def test_scores_are_bm25(tmp_path: Path, documents: list[LexicalDocument]) -> None:
    index = TantivyIndex.open(tmp_path / "lexical", read_only=False)
    index.apply([], documents, position=1)
    check(index, documents, query("w0 w3 w17"))
    check(index, documents, query("w1 w29 unknown", heading_weight=0.0, title_weight=2.0))
    check(index, documents, LexicalQuery((QueryTerm("w2", 0.3), QueryTerm("w5", 2.5), QueryTerm("w6", 0.0))))


def test_changes_and_reopening(tmp_path: Path, documents: list[LexicalDocument]) -> None:
    index = TantivyIndex.open(tmp_path / "lexical", read_only=False)
    index.apply([], documents[:50], position=1)
    index.apply([], documents[50:], position=2)
    changed = document(3, "w0 w0 w4", title="w9")
    index.apply([1, 2, 999], [changed], position=3)
    index.apply([1, 2, 999], [changed], position=3)
    assert index.count == 78
    assert index.position == 3
    again = TantivyIndex.open(tmp_path / "lexical", read_only=True)
    assert (again.count, again.position) == (78, 3)
    ids = again.search(query("w0 w4"), 100).ids.tolist()
    assert {1, 2}.isdisjoint(ids)
    assert 3 in ids
    assert len(ids) == len(set(ids))
    assert again.search(query("w4", body_weight=1, heading_weight=0, title_weight=0), 100).ids.tolist()


@pytest.mark.parametrize(("batches", "left"), [(2, 2), (5, 1), (7, 1)])
def test_what_many_commits_left_is_gathered(
    batches: int, left: int, tmp_path: Path, documents: list[LexicalDocument]
) -> None:
    index = TantivyIndex.open(tmp_path / "index", read_only=False)
    for number in range(batches):
        index.apply([], documents[number::batches], position=number + 1)
    index.gather(documents[-8:])
    assert index.position == batches
    index.close()
    again = TantivyIndex.open(tmp_path / "index", read_only=True)
    assert len(again.segment_sizes()) == left
    assert again.count == len(documents)
    check(again, documents, query("w0 w3 w17"))
    again.close()


def test_readers_see_commits_after_a_refresh(tmp_path: Path) -> None:
    writer = TantivyIndex.open(tmp_path, read_only=False)
    reader = TantivyIndex.open(tmp_path, read_only=True)
    writer.apply([], [document(1, "w1")], position=1)
    assert reader.count == 0
    assert reader.document_frequencies(["w1"]).tolist() == [0]
    reader.refresh()
    assert reader.search(query("w1"), 5).ids.tolist() == [1]
    assert reader.document_frequencies(["w1", "w2"]).tolist() == [1, 0]


@pytest.mark.parametrize(
    "filters",
    [
        Filters(after="2021-07-03", before="2021-07-05"),
        Filters(before=date(2021, 7, 2)),
        Filters(categories=("足球",)),
        Filters(categories=("财经", "足球"), authors=("作者1", "作者2")),
        Filters(sources=("sina.com.cn",)),
        Filters(languages=("en",)),
        Filters(languages=("zh",)),
        Filters(article_ids=("article-4", "article-5")),
    ],
)
def test_filters_apply_inside_the_search(
    tmp_path: Path, documents: list[LexicalDocument], filters: Filters
) -> None:
    index = TantivyIndex.open(tmp_path, read_only=False)
    index.apply([], documents, position=1)
    wanted = query("w0 w1 w2 w3")
    scores = bm25(documents, wanted)
    matching = {item.passage_id for item in documents if matches(item, filters)} & set(scores)
    found = index.search(wanted, 3, filters)
    best = sorted(matching, key=lambda i: -scores[i])[:3]
    np.testing.assert_allclose(found.scores, [scores[i] for i in best], rtol=1e-4)
    assert set(found.ids.tolist()) <= matching


def matches(item: LexicalDocument, filters: Filters) -> bool:
    def overlap(wanted: Sequence[str], has: Sequence[str]) -> bool:
        return not wanted or not set(wanted).isdisjoint(has)

    first = date.fromisoformat(str(filters.after)).toordinal() if filters.after else 1
    last = date.fromisoformat(str(filters.before)).toordinal() if filters.before else 10**7
    dated = filters.after is None and filters.before is None
    return (
        (dated or first <= item.day <= last)
        and overlap(filters.categories, item.categories)
        and overlap(filters.authors, item.authors)
        and overlap(filters.sources, item.sources)
        and overlap(filters.languages, [item.language, item.language.split("-")[0]])
        and overlap(filters.article_ids, [item.article_id])
    )


def test_common_terms_drop_out_where_postings_are_too_many(
    tmp_path: Path, documents: list[LexicalDocument], monkeypatch: pytest.MonkeyPatch
) -> None:
    index = TantivyIndex.open(tmp_path, read_only=False)
    index.apply([], documents, position=1)
    monkeypatch.setattr(tantivy_index, "POSTINGS", 10)
    wanted = query("w0 w1 w20 w21 w22 w23 w24 w25")
    frequency = dict(zip([t.text for t in wanted.terms], index.document_frequencies(
        [t.text for t in wanted.terms]).tolist(), strict=True))  # fmt: skip
    kept = sorted(frequency, key=lambda term: frequency[term])[:6]
    assert set(kept) == {"w20", "w21", "w22", "w23", "w24", "w25"}
    check(index, documents, query("w20 w21 w22 w23 w24 w25"))
    assert index.search(wanted, 99).ids.tolist() == index.search(query(" ".join(kept)), 99).ids.tolist()


def test_nothing_asked_finds_nothing(tmp_path: Path) -> None:
    index = TantivyIndex.open(tmp_path, read_only=False)
    assert index.search(query(""), 5).ids.shape == (0,)
    assert index.search(query("w1"), 5).ids.shape == (0,)
    assert index.document_frequencies([]).shape == (0,)
    assert index.position == 0


def test_opening_what_is_not_there_or_damaged(tmp_path: Path) -> None:
    with pytest.raises(IndexNotFoundError):
        TantivyIndex.open(tmp_path / "none", read_only=True)
    folder = tmp_path / "lexical"
    TantivyIndex.open(folder, read_only=False).apply([], [document(1, "w1")], position=1)
    reader = TantivyIndex.open(folder, read_only=True)
    with pytest.raises(StorageError):
        reader.apply([1], [], position=2)
    (folder / "meta.json").write_text("{broken", encoding="utf-8")
    with pytest.raises(IndexDamagedError, match="repair"):
        TantivyIndex.open(folder, read_only=True)
