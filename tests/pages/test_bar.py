"""The one bar: in a notebook, in a terminal, and where nobody looks."""

from __future__ import annotations

import io
import subprocess
import sys
from contextlib import suppress
from dataclasses import dataclass
from types import ModuleType, SimpleNamespace

import pytest
from tests.jobs.scripts import MODEL, examples, hasten

import finetune_lib as ft
from finetune_lib.pages import bar as bar_room
from finetune_lib.pages.bar import Bar


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def terminal(monkeypatch):
    """Seen by the bar alone: pytest puts its own stderr in the place of any other one."""
    screen = Terminal()
    monkeypatch.delitem(sys.modules, "IPython", raising=False)
    monkeypatch.setattr(bar_room, "sys", SimpleNamespace(stderr=screen, modules=sys.modules))
    monkeypatch.setenv("COLUMNS", "60")
    monkeypatch.delenv("FINETUNE_LIB_PROGRESS", raising=False)
    return screen


def seen(screen) -> list[str]:
    """What stood on the line, one picture after the other."""
    return [picture.rstrip() for picture in screen.getvalue().split("\r")[1:]]


def test_terminal_has_one_line_that_is_drawn_at_most_five_times_a_second(terminal):
    clock = Clock()
    bar = Bar("upload", clock=clock)
    for done in range(1, 101):
        clock.now += 0.05
        bar(done, 100)
    pictures = seen(terminal)
    assert 20 <= len(pictures) <= 27
    assert pictures[0] == "[--------------------]   1% upload 1 of 100"
    assert pictures[-1] == "[####################] 100% upload 100 of 100"
    assert terminal.getvalue().count("\n") == 1


def test_last_state_is_left_also_when_it_came_too_early_to_be_drawn(terminal):
    bar = Bar(clock=Clock())
    bar.show("first")
    bar.show("second", share=0.5)
    bar.close()
    bar.close()
    assert seen(terminal) == ["first", "[##########----------]  50% second"]
    assert terminal.getvalue().endswith("\n")


def test_shorter_state_leaves_nothing_of_a_longer_one_and_no_line_is_too_long(terminal):
    clock = Clock()
    bar = Bar(clock=clock)
    bar.show("桃園" * 60)
    clock.now = 1
    bar.show("ok")
    long, short = terminal.getvalue().split("\r")[1:]
    assert len(long) == 29  # of two cells each
    assert short == "ok" + " " * 56


def test_nothing_steers_the_terminal(terminal):
    Bar().show("red \x1b[31m, home \x1b[H,\nnext")
    assert not set(terminal.getvalue()) & {"\x1b", "\n"}


@dataclass
class Progress:
    done: int
    total: int

    def __str__(self) -> str:
        return f"answers {self.done}/{self.total}, 1 failed"


def test_what_says_itself_in_words_is_drawn_so(terminal):
    Bar()(Progress(1, 4))
    Bar()(0, 0)
    assert seen(terminal) == [
        "[#####---------------]  25% answers 1/4, 1 failed",
        "[####################] 100% 0 of 0",
    ]


def test_evaluation_draws_with_it(terminal):
    cases = [ft.Case(str(n), (), expected="a") for n in range(3)]
    ft.Evaluator([ft.ExactMatch()]).run(cases, candidates=[lambda case: "a"], on_progress=ft.Bar())
    assert "100% scores 3/3" in terminal.getvalue()


def test_switch_silences_it(terminal, monkeypatch):
    monkeypatch.setenv("FINETUNE_LIB_PROGRESS", "0")
    bar = Bar()
    bar(1, 1)
    assert not bar.due
    assert terminal.getvalue() == ""


def test_pipe_stays_silent_and_ipython_is_not_imported():
    code = "import sys, finetune_lib as ft; ft.Bar()(1, 1); sys.exit('IPython' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")


@pytest.mark.parametrize("stderr", [None, SimpleNamespace()])
def test_process_without_stderr_is_no_fault(monkeypatch, stderr):
    monkeypatch.setattr(bar_room, "sys", SimpleNamespace(stderr=stderr, modules={}))
    Bar()(1, 1)


def test_closed_terminal_disturbs_nothing(terminal):
    bar = Bar()
    terminal.close()
    bar(1, 1)


class Display:
    """IPython's own, as far as it is asked."""

    def __init__(self) -> None:
        self.shown: list[str] = []

    def __call__(self, state, *, display_id):
        assert display_id
        return self.update(state) or self

    def update(self, state) -> None:
        self.shown.append(state._repr_html_())


@pytest.fixture
def notebook(monkeypatch):
    def start(shell, display=None):
        top, inner = ModuleType("IPython"), ModuleType("IPython.display")
        vars(top)["get_ipython"], vars(inner)["display"] = lambda: shell, display
        monkeypatch.setitem(sys.modules, "IPython", top)
        monkeypatch.setitem(sys.modules, "IPython.display", inner)
        return display

    return start


