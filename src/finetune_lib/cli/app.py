"""The commands: one line each; its function is loaded when it is called.

A new command is a function in the file of its wing, and a line here: what it does, and an example.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence

from cyclopts import App, CycloptsError, Group, Parameter

from finetune_lib import __version__
from finetune_lib.cli.codes import CLEAN, UNUSABLE

Commands = Mapping[str, tuple[str, str]]
GROUPS: Mapping[str, Commands] = {
    "First steps": {
        "starting:init": (
            "write a small commented project, and check its data",
            "init faq.xlsx --aim answers --model tiny",
        ),
        "starting:demo": ("copy sample data here", "demo complaints"),
    },
    "Data": {
        "data:check": ("find every problem of training files", "check faq.xlsx --lang zh-Hant"),
        "mending:fix": ("write a mended copy of training files", "fix faq.xlsx -o faq.jsonl --unsafe"),
        "data:explain": (
            "what a code of a finding means, with an example; without a code, all of them",
            "explain J202",
        ),
        "looking:browse": (
            "read the examples as conversations, on one page with what the checks found",
            "browse faq.xlsx -o faq.html",
        ),
        "looking:preview": (
            "show what is trained, token by token: read, learned, cut",
            "preview faq.xlsx --model tiny --limit 3",
        ),
        "looking:stats": ("tell how long examples are, by role and category", "stats faq.xlsx --json"),
        "looking:estimate": (
            "tell what a training costs, before anything is sent",
            "estimate faq.xlsx --model gpt-4.1-mini --epochs 3",
        ),
        "shaping:convert": (
            "write examples in another format, or as another kind of file",
            "convert faq.xlsx -o faq.jsonl --format sharegpt",
        ),
        "shaping:redact": (
            "write examples with placeholders in the place of personal data and secrets",
            "redact chats.jsonl -o clean.jsonl",
        ),
        "shaping:deduplicate": (
            "write examples without those that say the same again",
            "deduplicate faq.jsonl -o once.jsonl --near",
        ),
        "shaping:split": (
            "part examples into training, validation and golden set, with nothing in two of them",
            "split faq.jsonl --validation 0.1 --golden 0.2",
        ),
        "shaping:augment": (
            "write examples and paraphrases of their questions, that a model makes",
            "augment faq.jsonl -o more.jsonl --ask gpt-4.1-mini --budget 1",
        ),
        "shaping:documents": (
            "write questions and answers about documents, that a model makes of their passages",
            "documents handbook.pdf rules/ -o pairs.jsonl --ask gpt-4.1-mini --budget 2",
        ),
    },
    "Training": {
        "training:train": (
            "train a model on a file: show the plan, ask, upload, follow",
            "train faq.xlsx --model tiny --platform local --validation 0.1",
        ),
        "history:runs": (
            "which data became which model, on this machine",
            "runs --model ft:tiny:local:films:a1b2 --card",
        ),
    },
    "Models": {
        "chatting:chat": (
            "talk to a model, or to two side by side",
            "chat ft:tiny:local:films:a1b2 tiny --platform local --max-tokens 64",
        ),
        "predicting:predict": (
            "answer each row of a table, and write the same table with the answers",
            "predict questions.xlsx --model ftjob-123 -o answered.xlsx --budget 2",
        ),
    },
    "Evaluation": {
        "evaluating:evaluate": (
            "compare candidates on a golden set",
            "evaluate golden.xlsx --candidate base=gpt-4.1-mini --candidate tuned=ftjob-123 --scorer exact_match "
            "--fail-unless-better tuned",
        ),
        "certifying:certify": (
            "promise that what a model answers by itself is rarely wrong, and exit 1 where that is not shown",
            "certify golden.xlsx --model ftjob-123 --error 0.05 -o clerk.certificate.json",
        ),
        "evaluation:compare": (
            "show the report of an evaluation, and test a claim on it",
            "compare report.json --better tuned --baseline base",
        ),
        "evaluation:review": (
            "serve a page for experts, and keep their votes",
            "review --serve review.html --open",
        ),
        "history:collect": (
            "merge what experts sent back, and tell whom they preferred",
            "collect lin.json chen.json --json",
        ),
        "history:leaderboard": (
            "what every candidate reached on the golden set of the latest evaluation",
            "leaderboard --scorer exact_match",
        ),
    },
    "This machine": {
        "local:serve": ("run the local platform", "serve --root models --port 8000"),
        "local:export": (
            "write a model of the local platform as a folder that other servers load",
            "export ft:tiny:local:films:a1b2 films --gguf f16 --verify golden.xlsx",
        ),
        "machine:doctor": (
            "what is installed, which device trains, where calls would go; nothing is sent",
            "doctor --json",
        ),
        "history:models": ("the models that the catalogue knows: limits, prices, announced ends", "models --json"),
        "history:platforms": ("the platforms that are known: how they train, what they offer", "platforms"),
        "history:purge": ("drop kept answers for good", "purge --older-than 90 --yes"),
        "machine:completion": (
            "print what makes a shell complete commands and options",
            "completion bash",
        ),
    },
}
JOBS: Commands = {
    "jobs:list_jobs": ("the jobs of a platform, newest first", "jobs list --platform local --status running"),
    "jobs:show": ("a job as it is now", "jobs show ftjob-123 --json"),
    "jobs:follow": (
        "follow a job to its end: its events, and in a terminal a bar with the loss",
        "jobs follow ftjob-123 --platform openai",
    ),
    "jobs:cancel": ("stop a job; what it has learned so far is not kept", "jobs cancel ftjob-123"),
    "jobs:pause": ("let a job rest", "jobs pause ftjob-123"),
    "jobs:resume": ("let a paused job go on", "jobs resume ftjob-123"),
    "jobs:metrics": ("the losses of a job, as far as it has come", "jobs metrics ftjob-123 --json"),
}
LOCAL: Commands = {
    "local:gc": ("delete what nobody can reach any more on the local platform", "local gc --keep-days 30 --dry-run"),
}
MIGRATE: Commands = {
    "migration:inventory": (
        "what lies on a platform, and until when each model answers",
        "migrate inventory --platform openai",
    ),
    "migration:save": ("save all that can be had into one folder", "migrate save leaving-openai --platform openai"),
    "migration:record": (
        "ask a model that will stop, and keep what it answers",
        "migrate record ft:gpt-4o-mini-2024-07-18:acme:faq:Ab12Cd34 recorded --golden golden.xlsx --budget 5",
    ),
}
_PARAMETER = Parameter(negative=(), show_default=False)

app = App(
    name="finetune-lib",
    help="Fine-tune language models, and prove that it helped.",
    help_format="plaintext",
    default_parameter=_PARAMETER,
    version=__version__,
    result_action="return_value",
    suppress_keyboard_interrupt=False,
    print_error=False,
    exit_on_error=False,
)


def _add(to: App, commands: Commands, group: Group | None = None) -> None:
    for number, (function, (said, example)) in enumerate(commands.items()):
        name = function.partition(":")[2].partition("_")[0]
        epilogue = f"Example: finetune-lib {example}"
        path = f"finetune_lib.cli.{function}"
        to.command(path, name=name, help=said, help_epilogue=epilogue, sort_key=10 * number, group=group)


jobs = App(
    name="jobs",
    help="list, follow and steer fine-tuning jobs",
    help_format="plaintext",
    default_parameter=_PARAMETER,
    sort_key=5,  # behind the first of its group
)
local = App(
    name="local",
    help="look after the folder of the local platform",
    help_format="plaintext",
    default_parameter=_PARAMETER,
    sort_key=15,
)
migrate = App(
    name="migrate",
    help="leave a platform that closes",
    help_format="plaintext",
    default_parameter=_PARAMETER,
    sort_key=15,
)
for _number, (_title, _commands) in enumerate(GROUPS.items()):
    _group = Group(_title, sort_key=_number)
    _add(app, _commands, _group)
    if _title == "Training":
        for _more in (jobs, migrate):
            _more.group = _group
            app.command(_more)
    if _title == "This machine":
        local.group = _group
        app.command(local)
_add(jobs, JOBS)
_add(local, LOCAL)
_add(migrate, MIGRATE)


def run(arguments: Sequence[str]) -> int:
    """Call the command that the arguments name; wrong usage is told on standard error."""
    if list(arguments) in ([], ["jobs"], ["local"], ["migrate"]):
        app.help_print(arguments, console=app.error_console)
        return UNUSABLE
    standard = ["./-" if argument == "-" else argument for argument in arguments]  # the same path, and no option
    try:
        return app(standard) or CLEAN
    except CycloptsError as error:
        print(f"finetune-lib: {error}", file=sys.stderr)
        return UNUSABLE
