"""Settings: from the environment and .env, wrong ones named but never shown."""

from pathlib import Path

import pytest

from bot.errors import BotError
from bot.settings import TELEGRAM_API, Settings, data_folder, system_language

from .api_server import TOKEN


@pytest.fixture(autouse=True)
def bare(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for field in Settings.model_fields.values():
        monkeypatch.delenv(str(field.validation_alias), raising=False)
    monkeypatch.chdir(tmp_path)


def test_defaults() -> None:
    settings = Settings.load()
    assert settings.token is None
    assert settings.api_url == TELEGRAM_API
    assert settings.sources == ()
    assert settings.admins == frozenset()


def test_the_environment_wins_over_the_file(monkeypatch: pytest.MonkeyPatch) -> None:
    Path(".env").write_text(
        f"TELEGRAM_BOT_TOKEN={TOKEN}\nWENDA_INDEX=文章/index\nOTHER=1\n", encoding="utf-8"
    )
    monkeypatch.setenv("WENDA_INDEX", "elsewhere")
    monkeypatch.setenv("WENDA_SOURCES", " articles , https://x.org/feed,\nmore ")
    monkeypatch.setenv("WENDA_ADMINS", "1, 22")
    monkeypatch.setenv("TELEGRAM_API_URL", "http://localhost:8081/")
    settings = Settings.load()
    assert settings.token is not None
    assert settings.token.get_secret_value() == TOKEN
    assert settings.index == Path("elsewhere")
    assert settings.sources == ("articles", "https://x.org/feed", "more")
    assert settings.admins == {1, 22}
    assert settings.api_url == "http://localhost:8081"
    assert TOKEN not in repr(settings)


def test_empty_is_unset(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("TELEGRAM_BOT_TOKEN", "WENDA_INDEX", "WENDA_ENCODER", "WENDA_ADMINS", "TELEGRAM_API_URL"):
        monkeypatch.setenv(name, " ")
    settings = Settings.load()
    assert (settings.token, settings.index, settings.encoder) == (None, None, None)
    assert settings.api_url == TELEGRAM_API


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("WENDA_ADMINS", "me, 5", "WENDA_ADMINS: must be Telegram user numbers separated by commas"),
        ("TELEGRAM_API_URL", "localhost", "TELEGRAM_API_URL: must be an address such as http"),
    ],
)
def test_a_wrong_setting_is_named_and_its_value_is_not_shown(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, sentence: str
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(BotError) as raised:
        Settings.load()
    assert str(raised.value).startswith(sentence)
    assert value not in str(raised.value).replace("http://localhost:8081", "")


def test_folders_and_languages_of_the_system(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    monkeypatch.setenv("LOCALAPPDATA", str(tmp_path))
    assert data_folder() == tmp_path / "wenda"
    monkeypatch.delenv("LC_ALL", raising=False)
    monkeypatch.delenv("LC_MESSAGES", raising=False)
    monkeypatch.setenv("LANG", "zh_TW.UTF-8")
    assert system_language() == "zh_TW.UTF-8"
