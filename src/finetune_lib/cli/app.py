"""The commands: one line each; its function is loaded when it is called.

A new command is a function in the file of its wing, and a line here.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

from cyclopts import App, CycloptsError, Parameter

from finetune_lib import __version__
from finetune_lib.cli.codes import CLEAN, UNUSABLE

app = App(
    name="finetune-lib",
    help="Fine-tune language models, and prove that it helped.",
    help_format="plaintext",
    version=__version__,
    default_parameter=Parameter(negative=(), show_default=False),
    result_action="return_value",
    suppress_keyboard_interrupt=False,
    print_error=False,
    exit_on_error=False,
)
for _number, (_function, _help) in enumerate(
    {
        "data:check": "find every problem of training files",
        "mending:fix": "write a mended copy of training files",
        "data:explain": "what a code of a finding means, with an example",
        "evaluation:compare": "show the report of an evaluation, and test a claim on it",
        "evaluation:review": "serve a page for experts, and keep their votes",
        "local:serve": "run the local platform",
    }.items()
):
    _name = _function.partition(":")[2]
    app.command(f"finetune_lib.cli.{_function}", name=_name, help=_help, sort_key=_number)


def run(arguments: Sequence[str]) -> int:
    """Call the command that the arguments name; wrong usage is told on standard error."""
    if not arguments:
        app.help_print(console=app.error_console)
        return UNUSABLE
    standard = ["./-" if argument == "-" else argument for argument in arguments]  # the same path, and no option
    try:
        return app(standard) or CLEAN
    except CycloptsError as error:
        print(f"finetune-lib: {error}", file=sys.stderr)
        return UNUSABLE
