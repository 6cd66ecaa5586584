"""choose seats

Seat maps by name, with coordinates and what seats are like; prices with limits, stocks that are
released, and places that tell in which transaction they changed. `places` is written anew, so
nobody books meanwhile. Seats get the numbers of their map as ordinals, with gaps between the rows.

Revision ID: 0004
Revises: 0003
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

RELEASE = "(release_at IS NULL) = (release_tier_id IS NULL)"
DEFAULT = "deleted_at IS NULL OR NOT is_default"

# As models.layout.seats_of counts: from 1 in each section, one more at the end of a row.
COUNT_ANEW = """
    WITH placed AS (
        SELECT id, section_id, "row",
               row_number() OVER (PARTITION BY section_id ORDER BY position) AS nth,
               min(position) OVER (PARTITION BY section_id, "row") AS begins
          FROM map_seats),
    counted AS (
        SELECT id, section_id, "row",
               nth + dense_rank() OVER (PARTITION BY section_id ORDER BY begins) - 1 AS at,
               dense_rank() OVER (PARTITION BY section_id ORDER BY begins) AS depth
          FROM placed),
    measured AS (
        SELECT id, at, depth, 2 * at - min(at) OVER (PARTITION BY section_id, "row")
                            - max(at) OVER (PARTITION BY section_id, "row") AS off_centre
          FROM counted)
    UPDATE map_seats m
       SET position = c.at, off_centre = c.off_centre, x = c.off_centre / 2.0, y = c.depth
      FROM measured c WHERE c.id = m.id
"""
COPY_TO_PLACES = """
    UPDATE places p SET ordinal = m.position, off_centre = m.off_centre
      FROM stocks k JOIN map_seats m ON m.section_id = k.section_id
     WHERE k.id = p.stock_id AND p.key IS NOT NULL AND m."row" = p."row" AND m.number = p.number
