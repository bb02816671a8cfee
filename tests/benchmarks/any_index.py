"""How quickly an index, wherever it is, answers and takes in new articles:

    python tests/benchmarks/any_index.py LOCATION QUESTIONS.jsonl [--questions 40]

LOCATION is a folder or a place on Milvus, QUESTIONS are a data set's queries. An article is added until a
search finds it, then a hundred are; all are removed again. Prints one JSON object, times in seconds.
"""

import argparse
import json
import statistics
import time
from collections.abc import Callable
from pathlib import Path

from retrieval import Article, Retriever
from retrieval.evaluation.benchmark import read_questions


def lighthouse(number: int) -> Article:
    """An article that one word is enough to find."""
    name = f"Zq{number}w"
    return Article(id=f"measured-{number}", title=f"{name}灯塔", text=f"{name}是一座新建的灯塔，高三十六米。")


def seconds(work: Callable[[], object]) -> float:
    """How long it takes."""
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def measure(location: str, questions: list[str]) -> dict[str, float]:
    """All figures of one index."""
    with Retriever.open(location) as retriever:
        passages = retriever.status().passages
        first = seconds(lambda: retriever.search(questions[0], top_k=1))
        asked = sorted(seconds(lambda text=text: retriever.search(text)) for text in questions)  # type: ignore[misc]

        def add(articles: list[Article]) -> None:
            retriever.add(articles)
            found = retriever.search(articles[-1].title, top_k=1).hits
            assert found[0].article_id == articles[-1].id

        one = seconds(lambda: add([lighthouse(0)]))
        hundred = [lighthouse(number) for number in range(1, 101)]
        return {
            "passages": passages,
            "first_question": round(first, 3),
            "p50": round(statistics.median(asked), 4),
            "p95": round(asked[int(0.95 * len(asked))], 4),
            "add_one": round(one, 3),
            "add_hundred": round(seconds(lambda: add(hundred)), 3),
            "remove_all": round(
                seconds(lambda: retriever.remove([f"measured-{number}" for number in range(101)])), 3
            ),
        }


def main() -> None:
    """Read the arguments, measure, print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("location")
    parser.add_argument("questions", type=Path)
    parser.add_argument("--questions", type=int, default=40, dest="count")
    arguments = parser.parse_args()
    print(json.dumps(measure(arguments.location, read_questions(arguments.questions)[: arguments.count])))


if __name__ == "__main__":
    main()
