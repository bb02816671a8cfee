"""The question as the lexical side sees it: weighted terms, already analysed."""

from dataclasses import dataclass

MAX_QUERY_CHARACTERS = 1_000
"""What a question has beyond so many characters is not analysed."""


@dataclass(frozen=True, slots=True)
class QueryTerm:
    """One analyzer term and its weight (1.0 is plain BM25; 0 leaves it out of the search)."""

    text: str
    weight: float = 1.0


@dataclass(frozen=True, slots=True)
class LexicalQuery:
    """Terms to look for in body, heading and title, with the weight of each field."""

    terms: tuple[QueryTerm, ...]
    body_weight: float = 1.0
    heading_weight: float = 0.5
    title_weight: float = 0.5
