"""The Bot API's methods by name; the modules beside this one fill the table."""

from collections.abc import Awaitable, Callable
from typing import Any

from .parameters import Params
from .world import World

Method = Callable[[World, Params], Awaitable[Any]]
METHODS: dict[str, Method] = {}
"""Lower-case name → what answers the call."""

COUNTED: set[str] = set()
"""The methods that flood control counts, lower case: those after which people see something new."""


def method(name: str, *, counted: bool = False) -> Callable[[Method], Method]:
    """Answer calls of that name."""

    def register(function: Method) -> Method:
        METHODS[name.lower()] = function
        if counted:
            COUNTED.add(name.lower())
        return function

    return register
