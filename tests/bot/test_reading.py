"""Articles page by page: every word on exactly one page, each page within a message."""

from hypothesis import given, settings
from hypothesis import strategies as st

from bot.i18n import Language, texts
from bot.reading import PAGE_UNITS, page_at, page_text, pages, place_of, shown_length
from bot.styled import Style, plain, utf16_length
from bot.telegram_html import ENTITY_LIMIT, MESSAGE_LIMIT, entity_count
from retrieval.types import Article, Passage

SAY = texts(Language.SIMPLIFIED_CHINESE)
long_texts = st.lists(
    st.tuples(st.sampled_from(["字。", "😀", "a b. ", "无标点"]), st.sampled_from([0, 1, 700, 1600])),
    max_size=3,
)


@settings(deadline=None, max_examples=50)
@given(long_texts)
def test_pages_cover_the_text_and_fit(parts: list[tuple[str, int]]) -> None:
    text = "\n".join(word * times for word, times in parts)
    spans = pages(text)
    assert "".join(text[start:end] for start, end in spans) == text
    assert all(shown_length(text[start:end]) <= PAGE_UNITS for start, end in spans)


@settings(deadline=None, max_examples=10)
@given(long_texts, st.sampled_from([1, 34, 400]))
def test_a_page_fits_into_a_message_whatever_the_article(parts: list[tuple[str, int]], headings: int) -> None:
    text = "\n".join([word * times for word, times in parts] + ["短"] * 3 * headings)
    article = Article(
        id="x" * 300, text=text, title="题" * 500, headings=dict.fromkeys(range(headings * 3), 2)
    )
    for number in range(len(pages(text))):
        page = page_text(article, number, None, None, SAY)
        assert utf16_length(page) <= MESSAGE_LIMIT
        assert entity_count(page) <= ENTITY_LIMIT


def test_the_page_shows_headings_and_the_marked_place() -> None:
    article = Article(
        id="a", title="题", text="标题\n第一段。\n第二段。\n第三段。", headings={0: 2}, source="报"
    )
    passage = Passage(article_id="a", ordinal=1, text="第二段。", first_paragraph=2, last_paragraph=2)
    page = page_text(article, 0, place_of(passage, article.text), None, SAY)
    assert plain(page) == "题\n报\n\n标题\n\n第一段。\n\n第二段。\n\n第三段。"
    assert [run.text for run in page if Style.QUOTE in run.styles] == ["第二段。"]
    assert [run.text for run in page if Style.HEADING in run.styles] == ["标题"]


def test_the_page_of_a_position() -> None:
    assert [page_at([(0, 5), (5, 9)], position) for position in (0, 4, 5, 8, 50)] == [0, 0, 1, 1, 1]
