"""Fuzzing the parsers: inputs mutated from the golden files, and from collections made here, must parse or be
refused; whatever else happens is a fault.

    python tests/retrieval/parsing/fuzzing.py --inputs 100000

prints one JSON object and exits with 1 where an input ended in an uncaught exception, took over a second of
the processor's time, or memory passed 500 MB. `--only NUMBER` repeats a single input.
"""

import argparse
import faulthandler
import gzip
import io
import json
import random
import resource
import sys
import time
import traceback
import zipfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from retrieval.errors import ArticleError
from retrieval.parsing import parse_file
from retrieval.parsing.collections import Collection, Item
from retrieval.parsing.forms import Form
from retrieval.parsing.jsonl import parse_line
from retrieval.segmentation import segment

GOLDEN = Path(__file__).resolve().parents[2] / "golden"
MOST_SECONDS = 1.0
MOST_MEMORY = 500_000_000
_SUFFIXES = (".md", ".html", ".txt", "", ".markdown")
_ENCODINGS = ("gb18030", "big5", "utf-16", "utf-16-le", "utf-32", "utf-8-sig", "cp1252", "shift_jis")
_WORDS = (
    "---\n|+++\n|;;;\n|title: |title: '|title: \"|date: |- |- - - |[|]|{|}|&|"
    "*a|!!python/object:os.system |<|>|</|<!--|-->|<style>|<script>|</p>|<p>|<div>|</div>|"
    "<table>|<tr>|<td>|<li>|<pre>|<b>|<a href='|<h2>|<br>|<font color=red>|<plaintext>|"
    "<xmp>|<svg>|<math>|<template>|<select>|<![CDATA[|]]>|&#123;|&#xFFFFFFFF;|&nbsp;|"
    "&amp;lt;|\u2028|\u3000|\ufeff|\u202e|\U0001f600|“|”|。|；|来源：|责任编辑：|原标题：|查看更多|"
    "```\n|# |**|![](|](|\r\n|\u0000|\u001b|{%|%}|{{<|Mr. |2021-13-45|"
    "999999999999999999999999999999|{\"_id\": \"|\"text\": \"|\\ud800|\"items\": [|<rss>|"
    "<item>|\"version\": \"https://jsonfeed.org/version/1\"|<entry>|"
    "<!DOCTYPE a [<!ENTITY b 'c'>]>|<content:encoded>|"
    "<?xml version='1.0' encoding='gb2312'?>|charset=|display:none"
)
_TABLE = "| a | b |\n|---|---|\n"
_BYTES = [b"\xff\xfe", b"\xfe\xff", b"\x81", b"\xff" * 8, b"PK\x03\x04", b"\x1f\x8b"]
_TOKENS = [*(word.encode() for word in (*_WORDS.split("|"), _TABLE)), *_BYTES]


@dataclass(slots=True)
class Outcome:
    """What came of a run; `faults` has the number of the input and the end of the traceback."""

    inputs: int = 0
    parsed: int = 0
    refused: int = 0
    slowest_seconds: float = 0.0
    slowest_input: int = -1
    faults: list[tuple[int, str]] = field(default_factory=list)


def seeds() -> list[tuple[str, bytes]]:
    """(name, content) of what is mutated."""
    found = [
        (path.name, path.read_bytes())
        for path in sorted(GOLDEN.iterdir())
        if path.suffix != ".json" and path.stat().st_size < 50_000
    ]
    article = (GOLDEN / "seed-format.md").read_bytes()
    page = (GOLDEN / "page.html").read_bytes()
    html = "<p>　　第一段。</p><table><tr><td>甲</td><td>乙</td></tr></table>"
    record = {"_id": "r1", "title": "题", "text": "一行。\n二行。", "metadata": {"url": "https://a.example/1"}}
    own = {"id": "r2", "html": html, "date": "2021-10-28", "tags": ["甲", "乙"], "author": "王"}
    lines = "\n".join(json.dumps(one, ensure_ascii=False) for one in (record, own)).encode()
    rss = (
        '<?xml version="1.0"?><rss version="2.0" xmlns:content="http://purl.org/rss/1.0/modules/content/">'
        "<channel><title>站</title><link>https://a.example/</link><item><guid>1</guid><title>题</title>"
        "<link>/1</link><pubDate>Mon, 19 Jul 2021 06:51:46 GMT</pubDate><content:encoded><![CDATA["
        f"{html}]]></content:encoded></item></channel></rss>"
    ).encode()
    atom = (
        '<feed xmlns="http://www.w3.org/2005/Atom"><title>站</title><entry><id>u</id><title>题</title>'
        '<updated>2021-10-28T14:08:07Z</updated><content type="xhtml"><div>'
        f"{html}</div></content></entry></feed>"
    ).encode()
    item = {"id": "4", "content_html": html, "title": "四", "authors": [{"name": "李"}], "tags": ["甲"]}
    version = "https://jsonfeed.org/version/1.1"
    feed = json.dumps({"version": version, "title": "站", "items": [item]}).encode()
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, content in (("a/1.md", article), ("r.jsonl", lines), ("f.rss", rss), ("p.html", page)):
            packed.writestr(name, content)
    collections = [
        ("c.jsonl", lines), ("f.rss", rss), ("f.atom", atom), ("f.json", feed), ("a.zip", archive.getvalue()),
        ("c.jsonl.gz", gzip.compress(lines)), ("m.md.gz", gzip.compress(article)),
    ]  # fmt: skip
    return found + collections * 4


