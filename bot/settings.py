"""The bot's settings, from the environment or a .env file in this folder; no other module reads either."""

import os
import sys
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from bot.errors import BotError

TELEGRAM_API = "https://api.telegram.org"
DEFAULT_INDEX = Path("data/index")

Names = Annotated[tuple[str, ...], NoDecode]
Ids = Annotated[frozenset[int], NoDecode]


class Settings(BaseSettings):
    """One field a setting; its alias is the environment variable. Lists are separated by commas."""

    model_config = SettingsConfigDict(
        env_file=".env", env_file_encoding="utf-8", extra="ignore", hide_input_in_errors=True, frozen=True
    )

    token: SecretStr | None = Field(default=None, validation_alias="TELEGRAM_BOT_TOKEN")
    api_url: str = Field(default=TELEGRAM_API, validation_alias="TELEGRAM_API_URL")
    index: Path | None = Field(default=None, validation_alias="WENDA_INDEX")
    sources: Names = Field(default=(), validation_alias="WENDA_SOURCES")
    admins: Ids = Field(default=frozenset(), validation_alias="WENDA_ADMINS")
    users: Ids = Field(default=frozenset(), validation_alias="WENDA_USERS")
    encoder: str | None = Field(default=None, validation_alias="WENDA_ENCODER")
    link_template: str | None = Field(default=None, validation_alias="WENDA_LINK_TEMPLATE")
    language: str | None = Field(default=None, validation_alias="WENDA_LANGUAGE")
    state: SecretStr | None = Field(default=None, validation_alias="WENDA_STATE")

    @field_validator("token", "index", "encoder", "link_template", "language", "state", mode="before")
    @classmethod
    def _empty_is_unset(cls, value: Any) -> Any:
        return None if isinstance(value, str) and not value.strip() else value

    @field_validator("sources", mode="before")
    @classmethod
    def _split_names(cls, value: Any) -> Any:
        return tuple(split(value)) if isinstance(value, str) else value

    @field_validator("admins", "users", mode="before")
    @classmethod
    def _split_ids(cls, value: Any) -> Any:
        if not isinstance(value, str):
            return value
        try:
            return frozenset(int(part) for part in split(value))
        except ValueError:
            raise ValueError(
                "must be Telegram user numbers separated by commas, such as 12345,67890"
            ) from None

    @field_validator("api_url")
    @classmethod
    def _root_address(cls, value: str) -> str:
        address = value.strip().rstrip("/") or TELEGRAM_API
        if not address.startswith(("http://", "https://")):
            raise ValueError("must be an address such as http://localhost:8081")
        return address

    @classmethod
    def load(cls) -> Self:
        """Read environment and .env. Raises BotError that names the first wrong setting, not its value."""
        try:
            return cls()
        except ValidationError as error:
            first = error.errors(include_input=False, include_url=False)[0]
            name = first["loc"][0] if first["loc"] else "a setting"
            raise BotError(f"{name}: {first['msg'].removeprefix('Value error, ')}") from None


def split(value: str) -> list[str]:
    """The parts of a list setting: separated by commas or line ends, empty ones dropped."""
    return [part.strip() for part in value.replace("\n", ",").split(",") if part.strip()]


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
