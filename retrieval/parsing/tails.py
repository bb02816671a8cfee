"""What sites write below an article: calls to follow, to share and to download, disclaimers, lists of links.

The patterns are phrases that any site uses, matched against a whole line near the end; none names a site.
"""

import re

from retrieval.parsing.blocks import Block, Kind

_MAX_LINE, _MAX_NOTICE = 120, 450
_APPS = "APP|客户端|客戶端|公众号|公眾號|小程序"
_LINES = (
    # Calls to download, scan and follow.
    rf"(?:海量资讯|更多精彩|精彩内容|更多内容|更多资讯|最新资讯|更多新闻).{{0,40}}(?:{_APPS}|关注|下载|点击|扫)",
    rf".{{0,30}}(?:扫描|扫码|掃描|长按|识别|打开|下载|下載).{{0,30}}(?:二维码|{_APPS}|阅读全文|查看全文).{{0,30}}",
    r".{0,20}(?:关注|關注|搜索).{0,24}(?:公众号|公眾號|微信号|官方微信|官方微博|视频号).{0,40}",
    r"(?:Download|Get|Open) (?:our|the|in) .{0,30}\bapp\b.{0,40}",
    r"(?:Follow|Like) us on .{0,60}|(?:Subscribe|Sign up) (?:to|for) (?:our|the) .{0,60}",
    # More to read.
    r"(?:点击|點擊|戳)?.{0,12}(?:查看更多|阅读全文|閱讀全文|查看全文|阅读原文|閱讀原文|查看原文|展开全文|更多精彩.{0,20})[>》›…]*",
    r"返回.{1,8}[，,]\s*查看更多",
    r"(?:Read more|Continue reading|View original|Read the original)\b.{0,60}",
    r"(?:上一篇|下一篇|上一页|下一页|Previous(?: post)?|Next(?: post)?)(?:\s*[:：].{0,80})?",
    r"(?:相关阅读|相关文章|相关新闻|相關閱讀|推荐阅读|延伸阅读|热门推荐|猜你喜欢|为您推荐|"
    r"Related(?: articles| posts)?)\s*[:：]?",
    # Sharing and reacting.
    r"(?:分享到|分享至|分享|Share(?: this)?(?: on)?)\s*[:：]?(?:\s*(?:微信|微博|QQ空间|QQ|朋友圈|新浪微博|"
    r"Facebook|Twitter|X|LinkedIn|WhatsApp|Email|Weibo|WeChat|[|/、·,]))*",
    r"(?:[\s|/、·\d()（）]*(?:点赞|收藏|转发|评论|举报|打赏|赞赏|反馈|分享|复制链接|打印|字号|在看|点亮))+[\s\d()（）:：]*",
)
_NOTICES = (
    r"(?:特别声明|免责声明|版权声明|郑重声明|声明|免責聲明|版權聲明|Disclaimer)\s*[:：].{0,400}",
    r"(?:本文|以上内容|以上文章|文章内容).{0,40}(?:不代表.{0,20}(?:观点|立场)|仅供参考|不构成.{0,10}投资建议).{0,120}",
    r"(?:未经.{0,20}(?:授权|许可)|未經.{0,20}授權).{0,30}(?:转载|使用|轉載).{0,60}",
    r"(?:如需)?(?:转载请|轉載請|如有侵权|版权所有|版權所有).{0,60}",
    r"(?:All rights reserved|Copyright\s*©?\s*\d|©\s*\d).{0,80}",
    r"本文(?:来自|首发于|转载自|授权转载自|系).{0,30}(?:公众号|微信号|网易号|搜狐号|百家号|头条号).{0,60}",
)
_LINE = re.compile("|".join(f"(?:{line})" for line in _LINES), re.I)
_NOTICE = re.compile("|".join(f"(?:{line})" for line in _NOTICES), re.I)
_PHRASE = re.compile(r"\s*(?:返回.{1,8}[，,]\s*查看更多|\s(?:点击查看更多|阅读原文|查看原文))\s*$")


def is_tail_line(text: str) -> bool:
    """Whether a whole line near the end of an article is the site's and not the article's."""
    if len(text) <= _MAX_LINE and _LINE.fullmatch(text):
        return True
    return len(text) <= _MAX_NOTICE and _NOTICE.fullmatch(text) is not None


def cut_tail_phrase(text: str) -> str:
    """The line without a call to read more that is glued to its end."""
    return _PHRASE.sub("", text) if text[-6:].rstrip()[-2:] in ("更多", "原文") else text


def drop_link_lists(blocks: list[Block]) -> None:
    """Take a list of links to other articles off the end of `blocks`, in place, with the label above it.

    Only where most of the text stands outside such lines: a collection of links is an article too.
    """
    end = len(blocks)
    while end and blocks[end - 1].links > 0.9 and _is_title_like(blocks[end - 1]):
        end -= 1
    if end == len(blocks) or end < 2:
        return
    linked = sum(len(b.text) for b in blocks[end:])
    if linked * 2 > sum(len(b.text) for b in blocks[:end]) or (len(blocks) - end == 1 and linked > 60):
        return
    label = blocks[end - 1]
    if len(label.text) <= 12 and end >= 3 and label.text[-1] not in "。！？!?.":
        end -= 1
    del blocks[end:]


def _is_title_like(block: Block) -> bool:
    return (
        block.kind in (Kind.ITEM, Kind.PARAGRAPH)
        and len(block.text) <= 80
        and block.text[-1] not in "。.！!；;"
    )
