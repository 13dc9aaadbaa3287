"""What the local platform remembers of versions and runs: one SQLite file that several processes share."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import msgspec

from tagline.errors import PlatformUnavailable, StateBroken
from tagline.platforms import Run, RunState, UploadedVersion
from tagline.words import Release

FILE = "pipelines.sqlite"
BUSY_MS = 15_000
_TABLES = """
CREATE TABLE IF NOT EXISTS versions (
    pipeline TEXT NOT NULL, release TEXT NOT NULL, content BLOB NOT NULL, PRIMARY KEY (pipeline, release));
CREATE TABLE IF NOT EXISTS runs (
    number INTEGER PRIMARY KEY AUTOINCREMENT, owner TEXT NOT NULL, pipeline TEXT NOT NULL,
    state TEXT NOT NULL, ending BLOB NOT NULL DEFAULT '{}',
    began TEXT NOT NULL DEFAULT CURRENT_TIMESTAMP, ended TEXT);
CREATE UNIQUE INDEX IF NOT EXISTS one_run ON runs (owner) WHERE state <> 'interrupted';
"""


class Ending(msgspec.Struct, frozen=True):
    """How a run ended, beside its state."""

    error: str = ""
    failure: str = ""
    task: str = ""
    log: str = ""


class Store:
    """Rows of versions and runs under `home`; each call opens the file anew, waits up to 15 s for a writer.

    Raises `StateBroken` where the file is no database of ours, `PlatformUnavailable` where it stays locked.
    """

    def __init__(self, home: Path) -> None:
        self.home, self.file = home, home / FILE

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        try:
            with closing(sqlite3.connect(self.file, timeout=BUSY_MS / 1000)) as connection:
                connection.executescript(f"PRAGMA journal_mode=WAL; PRAGMA busy_timeout={BUSY_MS}; {_TABLES}")
                with connection:
                    yield connection
        except sqlite3.OperationalError as error:
            raise PlatformUnavailable(
                f"the local platform's database did not answer: {error}", where=str(self.file), fix="repeat"
            ) from error
        except sqlite3.DatabaseError as error:
            raise StateBroken(
                f"the local platform's database cannot be read: {error}",
                where=str(self.file),
                fix="put the file back from a copy, or move it away: versions are uploaded again from git",
            ) from error

    def keep_version(self, version: UploadedVersion) -> None:
        """Keep a version; the first one stays."""
        row = (version.pipeline, str(version.release), msgspec.json.encode(version, enc_hook=str))
        with self._open() as rows:
            rows.execute("INSERT OR IGNORE INTO versions (pipeline, release, content) VALUES (?, ?, ?)", row)

    def versions(self, pipeline: str) -> list[UploadedVersion]:
        """All versions of a pipeline, oldest release first."""
        with self._open() as rows:
            found = rows.execute("SELECT content FROM versions WHERE pipeline = ?", (pipeline,)).fetchall()
        return sorted((_version(content) for (content,) in found), key=lambda version: version.release)

    def version(self, pipeline: str, release: Release) -> UploadedVersion | None:
        """One version, or None."""
        query = "SELECT content FROM versions WHERE pipeline = ? AND release = ?"
        with self._open() as rows:
            found = rows.execute(query, (pipeline, str(release))).fetchone()
        return _version(found[0]) if found else None

    def begin(self, owner: str, pipeline: str) -> Run:
        """A new running run of this owner; its folder is not made yet."""
        query = "INSERT INTO runs (owner, pipeline, state) VALUES (?, ?, ?)"
        with self._open() as rows:
            number = rows.execute(query, (owner, pipeline, RunState.RUNNING)).lastrowid
        return self._run(number, owner, pipeline, RunState.RUNNING, b"{}", None)

    def end(self, run: Run, state: RunState, ending: Ending) -> Run:
        """Write a running run's end; a run that has ended keeps the end it had."""
        query = "UPDATE runs SET state=?, ending=?, ended=CURRENT_TIMESTAMP WHERE number=? AND state=?"
        values = (state, msgspec.json.encode(ending), int(run.id.rpartition("-")[2]), RunState.RUNNING)
        with self._open() as rows:
            rows.execute(query, values)
        return next(each for each in self.runs(run.owner) if each.id == run.id)

    def runs(self, owner_prefix: str) -> list[Run]:
        """Runs whose owner key begins with the prefix, oldest first."""
        query = (
            "SELECT number, owner, pipeline, state, ending, "
            "CAST((julianday(ended) - julianday(began)) * 86400 AS REAL) FROM runs "
            "WHERE substr(owner, 1, length(?1)) = ?1 ORDER BY number"
        )
        with self._open() as rows:
            found = rows.execute(query, (owner_prefix,)).fetchall()
        return [self._run(*row) for row in found]

    def run_of(self, owner: str) -> Run | None:
        """The one run of an owner that is not interrupted, or None."""
        for run in self.runs(owner):
            if run.owner == owner and run.state is not RunState.INTERRUPTED:
                return run
        return None

    def _run(self, number: int | None, owner: str, pipeline: str, state: str, *rest: Any) -> Run:
        name = f"{pipeline}-{number}"
        ending, seconds = rest
        end = msgspec.json.decode(ending, type=Ending)
        outputs = self.home / "runs" / name
        ended = (end.error, end.task, end.failure, end.log, seconds)
        return Run(name, owner, RunState(state), outputs, *ended)


def _version(content: bytes) -> UploadedVersion:
    return msgspec.json.decode(content, type=UploadedVersion, dec_hook=lambda _, text: Path(text))
