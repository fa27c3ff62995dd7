"""`certify`: from which confidence on a model may answer by itself."""

from __future__ import annotations

import sys
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from finetune_lib.cli.choices import Promised, Signal
from finetune_lib.cli.codes import CLEAN, ERRORS, INTERRUPTED
from finetune_lib.cli.evaluating import scorer_named
from finetune_lib.cli.where import Where, named_model, print_json

_HERE = Where()


def certify(
    golden: Path,
    /,
    *,
    model: str,
    where: Where = _HERE,
    scorer: str = "exact_match",
    signal: Signal = "agreement",
    error: float = 0.05,
    confidence: float = 0.95,
    of: Promised = "answers",
    training: Path | None = None,
    system: str | None = None,
    max_tokens: int | None = None,
    budget: float | None = None,
    output: Annotated[Path | None, Parameter(alias="-o")] = None,
    force: bool = False,
    json: bool = False,
) -> int:
    """Promise that what a model answers by itself is rarely wrong, and exit 1 where that is not shown.

    Args:
        golden: cases with right answers, which nothing was chosen by
        model: a model, or the id of the job that made it
        where: the platform
        scorer: what tells whether an answer is right (default: exact_match)
        signal: what tells how sure an answer is (default: agreement, with five further calls a question)
        error: the promise: at most this share is wrong (default: 0.05)
        confidence: how often such a promise is kept, at least (default: 0.95)
        of: of what the promise speaks: of its answers, or of all questions (default: answers)
        training: the training data: cases that it tells the answer of are left out
        system: the system message of cases that have none
        max_tokens: tokens of an answer at most
        budget: US dollars at most
        output: keep the certificate there, for `ft.Certified.load`
        force: replace a file that is there
        json: print the certificate as one JSON object
    """
    if output and output.exists() and not force:
        raise ValueError(f"{output} exists and is left as it is: add --force to replace it, or another --output")
    from finetune_lib.data.dataset import Dataset
    from finetune_lib.evaluation.candidates import ChatModel
    from finetune_lib.evaluation.certifying import Agreement, LogProbability, NoCertificateError
    from finetune_lib.evaluation.certifying import certify as certified_by
    from finetune_lib.evaluation.golden import GoldenSet

    cases = GoldenSet.load(golden, system=system)
    measure = scorer_named(scorer)
    platform = where.connect()
    candidate = ChatModel(named_model(model, platform), platform=platform, max_tokens=max_tokens)
    try:
        found = certified_by(
            candidate,
            cases,
            scorer=measure,
            signal=Agreement() if signal == "agreement" else LogProbability(),
            error=error,
            confidence=confidence,
            of=of,
            training=Dataset.load(training) if training else None,
            platform=platform,
            budget=budget,
            progress=True,
        ).certificate
    except NoCertificateError as refused:
        print(f"finetune-lib: {refused}", file=sys.stderr)
        return ERRORS
    except KeyboardInterrupt:
        print("\nThe answers until now are kept: the same command goes on from here.", file=sys.stderr)
        return INTERRUPTED
    if output:
        found.save(output, overwrite=force)
    print_json(asdict(found)) if json else print(found)
    return CLEAN
