"""What a version leaves on disk, made anew: `python -m tests.versions.make FOLDER`, with that version on PYTHONPATH.

8bf0247/ was made so with the version of that commit, on Python 3.11. Weights and logs are left out.
"""

from __future__ import annotations

import json
import shutil
import sqlite3
import sys
import threading
from contextlib import closing
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from tests.versions.evaluation import URL, evaluate

import finetune_lib as ft
from finetune_lib import local

KEPT = ("platform.db", "files/*", "jobs/*/*.json*", "jobs/*/checkpoint-*/trainer_state.json", "jobs/*/final/finetune*")


class Model(BaseHTTPRequestHandler):
    """Says what the form of the question asks for."""

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        form = body.get("response_format")
        said = json.dumps(_filled(form["json_schema"]["schema"])) if form else "Upstairs."
        choice = {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": said}}
        usage = {"prompt_tokens": 9, "completion_tokens": 3, "total_tokens": 12}
        told = {"object": "chat.completion", "id": "1", "created": 1, "model": body["model"]}
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        self.wfile.write(json.dumps({**told, "choices": [choice], "usage": usage}).encode())

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing is logged."""


def _filled(schema: dict[str, Any]) -> Any:
    """The first thing that fits."""
    if "enum" in schema:
        return schema["enum"][0]
    if schema["type"] == "object":
        return {name: _filled(field) for name, field in schema["properties"].items()}
    return {"string": "Clear.", "integer": 4, "array": []}[schema["type"]]


def answers(folder: Path) -> ft.Report:
    """`answers.db`, with the history in it, and `report.json`."""
    server = ThreadingHTTPServer((urlsplit(URL).hostname or "", urlsplit(URL).port or 0), Model)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        report = evaluate(folder / "answers.db")
    finally:
        server.shutdown()
    report.save_json(folder / "report.json")
    return report


def reviews(folder: Path, report: ft.Report) -> None:
    """The page with its key, votes as a file, and votes as a served page keeps them."""
    page = report.review_page(folder / "review.html", candidates=("shouted", "base"), secret_home=folder)
    shown = json.loads(page.read_text().split('id="data">')[1].split("</script>")[0])
    ids = [item["id"] for item in shown["items"]]
    votes = [{"item": id, "showing": 1, "left": 0, "choice": "left_much", "comment": "clear"} for id in ids]
    sent = {"format": "side-by-side votes", "schema": 1, "set": shown["set"], "rater": "Lin", "revision": 1}
    sent["votes"] = votes
    (folder / "votes.json").write_text(json.dumps(sent))
    with ft.review.ReviewServer(page, database=folder / "votes.db") as server:
        server.keep({**sent, "rater": "Chen"})
    page.unlink()
    (folder / "reviews" / "secret").unlink()


def _move(root: Path, to: str) -> None:
    """The folder's own name stands in it: of the order, and of the models."""
    for order in root.glob("jobs/*/job.json"):
        order.write_text(order.read_text().replace(str(root), to))
    with closing(sqlite3.connect(root / "platform.db", isolation_level=None)) as database:
        database.execute("UPDATE objects SET body = replace(body, ?, ?)", (str(root), to))
        database.execute("VACUUM")


def platform(folder: Path) -> None:
    """The local platform with a job of `tiny` that has succeeded."""
    root = folder / "made"
    said = [[{"role": "user", "content": f"{n}?"}, {"role": "assistant", "content": f"{n}!"}] for n in range(10)]
    data = ft.Dataset.from_rows([{"messages": messages} for messages in said])
    options = {"n_epochs": 2, "batch_size": 5}
    where = ft.connect("local", root=root)
    ft.Job.create(
        data, model="tiny", validation=data, suffix="capitals", hyperparameters=options, platform=where
    ).wait()
    local.stop(root)
    _move(root, "/home/ann/platform")
    for path in (path for pattern in KEPT for path in root.glob(pattern)):
        copy = folder / "platform" / path.relative_to(root)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, copy)
    shutil.rmtree(root)


if __name__ == "__main__":
    place = Path(sys.argv[1]).resolve()
    place.mkdir(parents=True)
    reviews(place, answers(place))
    platform(place)
