"""A plain connection to the database that an Odoo configuration file names."""

import configparser

import psycopg2
from kit.say import Failure

UNSET = ("", "False", "None")


def connect(config_file, database):
    """Return a psycopg2 connection.

    :param config_file: Odoo's configuration file
    :param str database: the database's name
    """
    parser = configparser.RawConfigParser()
    parser.read(config_file, encoding="utf-8")
    options = dict(parser["options"]) if parser.has_section("options") else {}
    wanted = {name: options.get(f"db_{name}", "") for name in ("host", "port", "user", "password", "sslmode")}
    wanted = {name: value for name, value in wanted.items() if value not in UNSET}
    try:
        return psycopg2.connect(dbname=database, **wanted)
    except psycopg2.OperationalError as error:
        raise Failure(
            f"The database {database} cannot be opened: {error}".strip(),
            "Start the database server and make the database with 'make run', and run the command again.",
        ) from error
