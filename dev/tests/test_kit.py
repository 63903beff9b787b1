"""Tests of the developer commands that need neither a database nor Odoo."""

import os
import socket

import coverage
import polib
import pytest
from kit import checks, lifecycle, odoo, odoo_suites, paths, pofiles, ports, postgres, pytest_run, save_coverage, state


@pytest.fixture
def work(tmp_path, monkeypatch):
    """Let the commands remember things in an empty folder."""
    monkeypatch.setattr(paths, "STATE", tmp_path / "state")
    return tmp_path


@pytest.fixture
def cluster(work, monkeypatch):
    """Return a cluster that was never started."""
    monkeypatch.setattr(postgres, "_home", lambda: work)
    cluster = postgres.Cluster("test")
    cluster.data.mkdir()
    return cluster


def make_module(folder, name, **files):
    for path, text in {"__manifest__.py": "{}", **files}.items():
        file = folder / name / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)


def make_translations(file, **texts):
    entries = polib.POFile()
    entries.extend(polib.POEntry(msgid=source, msgstr=text) for source, text in texts.items())
    entries.save(str(file))
    return file


def test_the_next_port_is_taken_when_one_is_busy():
    with socket.socket() as server:
        server.bind((ports.HOST, 0))
        server.listen()
        busy = server.getsockname()[1]
        assert not ports.is_free(busy)
        assert ports.next_free(busy) > busy


def test_what_is_remembered_survives_and_can_be_forgotten(work):
    assert state.read("fact", "unknown") == "unknown"
    state.write("fact", {"number": 1})
    assert state.read("fact") == {"number": 1}
    state.forget("fact")
    assert state.read("fact") is None


def test_the_last_user_of_something_shared_is_told_so(work):
    with state.shared("server") as first:
        with state.shared("server") as second:
            assert not second()
        assert first()


def test_tests_and_static_files_need_no_update_of_the_database(tmp_path, monkeypatch):
    monkeypatch.setattr(paths, "PROJECT", tmp_path)
    make_module(tmp_path, "partner_loyalty", **{"models/a.py": "1", "tests/test_a.py": "1", "static/a.js": "1"})
    before = paths.fingerprint("partner_loyalty")
    make_module(tmp_path, "partner_loyalty", **{"tests/test_a.py": "2", "static/a.js": "2"})
    assert paths.fingerprint("partner_loyalty") == before
    make_module(tmp_path, "partner_loyalty", **{"models/a.py": "2"})
    assert paths.fingerprint("partner_loyalty") != before


def test_a_process_that_got_the_number_of_a_crashed_server_is_not_the_server(cluster):
    cluster.pid_file.write_text(f"{os.getpid()}\n")
    assert not cluster.is_running()
    assert not cluster.pid_file.exists()


def test_a_test_with_subtests_counts_once(tmp_path):
    results = tmp_path / "results.xml"
    results.write_text(
        "<testsuites><testsuite>"
        '<testcase classname="A" name="a"/>'
        '<testcase classname="A" name="b"><failure/></testcase><testcase classname="A" name="b"/>'
        '<testcase classname="A" name="c"><skipped/></testcase>'
        "</testsuite></testsuites>"
    )
    assert pytest_run.count(results) == checks.Count(passed=1, failed=1, skipped=1)


def test_of_odoos_own_tests_only_what_our_modules_break_is_a_difference(tmp_path, monkeypatch):
    breaks, breaks_anyway, chance, skipped = [("test_a", "A", name) for name in ("a", "b", "c", "d")]
    runs = {
        odoo_suites.WITH: {breaks: "failed", breaks_anyway: "failed", chance: "passed", skipped: "skipped"},
        odoo_suites.WITHOUT: {breaks: "passed", breaks_anyway: "failed", chance: "passed", skipped: "passed"},
    }
    monkeypatch.setattr(odoo_suites, "_run", lambda database, nodes, name: runs[database])
    found = odoo_suites._find_differences("sale", tmp_path, [breaks, breaks_anyway, chance, skipped])
    assert found == ["test_a.py: A.a failed", "test_a.py: A.d skipped"]


