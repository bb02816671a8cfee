"""The front door: opening, what does not fit, several retrievers on one index, damage and repair."""

import contextlib
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import date
from pathlib import Path

import numpy as np
import pytest

from embeddings.errors import ModelNotFoundError
from retrieval import (
    Article,
    Filters,
    IndexLockedError,
    IndexMismatchError,
    IndexNotFoundError,
    RetrievalError,
    Retriever,
    SettingsError,
)
from retrieval.homes import home_of
from retrieval.locations import Location

from .encoders import HashEncoder
from .test_sync import assert_sound, dense, ids, lexical

Open = Callable[..., Retriever]
Lock = Callable[[], AbstractContextManager[None]]


def test_no_index_and_none_to_be_made(open_index: Open, location: Location) -> None:
    with pytest.raises(IndexNotFoundError, match=r"there is no index in .*`python -m retrieval index"):
        open_index(create=False)
    with contextlib.closing(home_of(location)) as home:
        assert not home.exists()


def test_an_empty_index(open_index: Open) -> None:
    retriever = open_index()
    status = retriever.status()
    assert (status.articles, status.passages, status.earliest, status.updated_at is None) == (
        0,
        0,
        None,
        False,
    )
    assert (status.encoder, status.dimension, status.sources) == ("hash", 48, ())
    assert dense(retriever, "什么") == lexical(retriever, "什么") == []
    assert list(retriever.articles()) == []
    assert_sound(retriever)


def test_status_tells_the_period(retriever: Retriever, folder: Path) -> None:
    retriever.sync(folder)
    status = retriever.status()
    assert (status.articles, status.earliest, status.latest) == (4, date(2020, 3, 5), date(2021, 7, 1))
    assert status.sources == (str(folder),)
    assert status.updated_at is not None
    newest = [article.id for article in retriever.articles(order="newest", limit=2)]
    assert newest == ["amur.md", "rhine.md"]


def test_an_index_opens_as_it_was_left(open_index: Open, folder: Path) -> None:
    open_index().sync(folder)
    again = open_index(create=False)
    assert dense(again, "埃及人靠尼罗河的淤泥种小麦")[0] == "more/nile.md"
    assert lexical(again, "香波堡有多少房间")[0] == "more/loire.txt"
    assert_sound(again)


def test_another_encoder_is_refused_with_the_command_that_mends(open_index: Open) -> None:
    open_index()
    for other in (HashEncoder("other", salt=1), HashEncoder("hash", dimension=32)):
        with pytest.raises(IndexMismatchError, match=f"index --rebuild --encoder {other.name} --index"):
            open_index(encoder=other)
    assert open_index(encoder=HashEncoder("by another name")).encoder.name == "by another name"


def test_an_unknown_encoder_leaves_nothing_behind(tmp_path: Path) -> None:
    with pytest.raises(ModelNotFoundError):
        Retriever.open(tmp_path / "index", encoder=str(tmp_path / "no-such-model"))
    assert not (tmp_path / "index").exists()


def test_another_user_dictionary_is_refused_when_it_matters(open_index: Open, tmp_path: Path) -> None:
    open_index()
    words = tmp_path / "words.txt"
    words.write_text("边民卡 100 n\n", encoding="utf-8")
    retriever = open_index(user_dictionary=words)
    with pytest.raises(IndexMismatchError, match=r"user dictionary: derive it anew with .*--rebuild"):
        retriever.add([Article(id="a", text="边民卡")])
    with pytest.raises(SettingsError, match="cannot read the user dictionary"):
        open_index(user_dictionary=tmp_path / "none.txt").analyzer  # noqa: B018


def test_a_user_dictionary_is_remembered(tmp_path: Path, encoder: HashEncoder) -> None:
    words = tmp_path / "words.txt"
    words.write_text("数字联名边民卡 100 n\n", encoding="utf-8")
    with Retriever.open(tmp_path / "index", encoder=encoder, user_dictionary=words) as retriever:
        assert "数字联名边民卡" in retriever.analyzer.words("数字联名边民卡发放")
    with Retriever.open(tmp_path / "index", encoder=encoder) as retriever:
        assert "数字联名边民卡" in retriever.analyzer.words("数字联名边民卡发放")


def test_link_templates(open_index: Open, folder: Path) -> None:
    with pytest.raises(SettingsError, match="no web address"):
        open_index(link_template="nowhere")
    retriever = open_index(link_template="https://site.example/{path}.html")
    retriever.sync(folder)
    with retriever.reading() as index, index.view() as backend:
        urls = {record.article_id: record.url for record in backend.records(range(1, 9))}
    assert urls == {
        "amur.md": "https://www.rivers.example/amur",
        "rhine.md": "https://site.example/rhine.html",
        "more/nile.md": "https://site.example/more/nile.html",
        "more/loire.txt": "https://site.example/more/loire.html",
    }


def test_others_see_a_commit_at_their_next_call(open_index: Open, folder: Path) -> None:
    writer, reader = open_index(), open_index()
    assert dense(reader, "尼罗河") == lexical(reader, "尼罗河") == []
    writer.sync(folder)
    assert dense(reader, "埃及人靠尼罗河的淤泥种小麦")[0] == "more/nile.md"
    assert lexical(reader, "尼罗河泛滥")[0] == "more/nile.md"
    writer.remove(["more/nile.md"])
    assert "more/nile.md" not in dense(reader, "埃及人靠尼罗河的淤泥种小麦")
    assert "more/nile.md" not in lexical(reader, "尼罗河泛滥")
    assert reader.article("more/nile.md") is None


