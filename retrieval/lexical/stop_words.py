"""Words of a question that ask rather than name: they say what kind of answer is wanted, not where it is.

All in simplified characters and lower case, as words of the analyzer's segmentation.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


QUESTION_WORDS = _words("""
    什么 什么时候 什么样 什么地方 哪 哪个 哪些 哪里 哪儿 哪位 哪年 哪种 哪一 哪一个 哪一年 哪一位
    哪一种 哪几个 哪家
    谁 谁的 多少 几 几个 几多 多大 多高 多长 多久 多远 多重 多深 多宽 多少个 多少次 多少钱 多少年 多少人
    几时 几年 几次 几种 几点 几岁 何 何时 何地 何处 何人 何事 何种 何者 何谓 为何 如何
    怎么 怎样 怎么样 怎么办 怎么回事 怎么着 怎 咋 咋样 咋办 为什么 为啥 干嘛 干吗
    是否 是不是 有没有 能不能 能否 可否 会不会 可不可以 要不要 好不好 对不对 有无
    吗 嘛 呢 吧 么 啊 呀 哦 哇 啦
    请问 请问一下 请 请教 麻烦 谢谢 多谢 您好 你好 您 你 告诉 告诉我 想问 想问一下 问一下 我想 想知道 知道
    帮我 帮忙 请帮 请告诉 劳驾 说说 介绍一下 一下
""")
"""Interrogatives, particles and politeness."""

FUNCTION_WORDS = _words("""
    的 了 是 在 和 与 及 或 以 于 对 把 被 将 由 从 向 到 为 而 且 之 其 此 该 这 那 有 也 都 就 还 又
    很 最 所 则
    若 因 并 个 着 过 给 让 使 呈 即
""")
"""Words of grammar: everywhere, and so of no help in finding."""

ENGLISH = _words("""
    a an the of in on at to for from by with about as into and or is are was were be been being am do does
    did done has have had can could will would shall should may might must what which who whom whose when
    where why how many much that this these those there it its i you we they he she me my your our their
    please tell
""")

_STOPPED = QUESTION_WORDS | FUNCTION_WORDS


def content_mask(words: Sequence[str]) -> NDArray[np.bool_]:
    """Which characters of the words' concatenation carry weight: shape (characters,)."""
    mask = np.ones(sum(map(len, words)), dtype=bool)
    place = 0
    for word in words:
        if word in _STOPPED:
            mask[place : place + len(word)] = False
        place += len(word)
    return mask
