"""Every vector index gives the ids and values of the exact one: after add, remove, replace, reload."""

import shutil
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from retrieval.backend import Candidates, Ids
from retrieval.vector import approximate, half_precision, merging, segment
from retrieval.vector.exact import ExactIndex
from retrieval.vector.faiss_index import FaissIndex
from retrieval.vector.index import VectorIndex
from retrieval.vector.mapped import release
from retrieval.vector.quantization import Quantizer, candidates_needed

DIMENSION = 32
Make = Callable[[], VectorIndex]


def unit(count: int, seed: int) -> NDArray[np.float32]:
    """Vectors as they come out of the store: of length 1, then rounded to half precision."""
    vectors = np.random.default_rng(seed).standard_normal((count, DIMENSION), dtype=np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return vectors.astype(np.float16).astype(np.float32)


def stored(index: FaissIndex, folder: Path, position: int = 1) -> FaissIndex:
    """The index after it was written down and mapped again."""
    merging.write_down(folder, index, position=position)
    return FaissIndex(index.dimension, segment.load_catalogue(folder))


def assert_same(found: Candidates, expected: Candidates) -> None:
    np.testing.assert_array_equal(found.ids, expected.ids)
    np.testing.assert_allclose(found.scores, expected.scores, atol=2e-6)
    assert found.ids.dtype == np.int64
    assert found.scores.dtype == np.float32


class Helped(FaissIndex):
    """Other threads help with each search."""

    def search(self, vector: NDArray[np.float32], k: int, allowed: Ids | None = None) -> Candidates:
        with ThreadPoolExecutor(2) as executor:
            return self.begin(lambda: vector, k, allowed, executor=executor, helpers=2)()


@pytest.fixture(
    params=[
        *("exact", "tail", "segment", "segment and tail", "codes", "codes and tail", "segments and tail"),
        *("codes in pieces and tail", "codes in pieces and helpers", "codes shared by helpers"),
    ]
)
def pair(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> tuple[VectorIndex, ExactIndex]:
    """An index with vectors 0, 2, 4 … in it, and the oracle with the same ones."""
    monkeypatch.setattr(merging, "CODES_FROM", 1000)
    monkeypatch.setattr(approximate, "_FEW", 100)  # half of the candidates do not hold all of the nearest
    count = 4000 if request.param.startswith(("codes", "segments")) else 300
    ids, vectors = 2 * np.arange(count, dtype=np.int64), unit(count, 1)
    oracle = ExactIndex(DIMENSION)
    oracle.add(ids, vectors)
    if request.param == "exact":
        other = ExactIndex(DIMENSION)
        other.add(ids, vectors)
        return other, oracle
    cut = 0 if request.param == "tail" else count - 100 if request.param.endswith("tail") else count
    index, done = FaissIndex(DIMENSION), 0
    for end in [2200, 3300, 3800, cut] if "segments" in request.param else [cut] if cut else []:
        index.add(ids[done:end], vectors[done:end])
        index, done = stored(index, tmp_path / "vectors", end), end
    assert len(index.parts) == (0 if not cut else 4 if "segments" in request.param else 1)
    if "pieces" in request.param:
        monkeypatch.setattr(approximate, "SCANNED", 900)
    if "shared" in request.param:
        monkeypatch.setattr(approximate, "_WORTH_SHARING", 1500)  # two pieces
    if "helpers" in request.param:
        index = Helped(DIMENSION, segment.load_catalogue(tmp_path / "vectors"))
    index.add(ids[cut:], vectors[cut:])
    return index, oracle


def both(
    pair: tuple[VectorIndex, ExactIndex], query: NDArray[np.float32], k: int = 20, **options: object
) -> None:
    index, oracle = pair
    assert len(index) == len(oracle)
    assert_same(index.search(query, k, **options), oracle.search(query, k, **options))  # type: ignore[arg-type]


def test_finds_the_nearest(pair: tuple[VectorIndex, ExactIndex]) -> None:
    for query in unit(5, 2):
        both(pair, query)
        both(pair, query, k=1)
        both(pair, query, k=10_000)


def test_a_vector_finds_itself_first(pair: tuple[VectorIndex, ExactIndex]) -> None:
    index, _ = pair
    found = index.search(unit(300, 1)[7], 3)
    assert found.ids[0] == 14
    assert found.scores[0] == pytest.approx(1.0, abs=1e-3)


def test_removed_vectors_are_gone(pair: tuple[VectorIndex, ExactIndex]) -> None:
    index, _ = pair
    query = unit(1, 3)[0]
    gone = index.search(query, 5).ids
    for one in pair:
        assert one.remove([*gone, 99_999]) == 5
    assert not np.isin(gone, index.search(query, 400).ids).any()
    both(pair, query)
    assert index.remove(gone) == 0


def test_an_id_that_is_added_again_is_replaced(pair: tuple[VectorIndex, ExactIndex]) -> None:
    index, oracle = pair
    query = unit(1, 4)[0]
    ids = np.array([0, 598, 10, 7], dtype=np.int64)
    for one in pair:
        one.add(ids, unit(4, 5))
    both(pair, query)
    assert len(index) == len(oracle)
    for one in pair:
        one.remove([598])
    both(pair, query)


def test_only_allowed_ids_are_found(pair: tuple[VectorIndex, ExactIndex]) -> None:
    query = unit(1, 6)[0]
    for allowed in (range(0, 600, 3), [4], [5], [], range(0, 12_000, 4)):
        both(pair, query, allowed=np.array(list(allowed), dtype=np.int64))
    for one in pair:
        one.remove(range(0, 600, 6))
    both(pair, query, allowed=np.arange(0, 600, 3, dtype=np.int64))
    both(pair, query, allowed=np.arange(0, 12_000, 4, dtype=np.int64))


def test_everything_may_be_removed(pair: tuple[VectorIndex, ExactIndex]) -> None:
    index, _ = pair
    for one in pair:
        one.remove(np.arange(20_000))
    assert len(index) == 0
    both(pair, unit(1, 7)[0])
    for one in pair:
        one.add(np.array([3], dtype=np.int64), unit(1, 8))
    both(pair, unit(1, 7)[0])


@pytest.mark.parametrize("codes_from", [10_000, 50])
@pytest.mark.parametrize("seed", range(3))
def test_any_sequence_of_changes_and_reloads(
    seed: int, codes_from: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(merging, "CODES_FROM", codes_from)
    random = np.random.default_rng(seed)
    index, oracle, next_id = FaissIndex(DIMENSION), ExactIndex(DIMENSION), 0
    for step in range(40):
        action = random.choice(["add", "remove", "replace", "reload"], p=[0.4, 0.3, 0.2, 0.1])
        if action == "add":
            count = int(random.integers(1, 80))
            ids = np.arange(next_id, next_id + count, dtype=np.int64)
            next_id += count
        else:
            ids = random.choice(max(next_id, 1), size=min(next_id, 15), replace=False).astype(np.int64)
        if action in {"add", "replace"} and len(ids):
            vectors = unit(len(ids), int(random.integers(1 << 30)))
            index.add(ids, vectors)
            oracle.add(ids, vectors)
        elif action == "remove":
            assert index.remove(ids) == oracle.remove(ids)
        elif action == "reload":
            index = stored(index, tmp_path / "vectors", position=step)
        query = unit(1, step)[0]
        assert len(index) == len(oracle)
        assert_same(index.search(query, 10), oracle.search(query, 10))


def test_vectors_by_id(tmp_path: Path) -> None:
    vectors = unit(10, 1)
    index = FaissIndex(DIMENSION)
    index.add(np.arange(5), vectors[:5])
    index = stored(index, tmp_path / "vectors")
    index.add(np.arange(5, 10), vectors[5:])
    index.remove([1, 7])
    found = index.vectors(np.array([0, 1, 5, 7, 9, 77]))
    expected = vectors[[0, 1, 5, 7, 9, 9]]
    expected[[1, 3, 5]] = 0
    np.testing.assert_array_equal(found, expected)
    assert index.contains(np.array([0, 1, 5, 7, 9, 77])).tolist() == [True, False, True, False, True, False]


def test_a_search_under_way_is_not_disturbed() -> None:
    index = FaissIndex(DIMENSION)
    index.add(np.arange(50), unit(50, 1))
    ids, vectors = index.tail
    index.add(np.arange(50, 200), unit(150, 2))
    index.remove(np.arange(40))
    assert ids.tolist() == list(range(50))
    np.testing.assert_array_equal(vectors, unit(50, 1))


def written(folder: Path, count: int, position: int) -> segment.Segment:
    """A catalogue of one segment."""
    writer = segment.SegmentWriter(folder, count=count, dimension=DIMENSION)
    writer.write([(np.arange(count), unit(count, 1))] if count else [])
    made = writer.finish({})
    segment.publish(folder, position=position, segments=[made], dead=np.empty((0, 2), np.int64))
    return made


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def test_a_catalogue_is_whole_or_not_there(tmp_path: Path) -> None:
    writer = segment.SegmentWriter(tmp_path, count=10, dimension=DIMENSION)
    with pytest.raises(ValueError, match="4 vectors were written of 10"):
        writer.write([(np.arange(4), unit(4, 1))])
    assert segment.stamp(tmp_path) is None
    first = written(tmp_path, 10, position=3)
    assert names(tmp_path) == {"catalogue.json", "segment-000002"}
    assert segment.load_catalogue(tmp_path).segments[0].ids.tolist() == list(range(10))
    stamp = segment.stamp(tmp_path)
    segment.SegmentWriter(tmp_path, count=5, dimension=DIMENSION)
    assert segment.stamp(tmp_path) == stamp
    assert segment.load_catalogue(tmp_path).position == 3
    segment.publish(tmp_path, position=4, segments=[first], dead=np.array([[2, 3], [2, 7]]))
    assert names(tmp_path) == {"catalogue.json", "segment-000002", "dead-000000000004.npy"}
    again = segment.load_catalogue(tmp_path, [first])
    assert again.segments[0] is first
    assert again.dead_in(2).tolist() == [3, 7]
    assert again.dead_in(3).tolist() == []
    written(tmp_path, 0, position=5)
    assert len(segment.load_catalogue(tmp_path).segments[0]) == 0
    assert names(tmp_path) == {"catalogue.json", "segment-000003"}


def test_a_segment_that_was_tampered_with_is_refused(tmp_path: Path) -> None:
    written(tmp_path, 3, position=1)
    np.save(tmp_path / "segment-000001" / "ids.npy", np.arange(5))
    with pytest.raises(ValueError, match="does not hold"):
        segment.load_catalogue(tmp_path)
    (tmp_path / "segment-000001" / "ids.npy").write_bytes(b"")
    with pytest.raises(ValueError, match="is empty"):
        segment.load_catalogue(tmp_path)


def test_rows_are_the_same_read_and_mapped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    written(tmp_path, 300, position=1)
    rows = np.array([0, 7, 299, 7])
    (mapped,) = segment.load_catalogue(tmp_path).segments
    monkeypatch.setattr(segment, "MAPPED_ROWS", 299)
    assert segment.load_catalogue(tmp_path, [mapped]).segments[0].file is None
    monkeypatch.setattr(segment, "SMALL_ROWS", 100)
    (single,) = segment.load_catalogue(tmp_path, [mapped]).segments
    assert mapped.file is None
    assert single.file is not None
    np.testing.assert_array_equal(single.take(rows), unit(300, 1)[rows])
    np.testing.assert_array_equal(mapped.take(rows), unit(300, 1)[rows])
    assert single.take(rows[:0]).shape == mapped.take(rows[:0]).shape == (0, DIMENSION)
    np.testing.assert_array_equal(single.block(290, 400), mapped.block(290, 400))
    shutil.rmtree(tmp_path / "segment-000001")
    np.testing.assert_array_equal(single.take(rows), unit(300, 1)[rows])


def test_a_segment_may_have_nothing_that_comes_near(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(merging, "CODES_FROM", 1500)  # the second has codes since the first has
    monkeypatch.setattr(approximate, "SCANNED", 400)  # the pieces of the first have enough candidates
    query = unit(1, 3)[0]
    index, folder = FaissIndex(DIMENSION), tmp_path / "vectors"
    for step, near in enumerate((1.0, -1.0)):  # the first lie about it, the second on the other side
        vectors = near * query + 0.3 * unit(2000 - 1000 * step, 4 + step)
        index.add(np.arange(len(vectors)) + 5000 * step, vectors.astype(np.float32))
        index = stored(index, folder, step)
    monkeypatch.setattr(segment, "MAPPED_ROWS", 0)
    monkeypatch.setattr(segment, "SMALL_ROWS", 0)
    for opened in (index, FaissIndex(DIMENSION, segment.load_catalogue(folder))):
        assert [part.segment.codes is not None for part in opened.parts] == [True, True]
        found = opened.search(query, 10)
        assert found.ids.max() < 2000
        assert len(found.ids) == 10
    assert all(part.segment.file is not None for part in opened.parts)


def test_half_precision_is_converted_exactly() -> None:
    every = np.arange(1 << 16, dtype=np.uint16).view(np.float16)
    finite = every[np.isfinite(every)]
    converted = half_precision.to_single(finite)
    np.testing.assert_array_equal(converted.view(np.uint32), finite.astype(np.float32).view(np.uint32))


def test_an_update_copies_what_is_no_larger_than_itself(tmp_path: Path) -> None:
    index, sizes = FaissIndex(DIMENSION), []
    for step in range(12):
        index.add(np.arange(100 * step, 100 * step + 100), unit(100, step))
        index = stored(index, tmp_path / "vectors", step)
        sizes.append([len(part.segment) for part in index.parts])
    assert sizes[:4] == [[100], [200], [200, 100], [400]]
    assert sizes[-1] == [800, 400]
    assert len(names(tmp_path / "vectors")) == 3


def test_removals_are_written_down_and_hollow_segments_made_anew(tmp_path: Path) -> None:
    folder = tmp_path / "vectors"
    index = FaissIndex(DIMENSION)
    for step, count in enumerate((400, 100), 1):
        index.add(np.arange(1000 * step, 1000 * step + count), unit(count, step))
        index = stored(index, folder, step)
    index.remove(np.arange(1000, 1100))
    assert index.unwritten == 100
    index = stored(index, folder, 3)
    assert index.unwritten == 0
    assert [(len(part.segment), part.live) for part in index.parts] == [(400, 300), (100, 100)]
    assert "dead-000000000003.npy" in names(folder)
    index.remove(np.arange(1100, 1150))
    index = stored(index, folder, 4)
    assert [(len(part.segment), part.live) for part in index.parts] == [(350, 350)]
    assert names(folder) == {"catalogue.json", "segment-000003"}
    index.remove(np.arange(3000))
    assert stored(index, folder, 5).parts == ()


def test_codes_are_kept_until_they_no_longer_fit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(merging, "CODES_FROM", 1000)
    index = FaissIndex(DIMENSION)
    index.add(np.arange(999), unit(999, 1))
    index = stored(index, tmp_path / "a")
    assert index.parts[0].segment.codes is None
    index.add(np.arange(999, 2000), unit(1001, 2))
    index = stored(index, tmp_path / "a", 2)
    (part,) = index.parts
    assert part.segment.settings["fitted_to"] == 2000
    assert part.segment.settings["recall"] >= 0.99
    index.remove(range(0, 1500, 3))
    index.add(np.arange(2000, 4500), unit(2500, 3))
    index = stored(index, tmp_path / "a", 3)
    (part,) = index.parts
    assert part.segment.settings["fitted_to"] == 2000
    codes = part.segment.quantizer().encode(part.segment.vectors)
    np.testing.assert_array_equal(part.segment.codes, codes)
    index.add(np.arange(4500, 21_000), unit(16_500, 4))
    index = stored(index, tmp_path / "a", 4)
    assert [part.segment.settings["fitted_to"] for part in index.parts] == [20_500]


@pytest.mark.parametrize("dimension", [7, 48])
def test_codes_find_nearly_all_of_the_nearest(dimension: int) -> None:
    random = np.random.default_rng(1)
    vectors = random.standard_normal((20_000, dimension), dtype=np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    vectors = vectors.astype(np.float16)
    quantizer = Quantizer.train(vectors)
    codes = quantizer.encode(vectors)
    assert codes.shape == (20_000, quantizer.code_size)
    count, recall = candidates_needed(vectors, quantizer.scanner(codes))
    assert recall >= 0.99
    assert count <= 2200


def test_a_filter_that_leaves_little_and_removals_of_what_is_near(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Candidates that do not count make way for others: no hit is missing however the live ones lie."""
    monkeypatch.setattr(merging, "CODES_FROM", 1000)
    vectors, query = unit(5000, 1), unit(1, 2)[0]
    order = np.argsort(-(vectors @ query))
    index, oracle = FaissIndex(DIMENSION), ExactIndex(DIMENSION)
    index.add(np.arange(5000), vectors)
    index = stored(index, tmp_path / "a")
    oracle.add(np.arange(5000), vectors)
    for one in (index, oracle):
        one.remove(order[:400])
    assert_same(index.search(query, 10), oracle.search(query, 10))
    some = np.arange(0, 5000, 7)
    assert_same(index.search(query, 10, some), oracle.search(query, 10, some))


def test_memory_of_a_mapped_array_is_given_back(tmp_path: Path) -> None:
    written(tmp_path, 300, position=1)
    (made,) = segment.load_catalogue(tmp_path).segments
    before = made.take(np.arange(300))
    release(made.vectors)
    release(np.arange(3))  # not mapped: nothing to give back
    np.testing.assert_array_equal(made.take(np.arange(300)), before)


@pytest.mark.parametrize("ids", [[5, 6, 7, 8], [2, 5, 6, 9], [4], []])
def test_rows_of_ids(tmp_path: Path, ids: list[int]) -> None:
    writer = segment.SegmentWriter(tmp_path, count=len(ids), dimension=3)
    writer.write([(np.array(ids, dtype=np.int64), np.zeros((len(ids), 3), dtype=np.float32))])
    made = writer.finish({})
    asked = [8, -1, 4, 5, 9, 2, 10, 6, 0]
    found = made.rows(np.array(asked, dtype=np.int64))
    assert found.tolist() == [ids.index(number) if number in ids else -1 for number in asked]
