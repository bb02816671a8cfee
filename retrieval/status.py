"""What an index holds, told at once at any size."""

from dataclasses import dataclass
from datetime import date, datetime

from retrieval.index import Library
from retrieval.manifest import Manifest


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """What an index holds. `earliest` and `latest` are days of publication, None where no article has one."""

    path: str
    articles: int
    passages: int
    earliest: date | None
    latest: date | None
    updated_at: datetime | None
    encoder: str
    dimension: int
    sources: tuple[str, ...]
    position: int


def read_status(location: str, reader: Library) -> Status:
    """The status of the index at `location`, as its store has it."""
    with reader.snapshot():
        state, period, sources = reader.state(), reader.period(), reader.sources()
        manifest = Manifest.from_mapping(reader.manifest(), location=location)
    return Status(
        path=location,
        articles=state.articles,
        passages=state.passages,
        earliest=period[0] if period else None,
        latest=period[1] if period else None,
        updated_at=datetime.fromisoformat(state.updated_at) if state.updated_at else None,
        encoder=manifest.encoder,
        dimension=manifest.dimension,
        sources=tuple(location for location, _ in sources),
        position=state.position,
    )
