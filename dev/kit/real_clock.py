"""A pytest plugin that lets the clock of pytest run on while a test has frozen the time."""

import freezegun

freezegun.configure(extend_ignore_list=["_pytest."])
