"""What a sync would do, worked out without doing it."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from retrieval.claims import Claims
from retrieval.collecting import CollectionTasks
from retrieval.errors import ArticleError
from retrieval.file_reading import read_article
from retrieval.index import Library
from retrieval.memory import Memory
from retrieval.parsing.forms import Form
from retrieval.planning import Plan, found_only
from retrieval.preparation import digest_as_stored
from retrieval.sources import FoundFile, Scan
from retrieval.types import Failure, SyncReport


@dataclass(slots=True)
class _Foreseen:
    added: list[str] = field(default_factory=list)
    changed: list[str] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)
    failed: list[Failure] = field(default_factory=list)
    unchanged: int = 0


def foreseen(
    scans: list[tuple[Scan, Plan]], reader: Library, memory: Memory, *, seconds: float
) -> SyncReport:
    """The report of a sync that was not carried out. Collections are read for it, single files are not."""

    def ids(paths: Iterable[str]) -> list[str]:
        return [article.id for path in paths for article in reader.articles_of(path)]

    found = _Foreseen()
    for scan, plan in scans:
        for file in plan.added:
            if file.form is Form.ARTICLE:
                found.added.append(file.path if file.address else file.relative)
            else:
                _foresee(file, scan, reader, memory, found, changed=False)
        for file in plan.changed:
            if file.form is Form.ARTICLE:
                found.changed += ids([file.path])
            else:
                _foresee(file, scan, reader, memory, found, changed=True)
        found.removed += ids(plan.removed)
    base = found_only(scans, seconds=seconds)
    return replace(
        base,
        added=tuple(found.added),
        changed=tuple(found.changed),
        moved=tuple(ids(old for _, plan in scans for old, _ in plan.moved)),
        removed=tuple(found.removed),
        unchanged=base.unchanged + found.unchanged,
        failed=(*base.failed, *found.failed),
        dry_run=True,
    )


def _foresee(
    file: FoundFile, scan: Scan, reader: Library, memory: Memory, found: _Foreseen, *, changed: bool
) -> None:
    own = reader.articles_of(file.path) if changed else []
    claims = Claims(own, lambda wanted: not reader.known([wanted]))
    tasks = CollectionTasks(file, scan, claims)
    recurring = memory.recurring(scan.location)
    for task in tasks:
        identity, before = tasks.next_known()
        try:
            digest = digest_as_stored(read_article(task, task.data, recurring))
        except ArticleError as error:
            found.failed.append(Failure(path=error.path, reason=error.reason, line=error.line))
            continue
        if before is None:
            found.added.append(identity)
        elif before.digest == digest:
            found.unchanged += 1
        else:
            found.changed.append(identity)
    found.failed += tasks.failed
    if file.form is not Form.FEED and not tasks.unclear and not tasks.broken:
        found.removed += [article.id for article in claims.unclaimed]
