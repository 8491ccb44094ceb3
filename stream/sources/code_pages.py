"""Text of unknown encoding into words: by the marks and patterns of Unicode, else by the likeliest code page.

Subtitles are often shorter than what detectors by statistics need. So pages are told apart by what is certain of
languages: which letters each has beside plain ones, how often those of other alphabets occur, and that no capital
stands within a word; of several that suit, the language in which the plain letters are likelier.
"""

from __future__ import annotations

import codecs
import functools
import math
import re
import unicodedata
from collections import Counter
from collections.abc import Callable

_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
# What switches to another alphabet in texts of seven bits.
_ESCAPED = {b"\x1b$B": "iso2022_jp_2", b"\x1b$@": "iso2022_jp_2", b"\x1b$)C": "iso2022_kr"}
_ESCAPES = re.compile(b"|".join(map(re.escape, _ESCAPED)))
# So much of a text tells its encoding.
_SAMPLE_BYTES = 20_000
# By how much a page of the next kind, and the next language in Latin letters, is less likely, as logarithms.
_RARER, _LATER = 2.0, 0.2
# Letters of languages in Latin letters, the most frequent first, with the pages that each was written in: Windows,
# ISO 8859, Macintosh and DOS.
_WESTERN = ("cp1252", "iso8859_15", "mac_roman", "cp850")
_CENTRAL = ("cp1250", "iso8859_2", "mac_latin2", "cp852")
_BALTIC = ("cp1257", "iso8859_13", "", "cp775")
_VIETNAMESE = "nhticgauomđrlsvkpbyàáâêôươăèéìíòóùúýqd\u0300\u0301\u0303\u0309\u0323xewfzj"
_LATIN_LETTERS = (
    (_WESTERN, "esaitnrulodcpmévqfbghjàxyèêzçùûôkîâwœïëüæ"),  # French
    (_WESTERN, "enisratdhulcgmobwfkzüväpßjöyxq"),
    (_WESTERN, "eaosrnidlctumpbgvyíqóáéhfzjñúxükw"),  # Spanish
    (_WESTERN, "aeosrindmutclpvgqbfhãzçáéjêxóíõâúôàkyw"),  # Portuguese
    (_WESTERN, "eaionlrtscdupmvghfbqzòàùèéìkywxjî"),  # Italian
    (_WESTERN, "eantrsildomkgvhfupäbcåöyjxéwzq"),  # Swedish
    (_WESTERN, "ainteslokuämvrjhypdögbfcåwzxq"),  # Finnish
    (_WESTERN, "ernstidalogkmvfupbhøjåyæcézwxq"),  # Norwegian, Danish
    (_WESTERN, "enatirodslghvkmubpwjczfyxëéïóüèöqêàáíú"),  # Dutch
    (_WESTERN, "easirltnodcumpvbgqfhjàéèíòóxyzïúüçkw"),  # Catalan
    (("cp1252", "iso8859_15", "mac_iceland", "cp850"), "anriestuðlgkmfhvoáþíjdöyæbúpéócýxzwq"),
    (_CENTRAL, "iaeoznrwsycdkptmłulgbhjęąśżóćńźfvxq"),  # Polish
    (_CENTRAL, "eoantisvlkmrdpuízjcyháběřžčšýéůúfgňťóďxwq"),  # Czech
    (_CENTRAL, "aoeinsrvtlkcmdupíjázyhbčžýšéťúľgäňďfôxóŕĺwq"),  # Slovak
    (_CENTRAL, "eatlnskzrogáimédyvhbjöpufcőóüíúűxwq"),  # Hungarian
    (("cp1250", "iso8859_2", "mac_croatian", "cp852"), "aioenrjstvlkdumpgzbčšžcćhfđywxq"),  # Croatian, Slovene
    (("cp1250", "iso8859_2", "mac_romanian", "cp852"), "eiarntuclosdpmăfvîgbşţzhâjxkywq"),
    (("cp1254", "", "mac_turkish", "cp857"), "aeinrlkdmytusboüışzghçcpğövfjâxwq"),
    (_BALTIC, "aisterunāklomdpvjzīgbēcšņfģhļžčķūxywq"),  # Latvian
    (_BALTIC, "iasotrenkumldpvjėgybžšūįcfzhųčąęxwq"),  # Lithuanian
    (_BALTIC, "aeistlunkdomrvgjhäõpübföšžcwxyq"),  # Estonian
    (("cp1258", "", "", ""), _VIETNAMESE),
)
_LATIN = tuple(
    (page, letters, _RARER * k + _LATER * number)
    for number, (pages, letters) in enumerate(_LATIN_LETTERS)
    for k, page in enumerate(pages)
    if page
)
# Letters of other alphabets, the most frequent first, with the pages that each was written in.
_RUSSIAN = "оеаинтсрвлкмдпуяыьгзбчйхжшюцщэфъё"
_GREEK = "αοιετσνηυρπκμλςωδγχίάόέήύώθφβξζψϊΐϋΰ"
_HEBREW = "יוהלאתרמבשנכעדקפחםטגסצזןךףץ"
_OTHER_LETTERS = (
    (("cp1251", "koi8_u", "cp866", "iso8859_5", "mac_cyrillic"), _RUSSIAN),
    (("cp1251", "koi8_u", "mac_cyrillic"), "оанивітеркслдупмязьбгчйхжцюєїшщфґ"),  # Ukrainian
    (("cp1251", "mac_cyrillic"), "аиоетнрсвлкдпмзъгуябчцщхжшйюфь"),  # Bulgarian
    (("cp1253", "iso8859_7", "mac_greek", "cp737"), _GREEK),
    (("cp1255", "cp862"), _HEBREW),
    (("cp1256", "iso8859_6"), "اليمنرتوبدعسهفكقةحجشطصأخىءضذإثزآغئظؤ"),  # Arabic
    (("cp1256",), "اینردمهتوسبشکگعخزلقفحجصپآطضچغظثژذء"),  # Persian
    (("cp874",), "านรอกเง่มยลว้ดทสตะปบคีัิหแจุพชไข์ใผโถูืซ็ณึธ"),  # Thai
)
_OTHER = tuple((page, letters, _RARER * k) for pages, letters in _OTHER_LETTERS for k, page in enumerate(pages))
# Two bytes a letter: pages, and which of their letters are the usual ones.
_WIDE: tuple[tuple[str, Callable[[bytes], bool]], ...] = (
    ("cp932", lambda letter: letter[0] in (0x81, 0x82, 0x83, 0x87) or 0x88 <= letter[0] <= 0x97),
    ("euc_jp", lambda letter: letter[0] in (0xA1, 0xA4, 0xA5) or 0xB0 <= letter[0] <= 0xCF),
    ("cp949", lambda letter: letter[0] in (0xA1, 0xA3) or 0xB0 <= letter[0] <= 0xC8),
    ("gb18030", lambda letter: letter[0] in (0xA1, 0xA3) or 0xB0 <= letter[0] <= 0xD7),
    ("big5hkscs", lambda letter: 0xA1 <= letter[0] <= 0xC6 or letter[0] < 0xA1),
)
_JAPANESE = ("cp932", "euc_jp")
_KANA = re.compile("[\u3041-\u30ff]")
# Foreign letters for each plain one, below which a text is in Latin letters; else all must be of one language, and
# half of them touch a plain one.
_MIXED, _ALL = 0.8, 0.99
_TOUCHING = re.compile(rb"(?<=[a-zA-Z])[\x80-\xff]|[\x80-\xff](?=[a-zA-Z])")
# Share of usual letters from which on a page of wide letters is believed.
_USUAL = 0.9
# How likely is a letter that a language does not have, a sign that is none, punctuation, a capital within a word.
_STRANGE, _SIGN, _POINT, _CAPITAL = 1e-3, 3e-4, 0.01, 1e-2
_NO_LETTER = "\ufffd"


