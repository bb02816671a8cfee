"""Which files of the sources a load takes: those that are new; the rest is left to the sync that follows."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from retrieval.errors import SettingsError
from retrieval.index import IndexWriter
from retrieval.milvus.loading import Loader, LoadReport, Setting
from retrieval.milvus.writing import MilvusWriter
from retrieval.planning import plan_for
from retrieval.sources import FoundFile, scan
from retrieval.sync import Progress, ProgressCallback
from retrieval.types import SyncReport


def load(
    writer: IndexWriter,
    sources: Sequence[str | Path],
    *,
    encoder: str,
    dictionary: Path | None,
    workers: int,
    shard: int,
    progress: ProgressCallback | None = None,
) -> LoadReport:
    """Load the new files of all sources with so many processes; the caller holds the writer's lease."""
    if not isinstance(writer, MilvusWriter):
        raise SettingsError(
            "only an index on Milvus is loaded by several processes: use `python -m retrieval index`"
        )
    scans = [scan(source) for source in sources]
    files = [found for each in scans for found in plan_for(each, writer.reader)[0].added]
    total = len(files)

    def told(done: int, passages: int) -> None:
        if progress is not None:
            progress(Progress(done=done, total=total, passages=passages))

    setting = Setting(
        location=writer.location, collections=writer.collections, encoder=encoder,
        dictionary=str(dictionary) if dictionary else None,
    )  # fmt: skip
    return Loader(writer, setting, progress=told).load(_with_ids(writer, files), workers=workers, shard=shard)


def together(loaded: LoadReport, synced: SyncReport) -> SyncReport:
    """The report of a load and of the sync after it."""
    known = {failure.path for failure in synced.failed}
    return replace(
        synced,
        added=(*loaded.added, *synced.added),
        duplicates={**loaded.duplicates, **synced.duplicates},
        failed=(*(failure for failure in loaded.failed if failure.path not in known), *synced.failed),
        unchanged=max(0, synced.unchanged - len(loaded.added)),
        passages=loaded.passages + synced.passages,
    )


def _with_ids(writer: MilvusWriter, files: Sequence[FoundFile]) -> list[tuple[FoundFile, str]]:
    """Files with the ids of their articles; of two with one id the second is left to the sync."""
    known = writer.reader.known([found.relative for found in files])
    taken: set[str] = set(known)
    chosen: list[tuple[FoundFile, str]] = []
    for found in sorted(files, key=lambda file: file.relative):
        if found.relative not in taken:
            taken.add(found.relative)
            chosen.append((found, found.relative))
    return chosen
