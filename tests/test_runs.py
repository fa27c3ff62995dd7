"""The record of this machine: runs, their evaluations, lineage, and the file that they are in."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from types import SimpleNamespace

import pytest
from tests.doubles import Scripted, Service, serving

import finetune_lib as ft
from finetune_lib import runs
from finetune_lib.runs import Evaluated, Record, Run

MODEL = "ft:gpt-4.1-mini:acme:faq:abc"
DATA = {"training_file": {"name": "faq", "examples": 12, "sha256": "5e" * 32, "findings": {"warning": 2}}}
KEY = "sk-planted-KEY-12345678"


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("FINETUNE_LIB_HOME", str(tmp_path))
    return tmp_path


def run(**fields):
    told = {"state": "created", "model": "gpt-4.1-mini", "job": "ftjob-1", "started": 100.0, "data": DATA, **fields}
    return Run(told.pop("key", "k"), told.pop("platform", "openai"), **told)


def written(*found):
    with Record.open() as record:
        for one in found:
            record.write(one)


def test_runs_are_listed_newest_first_and_by_model_and_job():
    first = run(fine_tuned_model=MODEL)
    second = run(key="l", model=MODEL, job="ftjob-2", started=200.0)
    written(first, second, run(key="m", model="tiny", job=None, state="intended"))
    assert [one.key for one in Run.list()] == ["l", "k", "m"]
    assert Run.list(model=MODEL) == (second, first)
    assert Run.list(job="ftjob-2") == (second,)


def test_lineage_goes_from_a_model_to_its_run_and_on():
    written(run(fine_tuned_model=MODEL), run(key="l", model=MODEL, job="ftjob-2", fine_tuned_model="ft:again"))
    assert Run.of("ft:again").parent.job == "ftjob-1"
    assert Run.of(f"{MODEL}:ckpt-step-30").job == "ftjob-1"
    assert Run.of(MODEL).parent is None
    assert Run.of("gpt-4.1-mini") is None
    assert "- goes on from: job ftjob-1 on gpt-4.1-mini" in Run.of("ft:again").card()


@pytest.fixture
def service():
    with serving(Scripted()) as service:
        yield service


def test_end_of_a_followed_job_is_in_its_run(service):
    platform = ft.connect(service.url, api_key="k")
    written(run(platform=platform.identity))
    job = {"id": "ftjob-1", "model": "gpt-4.1-mini", "status": "succeeded", "fine_tuned_model": MODEL, "finished_at": 9}
    rows = [
        {"step": 1, "train_loss": 2.0, "full_valid_loss": 1.5},
        {"step": 2, "train_loss": 0.5, "full_valid_loss": -1},
    ]
    events = [
        {"id": f"e{row['step']}", "created_at": row["step"], "type": "metrics", "message": "", "data": row}
        for row in rows
    ]
    service.answers("GET /fine_tuning/jobs/ftjob-1", job)
    service.answers("GET /fine_tuning/jobs/ftjob-1/events", {"object": "list", "data": events[::-1], "has_more": False})
    service.answers("POST /chat/completions", {})
    ft.Job.get("ftjob-1", platform=platform).wait()
    (found,) = Run.list()
    assert (found.status, found.fine_tuned_model, found.ended) == ("succeeded", MODEL, 9.0)
    assert found.curve == {"train_loss": 0.5, "full_valid_loss": 1.5, "best_step": 1}
    assert "- train_loss: 0.5" in found.card()


def test_metrics_of_an_old_snapshot_change_nothing_but_the_curve(service):
    platform = ft.connect(service.url, api_key="k")
    written(run(platform=platform.identity, status="succeeded"))
    service.answers("GET /fine_tuning/jobs/ftjob-1", {"id": "ftjob-1", "model": "m", "status": "running"})
    row = {"id": "e", "created_at": 1, "type": "metrics", "message": "", "data": {"step": 1, "train_loss": 2.0}}
    service.answers("GET /fine_tuning/jobs/ftjob-1/events", {"object": "list", "data": [row], "has_more": False})
    ft.Job.get("ftjob-1", platform=platform).metrics()
    (found,) = Run.list()
    assert (found.status, found.curve) == ("succeeded", {"train_loss": 2.0})


def test_record_that_cannot_be_written_loses_no_job(service, folder):
    platform = ft.connect(service.url, api_key="k")
    service.answers("GET /fine_tuning/jobs/ftjob-1", {"id": "ftjob-1", "model": "m", "status": "succeeded"})
    service.answers("GET /fine_tuning/jobs/ftjob-1/events", {"object": "list", "data": [], "has_more": False})
    (folder / "runs.db").write_bytes(b"no database" * 100)
    assert ft.Job.get("ftjob-1", platform=platform).wait().status == "succeeded"


@pytest.fixture
def evaluated():
    """Evaluates the model beside its base, and gives the report."""

    def evaluate(**options):
        cases = [ft.Case(str(n), (ft.Message(role="user", content=f"q{n}"),), expected="a") for n in range(20)]
        with serving(Service(lambda asked: "a" if asked["model"] == MODEL else "b")) as service:
            platform = ft.connect(service.url, api_key=KEY)
            tuned = ft.ChatModel(MODEL, name="tuned", platform=platform)
            base = ft.ChatModel("gpt-4.1-mini", name="base", platform=platform)
            return ft.Evaluator([ft.ExactMatch()], **options).run(cases, candidates=[base, tuned])

    return evaluate


def test_evaluations_are_in_the_record_and_on_the_card(evaluated, folder):
    written(run(fine_tuned_model=MODEL))
    report = evaluated(store=":memory:")
    (found,) = Run.of(MODEL).evaluations
    assert (found.id, found.golden, found.models) == (report.run.id, report.run.golden, report.run.models)
    assert found.verdicts["base"] == "exact_match 0.00"
    assert found.verdicts["tuned"].startswith("tuned is better than base")
    assert f"- tuned: {found.verdicts['tuned']}" in Run.of(MODEL).card()
    assert KEY.encode() not in (folder / "runs.db").read_bytes()


def test_evaluation_is_not_lost_where_the_record_cannot_be_written(evaluated, folder):
    with closing(sqlite3.connect(folder / "runs.db")) as db:
        db.execute("PRAGMA user_version = 99")
    with pytest.warns(UserWarning, match="not in the record of runs"):
        assert evaluated(store=":memory:").mean("tuned") == 1.0


def test_functions_alone_leave_no_trace(folder):
    ft.Evaluator([lambda answer, case: 1.0]).run([ft.Case("1", ())], candidates=[lambda case: "x"])
    assert not (folder / "runs.db").exists()


def test_job_that_was_named_with_an_evaluation_has_it():
    """Azure's deployments have names of their own."""
    written(run(fine_tuned_model=MODEL))
    with Record.open() as record:
        record.keep_evaluation(Evaluated("eval-1", 5.0, "g", {"tuned": "my-deployment"}, {}, job="ftjob-1"))
        record.keep_evaluation(Evaluated("eval-2", 6.0, "g", {"tuned": f"{MODEL}:ckpt-step-3"}, {}))
        record.keep_evaluation(Evaluated("eval-3", 7.0, "g", {"other": "gpt-4.1"}, {}, job="ftjob-9"))
    assert [one.id for one in Run.of(MODEL).evaluations] == ["eval-2", "eval-1"]


