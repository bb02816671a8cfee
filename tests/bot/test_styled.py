"""Styled text: marks survive cleaning and cutting; nothing is cut in the middle of a character."""

from hypothesis import given
from hypothesis import strategies as st

from bot.styled import (
    Run,
    Style,
    clean,
    clip_text,
    cut,
    joined,
    mark,
    one_line,
    plain,
    utf16_length,
    whole_characters,
)

spans = st.lists(st.tuples(st.integers(-2, 40), st.integers(-2, 40)), max_size=4)


def test_marks_cover_their_characters() -> None:
    text = mark(
        "建设边境仓5个，海外仓12个。", {Style.ANSWER: [(2, 14)], Style.EXACT: [(11, 13)]}, Style.QUOTE
    )
    assert [(run.text, run.styles) for run in text] == [
        ("建设", {Style.QUOTE}),
        ("边境仓5个，海外仓", {Style.QUOTE, Style.ANSWER}),
        ("12", {Style.QUOTE, Style.ANSWER, Style.EXACT}),
        ("个", {Style.QUOTE, Style.ANSWER}),
        ("。", {Style.QUOTE}),
    ]


@given(st.text(max_size=40), spans, spans)
def test_marking_keeps_every_shown_character(
    text: str, answers: list[tuple[int, int]], highlights: list[tuple[int, int]]
) -> None:
    marked = mark(text, {Style.ANSWER: answers, Style.HIGHLIGHT: highlights})
    assert plain(marked) == "".join(clean(character) for character in text)


def test_hiding_and_reordering_characters_go() -> None:
    assert clean("a\u202eb\u2066c\x00d\ud800e\tf\r\ng\ufeff") == "abcde f\ngh"[:-1]
    assert clean("👩‍👩‍👧 é ️") == "👩‍👩‍👧 é ️"


def test_marks_stay_right_where_characters_go() -> None:
    marked = mark("\u202e海外\u202e仓十二", {Style.ANSWER: [(4, 7)]})
    assert [(run.text, bool(run.styles)) for run in marked] == [("海外", False), ("仓十二", True)]


def test_lengths_count_utf16_units() -> None:
    assert utf16_length("仓😀") == 3
    assert utf16_length((Run("仓"), Run("😀"))) == 3


@given(st.text(max_size=60), st.integers(2, 70))
def test_a_cut_text_fits(text: str, limit: int) -> None:
    marked = mark(text, {Style.ANSWER: [(3, 20)]}, Style.QUOTE)
    short = cut(marked, limit)
    assert utf16_length(short) <= limit
    if utf16_length(marked) <= limit:
        assert short == marked
    else:
        assert plain(short).endswith("…")
        assert plain(marked).startswith(plain(short)[:-1])


def test_joined_emoji_and_accents_are_not_parted() -> None:
    family = "👩‍👩‍👧"
    assert [whole_characters(f"a{family}b", end) for end in range(8)] == [0, 1, 1, 1, 1, 1, 6, 7]
    assert clip_text("cafe\u0301s", 6) == "caf…" or clip_text("cafe\u0301s", 5) == "caf…"
    assert clip_text("abc", 3) == "abc"


def test_one_line_takes_breaks_and_runs_of_spaces() -> None:
    assert one_line("  一\n 二\u3000\u3000三 ", 10) == "一 二 三"
    assert one_line("一二三四五六", 4) == "一二三…"


def test_neighbours_of_one_kind_are_joined() -> None:
    assert joined([Run("a"), Run(""), Run("b"), Run("c", frozenset({Style.META}))]) == (
        Run("ab"),
        Run("c", frozenset({Style.META})),
    )
