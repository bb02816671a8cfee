"""Matching 10,000 subscriptions with a batch of 100 new articles, and the same by asking each question.

    python tests/benchmarks/subscriptions.py NEWS.jsonl.gz QUESTIONS/queries.jsonl … --articles 8000

NEWS has one article a line (`id`, `text`), the others questions in BEIR layout. Subscriptions are all the
questions given; keyword expressions of two words, and leading sentences of other articles as questions, up to
the number asked for. The last articles of NEWS are the new ones; every hundredth subscription is about one
of them.
"""

import argparse
import gzip
import json
import re
import sys
import tempfile
import time
from itertools import islice
from pathlib import Path

from retrieval import Article, Retriever
from retrieval.standing import QueryKind, StandingQueries, StandingQuery
from retrieval.standing.matching import FIRST_HITS

_NEW = 100


def articles(path: Path, count: int) -> list[Article]:
    """The first `count` articles, their first sentence as the title."""
    reading = gzip.open if path.suffix == ".gz" else open
    with reading(path, "rt", encoding="utf-8") as lines:
        rows = [json.loads(line) for line in islice(lines, count)]
    return [Article(id=str(row["id"]), title=leading(row["text"])[:30], text=row["text"]) for row in rows]


def leading(text: str) -> str:
    """The second sentence of a text where it is of a length for a question, else its first 24 characters."""
    sentences = [part.strip() for part in re.split("[。！？\n]", text)[1:4]]
    return next((part for part in sentences if 8 <= len(part) <= 40), text[:24])


def subscriptions(
    texts: list[str], others: list[Article], new: list[Article], count: int
) -> list[StandingQuery]:
    """Questions, then half keywords and half sentences; every hundredth about a new article."""
    wanted: list[tuple[QueryKind, str]] = [(QueryKind.QUESTION, text) for text in texts[: count // 2]]
    place = 0
    while len(wanted) < count:
        article = others[place % len(others)]
        sentence = leading(article.text)
        words = re.findall(r"[\u4e00-\u9fff]{2,4}", sentence)
        if place % 2 and len(words) > 1:
            wanted.append((QueryKind.KEYWORDS, f"{words[0]} {words[-1]}"))
        else:
            wanted.append((QueryKind.QUESTION, sentence))
        place += 1
    for number in range(0, count, 100):
        wanted[number] = (QueryKind.QUESTION, leading(new[number // 100 % len(new)].text))
    return [StandingQuery(number, kind, text) for number, (kind, text) in enumerate(wanted)]


def main() -> None:
    """Print one JSON object."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("news", type=Path)
    parser.add_argument("questions", type=Path, nargs="*")
    parser.add_argument("--articles", type=int, default=8000)
    parser.add_argument("--subscriptions", type=int, default=10_000)
    parser.add_argument("--naive", type=int, default=0, help="so many questions are also asked one by one")
    given = parser.parse_args()
    found = articles(given.news, given.articles + _NEW)
    old, new = found[:-_NEW], found[-_NEW:]
    texts = [
        json.loads(line)["text"]
        for path in given.questions
        for line in path.read_text(encoding="utf-8").splitlines()
    ]
    with tempfile.TemporaryDirectory() as folder, Retriever.open(Path(folder) / "index") as retriever:
        retriever.add(old)
        wanted = subscriptions(texts, old, new, given.subscriptions)
        queries = StandingQueries(retriever)
        started = time.perf_counter()
        queries.update(wanted)
        analysed = time.perf_counter() - started
        retriever.search("预热")
        mark, _ = retriever.arrived_since()
        retriever.add(new)
        _, ids = retriever.arrived_since(mark)
        started = time.perf_counter()
        matches = queries.match(ids)
        seconds = time.perf_counter() - started
        result = {
            "passages": retriever.status().passages,
            "subscriptions": len(wanted),
            "questions": sum(query.kind is QueryKind.QUESTION for query in wanted),
            "new_articles": len(ids),
            "analysing_seconds": round(analysed, 2),
            "matching_seconds": round(seconds, 2),
            "matches": len(matches),
        }
        if given.naive:
            result |= naive(retriever, [q for q in wanted if q.kind is QueryKind.QUESTION][: given.naive],
                            set(ids), {(match.query, match.article_id) for match in matches})  # fmt: skip
    json.dump(result, sys.stdout, indent=2)
    print()


def naive(
    retriever: Retriever, asked: list[StandingQuery], ids: set[str], found: set[tuple[int, str]]
) -> dict[str, object]:
    """Ask each question: how long all would take, and how many of its matches were found."""
    started = time.perf_counter()
    expected = set()
    for query in asked:
        response = retriever.search(query.text, top_k=FIRST_HITS)
        hits = (hit for hit in response.hits if hit.score >= response.threshold)
        expected |= {(query.id, hit.article_id) for hit in hits if hit.article_id in ids}
    seconds = time.perf_counter() - started
    own = {pair for pair in found if pair[0] in {query.id for query in asked}}
    return {
        "asked_one_by_one": len(asked),
        "one_by_one_seconds": round(seconds, 2),
        "one_by_one_matches": len(expected),
        "missed": len(expected - own),
        "too_many": len(own - expected),
    }


if __name__ == "__main__":
    main()