def test_run_without_a_job_has_no_evaluations():
    written(run(job=None, state="intended"))
    with Record.open() as record:
        record.keep_evaluation(Evaluated("eval-1", 5.0, "g", {"base": "gpt-4.1-mini"}, {}))
    assert Run.list()[0].evaluations == ()


def test_mlflow_gets_parameters_metrics_and_the_card(monkeypatch):
    logged = {}

    class Started:
        info = SimpleNamespace(run_id="r-1")

        def __enter__(self):
            return self

        def __exit__(self, *_):
            pass

    double = SimpleNamespace(
        active_run=lambda: None,
        start_run=lambda **options: logged.update(options) or Started(),
        log_params=logged.update,
        log_metrics=logged.update,
        log_text=lambda text, name: logged.update({name: text}),
    )
    monkeypatch.setitem(sys.modules, "mlflow", double)
    made = run(fine_tuned_model=MODEL, curve={"train_loss": 0.5}, usd=1.25, settings={"suffix": "faq", "seed": None})
    assert made.log_mlflow() == "r-1"
    assert (logged["run_name"], logged["train_loss"], logged["usd"], logged["suffix"]) == (MODEL, 0.5, 1.25, "faq")
    assert logged["training_file_sha256"] == "5e" * 32
    assert logged["card.md"] == made.card()
    assert "seed" not in logged


def test_mlflow_that_is_missing_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "mlflow", None)
    with pytest.raises(ft.MissingExtraError, match="mlflow"):
        run().log_mlflow()


def version(path):
    with closing(sqlite3.connect(path)) as db:
        return db.execute("PRAGMA user_version").fetchone()[0]


@pytest.mark.skipif(os.name == "nt", reason="Windows keeps files of a user's folder to the user by itself")
def test_file_is_for_its_owner_alone(folder):
    written(run())
    assert (folder / "runs.db").stat().st_mode & 0o777 == 0o600


