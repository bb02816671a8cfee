"""Articles and questions for measurements: made up, or given ones varied until there are enough."""

import html
import json
import random
import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import islice
from pathlib import Path

from retrieval.segmentation import segment
from retrieval.types import Article

_SUBJECTS = ("港口", "铁路", "桥梁", "学校", "医院", "公园", "工厂", "仓库", "机场", "水库", "博物馆", "球场")
_PLACES = ("黑河", "上海", "武汉", "成都", "昆明", "南京", "大连", "厦门", "兰州", "桂林", "苏州", "青岛")
_ACTS = ("建成", "启用", "扩建", "维修", "关闭", "搬迁", "验收", "开工", "停工", "改造")
_CLAUSES = (
    "投资额为{n}万元",
    "占地{n}亩",
    "每天接待{n}人次",
    "共有{n}名职工",
    "距市区{n}公里",
    "使用了{n}吨钢材",
)
_SENTENCE = re.compile(r"(?<=[。！？；])")
_EXCHANGED = 0.4
_FOLDERS = 100


def made_up_articles() -> Iterator[Article]:
    """Endlessly many articles of three paragraphs, alike in form and different in their figures."""
    for number in range(1_000_000_000):
        place, subject = _PLACES[number % 12], _SUBJECTS[number // 12 % 12]
        title = f"{place}第{number}号{subject}{_ACTS[number // 144 % 10]}"
        paragraphs = [
            f"{title}。"
            + "，".join(_clause(number * 18 + 6 * part + place_in) for place_in in range(6))
            + "。"
            for part in range(3)
        ]
        yield Article(id=f"made-up-{number}", title=title, text="\n".join(paragraphs))


def made_up_questions() -> Iterator[str]:
    """Endlessly many questions about them."""
    for number in range(1_000_000_000):
        yield f"{_PLACES[number * 5 % 12]}第{number * 37}号{_SUBJECTS[number * 7 % 12]}占地多少亩？"


def varied(articles: Iterable[Article]) -> Iterator[Article]:
    """The given articles, then endlessly many others made of them: of each article's sentences some are
    exchanged for those of another one, and half of the figures are changed. Always the same ones."""
    given = list(articles)
    if not given:
        yield from made_up_articles()
        return
    yield from given
    sentences = [_SENTENCE.split(article.text) for article in given]
    for turn in range(1, 1_000_000):
        dice = random.Random(turn)  # noqa: S311 (nothing secret)
        for number, article in enumerate(given):
            other = sentences[(number + turn * 9973) % len(given)]
            mixed = [
                other[place % len(other)] if dice.random() < _EXCHANGED else sentence
                for place, sentence in enumerate(sentences[number])
            ]
            text = re.sub(r"\d", lambda digit: _another(digit[0], dice), "".join(mixed))  # noqa: B023
            yield replace(article, id=f"{turn}-{article.id}", text=text)


def write_files(articles: Iterable[Article], folder: Path, *, passages: int) -> int:
    """Write as many articles as have so many passages together to files with front matter; how many."""
    count = files = 0
    supply = iter(articles)
    while count < passages:
        for article in islice(supply, 1):
            count += len(segment(article))
            paragraphs = "\n".join(f"<p>{html.escape(line)}</p>" for line in article.text.splitlines())
            path = folder / f"{files % _FOLDERS:02d}" / f"{files}.md"
            path.parent.mkdir(parents=True, exist_ok=True)
            title = json.dumps(article.title, ensure_ascii=False)
            path.write_text(f"---\ntitle: {title}\n---\n{paragraphs}\n", encoding="utf-8")
            files += 1
    return files


def _another(digit: str, dice: random.Random) -> str:
    return str(dice.randrange(10)) if dice.random() < 0.5 else digit


def _clause(number: int) -> str:
    return _CLAUSES[number % 6].format(n=number * 7919 % 99_991)
