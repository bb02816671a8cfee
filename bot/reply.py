"""What a conversation answers, as values: no surface's markup, no surface's objects."""

from dataclasses import dataclass

from bot.actions import Action
from bot.styled import StyledText


@dataclass(frozen=True, slots=True, kw_only=True)
class Button:
    """A choice under a reply: an action or an address. `key` is what one types for it in the terminal."""

    label: str
    action: Action | None = None
    url: str | None = None
    key: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """One message. `replaces` says that it takes the place of the message whose button was pressed.

    `image` is the picture of the article shown first, `notice` a short line for whoever pressed a button.
    A reply without text is only its notice. `question` is the number of the question it answers, 0 for none.
    """

    text: StyledText = ()
    buttons: tuple[tuple[Button, ...], ...] = ()
    replaces: bool = False
    image: str | None = None
    notice: str = ""
    question: int = 0
