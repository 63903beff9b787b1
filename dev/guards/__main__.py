"""``make guards``: break each guard in a copy of the module or of the database; its tests have to fail."""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from kit import odoo, paths, pytest_run, say, test_database

from .breaks import GUARDS

DATABASE = "loyalty_guards"
MODULE = "partner_loyalty"


class Bench:
    """A copy of the module and of the test database.

    :param Path folder: an empty folder
    """

    def __init__(self, folder):
        self.folder = folder
        self.module = folder / MODULE
        self.databases = odoo.Databases("test")
        shutil.copytree(paths.PROJECT / MODULE, self.module, ignore=shutil.ignore_patterns("__pycache__", "static"))
        # The screens are not under test; the files only have to be there.
        (self.module / "static").symlink_to(paths.PROJECT / MODULE / "static")
        self.config = folder / "odoo.conf"
        text = odoo.CONFIG["test"].read_text().replace(f",{paths.PROJECT},", f",{folder},")
        self.config.touch(mode=0o600)
        self.config.write_text(text.replace(test_database.NAME, DATABASE))
        self.is_fresh = False

    def renew(self):
        """Make the database anew, where it is not as it was copied."""
        if not self.is_fresh:
            self.databases.drop(DATABASE)
            self.databases.copy(test_database.NAME, DATABASE)
            self.is_fresh = True

    def try_out(self, guard):
        """Run the tests of a guard while it is broken, and say how they went.

        :rtype: Count
        """
        self.renew()
        originals = {}
        try:
            for name, old, new in guard.edits:
                file = self.module / name
                text = file.read_text()
                originals.setdefault(file, text)
                if text.count(old) != 1:
                    raise say.Failure(
                        f"“{old}” is not in {name} once.", f"Mend the guard “{guard.name}” in {__package__}."
                    )
                file.write_text(text.replace(old, new))
            if guard.sql:
                self.databases.query(guard.sql, DATABASE)
            return self._run(*guard.tests)
        finally:
            for file, text in originals.items():
                file.write_text(text)
            # Tests of threads commit, and a broken guard may leave what they made.
            self.is_fresh = not guard.sql and "concurrency" not in guard.tests[0]

    def run_unbroken(self):
        """Run all the tests with nothing broken: they have to pass."""
        self.renew()
        files = sorted({guard.tests[0] for guard in GUARDS})
        expression = " or ".join(f"({guard.tests[1]})" for guard in GUARDS)
        return self._run(files, expression)

    def _run(self, files, expression):
        results = self.folder / "results.xml"
        results.unlink(missing_ok=True)
        files = [files] if isinstance(files, str) else files
        command = [paths.PYTHON, "-m", "pytest", "-qq", f"--rootdir={self.folder}", f"--junitxml={results}"]
        command += ["-p", "no:cacheprovider", "-p", "kit.real_clock", f"--odoo-config={self.config}"]
        command += [f"--odoo-database={DATABASE}", "--odoo-log-level=critical", "-k", expression]
        command += [self.module / "tests" / file for file in files]
        with (paths.LOGS / "guards.log").open("a") as log:
            subprocess.call([str(part) for part in command], env=odoo.environment(), stdout=log, stderr=log)
        return pytest_run.count(results)


def main():
    """Break the guards one by one; return 1 where tests stay green."""
    only = os.environ.get("ONLY", "")
    chosen = [guard for guard in GUARDS if only in guard.name]
    (paths.LOGS / "guards.log").unlink(missing_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(Path(folder))
        try:
            return judge(bench, chosen)
        except say.Failure as error:
            say.failure(error)
            return 1
        finally:
            bench.databases.drop(DATABASE)


def judge(bench, guards):
    """Print how each guard did; return the exit code."""
    say.step("The tests with nothing broken")
    whole = bench.run_unbroken()
    say.note(f"{whole.passed} passed, {whole.failed} failed")
    caught = 0
    for guard in guards:
        count = bench.try_out(guard)
        # What fails to load has broken more than the guard: then nothing would have run.
        is_caught = count.failed > 0 and count.passed + count.failed > 0
        caught += is_caught
        mark = say.paint("32", "caught    ") if is_caught else say.paint("31", "NOT CAUGHT")
        say.step(f"{mark}  {guard.name}: {count.failed} of {count.failed + count.passed} tests failed")
    print(f"\n{caught} of {len(guards)} broken guards were caught (log: {paths.LOGS / 'guards.log'})")
    return 1 if whole.failed or caught < len(guards) else 0


if __name__ == "__main__":
    sys.exit(main())
