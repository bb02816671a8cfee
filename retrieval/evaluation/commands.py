"""The click commands of evaluation: evaluate, compare, calibrate, train-ranking, benchmark."""

import json
import sys
from collections.abc import Callable
from dataclasses import asdict, fields
from pathlib import Path
from typing import TYPE_CHECKING

import click

from retrieval.locations import Location
from retrieval.options import at_option, index_argument
from retrieval.ranking.stages import Stages

if TYPE_CHECKING:
    from retrieval.evaluation.evaluating import Evaluation

_FOLDER = click.Path(path_type=Path, file_okay=False)
_FILE = click.Path(path_type=Path, dir_okay=False)
_STAGES = [field.name for field in fields(Stages)]


@click.command()
@click.argument("folder", type=_FOLDER)
@click.option("--mode", type=click.Choice(["hybrid", "dense", "lexical"]), default="hybrid",
              show_default=True, help="Rank by both sides and the learned stage, or one side.")  # fmt: skip
@click.option("--encoder", help="Name or folder of an encoder.  [default: the bundled one]")
@click.option("--cross-encoder", help="Hub name or folder of a reranker for the first documents.")
@click.option("--distractors", type=_FILE, help="JSON lines (.gz too) of documents to mix in.")
@click.option("--max-distractors", type=click.IntRange(min=0), help="Mix in at most this many.")
@click.option("--unanswerable", type=_FOLDER, help="A data set whose questions nothing here answers.")
@click.option("--run", "run_file", type=_FILE, help="Write a TREC run to this file.")
@click.option("--per-query", type=_FILE, help="Write each question's figures to this file as JSON lines.")
@click.option("--without", type=click.Choice(_STAGES), multiple=True, help="Switch a stage off (repeatable).")
@click.option("--depth", type=click.IntRange(10, 1000), default=10, show_default=True,
              help="Documents to keep for each question.")  # fmt: skip
@click.option("--calibrate", is_flag=True, help="Fit scores and threshold to this index first.")
@at_option
def evaluate(
    folder: Path,
    mode: str,
    encoder: str | None,
    cross_encoder: str | None,
    distractors: Path | None,
    max_distractors: int | None,
    unanswerable: Path | None,
    run_file: Path | None,
    per_query: Path | None,
    without: tuple[str, ...],
    depth: int,
    calibrate: bool,
    place: Location | None,
) -> None:
    """Measure ranking on a data set in BEIR layout (corpus.jsonl, queries.jsonl, qrels/, answers.jsonl).

    Every document becomes one article of a temporary index; articles rank by their best passage. Prints one
    JSON object.

    Example: python -m retrieval evaluate my-dataset --run my.run
    """
    from retrieval.evaluation.datasets import load_dataset, read_articles
    from retrieval.evaluation.evaluating import Setup
    from retrieval.evaluation.evaluating import evaluate as measure
    from retrieval.evaluation.runs import write_run

    result = measure(
        load_dataset(folder),
        setup=Setup(
            mode=mode,
            encoder=encoder,
            cross_encoder=cross_encoder,
            stages=Stages().without(*without),
            depth=depth,
            calibrate=calibrate,
        ),
        distractors=read_articles(distractors, max_distractors) if distractors else (),
        unanswerable=load_dataset(unanswerable).queries if unanswerable else None,
        place=place,
        progress=_progress(),
    )
    if run_file:
        write_run(run_file, result.run())
    if per_query:
        _write_per_query(per_query, result)
    click.echo(json.dumps(result.summary(), ensure_ascii=False))


def _write_per_query(path: Path, result: "Evaluation") -> None:
    with path.open("w", encoding="utf-8") as out:
        for row in result.judged:
            line = {"_id": row.query, "text": row.text, **row.metrics, "seconds": round(row.seconds, 6)}
            line |= {"answered": row.answered, "answer_at_1": row.answer, "ranking": row.ranking}
            out.write(json.dumps(line, ensure_ascii=False) + "\n")


@click.command()
@click.argument("folder", type=_FOLDER)
@click.argument("before", type=_FILE)
@click.argument("after", type=_FILE)
@click.option("--metric", type=click.Choice(["ndcg_at_10", "recall_at_1", "recall_at_10", "mrr_at_10"]),
              default="ndcg_at_10", show_default=True, help="What to compare by.")  # fmt: skip
@click.option("--show", type=click.IntRange(min=0), default=10, show_default=True,
              help="How many of the questions that changed most to list.")  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def compare(folder: Path, before: Path, after: Path, metric: str, show: int, as_json: bool) -> None:
    """Compare two TREC runs on the data set in FOLDER: what got better, what got worse.

    Example: python -m retrieval compare my-dataset old.run new.run
    """
    from retrieval.evaluation.comparison import compare as compare_runs
    from retrieval.evaluation.datasets import load_dataset
    from retrieval.evaluation.runs import read_run

    dataset = load_dataset(folder)
    result = compare_runs(dataset.qrels, read_run(before), read_run(after), metric=metric)
    if as_json:
        click.echo(json.dumps(asdict(result), ensure_ascii=False))
        return
    click.echo(f"{metric}: {result.before:.4f} → {result.after:.4f} (p = {result.p_value:.3f})")
    click.echo(f"{len(result.better)} better, {len(result.worse)} worse, {result.unchanged} unchanged")
    for heading, changes in (("better", result.better), ("worse", result.worse)):
        for change in changes[:show]:
            ranks = f"rank {change.rank_before or '–'} → {change.rank_after or '–'}"
            click.echo(f"  {heading}  {change.before:.3f} → {change.after:.3f}  {ranks}  "
                       f"{dataset.queries.get(change.query, '')}")  # fmt: skip


