"""`convert`, `redact`, `deduplicate`, `split`, `augment`, `documents`: a file in, files of examples out."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from finetune_lib.cli.choices import Format
from finetune_lib.cli.codes import CLEAN
from finetune_lib.cli.reading import STANDARD, Source, on_disk
from finetune_lib.cli.where import Where, print_json

if TYPE_CHECKING:
    from finetune_lib.data.dataset import Dataset

Output = Annotated[Path, Parameter(alias="-o")]
_SOURCE, _HERE = Source(), Where()


def convert(
    file: Path, /, *, output: Output, source: Source = _SOURCE, format: Format = "openai", force: bool = False
) -> int:
    """Write examples in another format, or as another kind of file.

    Args:
        file: JSONL, JSON, CSV, Excel, Parquet; also .gz and .zst; - is standard input
        output: .jsonl, .json, .csv, .tsv, .xlsx or .parquet; - is standard output, as JSONL
        source: how the file is read
        format: the form of a row (default: openai)
        force: replace a file that is there
    """
    data = _loaded(file, source)
    _write(data, output, format=format, force=force)
    return _told(_examples(data), output)


def redact(file: Path, /, *, output: Output, source: Source = _SOURCE, force: bool = False) -> int:
    """Write examples with placeholders in the place of personal data and secrets.

    Args:
        file: JSONL, JSON, CSV, Excel, Parquet; also .gz and .zst; - is standard input
        output: as of convert
        source: how the file is read
        force: replace a file that is there
    """
    _require_free(output, force=force)
    data = _loaded(file, source)
    redacted = data.redact()
    changed = sum(before.data != after.data for before, after in zip(data, redacted, strict=True))
    _write(redacted, output, force=force)
    return _told(f"{changed} of {len(data)} examples had something to hide", output)


def deduplicate(
    file: Path, /, *, output: Output, source: Source = _SOURCE, near: bool = False, force: bool = False
) -> int:
    """Write examples without those that say the same again.

    Args:
        file: JSONL, JSON, CSV, Excel, Parquet; also .gz and .zst; - is standard input
        output: as of convert
        source: how the file is read
        near: also those that say the same in other words (default: equal ones alone)
        force: replace a file that is there
    """
    _require_free(output, force=force)
    data = _loaded(file, source)
    kept = data.deduplicate(near=near)
    _write(kept, output, force=force)
    return _told(f"{len(kept)} of {len(data)} examples kept", output)


def split(
    file: Path,
    /,
    *,
    source: Source = _SOURCE,
    validation: float = 0.0,
    golden: float = 0.0,
    seed: int = 0,
    folder: Path | None = None,
    force: bool = False,
    json: bool = False,
) -> int:
    """Part examples into training, validation and golden set, with nothing in two of them.

    Args:
        file: JSONL, JSON, CSV, Excel, Parquet; also .gz and .zst; - is standard input
        source: how the file is read
        validation: a share below 1, or a number of examples
        golden: the same, for the golden set
        seed: another seed, another split (default: 0)
        folder: where FILE.train.jsonl and the others go (default: beside the file)
        force: replace files that are there
        json: print one JSON object
    """
    if not (validation or golden):
        raise ValueError("say how much to keep aside: --validation 0.1, --golden 0.2, or both")
    data = _loaded(file, source)
    parts = data.split(validation=_size(validation), golden=_size(golden), seed=seed)
    name = "stdin" if file == STANDARD else file.name.partition(".")[0]
    beside = folder or (Path() if file == STANDARD else file.parent)
    files = {part: beside / f"{name}.{part}.jsonl" for part in parts._fields if len(getattr(parts, part))}
    if there := [str(path) for path in files.values() if path.exists() and not force]:
        raise ValueError(f"{', '.join(there)}: left as it is; add --force to replace it, or another --folder")
    for part, path in files.items():
        getattr(parts, part).save(path, overwrite=force)
    if json:
        print_json({part: {"file": str(path), "examples": len(getattr(parts, part))} for part, path in files.items()})
    else:
        print("\n".join(f"{_examples(getattr(parts, part))} written to {path}" for part, path in files.items()))
    return CLEAN


def augment(
    file: Path,
    /,
    *,
    output: Output,
    ask: str,
    n: Annotated[int, Parameter(name="-n")] = 3,
    source: Source = _SOURCE,
    where: Where = _HERE,
    budget: float | None = None,
    seed: int = 0,
    force: bool = False,
) -> int:
    """Write examples and paraphrases of their questions, that a model makes.

    Args:
        file: JSONL, JSON, CSV, Excel, Parquet; also .gz and .zst; - is standard input
        output: as of convert
        ask: the model that paraphrases
        n: paraphrases of each example (default: 3)
        source: how the file is read
        where: the platform of the model
        budget: US dollars at most
        seed: another seed, other paraphrases
        force: replace a file that is there
    """
    from finetune_lib.data.augmenters import Paraphrase

    _require_free(output, force=force)
    data = _loaded(file, source)
    more = data.augment(Paraphrase(n=n, model=ask), platform=where.connect(), budget=budget, seed=seed, progress=True)
    _write(more, output, force=force)
    print(more.augmentation, file=sys.stderr)
    return _told(_examples(more), output)


def documents(
    file: Path,
    /,
    *files: Path,
    output: Output,
    ask: str,
    n: Annotated[int, Parameter(name="-n")] = 3,
    system: str | None = None,
    where: Where = _HERE,
    budget: float | None = None,
    seed: int = 0,
    force: bool = False,
) -> int:
    """Write questions and answers about documents, that a model makes of their passages.

    Args:
        file: a PDF, Word, HTML, Markdown or text file, or a folder of them
        files: more of them
        output: as of convert
        ask: the model that writes them
        n: pairs for each passage at most (default: 3)
        system: the system message of each row
        where: the platform of the model
        budget: US dollars at most
        seed: another seed, other rows
        force: replace a file that is there
    """
    from finetune_lib.data.dataset import Dataset

    _require_free(output, force=force)
    made = Dataset.from_documents(
        [file, *files],
        ask=ask,
        n=n,
        system=system,
        platform=where.connect(),
        budget=budget,
        seed=seed,
        progress=True,
    )
    _write(made, output, force=force)
    print(made.augmentation, file=sys.stderr)
    return _told(_examples(made), output)


def _size(number: float) -> float | int:
    return int(number) if number >= 1 and number.is_integer() else number


def _loaded(file: Path, source: Source) -> Dataset:
    """The examples, all in memory where the file lasts no longer than its reading."""
    from finetune_lib.data.dataset import Dataset

    with on_disk(file) as path:
        data = source.load(path)
        source.require_whole(data)
        return Dataset(list(data), name=data.name, problems=data.problems) if file == STANDARD else data


def _require_free(output: Path, *, force: bool) -> None:
    """Refuse before a call is paid, where the output is there, or of a kind that is not written."""
    from finetune_lib.data.saving import written

    if output == STANDARD:
        return
    _ = written(output, ())
    if output.exists() and not force:
        raise ValueError(f"{output} exists and is left as it is: add --force to replace it, or another --output")


def _write(data: Dataset, output: Path, *, force: bool, format: Format = "openai") -> None:
    if output == STANDARD:
        from finetune_lib.files import json_line

        rows = data.to_rows(format=format)
        sys.stdout.buffer.writelines(json_line(row, number) for number, row in enumerate(rows, start=1))
        return
    _require_free(output, force=force)
    data.save(output, overwrite=force, format=format)


def _examples(data: Dataset) -> str:
    return "1 example" if len(data) == 1 else f"{len(data):,} examples"


def _told(what: str, output: Path) -> int:
    print(f"{what}, written to {output}", file=sys.stderr if output == STANDARD else sys.stdout)
    return CLEAN
