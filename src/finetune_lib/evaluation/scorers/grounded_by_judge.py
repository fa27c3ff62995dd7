"""Groundedness by a model that reads the passages."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass, replace
from typing import ClassVar

from finetune_lib.evaluation.scorers.grounded import passages_of
from finetune_lib.evaluation.scorers.rubric import Rubric
from finetune_lib.platforms import Platform
from finetune_lib.platforms.asking import Price, Reply, Request, current_session
from finetune_lib.records import Answer, Case, Message, Score
from finetune_lib.shown import Shown
from finetune_lib.texts.languages import Language
from finetune_lib.texts.scripts import language_for

CRITERION = {
    "en": (
        "Everything that the answer states stands in the turn `passages`, the numbered material that it was given, or "
        "follows from it. What is true but does not stand there is not grounded. An answer that says it does not know "
        "states nothing, and meets this."
    ),
    "zh-Hant": (
        "答案陳述的每一件事都寫在 `passages` 這一輪的編號資料裡，或可由其推得。屬實但資料沒有寫的，不算有依據。"
        "只說不知道的答案沒有陳述任何事，視為符合。"
    ),
    "zh-Hans": (
        "答案陈述的每一件事都写在 `passages` 这一轮的编号资料里，或可由其推得。属实但资料没有写的，不算有依据。"
        "只说不知道的答案没有陈述任何事，视为符合。"
    ),
}


@dataclass(frozen=True)
class GroundedByJudge(Shown):
    """1 where a model finds every statement of the answer in its passages, else 0; with the reason.

    It reads what `Grounded`, the rule, cannot: sentences. It may be wrong; hold it to people's labels as any judge.

    Attributes:
        model: The model that reads; best of another family than the candidates.
        scale: 2 for grounded or not; more for steps between.
        field: As for `Grounded`.
        language: Of instructions and reasons; by default that of the question.
        temperature: 0 for repeatable scores; None leaves it to the platform.
        platform: Where the model runs; by default that of the run.
        price: US dollars for a million tokens read and written; by default as the catalogue says.
        name: What reports call it.

    Raises:
        ValueError: The model is blank, the scale below 2 or the language unknown.

    Example:
        >>> from finetune_lib import Answer, Case
        >>> from finetune_lib.evaluation.scorers import GroundedByJudge
        >>> answer = Answer("23 公斤。", sources=("每件 23 公斤。",))
        >>> asked = GroundedByJudge(model="gpt-4.1").request(answer, Case("1", ()))
        >>> "[1] 每件 23 公斤。" in str(asked.messages[1]["content"])
        True
    """

    whole_answer: ClassVar[bool] = True

    model: str
    _: KW_ONLY
    scale: int = 2
    field: str = "passages"
    language: Language | None = None
    temperature: float | None = 0.0
    platform: Platform | None = None
    price: Price | None = None
    name: str = "grounded_by_judge"

    def __post_init__(self) -> None:
        self._rubric(self.language or "en")

    @property
    def signature(self) -> str:
        """How exactly it measures."""
        return f"grounded|model:{self.model}|scale:1-{self.scale}|language:{self.language or 'of the question'}"

    async def __call__(self, answer: Answer, case: Case, /) -> Score:
        """Score one answer; errors are those of `Rubric`."""
        async with current_session() as session:
            return await session.read(self.request(answer, case), self.read)

    def request(self, answer: Answer, case: Case, /) -> Request:
        """What the model is asked about an answer."""
        passages = passages_of(answer, case, self.field)
        told = "\n\n".join(f"[{number}] {text}" for number, text in enumerate(passages, start=1)) or "(none)"
        shown = replace(case, messages=(*case.messages, Message(role="passages", content=told)))
        language = self.language or language_for(case.prompt)
        return self._rubric(language).request(answer.text, shown)

    def read(self, reply: Reply, /) -> Score:
        """The score in the model's reply."""
        return self._rubric(self.language or "en").read(reply)

    def _rubric(self, language: Language) -> Rubric:
        if language not in CRITERION:
            raise ValueError(f"language is one of {', '.join(CRITERION)} or None, not {language!r}")
        return Rubric(
            CRITERION[language],
            model=self.model,
            scale=self.scale,
            reference=False,
            language=language,
            temperature=self.temperature,
            platform=self.platform,
            price=self.price,
        )
