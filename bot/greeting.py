"""The first words of a conversation: what there is, what one can ask, how it works, in which language."""

from collections.abc import Callable
from dataclasses import replace

from bot.actions import Ask, SetLanguage
from bot.archive import Overview
from bot.formatting import blocks
from bot.i18n import Language, Texts, texts
from bot.reply import Button, Reply
from bot.state import State
from bot.styled import Style, clip_text, run
from bot.suggestions import Suggestions

_LABEL_LIMIT = 60


class Greeter:
    """Says what the archive holds and offers questions it can answer."""

    def __init__(
        self,
        overview: Callable[[], Overview],
        suggestions: Suggestions,
        state: State,
        *,
        help_key: str = "help",
    ) -> None:
        self._overview = overview
        self._suggestions = suggestions
        self._state = state
        self._help_key = help_key

    def welcome(self, language: Language) -> Reply:
        """A greeting, the number of articles and their dates, and three questions as buttons."""
        say = texts(language)
        parts = [(run(say("welcome")),), (run(holdings(self._overview(), say)),)]
        buttons = self._offers(language)
        if buttons:
            parts.append((run(say("try_asking"), Style.META),))
        return Reply(text=blocks(parts), buttons=buttons)

    def help(self, language: Language) -> Reply:
        """How it works."""
        return Reply(text=(run(texts(language)(self._help_key)),))

    def ask_what(self, language: Language) -> Reply:
        """/ask without a question: how it is written."""
        return Reply(text=(run(texts(language)("ask_what", example=self.example(language))),))

    def example(self, language: Language) -> str:
        """One question that the archive answers; an ellipsis where it is empty."""
        return next(iter(self._suggestions.of(language)), "…")

    def languages(self, language: Language) -> Reply:
        """The choice of languages."""
        buttons = tuple(
            (Button(label=texts(each)("language_name"), action=SetLanguage(place), key=str(place + 1)),)
            for place, each in enumerate(Language)
        )
        return Reply(text=(run(texts(language)("choose_language")),), buttons=buttons)

    def _offers(self, language: Language) -> tuple[tuple[Button, ...], ...]:
        return tuple(
            (
                Button(
                    label=clip_text(question, _LABEL_LIMIT),
                    action=Ask(self._state.questions.offer(question)),
                    key=str(place),
                ),
            )
            for place, question in enumerate(self._suggestions.of(language), start=1)
        )


def holdings(overview: Overview, say: Texts) -> str:
    """How many articles there are, from when to when."""
    if overview.growing:
        return holdings(replace(overview, growing=False), say) * bool(overview.articles) + say(
            "still_reading"
        )
    first, last = (each.isoformat() if each else "" for each in (overview.first, overview.last))
    if not overview.articles:
        return say("holds_nothing")
    if not first:
        return say("holds_undated", count=overview.articles)
    if first == last:
        return say("holds_one_day", count=overview.articles, first=first)
    return say("holds", count=overview.articles, first=first, last=last)
