"""An article's keywords by TF-IDF: its tags, where it names none itself."""

import copy
import functools
import warnings
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

_PARTS_OF_SPEECH = ("n", "nr", "ns", "nt", "nz", "ng", "vn", "an", "j", "l", "i", "eng")
"""Nouns of all kinds, verbs and adjectives used as nouns, abbreviations, idioms (jieba's names)."""

_READ = 20_000
_TITLE_WEIGHT = 3


def keywords(text: str, title: str, top: int = 5) -> tuple[str, ...]:
    """The `top` words of most weight in an article, the weightiest first; the title counts three times.

    TF-IDF with jieba's table of inverse document frequencies (Salton and Buckley, "Term-weighting approaches
    in automatic text retrieval", 1988) over the first 20,000 characters. The first call takes the time to
    read that table.
    """
    content = "\n".join([title] * _TITLE_WEIGHT + [text[:_READ]])
    return tuple(_extractor().extract_tags(content, topK=top, allowPOS=_PARTS_OF_SPEECH))


class _Tagger:
    """rjieba in the place of jieba's own tagger: the same dictionary, without its second of loading."""

    def __init__(self) -> None:
        import rjieba

        self._jieba = rjieba.Jieba()

    def cut(self, text: str) -> Iterator[SimpleNamespace]:
        """Words with their parts of speech, as jieba.posseg gives them."""
        for word, flag in self._jieba.tag(text):
            yield SimpleNamespace(word=word, flag=flag)


@functools.cache
def _extractor() -> Any:
    with warnings.catch_warnings():
        # jieba asks for pkg_resources, which warns that it is going away.
        warnings.simplefilter("ignore")
        import jieba.analyse
    extractor = copy.copy(jieba.analyse.default_tfidf)
    extractor.postokenizer = _Tagger()
    return extractor
