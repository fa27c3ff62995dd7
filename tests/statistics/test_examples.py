import doctest
import importlib
import pkgutil

import pytest

from finetune_lib import statistics

MODULES = [found.name for found in pkgutil.iter_modules(statistics.__path__)]


@pytest.mark.parametrize("name", MODULES)
def test_docstring_examples_run(name):
    assert not doctest.testmod(importlib.import_module(f"finetune_lib.statistics.{name}")).failed


def test_every_public_function_and_class_shows_an_example():
    public = [getattr(statistics, name) for name in statistics.__all__]
    silent = [thing.__name__ for thing in public if callable(thing) and ">>>" not in (thing.__doc__ or "")]
    assert silent == ["require_statistics"]
