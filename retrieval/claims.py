"""Which article an item of a collection is: one that came from it before, or a new one under a free id."""

import re
from collections.abc import Callable, Iterable

from retrieval.storage.reading import KnownArticle

_NUMBERED = re.compile(r"~\d+$")


def base_of(identity: str) -> str:
    """The id that an item asked for, of the one that it got."""
    return _NUMBERED.sub("", identity)


class Claims:
    """The articles known from one collection, and which of them its items have claimed so far."""

    def __init__(self, own: Iterable[KnownArticle], is_free: Callable[[str], bool]) -> None:
        self._own = {article.id: article for article in own}
        self._is_free = is_free
        self._variants: dict[str, list[str]] = {}
        for identity in self._own:
            self._variants.setdefault(base_of(identity), []).append(identity)

    def claim(self, wanted: str) -> tuple[str, KnownArticle | None]:
        """The id of the item that asks for `wanted`, and the article that it was before; each only once."""
        mine = [wanted, *self._variants.get(wanted, ())]
        for identity in mine:
            if identity in self._own:
                return identity, self._own.pop(identity)
        number, identity = 1, wanted
        while not self._is_free(identity):
            number += 1
            identity = f"{wanted}~{number}"
        return identity, None

    @property
    def unclaimed(self) -> list[KnownArticle]:
        """The articles that no item was."""
        return list(self._own.values())
