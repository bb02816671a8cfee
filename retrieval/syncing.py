"""One sync from end to end: look at the sources, decide, carry out, and remember what is to be remembered."""

import contextlib
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from retrieval.index import Index, IndexWriter, Library
from retrieval.memory import Memory
from retrieval.patterns import Patterns
from retrieval.planning import PARSED_BY, found_only, guard, guard_collections, plan_for
from retrieval.reading_pool import FILES_FOR_WORKERS, ReadingPool
from retrieval.sources import Scan, is_address, location_of, scan, scan_address
from retrieval.types import SyncReport

if TYPE_CHECKING:
    from retrieval.fetching import Fetcher
    from retrieval.reading_workers import Workers
    from retrieval.sync import Synchronizer


@dataclass(frozen=True, slots=True, kw_only=True)
class SyncOptions:
    """How to sync; see Retriever.sync. `patterns` is None for those that were given the last time."""

    dry_run: bool = False
    prune: bool = False
    patterns: Patterns | None = None
    allow_private: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """The doors to one index that a sync goes through."""

    opened: Callable[[], Index]
    locked: Callable[[], AbstractContextManager[None]]
    writer: Callable[[Index], AbstractContextManager[IndexWriter]]
    workers: "Callable[[], Workers | None]"
    synchronizer: "Callable[[IndexWriter, ReadingPool], Synchronizer]"


def sync_sources(sources: Sequence[str | Path], access: Access, options: SyncOptions) -> SyncReport:
    """See Retriever.sync. Addresses are asked before the writer's lock is taken: servers may be slow."""
    with contextlib.closing(ReadingPool(access.workers)) as pool:
        return _synced(sources, access, options, pool)


def _synced(
    sources: Sequence[str | Path], access: Access, options: SyncOptions, pool: ReadingPool
) -> SyncReport:
    started = time.perf_counter()
    scans = _look(sources, access.opened(), options, pool)
    with contextlib.nullcontext() if options.dry_run else access.locked():
        index = access.opened()
        reader = index.reader()
        memory = Memory(reader.manifest())
        planned = [(found, *plan_for(found, reader)) for found in scans]
        plans = [(found, plan) for found, plan, _ in planned]
        if options.dry_run:
            from retrieval.foreseeing import foreseen

            return foreseen(plans, reader, memory, seconds=time.perf_counter() - started)
        for found, plan, known in planned:
            if not options.prune:
                guard(plan, known, location=found.location)
                guard_collections(found, plan, reader)
        news = [memory.update(found.location, found.details) for found in scans if found.reached]
        if all(plan.empty for _, plan in plans) and _at_rest(index, reader, scans) and not any(news):
            return found_only(plans, seconds=time.perf_counter() - started)
        with access.writer(index) as writer:
            synchronizer = access.synchronizer(writer, pool)
            for found, plan in plans:
                synchronizer.sync(found, plan, memory)
            writer.put_manifest(memory.to_manifest())
            writer.finish()
    return synchronizer.report()


def _look(
    sources: Sequence[str | Path], index: Index, options: SyncOptions, pool: ReadingPool
) -> list[Scan]:
    """What the sources have, each once; raises SourceError for a folder or file that is not there.

    Workers for a large source that was never synced start while it is still looked through.
    """
    reader = index.reader()
    before = {location for location, _ in reader.sources()}
    memory = Memory(reader.manifest())
    fetcher = _fetcher(options) if any(map(is_address, sources)) else None
    scans: dict[str, Scan] = {}
    for source in sources:
        location = location_of(source)
        if location in scans:
            continue
        if fetcher is not None and is_address(source):
            known = reader.files_under(location).get(location)
            current = known if known is not None and known.parser == PARSED_BY else None
            scans[location] = scan_address(str(source), fetcher, memory.details(location), current)
            continue
        patterns = memory.patterns(location) if options.patterns is None else options.patterns
        new = location not in before and not options.dry_run
        scans[location] = scan(source, patterns, _preparing(pool) if new else None)
        scans[location].details = {"include": list(patterns.include), "exclude": list(patterns.exclude)}
    return list(scans.values())


def _preparing(pool: ReadingPool) -> Callable[[int], object]:
    """What is told how many files a new source has so far: all of them will have to be read."""
    return lambda files: files >= FILES_FOR_WORKERS and pool.workers()


def _fetcher(options: SyncOptions) -> "Fetcher":
    from retrieval.fetching import Fetcher

    return Fetcher(allow_private=options.allow_private)


def _at_rest(index: Index, reader: Library, scans: Sequence[Scan]) -> bool:
    """Whether the sources are known, and no crash has left something to catch up with."""
    known = {location for location, _ in reader.sources()}
    return known >= {found.location for found in scans if found.reached} and index.at_rest()