def test_file_of_a_later_version_is_refused_and_left_as_it_is(folder):
    written(run())
    with closing(sqlite3.connect(folder / "runs.db")) as db:
        db.execute("PRAGMA user_version = 99")
    before = (folder / "runs.db").read_bytes()
    with pytest.raises(ft.DataError, match="later version of finetune_lib: its format is 99"):
        Run.list()
    assert (folder / "runs.db").read_bytes() == before


def test_file_of_an_earlier_version_is_taken_along(folder, monkeypatch):
    written(run())
    assert version(folder / "runs.db") == len(runs.SCRIPTS)
    monkeypatch.setattr(
        runs, "SCRIPTS", (*runs.SCRIPTS, "CREATE TABLE more (x TEXT); INSERT INTO more VALUES ('here')")
    )
    assert [one.key for one in Run.list()] == ["k"]
    assert version(folder / "runs.db") == len(runs.SCRIPTS)
    with closing(sqlite3.connect(folder / "runs.db")) as db:
        assert db.execute("SELECT x FROM more").fetchall() == [("here",)]


def test_migration_that_breaks_off_leaves_the_file_as_it_was(folder, monkeypatch):
    written(run())
    with monkeypatch.context() as patch:
        patch.setattr(runs, "SCRIPTS", (*runs.SCRIPTS, "CREATE TABLE more (x TEXT); SELECT nothing FROM nowhere"))
        with pytest.raises(ft.DataError, match="cannot be read"):
            Run.list()
    assert [one.key for one in Run.list()] == ["k"]


def test_what_is_no_database_is_refused_and_left_as_it_is(folder):
    (folder / "runs.db").write_bytes(b"notes of mine" * 100)
    with pytest.raises(ft.DataError, match="move it away"):
        Run.list()
    assert (folder / "runs.db").read_bytes() == b"notes of mine" * 100


def test_without_a_folder_the_record_is_fleeting(folder, monkeypatch):
    (folder / "file").write_text("")
    monkeypatch.setenv("FINETUNE_LIB_HOME", str(folder / "file" / "home"))
    with Record.open() as record:
        assert not record.lasting
        record.write(run())
        assert len(record.runs()) == 1
    assert Run.list() == ()


WRITER = """
import sys
from finetune_lib.runs import Record, Run
for n in range(50):
    with Record.open() as record:
        record.write(Run(f"{sys.argv[1]}-{n}", "openai", "created", "m", job=f"job-{sys.argv[1]}-{n}"))
        record.see("openai", f"job-{sys.argv[1]}-{n}", status="succeeded", curve={"train_loss": n})
"""


def test_two_processes_write_from_the_first_moment_on():
    writers = [subprocess.Popen([sys.executable, "-c", WRITER, name]) for name in "ab"]
    assert [writer.wait(120) for writer in writers] == [0, 0]
    found = Run.list()
    assert len(found) == 100
    assert {one.status for one in found} == {"succeeded"}
    assert {one.curve["train_loss"] for one in found} == set(range(50))


def test_no_key_is_in_the_record(service, folder, monkeypatch):
    for room in ("creating", "uploading"):
        monkeypatch.setattr(f"finetune_lib.jobs.{room}.SETTLING_SECONDS", 0.2)
    platform = ft.Platform("llm.example.com", f"{service.url}/?key={KEY}", api_key=KEY)
    service.scripts = AnyCall()
    data = ft.Dataset.from_rows(
        {"messages": [{"role": "user", "content": f"q{n}"}, {"role": "assistant", "content": f"a{n}"}]}
        for n in range(12)
    )
    job = ft.Job.create(data, model="m", platform=platform, extra={"wandb_key": KEY}, metadata={"of": "us"})
    (found,) = Run.list(job=job.id)
    assert found.settings["extra"] == {"wandb_key": "***"}
    assert found.settings["metadata"] == {"of": "us"}
    assert KEY not in found.card() + repr(found)
    for file in folder.rglob("*"):
        assert file.is_dir() or KEY.encode() not in file.read_bytes(), file


class AnyCall(dict):
    """What a platform answers that has nothing yet, and takes all."""

    def __getitem__(self, call):
        from tests.doubles import Outcome

        method, path = call.split(" ")
        made = {"id": f"{path.strip('/').replace('/', '-')}-1", "status": "processed", "model": "m"}
        empty = {"object": "list", "data": [], "has_more": False}
        return [Outcome(body=json.dumps(empty if method == "GET" and path.endswith("s") else made).encode())]
