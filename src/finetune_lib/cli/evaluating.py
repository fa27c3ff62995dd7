"""`evaluate`: candidates side by side on a golden set, from flags or a small file."""

from __future__ import annotations

import sys
import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from finetune_lib.cli.choices import Language
from finetune_lib.cli.codes import CLEAN, ERRORS, INTERRUPTED
from finetune_lib.cli.where import Where, named_model, pairs, print_json

if TYPE_CHECKING:
    from finetune_lib.evaluation.candidates import Candidate
    from finetune_lib.evaluation.report import Report
    from finetune_lib.platforms import Platform

PLAIN = {"model", "system", "temperature", "max_tokens", "options"}
# What a candidate's table may say beside its model, and the parts of the library that it then is.
KINDS = {"examples": {"k", "selection", "seed"}, "corpus": {"k", "embeddings"}}
TABLES = {".csv", ".tsv", ".xlsx", ".xls", ".ods", ".jsonl", ".json", ".parquet"}
SETTINGS = {"golden", "training", "scorers", "judge", "rubric", "candidates"}
_HERE = Where()


def evaluate(
    golden: Path | None = None,
    /,
    *,
    where: Where = _HERE,
    candidate: Annotated[Sequence[str], Parameter(metavar="NAME=MODEL")] = (),
    scorer: Annotated[Sequence[str], Parameter(metavar="NAME")] = (),
    judge: Annotated[str | None, Parameter(metavar="MODEL")] = None,
    config: Path | None = None,
    training: Path | None = None,
    system: str | None = None,
    max_tokens: int | None = None,
    budget: float | None = None,
    regression_suite: Annotated[str | None, Parameter(metavar="general|FILE")] = None,
    baseline: Annotated[str | None, Parameter(metavar="CANDIDATE")] = None,
    fail_unless_better: Annotated[str | None, Parameter(metavar="CANDIDATE")] = None,
    margin: float = 0.0,
    report: Path | None = None,
    html: Path | None = None,
    lang: Language | None = None,
    json: bool = False,
) -> int:
    """Compare candidates on a golden set.

    Args:
        golden: the cases: a table of questions and right answers, or chats
        where: the platform
        candidate: as tuned=ftjob-123, base=gpt-4.1-mini or clerk=answers.xlsx; may be repeated
        scorer: as exact_match; may be repeated, the first one decides
        judge: a model that compares the answers, in both orders
        config: a TOML file that says the same, and more of each candidate
        training: the training data: cases whose like is in it are left out
        system: the system message of cases that have none
        max_tokens: tokens of an answer at most
        budget: US dollars at most
        regression_suite: ask this suite as well, to see what tuning broke: general, or a file of your own
        baseline: what --fail-unless-better is compared with (default: the first candidate)
        fail_unless_better: exit 1 unless this candidate is shown to be better
        margin: better by more than this
        report: write the report there, as JSON that `compare` reads
        html: write the report as one HTML file
        lang: language of the report
        json: print the verdicts as one JSON object
    """
    from finetune_lib.data.dataset import Dataset
    from finetune_lib.evaluation.evaluator import Evaluator
    from finetune_lib.evaluation.golden import GoldenSet

    platform = where.connect()
    asked = _Asked.of(config, golden, training, candidate, scorer, judge)
    cases = GoldenSet.load(asked.golden, system=system)
    evaluator = Evaluator(
        scorers=asked.scorers_of(platform),
        judge=asked.judge_of(platform),
        budget=budget,
        platform=platform,
        regression_suite=regression_suite,
    )
    candidates = [asked.made(name, platform, max_tokens) for name in asked.candidates]
    known = Dataset.load(asked.training) if asked.training else None
    against = _baseline(fail_unless_better, baseline, asked.candidates)
    evaluator.require(cases, candidates=candidates)
    try:
        found = evaluator.run(cases, candidates=candidates, training=known, progress=True)
    except KeyboardInterrupt:
        print("\nThe answers until now are kept: the same command goes on from here.", file=sys.stderr)
        return INTERRUPTED
    if report:
        found.save_json(report)
    if html:
        found.save_html(html, lang=lang)
    if not json:
        print(found.text(lang=lang))
    return _judged(found, fail_unless_better, against, margin, json=json)


