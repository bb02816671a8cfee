"""Articles inside .gz and .zip files, read with bounds: what an archive says of itself is not believed."""

import gzip
import io
import stat
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import IO, TYPE_CHECKING

from retrieval.errors import ArticleError
from retrieval.parsing import MAX_BYTES

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

MAX_MEMBERS = 100_000
MAX_TOTAL = 2_000_000_000
"""Bytes that all members of one archive, or one packed collection, may unpack to."""

MAX_RATIO = 200
"""How many times its size an archive may unpack to, from FREE bytes on. Text packs to a twentieth at best."""

FREE = 20_000_000

_DAMAGE = (zipfile.BadZipFile, zlib.error, EOFError, OSError, RuntimeError, NotImplementedError, ValueError)
_UTF8_NAME = 0x800


@dataclass(frozen=True, slots=True)
class Member:
    """A file of an archive: its name, and its content as a stream that can be read once, at once."""

    name: str
    stream: IO[bytes]


def unpack(
    stream: IO[bytes], *, path: str, wanted: Callable[[str], bool] = lambda _: True
) -> Iterator[Member | ArticleError]:
    """The members of a .zip file whose names are `wanted`, in its order; what is refused comes as an error.

    Refused are encrypted members and names that lead out of the archive; hidden ones are passed over, links
    are read as what they are, short texts. Raises ArticleError where the archive itself is damaged, or
    unpacks to more than MAX_TOTAL bytes or MAX_RATIO times its own size.
    """
    try:
        with zipfile.ZipFile(stream) as archive:
            members = archive.infolist()
            if len(members) > MAX_MEMBERS:
                raise ArticleError(f"the archive has more than {MAX_MEMBERS:,} files; split it", path=path)
            budget = _Budget(_size(stream), path)
            for member in members:
                found = _open(archive, member, path, wanted, budget)
                if isinstance(found, ArticleError):
                    yield found
                elif found is not None:
                    with found.stream:
                        yield found
    except _DAMAGE as error:
        raise ArticleError("the archive is damaged; make it again", path=path) from error


def read_member(member: Member, *, path: str) -> bytes:
    """The content of a member that is one article; raises ArticleError, with `path`, if it is too large or
    damaged."""
    try:
        content = member.stream.read(MAX_BYTES + 1)
    except _DAMAGE as error:
        raise ArticleError("it is damaged; make the archive again", path=path) from error
    if len(content) > MAX_BYTES:
        raise ArticleError(f"it unpacks to more than the {MAX_BYTES:,} bytes an article may have", path=path)
    return content


def unpack_gzip(data: bytes, *, path: str) -> bytes:
    """What a .gz file holds; raises ArticleError where it is damaged or holds more than an article may."""
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(data)) as stream:
            content = stream.read(MAX_BYTES + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise ArticleError("the archive is damaged; make it again", path=path) from error
    if len(content) > MAX_BYTES:
        raise ArticleError(f"it unpacks to more than the {MAX_BYTES:,} bytes an article may have", path=path)
    return content


def open_gzip(stream: IO[bytes], *, path: str) -> IO[bytes]:
    """A packed collection as a stream; reading raises ArticleError where it is damaged or unpacks too far."""
    budget = _Budget(_size(stream), path)
    return io.BufferedReader(_Measured(gzip.GzipFile(fileobj=stream), budget), 1 << 16)


class _Budget:
    """How much may still be unpacked of one archive."""

    def __init__(self, packed: int, path: str) -> None:
        self._left = min(MAX_TOTAL, max(FREE, MAX_RATIO * packed))
        self.path = path

    def spend(self, size: int) -> None:
        self._left -= size
        if self._left < 0:
            raise ArticleError(
                f"the archive unpacks to more than {MAX_RATIO} times its size, or {MAX_TOTAL:,} bytes; "
                "unpack it yourself if you trust it",
                path=self.path,
            )


class _Measured(io.RawIOBase):
    """Passes on what a stream yields, and spends the archive's budget."""

    def __init__(self, stream: IO[bytes] | gzip.GzipFile, budget: _Budget) -> None:
        self._stream, self._budget = stream, budget

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: "WriteableBuffer") -> int:
        view = memoryview(buffer).cast("B")
        try:
            content = self._stream.read(len(view))
        except _DAMAGE as error:
            raise ArticleError("the archive is damaged; make it again", path=self._budget.path) from error
        self._budget.spend(len(content))
        view[: len(content)] = content
        return len(content)

    def close(self) -> None:
        self._stream.close()
        super().close()


def _open(
    archive: zipfile.ZipFile,
    member: zipfile.ZipInfo,
    path: str,
    wanted: Callable[[str], bool],
    budget: _Budget,
) -> Member | ArticleError | None:
    name = _name(member)
    parts = PurePosixPath(name).parts
    if member.is_dir():
        return None
    place = f"{path}/{name}"
    if not parts or name.startswith("/") or ".." in parts or ":" in parts[0] or "\x00" in name:
        return ArticleError("its name leads out of the archive; it is left out", path=place)
    if any(part.startswith(".") for part in parts) or parts[0] == "__MACOSX" or not wanted(name):
        return None
    if stat.S_ISLNK(member.external_attr >> 16):
        return ArticleError("it is a link to another file; it is left out", path=place)
    if member.flag_bits & 1:
        return ArticleError("it is encrypted; unpack the archive and index the folder", path=place)
    try:
        stream = archive.open(member)
    except _DAMAGE:
        return ArticleError("it is damaged; make the archive again", path=place)
    return Member(name, io.BufferedReader(_Measured(stream, budget), 1 << 16))


def _name(member: zipfile.ZipInfo) -> str:
    """A member's name. Without the mark for UTF-8 it is in the writer's own encoding: in Chinese Windows GBK,
    which zipfile has read as code page 437."""
    name = member.filename
    if not member.flag_bits & _UTF8_NAME and not name.isascii():
        for encoding in ("utf-8", "gb18030"):
            try:
                name = member.orig_filename.encode("cp437").decode(encoding)
                break
            except UnicodeError:
                continue
    return name.replace("\\", "/")


def _size(stream: IO[bytes]) -> int:
    place = stream.tell()
    size = stream.seek(0, io.SEEK_END)
    stream.seek(place)
    return size
