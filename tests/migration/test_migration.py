"""Everything that can be had is found and saved, and what cannot be had is said; a killed save goes on."""

from __future__ import annotations

import base64
import json
from datetime import date

import pytest

import finetune_lib as ft
from finetune_lib.testing import Fault
from finetune_lib.testing.requests import Answer

ROWS = [
    {
        "messages": [
            {"role": "system", "content": "你是機場客服。"},
            {"role": "user", "content": f"第{number}題"},
            {"role": "assistant", "content": "好"},
        ]
    }
    for number in range(12)
]
FAQ, TRIAGE = "ft:gpt-4o-mini-2024-07-18:acme:faq:Ab12Cd34", "ft:gpt-4.1-2025-04-14:acme:triage:Zz99Yy88"
DEAD, CHECKPOINT = "ft:gpt-3.5-turbo-0125:acme::9xYzAbCd", f"{FAQ}:ckpt-step-120"


def listed(*objects, more=False):
    return {"object": "list", "data": list(objects), "has_more": more}


def model(id, stops=None, **more):
    return {"id": id, "object": "model", "created": 1, "owned_by": "acme", "shutdown_date": stops, **more}


def job(number, tuned, base, train, results=(), status="succeeded"):
    return {
        "object": "fine_tuning.job",
        "id": f"ftjob-{number}",
        "model": base,
        "fine_tuned_model": tuned,
        "status": status,
        "training_file": train,
        "validation_file": None,
        "result_files": list(results),
        "created_at": number,
    }


JOBS = [
    job(3, TRIAGE, "gpt-4.1-2025-04-14", "file-gone", ["file-r3"]),
    job(2, None, "gpt-4o-mini-2024-07-18", "file-bad", status="failed"),
    job(1, FAQ, "gpt-4o-mini-2024-07-18", "file-t1", ["file-r1"]),
    job(0, DEAD, "gpt-3.5-turbo-0125", "file-t0"),
]
FILES = {
    "file-t1": (
        "fine-tune",
        "train.jsonl",
        "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in ROWS).encode(),
    ),
    "file-r1": ("fine-tune-results", "step_metrics.csv", base64.b64encode(b"step,train_loss\n1,0.5\n")),
    "file-r3": ("fine-tune-results", "step_metrics.csv", b"step,train_loss\n1,0.4\n"),
    "file-t0": ("fine-tune", "../../evil\n.jsonl", b"{}\n"),
    "file-orphan": ("fine-tune", "newer.jsonl", b'{"messages": []}\n'),
}


class Leaving(ft.testing.ScriptedPlatform):
    """A platform on which others have worked for years: it answers as OpenAI does, two jobs a page."""

    def answer(self, request):
        path, after = request.path, request.query.get("after")
        if path == "/models" and self.kind == "azure":
            moments = {"inference": 1822521600, "fine_tune": 1800000000}
            own = {"id": "gpt-4o-mini.ft-1", "model": "gpt-4o-mini", "fine_tune": "ftjob-9", "deprecation": moments}
            return Answer(listed(own))
        if path == "/models":
            bases = model("gpt-4.1-2025-04-14", "2027-01-14"), model("gpt-4o-mini-2024-07-18", "2027-01-14")
            return Answer(listed(*bases, model(FAQ, "2027-01-14"), model(CHECKPOINT, "2027-01-14"), model(TRIAGE)))
        if path == "/fine_tuning/jobs":
            page = JOBS[2:] if after else JOBS[:2]
            return Answer(listed(*page, more=not after))
        if path == "/files":
            told = ({"id": id, "purpose": purpose, "filename": name} for id, (purpose, name, _) in FILES.items())
            return Answer(listed(*told))
        if path.endswith("/checkpoints"):
            found = [{"id": "ckpt", "fine_tuned_model_checkpoint": CHECKPOINT}] if "ftjob-1" in path else []
            return Answer(listed(*found))
        if path.endswith("/events"):
            told = [{"id": "b", "created_at": 2, "message": "ended"}, {"id": "a", "created_at": 1, "message": "began"}]
            return Answer(listed(*told))
        if path.endswith("/content"):
            return Answer(FILES[path.split("/")[2]][2])
        return super().answer(request)


@pytest.fixture
def leaving():
    with Leaving("openai") as server:
        yield server


