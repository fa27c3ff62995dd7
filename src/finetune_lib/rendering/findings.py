"""Findings for people: the report in a terminal, the explanation of a code, and the diff of a fix."""

from __future__ import annotations

import difflib
import string
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING

from finetune_lib.rendering.terminal import width

if TYPE_CHECKING:
    from finetune_lib.diagnostics import Change, Code, CodeExample, Diagnostic, Language, ValidationReport

SHOWN_PER_CODE = 3
LISTED_LINES = 20
COLORS = {"error": "31", "warning": "33", "info": "36"}
WORDS: Mapping[str, Mapping[str, str]] = {
    "en": {
        "help": "help",
        "fix": "fix",
        "safe": "safe: data.fix()",
        "unsafe": "asks for your word: data.fix(safe_only=False)",
        "more": "… and {number:,} more {code}, on {places}",
        "failing": "with the finding",
        "fixed": "without it",
    },
    "zh-Hant": {
        "help": "建議",
        "fix": "修復",
        "safe": "安全：data.fix()",
        "unsafe": "需由您決定：data.fix(safe_only=False)",
        "more": "……另有 {number:,} 個 {code}，位於 {places}",
        "failing": "有此問題",
        "fixed": "修正後",
    },
    "zh-Hans": {
        "help": "建议",
        "fix": "修复",
        "safe": "安全：data.fix()",
        "unsafe": "需由您决定：data.fix(safe_only=False)",
        "more": "……另有 {number:,} 个 {code}，位于 {places}",
        "failing": "有此问题",
        "fixed": "修正后",
    },
}


def finding_text(finding: Diagnostic, *, lang: Language | None = None, color: bool = False) -> str:
    """One finding with its place, the marked piece of source, related places and help."""
    texts = finding.texts(lang)
    words = WORDS[_chosen(lang)]
    lines = [*_head(finding, texts, color), f"   = {words['help']}: {texts.hint}"]
    if texts.fix:
        lines.append(f"   = {words['fix']}: {texts.mend} ({words[texts.fix]})")
    return "\n".join(lines)


def _chosen(lang: Language | None) -> Language:
    from finetune_lib.diagnostics import language

    return lang or language()


def _head(finding: Diagnostic, texts: Code, color: bool) -> Iterator[str]:
    label = f"{finding.severity}[{finding.code}]"
    yield f"{_colored(label, finding.severity) if color else label} {texts.message}"
    yield f"  --> {finding.place}"
    yield from (f"  ::: {place}" for place in finding.related_places)
    if finding.quote:
        mark = " " * width(finding.quote.text[: finding.quote.start])
        marked = finding.quote.text[finding.quote.start : finding.quote.start + finding.quote.length]
        yield f"   | {finding.quote.text}"
        yield f"   | {mark}{'^' * max(1, width(marked))}"


def _colored(text: str, severity: str) -> str:
    return f"\x1b[1;{COLORS[severity]}m{text}\x1b[0m"


def report_text(report: ValidationReport, *, lang: Language | None, color: bool) -> str:
    """All findings by code, long runs of one code cut short, and the summary."""
    groups: defaultdict[str, list[Diagnostic]] = defaultdict(list)
    for finding in report.diagnostics:
        groups[finding.code].append(finding)
    runs = (_run(group, report.count(code), _chosen(lang), color) for code, group in groups.items())
    return "\n".join([*(line for run in runs for line in run), report.summary])


def _run(group: list[Diagnostic], total: int, lang: Language, color: bool) -> Iterator[str]:
    """One code's findings: its help once, and the places of those beyond the first few."""
    yield finding_text(group[0], lang=lang, color=color)
    shown = group if total <= SHOWN_PER_CODE + 2 else group[:SHOWN_PER_CODE]
    for finding in shown[1:]:
        yield from _head(finding, finding.texts(lang), color)
    if rest := total - len(shown):
        listed = group[len(shown) :][:LISTED_LINES]
        places = ", ".join(str(d.cell or d.origin.line or d.origin.row) for d in listed)
        more = WORDS[lang]["more"]
        yield more.format(number=rest, code=group[0].code, places=places + (" …" if rest > len(listed) else ""))


def explanation(code: Code, example: CodeExample, lang: Language) -> str:
    """What a code means, with the example that has it and the one that has not."""
    words = WORDS[lang]
    fix = [f"{words['fix']}: {code.mend} ({words[code.fix]})"] if code.fix else []
    texts = [_plain(code.message), f"{words['help']}: {_plain(code.hint)}", *map(_plain, fix)]
    failing = example.failing or bytes.fromhex(example.failing_hex).decode("latin-1")
    shown = [f"{words['failing']}:", _indented(failing), f"{words['fixed']}:", _indented(example.fixed)]
    return "\n".join([f"{code.code} {code.slug} ({code.severity})", *texts, "", *shown])


def _plain(template: str) -> str:
    """A template with its places as words, `{column}` as `<column>`."""
    parts = string.Formatter().parse(template)
    return "".join(literal + (f"<{name}>" if name else "") for literal, name, _, _ in parts)


def _indented(text: str) -> str:
    return "\n".join(f"    {line}" for line in text.strip("\n").split("\n"))


def unified_diff(source: str, changes: Iterable[Change]) -> str:
    """Changes of single lines as a unified diff, each hunk with the codes that it mends."""
    hunks = [_hunk(change) for change in changes]
    return "".join([f"--- {source}\n+++ {source} (fixed)\n", *hunks]) if hunks else ""


def _hunk(change: Change) -> str:
    place = change.origin.line or change.origin.row or 0
    before, after = change.before.splitlines(), change.after.splitlines()
    body = [line for line in difflib.ndiff(before, after) if not line.startswith("?")]
    lines = "\n".join(f"{line[0]}{line[2:]}" for line in body)
    return f"@@ -{place},{len(before)} +{place},{len(after)} @@ {' '.join(change.codes)} ({change.kind})\n{lines}\n"
