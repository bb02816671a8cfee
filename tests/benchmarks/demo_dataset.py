"""Writes the questions about the sample articles as a data set in BEIR layout, for `evaluate` and
`train-ranking`:

    python tests/benchmarks/demo_dataset.py OUTPUT
    python -m retrieval evaluate OUTPUT
"""

import json
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from retrieval.parsing import parse_file

ROOT = Path(__file__).resolve().parents[2]


def write_dataset(output: Path) -> None:
    """corpus.jsonl, queries.jsonl, qrels/test.tsv and answers.jsonl in the folder `output`."""
    (output / "qrels").mkdir(parents=True, exist_ok=True)
    questions = [
        json.loads(line)
        for line in (ROOT / "tests/data/demo_questions.jsonl").read_text(encoding="utf-8").splitlines()
    ]
    rows = [(f"demo-{number}", row) for number, row in enumerate(questions)]
    files = sorted((ROOT / "bot/demo/articles").glob("*.md"))
    articles = [parse_file(file.read_bytes(), path=file.name, article_id=file.stem) for file in files]
    documents = ({"_id": item.id, "title": item.title, "text": item.text} for item in articles)
    _write(output / "corpus.jsonl", documents)
    _write(output / "queries.jsonl", ({"_id": key, "text": row["question"]} for key, row in rows))
    _write(output / "answers.jsonl", ({"_id": key, "answers": [row["answer"]]} for key, row in rows))
    judged = "".join(f"{key}\t{row['article']}\t1\n" for key, row in rows)
    (output / "qrels" / "test.tsv").write_text("query-id\tcorpus-id\tscore\n" + judged, encoding="utf-8")


def _write(path: Path, rows: Iterable[dict[str, Any]]) -> None:
    with path.open("w", encoding="utf-8") as file:
        for row in rows:
            file.write(json.dumps(row, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    write_dataset(Path(sys.argv[1]))