"""


# A venue of 0003 has one map, unless it has been here before: then the current one is the default.
MANY_MAPS = (
    """
    UPDATE seat_maps SET is_default = true
     WHERE id IN (SELECT DISTINCT ON (venue_id) seat_map_id FROM seat_map_versions
                   WHERE replaced_at IS NULL ORDER BY venue_id, id DESC)
    """,
    """
    UPDATE seat_map_versions v SET replaced_at = NULL
     WHERE number = (SELECT max(number) FROM seat_map_versions w
                      WHERE w.seat_map_id = v.seat_map_id)
    """,
    """
    UPDATE seat_map_versions v SET name = m.name
      FROM seat_maps m WHERE m.id = v.seat_map_id AND m.name <> v.name
    """,
)
# What 0003 has no word for: a table becomes a row, and a venue has its default map alone. Shows that
# pin another one keep it.
FEWER_WORDS = (
    "UPDATE sections SET kind = 'seated' WHERE kind = 'tables'",
    "UPDATE stocks SET kind = 'seated' WHERE kind = 'tables'",
    """
    UPDATE seat_map_versions v SET replaced_at = now()
      FROM seat_maps m WHERE m.id = v.seat_map_id AND NOT m.is_default AND v.replaced_at IS NULL
    """,
    "UPDATE seat_maps SET name = name || ' ' || id WHERE deleted_at IS NOT NULL",
)


class Xid8(sa.types.UserDefinedType[str]):
    cache_ok = True

    def get_col_spec(self, **_kwargs: object) -> str:
        return "xid8"


def upgrade() -> None:
    _kinds("'standing', 'seated', 'tables'")
    op.create_table(
        "section_limits",
        sa.Column("show_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("section_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("max_places", sa.BigInteger(), nullable=True),
        sa.Column("max_per_buyer", sa.BigInteger(), nullable=True),
        sa.Column(
            "set_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
        ),
        sa.CheckConstraint("max_per_buyer >= 1", name=op.f("ck_section_limits_max_per_buyer")),
        sa.CheckConstraint("max_places >= 0", name=op.f("ck_section_limits_max_places")),
        sa.CheckConstraint(
            "num_nonnulls(max_places, max_per_buyer) > 0",
            name=op.f("ck_section_limits_limits_something"),
        ),
        sa.ForeignKeyConstraint(
            ["section_id"], ["sections.id"], name=op.f("fk_section_limits_section_id_sections")
        ),
        sa.ForeignKeyConstraint(
            ["show_id"], ["shows.id"], name=op.f("fk_section_limits_show_id_shows")
        ),
        sa.PrimaryKeyConstraint("show_id", "section_id", name=op.f("pk_section_limits")),
    )
    with op.batch_alter_table("section_limits", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_section_limits_section_id"), ["section_id"], unique=False
        )

    with op.batch_alter_table("bookings", schema=None) as batch_op:
        batch_op.add_column(sa.Column("settled_in", Xid8(), nullable=True))
        batch_op.create_index(
            "ix_bookings_settled_in",
            ["show_id", "settled_in"],
            unique=False,
            postgresql_where=sa.text("settled_in IS NOT NULL"),
        )

    with op.batch_alter_table("booking_lines", schema=None) as batch_op:
        batch_op.drop_index("ix_booking_lines_tier_id")
        batch_op.create_index("ix_booking_lines_tier_id", ["tier_id", "price_id"], unique=False)

    with op.batch_alter_table("map_seats", schema=None) as batch_op:
        batch_op.add_column(
            sa.Column("off_centre", sa.SmallInteger(), server_default="0", nullable=False)
        )
        batch_op.add_column(sa.Column("x", sa.Double(), server_default="0", nullable=False))
        batch_op.add_column(sa.Column("y", sa.Double(), server_default="0", nullable=False))
        batch_op.add_column(
            sa.Column(
                "kind",
                sa.Enum(
                    "accessible",
                    "companion",
                    name="seatkind",
                    native_enum=False,
                    create_constraint=True,
                    length=32,
                ),
                nullable=True,
            )
        )
        batch_op.add_column(
            sa.Column("restricted_view", sa.Boolean(), server_default="false", nullable=False)
        )

    with op.batch_alter_table("places", schema=None) as batch_op:
        batch_op.add_column(sa.Column("off_centre", sa.SmallInteger(), nullable=True))
        batch_op.add_column(
            sa.Column(
                "seat_kind",
                sa.Enum(
                    "accessible",
                    "companion",
                    name="seatkind",
                    native_enum=False,
                    create_constraint=True,
                    length=32,
                ),
                nullable=True,
            )
        )
        batch_op.add_column(
            sa.Column(
                "changed_in", Xid8(), server_default=sa.text("pg_current_xact_id()"), nullable=False
            )
        )
        batch_op.create_index(
            "ix_places_changed_in",
            ["show_id", "changed_in"],
            unique=False,
            postgresql_where=sa.text("key IS NOT NULL"),
        )

    with op.batch_alter_table("prices", schema=None) as batch_op:
        batch_op.add_column(sa.Column("max_per_booking", sa.BigInteger(), nullable=True))
        batch_op.add_column(sa.Column("capacity", sa.BigInteger(), nullable=True))
        batch_op.add_column(
            sa.Column(
                "audience",
                sa.Enum(
                    "anyone",
                    "signed_in",
                    "desk",
                    name="priceaudience",
                    native_enum=False,
                    create_constraint=True,
                    length=32,
                ),
                server_default="anyone",
                nullable=False,
            )
        )
        batch_op.add_column(sa.Column("eligibility", sa.Text(), nullable=True))

    with op.batch_alter_table("seat_map_versions", schema=None) as batch_op:
        batch_op.add_column(sa.Column("name", sa.Text(), server_default="Main", nullable=False))
        batch_op.add_column(sa.Column("note", sa.Text(), nullable=True))
        batch_op.add_column(
            sa.Column(
                "stage", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=True
            )
        )

    with op.batch_alter_table("seat_maps", schema=None) as batch_op:
        batch_op.add_column(
            sa.Column("is_default", sa.Boolean(), server_default="false", nullable=False)
        )
        batch_op.add_column(sa.Column("deleted_at", sa.DateTime(timezone=True), nullable=True))
        batch_op.add_column(
            sa.Column("version", sa.BigInteger(), server_default="1", nullable=False)
        )
        batch_op.drop_constraint(batch_op.f("uq_seat_maps_venue_id_name"), type_="unique")
        batch_op.create_index(
            "uq_seat_maps_venue_id_name",
            ["venue_id", "name"],
            unique=True,
            postgresql_where=sa.text("deleted_at IS NULL"),
        )
        batch_op.create_index(
            "uq_seat_maps_default",
            ["venue_id"],
            unique=True,
            postgresql_where=sa.text("is_default"),
        )

    with op.batch_alter_table("sections", schema=None) as batch_op:
        batch_op.add_column(
            sa.Column(
                "outline", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=True
            )
        )

    with op.batch_alter_table("shows", schema=None) as batch_op:
        batch_op.add_column(
            sa.Column("avoid_single_seats", sa.Boolean(), server_default="false", nullable=False)
        )

    with op.batch_alter_table("stocks", schema=None) as batch_op:
        batch_op.add_column(sa.Column("release_tier_id", sa.BigInteger(), nullable=True))
        batch_op.add_column(sa.Column("release_at", sa.DateTime(timezone=True), nullable=True))
        batch_op.create_foreign_key(
            "fk_stocks_release_tier", "tiers", ["release_tier_id", "show_id"], ["id", "show_id"]
        )

    op.create_check_constraint("release_is_whole", "stocks", RELEASE)
    op.create_check_constraint("max_per_booking", "prices", "max_per_booking >= 1")
    op.create_check_constraint("capacity", "prices", "capacity >= 0")
    op.create_check_constraint("default_is_there", "seat_maps", DEFAULT)
    for statement in MANY_MAPS:
        op.execute(statement)
    op.execute(COUNT_ANEW)
    op.execute(COPY_TO_PLACES)


def downgrade() -> None:
    for statement in FEWER_WORDS:
        op.execute(statement)
    with op.batch_alter_table("stocks", schema=None) as batch_op:
        batch_op.drop_constraint("fk_stocks_release_tier", type_="foreignkey")
        batch_op.drop_column("release_at")
        batch_op.drop_column("release_tier_id")

    with op.batch_alter_table("shows", schema=None) as batch_op:
        batch_op.drop_column("avoid_single_seats")

    with op.batch_alter_table("sections", schema=None) as batch_op:
        batch_op.drop_column("outline")

    with op.batch_alter_table("seat_maps", schema=None) as batch_op:
        batch_op.drop_index("uq_seat_maps_default", postgresql_where=sa.text("is_default"))
        batch_op.drop_index(
            "uq_seat_maps_venue_id_name", postgresql_where=sa.text("deleted_at IS NULL")
        )
        batch_op.create_unique_constraint(
            batch_op.f("uq_seat_maps_venue_id_name"), ["venue_id", "name"]
        )
        batch_op.drop_column("version")
        batch_op.drop_column("deleted_at")
        batch_op.drop_column("is_default")

    with op.batch_alter_table("seat_map_versions", schema=None) as batch_op:
        batch_op.drop_column("stage")
        batch_op.drop_column("note")
        batch_op.drop_column("name")

    with op.batch_alter_table("prices", schema=None) as batch_op:
        batch_op.drop_column("eligibility")
        batch_op.drop_column("audience")
        batch_op.drop_column("capacity")
        batch_op.drop_column("max_per_booking")

    with op.batch_alter_table("places", schema=None) as batch_op:
        batch_op.drop_index("ix_places_changed_in", postgresql_where=sa.text("key IS NOT NULL"))
        batch_op.drop_column("changed_in")
        batch_op.drop_column("seat_kind")
        batch_op.drop_column("off_centre")

    with op.batch_alter_table("map_seats", schema=None) as batch_op:
        batch_op.drop_column("restricted_view")
        batch_op.drop_column("kind")
        batch_op.drop_column("y")
        batch_op.drop_column("x")
        batch_op.drop_column("off_centre")

    with op.batch_alter_table("booking_lines", schema=None) as batch_op:
        batch_op.drop_index("ix_booking_lines_tier_id")
        batch_op.create_index("ix_booking_lines_tier_id", ["tier_id"], unique=False)

    with op.batch_alter_table("bookings", schema=None) as batch_op:
        batch_op.drop_index(
            "ix_bookings_settled_in", postgresql_where=sa.text("settled_in IS NOT NULL")
        )
        batch_op.drop_column("settled_in")

    with op.batch_alter_table("section_limits", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_section_limits_section_id"))

    op.drop_table("section_limits")
    _kinds("'standing', 'seated'")


def _kinds(known: str) -> None:
    for table in ("sections", "stocks"):
        op.drop_constraint(op.f(f"ck_{table}_sectionkind"), table, type_="check")
        op.create_check_constraint(op.f(f"ck_{table}_sectionkind"), table, f"kind IN ({known})")
