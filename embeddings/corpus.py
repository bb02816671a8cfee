"""Articles as training reads them: one array of symbols, with its sentences; and counts of what is in it."""

import gzip
import hashlib
import json
import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from embeddings.alphabet import (
    WORD_CHARACTERS,
    Alphabet,
    Symbols,
    build_alphabet,
    code_points,
    fold_character,
    to_simplified_converter,
)
from embeddings.errors import EncoderError
from embeddings.tokenization import Vocabulary

_SENTENCE_ENDS = "。！？!?；;\n"
_CLOSING = "”’」』）)】》\"'"
_ARTICLES_AT_ONCE = 2000
_FEWEST_CHARACTERS = 3
_FEWEST_SYMBOLS = 20


@dataclass(frozen=True)
class Corpus:
    """Symbols of all articles; sentence i is symbols[sentences[i]:sentences[i + 1]], article k has the
    sentences articles[k] to articles[k + 1]."""

    symbols: Symbols
    sentences: NDArray[np.int64]
    articles: NDArray[np.int64]

    @property
    def count(self) -> int:
        """Number of articles."""
        return len(self.articles) - 1


def read_texts(path: Path) -> list[str]:
    """The field `text` of each line of a JSONL file, which may be compressed by gzip.

    Raises EncoderError where the file cannot be read or holds no articles.
    """
    try:
        texts = list(_texts(path))
    except OSError as error:
        raise EncoderError(f"The training data {path} cannot be read ({error}).") from error
    except (ValueError, KeyError, TypeError) as error:
        raise EncoderError(
            f'The training data {path} must hold one JSON object a line with a field "text" ({error}).'
        ) from error
    if not texts:
        raise EncoderError(
            f"The training data {path} holds no texts of {_FEWEST_SYMBOLS} characters or more."
        )
    return texts


def hash_texts(texts: Sequence[str]) -> str:
    """SHA-256 of all texts, each followed by a zero byte."""
    digest = hashlib.sha256()
    for text in texts:
        digest.update(text.encode("utf-8", "surrogatepass") + b"\0")
    return digest.hexdigest()


def build_corpus(texts: Sequence[str], alphabet: Alphabet) -> Corpus:
    """Texts as symbols, with the places of their sentences."""
    symbols, sentences, articles = [], [], [0]
    at = count = 0
    for first in range(0, len(texts), _ARTICLES_AT_ONCE):
        part = texts[first : first + _ARTICLES_AT_ONCE]
        mine, starts = alphabet.symbols(part)
        begins = _sentence_starts("\n".join(part) + "\n", starts)
        symbols.append(mine)
        sentences.append(begins + at)
        articles += (np.searchsorted(begins, starts[1:]) + count).tolist()
        at += len(mine)
        count += len(begins)
    return Corpus(np.concatenate(symbols), np.append(np.concatenate(sentences), at), np.array(articles))


def build_vocabulary(
    texts: Sequence[str], *, pairs: int, words: int, classes: int
) -> tuple[Vocabulary, Corpus]:
    """The vocabulary of the texts' most frequent pairs and words, and the texts as a corpus."""
    alphabet = build_alphabet(_frequent_characters(texts))
    corpus = build_corpus(texts, alphabet)
    vocabulary = Vocabulary(
        alphabet, _frequent_pairs(corpus, alphabet, pairs), _frequent_words(texts, words), classes
    )
    return vocabulary, corpus


def _texts(path: Path) -> Iterator[str]:
    with path.open("rb") as raw, gzip.open(raw) if path.suffix == ".gz" else nullcontext(raw) as lines:
        for line in lines:
            text = json.loads(line)["text"]
            if len(text) >= _FEWEST_SYMBOLS:
                yield text


def _sentence_starts(text: str, starts: NDArray[np.int64]) -> NDArray[np.int64]:
    """Where sentences start, the first of each text included: sorted, distinct."""
    points = code_points(text)
    is_end = np.isin(points, code_points(_SENTENCE_ENDS))
    is_tail = is_end | np.isin(points, code_points(_CLOSING))
    after_end = is_end.copy()
    # Closing quotation marks right after an end belong to the sentence that ends.
    after_end[1:] |= is_tail[1:] & is_end[:-1]
    begins = np.flatnonzero(after_end[:-1] & ~is_tail[1:]) + 1
    return np.union1d(begins, starts[:-1])


def _frequent_characters(texts: Sequence[str]) -> list[str]:
    """Folded letters of the texts, most frequent first, then those of GB 2312 that did not occur."""
    counts: Counter[int] = Counter()
    for first in range(0, len(texts), _ARTICLES_AT_ONCE):
        points, numbers = np.unique(
            code_points("".join(texts[first : first + _ARTICLES_AT_ONCE])), return_counts=True
        )
        counts.update(dict(zip(points.tolist(), numbers.tolist(), strict=True)))
    to_simplified = to_simplified_converter()
    folded: Counter[str] = Counter()
    for point, number in counts.items():
        character = fold_character(chr(point), to_simplified)
        if character and character not in WORD_CHARACTERS and unicodedata.category(character)[0] == "L":
            folded[character] += number
    frequent = [c for c, number in folded.most_common() if number >= _FEWEST_CHARACTERS]
    return list(dict.fromkeys([*frequent, *_gb2312(to_simplified)]))


def _gb2312(to_simplified: Callable[[str], str]) -> list[str]:
    rows = [bytes([high, low]) for high in range(0xB0, 0xF8) for low in range(0xA1, 0xFF)]
    characters = (fold_character(row.decode("gb2312", "ignore"), to_simplified) for row in rows)
    return [character for character in characters if character]


def _frequent_pairs(corpus: Corpus, alphabet: Alphabet, number: int) -> list[str]:
    first, count = alphabet.first_character, len(alphabet.characters)
    is_character = corpus.symbols >= first
    places = np.flatnonzero(is_character[:-1] & is_character[1:])
    left = corpus.symbols[places].astype(np.int64) - first
    codes = left * count + (corpus.symbols[places + 1].astype(np.int64) - first)
    distinct, numbers = np.unique(codes, return_counts=True)
    best = distinct[np.argsort(-numbers, kind="stable")[:number]].tolist()
    characters = alphabet.characters
    return [characters[code // count] + characters[code % count] for code in best]


def _frequent_words(texts: Sequence[str], number: int) -> list[str]:
    """Single characters first (so that every word can be cut), then whole words, then pieces of words."""
    counts: Counter[str] = Counter()
    for text in texts:
        counts.update(re.findall("[a-z0-9]+", text.lower()))
    whole = [word for word, _ in counts.most_common() if 1 < len(word) <= 32][:number]
    pieces: Counter[str] = Counter()
    for word in counts:
        pieces.update(word[i : i + 3] for i in range(len(word) - 2))
    letters, digits = WORD_CHARACTERS[:26], WORD_CHARACTERS[26:36]
    two = [a + b for a in letters for b in letters] + [a + b for a in digits for b in digits]
    three = [piece for piece, _ in pieces.most_common(number // 3)]
    return list(dict.fromkeys([*WORD_CHARACTERS, *whole, *two, *three]))
