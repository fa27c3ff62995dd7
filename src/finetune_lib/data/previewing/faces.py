"""A preview in the terminal, in a notebook and as a page."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from finetune_lib.data.previewing.preview import Preview, PreviewedExample, Stretch, Token
from finetune_lib.pages.document import document
from finetune_lib.pages.markup import Content, Markup, tag
from finetune_lib.pages.style import style
from finetune_lib.pages.terminal import width
from finetune_lib.pages.unseen import number, visible
from finetune_lib.pages.wording import Words, chosen, words
from finetune_lib.texts.languages import Language

ROOM, INDENT = 78, 10
LONGEST = 1_500  # characters of one run in the terminal
NEWLINE, BORDER = "⏎", "│"
SHEET = """
.ftl .run { white-space: pre-wrap; margin: .5rem 0; line-height: 2; font-family: ui-monospace, "Cascadia Mono", Menlo,
  Consolas, "Noto Sans Mono CJK TC", monospace; font-size: .9em; }
.ftl .run span { border-radius: .2rem; padding: .1rem .05rem; margin-right: 1px;
  box-shadow: inset 0 -1px 0 var(--line); }
.ftl .run .read { color: var(--soft); }
.ftl .run .learned { background: var(--quoted); color: var(--on-mark); }
.ftl .run .cut { background: var(--differs); color: var(--on-mark); text-decoration: line-through; }
.ftl .bad { color: var(--bad); }
"""


def in_terminal(preview: Preview, lang: Language | None) -> str:
    """One line for each run of tokens that are read, learned or cut; between learned tokens stands a bar."""
    said = words(chosen(lang))
    lines = [_headline(preview, said), *(line for example in preview.examples for line in _example(example, said))]
    if rest := preview.total - len(preview.examples):
        lines += ["", said["rest"].format(number=rest)]
    return "\n".join(lines)


def _headline(preview: Preview, said: Words) -> str:
    if not preview.exact:
        return said["preview_hosted"].format(model=preview.model)
    return said["preview_exact"].format(model=preview.model, limit=preview.limit)


def _example(example: PreviewedExample, said: Words) -> Iterator[str]:
    yield ""
    yield _place(example, said)
    for stretch in example.stretches:
        yield f"  {_counts(stretch, said)}"
        for fate, tokens in stretch.runs():
            between = BORDER if fate == "learned" else ""
            text = visible(between.join(token.text for token in tokens).replace("\n", NEWLINE))
            text = text if len(text) <= LONGEST else f"{text[:LONGEST]}…"
            name = said[f"token_{fate}"]
            label = "    " + name + " " * max(1, INDENT - width(name))
            yield from _wrapped(label, text)
    if example.problem:
        yield f"  ✗ {said['preview_nothing'].format(problem=example.problem)}"


def _wrapped(label: str, text: str) -> Iterator[str]:
    """Lines of one width, all behind the label; Chinese characters take two cells."""
    line, used, room = "", 0, ROOM - width(label)
    for character in text:
        if used + width(character) > room:
            yield label + line
            label, line, used = " " * width(label), "", 0
        line, used = line + character, used + width(character)
    yield label + line


def _place(example: PreviewedExample, said: Words) -> str:
    origin = example.origin
    places = [origin.source, said["row"].format(number=origin.row) if origin.row else ""]
    return visible(" · ".join(filter(None, places)) or said["whole"])


def _counts(stretch: Stretch, said: Words) -> str:
    read, learned, cut = stretch.count("read"), stretch.count("learned"), stretch.count("cut")
    told = said["preview_counts"].format(total=read + learned + cut, read=read, learned=learned)
    ends = [said["preview_cut"].format(cut=cut)] if cut else []
    return ", ".join([*([said[stretch.name]] if stretch.name else []), told, *ends])


def page(preview: Preview, lang: Language | None) -> str:
    """A page of its own."""
    language = chosen(lang)
    said = words(language)
    title = said["preview_title"].format(model=preview.model)
    return document(title, tag("h1", visible(title)), *_body(preview, said), sheet=SHEET, lang=language)


def in_notebook(preview: Preview) -> Markup:
    """The same, to stand in a notebook."""
    language = chosen(None)
    return tag("div", style(SHEET), *_body(preview, words(language)), class_="ftl list", lang=language)


def _body(preview: Preview, said: Words) -> Iterator[Content]:
    yield tag("p", visible(_headline(preview, said)), class_="soft")
    legend = [tag("span", said[f"token_{fate}"], class_=fate) for fate in ("read", "learned", "cut")]
    yield tag("p", *(part for span in legend for part in (span, " ")), class_="run")
    for example in preview.examples:
        yield tag("h2", _place(example, said))
        for stretch in example.stretches:
            yield tag("p", _counts(stretch, said), class_="soft")
            yield tag("p", *_spans(stretch.tokens), class_="run", dir="auto")
        if example.problem:
            yield tag("p", "✗ ", said["preview_nothing"].format(problem=visible(example.problem)), class_="bad")
    if rest := preview.total - len(preview.examples):
        yield tag("p", said["rest"].format(number=rest), class_="soft")


def _spans(tokens: Sequence[Token]) -> Iterator[Markup]:
    """Each token in its colour, its numbers where the mouse rests; a line break shows as a mark before it."""
    for token in tokens:
        lines = [visible(line) for line in token.text.split("\n")]
        text = f"{NEWLINE}\n".join(lines)
        ids = {"title": " ".join(map(str, token.ids))} if token.ids else {}
        yield tag("span", text or number(token.text[0]) if token.text else "∅", class_=token.fate, **ids)