def test_the_inventory_tells_what_answers_until_when(leaving):
    found = ft.Migration(leaving.connect()).inventory()
    told = {one.id: (one.answers, one.stops, one.told_by) for one in found.models}
    assert told == {
        FAQ: (True, date(2027, 1, 14), "the model"),
        CHECKPOINT: (True, date(2027, 1, 14), "the model"),
        TRIAGE: (True, date(2027, 1, 14), "its base"),
        DEAD: (False, date(2026, 10, 23), "the catalogue of 2026-11-20"),
    }
    assert [one.job for one in found.models if one.id == CHECKPOINT] == ["ftjob-1"]
    assert len(found.jobs) == 4
    assert [one["id"] for one in found.orphans] == ["file-orphan"]
    assert found.lost[0].what == "weights"
    assert {one.what for one in found.lost[1:]} == {"training file of ftjob-3", DEAD}
    assert all(request.method == "GET" for request in leaving.requests)
    text = str(found)
    assert text.splitlines()[0].startswith("weights: cannot be had of hosted models")
    assert f"{FAQ}" in text
    assert " 44 " in text  # days from 2026-12-01 to 2027-01-14


def test_it_is_plain_values_and_a_table_in_a_notebook(leaving, tmp_path):
    found = ft.Migration(leaving.connect()).inventory()
    told = json.loads(found.save_json(tmp_path / "inventory.json").read_text())
    assert {"platform", "day", "models", "jobs", "files", "checkpoints", "orphans", "lost", "unread"} == set(told)
    assert told["models"][0]["stops"] == "2027-01-14"
    page = found._repr_html_()
    assert page.count("<tr>") == 5
    assert FAQ in page


def test_azure_tells_moments():
    with Leaving("azure") as server:
        (one,) = ft.Migration(server.connect()).inventory().answering
    assert (one.id, one.base, one.stops) == ("gpt-4o-mini.ft-1", "gpt-4o-mini", date(2027, 10, 3))


def test_one_list_that_is_refused_takes_no_other_with_it(leaving):
    told = {"error": {"message": "Missing scopes: api.fine_tuning.jobs.read.", "code": "missing_scope"}}
    leaving.fault("GET /fine_tuning/jobs", Fault(status=401, body=told), times=99)
    found = ft.Migration(leaving.connect()).inventory()
    assert {one.id for one in found.answering} == {FAQ, CHECKPOINT, TRIAGE}
    assert any("the list of jobs" in str(one) and "api.fine_tuning.jobs.read" in str(one) for one in found.lost)


REFUSED = Fault(status=403, body={"error": {"message": "Missing scopes: api.model.read", "code": "missing_scope"}})


def test_of_a_list_that_is_refused_nothing_is_claimed(leaving):
    leaving.fault("GET /models", REFUSED, times=99)
    leaving.fault("GET /files", REFUSED, times=99)
    found = ft.Migration(leaving.connect()).inventory()
    assert {one.answers for one in found.models} == {None}
    assert "? of 4" in str(found)
    assert {one.what for one in found.lost} == {"weights", "the list of models", "the list of files"}
    assert found.to_dict()["unread"] == ["the list of models", "the list of files"]


def test_files_that_jobs_name_are_saved_though_their_list_is_refused(leaving, tmp_path):
    leaving.fault("GET /files", REFUSED, times=99)
    leaving.fault("GET /files/file-gone/content", Fault(status=404, body={"error": {"message": "No such"}}), times=9)
    leaving.fault("GET /files/file-bad/content", Fault(status=404, body={"error": {"message": "No such"}}), times=9)
    saved = ft.Migration(leaving.connect()).save(tmp_path / "openai")
    assert set(saved.files) == {"file-t1", "file-r1", "file-r3", "file-t0"}


def test_a_save_after_the_end_keeps_what_was_told_before(leaving, tmp_path):
    migration, first = ft.Migration(leaving.connect()), tmp_path / "openai" / "inventory.json"
    migration.save(tmp_path / "openai")
    before = first.read_bytes()
    migration.save(tmp_path / "openai")
    assert not [*first.parent.glob("inventory-*.json")]
    for route in ("/models", "/files", "/fine_tuning/jobs"):
        leaving.fault(f"GET {route}", REFUSED, times=99)
    saved = migration.save(tmp_path / "openai")
    assert first.read_bytes() == before
    assert json.loads((first.parent / "inventory-2.json").read_text())["jobs"] == []
    assert set(saved.files) == set(FILES)


def test_all_is_saved_and_loads_again(leaving, tmp_path):
    migration, folder = ft.Migration(leaving.connect()), tmp_path / "openai"
    saved = migration.save(folder)
    assert set(saved.files) == set(FILES)
    assert saved.new == len(FILES)
    assert len(saved.dataset("file-t1")) == 12
    assert (folder / "files" / "file-r1" / "step_metrics.csv").read_bytes() == FILES["file-r1"][2]
    assert json.loads((folder / "jobs" / "ftjob-1.json").read_text())["system_messages"] == ["你是機場客服。"]
    events = (folder / "jobs" / "ftjob-1.events.jsonl").read_text().splitlines()
    assert [json.loads(line)["message"] for line in events] == ["began", "ended"]
    assert all(path.resolve().is_relative_to(folder.resolve()) for path in saved.files.values())
    assert not list(tmp_path.glob("evil*"))
    assert "Not to be had:" in str(saved)


