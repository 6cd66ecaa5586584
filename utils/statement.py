"""SQL of the hot paths: sent as it is written, and planned once per connection.

Planning is most of what a small statement costs the database, and building an expression and its
result most of what it costs here. A `Statement` is prepared on a connection when that one first
needs it, from then on executed by name, and its rows are plain tuples. It runs in the session's
transaction, and its errors are those of every other statement.

Behind a pooler that hands out connections per transaction nothing stays prepared: PREPARE=off
(settings.prepare) sends the text each time.
"""

import hashlib
import re
from contextlib import closing
from typing import Any

import psycopg2
from sqlalchemy import Connection, Engine, Select
from sqlalchemy.dialects import postgresql
from sqlalchemy.exc import DBAPIError

from config import settings
from init import db

PARAMETER = re.compile(r"(?<![:\w]):([a-z_][a-z0-9_]*)\b")
_PREPARED = "names of prepared statements"


class Statement:
    """One statement with `:named` parameters, each of a type that its place in it tells.

    `name` is what the database's own views show of it. One that is `alone` is a whole answer: it
    reads without a transaction, unless its session is in one, and spares two round trips. When the
    connection turns out to have died, it reads again over a new one; so does any that is the first
    of its transaction.
    """

    def __init__(self, name: str, sql: str, *, alone: bool = False) -> None:
        names = list(dict.fromkeys(PARAMETER.findall(sql)))
        numbers = {each: f"${number}" for number, each in enumerate(names, start=1)}
        values = ", ".join(f"%({each})s" for each in names)
        self.name = f"{name}_{hashlib.blake2b(sql.encode(), digest_size=4).hexdigest()}"
        self.sql = sql
        self.text = PARAMETER.sub(r"%(\1)s", sql.replace("%", "%%"))
        self.call = f"EXECUTE {self.name} ({values})" if names else f"EXECUTE {self.name}"
        self._alone = alone
        self._constants: dict[str, Any] = {}
        self._prepare = f"PREPARE {self.name} AS {PARAMETER.sub(lambda m: numbers[m[1]], sql)}"

    @classmethod
    def of(cls, name: str, query: Select[Any], *, alone: bool = False) -> "Statement":
        """A query that is built once; its `bindparam`s are the parameters (write no IN)."""
        dialect: Any = postgresql.dialect
        compiled = query.compile(dialect=dialect(paramstyle="named"))
        statement = cls(name, str(compiled), alone=alone)
        processors = compiled._bind_processors
        statement._constants = {
            each: processors[each](value) if each in processors else value  # type: ignore[operator]
            for each, value in compiled.construct_params(_check=False).items()
            if value is not None
        }
        return statement

    def run(self, **facts: Any) -> None:
        """Have its effect."""
        self._sent(facts)

    def all(self, **facts: Any) -> list[Any]:
        """Its rows, as tuples."""
        return self._sent(facts)[0]

    def one(self, **facts: Any) -> Any:
        """The only row."""
        [row] = self.all(**facts)
        return row

    def first(self, **facts: Any) -> Any:
        """The first row, or None."""
        rows = self.all(**facts)
        return rows[0] if rows else None

    def mappings(self, **facts: Any) -> list[dict[str, Any]]:
        """Its rows by the names of their columns."""
        rows, columns = self._sent(facts)
        names = [column.name for column in columns]
        return [dict(zip(names, row, strict=True)) for row in rows]

    def mapping(self, **facts: Any) -> dict[str, Any] | None:
        """The first row by the names of its columns, or None."""
        rows = self.mappings(**facts)
        return rows[0] if rows else None

    def scalar(self, **facts: Any) -> Any:
        """The first value of the first row, or None."""
        row = self.first(**facts)
        return row[0] if row else None

    def _sent(self, facts: dict[str, Any]) -> tuple[list[Any], Any]:
        facts = {**self._constants, **facts} if self._constants else facts
        engine = db.engine
        if self._alone and not db.session.registry.has() and isinstance(engine, Engine):
            try:
                return self._sent_alone(engine, facts)
            except DBAPIError as error:
                if not error.connection_invalidated:
                    raise
            return self._sent_alone(engine, facts)  # that one had died; the pool has begun anew
        session = db.session()
        first = not (session.in_transaction() or session.new or session.dirty or session.deleted)
        try:
            return self._sent_over(session.connection(), facts)
        except DBAPIError as error:
            if not (first and error.connection_invalidated):
                raise
            session.rollback()  # nothing had been done over the connection that had died
        return self._sent_over(session.connection(), facts)

    def _sent_alone(self, engine: Engine, facts: dict[str, Any]) -> tuple[list[Any], Any]:
        with engine.connect() as borrowed:
            driver: Any = borrowed.connection.dbapi_connection
            driver.autocommit = True
            try:
                return self._sent_over(borrowed, facts)
            finally:
                if not driver.closed:
                    driver.autocommit = False

    def _sent_over(self, connection: Connection, facts: dict[str, Any]) -> tuple[list[Any], Any]:
        with closing(connection.connection.cursor()) as cursor:
            try:
                cursor.execute(self._sent_on(connection, cursor), facts)
                described = cursor.description
                rows = list(cursor.fetchall()) if described else []
            except psycopg2.Error as error:
                # What SQLAlchemy does about errors of its own statements: it wraps them, and a
                # pool whose server went away starts anew.
                connection._handle_dbapi_exception(error, self.text, facts, cursor, None)
                raise
        return rows, described

    def _sent_on(self, connection: Connection, cursor: Any) -> str:
        if not settings.prepare:
            return self.text
        prepared = connection.info.setdefault(_PREPARED, set())
        if self.name not in prepared:
            cursor.execute(self._prepare)
            prepared.add(self.name)
        return self.call
