"""Known-good settings of models people pick, for those whose own configuration does not say them."""

import re
from dataclasses import dataclass


@dataclass(frozen=True)
class Family:
    """Models whose name matches `pattern`, and what they were trained with.

    Prompts go before the text. `passage_tokens` caps the length of one window where the model
    would accept far more than it was trained to tell apart, or than a processor has time for.
    `own_code` models bring Python code of their own, which the user must trust.
    """

    pattern: str
    query_prompt: str = ""
    passage_prompt: str = ""
    batch_size: int = 32
    passage_tokens: int | None = None
    own_code: bool = False


_E5_TASK = "Instruct: Given a web search query, retrieve relevant passages that answer the query\nQuery: "
_QWEN_TASK = "Instruct: Given a web search query, retrieve relevant passages that answer the query\nQuery:"

FAMILIES = (
    Family(r"bge-(small|base|large)-zh", query_prompt="为这个句子生成表示以用于检索相关文章："),
    Family(
        r"bge-(small|base|large)-en",
        query_prompt="Represent this sentence for searching relevant passages: ",
    ),
    Family(r"bge-m3", batch_size=16, passage_tokens=1024),
    Family(r"multilingual-e5-\w+-instruct", query_prompt=_E5_TASK, batch_size=16),
    Family(r"(^|[/_-])e5-", query_prompt="query: ", passage_prompt="passage: "),
    Family(r"qwen3-embedding", query_prompt=_QWEN_TASK, batch_size=8, passage_tokens=1024),
    Family(r"gte-multilingual", batch_size=16, passage_tokens=1024, own_code=True),
    Family(r"gte-qwen2", query_prompt=_E5_TASK, batch_size=8, passage_tokens=1024),
    Family(r"all-minilm-l6-v2", batch_size=64),
    Family(r"paraphrase-multilingual-minilm", batch_size=64),
)

OTHERS = Family("")


def family_of(name: str) -> Family:
    """Settings for the model called `name` (hub name or folder); OTHERS where none is known."""
    lowered = name.replace("\\", "/").rstrip("/").lower()
    for family in FAMILIES:
        if re.search(family.pattern, lowered):
            return family
    return OTHERS
