"""Articles inside .gz and .zip files, read with bounds: what an archive says of itself is not believed."""

import gzip
import io
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import PurePosixPath

from retrieval.errors import ArticleError
from retrieval.parsing import MAX_BYTES

MAX_MEMBERS = 100_000
MAX_TOTAL = 2_000_000_000
"""Bytes that all members of one archive may unpack to."""


def unpack(data: bytes, *, path: str) -> Iterator[tuple[str, bytes] | ArticleError]:
    """(name, content) of what a .gz or .zip file holds, in its order; what is refused comes as an error.

    Refused are members larger than an article may be, encrypted ones, and names that lead out of the archive.
    Raises ArticleError where the archive itself is damaged or unpacks to more than MAX_TOTAL.
    """
    if path.lower().endswith(".gz"):
        yield _unpack_gzip(data, path)
        return
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            members = archive.infolist()
            if len(members) > MAX_MEMBERS:
                raise ArticleError(f"the archive has more than {MAX_MEMBERS:,} files; split it", path=path)
            total = 0
            for member in members:
                if member.is_dir():
                    continue
                found = _unpack_member(archive, member, path)
                total += 0 if isinstance(found, ArticleError) else len(found[1])
                if total > MAX_TOTAL:
                    raise ArticleError(
                        f"the archive unpacks to more than {MAX_TOTAL:,} bytes; split it", path=path
                    )
                yield found
    except (zipfile.BadZipFile, ValueError, OSError, NotImplementedError) as error:
        raise ArticleError("the archive is damaged; make it again", path=path) from error


def _unpack_gzip(data: bytes, path: str) -> tuple[str, bytes] | ArticleError:
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(data)) as stream:
            content = stream.read(MAX_BYTES + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise ArticleError("the archive is damaged; make it again", path=path) from error
    if len(content) > MAX_BYTES:
        return ArticleError(f"it unpacks to more than the {MAX_BYTES:,} bytes an article may have", path=path)
    return path[: -len(".gz")], content


def _unpack_member(
    archive: zipfile.ZipFile, member: zipfile.ZipInfo, path: str
) -> tuple[str, bytes] | ArticleError:
    name = member.filename.replace("\\", "/")
    place = f"{path}/{name}"
    parts = PurePosixPath(name).parts
    if not parts or name.startswith("/") or ".." in parts or ":" in parts[0] or "\x00" in name:
        return ArticleError("its name leads out of the archive; it is left out", path=place)
    if member.flag_bits & 1:
        return ArticleError("it is encrypted; unpack the archive and index the folder", path=place)
    try:
        with archive.open(member) as stream:
            content = stream.read(MAX_BYTES + 1)
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, RuntimeError, NotImplementedError):
        return ArticleError("it is damaged; make the archive again", path=place)
    if len(content) > MAX_BYTES:
        return ArticleError(
            f"it unpacks to more than the {MAX_BYTES:,} bytes an article may have", path=place
        )
    return name, content
