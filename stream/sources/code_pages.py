"""Text of unknown encoding into words: by the marks and patterns of Unicode, else by the likeliest code page.

Subtitles are often shorter than what detectors by statistics need. So pages are told apart by what is certain of
languages: which letters each has beside plain ones, how often those of other alphabets occur, and that no capital
stands within a word.
"""

from __future__ import annotations

import codecs
import math
import re
import unicodedata
from collections.abc import Callable

_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
# So much of a text tells its encoding.
_SAMPLE_BYTES = 20_000
# Letters beside a to z of languages in Latin letters, by code page; the likelier first, where nothing tells.
_LATIN = (
    ("cp1252", "éèàêçôîâûùëïüœæ"),  # French
    ("cp1252", "äöüß"),
    ("cp1252", "áéíóúñü"),  # Spanish
    ("cp1252", "ãáéíóúâêôõçà"),  # Portuguese
    ("cp1252", "àèéìòùî"),  # Italian
    ("cp1252", "åäöéü"),  # Swedish, Finnish
    ("cp1252", "æøåé"),  # Norwegian, Danish
    ("cp1252", "ëéïöüèêàáíóú"),  # Dutch
    ("cp1252", "àèéíïòóúüç"),  # Catalan
    ("cp1252", "áðéíóúýþæö"),  # Icelandic
    ("cp1250", "ąćęłńóśźż"),  # Polish
    ("cp1250", "áčďéěíňóřšťúůýž"),  # Czech
    ("cp1250", "áäčďéíĺľňóôŕšťúýž"),  # Slovak
    ("cp1250", "áéíóöőúüű"),  # Hungarian
    ("cp1250", "čćđšž"),  # Croatian, Slovene
    ("cp1250", "ăâîşţ"),  # Romanian
    ("cp1254", "çğıöşüi̇"),  # Turkish
    ("cp1257", "āčēģīķļņšūž"),  # Latvian
    ("cp1257", "ąčęėįšųūž"),  # Lithuanian
    ("cp1257", "äõöüšž"),  # Estonian
    ("cp1258", "ăâđêôơưáàéèíóúù\u0300\u0301\u0303\u0309\u0323"),  # Vietnamese
)
# Letters of other alphabets, the most frequent first.
_OTHER = (
    ("cp1251", "оеаинтсрвлкмдпуяыьгзбчйхжшюцщэфъё"),  # Russian
    ("cp1251", "оанивітеркслдупмязьбгчйхжцюєїшщфґ"),  # Ukrainian
    ("cp1251", "аиоетнрсвлкдпмзъгуябчцщхжшйюфь"),  # Bulgarian
    ("koi8_r", "оеаинтсрвлкмдпуяыьгзбчйхжшюцщэфъё"),
    ("cp866", "оеаинтсрвлкмдпуяыьгзбчйхжшюцщэфъё"),
    ("cp1253", "αοιετσνηυρπκμλςωδγχίάόέήύώθφβξζψϊΐϋΰ"),
    ("cp1255", "יוהלאתרמבשנכעדקפחםטגסצזןךףץ"),
    ("cp1256", "اليمنرتوبدعسهفكقةحجشطصأخىءضذإثزآغئظؤ"),  # Arabic
    ("cp1256", "اینردمهتوسبشکگعخزلقفحجصپآطضچغظثژذء"),  # Persian
    ("cp874", "านรอกเง่มยลว้ดทสตะปบคีัิหแจุพชไข์ใผโถูืซ็ณึธ"),  # Thai
)
# Two bytes a letter: pages, and which of their letters are the usual ones.
_WIDE: tuple[tuple[str, Callable[[bytes], bool]], ...] = (
    ("shift_jis", lambda letter: letter[0] in (0x81, 0x82, 0x83) or 0x88 <= letter[0] <= 0x97),
    ("euc_jp", lambda letter: letter[0] in (0xA1, 0xA4, 0xA5) or 0xB0 <= letter[0] <= 0xCF),
    ("euc_kr", lambda letter: letter[0] in (0xA1, 0xA3) or 0xB0 <= letter[0] <= 0xC8),
    ("gb18030", lambda letter: letter[0] in (0xA1, 0xA3) or 0xB0 <= letter[0] <= 0xD7),
    ("big5", lambda letter: letter[0] in (0xA1, 0xA2, 0xA3) or 0xA4 <= letter[0] <= 0xC6),
)
_KANA = re.compile("[\u3041-\u30ff]")
# Foreign letters for each plain one, below which a text is in Latin letters; else all must be of one language, and
# half of them touch a plain one.
_MIXED, _ALL = 0.8, 0.99
_TOUCHING = re.compile(rb"(?<=[a-zA-Z])[\x80-\xff]|[\x80-\xff](?=[a-zA-Z])")
# Share of usual letters from which on a page of wide letters is believed.
_USUAL = 0.9
# How likely a letter is that a language does not have, a sign that is no letter, and a capital within a word.
_STRANGE, _SIGN, _CAPITAL = 1e-3, 3e-4, 1e-2


