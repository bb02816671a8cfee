"""What is remembered of each source beside its files: patterns, what a server said, and lines that recur."""

from collections.abc import Mapping
from typing import Any

from retrieval.patterns import Patterns

KEY = "source_details"


class Memory:
    """The details of all sources, as the manifest of the index keeps them."""

    def __init__(self, manifest: Mapping[str, Any]) -> None:
        stored = manifest.get(KEY)
        self._details: dict[str, dict[str, Any]] = {
            location: dict(details) for location, details in stored.items()
        } if isinstance(stored, dict) else {}  # fmt: skip

    def to_manifest(self) -> dict[str, Any]:
        """The value to store."""
        return {KEY: self._details}

    def details(self, location: str) -> dict[str, Any]:
        """What is remembered of one source."""
        return self._details.get(location, {})

    def update(self, location: str, values: Mapping[str, Any]) -> bool:
        """Remember more of a source; whether that changed anything."""
        before = self.details(location)
        after = {name: value for name, value in {**before, **values}.items() if value not in ("", [], None)}
        if after == before:
            return False
        self._details[location] = after
        return True

    def patterns(self, location: str) -> Patterns:
        """The patterns that were last given for a source."""
        details = self.details(location)
        return Patterns(tuple(details.get("include", ())), tuple(details.get("exclude", ())))

    def recurring(self, location: str) -> frozenset[int]:
        """Keys of the lines that recur across a source."""
        return frozenset(self.details(location).get("recurring", ()))
