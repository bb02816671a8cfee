"""How an index is named: a folder, or an index on a Milvus server or in a Milvus Lite file.

    data/index                              a folder on this machine
    milvus+http://HOST:19530/NAME           the index NAME on a Milvus server; https with TLS
    milvus+file:///PATH/archive.db/NAME     the index NAME in a Milvus Lite file (milvus+file:archive.db/NAME)

Options follow after "?", joined by "&": `database`, `index` (of the vectors: HNSW on a server, FLAT in a
file), `consistency` (Bounded: others see a commit within seconds; Strong: at their next call), `timeout`
(seconds that the server may take over one step of a question: 5).
"""

import re
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import parse_qsl, unquote, urlsplit

from retrieval.errors import SettingsError

PREFIX = "milvus+"
CONSISTENCIES = ("Bounded", "Strong", "Session", "Eventually")
DENSE_INDEXES = ("FLAT", "HNSW", "IVF_FLAT", "IVF_SQ8", "HNSW_SQ", "SCANN", "DISKANN", "AUTOINDEX")
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,99}")
_EXAMPLE = "milvus+http://localhost:19530/archive or milvus+file:///srv/archive.db/archive"


@dataclass(frozen=True, slots=True, kw_only=True)
class MilvusLocation:
    """An index on a server or in a file; `uri` is what the client connects to. The token is never shown."""

    uri: str
    name: str
    database: str = ""
    dense_index: str | None = None
    consistency: str = "Bounded"
    timeout: float = 5.0
    token: str = field(default="", repr=False)

    def __str__(self) -> str:
        if "://" in self.uri:
            return f"{PREFIX}{self.uri}/{self.name}"
        return f"{PREFIX}file://{self.uri}/{self.name}"

    @property
    def file(self) -> Path | None:
        """The Milvus Lite file; None on a server."""
        return None if "://" in self.uri else Path(self.uri)


Location = str | Path | MilvusLocation
"""What names an index; a string may be either kind."""


def located(location: Location, *, token: str = "") -> Path | MilvusLocation:
    """The folder or the Milvus index that `location` names, with the token to be used there.

    Raises SettingsError where it is neither.
    """
    if isinstance(location, MilvusLocation):
        return location
    text = str(location)
    if not text.startswith(PREFIX):
        return Path(text).expanduser()
    return _milvus(text, token)


def _milvus(text: str, token: str) -> MilvusLocation:
    parts = urlsplit(text.removeprefix(PREFIX))
    place, _, name = unquote(parts.path).rpartition("/")
    if not _NAME.fullmatch(name):
        raise _wrong(text, "it must end in /NAME, letters, digits and underscores")
    if parts.scheme == "file" and parts.netloc in ("", "localhost") and place.endswith(".db"):
        uri = str(Path(place).expanduser().absolute())
    elif parts.scheme in ("http", "https") and parts.hostname and not place:
        if parts.username or parts.password:
            raise SettingsError(
                "the address of the Milvus server has a user or password in it: "
                "give the token (or user:password) in WENDA_MILVUS_TOKEN"
            )
        uri = f"{parts.scheme}://{parts.netloc}"
    else:
        raise _wrong(text, "the server's address and the index's name do not stand in it")
    options = dict(parse_qsl(parts.query))
    dense_index = options.pop("index", None)
    consistency = options.pop("consistency", "Bounded")
    database = options.pop("database", "")
    timeout = options.pop("timeout", "5")
    if options:
        raise _wrong(
            text, f"there is no option {next(iter(options))!r} (index, consistency, database, timeout)"
        )
    if dense_index is not None and dense_index not in DENSE_INDEXES:
        raise _wrong(text, f"index is one of {', '.join(DENSE_INDEXES)}")
    if consistency not in CONSISTENCIES:
        raise _wrong(text, f"consistency is one of {', '.join(CONSISTENCIES)}")
    if not re.fullmatch(r"\d{1,3}(\.\d+)?", timeout) or float(timeout) <= 0:
        raise _wrong(text, "timeout is a number of seconds")
    return MilvusLocation(
        uri=uri, name=name, database=database, dense_index=dense_index, consistency=consistency,
        timeout=float(timeout), token=token,
    )  # fmt: skip


def _wrong(text: str, reason: str) -> SettingsError:
    shown = re.sub(r"//[^/@]*@", "//…@", text[:200])
    return SettingsError(f"{shown!r} does not name a Milvus index: {reason}; for example {_EXAMPLE}")
