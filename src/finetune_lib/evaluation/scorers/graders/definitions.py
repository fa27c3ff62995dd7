"""From a grader's JSON to a scorer; everything that is wrong with it is told at once."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import Any, cast

from finetune_lib.errors import DataError
from finetune_lib.evaluation.scorers.graders import formula, python, templates
from finetune_lib.evaluation.scorers.graders.models import LabelModel, ScoreModel
from finetune_lib.evaluation.scorers.graders.multi import MultiGrader
from finetune_lib.evaluation.scorers.graders.python import TIMEOUT, PythonGrader
from finetune_lib.evaluation.scorers.graders.shapes import shape_problems
from finetune_lib.evaluation.scorers.graders.texts import METRICS, StringCheck, TextSimilarity
from finetune_lib.evaluation.scorers.scorer import Scorer
from finetune_lib.platforms import Platform
from finetune_lib.platforms.asking import Price

# Chat completions spell it with one s less; the other names are theirs.
SAMPLING = {"max_completions_tokens": "max_completion_tokens"}
Grader = Mapping[str, Any]


def from_openai(
    grader: Mapping[str, Any] | str | PathLike[str],
    *,
    platform: Platform | None = None,
    price: Price | None = None,
    timeout: float = TIMEOUT,
) -> Scorer:
    """A scorer from the JSON of an OpenAI grader, as hosted evals and reinforcement fine-tuning take it.

    All types are read: `string_check`, `text_similarity`, `label_model`, `score_model`, `python` and `multi`. The
    score is the grader's own number: a `score_model` with the range 0 to 5 gives 0 to 5. A `pass_threshold` changes
    nothing in it.

    Templates read the row as `{{item.field}}`: the metadata of the case, where `input`, `expected`,
    `reference_answer` and `category` are the case's own if the metadata lacks them. A field that the row lacks is a
    missing score with its reason. `{{sample.output_text}}`, `{{sample.output_json.field}}` and
    `{{sample.output_tools}}` read the answer; where the answer lacks what is compared, the score is 0.

    Args:
        grader: The JSON as a mapping, as text, or the path of a file with it.
        platform: Where the models of the grader run; None is the run's.
        price: US dollars for a million tokens that they read and write; None leaves it to the catalogue.
        timeout: Seconds that one call of a `python` grader may take; see its class for what its process may do.

    Raises:
        DataError: The file cannot be read, or the grader has problems; the message has all, each with its JSON path.

    Example:
        >>> from finetune_lib import Case, scorers
        >>> check = scorers.from_openai({
        ...     "type": "string_check", "name": "city", "operation": "ilike",
        ...     "input": "{{sample.output_text}}", "reference": "{{item.city}}",
        ... })
        >>> check("The capital is PARIS.", Case("1", (), metadata={"city": "Paris"})).value
        1.0
    """
    value = _loaded(grader)
    if found := list(dict.fromkeys(_problems(value, "$"))):
        raise DataError("this is no grader that can be run:\n" + "\n".join(f"  {problem}" for problem in found))
    return _Making(platform, price, timeout).scorer(cast("Grader", value))


def _loaded(grader: Mapping[str, Any] | str | PathLike[str]) -> Any:
    if isinstance(grader, Mapping):
        return grader
    text = grader if isinstance(grader, str) and grader.lstrip().startswith(("{", "[")) else _text_of(Path(grader))
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise DataError(f"the grader is no JSON: {error}") from error


def _text_of(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except (OSError, ValueError) as error:
        raise DataError(f"no grader can be read from {path} ({error}): give its JSON or the path of a file") from error


def _problems(value: Any, path: str) -> Iterator[str]:
    shape = list(shape_problems(value, path))
    yield from shape
    if isinstance(value, Mapping):
        grader = cast("Grader", value)
        for key in ("input", "reference"):  # templates stand in what is compared, and in what a model is shown
            yield from _of_templates(grader.get(key), f"{path}.{key}")
        if not shape:
            yield from _of_type(grader, path)
        if grader.get("type") == "multi":
            yield from _of_multi(grader, path)


def _of_templates(value: Any, path: str) -> Iterator[str]:
    if isinstance(value, str):
        yield from templates.problems(value, path)
    elif isinstance(value, Mapping):
        for key, inner in cast("Grader", value).items():
            yield from _of_templates(inner, f"{path}.{key}")
    elif isinstance(value, list):
        for place, inner in enumerate(cast("list[Any]", value)):
            yield from _of_templates(inner, f"{path}[{place}]")


def _of_type(grader: Grader, path: str) -> Iterator[str]:
    """What is wrong with a grader of the right shape."""
    match grader["type"]:
        case "text_similarity" if (metric := grader["evaluation_metric"]) not in ("cosine", *METRICS):
            known = ", ".join(["cosine", *METRICS])
            yield f"{path}.evaluation_metric: {metric} needs word lists that are not here: use one of {known}"
        case "label_model":
            labels = grader["labels"]
            for place, label in enumerate(grader["passing_labels"]):
                if label not in labels:
                    yield f"{path}.passing_labels[{place}]: {label!r} is none of the labels {', '.join(labels)}"
        case "score_model":
            low, high = grader.get("range") or (0, 1)
            if not low < high:
                yield f"{path}.range: {low} is not below {high}"
        case "python":
            yield from (f"{path}.source: {problem}" for problem in python.problems(grader["source"]))
        case _:
            return


def _of_multi(grader: Grader, path: str) -> Iterator[str]:
    inner = _graders(grader.get("graders"))
    for name, (place, one) in inner.items():
        where = f"{path}.graders{place}"
        if isinstance(one, Mapping) and cast("Grader", one).get("type") == "multi":
            yield f"{where}.type: a multi grader has no multi grader within it"
        else:
            yield from _problems(one, where)
        if not name.isidentifier():
            yield f"{where}: {name!r} is no name that a formula can have: letters, digits and _"
    if isinstance(told := grader.get("calculate_output"), str):
        yield from (f"{path}.calculate_output: {problem}" for problem in formula.problems(told, inner))


def _graders(value: Any) -> dict[str, tuple[str, Any]]:
    """The graders of a multi grader by name, with their places: an object of them, a list, or a single one."""
    if isinstance(value, list):
        each = enumerate(cast("list[Any]", value))
        return {_name(one, f"grader_{place + 1}"): (f"[{place}]", one) for place, one in each}
    if not isinstance(value, Mapping):
        return {}
    known = cast("Grader", value)
    if isinstance(known.get("type"), str):
        return {_name(known, "grader"): ("", known)}
    return {name: (f".{name}", one) for name, one in known.items()}


def _name(grader: Any, default: str) -> str:
    name = cast("Grader", grader).get("name") if isinstance(grader, Mapping) else None
    return name if isinstance(name, str) and name else default


@dataclass(frozen=True, slots=True)
class _Making:
    """Makes the scorer of a grader without problems."""

    platform: Platform | None
    price: Price | None
    timeout: float

    def scorer(self, grader: Grader) -> Scorer:
        name = grader["name"]
        match grader["type"]:
            case "string_check":
                texts = {key: grader[key] for key in ("reference", "operation")}
                return StringCheck(grader["input"], **texts, name=name)
            case "text_similarity":
                texts = {"reference": grader["reference"], "metric": grader["evaluation_metric"]}
                return TextSimilarity(grader["input"], **texts, platform=self.platform, name=name)
            case "python":
                return PythonGrader(grader["source"], timeout=self.timeout, name=name)
            case "multi":
                inner = {key: self.scorer(one) for key, (_, one) in _graders(grader["graders"]).items()}
                return MultiGrader(inner, formula=grader["calculate_output"], name=name)
            case _:
                return self._asking(grader)

    def _asking(self, grader: Grader) -> Scorer:
        sampling: Mapping[str, Any] = grader.get("sampling_params") or {}
        options = {SAMPLING.get(key, key): value for key, value in sampling.items() if value is not None}
        messages = [{"role": one["role"], "content": _content(one["content"])} for one in grader["input"]]
        common: dict[str, Any] = {"messages": messages, "options": options, "name": grader["name"]}
        common |= {"platform": self.platform, "price": self.price}
        if grader["type"] == "label_model":
            return LabelModel(grader["model"], labels=grader["labels"], passing=grader["passing_labels"], **common)
        low, high = grader.get("range") or (0, 1)
        return ScoreModel(grader["model"], range=(float(low), float(high)), **common)


def _content(content: Any) -> Any:
    """The content of a message as chat completions take it; texts alone are one text."""
    parts = cast("list[Any]", content) if isinstance(content, list) else [content]
    texts = [part if isinstance(part, str) else part.get("text") for part in parts]
    if all(isinstance(text, str) for text in texts):
        return "\n".join(cast("list[str]", texts))
    return [_part(part) for part in parts]


def _part(part: Any) -> dict[str, Any]:
    if isinstance(part, str):
        return {"type": "text", "text": part}
    if part["type"] == "input_image":
        shown = {"url": part["image_url"], **({"detail": part["detail"]} if part.get("detail") else {})}
        return {"type": "image_url", "image_url": shown}
    if part["type"] == "input_audio":
        return {"type": "input_audio", "input_audio": part["input_audio"]}
    return {"type": "text", "text": part["text"]}
