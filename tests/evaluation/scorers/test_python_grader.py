"""Python graders run in a process of their own, and cannot do what a grader has no business with."""

import os
import socket
import sys
import threading
import time

import pytest

from finetune_lib.evaluation.scorers import from_openai
from finetune_lib.evaluation.scorers.graders import PythonGrader
from finetune_lib.records import Case

CASE = Case("7", (), metadata={"label": "台北"})


def grade(source, answer="台北", **options):
    return PythonGrader(source, **options)(answer, CASE).value


def body(text):
    return "def grade(sample, item):\n" + "".join(f"    {line}\n" for line in text.splitlines())


def test_the_documented_example():
    """OpenAI's own, from the description of the python grader."""
    source = body("output = sample.get('output_text')\nreturn 1.0 if output == item.get('label') else 0.0")
    scorer = from_openai({"type": "python", "name": "p", "image_tag": "2025-05-08", "source": source})
    assert scorer("台北", CASE).value == 1
    assert scorer("高雄", CASE).value == 0


@pytest.mark.parametrize(("value", "score"), [("True", 1), ("3", 3), ("numpy.float32(0.5)", 0.5)])
def test_numbers(value, score):
    assert grade(f"import numpy\n{body(f'return {value}')}") == score


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("return item['x']", r"KeyError: 'x' \(line 2\)"),
        ("return 'high'", "a finite number, not 'high'"),
        ("return float('nan')", "a finite number, not nan"),
        ("return None", "a finite number, not None"),
        ("import sys; sys.exit(1)", "SystemExit"),
        ("return 'x' * 10**7", "a finite number"),
    ],
)
def test_what_is_no_score(text, told):
    with pytest.raises(ValueError, match=told):
        grade(body(text))


@pytest.mark.parametrize(
    "text",
    [
        "import socket; socket.create_connection(item['address'])",
        "import os; return os.system('true')",
        "import subprocess; return subprocess.call(['true'])",
        "import os; return os.fork()",
        "return len(open('/etc/passwd').read())",
        "open(item['file'], 'w').write('x'); return 1",
        "import os; os.remove(item['file']); return 1",
        "return len(open('/proc/self/environ').read())",
    ],
)
def test_what_a_grader_has_no_business_with(text, tmp_path):
    file = tmp_path / "mine.txt"
    file.write_text("mine")
    with socket.create_server(("127.0.0.1", 0)) as server:
        case = Case("7", (), metadata={"file": str(file), "address": list(server.getsockname())})
        with pytest.raises(ValueError, match="PermissionError: a grader may not"):
            PythonGrader(body(text.replace("item['address']", "tuple(item['address'])")))("x", case)
    assert file.read_text() == "mine"


def test_keys_are_not_in_its_environment(monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "secret")
    assert grade(body("import os; return len([k for k in os.environ if 'KEY' in k or 'HOME' in k])")) == 0


def test_its_own_folder_is_its_own():
    assert grade(body("open('a', 'w').write('abc'); return len(open('a').read())")) == 3


def test_an_endless_loop_ends_and_the_next_call_works():
    grader = PythonGrader(body("while sample['output_text'] == 'loop': pass\nreturn 1"), timeout=2)
    assert grader("x", CASE).value == 1
    started = time.monotonic()
    with pytest.raises(TimeoutError, match=r"more than 2 s"):
        grader("loop", CASE)
    assert time.monotonic() - started < 30
    # A new process has to start within the time of one call, too.
    assert PythonGrader(grader.source, timeout=20)("x", CASE).value == 1


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux holds a process to its address space")
def test_memory_without_end():
    with pytest.raises(ValueError, match="MemoryError"):
        grade(body("return len(bytearray(3 * 1024 ** 3))"))


def test_a_process_that_leaves_is_told():
    grader = PythonGrader(body("import os\nif sample['output_text'] == 'leave': os._exit(3)\nreturn 1"))
    with pytest.raises(RuntimeError, match="process ended"):
        grader("leave", CASE)
    assert grader("stay", CASE).value == 1


def test_what_it_prints_is_nobodys():
    assert grade(body("print('{\"value\": 7}' * 10000); return 1")) == 1


def test_one_process_serves_many_threads():
    grader = PythonGrader("import os\n" + body("return os.getpid()"))
    found = []
    threads = [threading.Thread(target=lambda: found.append(grader("x", CASE).value)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 8
    assert len(set(found)) == 1
    assert found[0] != os.getpid()


@pytest.mark.skipif(sys.platform == "win32", reason="asks the operating system about a process as POSIX does")
def test_the_process_ends_with_its_grader():
    grader = PythonGrader("import os\n" + body("return os.getppid() * 0 + os.getpid()"))
    process = grader._sandbox.grade({}, {}) and grader._sandbox._child._process
    del grader
    assert process.poll() is not None
