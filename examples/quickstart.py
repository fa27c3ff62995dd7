"""From a spreadsheet to a proven fine-tuned model, on this machine: no key, nothing downloaded.

Fourteen sentences about seven films teach a small model to tell praise (1) from blame (0); sentences about ten
other films, which it has never seen, then show whether it has learned it. The same lines run on OpenAI:
only `connect("openai")` and the model's name differ.
"""

from pathlib import Path

import finetune_lib as ft

DATA = Path(__file__).parent / "data"
REPORT = Path("out/report.html")
MODEL = "tiny"  # built in: 0.9 million random parameters, made on first use


def show(event: ft.JobEvent) -> None:
    """Print messages as they come, the first steps and then every 25th."""
    step = (event.data or {}).get("step", 0)
    if step in {0, 1, 5, 10} or step % 25 == 0:
        print(event)


# 1. Load the spreadsheet and look for problems: all of them at once, each with its cell.
data = ft.Dataset.load(DATA / "sentiment.xlsx")
print(data.validate(model=MODEL).raise_for_errors())

# 2. Keep two sentences aside, to watch the loss on them while training.
train, validation, _ = data.split(validation=2, seed=7)
print(f"{len(train)} to train, {len(validation)} to validate\n")

# 3. Train, and follow it live. Interrupt it if you like: ft.Job.get(id).wait() takes it up again.
platform = ft.connect("local")
job = ft.Job.create(train, model=MODEL, validation=validation, suffix="films", seed=7, platform=platform)
job = job.wait(on_event=show)
print(f"\n{job.fine_tuned_model} has learned {job.record.trained_tokens:,} tokens\n")

# 4. Ask the base and the tuned model about films that were not in the training data.
golden = ft.Dataset.load(DATA / "sentiment_golden.xlsx")
base = ft.ChatModel(MODEL, name="base", max_tokens=64, platform=platform)
report = ft.Evaluator(scorers=[ft.ExactMatch()]).run(golden, candidates=[base, job.candidate()])

# 5. The verdict, with its uncertainty; and everything behind it as a page.
print(report)
print("\nverdict:", report.verdict("tuned", baseline="base").sentence)
print("report: ", report.save_html(REPORT, metrics=job.metrics()).resolve().as_uri())
