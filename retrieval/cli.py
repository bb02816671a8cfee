"""The commands: index, search, status, check, and those of evaluation. Imports wait until a command runs."""

import dataclasses
import json
import sys
from collections.abc import Callable, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import click

from embeddings.errors import WendaError
from retrieval.types import Filters, Hit, SearchResponse, SyncReport

if TYPE_CHECKING:
    from retrieval.sync import Progress

DEFAULT_INDEX = Path("data/index")
_SHOWN_FAILURES = 20


class ReportedError(click.ClickException):
    """One of our errors, as the shell sees it: `error: …` and exit code 1."""

    def show(self, file: IO[Any] | None = None) -> None:
        """Print the sentence to standard error."""
        click.echo(f"error: {self.format_message()}", file=file or sys.stderr)


class Commands(click.Group):
    """The group of all commands; those of evaluation are imported when one of them is asked for."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run a command; errors that wenda raises on purpose become one line."""
        try:
            return super().invoke(ctx)
        except WendaError as error:
            raise ReportedError(str(error)) from error

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names of all commands."""
        return [*super().list_commands(ctx), *self._evaluation()]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """A command by name."""
        return super().get_command(ctx, cmd_name) or self._evaluation().get(cmd_name)

    def _evaluation(self) -> dict[str, click.Command]:
        from retrieval.evaluation.commands import COMMANDS

        return {command.name or "": command for command in COMMANDS}


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="wenda")
def cli() -> None:
    """Ask questions about a folder of articles: index it once, then search it.

    \b
    Example:
      python -m retrieval index articles/
      python -m retrieval search "四个协同是什么？"
    """


def index_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """The option that says which index."""
    return click.option(
        "--index",
        type=click.Path(path_type=Path),
        default=DEFAULT_INDEX,
        envvar="WENDA_INDEX",
        show_default=True,
        show_envvar=True,
        help="Folder of the index.",
    )(command)


def json_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """The option for programs that read the output."""
    return click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")(command)


@cli.command("index")
@click.argument("sources", nargs=-1, type=click.Path(path_type=Path))
@index_option
@click.option(
    "--encoder", envvar="WENDA_ENCODER", help="Encoder of a new index: bundled, a folder or a hub name."
)
@click.option(
    "--user-dictionary", type=click.Path(path_type=Path), help="Words of your own, in jieba's format."
)
@click.option("--dry-run", is_flag=True, help="Say what would be done, and do nothing.")
@click.option(
    "--prune", is_flag=True, help="Remove articles even if more than a third of a source's files are gone."
)
@click.option(
    "--rebuild",
    is_flag=True,
    help="Derive everything anew beside the index, then swap; it goes on answering.",
)
@json_option
def index_command(
    sources: tuple[Path, ...],
    index: Path,
    encoder: str | None,
    user_dictionary: Path | None,
    dry_run: bool,
    prune: bool,
    rebuild: bool,
    as_json: bool,
) -> None:
    """Bring the index in line with SOURCES: folders of articles or article files.

    New, changed, renamed and removed articles are found and applied; the others are left alone. Without
    SOURCES, those of the last time are looked at again.

    \b
    Example:
      python -m retrieval index articles/ --index data/index
      python -m retrieval index --rebuild --encoder BAAI/bge-base-zh-v1.5
    """
    from retrieval.retriever import Retriever

    if rebuild:
        _rebuild(index, encoder, user_dictionary, quiet=as_json)
        if not sources:
            _print_status(index, as_json=as_json)
            return
    if dry_run and not sources and not index.exists():
        raise click.UsageError("name the folders or files to index")
    retriever = Retriever.open(
        index, encoder=encoder, create=bool(sources) and not dry_run, user_dictionary=user_dictionary
    )
    with retriever, _Bar(quiet=as_json or dry_run, label="Indexing") as bar:
        named = list(sources) or [Path(source) for source in retriever.status().sources]
        if not named:
            raise click.UsageError("name the folders or files to index")
        report = retriever.sync(named, dry_run=dry_run, prune=prune, progress=bar.update)
    if as_json:
        _print_json(report)
    else:
        click.echo(_summary(report))
    if report.failed:
        raise ReportedError(_failures(report))


def _rebuild(index: Path, encoder: str | None, user_dictionary: Path | None, *, quiet: bool) -> None:
    from retrieval.rebuilding import rebuild

    with _Bar(quiet=quiet, label="Rebuilding") as bar:
        rebuild(index, encoder=encoder, user_dictionary=user_dictionary, progress=bar.update)


@cli.command("search")
@click.argument("query")
@index_option
@click.option(
    "-k", "--top-k", type=click.IntRange(1, 100), default=5, show_default=True, help="Hits to show."
)
@click.option("--offset", type=click.IntRange(0), default=0, help="Hits to pass over.")
@click.option("--after", metavar="DATE", help="Published on this day or later (2021-07-01).")
@click.option("--before", metavar="DATE", help="Published on this day or earlier.")
@click.option("--category", "categories", multiple=True, help="In this category; may be repeated.")
@click.option("--author", "authors", multiple=True, help="By this author; may be repeated.")
@click.option(
    "--source", "sources", multiple=True, help="Of this publication, author or site; may be repeated."
)
@click.option(
    "--language", "languages", multiple=True, help="In this language (zh, zh-Hant, en); may be repeated."
)
@click.option("--threshold", type=click.FloatRange(0, 1), help="Score from which a hit counts as an answer.")
@click.option("--mode", type=click.Choice(["hybrid", "dense", "lexical"]), default="hybrid",
              show_default=True, help="Rank by both sides or one.")  # fmt: skip
@click.option("--explain", is_flag=True, help="Show the parts of each score.")
@click.option(
    "--link-template", envvar="WENDA_LINK_TEMPLATE", help="Address of articles without one: https://…/{slug}."
)
@click.option(
    "--cross-encoder", envvar="WENDA_CROSS_ENCODER", help="Hub name or folder of a reranker for first hits."
)
@json_option
def search_command(
    query: str,
    index: Path,
    top_k: int,
    offset: int,
    after: str | None,
    before: str | None,
    threshold: float | None,
    mode: str,
    explain: bool,
    link_template: str | None,
    cross_encoder: str | None,
    as_json: bool,
    **named: tuple[str, ...],
) -> None:
    """Find the passages that answer QUERY.

    \b
    Example:
      python -m retrieval search "边境仓和海外仓各建了多少个" --after 2021-01-01 --json
    """
    from retrieval.retriever import Retriever

    filters = Filters(after=after, before=before, **named)
    with Retriever.open(
        index, create=False, link_template=link_template, cross_encoder=cross_encoder
    ) as retriever:
        response = retriever.search(
            query,
            top_k=top_k,
            offset=offset,
            filters=None if filters == Filters() else filters,
            score_threshold=threshold,
            mode=mode,
            explain=explain,
        )
    if as_json:
        _print_json(response)
    else:
        _print_response(response)


@cli.command("status")
@index_option
@json_option
def status_command(index: Path, as_json: bool) -> None:
    """Say what the index holds.

    \b
    Example:
      python -m retrieval status --index data/index --json
    """
    _print_status(index, as_json=as_json)


@cli.command("check")
@index_option
@click.option("--repair", is_flag=True, help="Derive anew what is damaged or behind.")
@json_option
def check_command(index: Path, repair: bool, as_json: bool) -> None:
    """Verify that the index is whole; exit code 1 where it is not.

    \b
    Example:
      python -m retrieval check --repair --index data/index
    """
    from retrieval.checking import check_index

    report = check_index(index, repair=repair)
    if as_json:
        _print_json(report)
    else:
        for problem in report.problems:
            click.echo(problem)
        click.echo(report.summary)
    if report.problems and not report.repaired:
        raise SystemExit(1)


class _Bar:
    """A progress bar on standard error, where that is a terminal."""

    def __init__(self, *, quiet: bool, label: str) -> None:
        self._quiet = quiet or not sys.stderr.isatty()
        self._label = label
        self._bar: Any = None
        self._task: Any = None

    def __enter__(self) -> "_Bar":
        if not self._quiet:
            from rich.console import Console
            from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

            columns = (
                TextColumn("{task.description}"),
                BarColumn(),
                MofNCompleteColumn(),
                TimeRemainingColumn(),
            )
            self._bar = Progress(*columns, console=Console(stderr=True), transient=True)
            self._bar.start()
            self._task = self._bar.add_task(self._label, total=None)
        return self

    def __exit__(self, *_: object) -> None:
        if self._bar is not None:
            self._bar.stop()

    def update(self, progress: "Progress") -> None:
        """Show how far a sync has come."""
        if self._bar is not None:
            self._bar.update(self._task, completed=progress.done, total=progress.total)


def _print_status(index: Path, *, as_json: bool) -> None:
    from retrieval.retriever import Retriever

    with Retriever.open(index, create=False) as retriever:
        status = retriever.status()
    if as_json:
        _print_json(status)
        return
    period = f", from {status.earliest} to {status.latest}" if status.earliest else ""
    click.echo(f"{status.articles:,} articles, {status.passages:,} passages{period}")
    click.echo(f"encoder {status.encoder} ({status.dimension} dimensions)")
    for source in status.sources:
        click.echo(f"source {source}")
    if status.updated_at:
        click.echo(f"updated {status.updated_at.astimezone():%Y-%m-%d %H:%M:%S}")


def _summary(report: SyncReport) -> str:
    counts = {
        "added": len(report.added), "changed": len(report.changed), "moved": len(report.moved),
        "removed": len(report.removed), "unchanged": report.unchanged,
    }  # fmt: skip
    would = "would be " if report.dry_run else ""
    lines = [", ".join(f"{count:,} {would}{name}" for name, count in counts.items())]
    if report.duplicates:
        lines.append(f"{len(report.duplicates):,} have the text of another and are stored once")
    if report.empty:
        lines.append(f"{len(report.empty):,} have no text (pictures only)")
    if not report.dry_run:
        rate = f" ({report.passages / report.seconds:,.0f}/s)" if report.passages and report.seconds else ""
        lines.append(f"{report.passages:,} passages{rate} in {report.seconds:.1f} s")
    return "\n".join(lines)


def _failures(report: SyncReport) -> str:
    shown = [
        f"{failure.path}{f':{failure.line}' if failure.line else ''}: {failure.reason}"
        for failure in report.failed[:_SHOWN_FAILURES]
    ]
    if len(report.failed) == 1:
        return f"one file could not be read, the others are indexed: {shown[0]}"
    more = len(report.failed) - len(shown)
    tail = [f"… and {more:,} more"] if more else []
    return "\n  ".join(
        [f"{len(report.failed):,} files could not be read, the others are indexed:", *shown, *tail]
    )


def _print_response(response: SearchResponse) -> None:
    if not response.answered:
        nearest = "; the nearest passages:" if response.hits else "."
        click.echo(f"Nothing in the index answers this{nearest}")
    for number, hit in enumerate(response.hits, response.offset + 1):
        click.echo()
        click.secho(f"{number}. {hit.title or hit.article_id}", bold=True)
        day = f"{hit.published_at:%Y-%m-%d}" if hit.published_at else None
        click.secho(" · ".join(filter(None, (hit.source or hit.author, day, f"{hit.score:.2f}"))), dim=True)
        click.echo(_marked(hit))
        if hit.url or hit.path:
            click.secho(hit.url or hit.path, fg="blue")
        for name, value in (hit.explanation or {}).items():
            click.secho(f"   {name} {value:.4g}", dim=True)


def _marked(hit: Hit) -> str:
    if hit.answer is None:
        return hit.text
    start, end = hit.answer
    return hit.text[:start] + click.style(hit.text[start:end], fg="green", bold=True) + hit.text[end:]


def _print_json(value: Any) -> None:
    click.echo(json.dumps(dataclasses.asdict(value), ensure_ascii=False, default=_plain))


def _plain(value: Any) -> str | Sequence[Any]:
    if isinstance(value, (date, datetime)):
        return value.isoformat()
    if isinstance(value, Path):
        return str(value)
    raise TypeError(f"{type(value).__name__} has no JSON form")
