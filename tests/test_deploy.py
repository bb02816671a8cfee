"""The deployment files: they parse, and the files, settings and commands that they name exist."""

import configparser
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from bot.__main__ import cli
from bot.settings import Settings

ROOT = Path(__file__).resolve().parent.parent
DEPLOY = ROOT / "deploy"
COMPOSE = ("compose.yaml", "compose.replicas.yaml")
SETTINGS = {str(field.validation_alias) for field in Settings.model_fields.values()}


def compose(name: str) -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load((DEPLOY / name).read_text(encoding="utf-8"))
    return loaded


@pytest.mark.parametrize("name", COMPOSE)
def test_compose_files_refer_to_what_there_is(name: str) -> None:
    file = compose(name)
    for service, described in file["services"].items():
        assert "image" in described, service
        for volume in described.get("volumes", ()):
            source = volume.split(":")[0]
            if source.startswith("."):
                assert (DEPLOY / source).exists() or source == "../articles", f"{service}: {source}"
            else:
                assert source in file["volumes"], f"{service}: {source}"
        assert set(described.get("depends_on", ())) <= file["services"].keys()
        if "build" in described:
            assert (DEPLOY / described["build"]["context"] / described["build"]["dockerfile"]).is_file()
            named = {key for key in described["environment"] if key.startswith(("WENDA_", "TELEGRAM_"))}
            assert named <= SETTINGS


def test_two_replicas_share_memory_index_and_webhook() -> None:
    services = compose("compose.replicas.yaml")["services"]
    one, two = services["bot-1"]["environment"], services["bot-2"]["environment"]
    assert one == two
    assert one["WENDA_STATE"].startswith("postgresql://")
    assert one["WENDA_INDEX"].startswith("milvus+http://milvus:")
    port = one["WENDA_WEBHOOK_LISTEN"].rpartition(":")[2]
    caddy = (DEPLOY / "Caddyfile").read_text(encoding="utf-8")
    assert f"reverse_proxy /wenda bot-1:{port} bot-2:{port}" in caddy
    assert one["WENDA_WEBHOOK_URL"].endswith("/wenda")
    assert 2 * float(one["WENDA_MESSAGES_PER_SECOND"]) <= 30
    assert all("healthcheck" in services[name] for name in ("postgres", "milvus"))


def test_the_image_copies_what_there_is_and_nothing_is_ignored_that_it_needs() -> None:
    text = (DEPLOY / "Dockerfile").read_text(encoding="utf-8")
    copied = [
        name
        for line in re.findall(r"^COPY (?!--from)(.+)$", text, re.MULTILINE)
        for name in line.split()[:-1]
    ]
    ignored = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    for name in copied:
        assert (ROOT / name).exists(), name
        assert f"!{name}" in ignored, name
    extras = re.findall(r"'\.\[(.+?)\]'", text)[0].split(",")
    project = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    assert all(f"\n{extra} = [" in project for extra in extras)


def test_the_image_runs_without_privileges_and_says_how_it_is() -> None:
    lines = (DEPLOY / "Dockerfile").read_text(encoding="utf-8").splitlines()
    assert lines.index("USER wenda") < lines.index('CMD ["python", "-m", "bot"]')
    assert any(line.startswith("HEALTHCHECK") for line in lines)
    assert "whl/cpu" in "".join(lines)
    named = set(re.findall(r"\b(?:WENDA|TELEGRAM)_[A-Z_]+", "\n".join(lines)))
    assert named <= SETTINGS


def test_the_unit_starts_commands_that_there_are() -> None:
    unit = configparser.ConfigParser(strict=False, interpolation=None)
    unit.optionxform = str  # type: ignore[assignment,method-assign]
    unit.read(DEPLOY / "wenda.service", encoding="utf-8")
    service = unit["Service"]
    assert service["User"] == "wenda"
    assert service["ExecStart"].endswith("python -m bot")
    assert service["ExecStartPre"].split()[-1] in cli.commands


def test_every_deployment_file_is_described() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert not [path.name for path in DEPLOY.iterdir() if f"deploy/{path.name}" not in readme]
