"""What a job will ask for and cost, before anything is sent."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, cast

from finetune_lib import catalog
from finetune_lib.data.checks.profiles import profiles
from finetune_lib.data.dataset import Dataset
from finetune_lib.data.diagnostics import ValidationReport
from finetune_lib.data.measuring.cost import CostEstimate
from finetune_lib.errors import FinetuneError
from finetune_lib.jobs.outlook import SHUTDOWN, Outlook
from finetune_lib.jobs.settings import AUTO, Settings
from finetune_lib.jobs.uploading import Upload
from finetune_lib.pages.markup import tag
from finetune_lib.pages.style import style
from finetune_lib.platforms import Platform
from finetune_lib.shown import Shown

FEW_ROWS_MEASURE = ["K701"]  # a few validation rows are enough
CLOSING = "K709"
# Azure deletes deployments that nobody calls for 15 days; Microsoft Learn, fine-tuning: deploy a model.
DEPLOY = (
    "Azure answers with a tuned model only once it is deployed; a deployment that nobody calls for 15 days is deleted. "
    "When the job has ended, job.deployment() prints the command, and job.deploy() does it."
)


class BudgetExceededError(FinetuneError, ValueError):
    """It would cost more than the budget; nothing was sent.

    Attributes:
        estimate: What it is estimated to cost, in US dollars.
        budget: What it may cost.
    """

    def __init__(self, message: str, *, estimate: float, budget: float) -> None:
        super().__init__(message)
        self.estimate = estimate
        self.budget = budget


@dataclass(frozen=True)
class Draft(Shown):
    """A job as it is meant: checked, counted, and not sent.

    Attributes:
        platform: Where.
        model: The base, as it was named.
        train: The examples to learn.
        settings: How.
        validation: Examples that the loss is measured on.
        report: What the checks say of the training data.
        validation_report: And of the validation data.
        estimate: Tokens, epochs, and US dollars where the price is known.
        budget: US dollars at most.
        outlook: What the platform itself says: when its model ends, and what training takes on this machine.
    """

    platform: Platform
    model: str
    train: Dataset
    settings: Settings
    validation: Dataset | None
    report: ValidationReport
    validation_report: ValidationReport | None
    estimate: CostEstimate | None
    budget: float | None = None
    outlook: Outlook = field(default_factory=Outlook)

    @cached_property
    def _uploads(self) -> dict[str, Upload]:
        asked = profiles()[self.platform.kind.target].bom == "asked"
        files = {"training_file": self.train}
        if self.validation is not None and len(self.validation):
            files["validation_file"] = self.validation
        return {name: Upload(data, bom=asked) for name, data in files.items()}

    def uploads(self) -> Mapping[str, Upload]:
        """The files, by their names in the request."""
        return self._uploads

    @property
    def upload_limit(self) -> int:
        """Bytes that one request may carry; 0 where no limit is known, or the platform takes no parts."""
        return profiles()[self.platform.kind.target].upload_bytes if self.platform.kind.uploads else 0

    def told(self, name: str) -> dict[str, Any]:
        """What the record of runs keeps of a file."""
        data, report = (
            (self.train, self.report) if name == "training_file" else (self.validation, self.validation_report)
        )
        if data is None or report is None:
            return {}
        counts = {severity: report.count(severity) for severity in ("error", "warning", "info")}
        return {"name": data.name, "examples": len(data), "findings": counts}

    @property
    def warnings(self) -> tuple[str, ...]:
        """What to know before it is sent: announced ends, other warnings of the checks, what is not there or known."""
        ends = [f"{self.platform.name} says: {self.model} {what} on {day}" for what, day in self.outlook.ends.items()]
        closings = [f.message for f in self.report.diagnostics if f.code == CLOSING]
        others = self.report.count("warning") - len(closings)
        lacking = self.outlook.needs.lacking if self.outlook.needs else ()
        said = [
            *ends,
            *closings,
            *lacking,
            *([f"the checks have {others} further warnings: print(plan.report)"] if others > 0 else []),
        ]
        if self.cost is None:
            said.append(f"no price is known for {self.model} on {self.platform.name}")
        return (*said, *([DEPLOY] if self.platform.kind.deploys else []))

    @property
    def cost(self) -> float | None:
        """US dollars of the training; None where no price is known."""
        if self.platform.kind.free:
            return 0.0
        return self.estimate.cost if self.estimate and self.platform.kind.listed_prices else None

    @property
    def problems(self) -> tuple[str, ...]:
        """Everything that the platform would refuse, in words, beside what the checks say of the data."""
        end = self.outlook.ends.get(SHUTDOWN)
        over = end is not None and end <= catalog.today()
        said = f"{self.platform.name} says that {self.model} has stopped on {end}: name another model or platform"
        return (*self.settings.problems(self.platform.kind), *([said] if over else []))

    def require(self) -> None:
        """That everything is in order.

        Raises:
            ValueError: What the platform would refuse, all of it; or a budget without a price.
            InvalidDatasetError: The data does not pass the checks.
            BudgetExceededError: It would cost more than the budget.
        """
        if problems := self.problems:
            raise ValueError("; ".join(problems))
        self.report.raise_for_errors()
        if self.validation_report is not None:
            self.validation_report.raise_for_errors()
        if self.budget is None:
            return
        if not self.budget >= 0:
            raise ValueError(f"a budget is a number of US dollars, not {self.budget!r}")
        if self.cost is None:
            raise ValueError(f"a budget needs a price, and none is known for {self.model} on {self.platform.name}")
        if self.cost > self.budget:
            raise BudgetExceededError(
                f"training {self.model} is estimated at ${self.cost:,.2f}, above the budget of ${self.budget:,.2f}. "
                "Nothing was sent. Fewer epochs or examples cost less.",
                estimate=self.cost,
                budget=self.budget,
            )

    def __str__(self) -> str:
        why = f" ({self.platform.chosen})" if self.platform.chosen else ""
        address = self.platform.base_url or "https://api.openai.com/v1"
        rows = {"training": (self.train, self.report), "validation": (self.validation, self.validation_report)}
        lines = [
            f"train {self.model} by {self.settings.method} on {self.platform.name}{why}",
            f"  data goes to {'this machine' if self.platform.kind.free else address}",
            *(
                f"  {name}: {data.name}, {len(data)} examples, {report.count('error')} errors, "
                f"{report.count('warning')} warnings"
                for name, (data, report) in rows.items()
                if data is not None and report is not None
            ),
        ]
        chosen = {**self.settings.hyperparameters, "suffix": self.settings.suffix, "seed": self.settings.seed}
        if told := ", ".join(f"{name}={value}" for name, value in chosen.items() if value is not None):
            lines.append(f"  {told}")
        if self.platform.kind.free:
            lines.append("  it costs no money")
            lines += [f"  {line}" for line in str(self.outlook.needs or "").splitlines()]
        elif self.cost is not None and self.estimate:
            lines += [f"  {line}" for line in str(self.estimate).splitlines()]
        lines += [f"  note: {warning}" for warning in self.warnings]
        lines += [f"  PROBLEM: {problem}" for problem in self.problems]
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        return tag("div", style(), tag("pre", str(self)), class_="ftl")


def drafted(
    train: Dataset,
    *,
    model: str,
    platform: Platform,
    validation: Dataset | None,
    settings: Settings,
    budget: float | None,
) -> dict[str, Any]:
    """Look at the data as the platform will, and count what it costs; the fields of a `Draft`.

    Raises:
        TypeError: The data is no Dataset.
        ValueError: The platform trains nothing in this protocol.
    """
    for name, data in (("train", train), ("validation", validation)):
        if data is not None and not isinstance(cast("object", data), Dataset):
            raise TypeError(f"{name} is a Dataset, not {type(data).__name__!r}: write ft.Dataset.load({data!r})")
    kind = platform.kind
    if not kind.fine_tuning:
        raise ValueError(f"{kind.title} has no jobs in OpenAI's protocol: {kind.instead}")

    def looked_at(data: Dataset, **options: Any) -> ValidationReport:
        return data.validate(
            model=platform.model_id(model),
            target=kind.target,
            method=settings.method,
            grader=settings.grader,
            content=False,
            **options,
        )

    epochs = settings.hyperparameters.get("n_epochs", AUTO)
    counts = isinstance(epochs, int) and not isinstance(epochs, bool) and epochs > 0
    report = looked_at(train)
    return {
        "platform": platform,
        "model": model,
        "train": train,
        "settings": settings,
        "validation": validation,
        "report": report,
        "validation_report": None if validation is None else looked_at(validation, ignore=FEW_ROWS_MEASURE),
        "estimate": train.estimate(model, epochs=epochs if counts else AUTO) if report.ok and not kind.free else None,
        "budget": budget,
    }
