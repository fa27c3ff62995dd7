"""The rows of a table in which nothing is odd, which most are: known by one look, and made JSON by a template."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import lru_cache
from json.encoder import encode_basestring as quoted
from operator import itemgetter
from typing import Any

from finetune_lib.data.reading.meaning import Meaning
from finetune_lib.data.reading.tables.body import Plain, PlainTexts
from finetune_lib.data.reading.tables.cells import Row
from finetune_lib.data.reading.tables.headers import Header
from finetune_lib.data.reading.tables.merges import Merges
from finetune_lib.data.reading.tables.odd_cells import DITTO, LONGEST_EXCEL, ORDINARY, odd_text
from finetune_lib.data.reading.tables.pairs import Pairs, example_of
from finetune_lib.data.reading.tables.places import Places
from finetune_lib.data.reading.tables.unfinished import LONGEST, is_total
from finetune_lib.records import Example, Origin

LONGEST_ORDINARY = LONGEST_EXCEL // 2
FIELDS = frozenset({"system", "prompt", "completion"})
PLACEHOLDER = re.compile(r'"\\u0000(\w+)"')


class PlainRows(Plain):
    """What becomes of the rows in which nothing is odd.

    Attributes:
        places: Where they stand, with the paths of the examples that are wished.
    """

    def __init__(
        self,
        header: Header,
        making: Pairs,
        meaning: Meaning | None,
        merges: Merges,
        *,
        fields: Sequence[str],
        template: str,
        stored: Places,
        places: Places,
    ) -> None:
        """Work out once what every row needs.

        Args:
            header: The table's header.
            making: What makes examples of its rows.
            meaning: What makes the wished examples of these.
            merges: The merged cells.
            fields: The fields of an example, in the order of the template.
            template: An example in JSON with a place for the text of each field.
            stored: Where the rows stand.
            places: The same with the paths of the wished examples.
        """
        self.places = places
        self._meaning = meaning
        self._merged = merges.touch
        self._fields = fields
        self._order = [name for name in making.places if name in FIELDS]
        self._template = f"{template}\n"
        self._labelled = f'{template}\t{{"category": %s}}\n'
        self._stored = stored
        self._width = len(header.names)
        self._first = header.names[making.places[fields[0]]]
        self._texts: Callable[[Sequence[Any]], tuple[Any, ...]] = itemgetter(*map(making.places.__getitem__, fields))
        self._category = making.places.get("category")

    @staticmethod
    def of(header: Header, making: object, meaning: Meaning | None, places: Places, merges: Merges) -> PlainRows | None:
        """Those of a table; None where its rows are more than a question and an answer, or a column has no name."""
        if not isinstance(making, Pairs) or making.beside or not all(header.names):
            return None
        fields = [name for name in making.places if name in FIELDS]
        if len(fields) < 2 or not {*making.places} <= FIELDS | {"category"}:
            return None
        example = example_of({name: f"\0{name}" for name in fields}, None, Origin(cells=places.columns))
        wished = meaning(example) if meaning else example
        template = json.dumps(wished.data, ensure_ascii=False).replace("%", "%%")
        order = PLACEHOLDER.findall(template)
        if sorted(order) != sorted(fields):
            return None
        seen = replace(places, columns=wished.origin.cells)
        template = PLACEHOLDER.sub("%s", template)
        return PlainRows(header, making, meaning, merges, fields=order, template=template, stored=places, places=seen)

    def taken(self, row: Row, number: int) -> PlainTexts | None:
        """The texts of a row, if no more need be said of it; `number` counts the rows of data."""
        cells, line, sheet, in_sheet, marks = row
        if len(cells) != self._width or marks or (sheet is not None and self._merged(in_sheet)):
            return None
        texts = self._texts(cells)
        long = False
        for text in texts:
            if text.__class__ is not str or not text or text.isspace():
                return None
            ordinary = ORDINARY < len(text) < LONGEST_ORDINARY and "?" not in text
            if not ordinary and odd_text(text):
                return None
            long = long or len(text) > LONGEST
        if texts[0].strip() == self._first or (not long and is_total(cells)):
            return None
        label = "" if self._category is None else cells[self._category]
        if label.__class__ is not str or _is_ditto(label):
            return None
        return PlainTexts(self, texts, label.strip(), line or (in_sheet if sheet is not None else 0), number)

    def line(self, found: PlainTexts) -> bytes:
        """The wished example as it is spooled.

        Raises:
            UnicodeEncodeError: A text holds half a character.
        """
        texts = tuple(map(quoted, found.texts))
        if found.category:
            return (self._labelled % (*texts, quoted(found.category))).encode()
        return (self._template % texts).encode()

    def example(self, found: PlainTexts) -> Example:
        """The example as the row has it."""
        texts = dict(zip(self._fields, found.texts, strict=True))
        data = {name: texts[name] for name in self._order}
        return Example(data, self._stored.origin(found.number, found.row), found.category or None)

    def wished(self, found: PlainTexts) -> Example:
        """The wished example."""
        example = self.example(found)
        return self._meaning(example) if self._meaning else example


@lru_cache(maxsize=1024)
def _is_ditto(label: str) -> bool:
    return odd_text(label) == DITTO
