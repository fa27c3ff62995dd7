"""Dataset: an immutable sequence of examples, from a file to data that trains."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from os import PathLike
from pathlib import Path
from typing import Any, NamedTuple, overload

from finetune_lib import catalog, checks, readers
from finetune_lib.checks import Rules, Target
from finetune_lib.converting import as_chat
from finetune_lib.diagnostics import Diagnostic, ValidationReport, counted, is_error
from finetune_lib.errors import DataError, InvalidDatasetError
from finetune_lib.files import write_atomically
from finetune_lib.records import Example, Method, Origin
from finetune_lib.splitting import split_places


class Split(NamedTuple):
    """The parts of a dataset; no question stands in two of them."""

    train: Dataset
    validation: Dataset
    golden: Dataset


class Dataset(Sequence[Example]):
    """An immutable sequence of training examples.

    Each operation gives a new Dataset. What is not part of an example (its origin, its category) rides beside
    it and never reaches a saved or uploaded file.

    Example:
        >>> import finetune_lib as ft
        >>> data = ft.Dataset.from_rows(
        ...     [{"prompt": "幾點登機？", "completion": "起飛前 30 分鐘。"}], system="你是機場客服。"
        ... )
        >>> data[0].answer
        '起飛前 30 分鐘。'
    """

    def __init__(
        self, examples: Sequence[Example], *, name: str = "dataset", problems: Iterable[Diagnostic] = ()
    ) -> None:
        """Wrap examples; `load` and `from_rows` are the usual ways.

        Args:
            examples: Any sequence; it is read by index and never changed.
            name: What reports call the data.
            problems: Findings of the reader; an error among them keeps the data from being saved or trained.
        """
        self._examples = examples
        self._problems = tuple(problems)
        self.name = name

    @classmethod
    def load(
        cls,
        path: str | PathLike[str],
        *,
        system: str | None = None,
        columns: Mapping[str, str] | None = None,
        sheet: str | None = None,
        encoding: str = "utf-8",
    ) -> Dataset:
        """Read a file: `.jsonl`, `.json`, `.csv`, `.tsv` or Excel.

        Rows of a table become chats of one user and one assistant turn. JSONL keeps its format: chat rows, or
        prompt/completion pairs unless `system` is given. A line that cannot be read does not stop the
        others: `validate` reports it, and nothing is saved or trained until it is mended or left out by
        `drop_unread`.

        Args:
            path: The file; its ending tells the format.
            system: The system message of every example that has none; turns pairs into chats.
            columns: Which column of a table is `prompt`, `completion`, `system` or `category`, where the
                header does not say so: `{"prompt": "問題", "completion": "答案"}`.
            sheet: The sheet of a workbook with several.
            encoding: The text encoding of a file that is not UTF-8, as `cp950` (Big5) or `gb18030` (GBK).

        Raises:
            ReadError: The file as a whole cannot be read; the message names it and what to do.
            MissingExtraError: An Excel file without `pip install "finetune_lib[excel]"`.
        """
        file = Path(path)
        reading = readers.read(file, readers.Options(encoding, sheet, columns))
        table = file.suffix.lower() not in {".jsonl", ".json"}
        examples = [as_chat(example, system, pairs=table or system is not None) for example in reading.examples]
        return cls(examples, name=file.name, problems=reading.problems)

    @classmethod
    def from_rows(cls, rows: Iterable[Mapping[str, Any]], *, system: str | None = None, name: str = "rows") -> Dataset:
        """Wrap rows that are in memory: chats (`messages`) or pairs (`prompt`, `completion`, `category`)."""
        numbered = enumerate(rows, start=1)
        examples = [Example(row, Origin(name, row=number)) for number, row in numbered]
        return cls([as_chat(example, system, pairs=True) for example in examples], name=name)

    def validate(
        self,
        *,
        model: str | None = None,
        target: Target | None = None,
        method: Method = "supervised",
        today: date | None = None,
    ) -> ValidationReport:
        """Check everything and report every finding, each with its row and field; raises nothing.

        Args:
            model: The base model: its tokens are counted and its limits checked.
            target: Whose rules: `openai`, `local`, or `compatible` for another service that speaks OpenAI's
                protocol (the same rules without OpenAI's dates); by default those of the model's platform.
            method: `supervised`, `dpo` or `reinforcement`.
            today: The day that announced shutdowns are held against; by default today.
        """
        facts = catalog.find(model) if model else None
        rules = Rules(target or (facts.platform if facts else "openai"), method, model)
        return checks.validate(self._examples, source=self.name, rules=rules, problems=self._problems, today=today)

    def split(self, *, validation: float | int = 0, golden: float | int = 0, seed: int = 0) -> Split:
        """Part the data into training, validation and golden set.

        Deterministic by content: an example's place depends on its question and the seed, not on its row, and
        examples with the same question stay together.

        Args:
            validation: A share of all examples (0.1) or a count (20).
            golden: The same for the golden set, which `Evaluator` scores and training never sees.
            seed: Another seed, another split.

        Raises:
            ValueError: The parts leave nothing to train on.
            InvalidDatasetError: Some lines could not be read.
        """
        self.require_whole()
        places = split_places(self._examples, validation=validation, golden=golden, seed=seed)
        return Split(*map(self._part, places, Split._fields))

    def _part(self, places: Sequence[int], name: str) -> Dataset:
        return Dataset([self._examples[place] for place in sorted(places)], name=f"{self.name} ({name})")

    def save(self, path: str | PathLike[str], *, overwrite: bool = False) -> Path:
        """Write the examples as JSONL (UTF-8, one object a line), whole or not at all.

        Raises:
            FileExistsError: The file is there; pass `overwrite=True` to replace it.
            InvalidDatasetError: Some lines could not be read; saving would lose them.
            DataError: A row from memory holds a value that JSON has no form for, as a date or NaN.
        """
        self.require_whole()
        return write_atomically(Path(path), self.lines(), overwrite=overwrite)

    def lines(self) -> Iterator[bytes]:
        """The examples as lines of JSONL, as they are uploaded."""
        return (_line(example, number) for number, example in enumerate(self._examples, start=1))

    def drop_unread(self) -> Dataset:
        """The same examples without the lines that could not be read: they are left out on purpose.

        In a `.json` array, what stands behind a place that is no JSON cannot be read either, and is left out too.
        """
        return Dataset(self._examples, name=self.name)

    def require_whole(self) -> None:
        """Refuse to go on with lines that could not be read.

        Raises:
            InvalidDatasetError: There are some; the report names them.
        """
        report = ValidationReport(self.name, len(self), self._problems)
        if not report.ok:
            raise InvalidDatasetError(
                f"{report}\nMend these lines, or leave them out: data = data.drop_unread()", report=report
            )

    def __len__(self) -> int:
        return len(self._examples)

    @overload
    def __getitem__(self, index: int) -> Example: ...
    @overload
    def __getitem__(self, index: slice) -> Dataset: ...
    def __getitem__(self, index: int | slice) -> Example | Dataset:
        if isinstance(index, slice):
            return Dataset(self._examples[index], name=self.name, problems=self._problems)
        return self._examples[index]

    def __eq__(self, other: object) -> bool:
        """Equal by the examples' content; where they came from does not matter."""
        if not isinstance(other, Dataset):
            return NotImplemented
        return [e.data for e in self] == [e.data for e in other]

    __hash__ = None  # pyright: ignore[reportAssignmentType]

    def __repr__(self) -> str:
        unread = sum(map(is_error, self._problems))
        lost = f", {counted(unread, 'unread line')}" if unread else ""
        return f"Dataset({self.name!r}, {counted(len(self), 'example')}{lost})"

    def _repr_html_(self) -> str:
        from finetune_lib.rendering.dataset import dataset_html

        return dataset_html(self.name, self._examples)


def _line(example: Example, number: int) -> bytes:
    try:
        text = json.dumps(example.data, ensure_ascii=False, allow_nan=False)
        return text.encode() + b"\n"
    except UnicodeEncodeError:  # half a character: only its escape can be written
        return json.dumps(example.data).encode() + b"\n"
    except (TypeError, ValueError) as error:
        raise DataError(f"example {number} holds a value that JSON has no form for: {error}") from error
