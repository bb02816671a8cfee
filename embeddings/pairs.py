"""Training pairs without labels: out of a passage, something that a person could ask to find it.

Three kinds. *Context*: a sentence, taken out of its passage (inverse cloze; Lee et al. 2019,
arXiv:1906.00300), teaches what belongs together. *Paraphrase*: what is left of a sentence, still in its
passage, after dropping words: questions share words with their answers. *Keywords*: a few short pieces from
anywhere in the passage, as people type into search boxes. To paraphrases and keywords question words are
added by rule, so that those come to weigh nothing.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from embeddings.alphabet import SEPARATOR, Alphabet, Symbols, code_points
from embeddings.corpus import Corpus

_ABOUT_THINGS = "什么 是什么 的是什么 因为什么 之一是什么 叫什么 什么名字 被称为什么 什么意思 什么样的 有什么"
_ABOUT_CHOICES = (
    "哪些 有哪些 哪个 是哪个 哪一个 哪几个 哪两个 哪一 哪 哪种 何种 哪位 哪座 哪国 哪里 在哪里 位于哪里"
)
_ABOUT_NUMBERS = "多少 是多少 多大 几 第几 多少钱 多久 多长时间 何时 什么时候 是什么时候 哪一年 谁 是谁 谁的"
_ABOUT_REASONS = "为什么 为何 怎么 如何 怎样 怎么样 怎么办 的方法 作用 区别 好不好 好吗 何 吗 呢 请问"
QUESTION_WORDS = f"{_ABOUT_THINGS} {_ABOUT_CHOICES} {_ABOUT_NUMBERS} {_ABOUT_REASONS}".split()

_SHORTEST_SENTENCE = 4
_LONGEST_CONTEXT = 120
_LONGEST_PARAPHRASE = 40
_SHARE_KEPT = 0.6


@dataclass(frozen=True)
class PairSettings:
    """How pairs are made: shares of the three kinds, passage lengths in characters."""

    context: float = 0.35
    paraphrase: float = 0.35
    keywords: float = 0.30
    shortest: int = 60
    longest: int = 260
    siblings: int = 1
    """Passages of each article in a batch: those of one article are negatives that are hard to tell apart."""


@dataclass(frozen=True)
class PairBatch:
    """Symbols of all questions and of all passages, a separator after each, and their starts: (n + 1,)."""

    questions: tuple[Symbols, NDArray[np.int64]]
    passages: tuple[Symbols, NDArray[np.int64]]


class PairMaker:
    """An endless stream of batches; the same seed gives the same stream."""

    def __init__(self, corpus: Corpus, alphabet: Alphabet, settings: PairSettings, seed: int) -> None:
        self._corpus = corpus
        self._settings = settings
        self._random = np.random.default_rng(seed)
        self._question_words = [alphabet.table[code_points(word)] for word in QUESTION_WORDS]
        shares = np.array([settings.context, settings.paraphrase, settings.keywords])
        self._shares = np.cumsum(shares / shares.sum())

    def batches(self, size: int) -> Iterator[PairBatch]:
        """Batches of about `size` pairs: every article once before any comes again."""
        wanted = max(1, min(self._corpus.count, size // self._settings.siblings))
        while True:
            order = self._random.permutation(self._corpus.count)
            for first in range(0, len(order) - wanted + 1, wanted):
                yield self._batch(order[first : first + wanted])

    def _batch(self, articles: NDArray[np.int64]) -> PairBatch:
        questions, passages = [], []
        for article in articles.tolist():
            for _ in range(self._settings.siblings):
                question, passage = self._pair(article)
                questions.append(question)
                passages.append(passage)
        return PairBatch(_joined(questions), _joined(passages))

    def _pair(self, article: int) -> tuple[Symbols, Symbols]:
        passage, begin, end = self._passage(article)
        kind = self._random.random()
        if kind < self._shares[0] and end - begin < 0.7 * len(passage):
            question = passage[begin : min(end, begin + _LONGEST_CONTEXT)].copy()
            passage[begin:end] = SEPARATOR
            return question, passage
        if kind < self._shares[1]:
            return self._asked(self._paraphrase(passage[begin:end].copy())), passage
        return self._asked(self._keywords(passage.copy())), passage

    def _passage(self, article: int) -> tuple[Symbols, int, int]:
        """Some sentences in a row, and the place of one of them."""
        corpus, settings, random = self._corpus, self._settings, self._random
        first, last = int(corpus.articles[article]), int(corpus.articles[article + 1])
        sentence = int(random.integers(first, last))
        length = int(random.integers(settings.shortest, settings.longest))
        start = int(corpus.sentences[sentence])
        until = int(np.searchsorted(corpus.sentences, start + length))
        until = min(max(until, sentence + 1), last)
        end = min(int(corpus.sentences[until]), start + 2 * settings.longest)
        chosen = int(random.integers(sentence, until))
        begin = int(corpus.sentences[chosen]) - start
        finish = min(int(corpus.sentences[chosen + 1]), end) - start
        if finish - begin < _SHORTEST_SENTENCE:
            begin, finish = 0, end - start
        return corpus.symbols[start:end].copy(), begin, finish

    def _paraphrase(self, sentence: Symbols) -> Symbols:
        """A stretch of the sentence with pieces of one to six characters dropped."""
        random = self._random
        if len(sentence) > _LONGEST_PARAPHRASE:
            start = int(random.integers(0, len(sentence) - 25))
            sentence = sentence[start : start + int(random.integers(15, _LONGEST_PARAPHRASE))]
        place = 0
        while place < len(sentence):
            if random.random() < _SHARE_KEPT:
                place += int(random.integers(2, 8))
            else:
                length = int(random.integers(1, 7))
                sentence[place : place + length] = SEPARATOR
                place += length
        return sentence

    def _keywords(self, passage: Symbols) -> Symbols:
        """Two to four pieces of two to five characters."""
        random = self._random
        kept = np.zeros(len(passage), dtype=bool)
        for _ in range(int(random.integers(2, 5))):
            start = int(random.integers(0, max(1, len(passage) - 3)))
            kept[start : start + int(random.integers(2, 6))] = True
        passage[~kept] = SEPARATOR
        return passage

    def _asked(self, words: Symbols) -> Symbols:
        """Most often with a question word: behind, before, or where something was dropped."""
        random = self._random
        question = self._question_words[int(random.integers(len(self._question_words)))]
        how = random.random()
        if how < 0.25:
            return words
        if how < 0.6:
            return np.concatenate([words, question])
        gaps = np.flatnonzero(words == SEPARATOR)
        if how < 0.7 or not len(gaps):
            return np.concatenate([question, words])
        gap = int(gaps[int(random.integers(len(gaps)))])
        return np.concatenate([words[:gap], question, words[gap:]])


def _joined(texts: list[Symbols]) -> tuple[Symbols, NDArray[np.int64]]:
    starts = np.zeros(len(texts) + 1, dtype=np.int64)
    np.cumsum([len(text) + 1 for text in texts], out=starts[1:])
    joined = np.full(int(starts[-1]), SEPARATOR, dtype=np.uint16)
    for text, start in zip(texts, starts.tolist(), strict=False):
        joined[start : start + len(text)] = text
    return joined, starts
