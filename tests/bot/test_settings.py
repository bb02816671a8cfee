"""Settings: from the environment and .env, wrong ones named but never shown."""

from pathlib import Path

import pytest

from bot.errors import BotError
from bot.settings import TELEGRAM_API, Settings, data_folder, system_language
from bot.webhook import webhook_of

from .api_server import TOKEN


@pytest.fixture(autouse=True)
def bare(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for field in Settings.model_fields.values():
        monkeypatch.delenv(str(field.validation_alias), raising=False)
    monkeypatch.delenv("WENDA_CONFIG", raising=False)
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
    assert settings.location == Path("elsewhere")
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
        ("WENDA_ADMINS", "me, 5", "WENDA_ADMINS: must be Telegram user or chat numbers separated by commas"),
        ("WENDA_WEBHOOK_URL", "nonsense", "WENDA_WEBHOOK_URL: must be the public address of the bot"),
        ("WENDA_WEBHOOK_LISTEN", "8443", "WENDA_WEBHOOK_LISTEN: must be host:port, such as"),
        ("WENDA_MONITOR", "x:99999", "WENDA_MONITOR: must be host:port, such as"),
        ("WENDA_WEBHOOK_SECRET", "not secret!", "WENDA_WEBHOOK_SECRET: must be 1 to 256 of the characters"),
        ("WENDA_WEBHOOK_KEY", "k.pem", "WENDA_WEBHOOK_KEY needs WENDA_WEBHOOK_CERTIFICATE"),
        ("WENDA_PROXY", "proxyhost", "WENDA_PROXY: must be an address such as"),
        ("WENDA_TIMEZONE", "Mars/North", "WENDA_TIMEZONE: must be the name of a time zone"),
        ("WENDA_WATCH", "soonish", "WENDA_WATCH: Input should be a valid number"),
        ("WENDA_CONFIG", "nowhere.toml", "the settings file nowhere.toml cannot be read"),
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
    if name != "WENDA_CONFIG":
        shown = str(raised.value).replace("http://localhost:8081", "").replace("127.0.0.1:8443", "")
        assert value not in shown


def test_folders_and_languages_of_the_system(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    monkeypatch.setenv("LOCALAPPDATA", str(tmp_path))
    assert data_folder() == tmp_path / "wenda"
    monkeypatch.delenv("LC_ALL", raising=False)
    monkeypatch.delenv("LC_MESSAGES", raising=False)
    monkeypatch.setenv("LANG", "zh_TW.UTF-8")
    assert system_language() == "zh_TW.UTF-8"


def test_a_toml_file_counts_least(monkeypatch: pytest.MonkeyPatch) -> None:
    Path("wenda.toml").write_text(
        'token = "123456:toml"\nsources = ["articles", "more"]\nadmins = [1, 22]\nchats = [-1001]\n'
        'language = "en"\nquestions_per_minute = 5\nindex = "from/toml"\n',
        encoding="utf-8",
    )
    Path(".env").write_text("WENDA_LANGUAGE=zh-Hant\nWENDA_INDEX=from/env-file\n", encoding="utf-8")
    monkeypatch.setenv("WENDA_INDEX", "from/environment")
    settings = Settings.load()
    assert settings.token is not None
    assert settings.token.get_secret_value() == "123456:toml"
    assert settings.sources == ("articles", "more")
    assert (settings.admins, settings.chats) == ({1, 22}, {-1001})
    assert settings.language == "zh-Hant"
    assert settings.location == Path("from/environment")
    assert settings.questions_per_minute == 5


def test_another_toml_file_and_what_is_wrong_in_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    path = tmp_path / "elsewhere.toml"
    monkeypatch.setenv("WENDA_CONFIG", str(path))
    path.write_text('langauge = "en"', encoding="utf-8")
    with pytest.raises(
        BotError, match=r"elsewhere\.toml: there is no setting langauge; the settings are token, "
    ):
        Settings.load()
    path.write_text("language = ", encoding="utf-8")
    with pytest.raises(BotError, match=r"elsewhere\.toml cannot be read"):
        Settings.load()


def test_the_webhook_has_a_secret_that_all_processes_of_a_bot_agree_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert webhook_of(Settings.load(), TOKEN) is None
    monkeypatch.setenv("WENDA_WEBHOOK_URL", "https://bots.example/wenda/")
    monkeypatch.setenv("WENDA_WEBHOOK_LISTEN", "0.0.0.0:8080")
    webhook = webhook_of(Settings.load(), TOKEN)
    assert webhook is not None
    assert (webhook.url, webhook.host, webhook.port, webhook.path) == (
        "https://bots.example/wenda/", "0.0.0.0", 8080, "wenda",
    )  # fmt: skip
    assert webhook == webhook_of(Settings.load(), TOKEN)
    assert len(webhook.secret) == 64
    assert TOKEN not in webhook.secret
    monkeypatch.setenv("WENDA_WEBHOOK_SECRET", "mine")
    settings = Settings.load()
    assert webhook_of(settings, TOKEN).secret == "mine"  # type: ignore[union-attr]
    assert "mine" not in repr(settings)
