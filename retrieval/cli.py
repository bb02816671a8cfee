"""The commands: search, status, check, and by reference those that index and evaluate. Imports wait until a
command runs."""

import dataclasses
import json
import sys
from collections.abc import Callable, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import click

from embeddings.errors import WendaError
from retrieval.locations import Location
from retrieval.options import index_option
from retrieval.types import Filters, Hit, SearchResponse

if TYPE_CHECKING:
    from retrieval.sync import Progress


class ReportedError(click.ClickException):
    """One of our errors, as the shell sees it: `error: …` and exit code 1."""

    def show(self, file: IO[Any] | None = None) -> None:
        """Print the sentence to standard error."""
        click.echo(f"error: {self.format_message()}", file=file or sys.stderr)


class Commands(click.Group):
    """The group of all commands; those of other modules are imported when one of them is asked for."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run a command; errors that wenda raises on purpose become one line."""
        try:
            return super().invoke(ctx)
        except WendaError as error:
            raise ReportedError(str(error)) from error

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names of all commands."""
        return [*self._indexing(), *super().list_commands(ctx), *self._evaluation()]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """A command by name."""
        own = super().get_command(ctx, cmd_name) or self._indexing().get(cmd_name)
        return own or self._evaluation().get(cmd_name)

    def _indexing(self) -> dict[str, click.Command]:
        from retrieval.index_commands import COMMANDS
        from retrieval.load_command import load_command

        return {command.name or "": command for command in (*COMMANDS, load_command)}

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


def json_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """The option for programs that read the output."""
    return click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")(command)


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
    index: Location,
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
def status_command(index: Location, as_json: bool) -> None:
    """Say what the index holds.

    \b
    Example:
      python -m retrieval status --index data/index --json
    """
    print_status(index, as_json=as_json)


@cli.command("check")
@index_option
@click.option("--repair", is_flag=True, help="Derive anew what is damaged or behind.")
@json_option
def check_command(index: Location, repair: bool, as_json: bool) -> None:
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


class Bar:
    """A progress bar on standard error, where that is a terminal."""

    def __init__(self, *, quiet: bool, label: str) -> None:
        self._quiet = quiet or not sys.stderr.isatty()
        self._label = label
        self._bar: Any = None
        self._task: Any = None

    def __enter__(self) -> "Bar":
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


def print_status(index: Location, *, as_json: bool) -> None:
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
    click.echo(json_line(value))


def json_line(value: Any) -> str:
    """A dataclass as one line of JSON."""
    return json.dumps(dataclasses.asdict(value), ensure_ascii=False, default=_plain)


def _plain(value: Any) -> str | Sequence[Any]:
    if isinstance(value, (date, datetime)):
        return value.isoformat()
    if isinstance(value, Path):
        return str(value)
    raise TypeError(f"{type(value).__name__} has no JSON form")
