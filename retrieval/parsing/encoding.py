"""Which encoding a file is in: byte order mark, UTF-8, what the markup declares, then its bytes."""

import codecs
import re

_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_DECLARED = re.compile(
    rb"""<meta[^>]{0,200}?charset\s*=\s*["']?\s*([\w-]{2,20})|<\?xml[^>]{0,100}encoding\s*=\s*["']([\w-]{2,20})""",
    re.I,
)
# Superset for subset: pages that say gb2312 use characters of its extensions.
_ALIASES = {
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "gb_2312-80": "gb18030",
    "x-gbk": "gb18030",
    "big5-hkscs": "big5hkscs",
    "big5": "big5hkscs",
    "shift_jis": "cp932",
    "x-sjis": "cp932",
    "iso-8859-1": "cp1252",
    "ascii": "cp1252",
    "us-ascii": "cp1252",
}
_MAX_BROKEN = 0.02
_GB_PAIR = re.compile(rb"[\x81-\xfe](?:[\x40-\x7e\x80-\xfe]|[\x30-\x39][\x81-\xfe][\x30-\x39])")
_GB_COMMON = re.compile(rb"[\xa1-\xa9\xb0-\xd7][\xa1-\xfe]")
_BIG5_PAIR = re.compile(rb"[\x81-\xfe][\x40-\x7e\xa1-\xfe]")
_BIG5_COMMON = re.compile(rb"[\xa1-\xa3\xa4-\xc6][\x40-\x7e\xa1-\xfe]")
_WIDE = re.compile("[\u0800-\ufffc\U00010000-\U0010ffff]")
_HIGH = re.compile("[\x80-\U0010ffff]")
_CONTROL = re.compile("[\x00-\x08\x0e-\x1a\x1c-\x1f\x7f]")
_CJK_HIGH = bytes([0x20, 0x30, *range(0x4E, 0xA0), 0xFF])
_COMMON_CJK = re.compile("[\u2010-\u2026\u3000-\u301f\u4e00-\u9fff\uff01-\uff5e]")
_SAMPLE = 65_536


def decode(data: bytes) -> str:
    """The text of `data`; raises ValueError where it is not text.

    Broken bytes become U+FFFD, as long as they are few.
    """
    text = _decode(data)
    sample = text[:_SAMPLE]
    controls = len(_CONTROL.findall(sample))
    if controls > 8 and controls * 50 > len(sample):
        raise ValueError("this is binary data, not text")
    if sample.count("\ufffd") * 10 > len(sample):
        raise ValueError("the text's encoding is none of UTF-8, UTF-16, GB18030 and Big5")
    return text


def wide_encoding(head: bytes) -> str | None:
    """UTF-16 or UTF-32 (by name, the mark included), where a file's first bytes say so; else None."""
    for mark, name in _BOMS[1:]:
        if head.startswith(mark):
            return name.removesuffix("-le").removesuffix("-be")
    return _utf16_by_zeros(head)


def _decode(data: bytes) -> str:
    for mark, name in _BOMS:
        if data.startswith(mark):
            return data[len(mark) :].decode(name, errors="replace")
    wide = _utf16_by_zeros(data)
    if wide:
        return data.decode(wide, errors="replace")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        pass
    return _eight_bit(data)


def _utf16_by_zeros(data: bytes) -> str | None:
    """UTF-16 without a mark: spaces, line ends and tags leave zeros on one side only."""
    sample = data[:_SAMPLE]
    if b"\x00" not in sample:
        return _utf16_by_script(sample)
    even, odd = sample[::2].count(0), sample[1::2].count(0)
    if odd > 8 * even and odd * 100 > len(sample):
        return "utf-16-le"
    return "utf-16-be" if even > 8 * odd and even * 100 > len(sample) else None


def _utf16_by_script(sample: bytes) -> str | None:
    """UTF-16 without a mark in which not one ASCII character leaves a zero: then it is Chinese throughout,
    which the bytes of no other encoding are when they are read so."""
    if len(sample) < 8 or len(sample) % 2:
        return None
    for name, high in (("utf-16-le", sample[1::2]), ("utf-16-be", sample[::2])):
        if len(high.translate(None, _CJK_HIGH)) * 20 > len(high):
            continue
        if len(_COMMON_CJK.findall(sample.decode(name, errors="replace"))) * 20 >= 19 * len(high):
            return None if _is_utf8(sample) else name
    return None


def _is_utf8(sample: bytes) -> bool:
    try:
        sample[:-4].decode("utf-8")
    except UnicodeDecodeError as error:
        return error.start > len(sample) - 12
    return True


def _eight_bit(data: bytes) -> str:
    declared = _DECLARED.search(data[:4096])
    utf8 = data.decode("utf-8", errors="replace")
    broken = utf8.count("\ufffd")
    # Three bytes in the form of UTF-8 hardly ever come together in another encoding; two do.
    if broken * 3 <= len(_WIDE.findall(utf8)) or broken <= max(1, len(_HIGH.findall(utf8)) * _MAX_BROKEN):
        return utf8
    if declared:
        name = (declared[1] or declared[2]).decode("ascii", errors="replace").lower()
        try:
            return data.decode(_ALIASES.get(name, name))
        except (LookupError, UnicodeDecodeError):
            pass
    return data.decode(_guess(data), errors="replace")


def _guess(data: bytes) -> str:
    """GB18030, Big5 or Windows-1252, by how many of its pairs of bytes are common characters."""
    sample = data[:_SAMPLE]
    pairs = _GB_PAIR.findall(sample)
    if _isolated(sample):
        return "cp1252"
    gb = _share(pairs, _GB_COMMON)
    big5 = _share(_BIG5_PAIR.findall(sample), _BIG5_COMMON)
    return "gb18030" if gb >= big5 else "big5hkscs"


def _isolated(sample: bytes) -> bool:
    """Whether high bytes stand alone between ASCII letters, as accents and typographic quotes do."""
    alone = len(re.findall(rb"(?<![\x80-\xff])[\x80-\xff](?![\x80-\xff])", sample))
    return alone * 10 >= 9 * sum(byte >= 0x80 for byte in sample)


def _share(pairs: list[bytes], common: re.Pattern[bytes]) -> float:
    return sum(common.fullmatch(pair) is not None for pair in pairs) / len(pairs) if pairs else 0.0
