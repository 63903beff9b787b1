"""How much of the modules the tests reach, by lines and by branches: make test COVERAGE=1"""

import json
import os
import shutil
import subprocess

from . import odoo, paths, say

FOLDER = paths.WORK / "coverage"
WORST = 25


def is_on():
    """Return whether this run is to be measured."""
    return bool(os.environ.get("COVERAGE"))


def environment():
    """Return what makes each Python process of this run measure itself; nothing where it is not to be measured."""
    if not is_on():
        return {}
    shutil.rmtree(FOLDER, ignore_errors=True)
    FOLDER.mkdir(parents=True)
    return {**_place(), "COVERAGE_PROCESS_START": str(paths.PROJECT / "pyproject.toml")}


def options():
    """Return what pytest is called with where this run is to be measured."""
    return ("-p", "kit.save_coverage") if is_on() else ()


def report():
    """Write the whole report into the work folder, and print what is reached and the files that lack most."""
    if not is_on():
        return
    if not any(FOLDER.glob("data*")):
        say.note("Nothing was measured: the tests did not get to the end.")
        return
    _coverage("combine", "--quiet", FOLDER)
    _coverage("html", "--directory", FOLDER / "html", "--quiet")
    _coverage("json", "-o", FOLDER / "coverage.json", "--quiet")
    found = json.loads((FOLDER / "coverage.json").read_text())
    say.step(f"Reached by the tests (each line: {FOLDER / 'html' / 'index.html'})")
    files = found["files"].items()
    for name, file in sorted(files, key=lambda item: _count_missing(item[1]["summary"]), reverse=True)[:WORST]:
        print(f"  {_describe(file['summary'])}  {name}")
    print(f"  {_describe(found['totals'])}  all")


def _place():
    return {"COVERAGE_FILE": str(FOLDER / "data"), "COVERAGE_RCFILE": str(paths.PROJECT / "pyproject.toml")}


def _coverage(*arguments):
    command = [str(part) for part in (paths.PYTHON, "-m", "coverage", *arguments)]
    subprocess.check_call(command, env=odoo.environment(**_place()), cwd=paths.PROJECT)


def _count_missing(summary):
    return summary["missing_lines"] + summary["missing_branches"]


def _describe(summary):
    lines = 100 * summary["covered_lines"] / max(1, summary["num_statements"])
    branches = 100 * summary["covered_branches"] / summary["num_branches"] if summary["num_branches"] else 100
    missing = f"{summary['missing_lines']} lines and {summary['missing_branches']} branches missing"
    return f"lines {lines:5.1f} %, branches {branches:5.1f} %, {missing:38}"
