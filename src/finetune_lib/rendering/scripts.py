"""The language to name for a text, so that a page shows Han characters in the forms that its readers know."""

from __future__ import annotations

import re

LOOKED_AT = 2000
_HAN = re.compile("[\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]")
_KANA = re.compile("[\u3041-\u3096\u30a1-\u30fa]")
_HANGUL = re.compile("[\uac00-\ud7a3]")
# Frequent characters that one script has and the other has not.
_TRADITIONAL = re.compile(
    "[們這個來為說時國會對發經現學過動還進種門樣車長東問關馬開書請謝嗎幾點錢買賣單號聯應該認識讓聽誰裡電話機"
    "場飛間題無從後與實業產務員麼氣愛歡覺計設訂資訊檔網頁機費術語處義變總體數]"
)
_SIMPLIFIED = re.compile(
    "[们这个来为说时国会对发经现学过动还进种门样车长东问关马开书请谢吗几点钱买卖单号联应该认识让听谁里电话机"
    "场飞间题无从后与实业产务员么气爱欢觉计设订资讯档网页机费术语处义变总体数]"
)


def language_of(text: str) -> str | None:
    """`zh-Hant`, `zh-Hans`, `ja`, `ko`, or None where the letters do not tell."""
    head = text[:LOOKED_AT]
    if _KANA.search(head):
        return "ja"
    if _HANGUL.search(head):
        return "ko"
    return _chinese(head) if _HAN.search(head) else None


def _chinese(text: str) -> str | None:
    traditional, simplified = len(_TRADITIONAL.findall(text)), len(_SIMPLIFIED.findall(text))
    if traditional == simplified:
        return None
    return "zh-Hant" if traditional > simplified else "zh-Hans"
