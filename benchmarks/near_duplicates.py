"""Time, memory, recall and precision of the near-duplicate join on seeded texts with planted edits.

    python benchmarks/near_duplicates.py                   # the exact join, of 10,000 texts
    python benchmarks/near_duplicates.py 1000000 2         # sketches (rensa), on two processes
    python benchmarks/near_duplicates.py 100000 1 rows     # as rows with answers, through validate, split and deduplicate

Half of the texts are Chinese, half English, 40 to 160 characters, with characters and words as frequent as Zipf's law
has them. One in fifty is an edited copy of an earlier one: one Chinese character in 20 or one English word in 10
replaced, left out or added, case or punctuation changed, and every other Chinese copy in the other script.
"""

from __future__ import annotations

import random
import resource
import sys
import time
from collections.abc import Collection, Sequence, Set
from concurrent.futures import ProcessPoolExecutor
from contextlib import nullcontext
from importlib.resources import files
from itertools import accumulate

from finetune_lib.texts import fold, jaccard, shingles
from finetune_lib.texts.neighbours import near_pairs

PLANTED = 50
EDIT_EVERY = {"zh": 20, "en": 10}
THRESHOLD = 0.7
IDEOGRAPHS = [chr(code) for code in range(0x4E00, 0x5E00)]
LETTERS = "etaoinshrdlucmfwypvbgkjqxz"


def of_rows(rows: int) -> None:
    """The same texts as questions, each copy with the answer of its source: what validate names and split joins."""
    import finetune_lib as ft
    from finetune_lib.data.together import groups

    texts, planted = corpus(rows)
    source = {place: first for place, (first, _) in planted.items()}
    answers = (f"答案 {texts[source.get(place, place)][:14]} 到此。" for place in range(rows))
    data = ft.Dataset.from_rows(
        [{"prompt": text, "completion": told} for text, told in zip(texts, answers, strict=True)]
    )
    begin = time.process_time()
    report = data.validate(near=True, tokens=False, duplicates=False, content=False)
    print(
        f"validate(near=True): {time.process_time() - begin:.1f} CPU-s, {report.count('D802') / len(planted):.4f} named"
    )
    begin = time.process_time()
    joined = {place: number for number, group in enumerate(groups(list(data))) for place in group}
    found = sum(joined.get(place, -1) == joined.get(first, -2) for place, first in source.items())
    print(f"links of a split: {time.process_time() - begin:.1f} CPU-s, {found / len(planted):.4f} joined")
    begin = time.process_time()
    gone = {pair.row.row - 1 for pair in data.deduplicate(near=True).account.left_out}
    print(
        f"deduplicate(near=True): {time.process_time() - begin:.1f} CPU-s, {len(gone)} gone, {len(gone - set(planted))} wrong"
    )


def main(rows: int = 10_000, processes: int = 1) -> None:
    """Make the texts, look for pairs, and print what was found of what was planted."""
    texts, planted = corpus(rows)
    begin = time.perf_counter()
    with ProcessPoolExecutor(processes) if processes > 1 else nullcontext() as executor:
        pairs = near_pairs(texts, threshold=THRESHOLD, executor=executor)
    seconds = time.perf_counter() - begin
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10
    found = {pair.b for pair in pairs}
    print(f"{rows:,} texts, {processes} process(es): {seconds:.1f} s, peak {peak:,} MB, {len(pairs):,} pairs")
    for language in ("zh", "en"):
        wanted = [later for later, (_, kind) in planted.items() if kind == language]
        near = [later for later in wanted if similarity(texts[planted[later][0]], texts[later]) >= THRESHOLD]
        print(f"  {language}: recall {share(wanted, found)}; of those at least {THRESHOLD} alike {share(near, found)}")
    sample = random.Random(1).sample(pairs, min(len(pairs), 2000))
    true = {pair for pair in sample if similarity(texts[pair.a], texts[pair.b]) >= THRESHOLD}
    print(f"  precision {share(sample, true)}; not planted: {len(found - planted.keys()):,}")


def share(wanted: Collection[object], found: Set[object]) -> str:
    """How many were found."""
    return f"{sum(one in found for one in wanted) / len(wanted):.4f} of {len(wanted):,}" if wanted else "of none"


def similarity(one: str, other: str) -> float:
    """The similarity, computed by itself."""
    return jaccard(shingles(fold(one)), shingles(fold(other)))


def corpus(rows: int) -> tuple[Sequence[str], dict[int, tuple[int, str]]]:
    """The texts, and of each edited copy the place of what it was made from, with the language."""
    rng = random.Random(7)
    words = vocabularies(rng)
    scripts = other_script()
    texts: list[str] = []
    planted: dict[int, tuple[int, str]] = {}
    for place in range(rows):
        kind = ("zh", "en")[place // 2 % 2]
        if place % PLANTED == PLANTED - 1:
            source = rng.randrange(place)
            kind = ("zh", "en")[source // 2 % 2]
            while source in planted:
                source = rng.randrange(place)
                kind = ("zh", "en")[source // 2 % 2]
            planted[place] = (source, kind)
            texts.append(edited(texts[source], kind, words, scripts, rng))
        else:
            texts.append(written(kind, words, rng))
    return texts, planted


def vocabularies(rng: random.Random) -> dict[str, tuple[list[str], list[float]]]:
    """The pieces of both languages with their summed frequencies."""
    english = ["".join(rng.choices(LETTERS, k=rng.randint(2, 9))) for _ in range(20_000)]
    chinese = rng.sample(IDEOGRAPHS, 3_500)
    return {
        kind: (words, list(accumulate(1 / rank for rank in range(3, len(words) + 3))))
        for kind, words in (("zh", chinese), ("en", english))
    }


def written(kind: str, words: dict[str, tuple[list[str], list[float]]], rng: random.Random) -> str:
    """A new text."""
    pool, weights = words[kind]
    size = rng.randint(40, 160) if kind == "zh" else rng.randint(10, 30)
    pieces = rng.choices(pool, cum_weights=weights, k=size)
    if kind == "en":
        return " ".join(pieces).capitalize() + "."
    return "，".join("".join(pieces[start : start + 12]) for start in range(0, size, 12)) + "。"


def edited(
    text: str,
    kind: str,
    words: dict[str, tuple[list[str], list[float]]],
    scripts: dict[int, str],
    rng: random.Random,
) -> str:
    """A copy with edits."""
    pieces = text.split() if kind == "en" else list(text)
    for _ in range(max(1, len(pieces) // EDIT_EVERY[kind])):
        place, change = rng.randrange(len(pieces)), rng.randrange(3)
        new = rng.choices(words[kind][0], cum_weights=words[kind][1])
        pieces[place : place + (change < 2)] = new if change else []
    copy = (" " if kind == "en" else "").join(pieces)
    return copy.upper() if kind == "en" else copy.translate(scripts if rng.random() < 0.5 else {}).replace("。", "！")


def other_script() -> dict[int, str]:
    """From simplified characters to a traditional form of each."""
    lines = files("finetune_lib.texts").joinpath("hans.txt").read_text(encoding="utf-8").splitlines()
    return {ord(line[0]): line[1] for line in lines if not line.startswith("#")}


if __name__ == "__main__":
    of_rows(int(sys.argv[1])) if "rows" in sys.argv else main(*map(int, sys.argv[1:]))
