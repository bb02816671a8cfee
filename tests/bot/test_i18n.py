"""Every language says everything, with the same placeholders; no sentence is left unused."""

from pathlib import Path
from string import Formatter

import pytest

from bot.i18n import Language, Texts, language_of, texts
from bot.styled import Run, Style

ROOT = Path(__file__).resolve().parents[2] / "bot"


def placeholders(say: Texts, key: str) -> set[str]:
    value = say._texts[key]
    forms = [value] if isinstance(value, str) else list(value.values())
    return {name for form in forms for _, name, _, _ in Formatter().parse(form) if name}


@pytest.mark.parametrize("language", Language)
def test_every_language_is_complete(language: Language) -> None:
    say, english = texts(language), texts(Language.ENGLISH)
    assert say.keys == english.keys
    for key in english.keys:
        assert placeholders(say, key) == placeholders(english, key), key


def test_every_sentence_is_used() -> None:
    code = "\n".join(path.read_text(encoding="utf-8") for path in ROOT.rglob("*.py"))
    unused = {key for key in texts(Language.ENGLISH).keys if f'"{key}"' not in code}
    assert {key for key in unused if not key.startswith("command_")} == set()


def test_the_scripts_are_not_mixed() -> None:
    simplified = "".join(str(value) for value in texts(Language.SIMPLIFIED_CHINESE)._texts.values())
    traditional = "".join(str(value) for value in texts(Language.TRADITIONAL_CHINESE)._texts.values())
    assert not set("這個問題裡話說沒") & set(simplified)
    assert not set("这个问题里话说没") & set(traditional)


@pytest.mark.parametrize(
    ("tag", "language"),
    [
        ("zh", "zh-Hans"),
        ("zh-hans", "zh-Hans"),
        ("zh-CN", "zh-Hans"),
        ("zh_TW.UTF-8", "zh-Hant"),
        ("zh-hant", "zh-Hant"),
        ("zh-HK", "zh-Hant"),
        ("zh-Hans-HK", "zh-Hans"),
        ("en", "en"),
        ("en_GB.UTF-8", "en"),
        ("de", "en"),
        ("C.UTF-8", "zh-Hans"),
        ("POSIX", "zh-Hans"),
        ("", "zh-Hans"),
        (None, "zh-Hans"),
    ],
)
def test_the_language_of_a_tag(tag: str | None, language: str) -> None:
    assert language_of(tag) == Language(language)


def test_counted_sentences() -> None:
    say = texts(Language.ENGLISH)
    assert say("holds_undated", count=1) == "There is 1 article."
    assert say("holds_undated", count=2) == "There are 2 articles."


def test_styled_values_keep_their_styles() -> None:
    title = Run("标题", frozenset({Style.TITLE}), "https://x.org")
    assert texts(Language.SIMPLIFIED_CHINESE).styled("newer", title=(title,)) == (
        Run("有更新的文章："),
        title,
    )
