"""The folder of an index: which generation of it is current, and how another takes its place.

    INDEX/CURRENT             the name of the current generation, replaced in one step
    INDEX/writer.lock         see retrieval.storage.lock
    INDEX/generation-000001/  store.db (the truth), lexical/ and vectors/ (derived from it)

A generation is changed in place by syncs; a new one is made beside it when everything has to be derived anew
(another encoder, another analyzer), while the current one goes on answering.
"""

import os
import re
import shutil
from dataclasses import dataclass
from pathlib import Path

from retrieval.errors import IndexDamagedError, IndexNotFoundError, StorageError
from retrieval.storage.connection import translated

_NAME = re.compile(r"generation-(\d{6,})")
_UNFINISHED = ".new"


@dataclass(frozen=True, slots=True)
class Generation:
    """The files of one generation."""

    folder: Path

    @property
    def name(self) -> str:
        """The folder's name, which CURRENT holds."""
        return self.folder.name

    @property
    def store(self) -> Path:
        """The SQLite file."""
        return self.folder / "store.db"

    @property
    def lexical(self) -> Path:
        """The folder of the lexical index."""
        return self.folder / "lexical"

    @property
    def vectors(self) -> Path:
        """The folder of the vector index."""
        return self.folder / "vectors"


class IndexFolder:
    """Finds, makes and swaps the generations of the index in one folder."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @property
    def _current(self) -> Path:
        return self.path / "CURRENT"

    def exists(self) -> bool:
        """Whether there is an index, whole or damaged."""
        return self._current.exists() or bool(self.generations())

    def stamp(self) -> tuple[int, int]:
        """Changes whenever another generation becomes current; cheap enough to ask before every search."""
        try:
            found = self._current.stat()
        except FileNotFoundError:
            return 0, 0
        except OSError as error:
            raise self._unreadable(error) from error
        return found.st_ino, found.st_mtime_ns

    def current(self) -> Generation:
        """The generation to use; raises IndexNotFoundError or IndexDamagedError."""
        try:
            generation = self._named(self._current.read_text(encoding="utf-8").strip())
        except FileNotFoundError as error:
            # The first generation was finished, and then came a crash: it is the one.
            complete = self.generations()
            if not complete:
                raise self._unreadable(error) from error
            generation = complete[-1]
        except (OSError, UnicodeDecodeError) as error:
            raise self._unreadable(error) from error
        if not generation.store.is_file():
            raise self._damaged(f"{generation.store} is missing")
        return generation

    def generations(self) -> list[Generation]:
        """All complete generations that are there, oldest first."""
        if not self.path.is_dir():
            return []
        found = [entry for entry in self.path.iterdir() if _NAME.fullmatch(entry.name)]
        return [Generation(entry) for entry in sorted(found, key=lambda entry: int(entry.name.split("-")[1]))]

    def new(self) -> Generation:
        """An empty generation beside the others, to be filled; the caller holds the writer's lock."""
        last = self.generations()
        number = int(last[-1].name.split("-")[1]) + 1 if last else 1
        generation = Generation(self.path / f"generation-{number:06d}{_UNFINISHED}")
        with translated(self.path):
            shutil.rmtree(generation.folder, ignore_errors=True)
            generation.folder.mkdir(parents=True)
            generation.lexical.mkdir()
            generation.vectors.mkdir()
        return generation

    def switch(self, generation: Generation) -> Generation:
        """Make a filled generation, whose files are closed, the current one; durably and in one step."""
        with translated(self.path):
            final = generation.folder.with_name(generation.name.removesuffix(_UNFINISHED))
            if final != generation.folder:
                generation.folder.rename(final)
            temporary = self.path / "CURRENT.new"
            with temporary.open("w", encoding="utf-8") as file:
                file.write(final.name + "\n")
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(self._current)
            sync_folder(self.path)
        return Generation(final)

    def discard_others(self) -> None:
        """Delete all generations but the current one; the caller holds the writer's lock."""
        keep = self.current().name
        for entry in self.path.glob("generation-*"):
            if entry.name != keep:
                shutil.rmtree(entry, ignore_errors=True)

    def prepare(self) -> None:
        """Make the folder; raises StorageError where it cannot be, or holds something that is not an
        index."""
        with translated(self.path):
            if self.path.exists() and not self.path.is_dir():
                raise StorageError(f"{self.path} is a file: name a folder for the index")
            self.path.mkdir(parents=True, exist_ok=True)
            strange = [
                entry.name for entry in self.path.iterdir() if not entry.name.startswith((".", "writer."))
            ]
        strange = [name for name in strange if not name.endswith(_UNFINISHED)]
        if strange and not self.exists():
            raise StorageError(
                f"{self.path} holds other files ({strange[0]}, …): name an empty or new folder"
            )

    def _named(self, name: str) -> Generation:
        if not _NAME.fullmatch(name):
            raise self._damaged("its CURRENT file does not name a generation")
        return Generation(self.path / name)

    def _unreadable(self, error: Exception) -> IndexNotFoundError | IndexDamagedError:
        if not self.exists():
            return IndexNotFoundError(
                f"there is no index in {self.path}: make one with "
                f"`python -m retrieval index ARTICLES --index {self.path}`"
            )
        return self._damaged(f"its CURRENT file cannot be read ({error})")

    def _damaged(self, reason: str) -> IndexDamagedError:
        return IndexDamagedError(
            f"the index in {self.path} is damaged: {reason}; mend it with "
            f"`python -m retrieval check --repair --index {self.path}`"
        )


def sync_folder(folder: Path) -> None:
    """Make renames inside `folder` durable, where the system knows how."""
    if not hasattr(os, "O_DIRECTORY"):
        return
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
