"""Everything that has to be there before Odoo can run: packages, Python environment, Odoo itself."""

from . import odoo_source, python_env, state, system


def ensure(for_tests=False):
    """Fetch and install what is missing; takes no time when all of it is there.

    :param bool for_tests: whether the browser and the other tools of the tests are needed too
    """
    with state.only_one("setup", "installing what is missing"):
        odoo_source.python_path()
        system.ensure(for_tests)
        python_env.ensure()
        odoo_source.ensure()
