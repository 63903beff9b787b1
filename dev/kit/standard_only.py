"""A pytest plugin that leaves out what Odoo runs on request alone: tests that are not tagged as standard."""


def pytest_collection_modifyitems(config, items):
    """Deselect the tests of classes that are not standard ones, and functions that only have the name of a test."""
    kept = [item for item in items if _is_standard(item)]
    config.hook.pytest_deselected(items=[item for item in items if item not in kept])
    items[:] = kept


def _is_standard(item):
    return "standard" in getattr(getattr(item, "cls", None), "test_tags", ())
