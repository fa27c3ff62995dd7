"""Dataset: an immutable sequence of examples, from a file to data that trains."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Executor
from datetime import date
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, Unpack, overload

from finetune_lib.concurrency import in_own_loop
from finetune_lib.data.checks import Plan, Rules, Target, first_error, validate
from finetune_lib.data.diagnostics import Change, Diagnostic, InvalidDatasetError, ValidationReport, counted, is_loss
from finetune_lib.data.diagnostics.explaining import known_codes
from finetune_lib.data.fixing import fixing
from finetune_lib.data.reading import Options, loading
from finetune_lib.data.reading.json.line_store import LineStore, View
from finetune_lib.data.reading.meaning import METADATA, metadata_of
from finetune_lib.data.together.thresholds import wanted
from finetune_lib.files import json_line, refuse_path, write_atomically
from finetune_lib.records import Case, Example, Method, Origin
from finetune_lib.texts.languages import Language
from finetune_lib.tokens import counter_for

if TYPE_CHECKING:
    from finetune_lib.data.augmenters import Augmenter, Template
    from finetune_lib.data.augmenters.augmenting import Augmented, OnProgress
    from finetune_lib.data.augmenters.from_documents import DocumentsOptions
    from finetune_lib.data.doubting import Doubts, DoubtsOptions
    from finetune_lib.data.fixing.fixing import Account, Fixed, Rejected
    from finetune_lib.data.formats import FormatName
    from finetune_lib.data.leakage import Proof
    from finetune_lib.data.measuring.cost import CostEstimate
    from finetune_lib.data.measuring.stats import Stats
    from finetune_lib.data.previewing import Preview
    from finetune_lib.data.splitting import Key
    from finetune_lib.platforms import Platform


class Split(NamedTuple):
    """The parts of a dataset; what belongs together stands in one of them."""

    train: Dataset
    validation: Dataset
    golden: Dataset

    def proof(self, *, near: float | None = None) -> Proof:
        """Hold every validation and golden row against training: none may be known there (`finetune_lib.relation`).

        Args:
            near: It decides nothing any more; a number gives a warning.
        """
        from finetune_lib.data import leakage, splitting

        wanted(near)
        whole = [example for part in self for example in part]
        return leakage.prove(self._asdict(), stratum=splitting.usual_stratum(whole))


class Dataset(Sequence[Example]):
    """An immutable sequence of training examples.

    Each operation gives a new Dataset. What is not part of an example (its origin, its category, the example that
    it was augmented from) rides beside it and never reaches an uploaded file.

    Example:
        >>> import finetune_lib as ft
        >>> data = ft.Dataset.from_rows(
        ...     [{"prompt": "幾點登機？", "completion": "起飛前 30 分鐘。"}], system="你是機場客服。"
        ... )
        >>> data[0].answer
        '起飛前 30 分鐘。'
    """

    def __init__(
        self,
        examples: Sequence[Example],
        *,
        name: str = "dataset",
        problems: Iterable[Diagnostic] = (),
        fixed: Fixed | None = None,
        augmented: Augmented | None = None,
    ) -> None:
        """Wrap examples; `load` and `from_rows` are the usual ways.

        Args:
            examples: Any sequence; it is read by index and never changed.
            name: What reports call the data.
            problems: Findings of the reader; an error among them keeps the data from being saved or trained.
            fixed: The fix that gave them.
            augmented: The augmentation that gave them.

        Raises:
            TypeError: The examples are a path.
        """
        refuse_path(examples, "a Dataset wraps examples", "ft.Dataset.load")
        self._examples = examples
        self._problems = tuple(problems)
        self._fixed = fixed
        self._augmented = augmented
        self.name = name

    @classmethod
    def load(
        cls,
        path: str | PathLike[str],
        *,
        system: str | None = None,
        columns: Mapping[str, str] | None = None,
        sheet: str | None = None,
        roles: Mapping[str, str] | None = None,
        conversation: str | None = None,
        encoding: str | None = None,
    ) -> Dataset:
        """Read a file: JSONL, JSON in any arrangement, CSV, TSV, Excel, Parquet; also packed as gz or zst.

        What the file is shows its content: its encoding, the shape of its JSON, the header of its table, foreign
        formats such as ShareGPT and Alpaca. What was interpreted is told by `validate` as a note. Rows of a
        table become chats of one user and one assistant turn; JSONL keeps its format: chat rows, or
        prompt/completion pairs unless `system` is given. A large JSONL file is opened at once and read when its
        examples are asked for; it must stay as it is meanwhile. A table is read at once; where it is large, its
        examples wait in a temporary file without a name, which goes with them.

        A line that cannot be read does not stop the others: `validate` reports it, and nothing is saved or
        trained until it is mended, by hand or by `fix`, or left out by `drop_unread`.

        Args:
            path: The file.
            system: The system message of every example that has none; turns pairs into chats.
            columns: Which column of a table is `prompt`, `completion`, `system` or `category`, where the
                header does not say so: `{"prompt": "問題", "completion": "答案"}`. Of a table with a turn in each
                row, `role` says who speaks and `content` what; `reference_answer` is what a grader compares with.
            sheet: The sheet of a workbook with several.
            roles: Who speaks under which name, where the names do not say so: `{"小美": "user", "阿強": "assistant"}`.
            conversation: The column that tells the conversations of a table apart, or that holds each as a whole.
            encoding: The text encoding, as `cp950` (Big5) or `gb18030` (GBK), where it cannot be told.

        Raises:
            ReadError: The file as a whole cannot be read; the message names it and what to do.
            MissingExtraError: It needs a package that is not installed, as `finetune_lib[excel]`.
        """
        file = Path(path)
        loaded = loading.load(file, Options(encoding, sheet, columns, roles, conversation), system=system)
        return cls(loaded.examples, name=file.name, problems=loaded.problems)

    @classmethod
    def from_rows(
        cls,
        rows: Any,
        *,
        system: str | None = None,
        columns: Mapping[str, str] | None = None,
        roles: Mapping[str, str] | None = None,
        conversation: str | None = None,
        name: str = "rows",
    ) -> Dataset:
        """Wrap rows that are in memory: mappings, or a frame of pandas, polars or Arrow.

        Args:
            rows: Chats (`messages`), pairs (`prompt`, `completion`, `category`) or rows of a foreign format.
            system: The system message of every example that has none.
            columns: As in `load`.
            roles: As in `load`.
            conversation: As in `load`.
            name: What reports call the data.

        Raises:
            ReadError: The columns of a frame are no known format, and do not show a question and its answer.
        """
        told = Options(columns=columns, roles=roles, conversation=conversation)
        loaded = loading.from_memory(rows, told, name=name, system=system)
        return cls(loaded.examples, name=name, problems=loaded.problems)

    @classmethod
    def from_documents(
        cls,
        paths: str | PathLike[str] | Iterable[str | PathLike[str]],
        *,
        ask: str,
        **options: Unpack[DocumentsOptions],
    ) -> Dataset:
        """Questions and answers about documents, written by a model, each held to the passage that it comes from.

        Of each passage the model writes pairs, and quotes where the answer stands. A pair is dropped, and counted in
        `augmentation`, where the quote does not stand in the passage, the answer has a number, a name or an address
        that neither passage nor question has, or the language is another one. Some questions are answered by saying
        that the documents do not tell; their answer is looked for in the nearest passages first. What a rule can
        check is checked: read the rows before you train on them.

        Args:
            paths: Files or folders of PDF, Word (.docx), HTML, Markdown and text.
            ask: The model that writes them.
            n: Pairs for each passage, at most; by default 3.
            unanswered: Questions that the documents do not answer, for each pair, on average; by default 0.1.
            unknown: What those are answered; by default a sentence in the language of the passage.
            system: The system message of each row.
            passage_tokens: How long a passage may be; by default 600.
            price: US dollars for a million tokens read and for a million written, where the catalogue has none.
            platform: Where the model is asked; by default as `connect()` chooses.
            concurrency: Calls under way at once; by default 16.
            budget: US dollars at most; it needs the model's price.
            max_calls: Calls at most.
            seed: Another seed, other rows.
            cache: The file that keeps paid answers; a rerun asks only for what is missing.
            on_progress: Called with the number of passages done and the number in all.
            progress: Draw them, in a notebook or a terminal.

        Returns:
            The rows; `origin` tells file, page and heading, `category` the file, and the rows of one passage stay
            together in a split.

        Raises:
            ValueError: A number is out of range, or a budget is given and the price is not known.
            DataError: The documents hold no text.
            ReadError: A document cannot be read, as one whose pages are pictures.
            PlatformError: The platform will take no call at all.
            MissingExtraError: Without `pip install "finetune_lib[documents]"`.
        """
        return in_own_loop(cls.from_documents_async(paths, ask=ask, **options))

    @classmethod
    async def from_documents_async(
        cls,
        paths: str | PathLike[str] | Iterable[str | PathLike[str]],
        *,
        ask: str,
        **options: Unpack[DocumentsOptions],
    ) -> Dataset:
        """`from_documents` inside a running event loop, with its options."""
        from finetune_lib.data.augmenters.from_documents import asked_of_documents

        made = await asked_of_documents(paths, model=ask, **options, check=first_error)
        return cls([child.example for child in made.children], name="documents", augmented=made)

    def validate(
        self,
        *,
        model: str | None = None,
        target: Target | None = None,
        method: Method = "supervised",
        grader: Mapping[str, Any] | None = None,
        limits: Mapping[str, int] | None = None,
        golden: Sequence[Case | Example] | None = None,
        tokens: bool = True,
        duplicates: bool = True,
        content: bool = True,
        near: bool | None = None,
        ignore: Sequence[str] | str = (),
        today: date | None = None,
        executor: Executor | None = None,
    ) -> ValidationReport:
        """Check everything and report every finding, each with its row and field; raises nothing.

        Args:
            model: The base model: its tokens are counted and its limits checked.
            target: Whose rules: `openai`, `azure`, `local`, `together`, `fireworks`, `mistral`, `trl`, or
                `compatible` for another service that speaks OpenAI's protocol; by default those of the model's
                platform, or without a model OpenAI's format, which the others build on.
            method: `supervised`, `dpo` or `reinforcement`.
            grader: The grader of a reinforcement job: every field that it reads must be in each row.
            limits: Limits of a service that differ from the table's, as `{"minimum": 3, "file_bytes": 10**9}`.
            golden: A golden set whose answers no row may tell (`finetune_lib.relation`).
            tokens: Whether to count tokens.
            duplicates: Whether to look for exact copies.
            content: Whether to look at the texts: contradictions, privacy, quality.
            near: Whether to look for what is the same in other words; by default duplicates at any size, and other
                wordings of a question up to 5,000 examples, as they take about a millisecond for each.
            ignore: Codes (`D802`), families (`Q9`) or names (`near-duplicate`) that are not reported.
            today: The day that announced shutdowns are held against; by default today.
            executor: A `concurrent.futures.Executor`, as a process pool or Dask's; the result stays the same.

        Raises:
            ValueError: `ignore` names no code, family or name.
        """
        rules = Rules(target, method, model, grader, tuple((limits or {}).items()))
        counter = counter_for(model) if tokens else None
        plan = Plan(rules, counter, duplicates=duplicates, content=content, near=near, ignore=known_codes(ignore))
        problems = self._problems
        if golden:
            from finetune_lib.data import leakage

            problems += tuple(leakage.contamination(golden, self))
        report = validate(
            self._examples, source=self.name, plan=plan, problems=problems, today=today, executor=executor
        )
        return fixing.with_fixes(report, self._examples, rules)

    def fix(
        self,
        *,
        safe_only: bool = True,
        model: str | None = None,
        target: Target | None = None,
        method: Method = "supervised",
        rejects: str | PathLike[str] | None = None,
    ) -> Dataset:
        """Apply the fixes that a report offers; `changes` and `account` of the result tell what was done.

        A fix is applied only if the row is sound afterwards and no text has changed. See it first:
        `print(data.validate().diff())`.

        Args:
            safe_only: Only fixes that lose nothing. False also applies those that take a person's word, leaves
                out what stays wrong, and merges exact copies.
            model: As in `validate`.
            target: As in `validate`.
            method: As in `validate`.
            rejects: A file for the rows that were left out, with the codes of why; none is written without such.

        Raises:
            FileExistsError: The file for rejects is there.
        """
        rules = Rules(target, method, model)
        result = fixing.fixed(self._examples, self._problems, rules, safe_only=safe_only)
        if rejects is not None and result.rejected:
            write_atomically(Path(rejects), fixing.rejects(result.rejected), overwrite=False)
        return Dataset(result.examples, name=self.name, problems=result.problems, fixed=result)

    @property
    def changes(self) -> tuple[Change, ...]:
        """What the fix that gave this dataset has changed, row by row; empty where there was none."""
        return self._fixed.changes if self._fixed else ()

    @property
    def account(self) -> Account:
        """What became of the rows in the step that gave this dataset (`fix`, `deduplicate`, `decontaminate`).

        Read = kept + dropped + merged, and each row that went for another one stands there with it.
        """
        from finetune_lib.data.fixing.fixing import Account

        return self._fixed.account if self._fixed else Account(len(self), len(self))

    @property
    def rejected(self) -> tuple[Rejected, ...]:
        """The rows that the fix which gave this dataset left out, each with what is wrong with it."""
        return self._fixed.rejected if self._fixed else ()

    def split(
        self,
        *,
        validation: float | int = 0,
        golden: float | int = 0,
        seed: int = 0,
        group_by: Key | None = None,
        stratify_by: Key | Literal["auto"] | None = "auto",
        near: float | None = True,
    ) -> Split:
        """Part the data into training, validation and golden set, with nothing in two of them.

        Deterministic by content: an example's place depends on its question and the seed, not on its row, so
        that added rows leave the others where they are. Examples of which one tells the other's answer
        (`finetune_lib.relation`), children of one augmented example, and those with an equal `group_by` stay
        together; those of one form, while that is no more than a part or a third of the data. The `proof` of the
        result holds.

        Args:
            validation: A share of all examples (0.1) or a count (20).
            golden: The same for the golden set, which `Evaluator` scores and training never sees.
            seed: Another seed, another split.
            group_by: What else stays together: a function from an example to its customer, document, template.
            stratify_by: Of what each part gets its share: a function from an example to its kind. `auto` takes
                the category, or the answer where there are only few different ones.
            near: Whether more than equal questions stay together. A number counts as True, with a warning.

        Raises:
            ValueError: A part stays empty, or nothing is left to train on.
            InvalidDatasetError: Some lines could not be read.
        """
        from finetune_lib.data import leakage, splitting

        self.require_whole()
        stratum = splitting.usual_stratum(self) if stratify_by == "auto" else stratify_by
        options = {"validation": validation, "golden": golden, "seed": seed, "key": group_by, "stratum": stratum}
        return Split(*map(self._part, leakage.parted(self._examples, near=wanted(near), **options), Split._fields))

    def _part(self, places: Sequence[int], name: str) -> Dataset:
        """Some of the examples; lines that could not be read stay with them, so that none is lost unnoticed."""
        return Dataset(View(self._examples, sorted(places)), name=f"{self.name} ({name})", problems=self.problems)

    def decontaminate(self, golden: Sequence[Case | Example], *, near: float | None = None) -> Dataset:
        """Leave out the rows that tell a golden answer: `duplicate` or `variant` by `finetune_lib.relation`.

        `account` of the result names each with its case.

        Args:
            golden: The golden set: a `GoldenSet`, cases, or a Dataset.
            near: It decides nothing any more; a number gives a warning.
        """
        from finetune_lib.data.leakage import tellers

        wanted(near)
        return self._without(tellers(golden, self), "decontaminated")

    def deduplicate(self, *, near: float | None = None) -> Dataset:
        """Leave out rows that stand in the data before; `account` of the result names each with the one kept.

        Args:
            near: True leaves out also what is a `duplicate` by `finetune_lib.relation`: the same but for wording
                in question and answer. What `validate` calls another wording stays. A number counts as True, with a
                warning.
        """
        from finetune_lib.data.deduplicating import left_out

        partners, copies = left_out(self._examples, near=wanted(near))
        return self._without(partners, "deduplicated", merged=copies)

    def _without(self, partners: Mapping[int, Origin], name: str, *, merged: int = 0) -> Dataset:
        """The examples without some, each of which has a partner that is the reason."""
        from finetune_lib.data.fixing.fixing import without

        part = self._part([place for place in range(len(self)) if place not in partners], name)
        part._fixed = without(self, part, partners, merged=merged)
        return part

    def leave_out(self, path: str | PathLike[str]) -> Dataset:
        """Without the examples that somebody who read the page of `browse` or `to_html` has marked.

        Args:
            path: The list that the page saved, as `faq.xlsx.left-out.json`.

        Raises:
            DataError: It is no such list, or it is one of other data.
        """
        from finetune_lib.data.browsing.left_out import kept_places

        return self._part(kept_places(self, Path(path)), "read")

    def filter(self, keep: Callable[[Example], bool]) -> Dataset:
        """The examples for which `keep` is true."""
        return self._part([place for place, example in enumerate(self) if keep(example)], "filtered")

    def map(self, change: Callable[[Example], Example]) -> Dataset:
        """What `change` makes of each example."""
        return Dataset([change(example) for example in self], name=self.name, problems=self.problems)

    def extend(self, more: Iterable[Example]) -> Dataset:
        """These examples and more behind them."""
        problems = (*self.problems, *(more.problems if isinstance(more, Dataset) else ()))
        return Dataset([*self, *more], name=self.name, problems=problems)

    def redact(self) -> Dataset:
        """Put placeholders such as `[EMAIL]` in the place of personal data and secrets."""
        from finetune_lib.data.redacting import redacted

        return Dataset([redacted(example) for example in self], name=self.name, problems=self.problems)

    def stats(self, *, model: str | None = None) -> Stats:
        """Tokens per example, per role and per category, and how they are distributed.

        Args:
            model: Whose tokens; without it those of OpenAI's newest vocabulary.
        """
        from finetune_lib.data.measuring.stats import stats

        return stats(self, model=model)

    def preview(
        self, *, model: str, method: Method = "supervised", chat_template: str | None = None, limit: int = 5
    ) -> Preview:
        """What is trained of the first examples, token by token: what is read, learned and cut.

        It is the code that trains on the local platform, so it shows what that does. Of a model of a service it shows
        the words in its vocabulary, since the template is not public.

        Args:
            model: `tiny`, the folder of a model, one of the hub as `Qwen/Qwen3-0.6B`, whose tokenizer is fetched, or a
                model of a service.
            method: `supervised`, `dpo` or `reinforcement`.
            chat_template: In place of the base's own: `chatml`, `llama3`, or the text of one.
            limit: How many examples are shown.

        Raises:
            MissingExtraError: An open model, and the extra `local` is not installed.
            RenderingError: The base has no chat template, or none that parts the answer from the prompt.
            DataError: Its tokenizer does not load.
            PolicyError: It would have to be fetched, which the policy forbids.
        """
        from finetune_lib.data.previewing import preview

        return preview(self, model=model, method=method, chat_template=chat_template, first=limit)

    def estimate(
        self,
        model: str,
        *,
        epochs: int | Literal["auto"] = "auto",
        price: float | None = None,
        today: date | None = None,
    ) -> CostEstimate:
        """What a training run costs, before anything is uploaded.

        Args:
            model: The base model.
            epochs: How often the data is gone through; `auto` follows the platform's rule.
            price: US dollars per million training tokens, where the catalogue knows none or an old one.
            today: The day that the age of a price is held against; by default today.
        """
        from finetune_lib.data.measuring.cost import estimate

        return estimate(self, model=model, epochs=epochs, price=price, today=today)

    def augment(
        self,
        *augmenters: Augmenter | Template,
        platform: Platform | None = None,
        concurrency: int = 16,
        budget: float | None = None,
        max_calls: int | None = None,
        seed: int = 0,
        cache: str | PathLike[str] | None = None,
        on_progress: OnProgress | None = None,
        progress: bool = False,
    ) -> Dataset:
        """The examples and, behind them, what augmenters make of them; `augmentation` of the result has the counts.

        Children keep the answer of their parent and remember it: a split keeps a family together. What equals
        its parent, has drifted away from it, or would be refused by a platform is dropped and counted.

        Args:
            augmenters: `Paraphrase`, `Noise`, `Script`, `Template`, …, or functions from an example to rows.
            platform: Where models are asked; by default as `connect()` chooses.
            concurrency: Calls under way at once.
            budget: US dollars at most; it needs the price of each model.
            max_calls: Calls at most.
            seed: Another seed, other children.
            cache: The file that keeps paid answers; a rerun asks only for what is missing.
            on_progress: Called with the number of units done and the number in all.
            progress: Draw it, in a notebook or a terminal.

        Raises:
            ValueError: A number is out of range, or a budget is given and a price is not known.
            PlatformError: The platform will take no call at all.
        """
        from finetune_lib.data.augmenters.augmenting import augmented

        limits: dict[str, Any] = {"concurrency": concurrency, "budget": budget, "max_calls": max_calls, "seed": seed}
        limits |= {"platform": platform, "cache": cache, "on_progress": on_progress, "progress": progress}
        made = augmented(self, augmenters, check=first_error, **limits)
        return Dataset(made.examples, name=self.name, problems=self.problems, augmented=made)

    async def augment_async(self, *augmenters: Augmenter | Template, **options: Any) -> Dataset:
        """`augment` inside a running event loop, with its options."""
        from finetune_lib.data.augmenters.augmenting import augmented_async

        made = await augmented_async(self, augmenters, check=first_error, **options)
        return Dataset(made.examples, name=self.name, problems=self.problems, augmented=made)

    @property
    def augmentation(self) -> Augmented | None:
        """What the augmentation that gave this dataset made, kept, dropped and cost; None where there was none."""
        return self._augmented

    def doubts(self, *, ask: str, **options: Unpack[DoubtsOptions]) -> Doubts:
        """Ask a model which answers may be untrue: facts, and quotations with their claimed author.

        What it doubts are findings for a person to look up (Q934, Q935); nothing is changed, and an answer that it
        does not doubt is not proved. Rows are quoted as data, and only replies of the right form about words that
        stand in the answer count: the others are counted as not looked at (Q936). What was paid is kept, so a rerun
        asks only for what is missing.

        Args:
            ask: The model.
            options: `platform`: where it is asked, by default as `connect()` chooses; `concurrency`: calls under way
                at once, 16; `budget`: US dollars at most, which needs the model's price; `max_calls`: calls at most;
                `price`: US dollars for a million tokens read and written, where the catalogue has none; `cache`: the
                file that keeps paid replies; `on_progress`: called with the rows done and all of them; `progress`:
                draw it.

        Raises:
            ValueError: A number is out of range, or a budget is given and the price is not known.
            PlatformError: The platform will take no call at all.
        """
        from finetune_lib.data.doubting import doubts

        return doubts(self, source=self.name, ask=ask, **options)

    async def doubts_async(self, *, ask: str, **options: Unpack[DoubtsOptions]) -> Doubts:
        """`doubts` inside a running event loop, with its options."""
        from finetune_lib.data.doubting import doubts_async

        return await doubts_async(self, source=self.name, ask=ask, **options)

    def to_rows(self, *, format: FormatName = "openai") -> list[dict[str, Any]]:
        """The examples as plain rows in OpenAI's format or a foreign one.

        Args:
            format: `openai`, `trl`, `sharegpt`, `alpaca`, `completion`, `together`, `mistral`, `llamafactory`.

        Raises:
            ValueError: The format cannot hold what an example has, as weights or tool calls.
        """
        from finetune_lib.data.formats import exported

        return [exported(example, format=format) for example in self]

    def save(
        self,
        path: str | PathLike[str],
        *,
        overwrite: bool = False,
        format: FormatName = "openai",
        metadata: bool = False,
        bom: bool = False,
    ) -> Path:
        """Write the examples, whole or not at all, as the file's ending says.

        `.jsonl` and names without an ending of their own have one object a line, in UTF-8; `.json` has one array.
        A table (`.csv`, `.tsv`, `.xlsx`) has the columns system, prompt and completion where every example is one
        question and its answer, and JSON in the column messages else; `.parquet` has nested columns. What the
        format cannot hold is refused.

        Args:
            path: The file.
            overwrite: Whether an existing file is replaced.
            format: As in `to_rows`.
            metadata: Whether category, family and ignored codes are kept too, under the key `_ftl`: for `load`, not
                for uploading.
            bom: Whether JSON begins with a byte-order mark, which Azure's documents ask for; tables of text always
                do, for Excel.

        Raises:
            ValueError: The ending names a format that is not written, as `.xls`.
            FileExistsError: The file is there; pass `overwrite=True` to replace it.
            InvalidDatasetError: Some lines could not be read; saving would lose them.
            DataError: The format cannot hold an example: a table with tool calls, JSON with a date or NaN.
            MissingExtraError: It needs a package that is not installed, as `finetune_lib[excel]`.
        """
        from finetune_lib.data.saving import written

        self.require_whole()
        content = written(Path(path), self._rows(format, metadata=metadata), bom=bom)
        return write_atomically(Path(path), content, overwrite=overwrite)

    def _rows(self, format: FormatName, *, metadata: bool) -> Iterator[Mapping[str, Any]]:
        from finetune_lib.data.formats import exported

        for example in self:
            data = example.data if format == "openai" else exported(example, format=format)
            beside = metadata_of(example) if metadata else {}
            yield {**data, METADATA: beside} if beside else data

    def lines(self) -> Iterator[bytes]:
        """The examples as lines of JSONL, as they are uploaded."""
        return (json_line(example.data, number) for number, example in enumerate(self, start=1))

    def drop_unread(self) -> Dataset:
        """The same examples without the lines that could not be read: they are left out on purpose."""
        whole = View(self._examples, range(len(self))) if isinstance(self._examples, LineStore) else self._examples
        return Dataset(whole, name=self.name)

    @property
    def problems(self) -> tuple[Diagnostic, ...]:
        """What the reader found: lines that cannot be read, and notes on what was interpreted."""
        found = self._examples.findings if isinstance(self._examples, LineStore) else ()
        return (*self._problems, *found)

    def require_whole(self) -> None:
        """Refuse to go on with lines that could not be read.

        Raises:
            InvalidDatasetError: There are some; the report names them.
        """
        report = ValidationReport(self.name, len(self), tuple(filter(is_loss, self.problems)))
        if not report.ok:
            raise InvalidDatasetError(
                f"{report}\nMend these lines, by hand or with data.fix(), or leave them out: data = data.drop_unread()",
                report=report,
            )

    def to_html(
        self, *, report: ValidationReport | None = None, limit: int = 2000, lang: Language | None = None
    ) -> str:
        """One page to read the examples as conversations, filter them, and see findings and duplicates beside them.

        It works offline and loads nothing.

        Args:
            report: A validation of this dataset, whose findings are shown.
            limit: How many examples the page holds; beyond it, those with findings come first.
            lang: `en`, `zh-Hant` or `zh-Hans`; by default that of the locale.
        """
        from finetune_lib.data.browsing.browser import dataset_page

        return dataset_page(self.name, self, report, limit=limit, lang=lang)

    def browse(self, *, report: ValidationReport | None = None) -> Path:
        """Write `to_html` to a temporary file, open it in the browser, and tell where it is."""
        from finetune_lib.pages.browser import shown_in_browser

        return shown_in_browser(self.to_html(report=report), name=self.name)

    def __len__(self) -> int:
        return len(self._examples)

    def __iter__(self) -> Iterator[Example]:
        return iter(self._examples)

    @overload
    def __getitem__(self, index: int) -> Example: ...
    @overload
    def __getitem__(self, index: slice) -> Dataset: ...
    def __getitem__(self, index: int | slice) -> Example | Dataset:
        if isinstance(index, slice):
            return Dataset(self._examples[index], name=self.name, problems=self.problems)
        return self._examples[index]

    def __eq__(self, other: object) -> bool:
        """Equal by the examples' content; where they came from does not matter."""
        if not isinstance(other, Dataset):
            return NotImplemented
        return len(self) == len(other) and all(a.data == b.data for a, b in zip(self, other, strict=True))

    __hash__ = None  # pyright: ignore[reportAssignmentType]

    def __repr__(self) -> str:
        unread = sum(map(is_loss, self.problems))
        lost = f", {counted(unread, 'unread line')}" if unread else ""
        return f"Dataset({self.name!r}, {counted(len(self), 'example')}{lost})"

    def _repr_html_(self) -> str:
        from finetune_lib.data.browsing.notebook import dataset_html

        return dataset_html(self.name, self)
