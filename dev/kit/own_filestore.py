"""A pytest plugin that gives each process of a shared run a filestore of its own, like its database.

Otherwise they share that of the database they are copies of, and what one of them tidies up is missing to the other.
"""

import os
import shutil

import pytest

import odoo.tools


@pytest.fixture(scope="session", autouse=True)
def own_filestore(load_registry):
    """Copy the filestore for the time of the session, where another process tests beside this one."""
    worker = os.environ.get("PYTEST_XDIST_WORKER")
    if not worker:
        yield
        return
    shared = odoo.tools.config.filestore(None)
    own = f"{shared}-{worker}"
    shutil.rmtree(own, ignore_errors=True)
    if os.path.isdir(shared):
        shutil.copytree(shared, own)
    # pytest-odoo has put a stand-in here, which answers with the shared one.
    odoo.tools.config.filestore.return_value = own
    yield
    shutil.rmtree(own, ignore_errors=True)
