"""Deleting rows that nobody may see any more: retired ones, and what a writer that died had not committed."""

from retrieval.milvus import frequencies
from retrieval.milvus.client import Server
from retrieval.milvus.head import Head, Retired, condition
from retrieval.milvus.schema import Collections

RANGES_AT_ONCE = 200
"""Ranges of numbers in one expression."""


def recover(server: Server, collections: Collections, head: Head) -> None:
    """Clear away what a writer that died had added and not committed, or retired and not deleted."""
    if head.busy:
        for collection, first in (
            (collections.passages, head.next.passages), (collections.articles, head.next.articles),
            (collections.files, head.next.files),
        ):  # fmt: skip
            server.delete(collection, f"id >= {first}")
        frequencies.forget(server, collections.terms, after=head.position)
    clear(server, collections, head.retired)


def clear(server: Server, collections: Collections, retired: Retired) -> None:
    """Delete retired rows; those that are gone already do not matter."""
    for collection, ranges in (
        (collections.passages, retired.passages), (collections.articles, retired.articles),
        (collections.files, retired.files),
    ):  # fmt: skip
        for start in range(0, len(ranges), RANGES_AT_ONCE):
            server.delete(collection, condition("id", ranges[start : start + RANGES_AT_ONCE]))
