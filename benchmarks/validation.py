"""Validation beside its peers on the same file in one run: CPU seconds, wall seconds and peak memory, as ratios.

    python benchmarks/validation.py out/bench/100k.jsonl

Each route runs in a process of its own. The peers: OpenAI's cookbook (its checks and its two passes of tiktoken), Hugging
Face datasets with a tiktoken map, together 1.5 where it is installed, and a plain `json.loads` loop. tiktoken's
vocabulary is made from splintr's, rank for rank, so that nothing is downloaded. The library's modules are compiled
beforehand, as pip compiles those of the peers when it installs them.
"""

from __future__ import annotations

import compileall
import json
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

SOURCE = Path(__file__).parents[1] / "src"
PATTERN = "|".join(
    [
        r"""[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?""",
        r"""[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?""",
        r"""\p{N}{1,3}""",
        r""" ?[^\s\p{L}\p{N}]+[\r\n/]*""",
        r"""\s*[\r\n]+""",
        r"""\s+(?!\S)""",
        r"""\s+""",
    ]
)


def tiktoken_encoding() -> Any:
    import splintr
    import tiktoken

    tokenizer = splintr.Tokenizer.from_pretrained("o200k_base")
    ranks = {tokenizer.decode_token_bytes(token): token for token in range(199_998)}
    return tiktoken.Encoding(
        "o200k_base", pat_str=PATTERN, mergeable_ranks=ranks, special_tokens={"<|endoftext|>": 199_999}
    )


def cookbook(path: Path) -> object:
    """The logic of OpenAI's notebook for chat data: the file in memory, its checks, tokens of rows and of answers."""
    encoding = tiktoken_encoding()
    with path.open(encoding="utf-8") as file:
        rows = [json.loads(line) for line in file]
    errors = 0
    for row in rows:
        messages = row.get("messages", None)
        errors += not isinstance(row, dict) or not messages
        for message in messages:
            errors += "role" not in message or "content" not in message
            errors += any(k not in ("role", "content", "name", "function_call", "weight") for k in message)
            errors += message.get("role", None) not in ("system", "user", "assistant", "function")
            content = message.get("content", None)
            errors += (not content and not message.get("function_call", None)) or not isinstance(content, str)
        errors += not any(message.get("role", None) == "assistant" for message in messages)
    total = 0
    for row in rows:
        for message in row["messages"]:
            total += 3
            for key, value in message.items():
                total += len(encoding.encode(value)) + (key == "name")
        total += 3
    answers = sum(
        len(encoding.encode(m["content"])) for row in rows for m in row["messages"] if m["role"] == "assistant"
    )
    return errors, total, answers


def hugging_face(path: Path) -> object:
    """datasets: load, then a map that counts tokens."""
    import tempfile

    import datasets

    datasets.disable_progress_bars()
    encoding = tiktoken_encoding()
    with tempfile.TemporaryDirectory() as cache:
        data = datasets.load_dataset("json", data_files=str(path), split="train", cache_dir=cache)
        counted = data.map(
            lambda row: {"tokens": sum(len(encoding.encode(m["content"])) for m in row["messages"])},
            new_fingerprint="benchmark",
        )
        return sum(counted["tokens"])


def together(path: Path) -> object:
    """together 1.5: its check of a file, which counts nothing."""
    from together.utils.files import check_file

    return check_file(path)["is_check_passed"]


def plain_json(path: Path) -> object:
    """Nothing but json.loads on each line."""
    with path.open(encoding="utf-8") as file:
        return sum(bool(json.loads(line)) for line in file)


def format_only(path: Path) -> object:
    """Ours: the format alone."""
    return _validated(path, tokens=False, duplicates=False, content=False)


def counted(path: Path) -> object:
    """Ours: format, exact tokens, exact duplicates."""
    return _validated(path, content=False)


def everything(path: Path) -> object:
    """Ours: all of it, the look at the texts included."""
    return _validated(path)


def two_processes(path: Path) -> object:
    """Ours: format, exact tokens, exact duplicates, on two processes."""
    with ProcessPoolExecutor(2) as executor:
        return _validated(path, content=False, executor=executor)


def _validated(path: Path, **options: Any) -> object:
    import finetune_lib as ft

    return ft.Dataset.load(path).validate(**options).summary


ROUTES: dict[str, Callable[[Path], object]] = {
    function.__name__: function
    for function in (
        cookbook, hugging_face, together, plain_json, format_only, counted, two_processes, everything,
    )
}  # fmt: skip


def measure(name: str, path: Path) -> None:
    """Run one route in this process and print what it took."""
    wall = time.perf_counter()
    try:
        result = ROUTES[name](path)
    except ImportError as error:
        print(json.dumps({"missing": str(error)}))
        return
    wall = time.perf_counter() - wall
    own, children = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    cpu = own.ru_utime + own.ru_stime + children.ru_utime + children.ru_stime
    print(json.dumps({"cpu": cpu, "wall": wall, "mb": own.ru_maxrss / 1024, "result": str(result)[:60]}))


def main(path: Path, names: list[str]) -> None:
    """Run the routes one after the other and print a table."""
    compileall.compile_dir(SOURCE, quiet=1)
    print(f"{path.name}: {path.stat().st_size / 1e6:.0f} MB\n")
    print(f"{'route':<14} {'CPU s':>7} {'x':>6} {'wall s':>7} {'x':>6} {'MB':>6}")
    first: dict[str, float] = {}
    for name in names or list(ROUTES):
        command = [sys.executable, __file__, "--route", name, str(path)]
        out = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()[-1])
        if "missing" in out:
            print(f"{name:<14} not installed: {out['missing']}")
            continue
        first = first or out
        ratios = first["cpu"] / out["cpu"], first["wall"] / out["wall"]
        print(
            f"{name:<14} {out['cpu']:>7.2f} {ratios[0]:>6.1f} {out['wall']:>7.2f} {ratios[1]:>6.1f} {out['mb']:>6.0f}  {out['result']}"
        )


if __name__ == "__main__":
    if sys.argv[1] == "--route":
        measure(sys.argv[2], Path(sys.argv[3]))
    else:
        main(Path(sys.argv[1]), sys.argv[2:])
