"""Real-looking articles in ten formats and ten encodings: no sentence is lost, none is there twice.

The suite takes some hundred; `pytest tests/retrieval/test_nothing_lost.py --articles 3000` takes more.
"""

import gzip
import io
import json
import random
import zipfile
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from html import escape
from pathlib import Path

import opencc
import pytest

from retrieval import Retriever

PLACES = (
    "河湾", "柳河", "山前", "青石", "白沙", "双桥", "东关", "南坪", "石门", "云台",
)
BODIES = (
    "水务局", "农业站", "中学", "医院", "图书馆", "供电所", "档案馆", "商会", "邮局", "林场",
)
DEEDS = (
    "修好了", "关闭了", "买下了", "搬走了", "检查了", "登记了", "出租了", "重建了", "清点了", "捐出了",
)
THINGS = (
    "水泵", "仓库", "书架", "校车", "渔船", "温室", "路灯", "桥墩", "果园", "机床",
)
UNITS = ("台", "座", "间", "辆", "条", "处", "根", "块", "张")
ENDINGS = ("", "，比前一年多", "，没有用公家的钱", "，是附近村民帮的忙", "，花了大约三个月", "，名单贴在门口")
NAMES = ("王蒙", "李铁民", "刘玄逸", "陈平安", "周静", "吴大勇", "郑小满", "孙巧云")
WHEN = ("清早", "半夜", "雨季里", "放假那天", "秋收以后", "开学之前", "下雪的时候", "赶集的日子", "傍晚")
ENGLISH = (
    ("The harbour master", "A retired teacher", "The night nurse", "An old carpenter",
     "The young engineer", "A travelling dentist", "The village choir", "A beekeeper",
     "The lighthouse crew", "An apprentice baker"),
    ("repaired", "auctioned", "photographed", "catalogued", "borrowed", "smuggled", "inspected", "painted",
     "inherited", "measured", "donated", "weighed"),
    ("wooden boats", "brass clocks", "steam pumps", "garden gates", "railway lamps", "silk kites",
     "church bells", "copper kettles", "fishing nets", "rare maps", "iron stoves", "glass bottles"),
    ("near the old mill", "behind the customs house", "under the stone bridge",
     "beside the salt lake", "at the edge of the forest", "on the northern pier",
     "in the flooded quarry", "outside the bus depot"),
)  # fmt: skip
JAPANESE = (
    ("漁師の組合", "駅前の床屋", "町の消防団", "若い大工", "郵便局の職員", "山小屋の番人"),
    ("古い橋", "木の船", "神社の鳥居", "温泉の看板", "井戸の屋根", "時計台", "線路わきの柵"),
    ("修理しました", "塗り直しました", "寄付しました", "調べました", "運び出しました", "買い取りました"),
    ("台風のあとで", "祭りの前に", "雪が溶けてから", "夏休みの間に", "稲刈りの季節に"),
)  # fmt: skip


@dataclass(frozen=True)
class Source:
    """An article as it is written: its title and paragraphs, each a list of sentences."""

    number: int
    title: str
    paragraphs: list[list[str]]
    row: list[str]
    language: str


@cache
def traditional() -> Callable[[str], str]:
    convert = opencc.OpenCC("s2tw").convert
    return lambda text: str(convert(text))


def sentence(chance: random.Random, serial: int, language: str) -> str:
    year, count = chance.randint(1950, 2023), chance.randint(2, 9_999)
    if language == "en":
        who, did, what, where = map(chance.choice, ENGLISH)
        return f"{who} {did} {count} {what} {where} in {year}, as entry {serial} of the register says."
    if language == "ja":
        who, what, did, when = map(chance.choice, JAPANESE)
        return f"{year}年、{when}{who}が{what}を{count}円かけて{did}（記録{serial}番）。"
    who = f"{chance.choice(PLACES)}{chance.choice(BODIES)}"
    deed = f"{chance.choice(DEEDS)}{count}{chance.choice(UNITS)}{chance.choice(THINGS)}"
    said = f"{chance.choice(NAMES)}说：“{who}{chance.choice(WHEN)}{deed}，账本上是第{serial}笔。”"
    plain = f"{year}年{chance.choice(WHEN)}，{who}第{serial}次{deed}{chance.choice(ENDINGS)}。"
    text = chance.choice((plain, plain, said))
    return traditional()(text) if language == "zh-Hant" else text


