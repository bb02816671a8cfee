"""Deriving a whole index anew, beside the one that serves: for another encoder, analyzer or segmentation."""

import contextlib
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from embeddings import load_encoder
from embeddings.encoder import Encoder
from retrieval.analyzers import analyzer_with
from retrieval.batching import Batch, Incoming
from retrieval.homes import home_of
from retrieval.index import Home, Index, Library
from retrieval.lexical.analyzer import Analyzer
from retrieval.locations import Location
from retrieval.memory import Memory
from retrieval.preparation import TOGETHER, Prepared, prepare_all
from retrieval.storage.reading import KnownArticle
from retrieval.types import Article

if TYPE_CHECKING:
    from retrieval.sync import Progress

LOCK_SECONDS = 10.0


def rebuild(
    path: Location,
    *,
    encoder: str | Encoder | None = None,
    user_dictionary: str | Path | None = None,
    progress: "Callable[[Progress], None] | None" = None,
) -> None:
    """Make another generation of the index from its own store, then let it take the place of the current one.

    Articles keep their ids, passages get new ones. Until the swap, questions are answered by the old one and
    other writers wait or are refused; a rebuild that fails or is killed leaves everything as it was.
    Without `encoder`, the index's own. Raises IndexNotFoundError, IndexLockedError, StorageError,
    EncoderError.
    """
    home = home_of(path)
    with contextlib.closing(home):
        home.open().close()
        with home.writing(seconds=LOCK_SECONDS):
            _rebuild(home, encoder, user_dictionary, progress)


def _rebuild(
    home: Home,
    encoder: str | Encoder | None,
    user_dictionary: str | Path | None,
    progress: "Callable[[Progress], None] | None",
) -> None:
    """See rebuild; the caller holds the writer's lock."""
    old = home.open()
    try:
        manifest = old.manifest
        chosen = (
            load_encoder(encoder or manifest.encoder)
            if encoder is None or isinstance(encoder, str)
            else encoder
        )
        dictionary = user_dictionary or manifest.user_dictionary
        given = Path(dictionary).expanduser() if dictionary else None
        analyzer = analyzer_with(given)
        new = home.beside(encoder=chosen, analyzer=analyzer, user_dictionary=given)
        try:
            _fill(new, old.reader(), encoder=chosen, analyzer=analyzer, progress=progress)
        except BaseException:
            new.close()
            raise
    finally:
        old.close()
    home.switch(new)


def _fill(
    index: Index,
    old: Library,
    *,
    encoder: Encoder,
    analyzer: Analyzer,
    progress: "Callable[[Progress], None] | None",
) -> None:
    from retrieval.sync import Progress

    indexer = index.writer(encoder=encoder, analyzer=analyzer)
    try:
        before = old.manifest()
        if before.get("encoder_fingerprint") == encoder.fingerprint:
            indexer.put_manifest({"calibration": before.get("calibration")})
        indexer.put_manifest(Memory(before).to_manifest())
        total, done, passages = old.state().articles, 0, 0
        for location, kind in old.sources():
            indexer.put_source(location, kind)
        for batch in _batches(old, analyzer, indexer.following):
            passages += indexer.commit(batch)
            done += len(batch.articles)
            if progress is not None:
                progress(Progress(done=done, total=total, passages=passages))
        indexer.finish()
    finally:
        indexer.close()


def _batches(
    old: Library, analyzer: Analyzer, following: Callable[[Batch, int], Batch]
) -> Iterator[Batch]:
    """All articles, originals before their duplicates, with the files they came from; `following` makes a
    batch to follow another, with so many passages left."""
    batch, left = Batch(), old.state().passages
    for duplicates in (False, True):
        for prepared, known in _prepared(_articles(old, duplicates=duplicates), analyzer):
            if known.file is not None and not (batch.files and batch.files[-1].path == known.file):
                batch.files += [s for path, s in old.files_under(known.file).items() if path == known.file]
            batch.add(Incoming(prepared, known.file, known.duplicate_of))
            if batch.full:
                yield batch
                left = max(0, left - batch.passages)
                batch = following(batch, left)
        if batch.articles:
            yield batch
            batch = batch.next()


def _prepared(
    articles: Iterator[tuple[Article, KnownArticle]], analyzer: Analyzer
) -> Iterator[tuple[Prepared, KnownArticle]]:
    while some := list(islice(articles, TOGETHER)):
        prepared = prepare_all([article for article, _ in some], analyzer)
        yield from zip(prepared, [known for _, known in some], strict=True)


def _articles(old: Library, *, duplicates: bool) -> Iterator[tuple[Article, KnownArticle]]:
    for article in old.articles():
        known = old.known([article.id])[article.id]
        if (known.duplicate_of is not None) == duplicates:
            yield article, known
