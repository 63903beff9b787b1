"""``make run`` and its company: Odoo in the foreground, stopped from elsewhere, its log."""

import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from contextlib import contextmanager
from pathlib import Path

from . import odoo, paths, ports, postgres, run_database, say, setup, state
from .say import Failure

LOG = paths.LOGS / "odoo.log"
MARK = "server"
START_SECONDS = 180
STOP_SECONDS = 30
BIG_LOG = 20 * 2**20
LOGINS = (
    ("administrator", "admin"),
    ("manager", "loyalty_manager"),
    ("officer", "loyalty_officer"),
    ("accountant", "loyalty_accountant"),
    ("salesperson", "loyalty_sales"),
    ("portal partner", "loyalty_dealer"),
)


def run():
    """Start everything and stay until Ctrl-C or ``make stop``."""
    if url():
        say.step("Odoo is running already")
        print_logins(url())
        return
    with state.only_one("server", "starting Odoo", wait=False):
        setup.ensure()
        with postgres.using("run"):
            process = start()
            print_logins(url())
            print("  Ctrl-C stops it; 'make logs' in another terminal shows what it does.\n", flush=True)
            _stay(process)


def start():
    """Start Odoo on the database of ``make run``, wait until it answers, and return its process."""
    odoo.write_config("run")
    run_database.ensure()
    # Only now: what was free before may be taken by the end of an installation.
    port = ports.next_free(odoo.HTTP_PORT)
    if port != odoo.HTTP_PORT:
        say.note(f"Port {odoo.HTTP_PORT} is taken: Odoo listens on {port}.")
    config = odoo.write_config("run", port)
    say.step("Starting Odoo")
    _put_log_aside()
    with LOG.open("a") as log:
        process = subprocess.Popen(
            odoo.command("-c", config),
            env=odoo.environment(),
            cwd=paths.WORK,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    state.write(MARK, {"pid": process.pid, "port": port})
    try:
        _wait_until_it_answers(process, port)
    except BaseException:
        process.kill()
        raise
    return process


@contextmanager
def serving(name, database, log):
    """Run a server with scheduled actions on a database of its own; yields its address.

    :param str name: the configuration, "run" or "test"
    :param pathlib.Path log: the file that gets Odoo's log
    """
    port = ports.next_free(odoo.HTTP_PORT + 100)
    options = ["-c", odoo.CONFIG[name], "-d", database, "--db-filter", f"^{database}$", "--http-port", port]
    with log.open("w") as file:
        process = subprocess.Popen(
            odoo.command(*options, "--max-cron-threads=2"),
            env=odoo.environment(),
            cwd=paths.WORK,
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=file,
            start_new_session=True,
        )
    try:
        _wait_until_it_answers(process, port)
        yield f"http://{ports.HOST}:{port}"
    finally:
        process.terminate()
        process.wait()


def url():
    """Return the address of the running server, or None."""
    known = state.read(MARK)
    return f"http://{ports.HOST}:{known['port']}" if known and _is_ours(known["pid"]) else None


def stop():
    """Stop Odoo and our clusters, wherever they were started from."""
    stopped = stop_odoo()
    state.forget("postgres-keep")
    for name in ("run", "test"):
        stopped |= postgres.stop(name)
    if not stopped:
        say.step("Nothing was running")


def stop_odoo():
    """Stop Odoo, and wait until the command that started it has ended too; return whether it was running."""
    known = state.read(MARK)
    if not known or not _is_ours(known["pid"]):
        return False
    say.step("Stopping Odoo")
    os.kill(known["pid"], signal.SIGTERM)
    _wait_until_gone(known["pid"])
    with state.only_one("server", "shutting down"):
        state.forget(MARK)
    return True


def reset():
    """Delete the data of ``make run``, after asking."""
    if os.environ.get("YES") != "1":
        question = f"This deletes the database {run_database.NAME} with everything in it. Type yes to go on: "
        print(question, end="", flush=True)
        if sys.stdin.readline().strip().lower() not in ("yes", "y"):
            raise Failure("Nothing was deleted.", "Answer 'yes', or say 'make reset YES=1'.")
    stop_odoo()
    setup.ensure()
    with postgres.using("run"):
        run_database.drop()
    say.step("Deleted: the next 'make run' starts with fresh demo data")


def logs():
    """Follow the log of Odoo on a terminal; print its end elsewhere."""
    if not LOG.exists():
        raise Failure("There is no log yet.", "Start Odoo first: make run")
    follow = ["-F"] if sys.stdout.isatty() else []
    os.execvp("tail", ["tail", "-n", "200", *follow, str(LOG)])


def print_logins(address):
    """Print the address, and a login for each role."""
    print(f"\n  Odoo with partner_loyalty: {address}\n\n  {'role':16}{'login':22}password")
    for role, login in LOGINS:
        print(f"  {role:16}{login:22}{login}")
    print(flush=True)


def _stay(process):
    """Wait for the end of Odoo; a signal to us is handed on to it."""

    def hand_on(*_signal):
        say.step("Stopping Odoo")
        process.send_signal(signal.SIGTERM)

    signal.signal(signal.SIGINT, hand_on)
    signal.signal(signal.SIGTERM, hand_on)
    signal.signal(signal.SIGHUP, hand_on)
    code = process.wait()
    state.forget(MARK)
    if code not in (0, -signal.SIGTERM):
        raise Failure(f"Odoo ended by itself (code {code}):\n{odoo.log_end(LOG)}", f"The whole log is in {LOG}.")


def _is_ours(pid):
    """Return whether process ``pid`` is the Odoo that was started from this work folder."""
    try:
        return str(odoo.CONFIG["run"]) in Path(f"/proc/{pid}/cmdline").read_bytes().decode().split("\0")
    except (FileNotFoundError, ProcessLookupError):
        return False


def _wait_until_it_answers(process, port):
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if process.poll() is not None:
            break
        try:
            with urllib.request.urlopen(f"http://{ports.HOST}:{port}/web/health", timeout=10):
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.3)
    raise Failure(f"Odoo does not start:\n{odoo.log_end(LOG)}", f"The whole log is in {LOG}.")


def _wait_until_gone(pid):
    deadline = time.monotonic() + STOP_SECONDS
    while _is_ours(pid) and time.monotonic() < deadline:
        time.sleep(0.1)
    if _is_ours(pid):
        os.kill(pid, signal.SIGKILL)


def _put_log_aside():
    paths.LOGS.mkdir(parents=True, exist_ok=True)
    if LOG.exists() and LOG.stat().st_size > BIG_LOG:
        LOG.replace(LOG.with_suffix(".log.1"))
