"""Following a job beside a plain loop of the SDK, in one run: delay of events and of the end, requests, CPU, as ratios.

    python benchmarks/following.py [--seconds 20] [--jobs 8] [--steps 16]
    python benchmarks/following.py --many 100 [--seconds 30] [--steps 100]

A small server tells of jobs that end after about so many seconds, with a step and its metrics at a time. Two processes
follow as many of them at once: a plain loop, which asks for the job and for its events every two seconds as the
platforms' own examples do, and `Job.wait`. The server knows when each event came to be; requests of every kind count,
those by which `wait` makes sure that nothing comes behind the end, and that the model answers, too.

With `--many` so many jobs are followed at once by `Job.wait`, which asks each every two seconds; what counts is the share
of a core that it takes while all of them run.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

MODEL, WARM, PLAIN_PAUSE = "gpt-4.1-mini", "ftjob-warm", 2.0
DELAY_GOAL, REQUESTS_GOAL, CORE_GOAL = 0.5, 1.0, 0.1
BEGINNING = {0.0: "Created fine-tuning job", 0.01: "Validating training file", 0.08: "Files validated", 0.14: "Started"}
FIRST_STEP, LAST_STEP = 0.16, 0.97
ENDING = ("Checkpoint created at the last step", "New fine-tuned model created", "The job has successfully completed")


ENDED = {"id": "e", "object": "fine_tuning.job.event", "created_at": 0, "level": "info", "message": ENDING[-1]}


# --- the server: what each job tells depends on the time alone


@dataclass
class Told:
    """One job: the moment of each event, and how often it was asked about."""

    id: str
    started: float
    events: list[tuple[float, dict[str, Any]]] = field(default_factory=list)
    requests: int = 0

    @staticmethod
    def drawn(id: str, number: int, options: argparse.Namespace) -> Told:
        """A job of about so many seconds; steps come with a rhythm that is not exact, as training has it."""
        chance, job, seconds, steps = random.Random(number), Told(id, time.time()), options.seconds, options.steps
        seconds *= chance.uniform(0.9, 1.1)
        moments: list[tuple[float, str, dict[str, Any] | None]]
        moments = [(at * seconds, message, None) for at, message in BEGINNING.items()]
        rhythm = (LAST_STEP - FIRST_STEP) * seconds / steps
        for step in range(1, steps + 1):
            at = FIRST_STEP * seconds + rhythm * (step + chance.uniform(-0.1, 0.1))
            data = {"step": step, "total_steps": steps, "train_loss": 2 / step}
            moments.append((at, f"Step {step}/{steps}: training loss={2 / step:.2f}", data))
        moments += [(seconds, message, None) for message in ENDING]
        for place, (after, message, data) in enumerate(moments):
            kind = "metrics" if data else "message"
            told = {"id": f"{job.id}-{place}", "object": "fine_tuning.job.event", "level": "info", "type": kind}
            at = job.started + after
            job.events.append((at, {**told, "created_at": int(at), "message": message, "data": data}))
        return job

    def record(self) -> dict[str, Any]:
        """The job as it is now."""
        seen = sum(at <= time.time() for at, _ in self.events)
        status = "succeeded" if seen == len(self.events) else "running" if seen >= len(BEGINNING) else "queued"
        model = f"ft:{MODEL}:{self.id}" if status == "succeeded" else None
        told = {"id": self.id, "object": "fine_tuning.job", "created_at": int(self.started), "model": MODEL}
        rest = {"organization_id": "o", "result_files": [], "hyperparameters": {}, "seed": 1, "training_file": "file-1"}
        return {**told, **rest, "status": status, "fine_tuned_model": model}

    def listed(self, query: dict[str, list[str]]) -> dict[str, Any]:
        """A page of its events, newest first."""
        events = [event for at, event in reversed(self.events) if at <= time.time()]
        after, limit = query.get("after", [""])[0], int(query.get("limit", ["20"])[0])
        begin = next((place for place, event in enumerate(events, 1) if event["id"] == after), 0)
        return {"object": "list", "data": events[begin : begin + limit], "has_more": len(events) > begin + limit}


def serve(jobs: dict[str, Told]) -> ThreadingHTTPServer:
    """A platform of these jobs, on this machine."""

    class Platform(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, format: str, *args: Any) -> None:
            pass

        def do_GET(self) -> None:
            address = urlsplit(self.path)
            id, _, rest = address.path.removeprefix("/v1/fine_tuning/jobs/").partition("/")
            jobs[id].requests += 1
            self._answer(jobs[id].listed(parse_qs(address.query)) if rest else jobs[id].record())

        def do_POST(self) -> None:
            model = json.loads(self.rfile.read(int(self.headers["content-length"])))["model"]
            jobs[model.rpartition(":")[2]].requests += 1
            self._answer({"id": "c", "object": "chat.completion", "created": 1, "model": model, "choices": []})

        def _answer(self, told: dict[str, Any]) -> None:
            body = json.dumps(told).encode()
            self.send_response(200)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    server = ThreadingHTTPServer(("127.0.0.1", 0), Platform)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server


# --- the routes: each is run as `following.py route NAME URL ID…`, and prints when it saw what


async def plain(url: str, ids: list[str], seen: dict[str, float]) -> None:
    from openai import AsyncOpenAI

    async def follow(client: AsyncOpenAI, id: str) -> None:
        while True:
            job = await client.fine_tuning.jobs.retrieve(id)
            for event in (await client.fine_tuning.jobs.list_events(id, limit=100)).data:
                seen.setdefault(event.id, time.time())
            if job.status in {"succeeded", "failed", "cancelled"}:
                seen[id] = time.time()
                return
            await asyncio.sleep(PLAIN_PAUSE)

    async with AsyncOpenAI(base_url=url, api_key="k") as client:
        await asyncio.gather(*(follow(client, id) for id in ids))


async def ours(url: str, ids: list[str], seen: dict[str, float]) -> None:
    import finetune_lib as ft
    from finetune_lib.records import JobRecord

    platform = ft.connect(url, api_key="k")

    async def follow(id: str) -> None:
        job = ft.Job(JobRecord(id=id, model=MODEL, status="queued"), platform)
        await job.wait_async(on_event=lambda event: seen.setdefault(event.id, time.time()))
        seen[id] = time.time()

    await asyncio.gather(*map(follow, ids))


async def many(url: str, ids: list[str], seen: dict[str, float]) -> None:
    """As `ours`, at an interval of two seconds; `seen` has the share of a core."""
    from finetune_lib.jobs import following

    following.SHORT_DELAY = PLAIN_PAUSE
    following.QUIET_LOOKS = 10**6  # the events alone
    if ids == [WARM]:
        await ours(url, ids, {})
        return
    work = asyncio.create_task(ours(url, ids, {}))
    await asyncio.sleep(2 * PLAIN_PAUSE)  # connections are made
    began, before = time.monotonic(), time.process_time()
    await asyncio.sleep(float(os.environ["MEASURED_SECONDS"]))
    seen["core"] = (time.process_time() - before) / (time.monotonic() - began)
    work.cancel()


def route(name: str, url: str, ids: list[str]) -> None:
    follow = {"plain": plain, "ours": ours, "many": many}[name]
    asyncio.run(follow(url, [WARM], {}))  # what is loaded once a process is loaded
    print("ready", flush=True)
    input()  # until the jobs have begun
    seen, before = dict[str, float](), time.process_time()
    asyncio.run(follow(url, ids, seen))
    print(json.dumps({"cpu": time.process_time() - before, "seen": seen}))


# --- measuring


@dataclass(frozen=True)
class Measured:
    """What following cost, a job; delays are means, in seconds."""

    event: float
    end: float
    requests: float
    cpu: float
    lost: int


def measured(jobs: list[Told], told: dict[str, Any]) -> Measured:
    seen: dict[str, float] = told["seen"]
    events = [seen[event["id"]] - at for job in jobs for at, event in job.events if event["id"] in seen]
    return Measured(
        event=statistics.mean(events),
        end=statistics.mean(seen[job.id] - job.events[-1][0] for job in jobs),
        requests=statistics.mean(job.requests for job in jobs),
        cpu=told["cpu"] / len(jobs),
        lost=sum(len(job.events) for job in jobs) - len(events),
    )


def compare(options: argparse.Namespace) -> dict[str, Measured]:
    """Both routes at the same time, each with jobs of its own that are drawn alike."""
    names, jobs = ("plain", "ours"), {WARM: Told(WARM, 0.0, [(0.0, ENDED)])}
    server = serve(jobs)
    url = f"http://127.0.0.1:{server.server_port}/v1"
    with tempfile.TemporaryDirectory() as folder:
        processes = dict[str, subprocess.Popen[str]]()
        for name in names:
            command = [sys.executable, __file__, "route", name, url, *_ids(name, options)]
            environment = {**os.environ, "FINETUNE_LIB_HOME": folder}
            processes[name] = subprocess.Popen(command, stdin=-1, stdout=-1, text=True, env=environment)
        for process in processes.values():
            assert process.stdout
            process.stdout.readline()
        for name in names:
            jobs.update({id: Told.drawn(id, number, options) for number, id in enumerate(_ids(name, options))})
            print(file=processes[name].stdin, flush=True)
        told = {name: json.loads(process.communicate()[0]) for name, process in processes.items()}
    server.shutdown()
    return {name: measured([jobs[id] for id in _ids(name, options)], told[name]) for name in names}


def crowd(options: argparse.Namespace) -> None:
    """The share of a core that following many jobs takes."""
    jobs = {WARM: Told(WARM, 0.0, [(0.0, ENDED)])}
    server = serve(jobs)
    ids = [f"ftjob-many-{number}" for number in range(options.many)]
    long = argparse.Namespace(seconds=10 * options.seconds, steps=10 * options.steps)
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, __file__, "route", "many", f"http://127.0.0.1:{server.server_port}/v1", *ids]
        environment = {**os.environ, "FINETUNE_LIB_HOME": folder, "MEASURED_SECONDS": str(options.seconds)}
        process = subprocess.Popen(command, stdin=-1, stdout=-1, text=True, env=environment)
        assert process.stdout
        process.stdout.readline()
        jobs.update({id: Told.drawn(id, number, long) for number, id in enumerate(ids)})
        for job in jobs.values():  # half of their steps are told already
            job.started -= 5 * options.seconds
            job.events = [(at - 5 * options.seconds, event) for at, event in job.events]
        share = json.loads(process.communicate("\n")[0])["seen"]["core"]
    server.shutdown()
    asked = sum(job.requests for job in jobs.values()) / options.many
    told = f"{options.many} jobs, {asked:.1f} requests each: {share:6.1%} of a core"
    print(f"{told}  (at most {CORE_GOAL:.0%}) {'ok' if share <= CORE_GOAL else 'MISSED'}")


def _ids(name: str, options: argparse.Namespace) -> list[str]:
    return [f"ftjob-{name}-{number}" for number in range(options.jobs)]


def report(found: dict[str, Measured]) -> None:
    for name, one in found.items():
        print(
            f"{name:6} events {one.event:6.3f} s late, end {one.end:6.3f} s, {one.requests:5.1f} requests and "
            f"{one.cpu * 1000:5.0f} ms CPU a job, {one.lost} events lost"
        )
    ours, plain = found["ours"], found["plain"]
    for what, most in {"event": DELAY_GOAL, "end": DELAY_GOAL, "requests": REQUESTS_GOAL}.items():
        ratio = getattr(ours, what) / getattr(plain, what)
        print(f"{what}, ours / plain {ratio:6.2f}  (at most {most:g}) {'ok' if ratio <= most else 'MISSED'}")
    print(f"cpu, ours / plain {ours.cpu / plain.cpu:6.2f}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--jobs", type=int, default=8, help="followed at once by each")
    parser.add_argument("--steps", type=int, default=16, help="of each job")
    parser.add_argument("--many", type=int, default=0, help="jobs followed at once by Job.wait alone")
    options = parser.parse_args()
    crowd(options) if options.many else report(compare(options))


if __name__ == "__main__":
    if sys.argv[1:2] == ["route"]:
        route(sys.argv[2], sys.argv[3], sys.argv[4:])
    else:
        main()
