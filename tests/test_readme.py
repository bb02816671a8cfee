"""The README says what there is: set-up commands, commands, settings, dependencies, and true links."""

import importlib.util
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest

from bot.settings import Settings
from retrieval.cli import cli

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")


def readme_command() -> Any:
    spec = importlib.util.spec_from_file_location("readme_command", ROOT / ".ci" / "readme_command.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.command


@pytest.mark.parametrize("name", ["start", "tests"])
def test_each_set_up_command_is_one_chained_line_with_every_version_pinned(name: str) -> None:
    command = readme_command()(name, README)
    assert "\n" not in command
    assert command.count("python3 -m venv") == 1
    assert "pip install -q -c constraints.txt" in command


def test_ci_runs_the_test_command_of_the_readme() -> None:
    script = (ROOT / ".ci" / "run").read_text()
    assert "readme_command.py tests" in script
    assert 'eval "$command"' in script


def test_a_readme_without_a_marked_command_is_reported() -> None:
    with pytest.raises(SystemExit, match="0 commands marked 'tests'"):
        readme_command()("tests", "# nothing")


def test_every_command_is_named() -> None:
    import click

    context = click.Context(cli)
    missing = [name for name in cli.list_commands(context) if f"`{name}" not in README]
    assert not missing


def test_every_setting_is_named() -> None:
    names = [field.validation_alias for field in Settings.model_fields.values()]
    assert not [name for name in names if f"`{name}`" not in README]


def test_every_dependency_has_its_reason() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    names = [re.split(r"[\[<>=~! ]", line)[0] for line in project["dependencies"]]
    table = README[README.index("## Why these packages") :]
    assert not [name for name in names if name not in table]


def test_every_dependency_is_pinned() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    wanted = [
        *project["dependencies"],
        *(name for extra in project["optional-dependencies"].values() for name in extra),
    ]
    pinned = {line.split("==")[0].lower() for line in (ROOT / "constraints.txt").read_text().splitlines()}
    assert not [name for line in wanted if (name := re.split(r"[\[<>=~! ]", line)[0].lower()) not in pinned]
    assert "torch" in pinned


def test_local_links_lead_somewhere() -> None:
    targets = re.findall(r"\]\(([^)#]+?)(?:#[^)]*)?\)", README)
    local = [target for target in targets if not target.startswith("http")]
    assert not [target for target in local if not (ROOT / target).exists()]


def test_the_python_example_runs(tmp_path: Path) -> None:
    articles = tmp_path / "articles"
    articles.mkdir()
    (articles / "heihe.md").write_text(
        "---\ntitle: 四个协同\ndate: 2021-07-19\n---\n"
        "<p>四个协同是目标协同、规划协同、政策协同和招商协同。</p>",
        encoding="utf-8",
    )
    example = re.findall(r"```python\n(.+?)```", README, re.DOTALL)
    assert len(example) == 1
    done = subprocess.run(
        [sys.executable, "-c", example[0]], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.stderr == ""
    assert "目标协同" in done.stdout
