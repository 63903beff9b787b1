"""Kills the worker at random moments."""

import os
import select
import signal
import time
from statistics import median

from odoo import sql_db

from .worker import Worker

LONGEST_START = 60


def kill_often(world, kills, random, progress=lambda number: None):
    """Start a worker, kill it within 0.8 seconds after its first commit, as often as said; then let it finish.

    :return: figures by name
    """
    first_commits, in_work = [], 0
    for number in range(kills):
        world.disturb()
        seconds, was_working = _kill_once(world, random.uniform(0, 0.8), number)
        first_commits.append(seconds)
        in_work += was_working
        progress(number + 1)
    started = time.monotonic()
    Worker(world).work()
    recovered = time.monotonic() - started
    return {
        "kills": kills,
        "of them while it worked": in_work,
        "seconds from start to first commit, median": round(median(first_commits), 2) if kills else 0,
        "seconds from start to first commit, longest": round(max(first_commits, default=0), 2),
        "seconds from the last start to all work done": round(recovered, 2),
    }


def _kill_once(world, delay, first):
    """Return how long the first commit took, and whether the worker was still at it when it was killed."""
    sql_db.close_all()
    reader, writer = os.pipe()
    started = time.monotonic()
    child = os.fork()
    if not child:
        os.close(reader)
        _work_and_exit(world, writer, first)
    os.close(writer)
    ready, _w, _x = select.select([reader], [], [], LONGEST_START)
    seconds = time.monotonic() - started
    if ready:
        time.sleep(delay)
    os.kill(child, signal.SIGKILL)
    _pid, status = os.waitpid(child, 0)
    os.close(reader)
    return seconds, os.WIFSIGNALED(status)


def _work_and_exit(world, writer, first):
    code = 1
    try:
        Worker(world, say=lambda: os.write(writer, b"."), first=first).work()
        code = 0
    finally:
        # None of the parent's clean-up may run here.
        os._exit(code)
