"""What a scripted platform keeps and answers, without HTTP: files, uploads, jobs, models and chats."""

from __future__ import annotations

import base64
import hashlib
import random
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import KW_ONLY, dataclass, field
from typing import Any, Literal

from finetune_lib.shown import Shown
from finetune_lib.testing.jobs import ENDED, ScriptedJob, new_id
from finetune_lib.testing.requests import Answer, Request, refusal

Quirk = Literal[
    "ignores_after", "no_events", "no_has_more", "no_metadata", "oldest_first", "ties_in_any_order", "unstable_ids"
]
Object = dict[str, Any]
MODELS = ("gpt-4.1", "gpt-4.1-mini", "gpt-4.1-nano", "gpt-4o-mini")


@dataclass
class Service(Shown):
    """The memory of a platform, and its answers; what its options mean is told where it is served."""

    kind: Literal["openai", "azure", "compatible"] = "openai"
    _: KW_ONLY
    key: str = "sk-scripted"
    statuses: tuple[str, ...] = ("validating_files", "queued", "running")
    steps: int = 6
    ends: str = "succeeded"
    failure: Mapping[str, Any] | None = None
    says: str | Callable[[Object], str] = "ok"
    models: tuple[str, ...] = MODELS
    lag: float = 0.0
    quirks: tuple[Quirk, ...] = ()
    alter: Callable[[Request, Any], Any] | None = None
    seed: int = 0
    requests: list[Request] = field(default_factory=list[Request], init=False)

    def __post_init__(self) -> None:
        self._rng = random.Random(self.seed)  # noqa: S311 - no secret
        self._jobs = dict[str, ScriptedJob]()
        self._files = dict[str, tuple[Object, bytes, float]]()
        self._uploads = dict[str, tuple[Object, dict[str, bytes]]]()
        self._deleted = set[str]()
        self._routes = self._routed()

    @property
    def jobs(self) -> tuple[Object, ...]:
        """The jobs as the platform tells of them, oldest first."""
        return tuple(job.told for job in self._jobs.values())

    @property
    def files(self) -> Mapping[str, bytes]:
        """The content of each file, by its id."""
        return {id: content for id, (_, content, _) in self._files.items()}

    @property
    def uploads(self) -> Mapping[str, str]:
        """The status of each upload in parts, by its id."""
        return {id: str(told["status"]) for id, (told, _) in self._uploads.items()}

    def events(self, job: str) -> tuple[Object, ...]:
        """The events of a job, oldest first."""
        return tuple(sorted(self._jobs[job].events, key=lambda event: event["created_at"]))

    def tell(self, job: str, message: str, *, at: float | None = None) -> None:
        """Add an event to a job; `at`, in seconds since 1970, may lie before those that are there."""
        self._jobs[job].tell(message, at=at)

    def count(self, call: str) -> int:
        """How many requests came of a call, as `POST /files` or `GET /fine_tuning/jobs/*`; `*` is one word."""
        return sum(1 for request in self.requests if matches(call, request.call))

    def answer(self, request: Request) -> Answer:
        """Carry a request out."""
        if request.key != self.key:
            return refusal(401, "Incorrect API key provided.", code="invalid_api_key")
        for method, path, work in self._routes:
            if method == request.method and (found := path.fullmatch(request.path)):
                answer = work(request, *found.groups())
                if self.alter and not isinstance(answer.content, bytes):
                    return Answer(self.alter(request, answer.content), answer.status)
                return answer
        return refusal(404, f"Unknown request URL: {request.call}", code="unknown_url")

    def _routed(self) -> list[tuple[str, re.Pattern[str], Callable[..., Answer]]]:
        paths: list[tuple[str, str, Callable[..., Answer]]] = [
            ("POST", "/files", self._add_file),
            ("GET", "/files", self._list_files),
            ("GET", "/files/([^/]+)(/content)?", self._file),
            ("POST", "/uploads", self._begin_upload),
            ("POST", "/uploads/([^/]+)/(parts|complete|cancel)", self._upload),
            ("POST", "/fine_tuning/jobs", self._create_job),
            ("GET", "/fine_tuning/jobs", self._list_jobs),
            ("GET", "/fine_tuning/jobs/([^/]+)(?:/(events|checkpoints))?", self._job),
            ("POST", "/fine_tuning/jobs/([^/]+)/(cancel|pause|resume)", self._change_job),
            ("GET", "/models", self._list_models),
            ("GET", "/models/(.+)", self._model),
            ("DELETE", "/models/(.+)", self._model),
            ("POST", "(?:/deployments/[^/]+)?/chat/completions", self._chat),
        ]
        return [(method, re.compile(path), work) for method, path, work in paths]

    def _add_file(self, request: Request) -> Answer:
        name, content = request.form.get("file", ("", b""))
        return Answer(self._keep(name, content))

    def _keep(self, name: str, content: bytes) -> Object:
        file: Object = {"id": new_id("file"), "object": "file", "bytes": len(content), "created_at": int(time.time())}
        file |= {"filename": name, "purpose": "fine-tune", "status": "processed", "status_details": None}
        self._files[file["id"]] = file, content, time.time()
        return file

    def _list_files(self, request: Request) -> Answer:
        listed = [file for file, _, at in self._files.values() if time.time() - at >= self.lag]
        return self._page(listed[::-1], request)

    def _file(self, _: Request, id: str, content: str | None) -> Answer:
        if id.startswith("results-") and (job := self._jobs.get(id.removeprefix("results-"))):
            return Answer(job.results if self.kind == "azure" else base64.b64encode(job.results))
        if id not in self._files:
            return refusal(404, f"No such File object: {id}", param="id")
        return Answer(self._files[id][1 if content else 0])

    def _begin_upload(self, request: Request) -> Answer:
        told: Object = {**request.body, "id": new_id("upload"), "object": "upload", "status": "pending"}
        self._uploads[told["id"]] = told, {}
        return Answer(told)

    def _upload(self, request: Request, id: str, what: str) -> Answer:
        if id not in self._uploads or self._uploads[id][0]["status"] != "pending":
            return refusal(400, f"Upload {id} takes nothing any more.")
        told, parts = self._uploads[id]
        if what == "parts":
            part = new_id("part")
            parts[part] = request.form["data"][1]
            return Answer({"id": part, "object": "upload.part", "upload_id": id, "created_at": int(time.time())})
        if what == "complete":
            content = b"".join(parts[part] for part in request.body["part_ids"])
            md5 = request.body.get("md5") or hashlib.md5(content, usedforsecurity=False).hexdigest()
            if len(content) != told["bytes"] or hashlib.md5(content, usedforsecurity=False).hexdigest() != md5:
                return refusal(400, "The parts are not what was announced.", param="md5")
            told["file"] = self._keep(told["filename"], content)
        told["status"] = {"complete": "completed", "cancel": "cancelled"}[what]
        return Answer(told)

    def _create_job(self, request: Request) -> Answer:
        body = request.body
        if self.kind == "azure" and "trainingType" not in body:
            return refusal(400, "The specified base model does not support fine-tuning.", code="invalidPayload")
        if body.get("training_file") not in self._files:
            return refusal(400, f"invalid training_file: {body.get('training_file')}", param="training_file")
        if "no_metadata" in self.quirks:
            body = {**body, "metadata": None}
        ends = "failed" if self.failure is not None else self.ends
        job = ScriptedJob(self.kind, body, self.statuses, self.steps, ends, self.failure)
        self._jobs[job.id] = job
        return Answer(job.told)

    def _list_jobs(self, request: Request) -> Answer:
        wanted = {name[9:-1]: value for name, value in request.query.items() if name.startswith("metadata[")}
        listed = [job.told for job in self._jobs.values() if time.time() - job.created >= self.lag]
        fitting = [job for job in listed if wanted.items() <= (job["metadata"] or {}).items()]
        return self._page(fitting[::-1], request)

    def _job(self, request: Request, id: str, what: str | None) -> Answer:
        job = self._jobs.get(id)
        if job is None or (what == "events" and "no_events" in self.quirks):
            return refusal(404, f"Could not find fine tune: {id}", code="fine_tune_not_found")
        if what == "checkpoints":
            return self._page(job.checkpoints, request)
        if "after" not in request.query:  # a further page is of the same look
            job.move()
        if what == "events":
            return self._page(self._events(job), request)
        return Answer(job.told)

    def _change_job(self, _: Request, id: str, verb: str) -> Answer:
        job = self._jobs.get(id)
        if job is None:
            return refusal(404, f"Could not find fine tune: {id}", code="fine_tune_not_found")
        if job.status in ENDED:
            return refusal(400, f"Job has already completed: {id}")
        if verb == "cancel":
            job.stop()
        else:
            job.status = "paused" if verb == "pause" else self.statuses[-1]
        return Answer(job.told)

    def _events(self, job: ScriptedJob) -> list[Object]:
        events = list(job.events)
        if "ties_in_any_order" in self.quirks:
            self._rng.shuffle(events)
        events.sort(key=lambda event: event["created_at"])
        if "unstable_ids" in self.quirks:
            events = [{**event, "id": new_id("ftevent")} for event in events]
        return events if "oldest_first" in self.quirks else events[::-1]

    def _page(self, objects: list[Object], request: Request) -> Answer:
        after, limit = request.query.get("after"), int(request.query.get("limit", 20))
        if after and "ignores_after" not in self.quirks:
            ids = [one["id"] for one in objects]
            if after not in ids:
                return refusal(400, "Given after argument was not found in items.", param="after")
            objects = objects[ids.index(after) + 1 :]
        page: Object = {"object": "list", "data": objects[:limit]}
        return Answer(page if "no_has_more" in self.quirks else {**page, "has_more": len(objects) > limit})

    def _list_models(self, _: Request) -> Answer:
        tuned = [job.model for job in self._jobs.values() if job.told["fine_tuned_model"]]
        names = [name for name in (*self.models, *tuned) if name not in self._deleted]
        return Answer({"object": "list", "data": [{"id": name, "object": "model"} for name in names]})

    def _model(self, request: Request, id: str) -> Answer:
        if id not in [model["id"] for model in self._list_models(request).content["data"]]:
            return _no_model(id)
        if request.method == "DELETE":
            self._deleted.add(id)
        return Answer({"id": id, "object": "model", "deleted": request.method == "DELETE"})

    def _chat(self, request: Request) -> Answer:
        body = request.body
        if str(body.get("model")) in self._deleted:
            return _no_model(str(body.get("model")))
        said = self.says if isinstance(self.says, str) else self.says(body)
        choice = {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": said}}
        usage = {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15}
        whole = {"id": new_id("chatcmpl"), "object": "chat.completion", "created": int(time.time())}
        return Answer({**whole, "model": body.get("model"), "choices": [choice], "usage": usage})


def matches(call: str, told: str) -> bool:
    """Whether a call is the one that is told; `*` is one word of the path."""
    return re.fullmatch(re.escape(call).replace(r"\*", "[^/]+"), told) is not None


def _no_model(id: str) -> Answer:
    return refusal(404, f"The model `{id}` does not exist or you do not have access to it.", code="model_not_found")
