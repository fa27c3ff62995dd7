"""Every scorer shows an example (tests/docs runs it), and none of them loads what it does not need yet."""

import finetune_lib.evaluation.scorers as scorers


def test_every_public_class_has_an_example():
    public = [getattr(scorers, name) for name in scorers.__all__]
    classes = [one for one in public if isinstance(one, type) and one.__doc__]
    scorers_alone = [
        one for one in classes if one.__module__.startswith("finetune_lib.evaluation.scorers") and "name" in vars(one)
    ]
    assert not [one.__name__ for one in scorers_alone if "Example:" not in one.__doc__]


def test_importing_them_loads_nothing_heavy():
    import subprocess
    import sys

    code = "import sys, finetune_lib.evaluation.scorers; print(*{name.partition('.')[0] for name in sys.modules})"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert not {"sacrebleu", "rapidfuzz", "jsonschema", "openai", "numpy"} & set(loaded)
