"""The run engine beside its peers, in one run: CPU seconds, calls per second and peak memory, as ratios.

    python benchmarks/evaluation.py [--cases 1000] [--rounds 5] [--large 5000] [--inspect PYTHON] [--promptfoo COMMAND]

Each route runs in a process of its own against one mock of chat completions (50 ms, 64 calls at once), interleaved,
with unique prompts of about 120 tokens and one check that the answer contains `42`. The routes: a plain `AsyncOpenAI`
with gather and a semaphore; `Evaluator`; the same again with every answer kept; and, where an interpreter that has it
is named, inspect_ai, or a command that runs it, promptfoo. CPU seconds count the start of the process and imports.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import Any

MODEL, CONCURRENCY, FOUND = "gpt-4.1-mini", 64, "42"
TEXT = "A passenger asks about the baggage allowance of flight {n}: which bags may go along, at what price, and where? "
CPU_GOAL, RATE_GOAL, MEMORY_GOAL, CACHED_GOAL = 1.15, 0.90, 120, 1.5


def prompt(n: int) -> str:
    return f"Question {n}. " + TEXT.format(n=n) * 5


# --- the routes: each is run as `evaluation.py route NAME URL CASES FOLDER`, by its own interpreter


async def plain(url: str, cases: int) -> int:
    from openai import AsyncOpenAI

    client, gate = AsyncOpenAI(base_url=url, api_key="k", max_retries=0), asyncio.Semaphore(CONCURRENCY)

    async def ask(n: int) -> bool:
        async with gate:
            answer = await client.chat.completions.create(
                model=MODEL, messages=[{"role": "user", "content": prompt(n)}], temperature=0
            )
        return FOUND in (answer.choices[0].message.content or "")

    return sum(await asyncio.gather(*map(ask, range(cases))))


def ours(url: str, cases: int, folder: Path) -> int:
    import finetune_lib as ft

    golden = [ft.Case(str(n), (ft.Message(role="user", content=prompt(n)),), FOUND) for n in range(cases)]
    platform = ft.connect(url, api_key="k")
    evaluator = ft.Evaluator([ft.Contains()], platform=platform, concurrency=CONCURRENCY, store=folder / "answers.db")
    report = evaluator.run(golden, candidates=[ft.ChatModel(MODEL)])
    return sum(score == 1 for score in report.scores(MODEL))


def inspect(url: str, cases: int, folder: Path) -> int:
    os.environ.update(OPENAI_BASE_URL=url, OPENAI_API_KEY="k", INSPECT_LOG_DIR=str(folder / "logs"))
    from inspect_ai import Task, eval
    from inspect_ai.dataset import Sample
    from inspect_ai.scorer import includes
    from inspect_ai.solver import generate

    task = Task([Sample(prompt(n), target=FOUND) for n in range(cases)], solver=generate(), scorer=includes())
    (log,) = eval(
        task,
        model=f"openai/{MODEL}",
        model_args={"responses_api": False},
        max_connections=CONCURRENCY,
        max_samples=CONCURRENCY,
        display="none",
        temperature=0,
        log_realtime=False,
    )
    return sum(sample.scores["includes"].value == "C" for sample in log.samples)


def route(name: str, url: str, cases: int, folder: Path) -> int:
    if name == "plain":
        return asyncio.run(plain(url, cases))
    return {"ours": ours, "cached": ours, "inspect": inspect}[name](url, cases, folder)


# --- measuring


@dataclass(frozen=True)
class Measured:
    """One run of a route."""

    cpu: float
    wall: float
    megabytes: float
    calls: int
    rate: float


def measured(name: str, command: list[str], url: str, environment: dict[str, str]) -> Measured:
    """Run a command; the server tells how many calls it sent, and how fast."""
    _stats(url)
    start = time.perf_counter()
    process = subprocess.Popen(command, env={**os.environ, **environment}, stdout=subprocess.PIPE)
    output, _ = process.stdout.read().decode(), process.stdout.close()
    _, status, used = os.wait4(process.pid, 0)
    wall, stats = time.perf_counter() - start, _stats(url)
    if status and name != "promptfoo":  # which ends so after a check that failed, or on an old Node
        raise SystemExit(f"{name} failed: {output[-2000:]}")
    rate = stats["calls"] / stats["seconds"] if stats["seconds"] else 0.0
    return Measured(used.ru_utime + used.ru_stime, wall, used.ru_maxrss / 1024, stats["calls"], rate)


def _stats(url: str) -> dict[str, Any]:
    with urllib.request.urlopen(f"{url.removesuffix('/v1')}/stats") as answer:
        return json.load(answer)


def promptfoo_config(url: str, cases: int, folder: Path) -> Path:
    provider = {"id": f"openai:chat:{MODEL}", "config": {"apiBaseUrl": url, "apiKey": "k", "temperature": 0}}
    check = [{"type": "contains", "value": FOUND}]
    tests = [{"vars": {"question": prompt(n)}, "assert": check} for n in range(cases)]
    config = {"prompts": ["{{question}}"], "providers": [provider], "tests": tests}
    path = folder / "promptfooconfig.json"
    path.write_text(json.dumps(config))
    return path


class Course:
    """The server, a folder, and how each route is run."""

    def __init__(self, url: str, folder: Path, options: argparse.Namespace) -> None:
        self.url, self.folder, self.options, self.round = url, folder, options, 0

    def run(self, name: str, cases: int) -> Measured:
        folder = self.folder / f"{name.replace('cached', 'ours')}-{cases}-{self.round}"
        folder.mkdir(exist_ok=True)
        quiet = {
            "PROMPTFOO_CONFIG_DIR": str(folder),
            "PROMPTFOO_DISABLE_TELEMETRY": "1",
            "PROMPTFOO_DISABLE_UPDATE": "1",
        }
        environment = quiet if name == "promptfoo" else {}
        result = measured(name, self._command(name, cases, folder), self.url, environment)
        if result.calls != (0 if name == "cached" else cases):
            raise SystemExit(f"{name} sent {result.calls} calls for {cases} cases")
        return result

    def _command(self, name: str, cases: int, folder: Path) -> list[str]:
        if name == "promptfoo":
            config = promptfoo_config(self.url, cases, folder)
            options = ["--no-cache", "--no-table", "--no-progress-bar", "-j", str(CONCURRENCY)]
            return [*self.options.promptfoo.split(), "eval", "-c", str(config), *options]
        python = self.options.inspect if name == "inspect" else sys.executable
        return [python, __file__, "route", name, self.url, str(cases), str(folder)]


def compare(course: Course, names: list[str], cases: int, rounds: int) -> dict[str, list[Measured]]:
    """Each route once a round, so that all meet the same minute of the machine."""
    found: dict[str, list[Measured]] = {name: [] for name in names}
    for course.round in range(rounds):
        for name in names:
            found[name].append(course.run(name, cases))
            print(f"  {name:10}", found[name][-1], flush=True)
    return found


def median(runs: list[Measured], what: str) -> float:
    return statistics.median(getattr(run, what) for run in runs)


def ratio(one: list[Measured], other: list[Measured], what: str) -> float:
    """The median of the rounds' own ratios."""
    return statistics.median(getattr(a, what) / getattr(b, what) for a, b in zip(one, other, strict=True))


