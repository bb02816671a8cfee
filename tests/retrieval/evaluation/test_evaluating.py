"""What counts as a right answer."""

import pytest

from retrieval.evaluation.evaluating import ExactAnswer, contains_answer, exact_answer
from retrieval.types import Hit

TEXT = "这个词首次出现于1985年，当时很少有人注意。"


def hit(marked: str, exact: str | None = None) -> Hit:
    def span(words: str) -> tuple[int, int]:
        return TEXT.index(words), TEXT.index(words) + len(words)

    return Hit(
        passage_id=1,
        article_id="a",
        ordinal=0,
        title="",
        text=TEXT,
        score=1.0,
        answer=span(marked),
        exact_answer=span(exact) if exact else None,
    )


@pytest.mark.parametrize(
    ("exact", "answers", "expected"),
    [
        ("1985年", ("1985年",), ExactAnswer(right=True, whole=True)),
        ("1985年", ("1985",), ExactAnswer(right=True, whole=True)),
        ("1985年", ("这个词首次出现于1985年。",), ExactAnswer(right=True, whole=False)),
        ("首次出现于1985年", ("1985",), ExactAnswer(right=False, whole=False)),
        ("首次出现", ("1985年",), ExactAnswer(right=False, whole=False)),
        ("1985年", ("１９８５年", "别的"), ExactAnswer(right=True, whole=True)),
    ],
)
def test_exact_words(exact: str, answers: tuple[str, ...], expected: ExactAnswer) -> None:
    assert exact_answer(hit(TEXT, exact), answers) == expected


def test_where_none_are_given_nothing_is_counted() -> None:
    assert exact_answer(hit(TEXT), ("1985年",)) is None


def test_the_marked_sentence_contains_the_answer_word_for_word() -> None:
    assert contains_answer(hit("首次出现于1985年"), ("1985年", "别的"))
    assert not contains_answer(hit("当时很少"), ("1985年",))