def decoded(data: bytes) -> str:
    """Decode a text of unknown encoding."""
    for mark, encoding in _MARKS:
        if data.startswith(mark):
            return data.decode(encoding, "replace")
    sample = data[:4096]
    for offset, encoding in ((1, "utf-16-le"), (0, "utf-16-be")):  # without a mark: every other byte of Latin is 0
        if len(sample) > 3 and sample[offset::2].count(0) > len(sample) // 5 > sample[1 - offset :: 2].count(0):
            return data.decode(encoding, "replace")
    text = data.decode("utf-8", "replace")
    foreign, broken = sum(character > "\x7f" for character in text), text.count("\ufffd")
    if broken <= foreign // 10:
        return text
    return data.decode(code_page(data), "replace")


def code_page(data: bytes) -> str:
    """Name the likeliest 8-bit or East Asian encoding of a text."""
    telling = b"\n".join(line for line in data.splitlines() if not line.isascii())[:_SAMPLE_BYTES]
    foreign = sum(byte > 0x7F for byte in telling)
    plain = sum(chr(byte).isalpha() for byte in telling if byte <= 0x7F)
    share, page = max(((_share(telling, *language), language[0]) for language in _LATIN), key=lambda told: told[0])
    if foreign < _MIXED * plain or (share > _ALL and len(_TOUCHING.findall(telling)) > foreign / 2):
        return page
    wide = [(_usual(telling, page, usual), page) for page, usual in _WIDE]
    best, page = max(wide, key=lambda found: found[0])
    if best >= _USUAL:
        return page
    return max(_OTHER, key=lambda language: _likelihood(telling, *language))[0]


def _share(data: bytes, page: str, letters: str) -> float:
    """Share of a text's foreign letters that a language has; signs other than punctuation count as none."""
    foreign = [c for c in data.decode(page, "replace") if c > "\x7f" and unicodedata.category(c)[0] not in "PZ"]
    return sum(c.lower() in letters for c in foreign) / max(1, len(foreign))


def _likelihood(data: bytes, page: str, letters: str) -> float:
    """Mean logarithm of how likely a text's letters are in a language, where those of rank r have 1 / (r + 5)."""
    text = data.decode(page, "replace")
    whole = sum(1 / (rank + 5) for rank in range(len(letters)))
    rank_of = {letter: rank for rank, letter in enumerate(letters)}
    total, count = 0.0, 0
    for before, letter in zip(" " + text, text, strict=False):
        if letter <= "\x7f" or unicodedata.category(letter)[0] in "PZ":
            continue
        rank = rank_of.get(letter.lower())
        is_letter = unicodedata.category(letter)[0] in "LM"
        p = _SIGN if not is_letter else _STRANGE if rank is None else 1 / (rank + 5) / whole
        within = letter.isupper() and before.islower()
        total, count = total + math.log(p * (_CAPITAL if within else 1.0)), count + 1
    return total / max(1, count)


def _usual(data: bytes, page: str, is_usual: Callable[[bytes], bool]) -> float:
    """Share of usual letters among the wide ones of a text; 0 where it is none in this page."""
    try:
        text = data.decode(page)
    except UnicodeDecodeError:
        return 0.0
    wide = [letter for letter in text if letter > "\x7f"]
    if page in ("shift_jis", "euc_jp") and not _KANA.search(text):  # no Japanese goes without
        return 0.0
    encoded = [letter.encode(page) for letter in wide]
    return sum(len(letter) == 2 and is_usual(letter) for letter in encoded) / max(1, len(encoded))
