"""A pytest plugin that saves what a process has measured while it is still waited for.

A process of a shared run that takes more than some seconds to exit is killed, and its figures would be lost with it.
"""

import coverage


def pytest_sessionfinish():
    """Save before the process says that it is through."""
    measured = coverage.Coverage.current()
    measured.stop()
    measured.save()
