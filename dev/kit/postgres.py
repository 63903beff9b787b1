"""PostgreSQL for development: the server that the PG* variables name, or clusters of the project's own.

There are two clusters: ``run`` keeps the data of ``make run``; ``test`` may lose everything in a crash, and is faster
for it. They listen on 127.0.0.1 only and ask for a password made up here. As root they belong to the user ``postgres``,
since the server refuses to run as root.
"""

import contextlib
import hashlib
import os
import secrets
import shutil
from pathlib import Path
from typing import NamedTuple

from . import paths, ports, say, state
from .say import Failure
from .shell import is_root, run, succeeds, which

MIN_VERSION = 13
FIRST_PORT = {"run": 54320, "test": 54330}
ROLE = "odoo"
OWNER = "postgres"
SETTINGS = {
    "listen_addresses": f"'{ports.HOST}'",
    "unix_socket_directories": "''",
    "timezone": "'UTC'",
    "lc_messages": "'C'",
    "jit": "off",
    "work_mem": "'64MB'",
    "maintenance_work_mem": "'512MB'",
    "max_wal_size": "'4GB'",
    "random_page_cost": "1.1",
    "synchronous_commit": "off",
    "password_encryption": "'scram-sha-256'",
}
TEST_SETTINGS = {"fsync": "off", "full_page_writes": "off"}


class Connection(NamedTuple):
    """Where a database server is and who we are there. Empty parts are left to the PostgreSQL client library."""

    host: str
    port: str
    user: str
    password: str

    def environment(self):
        """Return the variables for programs of PostgreSQL."""
        names = ("PGHOST", "PGPORT", "PGUSER", "PGPASSWORD")
        return {name: value for name, value in zip(names, self, strict=True) if value}


def is_external():
    """Return whether the PG* variables name a server that is already there."""
    return any(os.environ.get(name) for name in ("PGHOST", "PGPORT", "PGUSER"))


def connect(name):
    """Return the connection to the server for ``name`` ("run" or "test"), started if it is one of our own."""
    if not is_external():
        return Cluster(name).start()
    variables = ("PGHOST", "PGPORT", "PGUSER", "PGPASSWORD")
    connection = Connection(*(os.environ.get(variable, "") for variable in variables))
    _check_external(connection)
    return connection


@contextlib.contextmanager
def using(name):
    """Keep the server for ``name`` up meanwhile; the last command to end stops it, if it is one of our own."""
    if is_external():
        yield
        return
    with state.shared(f"postgres-{name}-users") as nobody_else:
        connect(name)
        try:
            yield
        finally:
            if nobody_else() and not state.read("postgres-keep"):
                stop(name)


def stop(name):
    """Stop one of our clusters; return whether it was running."""
    if is_external() or not state.read(f"postgres-{name}-port") or not Cluster(name).stop():
        return False
    say.step(f"Stopped PostgreSQL for '{name}'")
    return True


def remove_outside():
    """Delete what we keep outside the work folder, where nothing but a test cluster is in it: leave no trace of CI."""
    if is_external() or not state.read("postgres-home"):
        return
    stop("test")
    home = _home()
    if home.parent != paths.WORK and not (home / "run").exists():
        shutil.rmtree(home)
        state.forget("postgres-home")


def _check_external(connection):
    row = run(
        [program("psql"), "-XAtd", "postgres", "-c", "SELECT current_user, current_setting('server_version_num')"],
        env=connection.environment(),
        what="The PostgreSQL server that the PG* variables name does not answer, or refuses us.",
        todo="Check PGHOST, PGPORT, PGUSER and PGPASSWORD; without them a server of the project's own is used.",
    )
    user, version = row.strip().split("|")
    if user == "postgres":
        raise Failure(
            "Odoo refuses to work as the database user postgres.",
            "Make another role, 'createuser --createdb odoo', and name it in PGUSER.",
        )
    if int(version) < MIN_VERSION * 10000:
        raise Failure(
            f"The PostgreSQL server is version {int(version) // 10000}; Odoo 19 needs {MIN_VERSION} or later.",
            "Name another server in PGHOST and PGPORT, or leave the PG* variables out.",
        )


