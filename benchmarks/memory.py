"""Peak memory of a validation, whatever the size of the file.

python benchmarks/memory.py out/bench/8gb.jsonl [content]
"""

from __future__ import annotations

import resource
import sys
import time

import finetune_lib as ft

if __name__ == "__main__":
    started, cpu = time.perf_counter(), time.process_time()
    data = ft.Dataset.load(sys.argv[1])
    print(f"load {time.perf_counter() - started:.2f} s; first answer: {data[0].answer[:20]!r}")
    report = data.validate(content="content" in sys.argv[2:])
    print(report.summary)
    print(
        f"wall {time.perf_counter() - started:.0f} s, CPU {time.process_time() - cpu:.0f} s, "
        f"peak {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MB"
    )
    print(f"random access: {data[len(data) // 2].origin.line}")