@click.command(name="calibrate")
@index_argument
@click.option("--sample", type=click.IntRange(20, 5000), default=300, show_default=True,
              help="How many of the index's own sentences to ask.")  # fmt: skip
@click.option("--dry-run", is_flag=True, help="Only report the threshold, do not store it.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def calibrate_index(index: Location, sample: int, dry_run: bool, as_json: bool) -> None:
    """Fit the score from which on a question counts as answered to the index in INDEX, and store it there.

    Needs no judged questions: sentences of the index, a third of their words left out, stand for what it can
    answer, a list of questions about everything else for what it cannot.

    Example: python -m retrieval calibrate data/index
    """
    from retrieval.ranking.calibrating import calibrate
    from retrieval.retriever import Retriever

    with Retriever.open(index, create=False) as retriever:
        report = calibrate(retriever, sample=sample)
        if not dry_run and report.own_questions:
            retriever.store_calibration(report.calibration)
    if as_json:
        click.echo(json.dumps(asdict(report), ensure_ascii=False))
        return
    if not report.own_questions:
        click.echo("The index has no sentences to calibrate with; the shipped calibration stays.")
        return
    click.echo(f"threshold {report.calibration.threshold:.3f}: {report.own_answered:.1%} of "
               f"{report.own_questions} own and {report.foreign_answered:.1%} of "
               f"{report.foreign_questions} foreign questions answered")  # fmt: skip


@click.command(name="train-ranking")
@click.argument("folders", nargs=-1, required=True, type=_FOLDER)
@click.option("--encoder", help="Name or folder of an encoder.  [default: the bundled one]")
@click.option("--write", is_flag=True, help="Write model.json and calibration.json into the package.")
def train_ranking(folders: tuple[Path, ...], encoder: str | None, write: bool) -> None:
    """Fit the weights of the ranking and of the shipped calibration on data sets in BEIR layout.

    Prints what cross-validation says: nDCG and recall of each data set, and how many of its own and of the
    others' questions are answered.

    Example: python -m retrieval train-ranking set-a set-b --write
    """
    from retrieval.evaluation.datasets import load_dataset
    from retrieval.ranking.training import train, write_weights

    outcome = train([load_dataset(folder) for folder in folders], encoder=encoder, progress=_progress())
    if write:
        write_weights(outcome)
    click.echo(json.dumps(outcome.report, ensure_ascii=False))


@click.command(name="benchmark")
@click.argument("more", nargs=-1, type=click.IntRange(min=10), metavar="[N]...")
@click.option("--passages", type=click.IntRange(min=10), multiple=True,
              help="Size of the index; more sizes may follow.  [default: 10000]")  # fmt: skip
@click.option("--articles", type=_FILE,
              help="JSON lines (.gz too) of articles, varied where too few.  [default: made-up]")  # fmt: skip
@click.option(
    "--queries", type=_FILE, help="Questions, one a line or queries.jsonl.  [default: made-up ones]"
)
@click.option("--repeat", type=click.IntRange(min=1), default=300, show_default=True,
              help="How many questions to ask.")  # fmt: skip
@click.option("--encoder", help="Name or folder of an encoder.  [default: the bundled one]")
@click.option("--plot", "picture", type=_FILE, help="Draw the figures over the size, as a PNG file.")
@click.option("--folder", type=_FOLDER, help="Where articles and index are written meanwhile.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object a size.")
def run_benchmark(
    more: tuple[int, ...],
    passages: tuple[int, ...],
    articles: Path | None,
    queries: Path | None,
    repeat: int,
    encoder: str | None,
    picture: Path | None,
    folder: Path | None,
    as_json: bool,
) -> None:
    """Build an index of so many passages; measure building, updates, answers and memory.

    The picture needs matplotlib: pip install 'wenda[charts]'.

    Example: python -m retrieval benchmark --passages 10000 200000 --plot figures.png
    """
    from retrieval.evaluation.benchmark import benchmark, read_questions
    from retrieval.evaluation.benchmark_report import plot, table
    from retrieval.evaluation.datasets import read_articles

    results = []
    for size in (*passages, *more) or (10_000,):
        result = benchmark(
            size,
            articles=read_articles(articles) if articles else None,
            queries=read_questions(queries) if queries else (),
            repeat=repeat,
            encoder=encoder,
            folder=folder,
        )
        results.append(result)
        if as_json:
            click.echo(result.to_json())
    if not as_json:
        click.echo(table(results))
    if picture:
        try:
            plot(results, picture)
        except ImportError:
            raise click.ClickException("--plot needs matplotlib: pip install 'wenda[charts]'") from None


def _progress() -> Callable[[str, int, int], None] | None:
    """Progress on standard error, where that is a terminal."""
    if not sys.stderr.isatty():
        return None

    def report(what: str, done: int, total: int) -> None:
        click.echo(f"\r{what} {done:,}/{total:,} ", nl=done == total, err=True)

    return report


COMMANDS: tuple[click.Command, ...] = (evaluate, compare, calibrate_index, train_ranking, run_benchmark)
