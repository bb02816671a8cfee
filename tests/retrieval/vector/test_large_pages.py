"""Memory laid out anew while it is in use."""

import sys

import numpy as np
import pytest

from retrieval.vector import large_pages
from retrieval.vector.large_pages import in_large_pages
from retrieval.vector.quantization import Quantizer

_MEBI = 1 << 20


def test_what_is_there_stays() -> None:
    for size in (0, 1, 5000, 9 * _MEBI + 77):
        values = np.arange(size, dtype=np.int64)
        in_large_pages(values.ctypes.data, values.nbytes)
        assert np.array_equal(values, np.arange(size))


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux lays memory out anew")
def test_only_whole_pages_of_one_s_own_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    named: list[tuple[int, int]] = []
    monkeypatch.setattr(large_pages, "_madvise", lambda: lambda *asked: named.append(asked[:2]))
    in_large_pages(4096 * 10 + 1, 4096 * 3)
    in_large_pages(4096 * 10 + 1, 4096)
    in_large_pages(4096 * 10, 4096 * 2)
    assert named == [(4096 * 11, 4096 * 2)] * 2 + [(4096 * 10, 4096 * 2)] * 2


def test_codes_are_found_as_before() -> None:
    vectors = np.random.default_rng(5).standard_normal((40_000, 32)).astype(np.float32)
    quantizer = Quantizer.train(vectors)
    scanner = quantizer.scanner(quantizer.encode(vectors))
    before = [scanner.nearest(vector, 20) for vector in vectors[:5]]
    scanner.settle()
    for vector, (rows, scores) in zip(vectors[:5], before, strict=True):
        found = scanner.nearest(vector, 20)
        assert found[0].tolist() == rows.tolist()
        assert found[1].tolist() == scores.tolist()


def test_where_the_system_cannot_nothing_happens(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(large_pages, "_madvise", lambda: None)
    values = np.ones(_MEBI)
    in_large_pages(values.ctypes.data, values.nbytes)
    assert values.sum() == _MEBI
