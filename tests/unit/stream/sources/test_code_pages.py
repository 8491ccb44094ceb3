"""Short subtitles in the code pages of many languages are read as they were written."""

from __future__ import annotations

import pytest

from hippocam.stream.sources.code_pages import decoded

SAID = {
    "cp1250": [
        "Řidič přijel včera",
        "Dziś ulica jest cicha, świeci słońce",
        "A kék teherautó megérkezett, őrült idő",
    ],
    "cp1251": ["Синий грузовик", "Никого нет, только собака", "Синій вантажівка приїхала", "Камионът пристига"],
    "cp1252": [
        "Straße für Fußgänger",
        "C’est l’été à Paris",
        "El niño comió piñas, ¿qué más?",
        "Não há ninguém aqui",
    ],
    "cp1253": ["Το μπλε φορτηγό", "Ο δρόμος είναι ήσυχος σήμερα", "Δεν υπάρχει κανείς εδώ"],
    "cp1254": ["Kamyon geldi, güneş ışıl ışıl", "Sokak bugün çok sessiz, kimse yok şimdi"],
    "cp1255": ["המשאית הכחולה מגיעה לכיכר", "שלום לכולם, זה הרחוב שלנו והוא שקט מאוד היום"],
    "cp1256": ["الشاحنة الزرقاء تصل إلى الساحة", "الشارع هادئ اليوم", "لا يوجد أحد هنا الآن"],
    "cp1257": ["Šodien iela ir klusa, saule spīd", "Mėlynas sunkvežimis atvažiavo į aikštę"],
    "koi8_r": ["Синий грузовик приехал", "Улица тихая сегодня", "Никого нет, только собака"],
    "cp874": ["รถบรรทุกสีน้ำเงินมาถึงแล้ว", "วันนี้ถนนเงียบมาก"],
    "shift_jis": ["青いトラックが来た", "今日は誰もいません"],
    "euc_jp": ["青いトラックが来た、今日は誰もいません"],
    "euc_kr": ["파란 트럭이 왔다", "오늘은 거리가 조용하다"],
    "gb18030": ["蓝色的卡车到了", "今天没有人在这里"],
    "big5": ["藍色的卡車到了，街道很安靜", "今天沒有人在這裡"],
    # beside Windows' pages: what Macintoshes, ISO 8859 and DOS had, and later forms of East Asian ones
    "mac_roman": [
        "Straße für Fußgänger, schöne Grüße",
        "C’était très bien, où est-il ?",
        "Não há ninguém aqui, amanhã também não",
    ],
    "mac_latin2": ["Řidič přijel včera, ulice je tichá", "Dziś ulica jest cicha, świeci słońce"],
    "mac_cyrillic": ["Синий грузовик приехал, Никого нет", "Где моя Собака? Она Ушла"],
    "mac_greek": ["Το μπλε φορτηγό έφτασε στην πλατεία, δεν υπάρχει κανείς εδώ"],
    "mac_turkish": ["Kamyon geldi, güneş ışıl ışıl, kimse yok şimdi"],
    "iso8859_2": ["Řidič přijel včera, žlutý vůz šel dál", "Dziś ulica jest cicha, świeci słońce, ślad ąę"],
    "iso8859_5": ["Синий грузовик приехал", "Никого нет, только собака"],
    "iso8859_7": ["Το μπλε φορτηγό έφτασε στην πλατεία"],
    "cp437": ["Straße für Fußgänger, schöne Grüße"],
    "cp850": ["Straße für Fußgänger, schöne Grüße", "El niño comió piñas, ¿qué más?"],
    "cp852": ["Dziś ulica jest cicha, świeci słońce"],
    "cp737": ["Ο δρομος ειναι ησυχος σημερα"],
    "cp862": ["שלום לכולם, זה הרחוב שלנו והוא שקט מאוד היום"],
    "koi8_u": ["Синій вантажівка приїхала, її немає"],
    "iso8859_11": ["วันนี้ถนนเงียบมาก"],
    "cp932": ["①青いトラックが来た、今日は誰もいません"],
    "cp949": ["파란 트럭이 왔다, 똠방각하"],
    "big5hkscs": ["今天沒有人在這裡，佢哋都走咗"],
    "iso2022_jp": ["青いトラックが来た、今日は誰もいません"],
}


@pytest.mark.parametrize(("page", "text"), [(page, text) for page, texts in SAID.items() for text in texts])
def test_one_line_tells_its_code_page(page: str, text: str) -> None:
    for whole in (text, f"1\r\n00:00:01,000 --> 00:00:02,000\r\n{text}\r\n\r\n", f"{text}\n" * 500):
        assert decoded(whole.encode(page)) == whole


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-le", "utf-32-be"]
)
def test_unicode_needs_no_guess(encoding: str) -> None:
    for texts in SAID.values():
        whole = "".join(f"1\n00:00:01,000 --> 00:00:02,000\n{text}\n\n" for text in texts)
        if encoding.startswith("utf-16-") and not any(text.isascii() for text in whole.splitlines()):
            continue
        assert decoded(whole.encode(encoding)) == whole


@pytest.mark.parametrize("data", [b"", b"\xff", b"\x80\x81\x8d", bytes(range(128, 256)), b"plain"])
def test_what_is_no_text_ends_nothing(data: bytes) -> None:
    assert isinstance(decoded(data), str)
