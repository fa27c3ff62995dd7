"""What trains, but teaches badly: refusals, placeholders, loops, mixed scripts and languages."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Any

from finetune_lib.data.checks.duplicates.shared_answers import short
from finetune_lib.data.checks.quality import repetition
from finetune_lib.data.checks.quality.growth import GrowthSurvey
from finetune_lib.data.checks.quality.labels import LabelSurvey
from finetune_lib.data.checks.quality.lengths import LengthSurvey
from finetune_lib.data.checks.quality.system_prompts import SystemPromptSurvey
from finetune_lib.data.checks.rules import Rules
from finetune_lib.data.checks.survey import Survey
from finetune_lib.data.diagnostics import Diagnostic, diagnose, quote
from finetune_lib.records import NOWHERE, Example, Origin
from finetune_lib.rows.messages import INSTRUCTIONS
from finetune_lib.rows.turns import Turn, turns
from finetune_lib.texts.scripts import HAN, KANA, told, varieties, variety

DISTINCT = 2  # characters of each script that prove a mixture within a text: one alone may be a name
TOGETHER = 3  # of both that prove two texts to be in different ones
NAMED = 8
WORDS = 8  # of an answer in another language
IDEOGRAPHS = 8
OPENING = 240
SHORT = 40
REPEATED = 8192  # answers that come again, as stock phrases do

_IDENTITY = re.compile(
    r"(?i)\W*(?:(?:i(?:['’]m| am) )?(?:sorry|apologi[sz]e|unfortunately)[^.!?。]{0,40}?)?"
    r"(?:as|i(?:['’]m| am)(?: just| only)?) an? (?:ai|artificial intelligence)(?: |-)"
    r"(?:language model|assistant|chatbot|model)\b[^.!?\n]{0,80}?\b"
    r"(?:can(?:not|['’]?t)|don['’]?t|do not|does not|(?:am|['’]m) (?:not|unable)|have no|lack|won['’]t|not possible)\b"
    r"|[^。！？\n]{0,12}?(?:作[為为]|身[為为]|我(?:只)?是)(?:一[個个名款位])?"
    r"(?:AI|ai|人工智[能慧])(?:大)?(?:語言模型|语言模型|模型|助手|助理|機器人|机器人)[，,]"
    r"[^。！？\n]{0,24}?(?:無法|无法|不能|不具|沒有|没有|不會|不会|並不|并不|不提供|不支持)"
)
_DECLINES = re.compile(
    r"(?i)\W*(?:i(?:['’]m| am) (?:very |really |so )?sorry,? ?(?:but )?|sorry,? ?(?:but )?|i apologi[sz]e,? ?(?:but )?"
    r"|unfortunately,? )?i (?:can(?:['’]t|not)|(?:am|['’]m) (?:not able|unable) to|won['’]t) "
    r"(?:assist|help|comply|fulfill|provide (?:that|this|you)|answer (?:that|this)|do that|engage|support)\b"
    r"|(?:非常|很|十分|真的)?(?:抱歉|對不起|对不起)[，,]?(?:但)?我(?:無法|无法|不能|沒辦法|没办法|沒有辦法|没有办法)"
)
_OTHER = r"(?i)translat|[譯译]|code|sql|json|html|python|regex|代[碼码]|程式|程序|脚本|腳本|指令|命令|公式|latex"
_ENGLISH = re.compile(rf"{_OTHER}|english|英文|英[語语]")
_CHINESE = re.compile(rf"{_OTHER}|chinese|mandarin|中文|[漢汉華华國国][語语]")
_WRITING = r"[異异][體体]|[漢汉]字|部首|字形|[書书]法|kanji"
_A_SCRIPT = re.compile(
    rf"(?i){_WRITING}|[繁簡简正][體体]|[繁簡简]中|繁[簡简]|[簡简]繁|[簡简]化字|simplified|traditional"
)
_BOTH_SCRIPTS = re.compile(
    rf"(?is){_WRITING}|繁[簡简]|[簡简]繁|繁[體体].*[簡简][體体]|[簡简][體体].*繁[體体]|[轉转].*[繁簡简正][體体]"
    "|simplified.*traditional|traditional.*simplified"
)
_TRADITIONAL = re.compile(r"(?i)[繁正][體体]|繁中|traditional")
_SIMPLIFIED = re.compile(r"(?i)[簡简][體体]|[簡简]中|simplified")
_CODE = re.compile(r"```|[{}<>;=\\@]|https?://|\bSELECT\b|\w\(")
_WORD = re.compile(r"[A-Za-z]{2,}")
_HAN = re.compile(f"[{HAN}]")
_KANA = re.compile(f"[{KANA}]")
_HALF = re.compile(f"[,;?!](?<=[{HAN}].)(?=[{HAN}])")
_WIDE = re.compile("[\uff10-\uff5a][\uff10-\uff5a]")  # one range is searched in half the time
_FULL_WIDTH = re.compile("[\uff10-\uff19\uff21-\uff3a\uff41-\uff5a]{2,}")
_PLACEHOLDER = re.compile(
    r"(?i)\[object object\]|#(?:ref!|n/a|name\?|value!|div/0!)"
    r"|\W*(?:todo|tbd|tba|fixme|nan|undefined|placeholder|x{3,}|asdf+\w{0,8}|qwerty\w{0,6}|foo ?bar|test(?: ?test)+"
    r"|lorem ipsum"
    r"|(?:your|insert|put|write|add|the) (?:answer|response|text|completion)(?: goes)?(?: here)?"
    r"|(?:等)?待[補补填定](?:充|上|寫|写|入)?|[請请](?:在此)?(?:填[寫写入]|[輸输]入|補充|补充)(?:答案|[內内]容|回答|文字)?"
    r"|此[處处](?:填[寫写入]|[輸输]入)\w{0,6}|[測测][試试]|略|同上|未完成)\W*"
)
_DOTS = re.compile(r"\s*(?:\.{2,}|…+|。{2,}|[-_=*~/\\?？]{2,})\s*")
_INSERTED = (
    r"\s*(?:insert\b|your (?:answer|response|text) here|fill in\b"
    r"|to be (?:added|filled|completed)|todo\b|tbd\b|插入|待[補补填定]|[請请](?:填|在此|插入|[輸输]入)"
    r"|此[處处](?:填|插入|[輸输]入)|填[寫写])[^\]】}\n]{0,40}[\]】}]"
)
_INSERT = re.compile(rf"(?i)lorem ipsum|(?:\[|【|{{{{){_INSERTED}")
_BRACKETED = re.compile(rf"(?i)[\[【{{](?:(?<=[\[【])|{{){_INSERTED}")  # the same, found faster
_RISKY = re.compile(
    r"(?i)chain[- ]of[- ]thought|step[- ]by[- ]step reasoning|reasoning steps"
    r"|(?:show|reveal|explain) your (?:internal )?reasoning|internal reasoning|hidden reasoning"
    r"|思[維维][鏈链]|思考[鏈链]|推理(?:步[驟骤]|[過过]程)"
)


def check(example: Example, rules: Rules) -> Iterator[Diagnostic]:
    """What the texts of one example teach badly, each by itself and question beside answer."""
    texts = turns(example.data)
    for turn in texts:
        if turn.learned:
            yield from _answer(turn, example.origin)
    whole = "\n".join([turn.text for turn in texts])  # what all of it lacks needs no look text by text
    if not whole.isascii():
        yield from _foreign(texts, whole, example.origin)
    if reads_all(rules):
        for turn in texts:
            if found := _RISKY.search(turn.text):
                yield _marked("Q908", turn, found, example.origin)


@lru_cache(REPEATED)
def answers_well(text: str) -> bool:
    """Whether nothing is to be said of an answer by itself."""
    return next(_answer(Turn((), "assistant", text, learned=True), NOWHERE), None) is None


def reads_all(rules: Rules) -> bool:
    """Whether each text is searched for what a target refuses to train on."""
    return rules.method == "reinforcement" or rules.target == "azure"


def surveys() -> tuple[Survey, ...]:
    """What is gathered over all examples: system prompts, lengths of answers, labels, and what is lacking."""
    return SystemPromptSurvey(), LengthSurvey(), LabelSurvey(), GrowthSurvey()


def _answer(turn: Turn, origin: Origin) -> Iterator[Diagnostic]:
    text = turn.text
    if found := _IDENTITY.match(text, 0, OPENING) or _DECLINES.match(text, 0, OPENING):
        yield _marked("Q902", turn, found, origin)
    elif found := _placeholder(text):
        yield _marked("Q909", turn, found, origin)
    if loop := repetition.loop_in(text):
        window = quote(text, loop.start, len(loop.unit))
        given: dict[str, Any] = {"unit": short(loop.unit), "times": loop.times}
        yield diagnose("Q910", origin, turn.pointer, quote=window, **given)


def _placeholder(text: str) -> re.Match[str] | None:
    if len(text) < SHORT and (found := _PLACEHOLDER.fullmatch(text) or _DOTS.fullmatch(text)):
        return found
    if "[" in text or "【" in text or "{{" in text or "orem ipsum" in text:
        likely = "```" not in text and ("psum" in text.lower() or _BRACKETED.search(text))
        return _INSERT.search(text) if likely else None
    return None


def _foreign(texts: Sequence[Turn], whole: str, origin: Origin) -> Iterator[Diagnostic]:
    """What only a row with other than ASCII can have; `whole` is all of its texts."""
    asked = answer = None
    for turn in texts:
        if turn.learned:
            answer = turn
        elif turn.role == "user":
            asked = turn
    if mixed_widths(whole):
        for turn in texts:
            if not turn.text.isascii() and (found := mixed_widths(turn.text)):
                yield _marked("Q906", turn, found, origin)
    if len(varieties(whole)) > 1:
        yield from _scripts(texts, asked, answer, origin)
    if asked and answer and asked.text.isascii() != answer.text.isascii():
        yield from _languages(texts, asked, answer, origin)


def mixed_widths(text: str) -> re.Match[str] | None:
    """Half-width marks between ideographs beside full-width ones, or full-width letters beside half-width ones."""
    if "，" in text and "," in text and (found := _HALF.search(text)):
        return found
    wide = _WIDE.search(text) and _FULL_WIDTH.search(text)
    return wide if wide and _WORD.search(text) else None


def _scripts(texts: Sequence[Turn], asked: Turn | None, answer: Turn | None, origin: Origin) -> Iterator[Diagnostic]:
    """Simplified and Traditional in one text, or one in the question and the other in the answer."""
    found = [(turn, varieties(turn.text)) for turn in texts if turn.role in ("user", "assistant")]
    kinds = {kinds for _, kinds in found if kinds}
    mixed = [turn for turn, kinds in found if len(kinds) > 1]
    if (len(kinds) < 2 and not mixed) or any(_wants_both(turn) for turn in texts):
        return
    if mixed:
        for turn in mixed:
            yield from _mixed(turn, turn, origin, least=2 * DISTINCT)
    elif asked and answer and not any(_asks_for(turn, answer) for turn in texts):
        yield from _mixed(asked, answer, origin, least=TOGETHER)


def _wants_both(turn: Turn) -> bool:
    """Whether a text speaks of scripts; instructions that name one alone ask for that one."""
    return (_BOTH_SCRIPTS if turn.role in INSTRUCTIONS else _A_SCRIPT).search(turn.text) is not None


def _asks_for(turn: Turn, answer: Turn) -> bool:
    """Whether instructions ask for the script that the answer is in."""
    wanted = _TRADITIONAL if variety(answer.text) == "zh-Hant" else _SIMPLIFIED
    return turn.role in INSTRUCTIONS and wanted.search(turn.text) is not None


def _mixed(question: Turn, answer: Turn, origin: Origin, *, least: int) -> Iterator[Diagnostic]:
    both = question.text + answer.text
    traditional, simplified = told(both).values()
    fewest = DISTINCT if question is answer else 1
    enough = min(len(simplified), len(traditional)) >= fewest and len(simplified) + len(traditional) >= least
    if not enough or _KANA.search(both):
        return
    own_traditional, own_simplified = told(answer.text).values()
    fewer = own_simplified and len(own_simplified) <= len(own_traditional or simplified)
    first = (own_simplified if fewer else own_traditional)[0]
    given: dict[str, Any] = {"simplified": "".join(simplified[:NAMED]), "traditional": "".join(traditional[:NAMED])}
    yield diagnose("Q903", origin, answer.pointer, quote=quote(answer.text, answer.text.index(first)), **given)


def _languages(texts: Sequence[Turn], asked: Turn, answer: Turn, origin: Origin) -> Iterator[Diagnostic]:
    """A question in Chinese answered in English or the reverse, where nobody asks for it."""
    english = answer.text.isascii()
    chinese, other = (asked.text, answer.text) if english else (answer.text, asked.text)
    differ = _is_chinese(chinese) and len(_WORD.findall(other)) >= WORDS and not _CODE.search(other)
    if differ and not any(_wants_other(turn, english=english) for turn in texts):
        yield diagnose("Q907", origin, answer.pointer, quote=quote(answer.text, 0, min(len(answer.text), 20)))


def _wants_other(turn: Turn, *, english: bool) -> bool:
    """Whether a text speaks of languages; instructions do where they ask for that of the answer."""
    named, other = (_ENGLISH, _CHINESE) if english else (_CHINESE, _ENGLISH)
    instructs = turn.role in INSTRUCTIONS
    return bool(named.search(turn.text) or (not instructs and other.search(turn.text)))


def _is_chinese(text: str) -> bool:
    ideographs = len(_HAN.findall(text))
    return ideographs >= IDEOGRAPHS and ideographs > 2 * len(_WORD.findall(text))


def _marked(code: str, turn: Turn, found: re.Match[str], origin: Origin) -> Diagnostic:
    text = found[0].strip()
    start = found.start() + found[0].find(text)
    return diagnose(code, origin, turn.pointer, quote=quote(turn.text, start, len(text)), text=short(text))
