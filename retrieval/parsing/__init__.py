"""Parsing: the bytes of one file → Article. One module a format, and one for each thing formats share."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from retrieval.parsing.files import parse_file

PARSER_VERSION = 4
"""Raised whenever the same bytes give another article, so that a sync parses its files again."""

MAX_BYTES = 10_000_000
"""Larger files are refused: no article is that long."""

__all__ = ["MAX_BYTES", "PARSER_VERSION", "parse_file"]


def __getattr__(name: str) -> Any:
    """Parsers compile many patterns: they load with the first file, not where nothing is new."""
    if name == "parse_file":
        from retrieval.parsing.files import parse_file

        return parse_file
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
