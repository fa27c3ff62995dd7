"""Which mentions in a text stand negated, as in "not at all positive" and 不太滿意; pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

LOOKED_BACK = 80  # characters in which a negation is looked for
OPENING = "\"'([{<「『【《“‘"
EMPHASIS = re.compile("[*_`]+")

# What may stand between a negation and what it negates. "not only" and 不但 negate nothing.
DEGREE = (
    r"an?|the|any|at|all|in|least|slightest|very|really|quite|clearly|exactly|even|entirely|fully|completely|totally"
    r"|particularly|especially|terribly|overly|remotely|truly|strictly|necessarily|actually|always|so|that|too|as|much"
    r"|enough|of|be|been|being|is|are|was|were|seems?|feels?|sounds?|looks?|appears?|option|label|class|category"
)
OPINION = (
    r"(?:think|thinks|believe|say|call|called|consider|considered|find|found|described|labell?ed|classified|choose|pick"
    r"|sure|certain|clear|obvious)\s+(?:(?:if|whether|it|this|that|he|she|they|to|by|it['’]s)\s+){0,3}"
    r"(?:(?:the|this|that|its)\s+\w+\s+)?"
)
ENGLISH = (
    r"(?:\b(?:(?:not|cannot|never|neither|nor|without|hardly|barely|scarcely|rarely|seldom|nothing)"
    r"|no(?:\s+(?:longer|way|means|sense))?|(?:far|anything)\s+(?:from|but)|(?:less|rather|other)\s+than|instead\s+of"
    rf"|fail(?:s|ed)?\s+to|lack(?:s|ing)?)|n['’]t)\s+(?:(?:{DEGREE})\s+){{0,4}}(?:{OPINION})?(?:(?:{DEGREE})\s+){{0,4}}$"
    r"|\bnon-$"
)
CHINESE = (
    r"(?:(?<!差)不(?!能再)|(?<![無无莫除是])非|沒|没|無|无|未|並非|并非|絕非|绝非|難以|难以|很難|很难|難說|难说|無法|无法|毫無|毫无|缺乏"
    r"|[談谈稱称說说算]不上|不見得|不见得|不[屬属]於|不属于)"
    r"(?:有|是|能|能夠|能够|會|会|可能|要|該|该|應該|应该|太|太過|太过|過於|过于|夠|够|足夠|足够|很|大|甚|盡|尽|再|多|多麼|多么"
    r"|怎麼|怎么|怎麼樣|怎么样|那麼|那么|這麼|这么|這樣|这样|如此|十分|非常|特別|特别|完全|全然|全|真的|真正|真|算|算是|[屬属]於|属于"
    r"|什麼|什么|任何|絲毫|丝毫|一點|一点|半點|半点|人|讓人|让人|令人|使人|感到|感覺|感觉|覺得|觉得|認為|认为|表示|達|达|到|達到|达到|得到|必"
    r"|說|说|稱為|称为|視為|视为|選擇|选择|選|选|選項|选项|一?[個个則则封條条種种]){0,4}\s*$"
)
NEGATED = re.compile(f"{ENGLISH}|{CHINESE}", re.IGNORECASE)
# What goes on with a negation: "not positive or negative", 不是滿意或普通.
LINK = re.compile(r"\s*(?:,?\s*\b(?:or|nor)\b|[/、或及和與与跟])\s*(?:(?:an?|the)\s+)?", re.IGNORECASE)


def negated(text: str, start: int) -> bool:
    """Whether what begins there is denied, by what stands right before it."""
    before = EMPHASIS.sub("", text[max(0, start - LOOKED_BACK) : start]).rstrip(OPENING)
    return NEGATED.search(before) is not None


def affirmed(text: str, mentions: Iterable[re.Match[str]]) -> Iterator[re.Match[str]]:
    """The mentions that no negation reaches; one reaches as far as "or" goes on."""
    denied_to: int | None = None
    for mention in mentions:
        goes_on = denied_to is not None and LINK.fullmatch(text, denied_to, mention.start()) is not None
        if goes_on or negated(text, mention.start()):
            denied_to = mention.end()
        else:
            denied_to = None
            yield mention
