"""Mending markup before it is parsed, so that an HTML parser loses no text, and bounding its cost.

The tree is built in time that grows with the square of its depth and of its unclosed formatting elements;
both are bounded here, by a scan that only runs for documents large enough to matter.
"""

import re

MAX_DEPTH = 500
"""Elements inside one another; real pages stay below 300."""

MAX_TAGS = 100_000
"""Tags of one document; real pages stay below 50,000."""

MAX_ATTRIBUTES = 1_000
"""Attributes of one element; each is compared with all, so their cost is the square of their number."""

_LONG_TAG = re.compile(r"<[A-Za-z](?:[^<>\"']|\"[^\"]*\"|'[^']*'){4000,}+")
_QUOTED_VALUE = re.compile(r"\"[^\"]*\"|'[^']*'")
_SCAN_FROM = 400  # tags: below that no document can be slow
_NAMES = (
    "a abbr acronym address applet area article aside audio b base basefont bdi bdo big blockquote body "
    "br button canvas caption center cite code col colgroup data datalist dd del details dfn dialog dir "
    "div dl dt em embed fieldset figcaption figure font footer form h1 h2 h3 h4 h5 h6 head header hgroup "
    "hr html i iframe img input ins kbd label legend li link main map mark math menu meta meter nav nobr "
    "noscript object ol optgroup option output p param path picture pre progress q rb rp rt rtc ruby s "
    "samp script search section select slot small source span strike strong style sub summary sup svg "
    "table tbody td template textarea tfoot th thead time title tr track tt u ul var video wbr"
)
_TAG_NAME = "|".join(sorted(_NAMES.split(), key=len, reverse=True))
_KNOWN = frozenset((*_NAMES.split(), *(f"/{name}" for name in _NAMES.split())))
_OPENERS = re.compile(r"<(/?[A-Za-z][^\s/<>]*)")
# A `<` before a letter that starts no known element (or one with a hyphen or a colon, as custom ones have) is
# text: List<String>, a<b. One-letter names are tags only where an attribute or the end of the tag follows.
_BARE = r"<(?=[abipqsu]\s)(?![abipqsu]\s+(?:hidden\b|[\w:@.-]+\s*=|/?>))"
_BARE_LETTER = re.compile(_BARE, re.I)
_STRAY = re.compile(
    rf"<(?=/?[A-Za-z])(?!/?(?:(?:{_TAG_NAME})(?=[\s/>])|[a-z][\w.]*[-:][\w.-]*[\s/>]))|{_BARE}", re.I
)
_OBSOLETE = frozenset(("frameset", "plaintext", "xmp", "listing"))
_OBSOLETE_TAG = re.compile(r"</?(?:frameset|plaintext|xmp|listing)\b[^>]*>", re.I)
_SWALLOWING = frozenset(("script", "style", "textarea", "title", "noscript", "iframe"))
_HEXO_RAW = re.compile(r"\{%\s*(?:end)?raw\s*%\}")
_TAG = re.compile(r"<(/?)([A-Za-z][\w:-]*)")
_VOID = frozenset(
    [
        "area",
        "base",
        "br",
        "col",
        "embed",
        "hr",
        "img",
        "input",
        "link",
        "meta",
        "param",
        "source",
        "track",
        "wbr",
        "p",
        "li",
        "td",
        "th",
        "tr",
        "dd",
        "dt",
        "option",
    ]
)
_FORMATTING = frozenset(
    ["a", "b", "big", "code", "em", "font", "i", "nobr", "s", "small", "strike", "strong", "tt", "u"]
)
_FORMATTING_TAG = re.compile(
    r"</?(?:a|b|big|code|em|font|i|nobr|s|small|strike|strong|tt|u)\b(?:[^<>\"']|\"[^\"]*\"|'[^']*')*>", re.I
)


def repair(html: str) -> str:
    """`html` with stray `<` escaped and unclosed comments, scripts and styles opened up.

    Raises ValueError where there are more tags than MAX_TAGS, or they are nested deeper than MAX_DEPTH.
    """
    tags = html.count("<")
    if tags > MAX_TAGS:
        raise ValueError(f"the document has {tags:,} tags and an article may have {MAX_TAGS:,}")
    if "{%" in html:
        html = _HEXO_RAW.sub("", html)
    if html.rfind("<!--") > html.rfind("-->"):
        cut = html.rfind("<!--")
        html = html[:cut] + html[cut + 4 :]
    names = {name.lower() for name in _OPENERS.findall(html)}
    if not names.isdisjoint(_OBSOLETE):
        html = _OBSOLETE_TAG.sub(" ", html)
    if not names <= _KNOWN or _BARE_LETTER.search(html):
        html = _STRAY.sub("&lt;", html)
    for name in names & _SWALLOWING:
        html = _open_up(html, name)
    if len(html) > 4_000:
        _check_attributes(html)
    if tags > _SCAN_FROM:
        html = _bound(html)
    return html


def _open_up(html: str, name: str) -> str:
    """An element of this name that never closes would swallow the rest of the document: cut its start."""
    lower = html.lower()
    start = lower.rfind(f"<{name}")
    if len(lower) != len(html) or start < 0 or lower.find(f"</{name}", start) >= 0:
        return html
    end = html.find(">", start) + 1 or len(html)
    if name in ("script", "style"):
        following = html.find("<", end)
        end = following if following >= 0 else len(html)
    return html[:start] + html[end:]


def _check_attributes(html: str) -> None:
    for match in _LONG_TAG.finditer(html):
        if len(_QUOTED_VALUE.sub(" ", match[0]).split()) > MAX_ATTRIBUTES:
            raise ValueError(f"an element has more than {MAX_ATTRIBUTES:,} attributes")


def _bound(html: str) -> str:
    depth = deepest = unclosed = 0
    for closing, name in _TAG.findall(html):
        tag = name.lower()
        if tag in _FORMATTING:
            unclosed += -1 if closing else 1
        elif tag not in _VOID:
            depth = max(depth - 1, 0) if closing else depth + 1
            deepest = max(deepest, depth)
    if deepest > MAX_DEPTH:
        raise ValueError(f"elements are nested more than {MAX_DEPTH:,} deep")
    # Formatting left open is opened again in every paragraph after it: without it the text is the same.
    return _FORMATTING_TAG.sub("", html) if unclosed > 50 else html