def report(found: dict[str, list[Measured]], start: dict[str, float], cases: int) -> None:
    for name, runs in found.items():
        told = [f"{median(runs, 'cpu'):6.2f} CPU-s", f"{median(runs, 'rate'):6.0f} calls/s"]
        told += [f"{median(runs, 'megabytes'):5.0f} MB", f"{median(runs, 'wall'):6.2f} s"]
        each = (min(run.cpu for run in runs) - start[name]) / cases * 1000 if name in start else 0
        print(f"{name:10}", *told, f"{each:6.2f} ms CPU a case" if each else "")
    _goal("CPU, ours / plain", ratio(found["ours"], found["plain"], "cpu"), most=CPU_GOAL)
    _goal("calls/s, ours / plain", ratio(found["ours"], found["plain"], "rate"), least=RATE_GOAL)
    _goal("CPU-s of the cached run", median(found["cached"], "cpu"), most=CACHED_GOAL)
    own = (min(run.cpu for run in found["ours"]) - start["ours"]) / cases
    for name, least in {"inspect": 7, "promptfoo": 4}.items():
        if name in found:
            each = (min(run.cpu for run in found[name]) - start[name]) / cases
            _goal(f"CPU a case, {name} / ours", each / own, least=least)


def _goal(what: str, value: float, *, most: float = float("inf"), least: float = 0.0) -> None:
    bound = f"at most {most:g}" if least == 0 else f"at least {least:g}"
    print(f"{what:28} {value:8.2f}  ({bound}) {'ok' if least <= value <= most else 'MISSED'}")


def serve() -> tuple[subprocess.Popen[bytes], str]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = subprocess.Popen([sys.executable, str(Path(__file__).with_name("mock_chat.py")), str(port)])
    url = f"http://127.0.0.1:{port}/v1"
    for _ in range(200):
        try:
            _stats(url)
        except OSError:
            time.sleep(0.05)
        else:
            return server, url
    raise SystemExit("the mock did not start")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cases", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--large", type=int, default=5000, help="cases of the run whose memory is measured")
    parser.add_argument("--inspect", help="an interpreter that has inspect_ai and openai")
    parser.add_argument("--promptfoo", help="the command that runs promptfoo")
    options = parser.parse_args()
    names = ["plain", "ours", "cached", *(name for name in ("inspect", "promptfoo") if getattr(options, name))]
    server, url = serve()
    try:
        with tempfile.TemporaryDirectory() as folder:
            course = Course(url, Path(folder), options)
            start = {name: course.run(name, 1).cpu for name in names}
            report(compare(course, names, options.cases, options.rounds), start, options.cases)
            _goal(f"MB at {options.large:,} cases", course.run("ours", options.large).megabytes, most=MEMORY_GOAL)
    finally:
        server.terminate()
        server.wait()


if __name__ == "__main__":
    if sys.argv[1:2] == ["route"]:
        _, _, name, url, cases, folder = sys.argv
        right = route(name, url, int(cases), Path(folder))
        if right != int(cases):
            raise SystemExit(f"{right} of {cases} are right")
    else:
        main()
