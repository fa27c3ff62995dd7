"""What each row becomes: its tokens, and which of them are read, learned or cut, by the code that trains."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import groupby
from typing import Any, Literal, cast

from finetune_lib import catalog
from finetune_lib.data.bases import Base, is_hosted, read_base
from finetune_lib.pages.markup import Markup
from finetune_lib.records import Example, Method, Origin, kind_of
from finetune_lib.rendering.examples import SIDES, sequences_of
from finetune_lib.rendering.messages import RenderingError
from finetune_lib.rendering.renderer import Piece, Renderer
from finetune_lib.rows.messages import OUTPUTS, trained
from finetune_lib.shown import Shown
from finetune_lib.texts.languages import Language
from finetune_lib.tokens import TOKENS_PER_MESSAGE, text_pieces

Fate = Literal["read", "learned", "cut"]
NO_CHARACTER = "\ufffd"
LONGEST_CHARACTER = 8  # tokens; four bytes make one, and a blank or two may stand before them


@dataclass(frozen=True, slots=True)
class Token:
    """The smallest stretch of tokens that says whole characters.

    Attributes:
        text: What it says.
        fate: `read`, `learned`, or `cut`, as it stands behind what the base reads of one example.
        count: How many tokens it is: several where they make one character.
        ids: Their numbers in the base's vocabulary; empty for models whose own template is not public.
    """

    text: str
    fate: Fate
    count: int
    ids: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Stretch(Shown):
    """One sequence that is trained.

    Attributes:
        name: `chosen` or `rejected` of a preference; empty else.
        tokens: In their order.
    """

    name: str
    tokens: tuple[Token, ...]

    def count(self, fate: Fate) -> int:
        """Tokens of the vocabulary with this fate."""
        return sum(token.count for token in self.tokens if token.fate == fate)

    def runs(self) -> Iterator[tuple[Fate, list[Token]]]:
        """What follows each other with one fate."""
        for _, tokens in groupby(self.tokens, key=lambda token: token.fate):
            run = list(tokens)
            yield run[0].fate, run


@dataclass(frozen=True, slots=True)
class PreviewedExample(Shown):
    """One example as it is trained on.

    Attributes:
        origin: Where it came from.
        stretches: The sequences; several where turns do not join, or of a preference, whose answers stand apart.
        problem: Why it teaches nothing; empty where it teaches.
    """

    origin: Origin
    stretches: tuple[Stretch, ...]
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Preview(Shown):
    """What a model is trained on; printing it shows which words are read and which are learned.

    Attributes:
        model: The base.
        examples: The first ones.
        total: Examples of the dataset.
        limit: Tokens that the base reads of one example; None where that is not known.
        exact: Whether the tokens are the very ones that are trained; False for a service whose template is not public.

    Example:
        >>> import finetune_lib as ft
        >>> data = ft.Dataset.from_rows([{"prompt": "Open on Sunday?", "completion": "Yes."}], system="Be brief.")
        >>> data.preview(model="gpt-4.1-mini").examples[0].stretches[0].count("learned")
        2
    """

    model: str
    examples: tuple[PreviewedExample, ...]
    total: int
    limit: int | None
    exact: bool

    @property
    def problems(self) -> tuple[PreviewedExample, ...]:
        """The examples that teach nothing."""
        return tuple(example for example in self.examples if example.problem)

    def __str__(self) -> str:
        return self.text()

    def text(self, *, lang: Language | None = None) -> str:
        """The tokens for a terminal, in `en`, `zh-Hant` or `zh-Hans`; by default in the language of the locale."""
        from finetune_lib.data.previewing.faces import in_terminal

        return in_terminal(self, lang)

    def to_html(self, *, lang: Language | None = None) -> str:
        """One page with each token in its colour; it works offline and loads nothing.

        Args:
            lang: `en`, `zh-Hant` or `zh-Hans`; by default that of the locale.
        """
        from finetune_lib.data.previewing.faces import page

        return page(self, lang)

    def _repr_html_(self) -> Markup:
        from finetune_lib.data.previewing.faces import in_notebook

        return in_notebook(self)


def preview(
    examples: Sequence[Example], *, model: str, method: Method, chat_template: str | None, first: int
) -> Preview:
    """The first examples as the model is trained on them; `Dataset.preview` tells the options."""
    shown = examples[:first]
    if is_hosted(model):
        facts = catalog.find(model)
        limit = facts.training_limit if facts else None
        taken = partial(_without_template, model, limit)
    else:
        base = read_base(model)
        renderer = base.renderer([example.data for example in examples], chat_template=chat_template)
        limit, taken = base.limit, partial(_rendered, base, renderer)
    found = tuple(_previewed(example, method, taken) for example in shown)
    return Preview(model, found, len(examples), limit, exact=not is_hosted(model))


def _previewed(example: Example, method: Method, taken: Any) -> PreviewedExample:
    if method == "dpo" and kind_of(example.data) != "preference":
        return PreviewedExample(example.origin, (), f"{method} learns from rows with two answers, and this has one")
    try:
        stretches: tuple[Stretch, ...] = tuple(taken(example.data, method))
    except RenderingError as error:
        return PreviewedExample(example.origin, (), f"{error.path}: {error}")
    learns = [stretch.count("learned") for stretch in stretches]
    taught = all(learns) if method == "dpo" else any(learns) or method == "reinforcement"
    return PreviewedExample(example.origin, stretches, "" if taught else _why_nothing(stretches))


def _why_nothing(stretches: Sequence[Stretch]) -> str:
    if any(stretch.count("cut") for stretch in stretches):
        return "what it answers stands behind the tokens that the base reads of one example"
    return "no assistant turn is learned"


def _rendered(base: Base, renderer: Renderer, row: Mapping[str, Any], method: Method) -> Iterator[Stretch]:
    """The sequences of a row in the base's own template."""
    for name, pieces in sequences_of(renderer, row, method):
        places = _whole_characters(base.tokenizer, pieces)
        yield Stretch(name, tuple(_fated(places, base.limit)))


