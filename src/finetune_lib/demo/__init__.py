"""Sample data that comes with the library, for first steps without a file of one's own."""

from __future__ import annotations

from importlib.resources import files
from os import PathLike
from pathlib import Path
from typing import Literal, get_args

from finetune_lib.files import write_atomically

__all__ = ["DemoName", "demo_file"]

DemoName = Literal["sentiment", "sentiment_golden", "faq", "airport", "complaints", "complaints_golden"]


def demo_file(name: DemoName, *, folder: str | PathLike[str] | None = None) -> Path:
    """The path of sample data, in Chinese as people write it.

    Args:
        name: `sentiment`, fourteen sentences about films with 1 for praise and 0 for blame (Excel), and
            `sentiment_golden`, twenty about other films; `faq`, an office's workbook of two sheets with the slips that
            such books have (Excel; `sheet="客服問答"`); `airport`, ten chats of an airport's assistant (JSONL);
            `complaints`, forty complaints to a bank with one of five labels (CSV), and `complaints_golden`, others.
        folder: Copy it there, where it may be changed and other files written beside it. By default the path lies
            in the installed package, to be read only.

    Raises:
        ValueError: There is no such sample.
        FileExistsError: The folder has another file of that name; it is left as it is.

    Example:
        >>> import finetune_lib as ft
        >>> ft.Dataset.load(ft.demo_file("sentiment"))
        Dataset('sentiment.xlsx', 14 examples)
    """
    if name not in get_args(DemoName):
        raise ValueError(f"there is no sample {name!r}; there are {', '.join(get_args(DemoName))}")
    ending = next(ending for ending in (".xlsx", ".jsonl", ".csv") if _packaged(name + ending).is_file())
    packaged = _packaged(name + ending)
    if folder is None:
        return packaged
    copy, content = Path(folder, packaged.name), packaged.read_bytes()
    if copy.exists() and copy.read_bytes() == content:
        return copy
    return write_atomically(copy, [content], overwrite=False)


def _packaged(file: str) -> Path:
    return Path(str(files("finetune_lib.demo").joinpath(file)))
