"""A large demo world to measure in: `flask db seed --size large`.

It stands beside the small one, whose ids and accounts stay as they are, and is made of the same
things; its bookings are as the product would have written them. With the small world before it:

- event 13, "One Night in the Stadium", is of organiser@gigmate.example, like one in thirteen others
- show 19, its only one, is hot: 80,000 numbered seats (NORTH_STAND/1-1 …) in four tiers, on sale,
  two fifths of them sold
- shows 20 to 29 have 20,000 places each, standing (20, 22 …) or seated; the first three are over
- every other show has 100 to 500, and two to four tiers
- buyers sign in with the demo password, too: `account_email(0)` and so on

It is loaded in one transaction: one that breaks off leaves nothing.
"""

from sqlalchemy import Connection, Table, func, select, text

from init import Base, db
from services import demo_large_bookings, demo_large_catalogue, demo_large_sales, demo_large_writer
from services.demo_large_world import Company, LargeWorld, WorldDoesNotFit
from services.demo_large_writer import account_email
from utils.bulk import Tell, without_indexes

__all__ = ["LargeWorld", "WorldDoesNotFit", "account_email", "load", "tidy_up"]

LARGE_TABLES = (
    "ticket_holders",
    "bookings",
    "booking_lines",
    "booking_secrets",
    "places",
    "tickets",
    "check_ins",
)
CLOCK = text("SELECT CAST(extract(epoch FROM clock_timestamp()) AS bigint)")
COMPANIES = text(
    """
    SELECT o.id, min(m.user_id) FILTER (WHERE m.role = 'manager'),
           min(m.user_id) FILTER (WHERE m.role = 'door'), o.name
      FROM organisers o JOIN organiser_members m ON m.organiser_id = o.id
     GROUP BY o.id ORDER BY o.id
    """
)


def load(connection: Connection, world: LargeWorld, password_hash: str, tell: Tell) -> None:
    """Make a large world beside what is there, in the caller's transaction.

    Raises WorldDoesNotFit before anything is written, where there are more bookings than places.
    """
    # To plan the sales takes longer than a request may leave its transaction alone.
    connection.execute(text("SET LOCAL idle_in_transaction_session_timeout = 0"))
    now = int(connection.execute(CLOCK).scalar_one())
    catalogue = demo_large_catalogue.plan(
        world,
        now - now % 3600,
        firsts=_firsts(connection),
        known=[Company(*facts) for facts in connection.execute(COMPANIES)],
        password_hash=password_hash,
    )
    sales = demo_large_sales.plan(catalogue, now=now, tell=tell)
    with without_indexes(connection, LARGE_TABLES, tell):
        demo_large_writer.write(connection, catalogue, tell)
        demo_large_bookings.write(connection, sales, tell)
        connection.execute(text("ANALYZE"))
    _let_ids_go_on(connection)


def tidy_up(tell: Tell) -> None:
    """Have the database look over what was loaded, as it would by itself some time later."""
    with db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("SET statement_timeout = 0"))
        for done, table in enumerate(LARGE_TABLES):
            tell("tidied up", done, len(LARGE_TABLES))
            connection.execute(text(f"VACUUM (ANALYZE) {table}"))
        connection.invalidate()  # its settings must not reach a request
    tell("tidied up", len(LARGE_TABLES), len(LARGE_TABLES))


def _firsts(connection: Connection) -> dict[str, int]:
    """The first free id of every table."""
    return {
        table.name: 1 + (connection.scalar(select(func.max(table.c.id))) or 0)
        for table in _with_ids()
    }


def _let_ids_go_on(connection: Connection) -> None:
    """Have the database count on from the ids that were given here."""
    for table in _with_ids():
        sequence = func.pg_get_serial_sequence(table.name, "id")
        last = select(func.max(table.c.id)).scalar_subquery()
        connection.execute(select(func.setval(sequence, func.coalesce(last, 1), last.is_not(None))))


def _with_ids() -> list[Table]:
    return [table for table in Base.metadata.sorted_tables if "id" in table.columns]
