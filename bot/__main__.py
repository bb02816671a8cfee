"""`python -m bot`: serve Telegram, talk in the terminal, or answer one question."""

import logging
import sys
from collections.abc import Iterable

import click

from bot.errors import BotError
from bot.settings import Settings
from embeddings.errors import WendaError

_EXAMPLE = """\b
Examples:
  python -m bot --demo --ask "赵州桥是谁设计的？"
  TELEGRAM_BOT_TOKEN=123456:ABC… WENDA_SOURCES=articles python -m bot
"""


@click.group(invoke_without_command=True, epilog=_EXAMPLE)
@click.option("--demo", is_flag=True, help="Serve the sample articles that ship with wenda.")
@click.option("--terminal", is_flag=True, help="Talk here instead of on Telegram, token or not.")
@click.option("--ask", metavar="QUESTION", help="Answer one question here and exit.")
@click.option("--index", help="Folder of the index, or its name on Milvus (WENDA_INDEX).")
@click.option(
    "--source", "sources", multiple=True, help="Folder, file or address (WENDA_SOURCES); may be repeated."
)
@click.option("--encoder", help="Name or folder of the encoder (WENDA_ENCODER).")
@click.option("--language", metavar="TAG", help="zh-Hans, zh-Hant or en (WENDA_LANGUAGE).")
@click.option("-v", "--verbose", is_flag=True, help="Log more.")
@click.pass_context
def cli(
    context: click.Context,
    demo: bool,
    terminal: bool,
    ask: str | None,
    index: str | None,
    sources: tuple[str, ...],
    encoder: str | None,
    language: str | None,
    verbose: bool,
) -> None:
    """Ask questions about a collection of articles: on Telegram where TELEGRAM_BOT_TOKEN is set, else here.

    Without a terminal on standard input, every line of it is a question.
    """
    from bot import logs, running

    given = {"index": index, "sources": sources, "encoder": encoder, "language": language}
    settings = Settings.load().model_copy(update={name: value for name, value in given.items() if value})
    token = settings.token.get_secret_value() if settings.token else ""
    here = terminal or ask is not None or not token
    milvus_token = settings.milvus_token.get_secret_value() if settings.milvus_token else ""
    logs.configure(_level(verbose, here), [token, milvus_token])
    if demo:
        settings = settings.model_copy(update={"index": index})
    if context.invoked_subcommand is not None:
        context.obj = (settings, token, demo)
    elif here:
        running.run_terminal(settings, demo=demo, question=ask)
    else:
        running.run_telegram(settings, token, demo=demo)


@cli.command()
@click.pass_obj
def check(given: "tuple[Settings, str, bool]") -> None:
    """Look at settings, index, sources, memory and token; say what is wrong, or nothing at all."""
    from bot import running

    found = running.check(*given)
    for sentence in found:
        click.echo(f"error: {sentence}", err=True)
    if found:
        sys.exit(1)


def _level(verbose: bool, here: bool) -> int:
    if verbose:
        return logging.DEBUG
    return logging.WARNING if here else logging.INFO


def main(arguments: Iterable[str] | None = None) -> None:
    """The console script `wenda-bot`. What goes wrong is one sentence on standard error and exit status 1."""
    for stream in (sys.stdin, sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(encoding="utf-8", errors="replace")
    try:
        cli.main(
            args=list(arguments) if arguments is not None else None,
            prog_name="wenda-bot",
            standalone_mode=False,
        )
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except click.Abort:
        sys.exit(130)
    except BrokenPipeError:
        sys.exit(0)
    except (WendaError, BotError) as error:
        click.echo(f"error: {error}", err=True)
        sys.exit(1)
    except Exception:
        logging.getLogger("bot").exception("wenda stopped on an error of its own")
        sys.exit(1)


if __name__ == "__main__":
    main()
