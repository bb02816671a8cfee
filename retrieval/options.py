"""The options of commands that say which index, and the token that its server may want."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from retrieval.errors import SettingsError
from retrieval.locations import MilvusLocation, located

DEFAULT_INDEX = "data/index"
LOCATIONS = "Folder of the index, or milvus+http://HOST:19530/NAME, or milvus+file:///FILE.db/NAME."

_TOKEN = "retrieval.options.token"  # noqa: S105

Command = Callable[..., Any]


def location_of(
    ctx: click.Context, param: click.Parameter, value: str | None
) -> Path | MilvusLocation | None:
    """What an option or argument names, with the token from the environment; for click's `callback`."""
    if value is None:
        return None
    try:
        return located(value, token=str(ctx.meta.get(_TOKEN, "")))
    except SettingsError as error:
        raise click.BadParameter(str(error), ctx, param) from error


def token_option(command: Command) -> Command:
    """Reads the token before any location is; from the environment, since arguments can be seen by others."""

    def keep(ctx: click.Context, _: click.Parameter, value: str | None) -> None:
        ctx.meta[_TOKEN] = value or ""

    return click.option(
        "--milvus-token",
        envvar="WENDA_MILVUS_TOKEN",
        hidden=True,
        is_eager=True,
        expose_value=False,
        callback=keep,
    )(command)


def index_option(command: Command) -> Command:
    """The option that says which index."""
    option = click.option(
        "--index",
        metavar="LOCATION",
        default=DEFAULT_INDEX,
        envvar="WENDA_INDEX",
        show_default=True,
        show_envvar=True,
        callback=location_of,
        help=LOCATIONS,
    )
    return token_option(option(command))


def index_argument(command: Command) -> Command:
    """The argument that says which index."""
    argument = click.argument(
        "index", metavar="[INDEX]", default=DEFAULT_INDEX, required=False, callback=location_of
    )
    return token_option(argument(command))


def at_option(command: Command) -> Command:
    """The option that says on which back end to measure."""
    option = click.option(
        "--at",
        "place",
        metavar="LOCATION",
        callback=location_of,
        help="Measure on this back end: a new index is made there (a name on Milvus, a folder) and stays.",
    )
    return token_option(option(command))
