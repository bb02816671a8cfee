"""Highlights of a question's words, in the script of the text."""

from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retrieval.highlighting import highlights
from retrieval.lexical.analyzer import Analyzer
from retrieval.question import understand

ANALYZER = Analyzer()
NOW = datetime(2026, 11, 25)


def marked(question: str, text: str) -> list[str]:
    return [
        text[a:b] for a, b in highlights(understand(question, now=NOW), ANALYZER.normalise(text), ANALYZER)
    ]


@pytest.mark.parametrize(
    ("question", "text", "expected"),
    [
        ("軟體在哪裡", "这个软件很好", ["软件"]),
        ("软件在哪里", "這個軟體很好", ["軟體"]),
        ("计程车司机", "出租车里的司機", ["出租车", "司機"]),
        ("下载影片", "怎样下載視頻？", ["下載視頻"]),
        ("ＧＰＴ－４是什么", "GPT-4与gpt4，不是GPT-40。", ["GPT-4", "gpt4"]),
        ("2178400人", "共２，１７８，４００人", ["２，１７８，４００"]),
        ("8月16日", "2021年8月16日开幕", ["2021年8月16日"]),
        ("harbour", "Harbours, harboured; HARBOUR", ["Harbours", "HARBOUR"]),
        ("art of war", "party started", []),
        ("四个协同是什么", "是什么？四个协同。", ["四个协同"]),
        ("近視眼鏡", "近视的人", ["近视"]),
        ("隨身碟的容量", "这个U盘里", ["U盘"]),
        ("什么", "没有什么", ["什么"]),
        ("黑河", "", []),
    ],
)
def test_highlights(question: str, text: str, expected: list[str]) -> None:
    assert marked(question, text) == expected


@given(st.text(max_size=30), st.text(max_size=80))
def test_spans_are_in_order_and_apart(question: str, text: str) -> None:
    previous = -1
    for start, end in highlights(understand(question, now=NOW), ANALYZER.normalise(text), ANALYZER):
        assert previous < start < end <= len(text)
        previous = end
