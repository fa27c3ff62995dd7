"""Phrases around an answer that say nothing about its subject, and how an answer reads without them."""

from __future__ import annotations

import re

# Each is a whole phrase with its punctuation. What could be the answer itself, as "Of course." to a yes-or-no
# question, is not among them, nor anything with a number in it, as the one to call.
OPENINGS = (
    r"(?:(?:sure|certainly|of course|absolutely)\b[!,.]?\s*)?here(?:'s|\u2019s| is| are)\b[^\n:.!?]{0,80}:",
    r"(?:that'?s an? )?(?:great|good|excellent|interesting) question[!.]",
    r"thank(?:s| you) for (?:asking|(?:your|the) (?:question|inquiry|message))[!.]",
    r"(?:(?:sure|certainly|of course)[!,.]\s*)?i(?:'d| would|\u2019d) be (?:happy|glad) to help[^\n.!?\d]{0,40}[.!]",
    r"as an? (?:ai|artificial intelligence)(?: language)?(?: model| assistant)?(?: [^\n,.\d]{0,40})?,",
    r"(?:好的|沒問題|没问题|當然(?:可以)?|当然(?:可以)?)?[，,！!。]?\s*(?:以下|下面|這裡|这里)是[^\n：:。！\d]{0,40}[：:]",
    r"(?:這|这)(?:真)?是(?:一)?(?:個|个)?(?:很|非常)?好的?(?:問題|问题)[！!。]",
    r"(?:感謝|感谢|謝謝|谢谢)(?:您|你)的(?:提問|提问|詢問|询问|諮詢|咨询|來信|来信)[！!。，,]",
    r"很高[興兴](?:能)?[為为](?:您|你)(?:服務|服务|解答|協助|协助)[！!。]",
    r"[作身][為为](?:一[個个])?(?:ai|人工智慧|人工智能)(?:語言|语言)?(?:模型|助手|助理)[，,]",
)
CLOSINGS = (
    r"(?:i )?hope (?:this|that|it) helps[^\n.!?\d]{0,40}[.!]",
    r"(?:please )?(?:let me know|feel free to (?:ask|reach out)|don['\u2019]t hesitate to (?:ask|reach out))"
    r"[^\n.!?\d@]{0,120}[.!]",
    r"is there anything else (?:i|we) can (?:help|assist)[^\n.!?\d]{0,40}\?",
    r"希望(?:以上|這些|这些|這|这)?[^\n。！!\d]{0,20}(?:對|对)(?:您|你)有所?(?:幫助|帮助)[。！!]",
    r"(?:如果|如|若)(?:您|你)?(?:還|还)?有(?:任何|其他|其它)[^\n。！!\d]{0,15}(?:問題|问题|疑問|疑问)[^\n。！!\d@]{0,30}[。！!]",
)
OPENING = re.compile(rf"\s*(?:{'|'.join(OPENINGS)})\s*", re.IGNORECASE)
CLOSING = re.compile(rf"(?:^|(?<=[\s。！!.?？]))(?:{'|'.join(CLOSINGS)})\s*\Z", re.IGNORECASE)
# A closing phrase is looked for in the end alone, so that a huge answer takes no longer.
END = 400
MOST_PHRASES = 4


def bare(text: str) -> str:
    """The answer without polite phrases at its two ends; the whole answer, where it is nothing else.

    Example:
        >>> bare("Sure! Here is the answer: It opens at nine. I hope this helps!")
        'It opens at nine.'
        >>> bare("Of course.")
        'Of course.'
    """
    left = whole = text.replace("\r\n", "\n").strip()
    for _ in range(MOST_PHRASES):
        left = _shorter(left)
    return left or whole


def _shorter(text: str) -> str:
    opening = OPENING.match(text)
    text = text[opening.end() :] if opening else text
    start = max(0, len(text) - END)
    closing = CLOSING.search(text[start:])
    return text[: start + closing.start()].rstrip() if closing else text