def _judged(found: Report, better: str | None, baseline: str, margin: float, *, json: bool) -> int:
    """The claim, where one is made; as JSON also the verdict of each candidate."""
    claim = found.better(better, baseline=baseline, margin=margin) if better else None
    if json:
        told = summary(found, baseline)
        print_json(told if claim is None else {**told, "claim": {"holds": bool(claim), "text": str(claim)}})
    elif claim is not None:
        print(claim)
    return ERRORS if claim is not None and not claim else CLEAN


def summary(found: Report, baseline: str) -> dict[str, Any]:
    """What a report says in numbers and a sentence each, for `--json`."""
    others = [name for name in found.candidates if name != baseline]
    verdicts = {name: _verdict(found, name, baseline) for name in others}
    means = {name: found.mean(name) for name in found.candidates} if found.scorers else {}
    told: dict[str, Any] = {"baseline": baseline, "means": means, "verdicts": verdicts}
    if found.regression_suite:
        told["regressions"] = {name: _regressions(found, name, baseline) for name in others}
    return told


def _verdict(found: Report, name: str, baseline: str) -> dict[str, Any]:
    verdict = found.verdict(name, baseline=baseline)
    return {"outcome": verdict.outcome, "text": verdict.sentence}


def _regressions(found: Report, name: str, baseline: str) -> dict[str, Any]:
    try:
        told = found.regressions(name, baseline=baseline)
    except ValueError as error:  # a file of answers has none of the suite
        return {"worse": [], "largest_loss": None, "text": str(error)}
    return {"worse": list(told.worse), "largest_loss": told.largest_loss, "text": told.conclusion}


def _baseline(better: str | None, given: str | None, known: Mapping[str, Any]) -> str:
    """What a candidate is compared with.

    Raises:
        ValueError: A name is that of no candidate, or both are one.
    """
    if unknown := next((name for name in (better, given) if name and name not in known), None):
        raise ValueError(f"no candidate is named {unknown!r}; there are {', '.join(known)}")
    baseline = given or next(iter(known))
    if better == baseline:
        raise ValueError(f"{better} is the baseline itself: name another one with --baseline")
    return baseline


@dataclass(frozen=True)
class _Asked:
    """What is compared, as the flags and the file say it."""

    golden: Path
    training: Path | None
    scorers: Sequence[str]
    judge: str | None
    rubric: str | None
    candidates: Mapping[str, Mapping[str, Any]]
    folder: Path

    @staticmethod
    def of(
        config: Path | None,
        golden: Path | None,
        training: Path | None,
        candidates: Sequence[str],
        scorers: Sequence[str],
        judge: str | None,
    ) -> _Asked:
        """What flags say stands before what the file says.

        Raises:
            ValueError: Something is missing, or the file says what nobody knows.
        """
        told, folder = _told(config), config.parent if config else Path()
        flags = {name: _flag(value) for name, value in pairs(candidates, "--candidate").items()}
        golden = golden or (folder / told["golden"] if "golden" in told else None)
        training = training or (folder / told["training"] if "training" in told else None)
        if golden is None:
            raise ValueError("name the golden set: finetune-lib evaluate golden.xlsx …")
        whole = {**told.get("candidates", {}), **flags}
        if not whole:
            raise ValueError("name what is compared: --candidate base=gpt-4.1-mini --candidate tuned=ftjob-123")
        return _Asked(
            golden,
            training,
            scorers or told.get("scorers", ()),
            judge or told.get("judge"),
            told.get("rubric"),
            whole,
            folder,
        )

    def scorers_of(self, platform: Platform) -> list[Any]:
        """The scorers by their names.

        Raises:
            ValueError: A name is none, or nothing scores.
        """
        if not self.scorers and not self.judge:
            raise ValueError(f"say by what: --judge MODEL, or --scorer with one of {', '.join(_scorers())}")
        found = [scorer_named(name) for name in self.scorers]
        if self.rubric is not None:
            from finetune_lib.evaluation.scorers import Rubric

            if not self.judge:
                raise ValueError('a rubric needs the model that grades by it: judge = "MODEL"')
            found.append(Rubric(self.rubric, model=self.judge, platform=platform))
        return found

    def judge_of(self, platform: Platform) -> Any:
        """The judge, where there is one and something to compare."""
        from finetune_lib.evaluation.judges import PairwiseJudge

        if self.judge is None or (self.rubric is not None and len(self.candidates) < 2):
            return None
        return PairwiseJudge(self.judge, platform=platform)

    def made(self, name: str, platform: Platform, max_tokens: int | None) -> Candidate:
        """A candidate as its table says it."""
        from finetune_lib.data.dataset import Dataset
        from finetune_lib.evaluation.candidates import ChatModel, FewShot, Rag, Recorded

        told = dict(self.candidates[name])
        if "answers" in told:
            return Recorded(self.folder / told["answers"], name=name)
        model = named_model(told.pop("model"), platform)
        shared: dict[str, Any] = {"name": name, "platform": platform, "max_tokens": max_tokens, **told}
        kinds: dict[str, type[ChatModel]] = {"examples": FewShot, "corpus": Rag}
        if kind := next((kind for kind in kinds if kind in told), None):
            shared[kind] = Dataset.load(self.folder / told[kind])
            return kinds[kind](model, **shared)
        return ChatModel(model, **shared)


