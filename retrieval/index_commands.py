"""The commands that bring articles into the index: index and watch."""

import contextlib
import signal
import threading
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from retrieval.cli import Bar, ReportedError, json_line, json_option, print_status
from retrieval.interpreter import seldom_collecting
from retrieval.locations import Location
from retrieval.options import index_option

if TYPE_CHECKING:
    from retrieval.retriever import Retriever


def source_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options that say what of the sources is taken."""
    options = (
        click.option("--include", multiple=True, metavar="PATTERN",
                     help="Only files of folders that fit (.gitignore syntax); may be repeated, is kept."),
        click.option("--exclude", multiple=True, metavar="PATTERN",
                     help="No files or folders that fit; may be repeated, is kept."),
        click.option("--allow-private", is_flag=True, envvar="WENDA_ALLOW_PRIVATE", show_envvar=True,
                     help="Let addresses lead into private networks."),
    )  # fmt: skip
    for option in reversed(options):
        command = option(command)
    return command


@click.command("index")
@click.argument("sources", nargs=-1)
@index_option
@click.option(
    "--encoder", envvar="WENDA_ENCODER", help="Encoder of a new index: bundled, a folder or a hub name."
)
@click.option(
    "--user-dictionary", type=click.Path(path_type=Path), help="Words of your own, in jieba's format."
)
@source_options
@click.option("--dry-run", is_flag=True, help="Say what would be done, and do nothing.")
@click.option(
    "--prune", is_flag=True, help="Remove articles even if more than a third of a source's are gone."
)
@click.option(
    "--rebuild",
    is_flag=True,
    help="Derive everything anew beside the index, then swap; it goes on answering.",
)
@json_option
def index_command(
    sources: tuple[str, ...],
    index: Location,
    encoder: str | None,
    user_dictionary: Path | None,
    rebuild: bool,
    as_json: bool,
    **options: Any,
) -> None:
    """Bring the index in line with SOURCES: folders, article files, JSONL files, feeds, archives of these
    (.zip, .gz), and feeds or pages by their http(s) address.

    New, changed, renamed and removed articles are found and applied; the others are left alone. Without
    SOURCES, those of the last time are looked at again.

    \b
    Example:
      python -m retrieval index articles/ --exclude 'drafts/' --index data/index
      python -m retrieval index https://example.org/feed.xml corpus.jsonl.gz --dry-run
      python -m retrieval index --rebuild --encoder BAAI/bge-base-zh-v1.5
    """
    from retrieval.reports import failures, summary
    from retrieval.retriever import Retriever

    if rebuild:
        _rebuild(index, encoder, user_dictionary, quiet=as_json)
        if not sources:
            print_status(index, as_json=as_json)
            return
    dry_run = options["dry_run"]
    if dry_run and not sources and not _exists(index):
        raise click.UsageError("name the folders or files to index")
    retriever = Retriever.open(
        index, encoder=encoder, create=bool(sources) and not dry_run, user_dictionary=user_dictionary
    )
    with seldom_collecting(), retriever, Bar(quiet=as_json or dry_run, label="Indexing") as bar:
        named = named_sources(retriever, sources)
        report = retriever.sync(named, progress=bar.update, **sync_options(options))
    click.echo(json_line(report) if as_json else summary(report))
    if report.failed:
        raise ReportedError(failures(report))


def named_sources(retriever: "Retriever", sources: tuple[str, ...]) -> list[str]:
    """The sources that were named, else those of the last time."""
    named = list(sources) or list(retriever.status().sources)
    if not named:
        raise click.UsageError("name the folders, files or addresses to index")
    return named


def sync_options(options: dict[str, Any]) -> dict[str, Any]:
    """The options of the shell as those of Retriever.sync: patterns that are not given stay as they are."""
    return {name: value for name, value in options.items() if value != ()}


@click.command("watch")
@click.argument("sources", nargs=-1)
@index_option
@click.option(
    "--every",
    type=click.FloatRange(1),
    default=600.0,
    show_default=True,
    metavar="SECONDS",
    help="How often feeds and pages are asked for news.",
)
@source_options
@json_option
def watch_command(
    sources: tuple[str, ...], index: Location, every: float, as_json: bool, **options: Any
) -> None:
    """Keep the index in line with SOURCES until a signal ends it: what changes in a folder or file is
    searchable about two seconds later, feeds are asked again and again.

    Without SOURCES, those of the last time. An error of one round is told, and the next round comes.

    \b
    Example:
      python -m retrieval watch articles/ https://example.org/feed.xml --every 300
    """
    from retrieval.reports import failures, summary
    from retrieval.retriever import Retriever
    from retrieval.watching import Round, Watcher

    def tell(round_: Round) -> None:
        if as_json:
            click.echo(json_line(round_))
            return
        if round_.error:
            click.echo(f"{datetime.now():%H:%M:%S} {round_.error}", err=True)
        elif round_.report is not None and (round_.changed or round_.first):
            click.echo(f"{datetime.now():%H:%M:%S} {summary(round_.report).splitlines()[0]}")
        if round_.report is not None and round_.report.failed and (round_.changed or round_.first):
            click.echo(failures(round_.report), err=True)

    with Retriever.open(index, create=bool(sources)) as retriever:
        named = named_sources(retriever, sources)
        watcher = Watcher(retriever, named, every=every, tell=tell, options=sync_options(options))
        with stopping_on_signals() as stop:
            if not as_json:
                click.echo(f"watching {', '.join(named)}; Ctrl-C ends it")
            watcher.run(stop)


@contextlib.contextmanager
def stopping_on_signals() -> Iterator[threading.Event]:
    """An event that SIGINT and SIGTERM set; at the second one the process ends as it would without us."""
    stop = threading.Event()
    before: dict[signal.Signals, Any] = {}

    def ask(number: int, _: object) -> None:
        stop.set()
        signal.signal(number, before[signal.Signals(number)])

    for number in (signal.SIGINT, signal.SIGTERM):
        before[number] = signal.getsignal(number)
        signal.signal(number, ask)
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _exists(index: Location) -> bool:
    from retrieval.homes import home_of

    with contextlib.closing(home_of(index)) as home:
        return home.exists()


def _rebuild(index: Location, encoder: str | None, user_dictionary: Path | None, *, quiet: bool) -> None:
    from retrieval.rebuilding import rebuild

    with Bar(quiet=quiet, label="Rebuilding") as bar:
        rebuild(index, encoder=encoder, user_dictionary=user_dictionary, progress=bar.update)


COMMANDS = (index_command, watch_command)
