"""What a report says in one line, and its findings in runs of one code."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from finetune_lib.data.diagnostics.catalogue import Severity
from finetune_lib.data.diagnostics.finding import Diagnostic
from finetune_lib.data.diagnostics.result import TokenCount, ValidationResult
from finetune_lib.pages.wording import number_of, words
from finetune_lib.texts.languages import Language

SEVERITIES = ("error", "warning", "info")
Run = tuple[Sequence[Diagnostic], int]


def runs_of(report: ValidationResult) -> list[Run]:
    """The findings of each code and severity with how many there are in all: errors first, else as they came."""
    return grouped(report.diagnostics, report.tally)


def grouped(findings: Iterable[Diagnostic], tally: Mapping[tuple[str, Severity], int]) -> list[Run]:
    """The same for any findings; where the tally is silent, they are all."""
    groups: dict[tuple[str, Severity], list[Diagnostic]] = {}
    for finding in findings:
        groups.setdefault((finding.code, finding.severity), []).append(finding)
    ordered = sorted(groups.items(), key=lambda entry: SEVERITIES.index(entry[0][1]))
    return [(group, max(len(group), tally.get(key, 0))) for key, group in ordered]


def summary_of(report: ValidationResult, lang: Language) -> str:
    """The last line: what was read, and how much was found."""
    if lang == "en":
        return report.summary
    said = words(lang)
    size = [number_of(said, "examples", report.examples), *([_tokens(report.tokens, lang)] if report.tokens else [])]
    counts = (number_of(said, f"{severity}s_counted", report.count(severity)) for severity in SEVERITIES[:2])
    return f"{report.source}：{'，'.join(size)}：{'、'.join(counts)}"


def _tokens(tokens: TokenCount, lang: Language) -> str:
    said = words(lang)
    about = "" if tokens.exact else said["about"]
    return said["tokens_counted"].format(
        about=about, total=tokens.total, encoding=tokens.encoding, longest=tokens.longest
    )
