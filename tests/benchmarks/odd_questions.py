"""How much longer a question can take than the median one, whatever it is made of:

    python tests/benchmarks/odd_questions.py INDEX

INDEX is an index of articles; the usual questions are made of its own sentences. Prints one JSON object:
the median of the usual questions and, for each odd one, the best of five times, as a multiple of the median.
"""

import json
import random
import sys
from itertools import islice
from pathlib import Path
from statistics import median
from time import perf_counter

from retrieval import Retriever

USUAL = 200
TIMES = 5


def odd_questions(usual: list[str]) -> dict[str, str]:
    """Questions as nobody asks them."""
    shuffled = list("".join(usual))
    random.Random(0).shuffle(shuffled)
    return {
        "4,000 characters of the archive": "".join(usual)[:4000],
        "4,000 shuffled characters": "".join(shuffled)[:4000],
        "one character 4,000 times": "的" * 4000,
        "two characters 2,000 times": "中国" * 2000,
        "the most frequent characters": "的一是在不了有和人这中大为上个国我以要他时来用们生到作地于出" * 3,
        "numbers": " ".join(str(number) for number in range(1000)),
        "dates": " ".join(f"{year}年{year % 12 + 1}月" for year in range(1900, 2100)),
        "latin letters": "a" * 4000,
        "latin words": " ".join(f"word{number}" for number in range(600)),
        "regular expression": "(.*)*" * 500,
        "boolean operators": "+黑 -河 AND (NOT 口岸^9 OR *) ~3 " * 100,
        "punctuation": "？！，。" * 1000,
        "emoji": "😀👨‍👩‍👧‍👦" * 500,
        "combining marks": "e" + "\u0301" * 4000,
        "full width": "Ｗｅｎｄａ１２３" * 400,
        "traditional": "臺灣電腦軟體資訊" * 500,
        "quotation marks": "“《「" * 1300,
        "one character": "国",
    }


def seconds(retriever: Retriever, question: str) -> float:
    started = perf_counter()
    retriever.search(question)
    return perf_counter() - started


def main() -> None:
    with Retriever.open(Path(sys.argv[1]), create=False) as retriever:
        articles = islice(retriever.articles(), USUAL)
        usual = [article.text[10:40].replace("\n", "") for article in articles if len(article.text) > 60]
        for question in usual[:20]:
            retriever.search(question)
        middle = median(seconds(retriever, question) for question in usual)
        multiples = {
            name: round(min(seconds(retriever, question) for _ in range(TIMES)) / middle, 2)
            for name, question in odd_questions(usual).items()
        }
    print(json.dumps({"median_ms": round(middle * 1000, 2), "worst": max(multiples.values()), **multiples},
                     ensure_ascii=False, indent=1))  # fmt: skip


if __name__ == "__main__":
    main()
