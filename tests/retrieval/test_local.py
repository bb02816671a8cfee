"""What only a local index has: files of its own, indexes derived from a store, and how they are mended."""

import json
from collections.abc import Callable, Sequence
from itertools import pairwise
from pathlib import Path

import pytest

from embeddings.encoder import Vectors
from embeddings.errors import EncoderError
from retrieval import Article, IndexDamagedError, Retriever, StorageError
from retrieval.batching import Batch, Incoming
from retrieval.lexical.index import LexicalDocument
from retrieval.lexical.merging import FINALLY
from retrieval.lexical.tantivy_index import TantivyIndex
from retrieval.preparation import prepare
from retrieval.rebuilding import rebuild

from .encoders import HashEncoder
from .test_sync import assert_sound, dense, lexical

Open = Callable[..., Retriever]


@pytest.fixture
def location(index_path: Path) -> Path:
    """A folder."""
    return index_path


def test_a_segment_is_made_and_found_again(open_index: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("retrieval.indexing._TAIL", 30)
    writer, reader = open_index(), open_index()
    articles = [Article(id=f"{n}", text=f"第{n}条河流经{n * 7}个城市，长{n * 31}公里。") for n in range(60)]
    writer.add(articles)
    with writer.reading() as index:
        names = sorted(path.name for path in index.generation.vectors.iterdir())
    assert names == ["catalogue.json", "segment-000001"]
    assert dense(reader, articles[7].text)[0] == "7"
    writer.remove(["7"])
    writer.add([Article(id="8", text="全都改了。")])
    for one in (reader, writer, open_index()):
        found = dense(one, articles[7].text)
        assert "7" not in found
        assert dense(one, "全都改了。")[0] == "8"
        assert_sound(one)
    writer.add([Article(id=f"x{n}", text=f"第{n}座山高{n * 13}米。") for n in range(60)])
    assert dense(reader, "第9座山高117米。")[0] == "x9"
    assert_sound(reader)


def test_a_large_sync_leaves_few_segments_of_terms(open_index: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    values = {"batching.FIRST_BATCH": 6, "batching.LARGEST_BATCH": 6, "indexing._GATHERED": 20}
    for name, value in values.items():
        monkeypatch.setattr(f"retrieval.{name}", value)
    writer = open_index()
    articles = [Article(id=f"{n}", text=f"第{n}条河流经{n * 7}个城市，长{n * 31}公里。") for n in range(36)]
    writer.add(articles)
    with writer.reading() as index:
        note = json.loads((index.generation.lexical / "meta.json").read_text(encoding="utf-8"))
    assert [segment["max_doc"] for segment in note["segments"]] == [36]
    assert lexical(open_index(), "第17条")[0] == "17"
    assert_sound(writer)


def test_a_large_sync_ends_in_small_batches_and_tidies_up_meanwhile(
    open_index: Open, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    values = {
        "batching.FIRST_BATCH": 10, "batching.LARGEST_BATCH": 10, "batching._LAST_BATCH": 2,
        "indexing._GATHERED": 20,
    }  # fmt: skip
    for name, value in values.items():
        monkeypatch.setattr(f"retrieval.{name}", value)
    folder = tmp_path / "articles"
    folder.mkdir()
    for number in range(63):
        text = f"<p>第{number}条河流经{number * 7}个城市，长{number * 31}公里。</p>"
        (folder / f"{number:02}.md").write_text(text, encoding="utf-8")
    stored: list[int] = []
    tidied: list[int] = []
    gather = TantivyIndex.gather

    def gathered(index: TantivyIndex, documents: Sequence[LexicalDocument], worth: int) -> None:
        tidied.append(stored[-1])
        gather(index, documents, worth)

    monkeypatch.setattr(TantivyIndex, "gather", gathered)
    writer = open_index()
    writer.sync(folder, progress=lambda progress: stored.append(progress.passages))
    assert [after - before for before, after in pairwise([0, *stored])] == [10, 10, 10, 10, 10, 7, 3, 2, 1]
    assert tidied == [57, 60, 62, 63]
    with writer.reading() as index:
        note = json.loads((index.generation.lexical / "meta.json").read_text(encoding="utf-8"))
    assert len(note["segments"]) <= 2
    assert lexical(open_index(), "第17条")[0] == "17.md"
    assert_sound(writer)


def test_batches_are_even_where_it_is_known_how_many_articles_come(
    open_index: Open, index_path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    values = {"FIRST_BATCH": 10, "LARGEST_BATCH": 10, "EVEN_BATCHES": (5, 30), "_LAST_BATCH": 4}
    for name, value in values.items():
        monkeypatch.setattr(f"retrieval.batching.{name}", value)
    folder = tmp_path / "articles"
    folder.mkdir()
    for number in range(63):
        text = f"<p>第{number}条河长{number * 31}公里。</p>"
        (folder / f"{number:02}.md").write_text(text, encoding="utf-8")
    writer, stored, rebuilt = open_index(), [0], [0]
    writer.sync(folder, progress=lambda progress: stored.append(progress.passages))
    assert [after - before for before, after in pairwise(stored)][:3] == [10, 26, 10]
    writer.close()
    rebuild(index_path, encoder=HashEncoder(), progress=lambda progress: rebuilt.append(progress.passages))
    assert [after - before for before, after in pairwise(rebuilt)] == [10, 26, 10, 8, 9]


def test_what_a_large_sync_still_merges_is_awaited_before_the_rest_is_gathered(
    open_index: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("retrieval.indexing._GATHERED", 20)
    done: list[str | int] = []
    monkeypatch.setattr(TantivyIndex, "settle", lambda _: done.append("settled"))
    monkeypatch.setattr(TantivyIndex, "gather", lambda _, documents, worth: done.append(worth))
    open_index().add([Article(id=f"{n}", text=f"第{n}条河长{n * 31}公里。") for n in range(10)])
    assert done == []
    open_index().add([Article(id=f"x{n}", text=f"第{n}座山高{n * 13}米。") for n in range(20)])
    assert done == ["settled", FINALLY]


class Tired(HashEncoder):
    """Fails as long as it is."""

    tired = True

    def encode_passages(self, texts: Sequence[str], *, show_progress: bool = False) -> Vectors:
        if self.tired:
            raise EncoderError("the encoder is tired")
        return super().encode_passages(texts)


def test_terms_of_a_batch_that_was_not_stored_are_forgotten(open_index: Open) -> None:
    encoder = Tired()
    retriever = open_index(encoder=encoder)
    lost, kept = Batch(), Batch()
    for number in range(3):
        lost.add(Incoming(prepare(Article(id=f"lost{number}", text="灯塔很高。"), retriever.analyzer)))
    kept.add(Incoming(prepare(Article(id="kept", text="港口很深。"), retriever.analyzer)))
    with retriever.reading() as index:
        writer = index.writer(encoder=encoder, analyzer=retriever.analyzer)
        with pytest.raises(EncoderError, match="tired"):
            writer.commit(lost)
        encoder.tired = False
        assert writer.commit(kept) == 1
        assert writer._lexical.count == 1
        writer.close()
    assert lexical(retriever, "港口") == ["kept"]
    assert_sound(retriever)


@pytest.mark.parametrize("broken", ["vectors", "lexical", "position"])
def test_derived_files_that_are_damaged_are_made_anew(
    open_index: Open, monkeypatch: pytest.MonkeyPatch, broken: str
) -> None:
    monkeypatch.setattr("retrieval.indexing._TAIL", 5)
    retriever = open_index()
    retriever.add([Article(id=f"{n}", text=f"第{n}条河流经{n * 7}个城市。") for n in range(20)])
    with retriever.reading() as index:
        generation = index.generation
    retriever.close()
    if broken == "vectors":
        (generation.vectors / "segment-000001" / "vectors.npy").write_bytes(b"")
    elif broken == "lexical":
        (generation.lexical / "meta.json").write_text("{", encoding="utf-8")
    else:
        (generation.lexical / "position").write_text("0", encoding="ascii")
    again = open_index()
    if broken != "position":
        with pytest.raises(IndexDamagedError, match="check --repair"):
            dense(again, "河流")
    assert again.check().problems
    report = again.check(repair=True)
    assert report.problems
    assert report.repaired
    assert "repaired" in report.summary
    assert_sound(again)
    assert dense(again, "第3条河流经21个城市。")[0] == "3"


def test_what_a_crash_kept_from_the_lexical_index_is_caught_up(open_index: Open) -> None:
    retriever = open_index()
    retriever.add([Article(id="a", text="第一条河"), Article(id="b", text="第二条河")])
    with retriever.reading() as index:
        lexical_folder = index.generation.lexical
    kept = {path.name: path.read_bytes() for path in lexical_folder.iterdir()}
    retriever.add([Article(id="c", text="喀斯特溶洞"), Article(id="a", text="改成了雅鲁藏布江")])
    retriever.remove(["b"])
    retriever.close()
    for path in lexical_folder.iterdir():
        path.unlink()
    for name, content in kept.items():
        (lexical_folder / name).write_bytes(content)
    reader = open_index()
    assert "b" not in lexical(reader, "第二条河")
    writer = open_index()
    writer.add([Article(id="d", text="别的")])
    assert lexical(reader, "喀斯特溶洞")[0] == "c"
    assert lexical(reader, "雅鲁藏布江")[0] == "a"
    assert_sound(reader)


def test_a_damaged_store_is_told(open_index: Open, index_path: Path) -> None:
    retriever = open_index()
    retriever.add([Article(id="a", text="一")])
    with retriever.reading() as index:
        store = index.generation.store
    retriever.close()
    store.write_bytes(b"x" * 5000)
    with pytest.raises(IndexDamagedError, match=r"store\.db is damaged"):
        open_index()
    store.unlink()
    with pytest.raises(IndexDamagedError, match="missing"):
        open_index()


def test_broken_invariants_are_found(open_index: Open) -> None:
    retriever = open_index()
    retriever.add([Article(id="a", text="一二三"), Article(id="b", text="四五六")])
    from retrieval.storage.connection import open_writer

    with retriever.reading() as index:
        other = open_writer(index.generation.store)
    other.execute("DELETE FROM vectors WHERE passage = 1")
    other.execute("UPDATE vectors SET vector = zeroblob(4)")
    other.execute("UPDATE articles SET first_passage = 9, last_passage = 9 WHERE id = 'b'")
    other.close()
    problems = "\n".join(retriever.check().problems)
    assert "1 passages without a vector" in problems
    assert "1 vectors of another dimension than 48" in problems
    assert "1 articles whose passages are incomplete" in problems
    with pytest.raises(IndexDamagedError, match="the store is damaged"):
        retriever.check(repair=True)


def test_a_folder_that_is_no_index(tmp_path: Path, encoder: HashEncoder) -> None:
    (tmp_path / "letter.txt").touch()
    with pytest.raises(StorageError, match="holds other files"):
        Retriever.open(tmp_path, encoder=encoder)