def _flag(value: str) -> Mapping[str, Any]:
    """A file of answers, or a model."""
    if Path(value).suffix.lower() in TABLES and not Path(value).is_file():
        raise ValueError(f"--candidate: there is no file {value}")
    return {"answers": str(Path(value).absolute())} if Path(value).is_file() else {"model": value}


def _told(config: Path | None) -> dict[str, Any]:
    """The file of an evaluation; what it says that nobody knows is refused."""
    if config is None:
        return {}
    try:
        told = tomllib.loads(config.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ValueError(f"{config} is no TOML file: {error}") from error
    if unknown := told.keys() - SETTINGS:
        raise ValueError(f"{config}: {', '.join(sorted(unknown))} is unknown; it may say {', '.join(sorted(SETTINGS))}")
    for name, one in told.get("candidates", {}).items():
        _require_table(config, name, one)
    return told


def _require_table(config: Path, name: str, told: Any) -> None:
    from finetune_lib.rows.messages import fields_of

    place = f"{config}, [candidates.{name}]"
    table = fields_of(told)
    if ("model" in table) == ("answers" in table):
        raise ValueError(f'{place}: it says either model = "…" or answers = "FILE"')
    more = next((words | {kind} for kind, words in KINDS.items() if kind in table), set[str]())
    known = PLAIN | more if "model" in table else {"answers"}
    if unknown := table.keys() - known:
        raise ValueError(f"{place}: {', '.join(sorted(unknown))} is unknown; it may say {', '.join(sorted(known))}")


def scorer_named(name: str) -> Any:
    """A scorer that needs nothing said.

    Raises:
        ValueError: None has this name.
    """
    known = _scorers()
    if name not in known:
        raise ValueError(f"no scorer is named {name!r}; there are {', '.join(known)}")
    return known[name]()


def _scorers() -> Mapping[str, Callable[[], Any]]:
    """Those that need nothing said, by their names."""
    from finetune_lib.evaluation import scorers

    kinds = (
        scorers.ExactMatch,
        scorers.Contains,
        scorers.ChrF,
        scorers.Bleu,
        scorers.CharacterErrorRate,
        scorers.EditSimilarity,
        scorers.Choice,
        scorers.NumericMatch,
        scorers.JsonMatch,
        scorers.ToolCallMatch,
        scorers.SameLanguage,
        scorers.Abstains,
    )
    return {kind().name: kind for kind in kinds}
