"""A loading process: reads, prepares and encodes the files of a shard, then uploads its rows."""

import json
import signal
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from embeddings import load_encoder
from embeddings.encoder import Encoder
from embeddings.errors import WendaError
from retrieval.analyzers import analyzer_with
from retrieval.file_reading import FileTask, ReadFile, read_files
from retrieval.lexical.analyzer import Analyzer
from retrieval.locations import MilvusLocation
from retrieval.milvus.client import Row, Server
from retrieval.milvus.filters import article_digest
from retrieval.milvus.frequencies import PER_ROW, pack
from retrieval.milvus.loading import send
from retrieval.milvus.rows import (
    Card,
    article_rows,
    file_row,
    passage_rows,
    path_digest,
    text_number,
    text_parts,
)
from retrieval.milvus.schema import Collections
from retrieval.milvus.sending import chunks, lengths_of, sparse_of
from retrieval.milvus.terms import MeanLengths, Sparse, occurrences
from retrieval.passage_vectors import vectors_by_article
from retrieval.preparation import TOGETHER, Prepared, without_passages
from retrieval.reading_workers import whole_writes
from retrieval.storage.reading import FileState, KnownArticle
from retrieval.vector.half_precision import to_single


@dataclass(frozen=True, slots=True)
class _Read:
    """A file of the shard that was read, and what is remembered of it."""

    state: FileState
    prepared: Prepared


class _Uploader:
    """Rows of shards, on their way to one index."""

    def __init__(self, setting: Mapping[str, Any]) -> None:
        self._server = Server(MilvusLocation(**setting["location"]))
        self._names = Collections(**setting["collections"])
        self._encoder: Encoder = load_encoder(setting["encoder"])
        dictionary = setting["dictionary"]
        self._analyzer: Analyzer = analyzer_with(Path(dictionary) if dictionary else None)

    def read(self, tasks: Sequence[Mapping[str, Any]]) -> tuple[list[_Read], dict[str, Any]]:
        """The files of a shard, and what the loader has to know of them."""
        read: list[_Read] = []
        failed: list[tuple[str, str, int | None]] = []
        wanted = [
            FileTask(path=task["path"], relative=task["relative"], article_id=task["article_id"])
            for task in tasks
        ]
        for task, result in zip(tasks, self._results(wanted), strict=True):
            if result.prepared is None:
                failure = result.failure
                failed += [(failure.path, failure.reason, failure.line)] if failure else []
            else:
                read.append(_Read(_state(task, result), result.prepared))
        lengths = lengths_of([each.prepared for each in read])
        told = {"articles": [_told(each) for each in read], "failed": failed, "lengths": lengths}
        return read, told

    def _results(self, tasks: Sequence[FileTask]) -> Iterator[ReadFile]:
        for start in range(0, len(tasks), TOGETHER):
            yield from read_files(tasks[start : start + TOGETHER], self._analyzer)

    def upload(self, read: Sequence[_Read], given: Mapping[str, Any]) -> dict[str, Any]:
        """Send the rows under the numbers that were given; the counts of the terms in them."""
        means, first = MeanLengths(**given["means"]), dict(given["first"])
        passages: list[Row] = []
        articles: list[Row] = []
        files: list[Row] = []
        sparse: list[Sparse] = []
        kept = [
            _Read(each.state, without_passages(each.prepared))
            if each.prepared.article.id in given["duplicates"]
            else each
            for each in read
        ]
        vectors = self._vectors([each.prepared for each in kept])
        for number, (each, encoded) in enumerate(zip(kept, vectors, strict=True)):
            prepared = each.prepared
            start, count = first["passages"] + len(passages), len(prepared.passages)
            original = given["duplicates"].get(prepared.article.id)
            known = KnownArticle(
                id=prepared.article.id, digest=prepared.digest, file=each.state.path, duplicate_of=original,
                first_passage=start if count else None, last_passage=start + count - 1 if count else None,
            )  # fmt: skip
            parts = text_parts(prepared.article, stored=original is None)
            card = Card(
                row=first["articles"] + len(articles), key=given["key"] + number, parts=len(parts),
                article=prepared.article, known=known, text_digest=prepared.text_digest,
                signature=prepared.signature,
            )  # fmt: skip
            weights = list(sparse_of(prepared, means))
            sparse += weights
            articles += article_rows(card, parts)
            files.append(file_row(first["files"] + number, each.state))
            passages += passage_rows(
                prepared.article, prepared.passages, prepared.normalised, encoded, weights, start
            )
        for collection, rows in (
            (self._names.passages, passages), (self._names.articles, articles), (self._names.files, files),
        ):  # fmt: skip
            for chunk in chunks(rows):
                self._server.insert(collection, chunk)
        return {"terms": list(_packed(sparse))}

    def _vectors(self, prepared: Sequence[Prepared]) -> list[Any]:
        return list(map(to_single, vectors_by_article(prepared, self._encoder)))


def serve() -> None:
    """What a loading process does: shards and their numbers come in by turns, until the input ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's to answer
    source, sink = sys.stdin.buffer, whole_writes(sys.stdout)
    sys.stdout = sys.stderr  # what a parser prints must not get between the answers
    uploader: _Uploader | None = None
    setting = json.loads(source.readline())
    read: list[_Read] = []
    for line in source:
        values = json.loads(line)
        try:
            uploader = uploader or _Uploader(setting)
            if "shard" in values:
                read, answer = uploader.read(values["shard"])
            else:
                answer = uploader.upload(read, values)
        except WendaError as error:
            answer = {"error": str(error)}
        send(answer, sink)


def _state(task: Mapping[str, Any], result: ReadFile) -> FileState:
    from retrieval.planning import PARSED_BY

    return FileState(
        path=task["path"], size=task["size"], mtime_ns=task["mtime_ns"], checked_ns=task["checked_ns"],
        digest=result.digest, parser=PARSED_BY,
    )  # fmt: skip


def _told(each: _Read) -> dict[str, Any]:
    prepared = each.prepared
    article = prepared.article
    known = KnownArticle(
        id=article.id, digest=prepared.digest, file=each.state.path, duplicate_of=None,
        first_passage=None, last_passage=None,
    )  # fmt: skip
    card = Card(
        row=0, key=0, parts=0, article=article, known=known, text_digest=prepared.text_digest,
        signature=prepared.signature,
    )  # fmt: skip
    return {
        "id": article.id,
        "text_digest": prepared.text_digest.hex(),
        "passages": len(prepared.passages),
        "parts": len(text_parts(article, stored=True)),
        "day": card.day,
        "publications": card.publications,
        "digests": {
            "article": article_digest(article.id), "file": path_digest(each.state.path), "original": 0,
            "text_digest": text_number(prepared.text_digest),
        },
    }  # fmt: skip


def _packed(sparse: Sequence[Sparse]) -> Iterator[str]:
    counts = occurrences(sparse)
    pairs = np.array(sorted(counts.items()), dtype=np.uint32).reshape(-1, 2)
    for start in range(0, len(pairs), PER_ROW):
        yield pack(pairs[start : start + PER_ROW])