def sources(count: int) -> list[Source]:
    chance, found, serial = random.Random(7), [], 100
    for number in range(count):
        language = ("zh-Hans", "zh-Hans", "zh-Hans", "zh-Hant", "en", "ja")[number % 6]
        paragraphs = []
        for _ in range(chance.randint(2, 4)):
            paragraphs.append([])
            for _ in range(chance.choice((1, 2, 2, 3, 9))):
                serial += 1
                paragraphs[-1].append(sentence(chance, serial, language))
        title = {"en": f"Bulletin {number}", "ja": f"お知らせ {number}"}.get(language, f"第{number}号通报")
        title = traditional()(title) if language == "zh-Hant" else title
        found.append(Source(number, title, paragraphs, [f"No{number}", f"{serial}.5", "OK"], language))
    return found


def space(source: Source) -> str:
    return " " if source.language == "en" else ""


def markup(source: Source, *, table: bool) -> str:
    """The body as sites write it, with what is no text around it."""
    indent = "" if source.language == "en" else "　　"
    body = "".join(f"<p>{indent}{escape(space(source).join(part))}</p>\n" for part in source.paragraphs)
    if table:
        cells = "".join(f"<td>{cell}</td>" for cell in source.row)
        body += f"<table><tr><td>A</td><td>B</td><td>C</td></tr><tr>{cells}</tr></table>"
    share = "<div class='share-bar'><a href='#'>WeChat</a></div><script>x()</script>"
    return f"<style>.a{{color:red}}</style>{body}{share}"


def front_matter(source: Source) -> str:
    return f"---\ntitle: '{source.title}'\ndate: 2021-07-{source.number % 28 + 1:02} 08:00:00\n---\n"


def hexo(source: Source) -> str:
    return front_matter(source) + markup(source, table=source.number % 4 == 0)


def bare(source: Source) -> str:
    lines = "<br>\n".join(space(source).join(part) for part in source.paragraphs)
    return f"{front_matter(source)}<div>{lines}</div>"


def markdown(source: Source) -> str:
    return front_matter(source) + "\n\n".join(space(source).join(part) for part in source.paragraphs)


def text(source: Source) -> str:
    return "\n\n".join([source.title, *(space(source).join(part) for part in source.paragraphs)]) + "\n"


def page(source: Source) -> str:
    return (
        f"<!DOCTYPE html><html><head><title>{source.title}</title></head><body><nav><a href='/'>A</a></nav>"
        f"<article><h1>{source.title}</h1>{markup(source, table=False)}</article></body></html>"
    )


def record(source: Source) -> dict[str, str]:
    body = "\n".join(space(source).join(part) for part in source.paragraphs)
    return {"_id": f"record-{source.number}", "title": source.title, "text": body}


def entry(source: Source) -> str:
    return (
        f"<item><guid>rss-{source.number}</guid><title>{source.title}</title>"
        f"<description>{escape(markup(source, table=False))}</description></item>"
    )


def atom_entry(source: Source) -> str:
    return (
        f"<entry><id>atom-{source.number}</id><title>{source.title}</title>"
        f"<content type='html'>{escape(markup(source, table=False))}</content></entry>"
    )


def json_item(source: Source) -> dict[str, str]:
    return {"id": f"json-{source.number}", "title": source.title, "content_html": markup(source, table=False)}


FILES: list[tuple[str, Callable[[Source], str]]] = [
    (".md", hexo), (".markdown", bare), (".md", markdown), (".txt", text), (".html", page), (".md.gz", hexo),
]  # fmt: skip
ENCODINGS = {
    "zh-Hans": ("utf-8", "utf-8-sig", "gb18030", "gbk", "utf-16", "utf-16-le", "utf-16-be", "utf-32"),
    "zh-Hant": ("utf-8", "big5", "utf-16", "big5hkscs"),
    "en": ("utf-8", "ascii", "utf-16", "utf-16-le"),
    "ja": ("utf-8", "utf-16", "utf-8-sig", "utf-32"),
}


