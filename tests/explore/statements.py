"""What a statement touches: read from its SQL before it runs, and from the rows that it wrote.

The reading is rough and errs on the side of more: every table that a query level names is looked
at, and only conditions of the plain form `column = value`, joined by AND, narrow it to rows.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any

from sqlalchemy import BigInteger, Column, Integer, Table, Text
from sqlalchemy.schema import ForeignKeyConstraint, UniqueConstraint

from init import db
from tests.explore.footprints import (
    ANY,
    KEY_SHARE,
    NO_KEY_UPDATE,
    NOTHING,
    SHARE,
    UPDATE,
    Lock,
    Look,
    Row,
    Touch,
    Where,
)

ADVISORY = "advisory"
LOCAL = re.compile(r"\s*(SET|SHOW|SAVEPOINT|RELEASE)\b", re.IGNORECASE)
NOISE = re.compile(r"'(?:[^']|'')*'|--[^\n]*|/\*.*?\*/", re.DOTALL)
QUERY = re.compile(r"\s*(SELECT|WITH|UPDATE|INSERT|DELETE)\b", re.IGNORECASE)
WRITES = re.compile(r'\b(INSERT) INTO\s+"?(\w+)|\b(UPDATE)\s+"?(\w+)"? |\b(DELETE) FROM\s+"?(\w+)')
LOCKS = re.compile(
    r"\bFOR (KEY SHARE|SHARE|NO KEY UPDATE|UPDATE)\b(?:\s+OF\s+(\w+(?:\s*,\s*\w+)*))?",
    re.IGNORECASE,
)
CLOCK = re.compile(r"\b(?:clock|statement)_timestamp\b", re.IGNORECASE)
INTO = re.compile(r"\bINSERT INTO\s+\w+|\bRETURNING\b.*$", re.DOTALL)
CONFLICT = re.compile(r"\bON CONFLICT\b", re.IGNORECASE)
KNOWN = re.compile(r"\b(nextval|clock_timestamp|statement_timestamp|pg_advisory\w*)\b")
CLAUSE = re.compile(
    r"\bWHERE\b(.*?)(?:\b(?:GROUP|ORDER|LIMIT|FOR|RETURNING|HAVING)\b|$)", re.DOTALL
)
KEYWORD = "JOIN|LEFT|RIGHT|INNER|CROSS|ON|USING|WHERE|SET|GROUP|ORDER|LIMIT|FOR|RETURNING|VALUES"
NAMED = re.compile(
    rf'(?:\b(?:FROM|JOIN|UPDATE|INTO)|,)\s+"?(\w+)"?(?:\s+AS)?\s+(?!(?:{KEYWORD})\b)(\w+)'
)
EQUALS = re.compile(
    r'^\s*(?:"?(\w+)"?\.)?"?(\w+)"?\s*(?:=|IN)\s*(?:ANY\s*)?\(*\s*'
    r"(@\w+@(?:::\w+)?(?:\s*,\s*@\w+@(?:::\w+)?)*)[\s)]*$"
)
PARAMETER = re.compile(r"@(\w+)@")
NEVER_CHANGED = ("id", "show_id", "stock_id", "key")  # so that locks can be compared by them


@dataclass(frozen=True)
class Written:
    """A row that a statement wrote, as it was and as it is."""

    table: str
    old: Row | None
    new: Row | None

    @property
    def forms(self) -> Iterator[Row]:
        yield from (form for form in (self.old, self.new) if form is not None)


@dataclass
class Schema:
    """The tables, and the functions that the product has stored, by name and body."""

    tables: Mapping[str, Table] = field(
        default_factory=lambda: {table.name: table for table in db.metadata.sorted_tables}
    )
    functions: Mapping[str, str] = field(default_factory=dict)

    def unfolded(self, sql: str) -> str:
        """The statement together with the bodies of the stored functions that it calls."""
        called = [body for name, body in self.functions.items() if re.search(rf"\b{name}\b", sql)]
        return " ".join([sql, *(f"({NOISE.sub(' ', body)})" for body in called)])

    @cache  # noqa: B019 (there is one for the life of the program)
    def referring(self, table: str) -> list[tuple[str, ForeignKeyConstraint]]:
        """The foreign keys that point at a table."""
        return [
            (name, key)
            for name, other in self.tables.items()
            for key in other.foreign_key_constraints
            if key.referred_table.name == table
        ]

    @cache  # noqa: B019
    def unique_keys(self, table: str) -> dict[tuple[str, ...], bool]:
        """The keys on which two writers of a table can meet, and whether each is partial.

        Not those with the id, which is never the same; () is a key on an expression.
        """
        of = self.tables[table]
        keys = [(c.columns, False) for c in of.constraints if isinstance(c, UniqueConstraint)]
        for index in of.indexes:
            if index.unique:
                keys.append(
                    (index.columns, bool(index.dialect_options["postgresql"]["where"] is not None))
                )
        named = {tuple(column.name for column in of): partial for of, partial in keys}
        return {key: partial for key, partial in named.items() if "id" not in key}

    def __hash__(self) -> int:
        return id(self)


_known: list[Schema] = []


def know(functions: Mapping[str, str]) -> None:
    """Read statements with these stored functions from now on."""
    _known[:] = [Schema(functions=functions)]
    _levels.cache_clear()


def _schema() -> Schema:
    if not _known:
        know({})
    return _known[0]


# --- Before it runs


@dataclass(frozen=True)
class Level:
    """One query level of a statement: its tables, and which of its columns must be what."""

    tables: frozenset[str]
    looked: frozenset[str]  # those that are not only inserted into
    written: tuple[tuple[str, str], ...]  # verb, table
    locked: tuple[tuple[str, str], ...]  # table, mode
    equal: tuple[tuple[str, str, tuple[str, ...]], ...]  # table, column, names of parameters
    asks_time: bool

    def where(self, table: str, parameters: Mapping[str, Any]) -> Where:
        found: dict[str, frozenset[str]] = {}
        for of, column, names in self.equal:
            if of == table and all(name in parameters for name in names):
                values = frozenset(_texts([parameters[name] for name in names]))
                found[column] = found.get(column, values) & values
        return found


def of_statement(sql: str, parameters: Any) -> Touch:
    """What a statement may touch; NOTHING if that concerns only its own session."""
    if LOCAL.match(sql):
        return NOTHING
    if isinstance(parameters, tuple | list):
        named = {str(number): value for number, value in enumerate(parameters)}
    else:
        named = dict(parameters or {})
    levels = _levels(sql)
    touch = NOTHING
    for level in levels:
        inner = {table for other in levels if other is not level for table, _ in other.locked}
        touch += _of_level(level, named, inner)
    if "pg_advisory" in sql:
        keys = frozenset(_texts(parameters))
        mode = SHARE if "_xact_lock_shared" in sql else UPDATE
        touch += Touch(locks=(Lock(ADVISORY, mode, {"key": keys}),))
    if not any(level.tables for level in levels) and "(" in sql and not KNOWN.search(sql):
        return Touch(everything=True)  # it calls we do not know what
    return touch


def _of_level(level: Level, parameters: Mapping[str, Any], inner: set[str]) -> Touch:
    where = {table: level.where(table, parameters) for table in level.tables}
    looks = [Look(table, where[table]) for table in level.looked]
    locks = [Lock(table, mode, _fixed(where[table])) for table, mode in level.locked]
    presumed: list[Lock] = []
    for verb, table in level.written:
        presumed += _presumed(verb, table)
        if verb == "INSERT":
            continue
        lock = Lock(table, _mode(verb), _fixed(where[table]))
        if table in inner and not where[table]:
            # It writes what a query inside it has looked for and locked, and nothing else.
            presumed.append(lock)
            looks = [look for look in looks if look.table != table]
        else:
            locks.append(lock)
    return Touch(tuple(looks), tuple(locks), tuple(presumed), asks_time=level.asks_time)


def _fixed(where: Where) -> Where:
    return {name: values for name, values in where.items() if name in NEVER_CHANGED}


def _presumed(verb: str, table: str) -> Iterator[Lock]:
    """What writing to a table may lock elsewhere, before anybody knows which rows."""
    schema = _schema()
    for unique in schema.unique_keys(table):
        yield Lock(f"{table} by {unique}", UPDATE, ANY)
    if verb == "DELETE":
        yield from _let_go(table)
    else:
        for key in schema.tables[table].foreign_key_constraints:
            yield Lock(key.referred_table.name, KEY_SHARE, ANY)


def _let_go(table: str) -> Iterator[Lock]:
    """What points at a deleted row, and is looked for."""
    for other, key in _schema().referring(table):
        follows = (key.ondelete or "NO ACTION").upper() not in ("NO ACTION", "RESTRICT")
        yield Lock(other, NO_KEY_UPDATE if follows else KEY_SHARE, ANY)


def _mode(verb: str) -> str:
    return UPDATE if verb == "DELETE" else NO_KEY_UPDATE


@cache
def _levels(sql: str) -> tuple[Level, ...]:
    text = _schema().unfolded(NOISE.sub(" ", sql))
    text = re.sub(r"%\((\w+)\)s", r"@\1@", text)
    for number in range(text.count("%s")):
        text = text.replace("%s", f"@{number}@", 1)
    return tuple(_level(part) for part in _parts(text))


def _parts(sql: str) -> Iterator[str]:
    """A statement's query levels, innermost first; lists and calls belong to theirs."""
    stack = [""]
    for part in re.split(r"([()])", sql):
        if part == "(":
            stack.append("")
        elif part == ")" and len(stack) > 1:
            inner = stack.pop()
            if QUERY.match(inner):
                yield inner
                stack[-1] += "( )"
            else:
                stack[-1] += f"({inner})"
        else:
            stack[-1] += part
    yield " ".join(stack)