def test_the_worst_of_the_subtests_of_a_test_of_odoo_counts(tmp_path):
    results = tmp_path / "results.xml"
    results.write_text(
        "<testsuites><testsuite>"
        '<testcase classname="odoo.addons.sale.tests.test_x.A" name="a"/>'
        '<testcase classname="odoo.addons.sale.tests.test_x.A" name="a"><failure/></testcase>'
        '<testcase classname="odoo.addons.sale.tests.test_x.A" name="b"/>'
        "</testsuite></testsuites>"
    )
    assert odoo_suites._read_outcomes(results) == {
        ("test_x", "A", "a"): "failed",
        ("test_x", "A", "b"): "passed",
    }


def test_the_first_version_is_its_last_commit(monkeypatch):
    history = {"c3": "19.0.1.1.0", "c2": "19.0.1.0.0", "c1": "19.0.1.0.0"}

    def git(command, *arguments):
        return "\n".join(history) if command == "log" else f'    "version": "{history[arguments[0].split(":")[0]]}",'

    monkeypatch.setattr(lifecycle, "_git", git)
    assert lifecycle._find_first() == "c2"


def test_missing_results_are_a_failure(tmp_path):
    assert pytest_run.count(tmp_path / "nothing.xml").failed == 1


def test_the_summary_ends_with_the_counts(capsys):
    code = checks.summarize([checks.Check("good"), checks.Check("bad", "reason")], checks.Count(3, 0, 1))
    assert code == 1
    assert capsys.readouterr().out.splitlines()[-1] == "4 passed, 1 failed, 1 skipped"


def test_warnings_are_found_in_the_log_of_odoo(tmp_path):
    log = tmp_path / "odoo.log"
    log.write_text(
        "2026-01-01 10:00:00,000 1 INFO db odoo.x: a WARNING in the text\n"
        "2026-01-01 10:00:00,000 1 WARNING db odoo.x: this one\n"
    )
    assert [row[-8:] for row in odoo.warnings_in(log)] == ["this one"]


def test_complaints_are_found_with_their_lines_and_without_what_is_expected(tmp_path):
    log = tmp_path / "odoo.log"
    start = "2026-01-01 10:00:00,000 1"
    log.write_text(
        f"{start} ERROR db odoo.sql_db: bad query\nERROR: could not serialize access\n"
        f"{start} ERROR db odoo.x: broken\nTraceback\n{start} INFO db odoo.x: fine\n"
    )
    assert odoo.complaints_in(log, ("could not serialize",)) == [f"{start} ERROR db odoo.x: broken\nTraceback"]


def test_translations_are_kept_and_new_texts_added(tmp_path):
    fresh = pofiles.read_template(make_translations(tmp_path / "fresh.pot", Order="", Balance=""))
    file = make_translations(tmp_path / "uk.po", Order="Замовлення", Gone="Немає")
    pofiles.update(fresh, file, "uk")
    assert {entry.msgid: entry.msgstr for entry in polib.pofile(str(file))} == {"Order": "Замовлення", "Balance": ""}


def test_texts_without_translation_are_reported(tmp_path):
    fresh = pofiles.read_template(make_translations(tmp_path / "fresh.pot", Order="", Balance=""))
    file = make_translations(tmp_path / "uk.po", Order="Замовлення")
    assert "1 texts are not translated" in pofiles.language_problems(fresh, file)[0]
    assert pofiles.language_problems(fresh, make_translations(file, Order="Замовлення", Balance="Баланс")) == []


def test_a_template_that_is_not_current_is_reported(tmp_path):
    fresh = pofiles.read_template(make_translations(tmp_path / "fresh.pot", Order="", Balance=""))
    template = make_translations(tmp_path / "module.pot", Order="")
    assert "not current" in pofiles.template_problems(fresh, template)[0]
    assert pofiles.template_problems(fresh, make_translations(template, Balance="", Order="")) == []


def test_what_was_measured_is_saved_with_the_end_of_the_session(tmp_path):
    measured = coverage.Coverage(data_file=tmp_path / "data", config_file=False)
    measured.start()
    save_coverage.pytest_sessionfinish()
    assert (tmp_path / "data").exists()
