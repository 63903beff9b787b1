"""The developer commands: ``dev/start <command>``, or ``make <command>``."""

import argparse
import errno
import signal
import sys

from . import commands, say


def main():
    """Run one command; return the exit code."""
    parser = argparse.ArgumentParser(prog="make", description=__doc__, add_help=False)
    parser.add_argument("command", nargs="?", default="help", choices=commands.COMMANDS)
    parser.add_argument("rest", nargs=argparse.REMAINDER)
    arguments = parser.parse_args()
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        return commands.COMMANDS[arguments.command](*arguments.rest) or 0
    except say.Failure as error:
        say.failure(error)
        return 1
    except OSError as error:
        if error.errno != errno.ENOSPC:
            raise
        say.failure(say.Failure("The disk is full.", "Free some space, then try again."))
        return 1
    except KeyboardInterrupt:
        return 130


sys.exit(main())
