"""Data sets in BEIR layout (Thakur et al. 2021, arXiv:2104.08663), and documents from JSON lines to mix in.

FOLDER/corpus.jsonl      {"_id", "title", "text"}
FOLDER/queries.jsonl     {"_id", "text"}
FOLDER/qrels/test.tsv    header line, then query-id, corpus-id, score
FOLDER/answers.jsonl     {"_id", "answers": [...]}   (ours; may be missing)
"""

import gzip
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from retrieval.errors import EvaluationError
from retrieval.types import Article

Qrels = Mapping[str, Mapping[str, int]]
"""Query id → document id → judged gain (0: judged and not relevant)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Dataset:
    """A test collection: documents as articles, the judged questions, and their answers where known."""

    name: str
    documents: tuple[Article, ...]
    queries: Mapping[str, str]
    qrels: Qrels
    answers: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


def load_dataset(folder: Path) -> Dataset:
    """Read a folder in BEIR layout; only questions with judgements are kept, in the order of the file.

    Raises EvaluationError where a file is missing or a line cannot be read.
    """
    qrels = _read_qrels(_find_qrels(folder))
    queries = {
        _string(row, "_id", place): _string(row, "text", place)
        for row, place in read_json_lines(_existing(folder / "queries.jsonl"))
    }
    with_answers = folder / "answers.jsonl"
    answers = {
        _string(row, "_id", place): tuple(map(str, row.get("answers", ())))
        for row, place in (read_json_lines(with_answers) if with_answers.is_file() else ())
    }
    documents = tuple(read_articles(_existing(folder / "corpus.jsonl")))
    return Dataset(
        name=folder.resolve().name,
        documents=documents,
        queries={key: text for key, text in queries.items() if key in qrels},
        qrels=qrels,
        answers={key: value for key, value in answers.items() if key in qrels and value},
    )


def read_articles(path: Path, limit: int | None = None) -> Iterator[Article]:
    """The documents of a JSON-lines file as articles: `_id` or `id`, `text`, and `title` where there is one.

    `limit` bounds how many are read. Documents without any text are skipped: nothing can be found in them.
    """
    count = 0
    for row, place in read_json_lines(path):
        if limit is not None and count >= limit:
            return
        key = _string(row, "_id" if "_id" in row else "id", place)
        text = _string(row, "text", place)
        if text.strip():
            count += 1
            yield Article(id=key, title=str(row.get("title") or ""), text=text)


def read_json_lines(path: Path) -> Iterator[tuple[dict[str, Any], str]]:
    """Each line's object with its place ("file:line"); `.gz` is unpacked, blank lines are passed over."""
    opener = gzip.open if path.suffix == ".gz" else open
    try:
        with opener(path, "rt", encoding="utf-8") as lines:
            for number, line in enumerate(lines, 1):
                if line.strip():
                    yield _parse(line, f"{path}:{number}"), f"{path}:{number}"
    except (OSError, UnicodeDecodeError, EOFError) as error:
        raise EvaluationError(
            f"{path} cannot be read ({error}); give a JSON-lines file, plain or gzip."
        ) from error


def _parse(line: str, place: str) -> dict[str, Any]:
    try:
        row = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise EvaluationError(f"{place}: not JSON ({error}); each line must be one JSON object.") from error
    if not isinstance(row, dict):
        raise EvaluationError(f"{place}: not a JSON object; each line must be one.")
    return row


def _string(row: Mapping[str, Any], key: str, place: str) -> str:
    value = row.get(key)
    if isinstance(value, int) and key.endswith("id"):
        return str(value)
    if not isinstance(value, str):
        raise EvaluationError(f"{place}: the field {key!r} is missing or no string.")
    return value


def _existing(path: Path) -> Path:
    if not path.is_file():
        raise EvaluationError(f"{path} does not exist; a data set in BEIR layout has it.")
    return path


def _find_qrels(folder: Path) -> Path:
    """qrels/test.tsv, or the only other split there is."""
    splits = sorted((folder / "qrels").glob("*.tsv"))
    test = folder / "qrels" / "test.tsv"
    return splits[0] if len(splits) == 1 else _existing(test)


def _read_qrels(path: Path) -> dict[str, dict[str, int]]:
    qrels: dict[str, dict[str, int]] = {}
    lines = path.read_text(encoding="utf-8").splitlines()
    for number, line in enumerate(lines[1:], 2):
        if not line.strip():
            continue
        fields = line.split("\t")
        try:
            query, document, gain = fields[0], fields[1], int(float(fields[2]))
        except (IndexError, ValueError) as error:
            raise EvaluationError(
                f"{path}:{number}: expected query-id, corpus-id and score separated by tabs."
            ) from error
        qrels.setdefault(query, {})[document] = gain
    return qrels
