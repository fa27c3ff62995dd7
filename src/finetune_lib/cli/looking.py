"""`preview`, `stats`, `estimate`, `browse`: data looked at; nothing is written but a page that is asked for."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from finetune_lib.cli.choices import Method
from finetune_lib.cli.codes import CLEAN, ERRORS
from finetune_lib.cli.reading import Source, on_disk
from finetune_lib.cli.where import print_json

if TYPE_CHECKING:
    from finetune_lib.data.dataset import Dataset

_SOURCE = Source()


def preview(
    file: Path,
    /,
    *,
    model: str,
    source: Source = _SOURCE,
    method: Method = "supervised",
    chat_template: str | None = None,
    limit: int = 5,
    output: Annotated[Path | None, Parameter(alias="-o")] = None,
    json: bool = False,
) -> int:
    """Show what is trained, token by token: read, learned, cut.

    Args:
        file: JSONL, JSON, CSV, Excel, Parquet; also .gz and .zst; - is standard input
        model: tiny, the folder or the name of an open model, or a model of a service
        source: how the file is read
        method: the training method (default: supervised)
        chat_template: in place of the base's own: chatml or llama3
        limit: examples that are shown (default: 5)
        output: write them as a page there
        json: print one JSON object, with every token
    """
    from finetune_lib.files import write_atomically

    found = _loaded(file, source).preview(model=model, method=method, chat_template=chat_template, limit=limit)
    if output:
        print(write_atomically(output, [found.to_html(lang=source.lang).encode()]))
    elif json:
        print_json(asdict(found))
    else:
        print(found.text(lang=source.lang))
    return ERRORS if found.problems else CLEAN


def stats(file: Path, /, *, source: Source = _SOURCE, model: str | None = None, json: bool = False) -> int:
    """Tell how long examples are, by role and category.

    Args:
        file: JSONL, JSON, CSV, Excel, Parquet; also .gz and .zst; - is standard input
        source: how the file is read
        model: whose tokens (default: those of OpenAI's newest vocabulary)
        json: print one JSON object
    """
    found = _loaded(file, source).stats(model=model)
    if json:
        told: dict[str, Any] = asdict(found)
        print_json({**told, "lacks": [lack.code for lack in found.lacks]})
    else:
        print(found.text(lang=source.lang))
    return CLEAN


def estimate(
    file: Path,
    /,
    *,
    model: str,
    source: Source = _SOURCE,
    epochs: int | None = None,
    price: float | None = None,
    json: bool = False,
) -> int:
    """Tell what a training costs, before anything is sent.

    Args:
        file: JSONL, JSON, CSV, Excel, Parquet; also .gz and .zst; - is standard input
        model: the base model
        source: how the file is read
        epochs: how often the data is gone through (default: by the platform's rule)
        price: US dollars per million training tokens, where the catalogue knows none or an old one
        json: print one JSON object
    """
    found = _loaded(file, source).estimate(model, epochs="auto" if epochs is None else epochs, price=price)
    if json:
        names = ("model", "examples", "tokens", "cut", "epochs", "billed_tokens", "cost", "exact", "notes")
        print_json({name: getattr(found, name) for name in names})
    else:
        print(found)
    return CLEAN


def browse(
    file: Path,
    /,
    *,
    source: Source = _SOURCE,
    output: Annotated[Path | None, Parameter(alias="-o")] = None,
    limit: int = 2000,
) -> int:
    """Read the examples as conversations, on one page with what the checks found.

    Args:
        file: JSONL, JSON, CSV, Excel, Parquet; also .gz and .zst; - is standard input
        source: how the file is read
        output: write the page there (default: it is opened in the browser)
        limit: examples on the page at most (default: 2000)
    """
    from finetune_lib.files import write_atomically
    from finetune_lib.pages.browser import shown_in_browser

    data = _loaded(file, source)
    page = data.to_html(report=data.validate(), limit=limit, lang=source.lang)
    print(write_atomically(output, [page.encode()]) if output else shown_in_browser(page, name=data.name))
    return CLEAN


def _loaded(file: Path, source: Source) -> Dataset:
    with on_disk(file) as path:
        data = source.load(path)
        source.require_whole(data)
        return data
