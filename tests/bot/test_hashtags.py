"""Tags as Telegram reads them, and that no answer waits for keywords."""

import pytest

from bot.hashtags import Hashtags, hashtags
from retrieval.types import Article

from .archives import FakeArchive


@pytest.mark.parametrize(
    ("tags", "said"),
    [
        (("口岸", "边境 仓", "口岸"), "#口岸 #边境_仓"),
        (("<b>", "C++", "2021", "5G", "a" * 30), "#5G"),
        (("一", "二三", "四五", "六七", "八九", "十一", "十二"), "#二三 #四五 #六七 #八九 #十一"),
        ((), ""),
    ],
)
def test_tags_become_hashtags(tags: tuple[str, ...], said: str) -> None:
    assert hashtags(Article(id="a", text="", tags=tags)) == said


def test_keywords_are_only_worked_out_when_ready() -> None:
    class Archive(FakeArchive):
        def article(self, article_id: str, *, keywords: bool = True) -> Article | None:
            tags = ("关键词",) if keywords else ()
            return Article(id=article_id, text="", tags=tags) if article_id == "a" else None

    archive = Archive([Article(id="a", text="")])
    tags = Hashtags(archive)
    assert tags.of("a") == ""
    tags.warm()
    assert tags.of("a") == "#关键词"
    assert tags.of("gone") == ""