def test_notebook_has_one_display_that_changes(notebook, capsys):
    display, clock = notebook(SimpleNamespace(kernel=object()), Display()), Clock()
    bar = Bar(clock=clock)
    bar.show("<b>queued</b>")
    clock.now = 1
    bar(2, 4)
    bar.close()
    assert display.shown == [
        '<div class="ftl">&lt;b&gt;queued&lt;/b&gt;</div>',
        '<div class="ftl"><progress value="0.500" max="1"></progress> 2 of 4</div>',
    ]
    assert capsys.readouterr().err == ""


def test_notebook_that_is_gone_disturbs_nothing(notebook):
    def gone(state, *, display_id):
        raise RuntimeError("no comm")

    notebook(SimpleNamespace(kernel=object()), gone)
    Bar()(1, 1)


def test_ipython_in_a_terminal_gets_the_line(notebook, terminal):
    notebook(SimpleNamespace())
    Bar()(1, 2)
    assert seen(terminal) == ["[##########----------]  50% 1 of 2"]


def test_evaluation_draws_itself_and_tells_its_function_too(terminal):
    cases, told = [ft.Case(str(n), (), expected="a") for n in range(3)], []
    evaluator = ft.Evaluator([ft.ExactMatch()])
    evaluator.run(cases, candidates=[lambda case: "a"], progress=True, on_progress=told.append)
    assert "100% scores 3/3" in terminal.getvalue()
    assert [state.done for state in told if state.stage == "scores"][-1] == 3


def test_augmentation_draws_itself(terminal):
    examples(rows=4).augment(ft.Noise(), progress=True)
    assert "[####################] 100% 4 of 4" in terminal.getvalue()


class Stopping(Bar):
    """A bar whose work is ended from outside at its second state."""

    ends: BaseException
    states = 0

    def __call__(self, *state) -> None:
        super().__call__(*state)
        self.states += 1
        if self.states == 2:
            raise self.ends


def evaluate(**drawn):
    cases = [ft.Case(str(n), (), expected="a") for n in range(3)]
    ft.Evaluator([ft.ExactMatch()], store=":memory:").run(cases, candidates=[lambda case: "a"], **drawn)


def augment(**drawn):
    examples(rows=4).augment(ft.Noise(), **drawn)


def upload(**drawn):
    with ft.testing.ScriptedPlatform() as server:
        ft.Job.create(examples(rows=3_000), model=MODEL, platform=server.connect(), **drawn)


@pytest.mark.parametrize("error", [KeyboardInterrupt(), SystemExit(1), ZeroDivisionError("stopped")], ids=repr)
@pytest.mark.parametrize("given", [True, False], ids=["a bar of the user's", "progress=True"])
@pytest.mark.parametrize("work", [evaluate, augment, upload])
def test_no_line_stays_open_whatever_ends_the_work(terminal, work, given, error, tmp_path, monkeypatch):
    monkeypatch.setenv("FINETUNE_LIB_HOME", str(tmp_path))
    hasten(monkeypatch.setattr)
    stopping = Stopping()
    stopping.ends = error
    if not given:
        stopping._off = True  # the other one draws
    with pytest.raises(type(error)):
        work(on_progress=stopping, progress=not given)
    assert terminal.getvalue().startswith("\r[")
    assert terminal.getvalue().endswith("\n")


def test_a_loop_of_ones_own_leaves_no_line_open(terminal):
    with suppress(KeyboardInterrupt), Bar() as bar:
        bar(1, 3)
        raise KeyboardInterrupt
    assert terminal.getvalue() == "\r[######--------------]  33% 1 of 3\n"


def test_an_upload_draws_itself(terminal, tmp_path, monkeypatch):
    monkeypatch.setenv("FINETUNE_LIB_HOME", str(tmp_path))
    data = examples()
    size = len(b"".join(data.lines()))
    with ft.testing.ScriptedPlatform() as server:
        ft.Job.create(data, model=MODEL, platform=server.connect(), progress=True)
    assert f"100% upload {size:,} of {size:,}" in terminal.getvalue()


def test_a_notebook_sees_the_curve_of_a_job(notebook, tmp_path, monkeypatch):
    monkeypatch.setenv("FINETUNE_LIB_HOME", str(tmp_path))
    display = notebook(SimpleNamespace(kernel=object()), Display())
    hasten(monkeypatch.setattr)
    with ft.testing.ScriptedPlatform(statuses=("queued",)) as server:
        job = ft.Job.create(examples(), model=MODEL, platform=server.connect())
        job.wait(progress=True)
    last = display.shown[-1]
    assert "step 6 of 6" in last
    assert '<svg viewBox="0 0 640 260"' in last
    assert "training loss" in last
