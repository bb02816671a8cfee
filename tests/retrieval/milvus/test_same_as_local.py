"""The same operations on a local index and on Milvus: ids, scores, vectors, records and hits compared."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from retrieval import Article, Filters, Retriever
from retrieval.locations import MilvusLocation
from retrieval.types import Hit

from ..encoders import HashEncoder

Pair = tuple[Retriever, Retriever]

QUESTIONS = [
    "黑河与哪座城市隔江相望",
    "香波堡有多少个房间",
    "第7条河流经几个城市",
    "2021年发源于瑞士的河",
    "gpt-4 6.42%",
]
FILTERS = [
    None,
    Filters(after="2021-01-01"),
    Filters(before="2020-12-31"),
    Filters(categories=("地理",)),
    Filters(sources=("rivers.example", "王蒙"), categories=("河流", "无")),
    Filters(authors=("李铁民",)),
    Filters(article_ids=("amur.md", "more/nile.md", "12")),
    Filters(languages=("zh-Hans", "en")),
    Filters(languages=("zh",)),
    Filters(categories=('"] or id > 0 or article in ["',)),
]


@pytest.fixture
def pair(tmp_path: Path, milvus_file: Path) -> Iterator[Pair]:
    """An empty local index, and an empty one on Milvus."""
    encoder = HashEncoder()
    place = MilvusLocation(uri=str(milvus_file), name=f"same_{tmp_path.name[:40]}", consistency="Strong")
    with (
        Retriever.open(tmp_path / "index", encoder=encoder) as local,
        Retriever.open(place, encoder=encoder) as remote,
    ):
        yield local, remote


def both(pair: Pair, do: Callable[[Retriever], object]) -> None:
    local, remote = map(do, pair)
    if hasattr(local, "seconds"):
        local, remote = replace(local, seconds=0), replace(remote, seconds=0)  # type: ignore[type-var]
    assert local == remote


def rivers() -> list[Article]:
    return [
        Article(id=f"{n}", title=f"河{n}", text=f"第{n}条河流经{n * 7}个城市，长{n * 31}公里，宽{n % 5}里。")
        for n in range(40)
    ]


def assert_same(pair: Pair) -> None:
    """Whatever ranking, readers and filters can see."""
    pair[0].derive_anew()  # tantivy counts the terms of removed passages until it merges its segments
    for local, remote in zip(*(retriever.articles() for retriever in pair), strict=True):
        assert local == remote
        assert pair[0].passages(local.id) == pair[1].passages(local.id)
    newest = [[article.id for article in retriever.articles(order="newest", limit=3)] for retriever in pair]
    assert newest[0] == newest[1]
    mine, theirs = (retriever.status() for retriever in pair)
    assert (mine.articles, mine.passages, mine.earliest, mine.latest) == (
        theirs.articles, theirs.passages, theirs.earliest, theirs.latest
    )  # fmt: skip
    assert pair[1].check().problems == ()
    with pair[0].reading() as one, pair[1].reading() as other:
        assert one.reader().period() == other.reader().period()
        assert set(one.reader().publications(99)) == set(other.reader().publications(99))
    for question in QUESTIONS:
        for filters in FILTERS:
            assert_same_candidates(pair, question, filters)
            assert_same_hits(pair, question, filters)


def assert_same_candidates(pair: Pair, question: str, filters: Filters | None) -> None:
    with pair[0].reading() as one, pair[1].reading() as other, one.view() as local, other.view() as remote:
        (vector,) = pair[0].encoder.encode_queries([question])
        query = pair[0].analyzer.query(question)
        for mine, theirs in (
            (local.lexical(query, 500, filters), remote.lexical(query, 500, filters)),
            (local.dense(vector, 500, filters), remote.dense(vector, 500, filters)),
        ):
            assert dict(zip(mine.ids.tolist(), np.round(mine.scores, 3), strict=True)) == pytest.approx(
                dict(zip(theirs.ids.tolist(), theirs.scores, strict=True)), abs=2e-3
            )
        for view, found in ((local, mine), (remote, theirs)):
            np.testing.assert_array_equal(view.begin_dense(lambda: vector, 500, filters)().ids, found.ids)
        ids = mine.ids
        assert local.records(ids) == remote.records(ids)
        np.testing.assert_array_equal(local.vectors(ids), remote.vectors(ids))
        terms = [term.text for term in query.terms]
        assert local.passage_count == remote.passage_count
        assert local.document_frequencies(terms).tolist() == remote.document_frequencies(terms).tolist()


def assert_same_hits(pair: Pair, question: str, filters: Filters | None) -> None:
    mine, theirs = (retriever.search(question, top_k=20, filters=filters) for retriever in pair)
    assert (mine.answered, mine.total, mine.filters, mine.understood) == (
        theirs.answered, theirs.total, theirs.filters, theirs.understood
    )  # fmt: skip
    for local, remote in zip(mine.hits, theirs.hits, strict=True):
        assert bare(local) == bare(remote)
        assert remote.score == pytest.approx(local.score, abs=2e-3)


def bare(hit: Hit) -> Hit:
    """Without what floating point may round differently."""
    return replace(hit, score=0.0, dense_score=None, lexical_score=None)


def test_after_adding_changing_and_removing(pair: Pair, folder: Path) -> None:
    assert_same(pair)
    both(pair, lambda retriever: retriever.sync(folder))
    both(pair, lambda retriever: retriever.add(rivers()))
    assert_same(pair)
    (folder / "rhine.md").write_text(
        "---\ntitle: 莱茵河\n---\n<p>莱茵河上有一座罗蕾莱山岩。</p>", encoding="utf-8"
    )
    (folder / "more" / "nile.md").rename(folder / "nil.md")
    (folder / "amur.md").unlink()
    both(pair, lambda retriever: retriever.sync(folder))
    both(pair, lambda retriever: retriever.remove([f"{n}" for n in range(0, 40, 3)]))
    both(pair, lambda retriever: retriever.add([Article(id="7", text="第7条河改道了，流经9个城市。")]))
    assert_same(pair)


def test_texts_longer_than_a_field_of_milvus(pair: Pair) -> None:
    text = "\n".join(
        f"第{n}段：这条河在此处拐了{n * 3}个弯，两岸有{n}座村庄，名字记在县志里。" for n in range(1500)
    )
    assert len(text.encode()) > 2 * 65_535
    hostile = Article(
        id='a" or 1 == 1 \\ \n %_\'', text=text, title="长" * 50, author='"); drop', source="\\",
        categories=('"] or id > 0 or article in ["',), headings={0: 2, 7: 3}, path='/x"y/%_.md',
    )  # fmt: skip
    both(pair, lambda retriever: retriever.add([hostile, Article(id="b", text="短的。")]))
    assert_same(pair)
    both(pair, lambda retriever: retriever.remove([hostile.id]))
    assert_same(pair)