def mutated(number: int, origin: list[tuple[str, bytes]]) -> tuple[str, bytes]:
    """Input `number`: always the same for the same seeds."""
    chance = random.Random(number)
    name, data = chance.choice(origin)
    for _ in range(chance.choice((1, 1, 2, 3, 5, 12))):
        data = chance.choice(_MUTATIONS)(data, chance, origin)[:200_000]
    return name, data


def attempt(name: str, data: bytes, chance: random.Random) -> bool:
    """Parse one input the way a sync does; whether anything came of it. Only ArticleError is caught."""
    form = {".jsonl": Form.RECORDS, ".zip": Form.ARCHIVE, ".rss": Form.FEED, ".atom": Form.FEED,
            ".json": Form.FEED}.get(Path(name.removesuffix(".gz")).suffix)  # fmt: skip
    try:
        if form is None:
            path = Path(name.removesuffix(".gz")).stem + chance.choice(_SUFFIXES)
            segment(parse_file(data, path=path, article_id="x"))
            return True
        parsed = False
        for item in Collection(path=name, relative=name, form=form, content=data).items():
            parsed |= isinstance(item, Item) and _item(item)
        return parsed
    except ArticleError as error:
        if "\n" in str(error):
            raise ValueError("an error is one line") from error
        return False


def _item(item: Item) -> bool:
    try:
        article = item.article
        if article is None and item.line is not None:
            article = parse_line(item.data, path=item.path, line=item.line)
        segment(article or parse_file(item.data, path=item.path, article_id=item.identity))
    except ArticleError:
        return False
    return True


def run(numbers: range, *, told: Callable[[Outcome], None] = lambda _: None) -> Outcome:
    """Try these inputs."""
    outcome, origin = Outcome(), seeds()
    for number in numbers:
        name, data = mutated(number, origin)
        started = time.process_time()
        try:
            parsed = attempt(name, data, random.Random(number))
        except Exception:
            outcome.faults.append((number, traceback.format_exc(limit=-3)))
        else:
            outcome.parsed += parsed
            outcome.refused += not parsed
        seconds = time.process_time() - started
        if seconds > outcome.slowest_seconds:
            outcome.slowest_seconds, outcome.slowest_input = seconds, number
        outcome.inputs += 1
        told(outcome)
    return outcome


def _cut(data: bytes, chance: random.Random, _: Any) -> bytes:
    first, last = sorted((_place(data, chance), _place(data, chance)))
    return data[:first] + data[last:] if chance.random() < 0.7 else data[:last]


def _flip(data: bytes, chance: random.Random, _: Any) -> bytes:
    changed = bytearray(data)
    for _number in range(min(len(changed), chance.choice((1, 2, 8, 64)))):
        changed[chance.randrange(len(changed))] = chance.randrange(256)
    return bytes(changed)


def _insert(data: bytes, chance: random.Random, _: Any) -> bytes:
    place = _place(data, chance)
    return data[:place] + chance.choice(_TOKENS) + data[place:]


def _repeat(data: bytes, chance: random.Random, _: Any) -> bytes:
    first = _place(data, chance)
    piece = chance.choice((chance.choice(_TOKENS), data[first : first + chance.choice((1, 4, 40))]))
    return data[:first] + piece * chance.choice((2, 30, 400, 5_000)) + data[first:]


def _splice(data: bytes, chance: random.Random, origin: list[tuple[str, bytes]]) -> bytes:
    other = chance.choice(origin)[1]
    return data[: _place(data, chance)] + other[_place(other, chance) :]


def _swap(data: bytes, chance: random.Random, _: Any) -> bytes:
    first, second, third = sorted(_place(data, chance) for _number in range(3))
    return data[:first] + data[second:third] + data[first:second] + data[third:]


def _recode(data: bytes, chance: random.Random, _: Any) -> bytes:
    text = data.decode("utf-8", "replace")
    return text.encode(chance.choice(_ENCODINGS), "ignore")


def _repack(data: bytes, chance: random.Random, _: Any) -> bytes:
    """Mutates what is inside a packed file, too."""
    try:
        inner = _insert(gzip.decompress(data), chance, _)
    except (OSError, EOFError, ValueError):
        return _flip(data, chance, _)
    except Exception:  # zlib.error
        return data
    return gzip.compress(inner, 1)


def _place(data: bytes, chance: random.Random) -> int:
    return chance.randint(0, len(data))


_MUTATIONS = (_cut, _flip, _insert, _insert, _repeat, _splice, _swap, _recode, _repack)


def main() -> None:
    """The script."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--inputs", type=int, default=100_000)
    options.add_argument("--first", type=int, default=0)
    options.add_argument("--only", type=int)
    given = options.parse_args()
    numbers = range(given.first, given.first + given.inputs)
    if given.only is not None:
        numbers = range(given.only, given.only + 1)
    faulthandler.enable()

    def told(outcome: Outcome) -> None:
        faulthandler.dump_traceback_later(60, exit=True)
        if outcome.inputs % 10_000 == 0:
            print(f"{outcome.inputs:,} inputs, {len(outcome.faults)} faults", file=sys.stderr, flush=True)

    outcome = run(numbers, told=told)
    faulthandler.cancel_dump_traceback_later()
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    print(json.dumps({
        "inputs": outcome.inputs, "parsed": outcome.parsed, "refused": outcome.refused,
        "faults": len(outcome.faults), "slowest_ms": round(outcome.slowest_seconds * 1000),
        "slowest_input": outcome.slowest_input, "peak_memory_mb": round(memory / 1e6),
    }))  # fmt: skip
    for number, trace in outcome.faults[:10]:
        print(f"input {number}:\n{trace}", file=sys.stderr)
    if outcome.faults or outcome.slowest_seconds > MOST_SECONDS or memory > MOST_MEMORY:
        sys.exit(1)


if __name__ == "__main__":
    main()
