"""One page to read a data set: examples as conversations, filtered, with findings and twins beside them."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Any, cast

from finetune_lib.rendering.document import document
from finetune_lib.rendering.markup import Content, Markup, tag

if TYPE_CHECKING:
    from finetune_lib.diagnostics import Diagnostic, ValidationReport
    from finetune_lib.records import Example, Origin

Place = tuple[str, int | None, int | None]
SIDES = ("preferred_output", "non_preferred_output")


def dataset_page(
    name: str, examples: Sequence[Example], report: ValidationReport | None, *, limit: int
) -> str:
    """The page; of more examples than `limit` it holds the first ones and says so."""
    shown = list(islice(examples, limit))
    found = _by_place(report.diagnostics if report else ())
    twins = {_place(example.origin): example for example in shown}
    cards = [_card(number, example, found, twins) for number, example in enumerate(shown, start=1)]
    rest = len(examples) - len(shown)
    more = [tag("p", f"The first {len(shown):,} of {len(examples):,} examples are shown.", class_="soft")] if rest else []
    whole = [finding for finding in report.diagnostics if finding.origin.row is None] if report else []
    return document(
        name,
        tag("h1", name),
        tag("p", report.summary if report else f"{len(examples):,} examples", class_="soft"),
        *more,
        *(_finding(finding, {}) for finding in whole),
        _filters(shown, found),
        tag("main", *cards, id="examples"),
        script_name="browser.js",
    )


def _by_place(findings: Iterable[Diagnostic]) -> Mapping[Place, list[Diagnostic]]:
    found: defaultdict[Place, list[Diagnostic]] = defaultdict(list)
    for finding in findings:
        found[_place(finding.origin)].append(finding)
    return found


def _place(origin: Origin) -> Place:
    return origin.source, origin.line, origin.row


def _filters(examples: Sequence[Example], found: Mapping[Place, list[Diagnostic]]) -> Markup:
    """Search, code, category and order; the script acts on them."""
    codes = Counter(d.code for e in examples for d in found.get(_place(e.origin), ()))
    names = {d.code: d.slug for findings in found.values() for d in findings}
    categories = Counter(example.category for example in examples if example.category)
    coded = {code: f"{code} {names[code]} ({count})" for code, count in sorted(codes.items())}
    labelled = {name: f"{name} ({count})" for name, count in sorted(categories.items())}
    lengths = {"short": "shortest first", "long": "longest first"}
    controls = [
        tag("input", type="search", id="search", placeholder="Search", aria_label="Search in the texts"),
        *([_select("code", "All findings", {"any": "With a finding", **coded})] if coded else []),
        *([_select("category", "All categories", labelled)] if labelled else []),
        _select("order", "In order", lengths),
        tag("output", f"{len(examples):,} shown", id="count"),
    ]
    return tag("nav", *controls, class_="filters")


def _select(name: str, everything: str, choices: Mapping[str, str]) -> Markup:
    options = [tag("option", text, value=value) for value, text in {"": everything, **choices}.items()]
    return tag("select", *options, id=name, aria_label=everything)


def _card(
    number: int, example: Example, found: Mapping[Place, list[Diagnostic]], twins: Mapping[Place, Example]
) -> Markup:
    """One example: where it is from, its turns, and what was found."""
    findings = found.get(_place(example.origin), [])
    turns = list(_turns(example.data))
    size = sum(len(text) for _, text in turns)
    return tag(
        "article",
        tag("header", *_labels(number, example, size)),
        *(_turn(role, text) for role, text in turns),
        *(_finding(finding, twins) for finding in findings),
        id=f"example-{number}",
        data_codes=" ".join(sorted({finding.code for finding in findings})),
        data_category=example.category or "",
        data_length=str(size),
        data_number=str(number),
    )


def _labels(number: int, example: Example, size: int) -> Iterator[Markup]:
    yield tag("strong", f"{number}")
    origin = example.origin
    where = origin.cells.get("") or (origin.line and f"line {origin.line}") or (origin.row and f"row {origin.row}") or ""
    yield tag("span", f"{origin.source} {where}", class_="soft")
    for label in (example.category, example.operation, example.dialect):
        if label:
            yield tag("span", label, class_="badge")
    yield tag("span", f"{size:,} characters", class_="soft right-end")


def _turns(data: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Role and text of each turn of whatever stands there, sound or not."""
    given = data.get("input")
    messages = data.get("messages")
    if isinstance(messages, list):
        yield from map(_spoken, cast("list[Any]", messages))
    elif isinstance(given, dict):
        yield from _turns(cast("dict[str, Any]", given))
        for side in SIDES:
            output = data.get(side)
            yield from ((side, text) for _, text in map(_spoken, output if isinstance(output, list) else [output]))
    else:
        yield from ((key, str(value)) for key, value in data.items())


def _spoken(message: Any) -> tuple[str, str]:
    fields = cast("dict[str, Any]", message) if isinstance(message, dict) else {"content": message}
    content = fields.get("content")
    if isinstance(content, list):
        content = "\n".join(str(part.get("text") or part) if isinstance(part, dict) else str(part) for part in content)
    calls = [f"→ {call}" for call in fields.get("tool_calls") or ()]
    return str(fields.get("role", "?")), "\n".join([str(content)] * (content is not None) + calls)


def _turn(role: str, text: str) -> Markup:
    known = role if role in {"system", "developer", "user", "assistant", "tool"} else "other"
    return tag("div", tag("b", role), tag("p", text, dir="auto"), class_=f"turn {known}")


def _finding(finding: Diagnostic, twins: Mapping[Place, Example]) -> Markup:
    texts = finding.texts()
    path = [tag("code", finding.path), Markup(" ")] if finding.path else []
    content: list[Content] = [tag("b", f"{finding.code} {finding.slug}"), Markup(" "), *path, texts.message]
    content += [tag("p", texts.hint, class_="soft"), *_twins(finding, twins)]
    return tag("div", *content, class_=f"finding {finding.severity}")


def _twins(finding: Diagnostic, twins: Mapping[Place, Example]) -> Iterator[Markup]:
    """The other rows that a finding is about, to be read beside this one."""
    for origin in finding.related:
        example = twins.get(_place(origin))
        if example is not None:
            turns = [_turn(role, text) for role, text in _turns(example.data)]
            where = f"{origin.source}:{origin.cells.get('') or origin.line or origin.row}"
            yield tag("details", tag("summary", f"Beside it: {where}"), *turns)
