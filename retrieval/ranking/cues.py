"""Which sentences could hold the kind of answer that a question asks for, judged by single characters.

A time has a numeral before 年, 月, 日 …, a number one before its unit, a reason 因, 由于 or 导致, a place a
suffix such as 省 or 河. Kinds without such a mark tell nothing.
"""

import numpy as np
from numpy.typing import NDArray

from retrieval.question import AnswerKind
from retrieval.ranking.symbols import OTHER, SymbolChain

Flags = NDArray[np.bool_]


def _table(characters: str) -> Flags:
    table = np.zeros(OTHER + 1, dtype=np.bool_)
    table[[ord(character) for character in characters]] = True
    return table


_NUMERALS = _table("0123456789一二三四五六七八九十百千万亿两零〇半数多余几")
_TIMES = _table("年月日号时点分秒世代")
_REASONS = _table("因故缘致使于")
_PLACES = _table("省市县区州国岛山河湖海港村镇城路街洲府江亚")


def cued_sentences(kind: AnswerKind, unit: str, chain: SymbolChain) -> Flags | None:
    """Which sentences hold a mark of this kind: shape (sentences,); None where the kind has no mark."""
    codes = chain.codes
    match kind:
        case AnswerKind.TIME:
            marks = _after_numeral(codes, _TIMES)
        case AnswerKind.NUMBER:
            measures = _table(unit[0]) if unit and ord(unit[0]) < OTHER else None
            marks = _NUMERALS[codes] if measures is None else _after_numeral(codes, measures)
        case AnswerKind.REASON:
            marks = _REASONS[codes]
        case AnswerKind.PLACE:
            marks = _PLACES[codes]
        case _:
            return None
    flags = np.zeros(chain.sentences, dtype=np.bool_)
    flags[chain.sentence_of[marks]] = True
    return flags


def _after_numeral(codes: NDArray[np.uint32], wanted: Flags) -> Flags:
    marks = wanted[codes]
    marks[1:] &= _NUMERALS[codes[:-1]]
    marks[:1] = False
    return marks
