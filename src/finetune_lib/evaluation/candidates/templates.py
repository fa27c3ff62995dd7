"""What the system message says about the passages that it quotes, in the language of the conversation."""

from __future__ import annotations

from finetune_lib.texts.scripts import language_for

PLACE = "{passages}"
TEMPLATES = {
    "en": (
        "Answer from the numbered passages below, in the language of the question. If they do not hold the answer, "
        "say so instead of guessing.\n\n{passages}"
    ),
    "zh-Hant": "請只根據下列編號的資料回答，並使用提問的語言。資料中沒有答案時，請直接說明，不要猜測。\n\n{passages}",
    "zh-Hans": "请只根据下列编号的资料回答，并使用提问的语言。资料中没有答案时，请直接说明，不要猜测。\n\n{passages}",
}


def template_for(text: str) -> str:
    """The template in the language of a conversation: Traditional or Simplified Chinese, English for all others.

    Example:
        >>> template_for("行李可以託運嗎？")[:2], template_for("May I check it in?")[:6]
        ('請只', 'Answer')
    """
    return TEMPLATES[language_for(text)]
