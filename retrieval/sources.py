"""What there is: the article files of a folder, or a single file, with what the file system says about
each."""

import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from time import time_ns

from retrieval.errors import SourceError
from retrieval.types import Failure

SUFFIXES = frozenset({".md", ".markdown", ".mkd", ".mdown", ".txt", ".text", ".html", ".htm", ".xhtml"})
"""The files of a folder that are taken for articles; a file that is named as the source may have any
suffix."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundFile:
    """A file: its absolute path, its path within the source (with /), and what `stat` says."""

    path: str
    relative: str
    size: int
    mtime_ns: int
    checked_ns: int


@dataclass(slots=True, kw_only=True)
class Scan:
    """The files of one source, in the order of their paths, and what could not be looked into.

    Known files under `prefix` that are not found are gone, except those under one of `closed`.
    """

    location: str
    kind: str
    prefix: str
    files: list[FoundFile] = field(default_factory=list)
    failed: list[Failure] = field(default_factory=list)
    closed: list[str] = field(default_factory=list)


def scan(source: str | Path) -> Scan:
    """Look at a folder (with its subfolders) or a file; raises SourceError where there is none.

    Names that begin with a dot are passed over, links to folders are not followed.
    """
    path = Path(source).expanduser().absolute()
    path = Path(os.path.normpath(path))
    try:
        found = path.stat()
    except OSError as error:
        raise SourceError(
            f"cannot read {source}: {error.strerror}; name a folder of articles or an article file"
        ) from error
    if stat.S_ISDIR(found.st_mode):
        return _scan_folder(path, source)
    if not stat.S_ISREG(found.st_mode):
        raise SourceError(f"{source} is neither a folder nor a file")
    single = Scan(location=str(path), kind="file", prefix=str(path))
    single.files.append(_found(str(path), path.name, found))
    return single


def _scan_folder(root: Path, name: str | Path) -> Scan:
    prefix = str(root) if str(root).endswith(os.sep) else str(root) + os.sep
    result = Scan(location=str(root), kind="folder", prefix=prefix)
    if not os.access(root, os.R_OK | os.X_OK):
        raise SourceError(f"cannot read the folder {name}: its permissions do not allow it")
    result.files.extend(_walk(prefix, "", result))
    result.files.sort(key=lambda file: file.relative)
    return result


def _walk(prefix: str, inside: str, result: Scan) -> Iterator[FoundFile]:
    folders = [inside]
    while folders:
        folder = folders.pop()
        try:
            with os.scandir(prefix + folder.replace("/", os.sep)) as entries:
                for entry in entries:
                    if entry.name.startswith("."):
                        continue
                    if entry.is_dir(follow_symlinks=False):
                        folders.append(f"{folder}{entry.name}/")
                    elif not _is_text(entry.name):
                        reason = "its name is not in the system's encoding: rename it"
                        result.failed.append(Failure(path=repr(entry.path)[1:-1], reason=reason))
                    elif os.path.splitext(entry.name)[1].lower() in SUFFIXES:  # noqa: PTH122 (once for every file)
                        yield from _file(entry, f"{folder}{entry.name}", result)
        except OSError as error:
            closed = prefix + folder.replace("/", os.sep)
            result.closed.append(closed)
            result.failed.append(Failure(path=closed, reason=f"the folder cannot be read: {error.strerror}"))


def _file(entry: os.DirEntry[str], relative: str, result: Scan) -> Iterator[FoundFile]:
    try:
        found = entry.stat()
    except OSError as error:
        result.closed.append(entry.path)
        result.failed.append(Failure(path=entry.path, reason=f"the file cannot be read: {error.strerror}"))
        return
    if stat.S_ISREG(found.st_mode):
        yield _found(entry.path, relative, found)


def _found(path: str, relative: str, found: os.stat_result) -> FoundFile:
    return FoundFile(
        path=path, relative=relative, size=found.st_size, mtime_ns=found.st_mtime_ns, checked_ns=time_ns()
    )


def _is_text(name: str) -> bool:
    """Whether a name can be written in UTF-8: the system hands out other bytes as half surrogate pairs."""
    return not any("\ud800" <= letter <= "\udfff" for letter in name)
