"""The row shapes of other projects, read as OpenAI's."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from finetune_lib.data.formats.masks import MASKS
from finetune_lib.data.formats.recognising import SHAPES, dialect_of
from finetune_lib.data.formats.rows import UnclearError
from finetune_lib.records import Example

READERS: Final = {shape.name: shape.read for shape in SHAPES}
UNSAYABLE_DIALECTS: Final = frozenset(name for name, read in READERS.items() if read is None)
"""Known dialects that no format of OpenAI's can say: a single answer with a verdict, and plain text."""

OWN_DIALECTS: Final = frozenset(shape.name for shape in MASKS.shapes)
"""Dialects of OpenAI's own rows: what stands beside the conversation there is a grader's, or an error."""


def translated(example: Example) -> Example:
    """The example in OpenAI's shape.

    Unchanged where it has that shape already. Where no format of OpenAI's can say it, or it is not sound by its
    own dialect's rules, it only gets its dialect's name, so that checks report it as it stands. Fields that a
    dialect does not know stay beside the messages; a cell that a text was read from moves with it.
    """
    dialect = dialect_of(example.data)
    if dialect is None:
        return example
    read = READERS[dialect]
    try:
        found = read and read(example.data)
    except UnclearError:
        found = None
    if found is None:
        return replace(example, dialect=dialect)
    cells = {new: example.origin.cells[old] for new, old in found.moves.items() if old in example.origin.cells}
    origin = replace(example.origin, cells={**example.origin.cells, **cells}) if cells else example.origin
    category = found.category or example.category
    return replace(example, data=found.data, origin=origin, category=category, dialect=dialect)
