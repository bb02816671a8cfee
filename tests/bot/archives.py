"""A small archive for the bot's tests: no index, hits by shared character pairs, everything predictable."""

from collections.abc import Iterable
from datetime import UTC, datetime

from bot.archive import Overview
from retrieval.searching import merge_filters
from retrieval.segmentation import split_sentences
from retrieval.types import Article, Filters, Hit, Passage, SearchResponse, Understood

THRESHOLD = 0.5


class FakeArchive:
    """Each paragraph is a passage; its score is the share of the question's character pairs that it has."""

    def __init__(self, articles: Iterable[Article]) -> None:
        self._articles = {article.id: article for article in articles}
        self.questions: list[str] = []
        self.failing = False

    def article(self, article_id: str, *, keywords: bool = True) -> Article | None:
        return self._articles.get(article_id)

    def articles(self, *, order: str = "added", limit: int | None = None) -> Iterable[Article]:
        found = list(self._articles.values())
        if order == "newest":
            found.sort(
                key=lambda each: each.published_at.isoformat() if each.published_at else "", reverse=True
            )
        return found[:limit]

    def passages(self, article_id: str) -> list[Passage]:
        article = self._articles.get(article_id)
        if article is None:
            return []
        first = 1000 * (list(self._articles).index(article_id) + 1)
        return [
            Passage(
                article_id=article_id,
                ordinal=place,
                text=text,
                first_paragraph=place,
                last_paragraph=place,
                id=first + place,
            )
            for place, text in enumerate(article.text.split("\n"))
        ]

    def remove(self, article_id: str) -> None:
        del self._articles[article_id]

    def overview(self) -> Overview:
        dates = [each.published_at.date() for each in self._articles.values() if each.published_at]
        return Overview(len(self._articles), min(dates, default=None), max(dates, default=None))

    def search(
        self,
        query: str,
        *,
        top_k: int = 5,
        offset: int = 0,
        filters: Filters | None = None,
        understand: bool = True,
        group: bool = True,
        mode: str = "hybrid",
    ) -> SearchResponse:
        self.questions.append(query)
        if self.failing:
            raise RuntimeError("the disk is on fire")
        understood: tuple[Understood, ...] = ()
        if understand and "去年" in query:
            start = query.index("去年")
            limits = Filters(after="2020-01-01", before="2020-12-31")
            understood = (Understood(phrase="去年", span=(start, start + 2), filters=limits),)
            query = query.replace("去年", "")
        applied = merge_filters(filters, understood[0].filters if understood else None)
        hits = [
            hit
            for each in self._articles.values()
            if _within(each, applied)
            for hit in self._hits(each, query, group=group)
        ]
        best = sorted(hits, key=lambda hit: -hit.score)
        return SearchResponse(
            query=query,
            answered=bool(best) and best[0].score >= THRESHOLD,
            hits=tuple(best[offset : offset + top_k]),
            total=len(best),
            offset=offset,
            threshold=THRESHOLD,
            filters=applied,
            understood=understood,
        )

    def _hits(self, article: Article, query: str, *, group: bool) -> list[Hit]:
        hits = [self._hit(article, passage, query) for passage in self.passages(article.id)]
        found = sorted((hit for hit in hits if hit.score > 0), key=lambda hit: -hit.score)
        return found[:1] if group else found

    def _hit(self, article: Article, passage: Passage, query: str) -> Hit:
        pairs = {query[place : place + 2].lower() for place in range(len(query) - 1)}
        text = passage.text.lower()
        found = sorted(text.index(pair) for pair in pairs if pair in text)
        sentences = split_sentences(passage.text) or [(0, len(passage.text))]
        shared = [sum(pair in text[start:end] for pair in pairs) for start, end in sentences]
        answer = sentences[shared.index(max(shared))] if found else None
        return Hit(
            passage_id=passage.id,
            article_id=article.id,
            ordinal=passage.ordinal,
            title=article.title,
            text=passage.text,
            score=len(found) / max(1, len(pairs)),
            url=article.url,
            author=article.author,
            source=article.source,
            published_at=article.published_at,
            image=article.image,
            path=article.path,
            categories=article.categories,
            answer=answer,
            highlights=tuple((start, start + 2) for start in found),
        )


def _within(article: Article, filters: Filters | None) -> bool:
    if filters is None:
        return True
    day = article.published_at.date().isoformat() if article.published_at else ""
    return (
        (not filters.article_ids or article.id in filters.article_ids)
        and (not filters.after or str(filters.after) <= day)
        and (not filters.before or "" < day <= str(filters.before))
    )


def article(number: int, title: str, text: str, **fields: object) -> Article:
    """An article with an id, a date in July 2021 and a path made of its number."""
    defaults = {
        "id": f"a{number}",
        "title": title,
        "text": text,
        "source": "黑龙江日报",
        "published_at": datetime(2021, 7, number, 6, 51, tzinfo=UTC),
        "path": f"articles/a{number}.md",
    }
    return Article(**(defaults | fields))  # type: ignore[arg-type]


def river_articles() -> list[Article]:
    """Seven articles on a river port, near enough to each other to fill two pages of hits."""
    return [
        article(
            1,
            "黑河口岸扩建完工",
            "黑河口岸的扩建工程在七月完工。\n口岸建设边境仓5个，俄罗斯海外仓12个。仓库全部投入使用。\n"
            "新的查验大厅每天可以通过两千人。",
            url="https://news.example/heihe?id=1&lang=zh",
            image="https://img.example/1.png",
        ),
        article(2, "海外仓的一天", "海外仓里堆满了货物。\n这座仓库在莫斯科郊外，有三名员工。"),
        article(3, '标题里有 <b>&" 与 😀', '正文也有 <i>&amp; "引号" 和 👩‍👩‍👧 表情。\n口岸的货车排成长队。'),
        article(4, "口岸日志", "口岸今天晴，江面无冰。\n口岸今天通过货车四十辆。"),
        article(5, "口岸食堂", "口岸食堂的饺子二十元一份。"),
        article(
            6, "边境小镇", "小镇离口岸三公里，有一所小学。", published_at=datetime(2020, 3, 1, tzinfo=UTC)
        ),
        article(
            7, "口岸的冬天", "口岸冬天零下三十度。\n货车司机要带足热水。\n什么时候去最好？\n七月去最好。"
        ),
    ]
