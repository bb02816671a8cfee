"""The conversation in a terminal or a pipe: the same replies, drawn with rich, buttons as keys to type."""

import contextlib
import logging
import sys
from collections.abc import Iterable, Iterator
from dataclasses import replace
from importlib import import_module
from typing import TYPE_CHECKING

from rich.console import Console
from rich.style import Style as Look
from rich.text import Text

from bot.actions import Action, Ask, SetLanguage, Unfold
from bot.conversation import Chat, Conversation
from bot.i18n import sorry, texts
from bot.reply import Button, Reply
from bot.styled import Run, Style, StyledText, clean, joined
from bot.telegram_html import is_web_link
from retrieval.errors import IndexUnavailableError

if TYPE_CHECKING:
    from retrieval.sync import ProgressCallback

CHAT_KEY = "terminal"
_logger = logging.getLogger(__name__)
_QUIT = {"/quit", "/exit", "/q"}
_LOOKS = {
    Style.TITLE: "bold cyan",
    Style.META: "dim",
    Style.HEADING: "bold",
    Style.ANSWER: "bold green",
    Style.EXACT: "bold yellow",
    Style.HIGHLIGHT: "underline",
    Style.SOURCE: "blue",
}
_BAR = "│ "


class Terminal:
    """Reads questions and keys line by line, prints replies until the lines end."""

    def __init__(
        self, conversation: Conversation, chat: Chat, console: Console, *, interactive: bool
    ) -> None:
        self._conversation = conversation
        self._chat = chat
        self._console = console
        self._interactive = interactive
        self._keys: dict[str, Action] = {}

    def run(self, lines: Iterable[str]) -> None:
        """Greet (people, not pipes), then answer line after line."""
        if self._interactive:
            self.show(self._conversation.greeter.welcome(self._chat.language))
        for line in lines:
            text = line.strip()
            if text.lower() in _QUIT:
                break
            if not text:
                continue
            if not self._interactive:
                self._print(Text(f"❯ {clean(text)}", style="bold"))
            self.show(self._safely(text))
        if self._interactive:
            self._print(Text(texts(self._chat.language)("goodbye"), style="dim"))

    def _safely(self, line: str) -> Reply:
        """The reply; where answering fails the story goes to the log, and the conversation goes on."""
        try:
            return self.answer(line)
        except Exception as error:
            away = isinstance(error, IndexUnavailableError)
            _logger.error("answering %r failed: %s", line[:200], error, exc_info=not away)
            return Reply(notice=texts(self._chat.language)(sorry(error)))

    def answer(self, line: str) -> Reply:
        """The reply to a line: a key under the last reply, a command, or a question."""
        if line.lower() in self._keys:
            action = self._keys[line.lower()]
            reply = self._conversation.press(self._chat, action)
            chosen = self._conversation.language_of(self._chat.key) or self._chat.language
            self._chat = Chat(self._chat.key, chosen)
            return reply
        command, _, rest = line.partition(" ")
        greeter = self._conversation.greeter
        if command == "/ask":
            return (
                self._conversation.ask(self._chat, rest)
                if rest.strip()
                else greeter.ask_what(self._chat.language)
            )
        if command == "/latest":
            return self._conversation.latest(self._chat)
        if command == "/reset":
            return self._conversation.reset(self._chat)
        if command == "/start":
            return greeter.welcome(self._chat.language)
        if command == "/language":
            return greeter.languages(self._chat.language)
        if command.startswith("/") and command.count("/") == 1 and command[1:].isalpha():
            return greeter.help(self._chat.language)
        return self._conversation.ask(self._chat, line)

    def show(self, reply: Reply) -> None:
        """Print a reply, its choices below it, and remember their keys."""
        if not reply.text:
            self._print(Text(reply.notice, style="dim"))
            return
        self._keys = {button.key: button.action for button in _choices(reply) if button.action}
        for part in self._drawn(reply.text):
            self._print(part)
        self._show_choices(reply)
        self._print(Text())

    def _show_choices(self, reply: Reply) -> None:
        compact: list[str] = []
        for row in reply.buttons:
            if len(row) == 1 and isinstance(row[0].action, Ask | SetLanguage) and row[0].key.isdigit():
                self._print(Text.assemble((f"  {row[0].key}  ", "bold cyan"), row[0].label))
                continue
            compact += self._compact(row)
        if compact and self._interactive:
            line = texts(self._chat.language)("keys", keys="   ".join(compact))
            self._print(Text(line, style="dim"))

    def _compact(self, row: tuple[Button, ...]) -> list[str]:
        """A row of choices in few words: the numbered ones as a range."""
        unfolds = [button for button in row if isinstance(button.action, Unfold) and button.key.isdigit()]
        words = [f"{button.key} {button.label}" for button in row if button.key and button not in unfolds]
        if not unfolds:
            return words
        first, last = unfolds[0].key, unfolds[-1].key
        keys = first if first == last else f"{first}–{last}"
        return [texts(self._chat.language)("unfold_keys", keys=keys), *words]

    def _drawn(self, text: StyledText) -> Iterator[Text]:
        """The reply line by line; lines of a quotation have a bar before them."""
        if self._console.color_system is None:
            text = _with_markers(text)
        if not self._console.is_terminal:
            text = _with_addresses_below(text)
        width = max(20, self._console.width - len(_BAR))
        for quoted, line in self._lines(text):
            if not quoted:
                yield line
                continue
            for piece in line.wrap(self._console, width) if self._console.is_terminal else [line]:
                yield Text.assemble((_BAR, "dim"), piece)

    def _lines(self, text: StyledText) -> Iterator[tuple[bool, Text]]:
        quoted, line = False, Text()
        for run in text:
            for place, piece in enumerate(run.text.split("\n")):
                if place:
                    yield quoted, line
                    quoted, line = False, Text()
                if piece:
                    quoted = quoted or Style.QUOTE in run.styles
                    line.append_text(self._piece(replace(run, text=piece)))
        yield quoted, line

    def _piece(self, run: Run) -> Text:
        look = " ".join(_LOOKS[style] for style in Style if style in run.styles and style in _LOOKS)
        if Style.SOURCE in run.styles and run.link:
            return self._source(run.link, look)
        return Text(run.text, style=self._linked(look, run.link))

    def _source(self, link: str, look: str) -> Text:
        """The address or path itself: in a terminal without its text fragment, which the link keeps."""
        if self._console.is_terminal and is_web_link(link):
            return Text(link.split("#")[0], style=self._linked(look, link))
        return Text(clean(link), style=look)

    def _linked(self, look: str, link: str | None) -> Look:
        """The look; in a terminal with a link that it can open."""
        linked = link if self._console.is_terminal and is_web_link(link) else None
        return Look.parse(look) + Look(link=linked)

    def _print(self, text: Text) -> None:
        self._console.print(text, soft_wrap=not self._console.is_terminal, highlight=False)


