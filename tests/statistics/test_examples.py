from finetune_lib import statistics


def test_every_public_function_and_class_shows_an_example():
    public = [getattr(statistics, name) for name in statistics.__all__]
    silent = [thing.__name__ for thing in public if callable(thing) and ">>>" not in (thing.__doc__ or "")]
    assert silent == ["require_statistics"]