def _level(sql: str) -> Level:
    tables = _schema().tables
    named = frozenset(word for word in re.findall(r"\w+", sql) if word in tables)
    looked = frozenset(re.findall(r"\w+", sql if CONFLICT.search(sql) else INTO.sub("", sql)))
    written = tuple(
        (words[0].upper(), words[1])
        for found in WRITES.findall(sql)
        if len(words := [word for word in found if word]) == 2 and words[1] in tables
    )
    locked = []
    for mode, only in LOCKS.findall(sql):
        wanted = named & set(re.findall(r"\w+", only)) or named
        locked += [(table, mode.lower()) for table in wanted]
    asks_time = bool(CLOCK.search(sql))
    equal = tuple(_equal(sql, named))
    return Level(named, named & looked, written, tuple(locked), equal, asks_time)


def _equal(sql: str, named: frozenset[str]) -> Iterator[tuple[str, str, tuple[str, ...]]]:
    clause = CLAUSE.search(sql)
    if clause is None or "UNION" in sql or re.search(r"\bOR\b", _outermost(clause[1])):
        return
    aliases: dict[str, str] = {table: table for table in named}
    for table, alias in NAMED.findall(sql):
        if table in named:
            if aliases.pop(table, None) is None:
                return  # twice in one level: which of the two is meant?
            aliases[alias] = table
    for condition in re.split(r"\bAND\b", _outermost(clause[1], keep=True)):
        if not (found := EQUALS.match(condition)):
            continue
        alias, column, values = found.groups()
        having = {t for a, t in aliases.items() if alias in (None, a) and _narrows(t, column)}
        if len(having) == 1:
            yield having.pop(), column, tuple(PARAMETER.findall(values))


