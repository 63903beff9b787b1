"""How long something takes."""

import time

REPEATS = 3


def best(env, work, repeats=REPEATS):
    """Do something several times, each time as if it had not been done before.

    :param work: callable without arguments
    :return: the shortest time, in seconds: the others were disturbed by what else the machine did
    :rtype: float
    """
    seconds = []
    for _attempt in range(repeats):
        env.flush_all()
        with env.cr.savepoint() as savepoint:
            start = time.perf_counter()
            work()
            env.flush_all()
            seconds.append(time.perf_counter() - start)
            savepoint.rollback()
        env.invalidate_all()
    return min(seconds)
