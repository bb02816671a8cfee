"""What there is: the files of a folder, a single file, or what an address has, with what is known of each."""

import hashlib
import os
import stat
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path, PurePosixPath
from time import time_ns
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from retrieval.errors import SourceError
from retrieval.parsing.forms import SNIFFED, Form, form_of_content, form_of_name, is_unclear
from retrieval.patterns import IGNORE_FILE, Chooser, Patterns
from retrieval.types import Failure

if TYPE_CHECKING:
    from retrieval.fetching import Fetched, Fetcher
    from retrieval.storage.reading import FileState

_TOLD_EVERY = 100
_PACKED = (b"\x1f\x8b",)


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundFile:
    """A file: its absolute path or its address, its path within the source (with /), and what `stat` says.

    `content` is there where it came from an address.
    """

    path: str
    relative: str
    size: int
    mtime_ns: int
    checked_ns: int
    form: Form = Form.ARTICLE
    content: bytes | None = None
    address: str = ""


@dataclass(slots=True, kw_only=True)
class Scan:
    """The files of one source, in the order of their paths, and what could not be looked into.

    Known files under `prefix` that are not found are gone, except those under one of `closed`. `details` is
    to be remembered with the source; `chosen` says which members of an archive are taken.
    """

    location: str
    kind: str
    prefix: str
    files: list[FoundFile] = field(default_factory=list)
    failed: list[Failure] = field(default_factory=list)
    closed: list[str] = field(default_factory=list)
    details: dict[str, Any] = field(default_factory=dict)
    chosen: Callable[[str], bool] = lambda _: True

    @property
    def reached(self) -> bool:
        """Whether the source was there at all."""
        return self.location not in self.closed


def is_address(source: str | Path) -> bool:
    """Whether a source is named by its address in the web."""
    return isinstance(source, str) and source.strip().lower().startswith(("http://", "https://"))


def location_of(source: str | Path) -> str:
    """The name by which a source is remembered: an absolute path, or an address without its fragment."""
    if is_address(source):
        return str(source).strip().partition("#")[0]
    path = Path(source).expanduser().absolute()
    return os.path.normpath(path)


def scan(
    source: str | Path, patterns: Patterns | None = None, tell: Callable[[int], object] | None = None
) -> Scan:
    """Look at a folder (with its subfolders) or a file; raises SourceError where there is none. What finds
    many files will `tell`, again and again, how many these are so far.

    Names that begin with a dot are passed over, links to folders are not followed; `patterns` and the ignore
    files of the folder say which of the others are taken.
    """
    path = Path(location_of(source))
    try:
        found = path.stat()
    except OSError as error:
        raise SourceError(
            f"cannot read {source}: {error.strerror}; name a folder of articles or an article file"
        ) from error
    if stat.S_ISDIR(found.st_mode):
        return _Folder(path, patterns or Patterns(), tell).scan(source)
    if not stat.S_ISREG(found.st_mode):
        raise SourceError(f"{source} is neither a folder nor a file")
    single = Scan(location=str(path), kind="file", prefix=str(path))
    single.files.append(_found(str(path), path.name, found, _form(path, named=True) or Form.ARTICLE))
    return single


def scan_address(
    address: str, fetcher: "Fetcher", details: Mapping[str, Any], known: "FileState | None"
) -> Scan:
    """Look at what an address has; what cannot be got is a failure of the scan, and its articles stay.

    With the `details` of an earlier scan and the file `known` from it, the server is asked for news only.
    """
    from retrieval.fetching import Validators

    location = location_of(address)
    result = Scan(location=location, kind="address", prefix=location)
    validators = Validators(details.get("etag", ""), details.get("last_modified", "")) if known else None
    try:
        fetched = fetcher.fetch(location, validators)
        if fetched.body is None and known is not None:
            result.files.append(_same(known, Form(details.get("form", Form.FEED.value))))
            result.details = dict(details)
        else:
            result.files.append(_received(location, fetched))
            result.kind = result.files[0].form.value if result.files[0].form is not Form.ARTICLE else "page"
            new = fetched.validators
            result.details = {"etag": new.etag, "last_modified": new.last_modified}
            result.details["form"] = result.files[0].form.value
    except SourceError as error:
        result.closed.append(location)
        result.failed.append(Failure(path=location, reason=str(error)))
    return result


def _same(known: "FileState", form: Form) -> FoundFile:
    return FoundFile(
        path=known.path, relative=known.path, size=known.size, mtime_ns=known.mtime_ns,
        checked_ns=time_ns(), form=form,
    )  # fmt: skip