def write(folder: Path, written: list[Source]) -> Counter[str]:
    """Write the articles: most as files, the others as records, entries and members; counts encodings."""
    used: Counter[str] = Counter()
    together: dict[str, list[Source]] = {name: [] for name in ("jsonl", "rss", "atom", "feed", "zip")}
    for source in written:
        if source.number % 11 > 5:
            together[list(together)[source.number % 11 - 6]].append(source)
            continue
        suffix, form = FILES[source.number % 11]
        encodings = ENCODINGS[source.language]
        encoding = encodings[source.number // 11 % len(encodings)]
        used[encoding] += 1
        content = form(source)
        mark = "\ufeff" if encoding == "utf-16-be" else ""
        data = (mark + content).encode(encoding)
        path = folder / f"{source.number // 100}" / f"{source.number}{suffix}"
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(gzip.compress(data) if suffix.endswith(".gz") else data)
    lines = "\n".join(json.dumps(record(source), ensure_ascii=False) for source in together["jsonl"])
    (folder / "records.jsonl").write_text(lines, encoding="utf-8")
    items = "".join(map(entry, together["rss"]))
    rss = f"<rss version='2.0'><channel><title>R</title>{items}</channel></rss>"
    (folder / "feed.rss").write_text(rss, encoding="utf-16")
    entries = "".join(map(atom_entry, together["atom"]))
    atom = f"<feed xmlns='http://www.w3.org/2005/Atom'><title>A</title>{entries}</feed>"
    (folder / "feed.atom").write_text(atom, encoding="gb18030")
    entries_of_json = list(map(json_item, together["feed"]))
    feed = {"version": "https://jsonfeed.org/version/1.1", "title": "J", "items": entries_of_json}
    (folder / "feed.json").write_text(json.dumps(feed, ensure_ascii=False), encoding="utf-8")
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for source in together["zip"]:
            archive.writestr(f"z/{source.number}.md", hexo(source).encode("utf-8"))
    (folder / "more.zip").write_bytes(packed.getvalue())
    return used


def test_no_sentence_is_lost_and_none_is_there_twice(tmp_path: Path, pytestconfig: pytest.Config) -> None:
    count: int = pytestconfig.getoption("--articles")
    folder = tmp_path / "articles"
    folder.mkdir()
    written = sources(count)
    used = write(folder, written)
    assert len(used) >= 10
    sentences = [one for source in written for part in source.paragraphs for one in part]
    assert len(set(sentences)) == len(sentences)
    with Retriever.open(tmp_path / "index") as retriever:
        report = retriever.sync(folder)
        assert report.failed == ()
        assert (len(report.added), report.duplicates, report.empty) == (count, {}, ())
        stored = texts_by_title(retriever)
        assert sorted(stored) == sorted(source.title for source in written)
        for source in written:
            text = stored[source.title]
            assert [one for part in source.paragraphs for one in part if text.count(one) != 1] == []
            assert not any(word in text for word in ("WeChat", "color:red", "x()", "\ufffd"))
        tables = [s for s in written if s.number % 11 in (0, 5, 10) and s.number % 4 == 0]
        assert tables
        assert [s.row for s in tables if stored[s.title].count(" | ".join(s.row)) != 1] == []
        lost = [one for one in sentences if not found(retriever, one)]
        assert lost == []
        assert retriever.sync(folder).unchanged == count


def texts_by_title(retriever: Retriever) -> dict[str, str]:
    """The passages of each article in one text; each title is there once."""
    found: dict[str, str] = {}
    for article in retriever.articles():
        assert article.title not in found
        found[article.title] = "\n".join(passage.text for passage in retriever.passages(article.id))
    return found


def found(retriever: Retriever, wanted: str) -> bool:
    response = retriever.search(wanted, understand=False, group=False)
    return any(wanted in hit.text for hit in response.hits)
