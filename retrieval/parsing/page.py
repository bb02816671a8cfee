"""Whole web pages: metadata from meta tags and JSON-LD, and the element that holds the article."""

import json
import re
from collections.abc import Iterator
from typing import Any

from selectolax.lexbor import LexborHTMLParser, LexborNode

from retrieval.parsing import html
from retrieval.parsing.articles import Draft, web_address
from retrieval.parsing.blocks import tidy
from retrieval.parsing.dates import parse_date

_MAX_JSON = 500_000
_ARTICLE_TYPES = frozenset(
    (
        "article",
        "newsarticle",
        "blogposting",
        "reportagenewsarticle",
        "report",
        "webpage",
        "scholarlyarticle",
        "techarticle",
    )
)
_TITLE_TAIL = re.compile(r"\s*(?:[_|｜»]|\s[-–—·]\s).{1,40}$")
_BODIES = (
    "[itemprop=articleBody]", "#js_content", "article .entry-content", ".article-content", ".article_content",
    "#artibody", "#article_content", ".post-content", ".entry-content", ".post-body", "#content_area",
    "article", "main", "[role=main]",
)  # fmt: skip
_DATES = (
    "article:published_time", "og:published_time", "og:release_date", "pubdate", "publishdate",
    "datepublished", "date", "dc.date", "weibo: article:create_at", "apub:time",
)  # fmt: skip
_MIN_SHARE = 0.4
_NO_PARAGRAPHS = frozenset(("a", "button", "label", "noscript", "option", "script", "style", "textarea"))


def parse_page(content: str) -> Draft:
    """The article of a page; what the page says about itself comes before what its text suggests."""
    tree = html.parse(content)
    meta = _meta(tree)
    linked = _linked_data(tree)
    body = tree.body
    draft = Draft(
        title=_title(tree, meta, linked),
        url=_url(tree, meta, linked),
        author=_person(linked.get("author")) or meta.get("author", "") or meta.get("article:author", ""),
        source=tidy(
            meta.get("mediaid", "") or meta.get("og:site_name", "") or _person(linked.get("publisher"))
        ),
        published_at=_published(meta, linked),
        tags=_keywords(meta.get("article:tag", "") or meta.get("keywords", "")),
        categories=_keywords(meta.get("article:section", "")),
        image=web_address(meta.get("og:image", "") or meta.get("twitter:image", "")),
        language=_language(tree),
    )
    if web_address(draft.author):
        draft.author = ""
    if body is not None:
        found = html.extract(_main(body))
        if not found.blocks:
            found = html.extract(body, drop_noise=False)
        draft.blocks, draft.image = found.blocks, draft.image or found.image
    return draft


def _meta(tree: LexborHTMLParser) -> dict[str, str]:
    found: dict[str, str] = {}
    for node in tree.css("meta")[:200]:
        attributes = node.attributes
        name = attributes.get("property") or attributes.get("name") or attributes.get("itemprop") or ""
        value = (attributes.get("content") or "").strip()
        if name and value:
            found.setdefault(name.lower(), value[:2_000])
    return found


def _linked_data(tree: LexborHTMLParser) -> dict[str, Any]:
    """The first JSON-LD object that describes an article."""
    for script in tree.css('script[type="application/ld+json"]')[:20]:
        source = script.text(deep=True)
        if len(source) > _MAX_JSON:
            continue
        try:
            loaded = json.loads(source, strict=False)
        except (ValueError, RecursionError):
            continue
        for item in _objects(loaded):
            kinds = item.get("@type")
            kinds = kinds if isinstance(kinds, list) else [kinds]
            if any(isinstance(k, str) and k.lower() in _ARTICLE_TYPES for k in kinds):
                return item
    return {}


def _objects(loaded: Any) -> Iterator[dict[str, Any]]:
    items = loaded if isinstance(loaded, list) else [loaded]
    for item in items[:50]:
        if isinstance(item, dict):
            yield item
            graph = item.get("@graph")
            if isinstance(graph, list):
                yield from (g for g in graph[:50] if isinstance(g, dict))


