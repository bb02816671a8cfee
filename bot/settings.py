"""The bot's settings: from the environment, a .env file, or a TOML file; no other module reads them."""

import os
import re
import sys
import tomllib
from datetime import UTC, tzinfo
from pathlib import Path
from typing import Annotated, Any, Self
from urllib.parse import urlsplit

from dateutil import tz
from pydantic import Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import (
    BaseSettings,
    InitSettingsSource,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

from bot.errors import BotError
from retrieval.locations import MilvusLocation, located

TELEGRAM_API = "https://api.telegram.org"
DEFAULT_INDEX = Path("data/index")
DEFAULT_CONFIG = "wenda.toml"
_LAST_PORT = 65_535
_SECRET = re.compile(r"[A-Za-z0-9_-]{1,256}")

Names = Annotated[tuple[str, ...], NoDecode]
Ids = Annotated[frozenset[int], NoDecode]


class Settings(BaseSettings):
    """One field a setting; its alias is the environment variable, its name the key in a TOML file.

    The environment counts before .env, that before the TOML file. Lists are separated by commas (in TOML they
    are lists, too).
    """

    model_config = SettingsConfigDict(
        env_file=".env", env_file_encoding="utf-8", extra="ignore", hide_input_in_errors=True, frozen=True
    )

    token: SecretStr | None = Field(default=None, validation_alias="TELEGRAM_BOT_TOKEN")
    api_url: str = Field(default=TELEGRAM_API, validation_alias="TELEGRAM_API_URL")
    index: str | None = Field(default=None, validation_alias="WENDA_INDEX")
    milvus_token: SecretStr | None = Field(default=None, validation_alias="WENDA_MILVUS_TOKEN")
    sources: Names = Field(default=(), validation_alias="WENDA_SOURCES")
    watch: float = Field(default=600.0, ge=0, validation_alias="WENDA_WATCH")
    allow_private: bool = Field(default=False, validation_alias="WENDA_ALLOW_PRIVATE")
    encoder: str | None = Field(default=None, validation_alias="WENDA_ENCODER")
    cross_encoder: str | None = Field(default=None, validation_alias="WENDA_CROSS_ENCODER")
    link_template: str | None = Field(default=None, validation_alias="WENDA_LINK_TEMPLATE")
    language: str | None = Field(default=None, validation_alias="WENDA_LANGUAGE")
    timezone: str = Field(default="Asia/Shanghai", validation_alias="WENDA_TIMEZONE")
    state: SecretStr | None = Field(default=None, validation_alias="WENDA_STATE")
    admins: Ids = Field(default=frozenset(), validation_alias="WENDA_ADMINS")
    users: Ids = Field(default=frozenset(), validation_alias="WENDA_USERS")
    chats: Ids = Field(default=frozenset(), validation_alias="WENDA_CHATS")
    questions_per_minute: int = Field(default=20, ge=0, validation_alias="WENDA_QUESTIONS_PER_MINUTE")
    messages_per_second: float = Field(default=30.0, gt=0, validation_alias="WENDA_MESSAGES_PER_SECOND")
    proxy: SecretStr | None = Field(default=None, validation_alias="WENDA_PROXY")
    webhook_url: str | None = Field(default=None, validation_alias="WENDA_WEBHOOK_URL")
    webhook_listen: str = Field(default="127.0.0.1:8443", validation_alias="WENDA_WEBHOOK_LISTEN")
    webhook_secret: SecretStr | None = Field(default=None, validation_alias="WENDA_WEBHOOK_SECRET")
    webhook_certificate: Path | None = Field(default=None, validation_alias="WENDA_WEBHOOK_CERTIFICATE")
    webhook_key: Path | None = Field(default=None, validation_alias="WENDA_WEBHOOK_KEY")
    monitor: str | None = Field(default=None, validation_alias="WENDA_MONITOR")

    @field_validator(
        "token", "milvus_token", "index", "encoder", "cross_encoder", "link_template", "language", "state",
        "proxy", "webhook_url", "webhook_secret", "webhook_certificate", "webhook_key", "monitor",
        mode="before",
    )  # fmt: skip
    @classmethod
    def _empty_is_unset(cls, value: Any) -> Any:
        return None if isinstance(value, str) and not value.strip() else value

    @field_validator("sources", mode="before")
    @classmethod
    def _split_names(cls, value: Any) -> Any:
        return tuple(split(value)) if isinstance(value, str) else value

    @field_validator("admins", "users", "chats", mode="before")
    @classmethod
    def _split_ids(cls, value: Any) -> Any:
        if not isinstance(value, str):
            return value
        try:
            return frozenset(int(part) for part in split(value))
        except ValueError:
            raise ValueError(
                "must be Telegram user or chat numbers separated by commas, such as 12345,-10067890"
            ) from None

    @property
    def location(self) -> Path | MilvusLocation:
        """Where the index is. Raises SettingsError where WENDA_INDEX should be on Milvus and is not right."""
        token = self.milvus_token.get_secret_value() if self.milvus_token else ""
        return located(self.index or DEFAULT_INDEX, token=token)

    @field_validator("api_url")
    @classmethod
    def _root_address(cls, value: str) -> str:
        address = value.strip().rstrip("/") or TELEGRAM_API
        if not address.startswith(("http://", "https://")):
            raise ValueError("must be an address such as http://localhost:8081")
        return address

    @field_validator("webhook_url")
    @classmethod
    def _https(cls, value: str | None) -> str | None:
        parts = urlsplit(value.strip()) if value else None
        if parts is not None and (parts.scheme not in {"https", "http"} or not parts.hostname):
            raise ValueError("must be the public address of the bot, such as https://example.org/wenda")
        return value.strip() if value else None

    @field_validator("webhook_listen", "monitor")
    @classmethod
    def _host_and_port(cls, value: str | None) -> str | None:
        if value is not None:
            host, _, port = value.strip().rpartition(":")
            if not host or not port.isdecimal() or int(port) > _LAST_PORT:
                raise ValueError("must be host:port, such as 127.0.0.1:8443")
        return value.strip() if value else None

    @field_validator("webhook_secret")
    @classmethod
    def _secret_characters(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and not _SECRET.fullmatch(value.get_secret_value()):
            raise ValueError("must be 1 to 256 of the characters A-Z a-z 0-9 _ -")
        return value

    @field_validator("proxy")
    @classmethod
    def _proxy_address(cls, value: SecretStr | None) -> SecretStr | None:
        schemes = ("http://", "https://", "socks5://", "socks5h://")
        if value is not None and not value.get_secret_value().startswith(schemes):
            raise ValueError("must be an address such as http://proxy:8080 or socks5://proxy:1080")
        return value

    @model_validator(mode="after")
    def _certificate_and_key(self) -> Self:
        if self.webhook_key is not None and self.webhook_certificate is None:
            raise ValueError("WENDA_WEBHOOK_KEY needs WENDA_WEBHOOK_CERTIFICATE beside it")
        return self

    @field_validator("timezone")
    @classmethod
    def _known_zone(cls, value: str) -> str:
        if tz.gettz(value.strip()) is None:
            raise ValueError("must be the name of a time zone such as Asia/Shanghai")
        return value.strip()

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Where settings come from, what counts more first."""
        file = InitSettingsSource(settings_cls, init_kwargs=_from_toml(settings_cls))
        return init_settings, env_settings, dotenv_settings, file

    @classmethod
    def load(cls) -> Self:
        """Read all of them. Raises BotError that names the first wrong setting, not its value."""
        try:
            return cls()
        except ValidationError as error:
            first = error.errors(include_input=False, include_url=False)[0]
            name = f"{first['loc'][0]}: " if first["loc"] else ""
            raise BotError(f"{name}{first['msg'].removeprefix('Value error, ')}") from None


def split(value: str) -> list[str]:
    """The parts of a list setting: separated by commas or line ends, empty ones dropped."""
    return [part.strip() for part in value.replace("\n", ",").split(",") if part.strip()]


def _from_toml(settings: type[BaseSettings]) -> dict[str, Any]:
    """What the TOML file says, by the names of environment variables. Raises BotError."""
    named = os.environ.get("WENDA_CONFIG", "").strip()
    path = Path(named or DEFAULT_CONFIG).expanduser()
    if not named and not path.is_file():
        return {}
    try:
        given = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise BotError(f"the settings file {path} cannot be read: {error}") from None
    aliases = {name: str(field.validation_alias) for name, field in settings.model_fields.items()}
    unknown = sorted(set(given) - set(aliases))
    if unknown:
        raise BotError(f"{path}: there is no setting {unknown[0]}; the settings are {', '.join(aliases)}")
    return {aliases[name]: value for name, value in given.items()}


def time_zone(name: str) -> tzinfo:
    """The time zone of that name, from the system or from dateutil's own data; UTC where there is none."""
    return tz.gettz(name) or UTC


def data_folder() -> Path:
    """Where this user's programs keep their data: XDG_DATA_HOME, ~/.local/share, or Windows' LOCALAPPDATA."""
    if sys.platform == "win32":
        root = os.environ.get("LOCALAPPDATA")
    else:
        root = os.environ.get("XDG_DATA_HOME")
    return (Path(root) if root else Path.home() / ".local" / "share") / "wenda"


def system_language() -> str | None:
    """The language this machine speaks, as the locale variables say it."""
    names = ("LC_ALL", "LC_MESSAGES", "LANG")
    return next((value for name in names if (value := os.environ.get(name))), None)
