"""Boilerplate by structure: what the markup itself says is not the article.

Class, id and role name share bars, QR codes, advertisements for apps and lists of related articles in
much the same words on every site. A name alone is weak evidence (a whole article may sit in
`class="share-content"`), so how much text there is, and how much of it is links, has to agree.
"""

import re
from collections.abc import Mapping
from functools import lru_cache

from selectolax.lexbor import LexborNode

Attributes = Mapping[str, str | None]

MAX_NOISE = 200
"""Characters of text that a block named as noise may have and still be dropped."""

_MAX_INVISIBLE = 100
_MAX_NAMES = 1_000
_LINK_SHARE = 0.5

_STRONG = re.compile(
    r"qr(?:[-_]?code|[-_]|\b|wrap|img|box)|append_?qr|erweima|ewm|bdshare|share[-_]?(?:bar|box|btn|button|tool|icon|list|wrap|to)|"
    r"(?:social|sns|jia)[-_]?(?:share|this)|app[-_]?(?:down|open|guide|banner|promo)|(?:down|open|launch)(?:load)?[-_]?app|"
    r"\bad(?:s|vert(?:isement|ising)?)?(?:[-_]?(?:box|wrap|banner|slot|container|unit|area|block))?\b|adsbygoogle|"
    r"breadcrumb|crumbs|pagination|pager\b|page-?nav|copyright|disclaimer|statement-?box|sr-only|skip-link|"
    r"(?:wechat|weixin|gzh)[-_]?(?:box|qr|follow|card)|follow[-_]?us|subscribe|newsletter|cookie|popup|modal|toolbar|"
    r"like[-_]?(?:btn|box)|reward|donate|print-?(?:btn|tool)|comments?[-_]?(?:list|area|box|form|section)\b|respond\b",
    re.I,
)
_WEAK = re.compile(
    r"relat(?:ed|e)|recommend|hot[-_]?(?:news|list|article)|more[-_]?(?:news|list|link|read)|read[-_]?more|"
    r"\btags?\b|tag[-_]?(?:list|box|cloud)|keywords?\b|side-?bar|footer|foot\b|\bnav|menu|links?[-_]?(?:list|box)|"
    r"prev[-_]?next|post-?nav|article-?(?:foot|bottom|nav|tool)|share|social|widget|comments?\b",
    re.I,
)
_ROLES = frozenset(
    ("navigation", "banner", "complementary", "contentinfo", "search", "dialog", "menu", "toolbar")
)
_HIDDEN_STYLE = re.compile(r"display\s*:\s*none", re.I)
_INVISIBLE_STYLE = re.compile(
    r"visibility\s*:\s*hidden|(?:^|;)\s*opacity\s*:\s*0(?:\.0*)?\s*(?:;|$)|font-size\s*:\s*0", re.I
)


def is_hidden(node: LexborNode, attributes: Attributes) -> bool:
    """Whether the element is not displayed. Saved pages of some apps make the whole article invisible until a
    script runs, so invisible (unlike not displayed) only counts for a little text."""
    if "hidden" in attributes:
        return True
    style = attributes.get("style")
    if not style:
        return False
    if _HIDDEN_STYLE.search(style):
        return True
    return _INVISIBLE_STYLE.search(style) is not None and len(node.text(deep=True)) < _MAX_INVISIBLE


def is_suspect(tag: str, attributes: Attributes) -> int:
    """How much the element's names and role suggest noise: 2 strongly, 1 weakly, 0 not at all."""
    found = _suspicion(f"{attributes.get('class') or ''} {attributes.get('id') or ''}"[:_MAX_NAMES])
    weak = found or tag in ("nav", "footer", "aside") or attributes.get("role") in _ROLES
    return max(found, int(weak))


@lru_cache(maxsize=1024)
def _suspicion(names: str) -> int:
    """The same of an element's names; a site has the same ones in all its pages."""
    if names != " " and _STRONG.search(names):
        return 2
    return int(_WEAK.search(names) is not None)


def is_noise(node: LexborNode, suspicion: int, length: int) -> bool:
    """Whether a suspect element of `length` characters is noise: little text, or much of it inside links."""
    return (suspicion > 1 and length <= MAX_NOISE) or _share_of_links(node, length) > _LINK_SHARE


def _share_of_links(node: LexborNode, length: int) -> float:
    if length == 0:
        return 1.0
    linked = sum(len(link.text(deep=True, strip=True)) for link in node.css("a"))
    return linked / length
