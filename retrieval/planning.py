"""Deciding what a source needs, from data alone: the files there are, and those that are known."""

import contextlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from retrieval.errors import ArticleError, RemovalGuardError
from retrieval.file_reading import content_digest, digest_of
from retrieval.index import Library
from retrieval.parsing import PARSER_VERSION
from retrieval.parsing.forms import Form
from retrieval.sources import FoundFile, Scan
from retrieval.storage.reading import FileState
from retrieval.types import SyncReport

PARSED_BY = PARSER_VERSION
_RACY_NS = 2_000_000_000
"""A file changed this short a time before it was last looked at may have changed again within its time
stamp."""


@dataclass(slots=True)
class Plan:
    """What a source's files need. `touched` files have another time stamp and the same contents; `kept` are
    the collections that stay as they are, `unchanged` counts the other files that do."""

    added: list[FoundFile] = field(default_factory=list)
    changed: list[FoundFile] = field(default_factory=list)
    moved: list[tuple[str, FileState]] = field(default_factory=list)
    touched: list[FileState] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)
    kept: list[str] = field(default_factory=list)
    unchanged: int = 0

    @property
    def work(self) -> int:
        """Number of files to read and parse."""
        return len(self.added) + len(self.changed)

    @property
    def empty(self) -> bool:
        """Whether the store is to stay as it is."""
        return not (self.added or self.changed or self.moved or self.touched or self.removed)


def doubtful(scan: Scan, known: Mapping[str, FileState]) -> list[FoundFile]:
    """The files whose contents have to be compared: known ones that look changed, and, where known files
    are missing, new ones, which may be those under another name."""
    present = {file.path for file in scan.files}
    missing = any(path not in present for path in known)
    return [
        file
        for file in scan.files
        if (missing if file.path not in known else _looks_changed(file, known[file.path]))
    ]


def decide(scan: Scan, known: Mapping[str, FileState], digests: Mapping[str, bytes]) -> Plan:
    """What to do, from data alone: the files found, those known, and the digests of the doubtful ones."""
    plan = Plan()
    present = {file.path for file in scan.files}
    missing = {
        path: state for path, state in known.items() if path not in present and not _closed(path, scan)
    }
    by_digest: dict[bytes, list[str]] = {}
    for path, state in sorted(missing.items(), reverse=True):
        by_digest.setdefault(state.digest, []).append(path)
    for file in scan.files:
        before, digest = known.get(file.path), digests.get(file.path)
        if before is not None:
            _decide_known(plan, file, before, digest)
        elif digest is not None and by_digest.get(digest):
            old = by_digest[digest].pop()
            plan.moved.append((old, replace(state_of(file, digest), parser=missing.pop(old).parser)))
        else:
            plan.added.append(file)
    plan.removed = sorted(missing)
    return plan


def guard(plan: Plan, known: int, *, location: str) -> None:
    """Raises RemovalGuardError where more than a third of the known files would go."""
    if 3 * len(plan.removed) > known:
        raise RemovalGuardError(
            f"{len(plan.removed)} of the {known} known files of {location} are gone and nothing was changed: "
            "if that is right, repeat with --prune (prune=True), else look whether the folder is mounted"
        )


def guard_collections(scan: Scan, plan: Plan, reader: Library) -> None:
    """Raises RemovalGuardError where a changed JSONL file or archive has lost more than a third of its
    articles. What left a feed stays anyway."""
    for file in (file for file in plan.changed if file.form in (Form.RECORDS, Form.ARCHIVE)):
        # Parsers compile many patterns: they load with the first file that needs them.
        from retrieval.claims import base_of
        from retrieval.collecting import collection_of
        from retrieval.parsing.collections import Item

        own = {article.id for article in reader.articles_of(file.path)}
        try:
            wanted = {item.identity for item in collection_of(file, scan).items() if isinstance(item, Item)}
        except ArticleError:
            continue  # reported when it is read; its articles stay
        gone = [identity for identity in own if identity not in wanted and base_of(identity) not in wanted]
        if 3 * len(gone) > len(own):
            raise RemovalGuardError(
                f"{len(gone)} of the {len(own)} known articles of {file.path} are gone and nothing was "
                "changed: if that is right, repeat with --prune (prune=True), else look whether the file is "
                "whole"
            )


def read_digests(files: Iterable[FoundFile]) -> dict[str, bytes]:
    """The digests of files by path; those that cannot be read are left out."""
    found = {}
    for file in files:
        with contextlib.suppress(ArticleError):
            found[file.path] = digest_of_file(file)
    return found


def digest_of_file(file: FoundFile) -> bytes:
    """The digest of a file's contents; raises ArticleError."""
    return digest_of(file.path) if file.content is None else content_digest(file.content)


def _decide_known(plan: Plan, file: FoundFile, before: FileState, digest: bytes | None) -> None:
    if not _looks_changed(file, before):
        _keep(plan, file)
    elif digest == before.digest and before.parser == PARSED_BY:
        _keep(plan, file)
        plan.touched.append(state_of(file, before.digest))
    else:
        plan.changed.append(file)


def _keep(plan: Plan, file: FoundFile) -> None:
    if file.form is Form.ARTICLE:
        plan.unchanged += 1
    else:
        plan.kept.append(file.path)


def _looks_changed(file: FoundFile, before: FileState) -> bool:
    return (
        file.size != before.size
        or file.mtime_ns != before.mtime_ns
        or before.parser != PARSED_BY
        or before.checked_ns - before.mtime_ns < _RACY_NS
    )


def _closed(path: str, scan: Scan) -> bool:
    return any(path.startswith(closed) for closed in scan.closed)


def state_of(file: FoundFile, digest: bytes) -> FileState:
    """What to remember of a file that was just read."""
    return FileState(
        path=file.path,
        size=file.size,
        mtime_ns=file.mtime_ns,
        checked_ns=file.checked_ns,
        digest=digest,
        parser=PARSED_BY,
    )


def unread(file: FoundFile) -> FileState:
    """What to remember of a collection while it is being read: that it has to be read again."""
    return replace(state_of(file, b""), parser=-1)


def plan_for(scan: Scan, reader: Library) -> tuple[Plan, int]:
    """What a source needs, and how many of its files are known."""
    known = reader.files_under(scan.prefix)
    if scan.kind != "folder":  # an address may end in a slash, which is not that of a folder
        known = {path: state for path, state in known.items() if path == scan.prefix}
    plan = decide(scan, known, read_digests(doubtful(scan, known)))
    plan.unchanged += sum(reader.count_of(path) for path in plan.kept)
    return plan, len(known)


def found_only(scans: list[tuple[Scan, Plan]], *, seconds: float) -> SyncReport:
    """The report of a sync that found nothing to do."""
    return SyncReport(
        unchanged=sum(plan.unchanged for _, plan in scans),
        failed=tuple(failure for scan, _ in scans for failure in scan.failed),
        seconds=seconds,
    )
