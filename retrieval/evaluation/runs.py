"""TREC run files: query id, Q0, document id, rank, score, tag; one line a retrieved document."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from retrieval.errors import EvaluationError

Ranking = Sequence[tuple[str, float]]
"""Documents with their scores, best first."""
Run = Mapping[str, Ranking]
"""Query id → ranking."""


def write_run(path: Path, run: Run, *, tag: str = "wenda") -> None:
    """Write a run. Tools sort by score, so equal scores are written strictly falling, in their order."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8") as out:
        for query, ranking in run.items():
            for rank, (document, score) in enumerate(_falling(ranking), 1):
                out.write(f"{query} Q0 {document} {rank} {score:.9f} {tag}\n")


def read_run(path: Path) -> dict[str, list[tuple[str, float]]]:
    """Read a run, sorted by score as trec_eval does. Raises EvaluationError for a line it cannot read."""
    run: dict[str, list[tuple[str, float]]] = {}
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise EvaluationError(f"{path} cannot be read ({error}); give a TREC run file.") from error
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        fields = line.split()
        try:
            query, document, score = fields[0], fields[2], float(fields[4])
        except (IndexError, ValueError) as error:
            raise EvaluationError(
                f"{path}:{number}: expected query-id Q0 document-id rank score tag."
            ) from error
        run.setdefault(query, []).append((document, score))
    for ranking in run.values():
        ranking.sort(key=lambda entry: -entry[1])
    return run


def documents(ranking: Ranking) -> list[str]:
    """Only the document ids, best first."""
    return [document for document, _ in ranking]


def _falling(ranking: Ranking) -> Iterable[tuple[str, float]]:
    previous = float("inf")
    for document, score in ranking:
        previous = min(score, previous - 1e-8)
        yield document, previous