def test_a_second_save_asks_for_nothing_that_lies_there(leaving, tmp_path):
    migration = ft.Migration(leaving.connect())
    migration.save(tmp_path / "openai")
    before = leaving.count("GET /files/*/content")
    assert migration.save(tmp_path / "openai").new == 0
    assert leaving.count("GET /files/*/content") == before == len(FILES)


@pytest.mark.parametrize("dies_at", range(1, 14))
def test_a_killed_save_goes_on(tmp_path, dies_at):
    class KilledError(BaseException):
        pass

    with Leaving("openai") as server:
        with pytest.MonkeyPatch.context() as patch:
            from finetune_lib.migration import saving

            written, write = [], saving.write_atomically

            def killed(path, chunks, **options):
                written.append(path)
                if len(written) == dies_at:
                    raise KilledError
                return write(path, chunks, **options)

            patch.setattr(saving, "write_atomically", killed)
            with pytest.raises(KilledError):
                ft.Migration(server.connect()).save(tmp_path / "openai")
        saved = ft.Migration(server.connect()).save(tmp_path / "openai")
        assert set(saved.files) == set(FILES)
        assert {id: path.read_bytes() for id, path in saved.files.items()} == {id: one[2] for id, one in FILES.items()}


def test_what_is_not_given_back_is_told_with_the_reason(leaving, tmp_path):
    free = {"error": {"message": "downloading of fine-tune training files is disabled for free accounts."}}
    leaving.fault("GET /files/file-t1/content", Fault(status=400, body=free), times=9)
    leaving.fault("GET /files/file-r3/content", Fault(status=404, body={"error": {"message": "No such File"}}), times=9)
    saved = ft.Migration(leaving.connect()).save(tmp_path / "openai")
    told = {one.what: one.reason for one in saved.lost}
    assert "free accounts" in told["file file-t1 (train.jsonl)"]
    assert told["file file-r3 (step_metrics.csv)"] == "it was deleted"
    assert set(FILES) - set(saved.files) == {"file-t1", "file-r3"}


def test_a_busy_platform_is_waited_for(leaving, tmp_path):
    leaving.fault("GET /files/file-t1/content", Fault(status=429, retry_after=0.01), times=2)
    leaving.fault("GET /fine_tuning/jobs", Fault(status=500), times=1)
    saved = ft.Migration(leaving.connect()).save(tmp_path / "openai")
    assert set(saved.files) == set(FILES)


def test_a_folder_with_something_else_or_a_changed_file_is_refused(leaving, tmp_path):
    migration = ft.Migration(leaving.connect())
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "notes.txt").write_text("x")
    with pytest.raises(ft.DataError, match="holds something else"):
        migration.save(tmp_path / "mine")
    saved = migration.save(tmp_path / "openai")
    saved.files["file-t1"].write_text("changed")
    with pytest.raises(ft.DataError, match="is not what was saved"):
        migration.save(tmp_path / "openai")
    assert saved.files["file-t1"].read_text() == "changed"


def test_the_local_platform_has_one_too(server):
    found = ft.Migration(ft.connect("local")).inventory()
    assert all(one.what != "weights" for one in found.lost)
    assert server


def test_what_an_earlier_save_knew_stays(leaving, tmp_path):
    """The training file is gone by the second save, here and there: its system messages stay."""
    migration, folder = ft.Migration(leaving.connect()), tmp_path / "openai"
    saved = migration.save(folder)
    saved.files["file-t1"].unlink()
    leaving.fault("GET /files/file-t1/content", Fault(status=404), times=9)
    leaving.fault("GET /fine_tuning/jobs/*/events", Fault(status=429), times=1)
    migration.save(folder)
    assert json.loads((folder / "jobs" / "ftjob-1.json").read_text())["system_messages"] == ["你是機場客服。"]


@pytest.mark.parametrize("text", ["{", "[]", '{"manifest": 9}', '{"manifest": 1, "files": {"a": {}}}'])
def test_a_damaged_manifest_is_named(leaving, tmp_path, text):
    (tmp_path / "manifest.json").write_text(text)
    with pytest.raises(ft.DataError, match="is no manifest of a migration"):
        ft.Migration(leaving.connect()).save(tmp_path)
