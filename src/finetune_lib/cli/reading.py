"""Files as commands take them: how each is read, `-` for standard input, what is told where one cannot be read."""

from __future__ import annotations

import re
import shutil
import sys
import tempfile
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter, Token

from finetune_lib.cli.choices import Language, Method, Target
from finetune_lib.cli.codes import PROBLEMS, UNUSABLE

if TYPE_CHECKING:
    from finetune_lib.data.dataset import Dataset

STANDARD = Path("-")  # standard input, and where something is written, standard output


def _columns(_: object, tokens: Sequence[Token]) -> dict[str, str]:
    """From `prompt=問題,completion=答案` to a mapping; a comma parts fields where one follows."""
    text = tokens[0].value
    try:
        return dict(pair.split("=", 1) for pair in re.split(r",(?=\w+=)", text))
    except ValueError as error:
        raise ValueError(f"write it as prompt=問題,completion=答案, not {text!r}") from error


def _roles(_: object, tokens: Sequence[Token]) -> dict[str, str]:
    """From `小美=user,阿強=assistant` to a mapping."""
    text = tokens[0].value
    try:
        return dict(pair.rsplit("=", 1) for pair in text.split(","))
    except ValueError as error:
        raise ValueError(f"write it as 小美=user,阿強=assistant, not {text!r}") from error


Columns = Annotated[
    dict[str, str], Parameter(converter=_columns, n_tokens=1, accepts_keys=False, metavar="FIELD=NAME,…")
]


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True)
class Source:
    """How a file is read.

    Attributes:
        columns: as prompt=問題,completion=答案
        system: the system message of examples that have none; turns pairs into chats
        encoding: of a text file, where it cannot be told
        sheet: of a workbook
        roles: who speaks under which name, as 小美=user,阿強=assistant
        conversation: the column that tells conversations apart, or holds each whole
        lang: language of the messages (default: the locale's)
    """

    columns: Columns | None = None
    system: str | None = None
    encoding: str | None = None
    sheet: str | None = None
    roles: Annotated[
        dict[str, str] | None, Parameter(converter=_roles, n_tokens=1, accepts_keys=False, metavar="NAME=ROLE,…")
    ] = None
    conversation: str | None = None
    lang: Language | None = None

    def load(self, file: Path) -> Dataset:
        """The file as examples.

        Raises:
            InvalidDatasetError: It can be opened, but is no dataset; its report says so in words of the shell.
        """
        from finetune_lib.data.dataset import Dataset
        from finetune_lib.data.diagnostics import InvalidDatasetError, ValidationReport
        from finetune_lib.data.reading import ReadError

        how = {"system": self.system, "sheet": self.sheet, "encoding": self.encoding, "conversation": self.conversation}
        try:
            return Dataset.load(file, columns=self.columns, roles=self.roles, **how)
        except ReadError as error:
            if error.diagnostic is None:
                raise
            report = ValidationReport(file.name, 0, (error.diagnostic,)).for_shell()
            raise InvalidDatasetError(report.text(lang=self.lang), report=report) from error

    def require_whole(self, data: Dataset) -> None:
        """Refuse data with lines that could not be read, in words of the shell.

        Raises:
            InvalidDatasetError: There are some.
        """
        from finetune_lib.data.diagnostics import InvalidDatasetError
        from finetune_lib.pages.wording import chosen, words

        try:
            data.require_whole()
        except InvalidDatasetError as error:
            report = error.report.for_shell()
            told = f"{report.text(lang=self.lang)}\n{words(chosen(self.lang))['nothing_written']}"
            raise InvalidDatasetError(told, report=report) from error


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True)
class Options(Source):
    """How a file is read, and whose rules it is held against.

    Attributes:
        target: whose rules (default: the model's platform, or openai)
        method: the training method that the data is for (default: supervised)
        model: count this model's tokens and check its limits
    """

    target: Target | None = None
    method: Method = "supervised"
    model: str | None = None


@contextmanager
def on_disk(file: Path) -> Generator[Path]:
    """The file; of standard input a copy, kept as long as it is needed."""
    if file != STANDARD:
        yield file
        return
    with tempfile.TemporaryDirectory(prefix="finetune_lib-") as folder:
        path = Path(folder, "stdin")
        with path.open("wb") as kept:
            shutil.copyfileobj(sys.stdin.buffer, kept)
        yield path


def each(files: Sequence[Path], act: Callable[[Path, Path], int]) -> int:
    """Do it with each file, as it is named and where it lies; the worst exit code is that of all.

    A file that cannot be used is told on standard error and does not stop the others.
    """
    codes: list[int] = []
    for file in files:
        try:
            with on_disk(file) as path:
                codes.append(act(file, path))
        except BrokenPipeError:
            raise
        except PROBLEMS as error:
            print(f"finetune-lib: {error}", file=sys.stderr)
            codes.append(UNUSABLE)
    return max(codes)
