"""Every sentence the bot says, in each of its languages: locales/*.toml, one file a language."""

import tomllib
from collections.abc import Mapping
from enum import StrEnum
from functools import cache
from importlib.resources import files
from string import Formatter

from bot.styled import Run, StyledText, clean, joined
from retrieval.errors import IndexUnavailableError


class Language(StrEnum):
    """The languages the bot speaks, by the tag that names their locale file."""

    SIMPLIFIED_CHINESE = "zh-Hans"
    TRADITIONAL_CHINESE = "zh-Hant"
    ENGLISH = "en"


_TRADITIONAL_REGIONS = {"hant", "tw", "hk", "mo"}


def language_of(tag: str | None, default: Language = Language.SIMPLIFIED_CHINESE) -> Language:
    """The language for an IETF tag or a locale name ("zh-TW", "zh_CN.UTF-8", "de"); `default` for none.

    People whose language the bot does not speak are addressed in English.
    """
    parts = (tag or "").split(".")[0].replace("_", "-").lower().split("-")
    if parts[0] == "zh":
        traditional = _TRADITIONAL_REGIONS.intersection(parts[1:]) and "hans" not in parts
        return Language.TRADITIONAL_CHINESE if traditional else Language.SIMPLIFIED_CHINESE
    return Language.ENGLISH if parts[0] not in {"", "c", "posix"} else default


def sorry(error: BaseException | None) -> str:
    """The key of the sentence that answers in place of what failed with this error."""
    return "unavailable" if isinstance(error, IndexUnavailableError) else "trouble"


class Texts:
    """One language's sentences by key, with {placeholders}; a counted one has the forms `one` and `other`."""

    def __init__(self, language: Language, texts: Mapping[str, str | Mapping[str, str]]) -> None:
        self.language = language
        self._texts = texts

    def __call__(self, key: str, **values: object) -> str:
        """The sentence with its placeholders filled in."""
        return self._template(key, values).format(**values)

    def styled(self, key: str, **values: StyledText | str | int) -> StyledText:
        """The sentence as styled text, placeholders filled with styled text."""
        runs: list[Run] = []
        for literal, name, _, _ in Formatter().parse(self._template(key, values)):
            runs.append(Run(literal))
            if name is not None:
                value = values[name]
                runs += value if isinstance(value, tuple) else (Run(clean(str(value))),)
        return joined(runs)

    @property
    def keys(self) -> frozenset[str]:
        """All keys of this language."""
        return frozenset(self._texts)

    def _template(self, key: str, values: Mapping[str, object]) -> str:
        text = self._texts[key]
        if isinstance(text, str):
            return text
        return text["one" if values.get("count") == 1 and "one" in text else "other"]


@cache
def texts(language: Language) -> Texts:
    """The sentences of one language."""
    data = files("bot").joinpath("locales", f"{language}.toml").read_text(encoding="utf-8")
    return Texts(language, tomllib.loads(data))