def _outermost(clause: str, *, keep: bool = False) -> str:
    """A clause without what is in parentheses; or with the ANDs in there out of the way."""
    text, depth = "", 0
    for part in re.split(r"([()])", clause):
        depth += {"(": 1, ")": -1}.get(part, 0)
        if depth and part not in "()":
            text += re.sub(r"\bAND\b", "and also", part) if keep else ""
        else:
            text += part
    return text


def _narrows(table: str, column: str) -> bool:
    """Whether values of a column can be compared as text."""
    of: Column[Any] | None = _schema().tables[table].columns.get(column)
    return of is not None and isinstance(of.type, BigInteger | Integer | Text)


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, Mapping):
        yield from _texts(list(value.values()))
    elif isinstance(value, Iterable) and not isinstance(value, str | bytes):
        for one in value:
            yield from _texts(one)
    else:
        yield str(value)


# --- After it has run


def refined(touch: Touch, written: Iterable[Written], held: Touch) -> Touch:
    """What a statement has touched, now that it is over and what it wrote is known.

    `held` is what its transaction had touched before. PostgreSQL looks the foreign keys of a row
    up again, changed or not, when the transaction has written the row already.
    """
    ours = {(table, row.get("id")) for table, row in held.writes}
    touch = replace(touch, presumed=())
    for row in written:
        again = row.old is not None and (row.table, row.old.get("id")) in ours
        rows = tuple((row.table, form) for form in row.forms)
        touch += Touch(locks=tuple(_locks_of(row, again=again)), writes=rows)
    return touch


def _locks_of(row: Written, *, again: bool) -> Iterator[Lock]:
    if row.old is not None:
        id_ = row.old.get("id")
        mode = _mode("DELETE" if row.new is None else "UPDATE")
        yield Lock(row.table, mode, {"id": frozenset([id_])} if id_ else ANY)
    for unique, partial in _schema().unique_keys(row.table).items():
        forms = [{name: frozenset([form.get(name) or ""]) for name in unique} for form in row.forms]
        if len(forms) == 1 or partial or forms[0] != forms[1]:
            for values in forms:
                yield Lock(f"{row.table} by {unique}", UPDATE, values)
    if row.new is None:
        yield from _let_go(row.table)
        return
    for key in _schema().tables[row.table].foreign_key_constraints:
        for element in key.elements:
            value = row.new.get(element.parent.name)
            changed = again or row.old is None or row.old.get(element.parent.name) != value
            if element.column.name == "id" and value is not None and changed:
                yield Lock(key.referred_table.name, KEY_SHARE, {"id": frozenset([value])})
