"""A persona from ten chats: an airport's assistant, before and after fine-tuning.

The built-in base knows no language, so it learns these ten answers by heart and nothing more: this shows the
way, not what a real model would make of it. With a real base, as MODEL="Qwen/Qwen3-0.6B" or a folder on
this machine, the same lines teach the manner for questions that are not in the data.
"""

import os
from pathlib import Path

import finetune_lib as ft

DATA = Path(__file__).parent / "data"
MODEL = os.environ.get("MODEL", "tiny")

chats = ft.Dataset.load(DATA / "airport.jsonl")
print(chats.validate(model=MODEL, target="local").raise_for_errors())

platform = ft.connect("local")
job = ft.Job.create(chats, model=MODEL, suffix="airport", seed=7, platform=platform)
job = job.wait(on_event=lambda event: print(event) if event.type == "message" else None)

before = ft.ChatModel(MODEL, name="before", max_tokens=120, platform=platform)
after = job.candidate(name="after", max_tokens=120)
report = ft.Evaluator(scorers=[ft.ExactMatch()]).run(chats, candidates=[before, after])

for place, case in enumerate(report.cases[:3]):
    print(f"\n問：{case.prompt}")
    for name in report.candidates:
        print(f"{name:>6}: {report.results[name][place].answer.text!r}")

# These are the training questions, so this counts what was learned by heart, and proves nothing about others.
print(f"\nword for word, of {len(report.cases)} training questions:")
for name in report.candidates:
    print(f"{name:>6}: {report.mean(name):.0%}")
