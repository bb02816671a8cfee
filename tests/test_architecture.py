"""The shape of the house: which way imports run, what stays unloaded, what is packaged and exported."""

import ast
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("embeddings", "retrieval", "bot")
MAY_IMPORT = {
    "embeddings": {"embeddings"},
    "retrieval": {"embeddings", "retrieval"},
    "bot": {"embeddings", "retrieval", "bot"},
}
HEAVY = {
    "psycopg",
    "torch",
    "sentence_transformers",
    "transformers",
    "telegram",
    "pymilvus",
    "milvus_lite",
    "grpc",
    "pandas",
    "pyarrow",
    "jieba",
    "scipy",
    "sklearn",
}


def modules(package: str) -> Iterator[tuple[Path, ast.Module]]:
    for path in sorted((ROOT / package).rglob("*.py")):
        yield path, ast.parse(path.read_text(encoding="utf-8"))


def imported_names(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            yield node.module


@pytest.mark.parametrize("package", PACKAGES)
def test_imports_run_one_way(package: str) -> None:
    for path, tree in modules(package):
        tops = {name.split(".")[0] for name in imported_names(tree)} & {*PACKAGES, "tests"}
        assert tops <= MAY_IMPORT[package], f"{path.relative_to(ROOT)} imports {tops - MAY_IMPORT[package]}"


@pytest.mark.parametrize("package", PACKAGES)
def test_nothing_is_ever_unpickled(package: str) -> None:
    for path, tree in modules(package):
        tops = {name.split(".")[0] for name in imported_names(tree)}
        assert not tops & {"pickle", "shelve", "dill", "joblib", "marshal"}, path
        for node in ast.walk(tree):
            if isinstance(node, ast.keyword) and node.arg == "allow_pickle":
                assert isinstance(node.value, ast.Constant), path
                assert node.value.value is False, path


def test_only_entry_points_read_the_environment() -> None:
    allowed = {"bot/settings.py", "bot/__main__.py", "retrieval/__main__.py", "embeddings/__main__.py"}
    for package in PACKAGES:
        for path, tree in modules(package):
            named = {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
            reads = named & {"environ", "getenv"}
            assert not reads or str(path.relative_to(ROOT)) in allowed, path


def test_every_package_is_listed_for_packaging() -> None:
    listed = set(tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]["packages"])
    there = {
        ".".join(path.parent.relative_to(ROOT).parts)
        for package in PACKAGES
        for path in (ROOT / package).rglob("__init__.py")
    }
    assert listed == there


def loaded_after(statement: str) -> set[str]:
    code = f"import sys\n{statement}\nprint(*sorted({{name.split('.')[0] for name in sys.modules}}))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    return set(done.stdout.split())


@pytest.mark.parametrize(
    "statement",
    [
        "import embeddings; embeddings.load_encoder('bundled').encode_queries(['四个协同是什么？'])",
        "from retrieval import Article, Filters, Retriever",
        "import retrieval.cli",
        "import bot.conversation, bot.terminal, bot.__main__",
    ],
)
def test_heavy_packages_load_only_where_used(statement: str) -> None:
    assert not loaded_after(statement) & HEAVY


def test_a_whole_search_loads_nothing_heavy(tmp_path: Path) -> None:
    statement = (
        "from retrieval import Article, Retriever\n"
        f"with Retriever.open({str(tmp_path / 'index')!r}) as retriever:\n"
        "    retriever.add([Article(id='a', title='黑河', text='建设边境仓5个，俄罗斯海外仓12个。')])\n"
        "    assert retriever.search('海外仓建了多少个').hits[0].article_id == 'a'\n"
    )
    assert not loaded_after(statement) & HEAVY


def test_exported_names() -> None:
    import retrieval

    assert {"Article", "Filters", "Hit", "Passage", "Retriever", "SearchResponse", "SyncReport"} <= set(
        retrieval.__all__
    )
    assert all(getattr(retrieval, name) is not None for name in retrieval.__all__)


def function_lengths(tree: ast.AST) -> Iterator[tuple[str, int]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.end_lineno:
            yield node.name, node.end_lineno - node.lineno + 1


@pytest.mark.parametrize("package", PACKAGES)
def test_rooms_stay_small(package: str) -> None:
    for path, tree in modules(package):
        name = path.relative_to(ROOT)
        assert path.read_text(encoding="utf-8").count("\n") <= 450, f"{name}: more than one reason to change?"
        long = [f"{function} ({length})" for function, length in function_lengths(tree) if length > 60]
        assert not long, f"{name}: {', '.join(long)}"