def program(name, version=None):
    """Return the path of a program of PostgreSQL, of one major version if ``version`` is given."""
    found = find_program(name, version)
    if not found:
        package = f"postgresql-{version}" if version else "postgresql"
        raise Failure(
            f"The program {name} of PostgreSQL {version or ''} is missing.".replace("  ", " "),
            f"Ask an administrator for 'apt-get install {package}', or set PGHOST and the other PG* variables to use a "
            "server that is already there (that needs the package postgresql-client).",
        )
    return found


def find_program(name, version=None):
    """Like :func:`program`, but None where it is missing. Debian keeps them, by version, away from the PATH."""
    found = {int(path.parts[4]): path for path in Path("/usr/lib/postgresql").glob(f"[0-9][0-9]/bin/{name}")}
    if version:
        return str(found[version]) if version in found else which(name)
    newest = max(found, default=0)
    return str(found[newest]) if newest >= MIN_VERSION else which(name)


class Cluster:
    """A PostgreSQL cluster of the project's own.

    :param str name: "run" or "test"
    """

    def __init__(self, name):
        self.name = name
        self.home = _home()
        self.data = self.home / name
        self.log = self.home / f"{name}.log"
        self.pid_file = self.data / "postmaster.pid"
        self.ready = self.data / "ready"

    def start(self):
        """Start the cluster, made first if need be, and return the connection to it."""
        with state.only_one(f"postgres-{self.name}", "starting PostgreSQL"):
            if not self.ready.exists():
                self._create()
            if not self.is_running():
                self._start()
        return self.connection()

    def stop(self):
        """Stop the cluster; return whether it was running."""
        if not self.is_running():
            return False
        _as_owner(
            [self._program("pg_ctl"), "-D", self.data, "-m", "fast", "-w", "-t", "60", "stop"],
            what="PostgreSQL does not stop.",
            todo=f"Look into {self.log}.",
        )
        return True

    def connection(self):
        """Return the connection to the running cluster."""
        port = self.pid_file.read_text().splitlines()[3]
        return Connection(ports.HOST, port, ROLE, (self.home / "password").read_text().strip())

    def is_running(self):
        """Return whether the server runs. A process that merely got its number after a crash does not count."""
        try:
            pid = self.pid_file.read_text().splitlines()[0]
            command = Path(f"/proc/{int(pid)}/cmdline").read_bytes().decode(errors="replace")
        except (FileNotFoundError, ProcessLookupError, IndexError, ValueError):
            return False
        if str(self.data) in command.split("\0"):
            return True
        self.pid_file.unlink(missing_ok=True)
        return False

    def _create(self):
        say.step(f"Making a PostgreSQL cluster for '{self.name}' in {self.home}")
        shutil.rmtree(self.data, ignore_errors=True)  # what an interrupted attempt left
        options = ["-E", "UTF8", "--locale=C.UTF-8", "-A", "scram-sha-256", f"--pwfile={_password_file(self.home)}"]
        _as_owner(
            [self._program("initdb"), "-D", self.data, "-U", OWNER, *options],
            what="The PostgreSQL cluster could not be made.",
            todo=f"Check that {self.home} can be written to and has room.",
        )
        (self.data / "pg_hba.conf").write_text(f"host all {ROLE} {ports.HOST}/32 scram-sha-256\n")
        with (self.data / "postgresql.conf").open("a") as file:
            file.write("\ninclude 'project.conf'\n")
        self._write_settings()
        self._create_role()
        self.ready.touch()

    def _create_role(self):
        password = (self.home / "password").read_text().strip()
        _as_owner(
            [self._program("postgres"), "--single", "-D", self.data, "postgres"],
            stdin=f"CREATE ROLE {ROLE} LOGIN CREATEDB PASSWORD '{password}'\n",
            what="The database role of Odoo could not be made.",
            todo=f"Delete {self.data} and try again.",
        )

    def _write_settings(self):
        memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2**20
        settings = SETTINGS | {"shared_buffers": f"'{min(512, memory // 8)}MB'"}
        if self.name == "test":
            settings |= TEST_SETTINGS
        if not os.path.isdir("/dev/shm") or shutil.disk_usage("/dev/shm").free < 256 * 2**20:
            settings["dynamic_shared_memory_type"] = "mmap"
        text = "".join(f"{key} = {value}\n" for key, value in settings.items())
        (self.data / "project.conf").write_text(text)

    def _program(self, name):
        """Return the path of a program of the version that made the cluster."""
        file = self.data / "PG_VERSION"
        return program(name, int(file.read_text()) if file.exists() else None)

    def _start(self):
        self._write_settings()
        wanted = state.read(f"postgres-{self.name}-port") or FIRST_PORT[self.name]
        port = ports.next_free(wanted)
        if port != wanted:
            say.note(f"Port {wanted} is taken: PostgreSQL for '{self.name}' listens on {port}.")
        _as_owner(
            [self._program("pg_ctl"), "-D", self.data, "-l", self.log, "-w", "-t", "120", "-o", f"-p {port}", "start"],
            what="PostgreSQL does not start.",
            todo=f"The reason is at the end of {self.log}.",
        )
        state.write(f"postgres-{self.name}-port", port)


