"""What people ask and do not find: alike questions together, and all of them as an evaluation set."""

import io
import json
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from bot.archive import Archive
from bot.state.figures import Gap
from embeddings.encoder import Vectors

_ALIKE = 0.6
_CANDIDATES = 5


@dataclass(frozen=True, slots=True)
class Cluster:
    """Questions that ask much the same, the most frequent first."""

    gaps: tuple[Gap, ...]

    @property
    def times(self) -> int:
        """How often it was asked in one way or another."""
        return sum(gap.times for gap in self.gaps)


def clusters(gaps: Sequence[Gap], encode: Callable[[Sequence[str]], Vectors]) -> list[Cluster]:
    """Questions joined with the first, more frequent one that they are alike; the largest cluster first.

    `encode` gives vectors of length 1, shape (n, dimension); alike is a cosine of 0.6.
    """
    if not gaps:
        return []
    vectors = encode([gap.text for gap in gaps])
    groups: list[list[int]] = []
    for place in range(len(gaps)):
        leaders = vectors[[group[0] for group in groups]] @ vectors[place] if groups else np.zeros(0)
        best = int(np.argmax(leaders)) if len(leaders) else -1
        if best >= 0 and leaders[best] >= _ALIKE:
            groups[best].append(place)
        else:
            groups.append([place])
    found = [Cluster(tuple(gaps[place] for place in group)) for group in groups]
    return sorted(found, key=lambda cluster: -cluster.times)


def evaluation_set(found: Sequence[Cluster], archive: Archive) -> bytes:
    """A zip file in BEIR layout: the questions, the articles that come nearest, and judgements to fill in.

    Each nearest article stands with 0 in qrels/test.tsv: whoever judges writes 1 where it answers.
    """
    queries, judgements, corpus = [], ["query-id\tcorpus-id\tscore"], {}
    texts = [gap.text for cluster in found for gap in cluster.gaps]
    for number, text in enumerate(texts, start=1):
        queries.append({"_id": f"q{number}", "text": text})
        for hit in archive.search(text, top_k=_CANDIDATES).hits:
            article = archive.article(hit.article_id, keywords=False)
            if article is not None:
                name = " ".join(article.id.split())  # a tab would end the column
                corpus[name] = {"_id": name, "title": article.title, "text": article.text}
                judgements.append(f"q{number}\t{name}\t0")
    drawn = io.BytesIO()
    with zipfile.ZipFile(drawn, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("gaps/queries.jsonl", _lines(queries))
        packed.writestr("gaps/corpus.jsonl", _lines(list(corpus.values())))
        packed.writestr("gaps/qrels/test.tsv", "\n".join(judgements) + "\n")
    return drawn.getvalue()


def _lines(rows: Sequence[dict[str, str]]) -> str:
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
