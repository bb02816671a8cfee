"""Who may use the bot."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Welcome:
    """Numbers of Telegram users and chats. Without a list of users or chats everyone is welcome."""

    admins: frozenset[int] = frozenset()
    users: frozenset[int] = frozenset()
    chats: frozenset[int] = frozenset()

    def __call__(self, user: int | None, chat: int | None) -> bool:
        """Whether somebody may use the bot in a chat: a listed user anywhere, anyone in a listed chat."""
        if not self.users and not self.chats:
            return True
        return user in self.users | self.admins or chat in self.chats
