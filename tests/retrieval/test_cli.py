"""The commands as the shell sees them: output, exit codes, one sentence for what goes wrong."""

import json
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from retrieval import Hit, SearchResponse
from retrieval.cli import cli
from retrieval.storage.lock import writer_lock

from .encoders import HashEncoder

Run = Callable[..., Result]


@pytest.fixture
def run(index_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs a command on this test's index, with the test's encoder under every name but `unknown`."""
    from embeddings.errors import ModelNotFoundError

    def load(name: str = "bundled", **_: Any) -> HashEncoder:
        if name == "unknown":
            raise ModelNotFoundError("there is no model unknown: name a folder or a model of the hub")
        return HashEncoder(name, salt=sum(name.encode()))

    monkeypatch.setattr("embeddings.load_encoder", load)
    monkeypatch.setattr("retrieval.rebuilding.load_encoder", load)

    def invoke(command: str, *arguments: object) -> Result:
        return CliRunner().invoke(cli, [command, "--index", str(index_path), *map(str, arguments)])

    return invoke


def test_index_then_status(run: Run, folder: Path) -> None:
    result = run("index", folder)
    assert result.exit_code == 0, result.output
    assert result.stdout.startswith("4 added, 0 changed, 0 moved, 0 removed, 0 unchanged\n")
    assert "passages (" in result.stdout
    status = run("status")
    assert status.exit_code == 0
    assert status.stdout.startswith("4 articles, ")
    assert "from 2020-03-05 to 2021-07-01" in status.stdout
    assert f"source {folder}" in status.stdout


def test_json_output(run: Run, folder: Path) -> None:
    report = json.loads(run("index", folder, "--json").stdout)
    assert report["added"] == ["amur.md", "more/loire.txt", "more/nile.md", "rhine.md"]
    status = json.loads(run("status", "--json").stdout)
    assert (status["articles"], status["earliest"], status["encoder"]) == (4, "2020-03-05", "bundled")
    assert json.loads(run("check", "--json").stdout)["problems"] == []


def test_index_without_sources_looks_at_those_of_the_last_time(run: Run, folder: Path) -> None:
    result = run("index")
    assert result.exit_code != 0
    run("index", folder)
    (folder / "new.md").write_text("新的河", encoding="utf-8")
    assert run("index").stdout.startswith("1 added, 0 changed, 0 moved, 0 removed, 4 unchanged\n")


def test_dry_run(run: Run, folder: Path) -> None:
    run("index", folder)
    (folder / "new.md").write_text("新的河", encoding="utf-8")
    assert "1 would be added" in run("index", folder, "--dry-run").stdout
    assert run("status").stdout.startswith("4 articles, ")


def test_rebuild_with_another_encoder(run: Run, folder: Path) -> None:
    run("index", folder)
    refused = run("index", folder, "--encoder", "another")
    assert refused.exit_code == 1
    assert "index --rebuild --encoder another --index" in refused.stderr
    rebuilt = run("index", "--rebuild", "--encoder", "another")
    assert rebuilt.exit_code == 0, rebuilt.output
    assert "encoder another (48 dimensions)" in rebuilt.stdout
    assert run("index", folder).stdout.startswith("0 added, 0 changed, 0 moved, 0 removed, 4 unchanged\n")


def test_check_and_repair(run: Run, folder: Path, index_path: Path) -> None:
    run("index", folder)
    assert run("check").stdout.startswith("the index is whole: 4 articles")
    (next(index_path.glob("generation-*")) / "lexical" / "position").write_text("0", encoding="ascii")
    broken = run("check")
    assert broken.exit_code == 1
    assert "the lexical index is at change 0" in broken.stdout
    repaired = run("check", "--repair")
    assert repaired.exit_code == 0
    assert "repaired: 4 articles" in repaired.stdout
    (index_path / "CURRENT").write_text("nonsense", encoding="utf-8")
    assert run("status").exit_code == 1
    assert run("check", "--repair").exit_code == 0
    assert run("status").exit_code == 0


def response(answered: bool) -> SearchResponse:
    hit = Hit(
        passage_id=1, article_id="a.md", ordinal=0, title="黑龙江", text="前文。全长四千公里。", score=0.9,
        url="https://x.example/1", author="王", answer=(3, 10), explanation={"bm25": 1.5},
    )  # fmt: skip
    return SearchResponse(query="多长", answered=answered, hits=(hit,), total=1)


@pytest.fixture
def asked(run: Run, folder: Path, monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """An index whose searches are written down, and answered with one hit."""
    run("index", folder)
    calls: list[dict[str, Any]] = []

    def search(_: object, query: str, **options: Any) -> SearchResponse:
        calls.append({"query": query, **options})
        return response(answered=query != "无")

    monkeypatch.setattr("retrieval.retriever.Retriever.search", search)
    return calls


def test_search(run: Run, asked: list[dict[str, Any]]) -> None:
    result = run("search", "多长", "-k", 3, "--after", "2021-01-01", "--category", "甲", "--category", "乙")
    assert result.exit_code == 0, result.output
    assert result.stdout == "\n1. 黑龙江\n王 · 0.90\n前文。全长四千公里。\nhttps://x.example/1\n   bm25 1.5\n"
    (call,) = asked
    assert (call["query"], call["top_k"], call["mode"]) == ("多长", 3, "hybrid")
    assert (call["filters"].after, call["filters"].categories) == ("2021-01-01", ("甲", "乙"))
    assert run("search", "无").stdout.startswith("Nothing in the index answers this; the nearest passages:\n")


def test_search_in_json(run: Run, asked: list[dict[str, Any]]) -> None:
    found = json.loads(run("search", "多长", "--json").stdout)
    assert found["answered"] is True
    assert found["hits"][0]["answer"] == [3, 10]
    assert asked[0]["filters"] is None


@pytest.mark.parametrize("command", ["search", "status", "check"])
def test_a_missing_index(run: Run, command: str, index_path: Path) -> None:
    result = run(command, *(["河"] if command == "search" else []))
    assert result.exit_code == 1
    assert result.stderr.startswith(f"error: there is no index in {index_path}: make one with")
    assert result.stderr.count("\n") == 1
    assert not index_path.exists()


def test_a_missing_folder(run: Run, tmp_path: Path, index_path: Path, folder: Path) -> None:
    result = run("index", tmp_path / "nowhere")
    assert (result.exit_code, result.stderr.count("\n")) == (1, 1)
    assert result.stderr.startswith(f"error: cannot read {tmp_path / 'nowhere'}: No such file or directory")
    run("index", folder)
    assert run("index", folder, tmp_path / "nowhere").exit_code == 1
    assert run("status").stdout.startswith("4 articles, ")


def test_a_broken_index(run: Run, folder: Path, index_path: Path) -> None:
    run("index", folder)
    (next(index_path.glob("generation-*")) / "store.db").write_bytes(b"x" * 5000)
    for command in (("status",), ("search", "河"), ("index", folder), ("check",)):
        result = run(*command)
        assert (result.exit_code, result.stderr.count("\n")) == (1, 1), result.output
        assert result.stderr.startswith("error: ")
        assert "is damaged" in result.stderr


def test_an_unreadable_file(run: Run, folder: Path) -> None:
    (folder / "broken.md").write_bytes(b"\x7fELF\x02\x01\x01" + bytes(range(256)) * 4)
    result = run("index", folder)
    assert result.exit_code == 1
    assert result.stderr.startswith("error: one article or source could not be read, the rest is indexed: ")
    assert str(folder / "broken.md") in result.stderr
    assert run("status").stdout.startswith("4 articles, ")
    (folder / "broken too.md").write_bytes(b"\x7fELF\x02\x01\x01" + bytes(range(256)) * 4)
    assert "error: 2 articles or sources could not be read" in run("index", folder).stderr


def test_an_unknown_model(run: Run, folder: Path, index_path: Path) -> None:
    result = run("index", folder, "--encoder", "unknown")
    assert (result.exit_code, result.stderr) == (
        1,
        "error: there is no model unknown: name a folder or a model of the hub\n",
    )
    assert not index_path.exists()
    run("index", folder)
    assert run("index", "--rebuild", "--encoder", "unknown").exit_code == 1
    assert run("status").stdout.startswith("4 articles, ")


def test_a_locked_index(run: Run, folder: Path, index_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run("index", folder)
    monkeypatch.setattr("retrieval.retriever.LOCK_SECONDS", 0.0)
    monkeypatch.setattr("retrieval.rebuilding.LOCK_SECONDS", 0.0)
    with writer_lock(index_path, seconds=0):
        result = run("index", "--rebuild")
        assert (result.exit_code, result.stderr.count("\n")) == (1, 1)
        assert "is being written by process" in result.stderr
    store = next(index_path.glob("generation-*")) / "store.db"
    monkeypatch.setattr("retrieval.storage.connection.BUSY_SECONDS", 0.05)
    other = sqlite3.connect(store, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    (folder / "new.md").write_text("新的河", encoding="utf-8")
    result = run("index", folder)
    other.close()
    assert (result.exit_code, "locked by another program" in result.stderr) == (1, True)
    assert run("index", folder).stdout.startswith("1 added")


def test_wrong_usage() -> None:
    result = CliRunner().invoke(cli, ["search"])
    assert result.exit_code == 2
    assert "Missing argument 'QUERY'" in result.stderr


@pytest.mark.parametrize("command", ["index", "search", "status", "check"])
def test_every_command_has_an_example(command: str) -> None:
    result = CliRunner().invoke(cli, [command, "--help"])
    assert result.exit_code == 0
    assert "Example:" in result.stdout
    assert f"python -m retrieval {command}" in result.stdout


def test_the_commands_of_evaluation_are_there() -> None:
    result = CliRunner().invoke(cli, ["--help"])
    assert {"index", "search", "status", "check", "evaluate"} <= set(result.stdout.split())
