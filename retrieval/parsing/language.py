"""The language of a text, by its script: enough to filter by and to choose fonts and locales."""

import re

_SAMPLE = 400
_KANA = re.compile("[\u3041-\u3096\u30a1-\u30fa]+")
_HANGUL = re.compile("[\uac00-\ud7a3]+")
_HAN = re.compile("[\u3400-\u4dbf\u4e00-\u9fff]+")
_LATIN = re.compile("[A-Za-z]+")
_OTHER = re.compile("[\u0370-\u1fff]")
# Frequent characters that only one of the two Chinese scripts has.
_TRADITIONAL = re.compile(
    "[國們這個來說時會學經對開關與後從無產點種為發東車馬見長門問題體實將當過還進動機電書話讓義權應該]"
)
_SIMPLIFIED = re.compile(
    "[国们这个来说时会学经对开关与从无产点种为发东车马见长门问题体实将当过还进动机电书话让义权应该]"
)
_SURE = 6  # different characters of one script only
_ENGLISH = re.compile(r"\b(?:the|of|and|to|in|is|that|for|with|are|was|it)\b", re.I)


def detect_language(text: str) -> str | None:
    """A BCP 47 tag: zh-Hans, zh-Hant, ja, ko or en; None where the script does not say."""
    sample = text[:_SAMPLE]
    simplified = len(set(_SIMPLIFIED.findall(text, 0, 200)))
    traditional = len(set(_TRADITIONAL.findall(text, 0, 200)))
    if abs(simplified - traditional) >= _SURE and not _KANA.search(text, 0, 200):
        return "zh-Hans" if simplified > traditional else "zh-Hant"
    han = _count(_HAN, sample)
    kana = _count(_KANA, sample)
    latin = _count(_LATIN, sample) if han < len(sample) // 2 else 0
    if kana * 10 > han + kana and kana * 8 > latin and kana > 1:
        return "ja"
    if han * 2 < len(sample) and _count(_HANGUL, sample) > max(han, latin // 4):
        return "ko"
    if han and han * 4 > latin:
        return "zh-Hant" if traditional > simplified else "zh-Hans"
    if latin and len(_ENGLISH.findall(sample)) * 40 >= latin // 5 and not _OTHER.search(sample):
        return "en"
    return None


def _count(characters: re.Pattern[str], sample: str) -> int:
    return len("".join(characters.findall(sample)))


def canonical_tag(tag: str) -> str | None:
    """A declared language (`zh-CN`, `zh_TW`, `EN-us`) in the tags that `detect_language` gives."""
    parts = re.split(r"[-_]", tag.strip().lower())
    if not re.fullmatch(r"[a-z]{2,3}", parts[0]):
        return None
    if parts[0] == "zh":
        return "zh-Hant" if {"tw", "hk", "mo", "hant"} & set(parts[1:]) else "zh-Hans"
    return {"jp": "ja", "cn": "zh-Hans"}.get(parts[0], parts[0])