def typed_lines(prompt: str) -> Iterator[str]:
    """Lines typed by a person, with line editing and history where the system has it, until end of file."""
    with contextlib.suppress(ImportError):
        import_module("readline")
    while True:
        try:
            yield input(f"{prompt}❯ ")
        except (EOFError, KeyboardInterrupt):
            sys.stdout.write("\n")
            return


@contextlib.contextmanager
def progress_bar() -> "Iterator[ProgressCallback | None]":
    """A bar on standard error, where that is a terminal, for as long as articles are being read."""
    if not sys.stderr.isatty():
        yield None
        return
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeRemainingColumn

    columns = (BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("", total=None, visible=False)
        yield lambda done: bar.update(task, completed=done.done, total=done.total, visible=done.total > 50)


def _choices(reply: Reply) -> Iterator[Button]:
    return (button for row in reply.buttons for button in row if button.key)


def _with_addresses_below(text: StyledText) -> StyledText:
    """Addresses, which are long where they cannot be hidden behind a link, on lines of their own."""
    runs: list[Run] = []
    for run in text:
        if Style.SOURCE in run.styles and is_web_link(run.link):
            if runs and runs[-1].text.endswith(" · "):
                runs[-1] = replace(runs[-1], text=runs[-1].text.removesuffix(" · "))
            runs.append(Run("\n↗ "))
        runs.append(run)
    return tuple(runs)


def _with_markers(text: StyledText) -> StyledText:
    """The answer between ** marks, for a console without colours."""
    runs: list[Run] = []
    for run in (*text, Run("")):
        answers = Style.ANSWER in run.styles
        if answers != bool(runs and Style.ANSWER in runs[-1].styles):
            runs.append(Run("**", frozenset({Style.QUOTE, *({Style.ANSWER} if answers else ())})))
        runs.append(run)
    return joined(runs)