def _received(location: str, fetched: "Fetched") -> FoundFile:
    """What an address answered with, as a file. Raises SourceError for what is no text of any kind."""
    body = fetched.body or b""
    parts = urlsplit(fetched.address)
    name = PurePosixPath(unquote(parts.path)).name or parts.hostname or location
    form = form_of_content(body[:SNIFFED])
    if form is None and body.startswith(_PACKED):
        form = form_of_name(name)
    if form is None and fetched.kind in ("application/json", "application/feed+json"):
        raise SourceError(f"{location} is {fetched.kind}, but no JSON Feed")
    if form is None:
        form = Form.ARTICLE
    if form is Form.ARTICLE and "html" in fetched.kind and not name.lower().endswith((".html", ".htm")):
        name += ".html"
    if form is Form.ARTICLE and fetched.charset and fetched.kind.startswith("text/"):
        body = _in_utf8(body, fetched.charset)
    return FoundFile(
        path=location, relative=name, size=len(body), mtime_ns=_stamp(body), checked_ns=time_ns(), form=form,
        content=body, address=fetched.address,
    )  # fmt: skip


def _stamp(body: bytes) -> int:
    """Stands in for the time stamp of a file: other contents have another one."""
    return int.from_bytes(hashlib.blake2b(body, digest_size=7).digest(), "big")


def _in_utf8(body: bytes, charset: str) -> bytes:
    """A text whose encoding only the server names, in one that needs no naming."""
    try:
        body.decode("utf-8")
    except UnicodeDecodeError:
        try:
            return body.decode(charset).encode("utf-8")
        except (LookupError, UnicodeError):
            return body
    return body


class _Folder:
    """Goes through a folder, without recursion."""

    def __init__(self, root: Path, patterns: Patterns, tell: Callable[[int], object] | None) -> None:
        self._root = root
        self._tell = tell
        self._prefix = str(root) if str(root).endswith(os.sep) else str(root) + os.sep
        self._chooser = Chooser(patterns)
        self._result = Scan(
            location=str(root), kind="folder", prefix=self._prefix, chosen=self._chooser.takes
        )

    def scan(self, name: str | Path) -> Scan:
        if not os.access(self._root, os.R_OK | os.X_OK):
            raise SourceError(f"cannot read the folder {name}: its permissions do not allow it")
        files, walk = self._result.files, self._walk()
        while some := list(islice(walk, _TOLD_EVERY)):
            files += some
            if self._tell is not None:
                self._tell(len(files))
        files.sort(key=lambda file: file.relative)
        return self._result

    def _walk(self) -> Iterator[FoundFile]:
        folders = [""]
        while folders:
            folder = folders.pop()
            place = self._prefix + folder.replace("/", os.sep)
            try:
                with os.scandir(place) as entries:
                    listed = list(entries)
            except OSError as error:
                self._result.closed.append(place)
                reason = f"the folder cannot be read: {error.strerror}"
                self._result.failed.append(Failure(path=place, reason=reason))
                continue
            if any(entry.name == IGNORE_FILE for entry in listed):
                self._chooser.look(folder, Path(place, IGNORE_FILE))
            for entry in listed:
                yield from self._entry(entry, folder, folders)

    def _entry(self, entry: os.DirEntry[str], folder: str, folders: list[str]) -> Iterator[FoundFile]:
        relative = f"{folder}{entry.name}"
        if entry.name.startswith("."):
            return
        if entry.is_dir(follow_symlinks=False):
            if self._chooser.enters(f"{relative}/"):
                folders.append(f"{relative}/")
        elif not _is_text(entry.name):
            reason = "its name is not in the system's encoding: rename it"
            self._result.failed.append(Failure(path=repr(entry.path)[1:-1], reason=reason))
        else:
            form = form_of_name(entry.name)
            if (form is not None or is_unclear(entry.name)) and self._chooser.takes(relative):
                yield from self._file(entry, relative, form)

    def _file(self, entry: os.DirEntry[str], relative: str, form: Form | None) -> Iterator[FoundFile]:
        try:
            found = entry.stat()
            if not stat.S_ISREG(found.st_mode):
                return
            form = form or _form(Path(entry.path), named=False)
        except OSError as error:
            self._result.closed.append(entry.path)
            reason = f"the file cannot be read: {error.strerror}"
            self._result.failed.append(Failure(path=entry.path, reason=reason))
            return
        if form is not None:
            yield _found(entry.path, relative, found, form)


def _form(path: Path, *, named: bool) -> Form | None:
    """The form of a file; where its name leaves it open, from its first bytes, if it was `named` itself or
    is a feed."""
    known = form_of_name(path.name)
    if known is not None or not (named or is_unclear(path.name)):
        return known
    try:
        with path.open("rb") as file:
            form = form_of_content(file.read(SNIFFED))
    except OSError:
        return None
    if named and form is None and path.suffix.lower() == ".json":
        return Form.FEED  # which it is not: reading it says so
    return form if named or form is Form.FEED else None


def _found(path: str, relative: str, found: os.stat_result, form: Form) -> FoundFile:
    return FoundFile(
        path=path, relative=relative, size=found.st_size, mtime_ns=found.st_mtime_ns, checked_ns=time_ns(),
        form=form,
    )  # fmt: skip


def _is_text(name: str) -> bool:
    """Whether a name can be written in UTF-8: the system hands out other bytes as half surrogate pairs."""
    return name.isascii() or not any("\ud800" <= letter <= "\udfff" for letter in name)
