"""`python -m embeddings train`: make a static model, or fit one to your own articles."""

import sys
from pathlib import Path

import click

from embeddings.errors import WendaError


@click.group()
def commands() -> None:
    """Encoders of wenda."""


@commands.command()
@click.argument("data", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.argument("output", type=click.Path(path_type=Path, file_okay=False))
@click.option(
    "--base", type=click.Path(path_type=Path), help='Start from this static model ("bundled" or a folder).'
)
@click.option("--steps", type=click.IntRange(1), help="Training steps.  [default: 400; with --base 100]")
@click.option("--batch", type=click.IntRange(2), default=1024, show_default=True, help="Pairs a step.")
@click.option(
    "--dimension", type=click.IntRange(8), default=512, show_default=True, help="Length of a vector."
)
@click.option(
    "--learning-rate", type=float, help="Highest learning rate.  [default: 0.008; with --base 0.002]"
)
@click.option(
    "--seed", type=int, default=0, show_default=True, help="The same seed and data give the same model."
)
@click.option(
    "--threads", type=click.IntRange(1), default=2, show_default=True, help="Threads to compute with."
)
def train(
    data: Path,
    output: Path,
    base: Path | None,
    steps: int | None,
    batch: int,
    dimension: int,
    learning_rate: float | None,
    seed: int,
    threads: int,
) -> None:
    """Train a static model on the articles of DATA and write it to the folder OUTPUT.

    DATA holds one JSON object a line with a field "text", and may be compressed (.gz). OUTPUT can then be
    used wherever an encoder is named, and loads in sentence-transformers too.

    Example: python -m embeddings train articles.jsonl.gz my-model --base bundled
    """
    from embeddings.loading import model_folder
    from embeddings.training import TrainingSettings
    from embeddings.training import train as run

    settings = TrainingSettings(
        seed=seed,
        dimension=dimension,
        steps=steps or (100 if base else 400),
        batch=batch,
        learning_rate=learning_rate or (0.002 if base else 0.008),
    )
    folder = model_folder(str(base)) if base else None
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns) as bar:
        task = bar.add_task("Reading articles", total=None)

        def progress(step: int, of: int, loss: float) -> None:
            bar.update(task, completed=step, total=of, description=f"Training, loss {loss:.3f}")

        run(data, output, settings, base=folder, threads=threads, progress=progress)
    click.echo(f"Written: {output}")


def main() -> None:
    """Run the command line; errors of our own become one line and exit status 1."""
    try:
        commands(prog_name="python -m embeddings")
    except WendaError as error:
        click.echo(f"Error: {error}", err=True)
        sys.exit(1)


if __name__ == "__main__":
    main()