def test_filters_reach_both_sides(retriever: Retriever, folder: Path) -> None:
    retriever.sync(folder)
    for filters, expected in [
        (Filters(after="2021-01-01"), ["amur.md"]),
        (Filters(categories=("地理",), before="2020-12-31"), ["rhine.md"]),
        (Filters(sources=("rivers.example",)), ["amur.md"]),
        (Filters(article_ids=("more/nile.md",)), ["more/nile.md"]),
        (Filters(authors=("无人",)), []),
    ]:
        assert dense(retriever, "河流", filters) == expected
        assert lexical(retriever, "河流", filters) == expected
    assert len(dense(retriever, "河流", Filters())) == 4


def test_two_writers_at_once(open_index: Open, held_lock: Lock, folder: Path) -> None:
    retriever = open_index(lock_seconds=0.0)
    with held_lock():
        for write in (
            lambda: retriever.sync(folder),
            lambda: retriever.add([Article(id="a", text="一")]),
            lambda: retriever.remove(["a"]),
        ):
            with pytest.raises(IndexLockedError, match="is being written by process"):
                write()
        assert retriever.sync(folder, dry_run=True).added
    assert retriever.sync(folder).added


def test_a_writer_waits_for_another(open_index: Open, held_lock: Lock) -> None:
    retriever = open_index(lock_seconds=30.0)
    adding = threading.Thread(target=lambda: retriever.add([Article(id="a", text="一")]))
    with held_lock():
        adding.start()
        adding.join(0.2)
        assert adding.is_alive()
    adding.join()
    assert ids(retriever) == ["a"]


def test_many_threads_ask_while_one_writes(retriever: Retriever) -> None:
    """No error, and an article that stays is found whatever else comes and goes."""
    retriever.add([Article(id="stays", text="香波堡是卢瓦尔河沿岸最大的城堡。")])
    done = threading.Event()
    problems: list[object] = []

    def ask() -> None:
        while not done.is_set():
            try:
                found = dense(retriever, "香波堡是卢瓦尔河沿岸最大的城堡。"), lexical(retriever, "香波堡")
            except Exception as error:
                problems.append(error)
                return
            if found[0][:1] != ["stays"] or found[1][:1] != ["stays"]:
                problems.append(found)

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for turn in range(8):
        retriever.add(
            [Article(id=f"{n}", text=f"第{turn}轮的第{n}条河流经{n * turn}个城市。") for n in range(20)]
        )
        retriever.remove([f"{n}" for n in range(turn)])
    done.set()
    for thread in threads:
        thread.join()
    assert problems == []
    assert_sound(retriever)


def test_vectors_are_those_that_were_stored(retriever: Retriever, folder: Path) -> None:
    retriever.sync(folder)
    with retriever.reading() as index, index.view() as backend:
        records = backend.records(range(1, 9))
        vectors = backend.vectors([record.id for record in records] + [999])
        assert backend.passage_count == len(records)
        assert backend.document_frequencies(["w没有这个词"]).tolist() == [0]
    np.testing.assert_allclose(np.linalg.norm(vectors[:-1], axis=1), 1, atol=1e-3)
    assert not vectors[-1].any()


def test_closed_is_closed(retriever: Retriever) -> None:
    with retriever:
        pass
    with pytest.raises(RetrievalError, match="was closed"):
        retriever.status()


def test_keywords_stand_in_for_tags(retriever: Retriever) -> None:
    retriever.add([Article(id="a", title="黑河边境仓", text="黑河建设边境仓和海外仓，边境仓服务俄罗斯。")])
    article = retriever.article("a")
    assert article is not None
    assert "黑河" in article.tags
    plain = retriever.article("a", keywords=False)
    assert plain is not None
    assert plain.tags == ()


def test_what_there_is_to_filter_by(retriever: Retriever, folder: Path) -> None:
    retriever.sync(folder)
    retriever.add([Article(id="x", text="又一篇", author="李铁民")])
    with retriever.reading() as index, index.view() as backend:
        holdings = backend.holdings()
    assert holdings.publications[0] == "李铁民"
    assert set(holdings.publications) == {"李铁民", "王蒙", "rivers.example"}
    assert holdings.period == (date(2020, 3, 5), date(2021, 7, 1))


def test_a_whole_search(retriever: Retriever, folder: Path) -> None:
    retriever.sync(folder)
    response = retriever.search("香波堡有多少个房间", top_k=3)
    assert response.hits[0].article_id == "more/loire.txt"
    assert "四百四十个房间" in response.hits[0].text
    assert retriever.search("河流", filters=Filters(authors=("王蒙",))).hits[0].article_id == "amur.md"


def test_a_calibration_is_kept_and_followed(open_index: Open, folder: Path) -> None:
    from retrieval.ranking.calibration import Calibration

    writer, reader = open_index(), open_index()
    writer.sync(folder)
    before = reader.search("香波堡有多少个房间")
    writer.store_calibration(Calibration(coefficients={}, intercept=0.0, threshold=0.123))
    for retriever in (writer, reader, open_index()):
        after = retriever.search("香波堡有多少个房间")
        assert after.threshold == 0.123
        assert after.hits[0].passage_id == before.hits[0].passage_id
