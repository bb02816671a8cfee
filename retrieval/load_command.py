"""The command that loads a large archive into an index on Milvus."""

from pathlib import Path

import click

from retrieval.locations import Location
from retrieval.options import index_option


@click.command("load")
@click.argument("sources", nargs=-1, required=True, type=click.Path(path_type=Path))
@index_option
@click.option("--workers", type=click.IntRange(1, 256), default=4, show_default=True,
              help="Processes that read, encode and send.")  # fmt: skip
@click.option("--shard", type=click.IntRange(1, 10_000), default=200, show_default=True,
              help="Files that one process takes, and one commit makes searchable.")  # fmt: skip
@click.option(
    "--encoder", envvar="WENDA_ENCODER", help="Encoder of a new index: bundled, a folder or a hub name."
)
def load_command(
    sources: tuple[Path, ...], index: Location, workers: int, shard: int, encoder: str | None
) -> None:
    """Take SOURCES into an index on Milvus with several processes; for the first time, with large archives.

    Broken off, it goes on from where it was when it is started again. Whatever `index` does beside taking in
    new files it does in the end.

    \b
    Example:
      python -m retrieval load articles/ --index milvus+http://localhost:19530/archive --workers 16
    """
    from retrieval.cli import Bar, ReportedError
    from retrieval.reports import failures, summary
    from retrieval.retriever import Retriever

    with Retriever.open(index, encoder=encoder) as retriever, Bar(quiet=False, label="Loading") as bar:
        report = retriever.load(list(sources), workers=workers, shard=shard, progress=bar.update)
    click.echo(summary(report))
    if report.failed:
        raise ReportedError(failures(report))
