"""Telegram's HTML out of styled text: what the strict parser reads back is the same text, marked the same."""

from hypothesis import given
from hypothesis import strategies as st

from bot.styled import Run, Style, StyledText, joined, mark, plain, run
from bot.telegram_html import entity_count, is_web_link, to_html

from .api_server import parse_html

links = st.sampled_from(
    [None, 'https://example.org/?a=1&b="2"#:~:text=%E4%BB%93', "articles/a.md", "javascript:x"]
)
runs = st.builds(
    Run,
    st.text("ab <>&\"'仓😀\n", min_size=1, max_size=8),
    st.frozensets(st.sampled_from(list(Style)), max_size=4),
    links,
)


@given(st.lists(runs, max_size=8).map(joined))
def test_telegram_reads_back_the_same_text(text: StyledText) -> None:
    parsed, entities = parse_html(to_html(text))
    assert parsed == plain(text).strip()
    assert len(entities) <= entity_count(text)
    assert not {"articles/a.md", "javascript:x"} & {entity.url for entity in entities}


def test_everything_is_escaped() -> None:
    assert to_html((run('<b>&"', Style.TITLE, link='https://x.org/"<&'),)) == (
        '<a href="https://x.org/&quot;&lt;&amp;"><b>&lt;b&gt;&amp;"</b></a>'
    )


def test_a_quotation_is_one_quotation() -> None:
    text = mark(
        "建设边境仓5个，海外仓12个。", {Style.ANSWER: [(2, 14)], Style.HIGHLIGHT: [(0, 4)]}, Style.QUOTE
    )
    assert to_html(text) == ("<blockquote><u>建设</u><b><u>边境</u>仓5个，海外仓12个</b>。</blockquote>")


def test_only_addresses_of_the_web_are_links() -> None:
    assert is_web_link("https://example.org/文章")
    assert is_web_link("http://localhost:8081/x")
    for bad in (
        None,
        "",
        "articles/a.md",
        "javascript:alert(1)",
        "https://",
        "https://[",
        "ftp://x.org",
        "https://x.org/a b",
        "https://x.org/\x1b",
    ):
        assert not is_web_link(bad)
    assert not is_web_link("https://x.org/" + "a" * 2000)
