"""Where an index lives, from how it is named: a folder, or a name on a Milvus server."""

from pathlib import Path

from retrieval.index import Home


def home_of(location: str | Path) -> Home:
    """The home that a location names; nothing is opened or made yet."""
    from retrieval.local_home import LocalHome

    return LocalHome(Path(location).expanduser())
