"""PairwiseJudge: a model that compares two answers, blind to whose they are."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import KW_ONLY, dataclass
from typing import Any

from finetune_lib.evaluation.judges.boilerplate import bare
from finetune_lib.evaluation.judges.judge import Verdict
from finetune_lib.evaluation.judges.protocol import LANGUAGES, instructions, material, with_pictures
from finetune_lib.evaluation.judges.verdicts import FORM, verdict_in
from finetune_lib.platforms import Platform
from finetune_lib.platforms.asking import Price, Reply, Request, current_session
from finetune_lib.records import Case
from finetune_lib.shown import Shown
from finetune_lib.texts.languages import Language
from finetune_lib.texts.scripts import language_for


@dataclass(frozen=True)
class PairwiseJudge(Shown):
    """A model that says which of two answers to a case is better; it never learns who gave them.

    An `Evaluator` asks it about each pair in both orders. The answers reach it as JSON that it is told to judge and
    not to obey; its verdict is one of five levels or `both_bad`, held to a JSON schema where the platform can do
    that. An answer that cannot be read is asked for once more, and is missing then.

    Attributes:
        model: The model that judges; any that speaks chat completions. Best of another family than the candidates.
        criteria: What matters in your field, in plain sentences; it is part of the instructions.
        name: What reports call it; by default the model's name.
        language: Of instructions and reasons: `en`, `zh-Hant` or `zh-Hans`; by default that of the question, where
            it is Chinese, else English.
        reference: Whether it sees the expected answer.
        repeats: How often each pair is judged in each order; only with a temperature above 0 can it matter.
        temperature: 0 for repeatable verdicts; None leaves it to the platform, as some models demand.
        platform: Where the model runs; by default that of the run.
        price: US dollars for a million tokens read and written; by default as the catalogue says.
        strip: Whether polite phrases at both ends of the answers ("Here is …:", "I hope this helps!") are taken
            away, of both alike. Say False where such phrases are what you compare.

    Raises:
        ValueError: The model is blank, the language unknown, or `repeats` below 1.

    Example:
        >>> import finetune_lib as ft
        >>> from finetune_lib.evaluation.judges import PairwiseJudge
        >>> judge = PairwiseJudge("gpt-4.1", criteria="Fares and deadlines must be right.", name="judge")
        >>> case = ft.Case("7", (ft.Message(role="user", content="退票要多久？"),), "七個工作天。")
        >>> request = judge.request(case, "七天。", "很快。")
        >>> request.messages[0]["content"].splitlines()[0]
        '你是該領域嚴格而公正的專家，負責比較對同一個請求的兩個回答。'
    """

    model: str
    _: KW_ONLY
    criteria: str = ""
    name: str = ""
    language: Language | None = None
    reference: bool = True
    repeats: int = 1
    temperature: float | None = 0.0
    platform: Platform | None = None
    price: Price | None = None
    strip: bool = True

    def __post_init__(self) -> None:
        if problems := list(self._problems()):
            raise ValueError(f"PairwiseJudge: {'; '.join(problems)}")
        object.__setattr__(self, "name", self.name or self.model)

    def _problems(self) -> Iterator[str]:
        if not self.model.strip():
            yield "model is blank: name the model that judges"
        if self.language not in (None, *LANGUAGES):
            yield f"language is one of {', '.join(LANGUAGES)} or None, not {self.language!r}"
        if self.repeats < 1:
            yield f"repeats is at least 1, not {self.repeats}"

    async def __call__(self, case: Case, first: str, second: str, /) -> Verdict:
        """Compare two answers in this order, in one call.

        Raises:
            NotAskedError: The limits of the run forbid the call.
            PlatformError: The platform refused or did not answer.
            UnreadableAnswerError: The model gave no verdict, twice.
        """
        async with current_session() as session:
            return await session.read(self.request(case, first, second), self.read)

    def request(self, case: Case, first: str, second: str, /) -> Request:
        """What the model is asked about a pair in this order; further repeats set themselves apart by a salt."""
        shown = self._shown(case, first, second)
        words = instructions(__package__, "prompts.toml")[self.language or language_for(case.prompt, case.expected)]
        messages = [
            {"role": "system", "content": self._instructions(words, shown)},
            {"role": "user", "content": with_pictures(f"{material(shown)}\n{words['closing'].strip()}", case)},
        ]
        options = {} if self.temperature is None else {"temperature": self.temperature}
        return Request(self.model, messages, options=options, form=FORM, platform=self.platform, price=self.price)

    def read(self, reply: Reply, /) -> Verdict:
        """The verdict in the model's reply.

        Raises:
            UnreadableAnswerError: There is none in it, or there are two that differ.
        """
        return verdict_in(reply)

    def _shown(self, case: Case, first: str, second: str) -> dict[str, Any]:
        answers = map(bare, (first, second)) if self.strip else (first, second)
        calls = [{"name": call.name, "arguments": call.arguments} for call in case.expected_calls]
        expected = {"text": case.expected, "calls": calls} if calls else case.expected
        return {
            "conversation": [
                {"role": message.role, "content": message.text}
                | ({"tool_calls": message.tool_calls} if message.tool_calls else {})
                for message in case.messages
            ],
            **({"tools": list(case.tools)} if case.tools else {}),
            **({"expected": expected} if self.reference and expected else {}),
            **dict(zip(("first", "second"), answers, strict=True)),
        }

    def _instructions(self, words: Mapping[str, str], shown: Mapping[str, Any]) -> str:
        keys = "\n".join(words[key] for key in ("conversation", "tools", "expected") if key in shown)
        wanted = f"{words['criteria']}\n{self.criteria.strip()}" if self.criteria.strip() else ""
        parts = [f"{words['role'].strip()}\n{keys}\n{words['answers']}", words["rules"], wanted, words["levels"]]
        return "\n\n".join(part.strip() for part in parts if part)