def decoded(data: bytes) -> str:
    """Decode a text of unknown encoding."""
    for mark, encoding in _MARKS:
        if data.startswith(mark):
            return data.decode(encoding, "replace")
    sample = data[:4096]
    # Without a mark: half of the bytes are 0 in UTF-32, every other one in UTF-16 of Latin letters.
    for first, encoding in ((0, "utf-32-be"), (2, "utf-32-le")):
        if len(sample) > 7 and min(sample[first::4].count(0), sample[first + 1 :: 4].count(0)) > len(sample) // 5:
            return data.decode(encoding, "replace")
    for offset, encoding in ((1, "utf-16-le"), (0, "utf-16-be")):
        if len(sample) > 3 and sample[offset::2].count(0) > len(sample) // 5 > sample[1 - offset :: 2].count(0):
            return data.decode(encoding, "replace")
    if data.isascii() and (escape := _ESCAPES.search(data)) is not None:
        return data.decode(_ESCAPED[escape[0]], "replace")
    text = data.decode("utf-8", "replace")
    foreign, broken = sum(character > "\x7f" for character in text), text.count("\ufffd")
    if broken <= foreign // 10:
        return text
    return data.decode(code_page(data), "replace")


def code_page(data: bytes) -> str:
    """Name the likeliest 8-bit or East Asian encoding of a text."""
    lines = [line for line in data.splitlines() if not line.isascii()]
    telling = b"\n".join(dict.fromkeys(lines))[:_SAMPLE_BYTES]  # each once: what comes again tells no more
    foreign = sum(byte > 0x7F for byte in telling)
    plain = sum(chr(byte).isalpha() for byte in telling if byte <= 0x7F)
    seen = {page: _foreign(telling.decode(page, "replace")) for page in {page for page, *_ in _LATIN}}
    written = Counter(chr(byte).lower() for byte in telling if chr(byte).isascii() and chr(byte).isalpha())
    likely = {letters: _likeness(written, letters) for _, letters, _ in _LATIN}
    # Of pages in which a language has the same share of the letters, the plain letters decide.
    share, _, page = max(
        (round(_share(seen[page], letters), 3), likely[letters] - rarity, page) for page, letters, rarity in _LATIN
    )
    if foreign < _MIXED * plain or (share > _ALL and len(_TOUCHING.findall(telling)) > foreign / 2):
        return page
    wide = [(_usual(telling, page, usual), page) for page, usual in _WIDE]
    best, page = max(wide, key=lambda found: found[0])
    if best >= _USUAL:
        return page
    return max(_OTHER, key=lambda one: _likelihood(telling, one[0], one[1]) - one[2] / max(1, foreign))[0]


