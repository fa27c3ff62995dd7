"""Does it say that it does not know where the documents are silent, and answer where they are not?"""

from __future__ import annotations

import re
from dataclasses import KW_ONLY, dataclass

from finetune_lib.evaluation.scorers.scorer import Instant
from finetune_lib.records import Case, Score
from finetune_lib.shown import Shown
from finetune_lib.texts.grounding import CITATION

SOURCES = r"(?:資料|资料|文件|文檔|文档|內容|内容|段落|資訊|信息|手冊|手册|知識庫|知识库)"
KNOWN = r"(?:資訊|資料|信息|资料|內容|内容|規定|规定|說明|说明|答案|記錄|记录|記載|记载)"
SAYS = r"(?:說明|说明|提到|提及|記載|记载|載明|载明|寫明|写明)"
CHINESE = (
    rf"{SOURCES}[^，。；]{{0,12}}?(?:沒有|没有|未|無|无|不(?=包|涵)|找不到)[^，。；]{{0,6}}?(?:{SAYS}|提供|包含|涵蓋|涵盖|列出|{KNOWN})"
    r"|超出[^，。；]{0,8}(?:範圍|范围)|答不出|(?:沒|没)(?:有)?(?:辦法|办法)回答|(?:沒有|没有|未)找到[^，。；]{0,6}(?:答案|資訊|資料|信息|资料)"
    rf"|(?:並未|并未|沒有|没有|未){SAYS}"
    r"|我[^，。]{0,6}不(?:知道|清楚|確定|确定|了解|瞭解)|^\s*不(?:知道|清楚)\s*$"
    r"|我[^，。]{0,6}(?:無法|无法|不能)(?:確定|确定|確認|确认)|(?:無法|无法|不能|難以|难以)(?:回答|答覆|答复|判斷|判断|得知|提供[^，。]{0,6}(?:資訊|信息|答案))"
    rf"|(?:找不到|查無|查无|沒有|没有|缺乏|無|无)[^，。；]{{0,4}}?(?:相關的?|相关的?|足夠|足够|此|這|这|該|该)[^，。；]{{0,6}}?{KNOWN}"
)
NOT = r"(?:do(?:es)?\s+not|don['’]t|doesn['’]t|did\s+not|didn['’]t)"
ENGLISH = (
    rf"\bI\s+(?:\w+\s+)?(?:{NOT}|cannot|can['’]t|could\s+not|couldn['’]t)\s+"
    r"(?:know\b(?!\s+of)|find|say|tell|answer|determine|have\b.{0,30}\b(?:information|answer|details?|data))"
    r"|^\W*(?:n/a|unknown)\W*$|\bunclear\b|\bcannot\s+be\s+(?:determined|answered)\b|\bno\s+information\s+is\b"
    r"|\bI(?:\s+am|['’]m)\s+(?:not\s+(?:sure|aware)|(?:not\s+able|unable)\s+to\s+(?:answer|say|tell|find|determine))"
    r"|\bI\s+have\s+no\s+(?:information|idea|answer|details?|data)"
    r"|\b(?:passages?|documents?|texts?|sources?|context|information|materials?|manual|handbook)\b[^.;]{0,30}?"
    rf"\b{NOT}\s+(?:say|mention|state|contain|cover|include|provide|specify|tell|answer|address|discuss)"
    r"|\b(?:no|not\s+enough|insufficient)\s+(?:\w+\s+)?(?:information|details?|mention)\s+(?:about|on|in|of|for|to|regarding)\b"
    r"|\bnot\s+(?:mentioned|stated|specified|covered)\b"
    r"|\bnot\s+(?:\w+\s+)?in\s+the\s+(?:\w+\s+)?(?:passages?|documents?|sources?|context|text)\b"
)
DECLINES = re.compile(f"{CHINESE}|{ENGLISH}", re.IGNORECASE)
# "If you do not know …", 找不到行李時，: what to do then is an answer.
CONDITION = re.compile(r"^\s*(?:if|when|should|若|如果|如|萬一|万一)\b|[時时](?:[，,]|$)|的[話话]", re.IGNORECASE)
# What says nothing of its own: regrets, and whom else to ask.
POLITE = re.compile(
    r"^\W*(?:(?:很|非常|十分)?(?:抱歉|對不起|对不起|不好意思|遺憾|遗憾)|請|请|建議|建议|如[有需]|歡迎|欢迎|謝謝|谢谢|希望"
    r"|(?:I['’]m|I\s+am)?\s*(?:very\s+|so\s+)?sorry|unfortunately|please|thank|contact|ask|you\s+(?:may|can|could)\s+(?:ask|contact)"
    r"|I\s+(?:recommend|suggest|hope|apologi[sz]e))|洽|聯絡|联系|聯繫|諮詢|咨询|致電|致电",
    re.IGNORECASE,
)
CLAUSES = re.compile(
    r"[。！？!?；;\n]+|\.(?=\s|$)|[，,]?\s*(?:但是?|不過|不过|然而|\bbut\b|\bhowever\b)[，,]?", re.IGNORECASE
)

BLANKS = re.compile(r"[^\S\n]+")


def declines(text: str) -> bool:
    """Whether an answer says that it does not know, and says nothing else but whom to ask.

    Example:
        >>> declines("資料沒有說明這一點，請洽客服。"), declines("資料沒有說明商務艙，但經濟艙每件 23 公斤。")
        (True, False)
    """
    said = BLANKS.sub(" ", CITATION.sub(" ", text))
    clauses = [clause for clause in CLAUSES.split(said) if re.search(r"\w", clause)]
    unknown = [DECLINES.search(clause) is not None and not CONDITION.search(clause) for clause in clauses]
    return any(unknown) and all(u or POLITE.search(c) for u, c in zip(unknown, clauses, strict=True))


@dataclass(frozen=True, slots=True)
class Abstains(Shown, Instant):
    """1 where the answer says "I don't know" exactly where the documents are silent, else 0.

    They are silent where the expected answer says so, as the rows of `Dataset.from_documents(…, unanswered=…)` do, or
    where the case's metadata has `answerable` as false. An answer that tells something and lacks only a part counts as
    one. Chinese and English are read; the score has the labels `answered` and `declined` for `report.classification`,
    whose recall of `declined` tells how often a model passes when it should.

    Attributes:
        field: The field of the metadata that says whether the documents hold the answer.
        name: What reports call it.

    Raises:
        ValueError: When called: the case has neither an expected answer nor the field.

    Example:
        >>> from finetune_lib import Case
        >>> from finetune_lib.evaluation.scorers import Abstains
        >>> silent = Case("1", (), expected="目前的資料沒有說明這一點，請洽負責單位。")
        >>> Abstains()("很抱歉，我不知道。", silent).value, Abstains()("每件 23 公斤。", silent).value
        (1.0, 0.0)
    """

    field: str = "answerable"
    _: KW_ONLY
    name: str = "abstains"

    def __call__(self, answer: str, case: Case, /) -> Score:
        """Score one answer."""
        known = case.metadata.get(self.field)
        if not isinstance(known, bool) and not case.expected.strip():
            raise ValueError(f"case {case.id} has neither an expected answer nor {self.field} as true or false")
        silent = not known if isinstance(known, bool) else declines(case.expected)
        declined = declines(answer)
        said, should = ("declined" if one else "answered" for one in (declined, silent))
        return Score(float(declined == silent), reason=f"it {said}; right is {should}", label=said, target=should)
