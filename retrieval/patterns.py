"""Which files of a folder are taken: patterns in the syntax of .gitignore, and ignore files."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pathspec import GitIgnoreSpec

from retrieval.errors import SourceError

IGNORE_FILE = ".wendaignore"
_MAX_IGNORE_FILE = 1_000_000


@dataclass(frozen=True, slots=True)
class Patterns:
    """Patterns of one source: with `include`, only files that one of these fits; none that `exclude` fits."""

    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()


class Chooser:
    """Chooses among the files below one folder; paths are relative to it and written with "/"."""

    def __init__(self, patterns: Patterns) -> None:
        """Raises SourceError for what is no pattern."""
        self._include = _spec(patterns.include, "--include") if patterns.include else None
        self._exclude = _spec(patterns.exclude, "--exclude")
        self._ignored: dict[str, GitIgnoreSpec] = {}

    def look(self, folder: str, path: Path) -> None:
        """Take in the ignore file of a folder ("" or "a/b/"), if it has one; raises SourceError."""
        try:
            with path.open("rb") as file:
                lines = file.read(_MAX_IGNORE_FILE).decode("utf-8-sig", errors="replace").splitlines()
        except FileNotFoundError:
            return
        except OSError as error:
            raise SourceError(f"cannot read {path}: {error.strerror}") from error
        self._ignored[folder] = _spec(lines, str(path))

    def enters(self, folder: str) -> bool:
        """Whether a folder ("a/b/") is looked into."""
        return not (self._exclude.match_file(folder) or self._is_ignored(folder))

    def takes(self, file: str) -> bool:
        """Whether a file is taken."""
        if self._include is not None and not self._include.match_file(file):
            return False
        return not (self._exclude.match_file(file) or self._is_ignored(file))

    def _is_ignored(self, path: str) -> bool:
        """As git decides it: the last pattern that fits, in the deepest ignore file that has one."""
        if not self._ignored:
            return False
        parts = path.rstrip("/").split("/")
        for depth in range(len(parts) - 1, -1, -1):
            folder = "".join(f"{part}/" for part in parts[:depth])
            spec = self._ignored.get(folder)
            fits = spec.check_file(path[len(folder) :]).include if spec is not None else None
            if fits is not None:
                return fits
        return False


def _spec(lines: Sequence[str], place: str) -> GitIgnoreSpec:
    try:
        return GitIgnoreSpec.from_lines(lines)
    except ValueError as error:
        raise SourceError(f"{place}: {error}; see the syntax of .gitignore") from error