Place = tuple[str, bool, int, tuple[int, ...]]


def _whole_characters(tokenizer: Any, pieces: Iterable[Piece]) -> Iterator[Place]:
    """The tokens of each piece in stretches that decode to whole characters, each with whether it is learned."""
    for piece in pieces:
        group: list[int] = []
        before: list[int] = []
        for token in piece.ids:
            group.append(token)
            text = _said(tokenizer, before, group)
            if NO_CHARACTER not in text or len(group) == LONGEST_CHARACTER:
                yield text, piece.learned, len(group), tuple(group)
                before, group = group, []
        if group:
            yield _said(tokenizer, before, group), piece.learned, len(group), tuple(group)


def _said(tokenizer: Any, before: list[int], group: list[int]) -> str:
    """What tokens say behind those before them, whose blank some vocabularies show only there."""
    options = {"skip_special_tokens": False, "clean_up_tokenization_spaces": False}
    return tokenizer.decode(before + group, **options)[len(tokenizer.decode(before, **options)) :]


def _fated(places: Iterable[Place], limit: int | None) -> Iterator[Token]:
    at = 0
    for text, learned, count, ids in places:
        at += count
        fate = "cut" if limit is not None and at > limit else "learned" if learned else "read"
        yield Token(text, fate, count, ids)


def _without_template(model: str, limit: int | None, row: Mapping[str, Any], method: Method) -> Iterator[Stretch]:
    """The words of a row in the vocabulary of a service: who speaks stands in brackets, in place of its template."""
    if method == "dpo":
        asked = [(message, False) for message in cast("list[Any]", row["input"]["messages"])]
        for name, side in zip(SIDES, OUTPUTS, strict=True):
            yield Stretch(name, tuple(_fated(_worded(model, [*asked, (row[side][0], True)]), limit)))
    else:
        yield Stretch("", tuple(_fated(_worded(model, trained(row)), limit)))


def _worded(model: str, turns: Iterable[tuple[Mapping[str, Any], bool]]) -> Iterator[Place]:
    for message, learned in turns:
        yield f"[{message.get('role')}]", False, TOKENS_PER_MESSAGE, ()
        yield from ((text, learned, count, ()) for text, count in text_pieces(model, message))
