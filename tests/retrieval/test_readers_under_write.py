"""Processes ask without pause while articles come, change and go: no error, nothing wrong, nothing vanished.

The times are measured by tests/benchmarks/readers_under_write.py.
"""

import sys
from pathlib import Path

import pytest

from retrieval import Retriever

from .encoders import HashEncoder

sys.path.insert(0, str(Path(__file__).parent.parent / "benchmarks"))

from lighthouses import lighthouse
from readers_under_write import Readers, rewrite


def test_readers_under_write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("retrieval.indexing._TAIL", 20)
    monkeypatch.setattr("retrieval.vector.merging.CODES_FROM", 60)
    index = tmp_path / "index"
    with Retriever.open(index, encoder=HashEncoder()) as writer:
        writer.add(lighthouse(number, 0, standing=True) for number in range(10))
        readers = Readers(index, 2, standing=10, passing=40, versions=3, encoder="hash")
        rewrite(writer, 40, step=5)
        reports = readers.report()
        assert readers.close() == [0, 0]
        assert [report["problems"] for report in reports] == [[], []]
        assert min(report["questions"] for report in reports) > 3
        assert writer.check().problems == ()
        assert {article.id for article in writer.articles()} == {f"Standing{n}" for n in range(10)}