def _home():
    """Return the folder of the clusters: in the work folder, or in /var/tmp where ``postgres`` cannot get there."""
    home = paths.WORK / "postgres"
    home.mkdir(parents=True, exist_ok=True)
    if is_root() and not _give_away(home):
        home.rmdir()
        home = _home_outside()
    home.chmod(0o700)
    _password_file(home)
    return home


def _home_outside():
    """Return a folder that belongs to this work folder, in a place that everybody can enter."""
    name = hashlib.sha256(str(paths.WORK).encode()).hexdigest()[:12]
    home = Path(f"/var/tmp/partner_loyalty-{name}")
    owner = home / "owner"
    token = state.read("postgres-home")
    if home.exists() and (not token or home.is_symlink() or home.owner() != OWNER or owner.read_text() != token):
        raise Failure(
            f"{home} is there already, and not from this work folder (an older one in the same place, most likely).",
            "If nobody needs the databases in it, delete it and try again.",
        )
    if not home.exists():
        token = secrets.token_hex(8)
        home.mkdir(mode=0o700)
        owner.write_text(token)
        state.write("postgres-home", token)
        say.note(f"The user {OWNER} cannot enter {paths.WORK}: the databases are kept in {home}.")
        if not _give_away(home):
            raise Failure(f"The user {OWNER} cannot write to {home}.", "Mend the permissions of /var/tmp (mode 1777).")
    return home


def _give_away(folder):
    """Make ``folder`` the property of the user ``postgres``; return whether that user can work in it."""
    try:
        shutil.chown(folder, OWNER, OWNER)
    except LookupError:
        raise Failure(
            f"There is no user {OWNER} on this machine to run PostgreSQL as (the server refuses root).",
            "Install the Debian package postgresql, or work as an ordinary user.",
        ) from None
    return succeeds(["runuser", "-u", OWNER, "--", "test", "-w", folder])


def _password_file(home):
    file = home / "password"
    if not file.exists():
        file.touch(mode=0o600)
        file.write_text(secrets.token_hex(16))
        if is_root():
            shutil.chown(file, OWNER, OWNER)
    return file


def _as_owner(command, **options):
    """Run a program of the server as the user it may run as, in a folder which that user can enter."""
    prefix = ["runuser", "-u", OWNER, "--"] if is_root() else []
    return run([*prefix, *command], cwd="/", **options)
