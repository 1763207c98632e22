"""Durable state: typed documents in one SQLite file.

What a request wrote is committed before it is answered, so a killed process loses nothing that it acknowledged.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Generic, TypeVar

from pydantic import BaseModel

Document = TypeVar("Document", bound=BaseModel)

SCHEMA = """
CREATE TABLE IF NOT EXISTS documents (kind TEXT, key TEXT, body TEXT NOT NULL, PRIMARY KEY (kind, key)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS settings (kind TEXT, key TEXT, value TEXT NOT NULL, PRIMARY KEY (kind, key)) WITHOUT ROWID;
"""


class Store:
    """One SQLite database, used by one thread.

    `connection` is open to services that need tables of their own (OSS's index of objects); they too write inside
    `transaction`.
    """

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self.connection = sqlite3.connect(path, isolation_level=None)
        # The write-ahead log survives the death of the process without a sync to disk at each commit.
        self.connection.execute("PRAGMA journal_mode = WAL")
        self.connection.execute("PRAGMA synchronous = NORMAL")
        self.connection.executescript(SCHEMA)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Commits at the end, rolls back on any exception; within another transaction it is part of that one."""
        if self.connection.in_transaction:
            yield
            return
        self.connection.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self.connection.execute("ROLLBACK")
            raise
        self.connection.execute("COMMIT")

    def collection(self, kind: str, model: type[Document]) -> "Collection[Document]":
        return Collection(self.connection, kind, model)

    def settings(self, kind: str) -> "StoredSettings":
        return StoredSettings(self.connection, kind)

    def clear(self) -> None:
        """Empties every table, those of the services too."""
        with self.transaction():
            for table in self._tables():
                self.connection.execute(f'DELETE FROM "{table}"')  # noqa: S608 - a name from the schema itself

    def _tables(self) -> set[str]:
        rows = self.connection.execute(
            "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
        )
        return {name for (name,) in rows}

    def counts(self) -> dict[str, int]:
        """How many documents there are of each kind, and rows in the services' own tables."""
        rows = self.connection.execute("SELECT kind, count(*) FROM documents GROUP BY kind ORDER BY kind")
        counts: dict[str, int] = dict(rows.fetchall())
        for table in self._tables() - {"documents", "settings"}:
            (counts[table],) = self.connection.execute(f'SELECT count(*) FROM "{table}"').fetchone()  # noqa: S608
        return counts

    def close(self) -> None:
        self.connection.close()


class Collection(Generic[Document]):
    """Documents of one kind by key, in key order. Keys of several parts are joined by `/`."""

    def __init__(self, connection: sqlite3.Connection, kind: str, model: type[Document]) -> None:
        self._connection, self._kind, self._model = connection, kind, model

    def get(self, key: str) -> Document | None:
        row = self._connection.execute(
            "SELECT body FROM documents WHERE kind = ? AND key = ?", (self._kind, key)
        ).fetchone()
        return None if row is None else self._model.model_validate_json(row[0])

    def put(self, key: str, document: Document) -> None:
        self._connection.execute(
            "INSERT INTO documents VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET body = excluded.body",
            (self._kind, key, document.model_dump_json()),
        )

    def delete(self, key: str) -> bool:
        """Whether there was something to delete."""
        cursor = self._connection.execute("DELETE FROM documents WHERE kind = ? AND key = ?", (self._kind, key))
        return cursor.rowcount > 0

    def delete_all(self, prefix: str) -> None:
        self._connection.execute(
            "DELETE FROM documents WHERE kind = ? AND substr(key, 1, ?) = ?", (self._kind, len(prefix), prefix)
        )

    def items(self, prefix: str = "") -> list[tuple[str, Document]]:
        """Keys that begin with `prefix`, with their documents."""
        rows = self._connection.execute(
            "SELECT key, body FROM documents WHERE kind = ? AND substr(key, 1, ?) = ? ORDER BY key",
            (self._kind, len(prefix), prefix),
        )
        return [(key, self._model.model_validate_json(body)) for key, body in rows]

    def values(self, prefix: str = "") -> list[Document]:
        return [document for _, document in self.items(prefix)]


class StoredSettings:
    """A few named strings."""

    def __init__(self, connection: sqlite3.Connection, kind: str) -> None:
        self._connection, self._kind = connection, kind

    def get(self, key: str) -> str | None:
        row = self._connection.execute(
            "SELECT value FROM settings WHERE kind = ? AND key = ?", (self._kind, key)
        ).fetchone()
        return None if row is None else str(row[0])

    def set(self, key: str, value: str) -> None:
        self._connection.execute(
            "INSERT INTO settings VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET value = excluded.value",
            (self._kind, key, value),
        )

    def next_number(self, key: str, first: int = 1) -> int:
        """A number never given before under `key`."""
        number = int(self.get(key) or first - 1) + 1
        self.set(key, str(number))
        return number


class Journal(Generic[Document]):
    """Documents in the order in which they came; of more than `kept` the oldest are forgotten."""

    def __init__(self, store: Store, kind: str, model: type[Document], kept: int) -> None:
        self._documents = store.collection(kind, model)
        self._numbers = store.settings(kind)
        self._kept = kept

    def add(self, document: Document) -> str:
        """The entry's key."""
        number = self._numbers.next_number("last")
        key = f"{number:012d}"
        self._documents.put(key, document)
        self._documents.delete(f"{number - self._kept:012d}")
        return key

    def replace(self, key: str, document: Document) -> None:
        """Changes an entry that is still there."""
        if self._documents.get(key) is not None:
            self._documents.put(key, document)

    def values(self) -> list[Document]:
        """Oldest first."""
        return self._documents.values()
