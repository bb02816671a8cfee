"""The analyzer of an index, shared between the retrievers of one process."""

import functools
from pathlib import Path

from retrieval.errors import SettingsError
from retrieval.lexical.analyzer import Analyzer


def analyzer_with(user_dictionary: Path | None) -> Analyzer:
    """The analyzer with these words of the user's; retrievers of one process share it."""
    if user_dictionary is None:
        return _analyzer(None, 0)
    try:
        return _analyzer(user_dictionary.absolute(), user_dictionary.stat().st_mtime_ns)
    except OSError as error:
        raise SettingsError(f"cannot read the user dictionary {user_dictionary}: {error.strerror}") from error


@functools.lru_cache(maxsize=4)
def _analyzer(user_dictionary: Path | None, _changed: int) -> Analyzer:
    return Analyzer(user_dictionary)
