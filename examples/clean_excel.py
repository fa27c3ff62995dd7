"""From an office's Excel sheet to a dataset that trains: look, decide, mend, prove, save.

The sheet (data/faq.xlsx, written by data/make_faq.py) has a title above the table, merged cells, a second sheet, an
answer that is missing, two answers to one question, a repeated row and a mobile number.
"""

from pathlib import Path

import finetune_lib as ft

DATA = Path(__file__).parent / "data"
OUT = Path("out")

# 1. Two sheets hold data. The library does not choose; the error lists them.
try:
    ft.Dataset.load(DATA / "faq.xlsx")
except ft.ReadError as error:
    print(error, "\n")

# 2. All problems at once, each with its cell, and notes on how the sheet was understood.
data = ft.Dataset.load(DATA / "faq.xlsx", sheet="客服問答", system="你是桃園機場的客服。")
report = data.validate()
print(report, "\n")

# 3. What only a person can decide: which of two answers is right. Here the older one goes.
data = data.filter(lambda example: example.answer != "出境大廳的兌幣所。")

# 4. What the library can do: leave out the row without an answer, merge the copy, put placeholders for numbers.
data = data.fix(safe_only=False)
print(data.account)
data = data.redact()

# 5. Hold some questions back, with a proof that none of them has a twin in training.
parts = data.split(validation=3, seed=1)
print(parts.proof())

# 6. Save what passes; nothing is overwritten unless that is asked for.
parts.train.validate().raise_for_errors()
for name, part in (("train", parts.train), ("validation", parts.validation)):
    print(part.save(OUT / f"faq_{name}.jsonl", overwrite=True))