def _foreign(text: str) -> Counter[str]:
    """The letters beside a to z in a text, and as one of their own what cannot be there.

    That is signs but punctuation, and within a word capitals and punctuation, but for dashes and apostrophes.
    """
    seen: Counter[str] = Counter()
    for before, letter, after in zip(" " + text, text, text[1:] + " ", strict=False):
        if letter <= "\x7f":
            continue
        kind = unicodedata.category(letter)
        if kind[0] in "PZ":
            within = before.isalpha() and after.isalpha() and kind != "Pd" and letter != "\u2019"
            seen[_NO_LETTER] += within
        else:
            seen[_NO_LETTER if letter.isupper() and before.islower() else letter.lower()[0]] += 1
    return seen


def _likeness(written: Counter[str], letters: str) -> float:
    """Logarithm of how likely some letters are in a language."""
    chances = _chances(letters)
    return sum(count * math.log(chances.get(letter, _STRANGE)) for letter, count in written.items())


@functools.cache
def _chances(letters: str) -> dict[str, float]:
    """How likely each letter of a language is: that of rank r, the most frequent first, as 1 / (r + 5)."""
    whole = sum(1 / (rank + 5) for rank in range(len(letters)))
    return {letter: 1 / (rank + 5) / whole for rank, letter in enumerate(letters)}


def _share(foreign: Counter[str], letters: str) -> float:
    """Share of a text's foreign letters that a language has; signs other than punctuation count as none."""
    known = sum(count for letter, count in foreign.items() if letter in letters)
    return known / foreign.total() if foreign.total() else 1.0


def _likelihood(data: bytes, page: str, letters: str) -> float:
    """Mean logarithm of how likely a text's foreign letters and punctuation are in a language."""
    text, chances = data.decode(page, "replace"), _chances(letters)
    total, count = 0.0, 0
    for before, letter in zip(" " + text, text, strict=False):
        if letter <= "\x7f":
            continue
        p, kind = chances.get(letter.lower(), _STRANGE), unicodedata.category(letter)[0]
        if kind not in "LM":
            p = _POINT if kind in "PZ" else _SIGN
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
    if page in _JAPANESE and not _KANA.search(text):  # no Japanese goes without
        return 0.0
    encoded = [letter.encode(page) for letter in wide]
    return sum(len(letter) == 2 and is_usual(letter) for letter in encoded) / max(1, len(encoded))