def _person(value: Any) -> str:
    """A schema.org name: text, an object with a name, or a list of these."""
    if isinstance(value, list):
        return "、".join(
            dict.fromkeys(n for v in value[:10] if not isinstance(v, list) and (n := _person(v)))
        )
    if isinstance(value, dict):
        value = value.get("name")
    return tidy(value)[:200] if isinstance(value, str) and not web_address(value) else ""


def _text(linked: dict[str, Any], *names: str) -> str:
    return next((tidy(v) for n in names if isinstance(v := linked.get(n), str) and v.strip()), "")


def _title(tree: LexborHTMLParser, meta: dict[str, str], linked: dict[str, Any]) -> str:
    stated = meta.get("og:title", "") or _text(linked, "headline") or meta.get("twitter:title", "")
    headings = [h for node in tree.css("h1")[:3] if (h := tidy(node.text(deep=True)))]
    node = tree.css_first("title")
    shown = tidy(node.text(deep=True)) if node is not None else ""
    for heading in headings:
        if heading in (stated or shown):
            return heading
    return tidy(stated) or (headings[0] if len(headings) == 1 else "") or _TITLE_TAIL.sub("", shown) or shown


def _url(tree: LexborHTMLParser, meta: dict[str, str], linked: dict[str, Any]) -> str | None:
    node = tree.css_first('link[rel="canonical"]')
    canonical = (node.attributes.get("href") or "") if node is not None else ""
    main = linked.get("mainEntityOfPage")
    main = main.get("@id") if isinstance(main, dict) else main
    stated = (canonical, meta.get("og:url", ""), _text(linked, "url"), main if isinstance(main, str) else "")
    return next((found for address in stated if (found := web_address(address))), None)


def _published(meta: dict[str, str], linked: dict[str, Any]) -> Any:
    stated = (_text(linked, "datePublished", "dateCreated"), *(meta.get(name, "") for name in _DATES))
    return next((found for text in stated if (found := parse_date(text))), None)


def _keywords(text: str) -> tuple[str, ...]:
    return tuple(
        dict.fromkeys(k for part in re.split(r"[,，、;；|]", text)[:20] if (k := tidy(part)) and len(k) <= 40)
    )


def _language(tree: LexborHTMLParser) -> str:
    node = tree.css_first("html")
    return (node.attributes.get("lang") or "") if node is not None else ""


def _main(body: LexborNode) -> LexborNode:
    """The element that holds the article: a marked one if it has a good share of the text, else the one
    whose own paragraphs have the most text outside links (as Readability scores them)."""
    total = _weight(body)
    for selector in _BODIES:
        nodes = body.css(selector)
        if len(nodes) == 1 and _weight(nodes[0]) >= _MIN_SHARE * total:
            return nodes[0]
    return _densest(body) or body


def _weight(node: LexborNode) -> int:
    """Characters of text outside links and menus."""
    total = 0
    for inner in node.traverse(include_text=True):
        if inner.tag == "-text":
            parent = inner.parent
            if parent is None or parent.tag not in _NO_PARAGRAPHS:
                total += len((inner.text_content or "").strip())
    return total


def _own_text(node: LexborNode) -> int:
    linked = sum(len(a.text(deep=True, strip=True)) for a in node.css("a"))
    return max(len(node.text(deep=True, strip=True)) - 2 * linked, 0)


def _densest(body: LexborNode) -> LexborNode | None:
    scores: dict[int, float] = {}
    nodes: dict[int, LexborNode] = {}
    for paragraph in body.css("p, pre")[:5_000]:
        length = _own_text(paragraph)
        if length < 20:
            continue
        node, share = paragraph.parent, 1.0
        for _ in range(2):
            if node is None or node.tag in ("html", "-document"):
                break
            nodes[node.mem_id] = node
            scores[node.mem_id] = scores.get(node.mem_id, 0.0) + length * share
            node, share = node.parent, share / 2
    if not scores:
        return None
    best = max(scores, key=lambda key: scores[key])
    # Paragraphs spread over sibling sections: then the element around them all holds the article.
    total = sum(_own_text(p) for p in body.css("p, pre")[:5_000])
    return nodes[best] if scores[best] >= 0.6 * total else None
