"""relocate shows

Plans for moving what a show has sold to another hall. Two new tables; nobody waits for them.

Revision ID: 0005
Revises: 0004
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def _word(name: str, *values: str) -> sa.Enum:
    return sa.Enum(*values, name=name, native_enum=False, create_constraint=True, length=32)


def upgrade() -> None:
    op.create_table(
        "relocations",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("show_id", sa.BigInteger(), nullable=False),
        sa.Column(
            "status",
            _word("relocationstatus", "planned", "applied", "given_up"),
            nullable=False,
        ),
        sa.Column("from_version_id", sa.BigInteger(), nullable=True),
        sa.Column("to_version_id", sa.BigInteger(), nullable=False),
        sa.Column("from_venue_id", sa.BigInteger(), nullable=True),
        sa.Column("to_venue_id", sa.BigInteger(), nullable=False),
        sa.Column(
            "sections",
            postgresql.JSONB(astext_type=sa.Text()),
            server_default="{}",
            nullable=False,
        ),
        sa.Column("unplaced", _word("unplaced", "refuse", "cancel"), nullable=False),
        sa.Column(
            "summary",
            postgresql.JSONB(astext_type=sa.Text()),
            server_default="{}",
            nullable=False,
        ),
        sa.Column("applied_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.Column(
            "updated_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.ForeignKeyConstraint(
            ["show_id"], ["shows.id"], name=op.f("fk_relocations_show_id_shows")
        ),
        sa.ForeignKeyConstraint(
            ["from_version_id"],
            ["seat_map_versions.id"],
            name=op.f("fk_relocations_from_version_id_seat_map_versions"),
        ),
        sa.ForeignKeyConstraint(
            ["to_version_id"],
            ["seat_map_versions.id"],
            name=op.f("fk_relocations_to_version_id_seat_map_versions"),
        ),
        sa.ForeignKeyConstraint(
            ["from_venue_id"], ["venues.id"], name=op.f("fk_relocations_from_venue_id_venues")
        ),
        sa.ForeignKeyConstraint(
            ["to_venue_id"], ["venues.id"], name=op.f("fk_relocations_to_venue_id_venues")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_relocations")),
    )
    op.create_index("ix_relocations_show_id", "relocations", ["show_id", "id"], unique=False)
    op.create_index(
        "uq_relocations_planned",
        "relocations",
        ["show_id"],
        unique=True,
        postgresql_where=sa.text("status = 'planned'"),
    )
    op.create_table(
        "relocation_moves",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("relocation_id", sa.BigInteger(), nullable=False),
        sa.Column("booking_id", sa.BigInteger(), nullable=False),
        sa.Column(
            "outcome",
            _word("outcome", "kept", "together", "split", "unplaced"),
            nullable=False,
        ),
        sa.Column("place_ids", postgresql.ARRAY(sa.BigInteger()), nullable=False),
        sa.Column("from_seats", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("to_seats", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.ForeignKeyConstraint(
            ["booking_id"], ["bookings.id"], name=op.f("fk_relocation_moves_booking_id_bookings")
        ),
        sa.ForeignKeyConstraint(
            ["relocation_id"],
            ["relocations.id"],
            name=op.f("fk_relocation_moves_relocation_id_relocations"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_relocation_moves")),
    )
    op.create_index(
        "ix_relocation_moves_relocation_id",
        "relocation_moves",
        ["relocation_id", "id"],
        unique=False,
    )


def downgrade() -> None:
    op.drop_table("relocation_moves")
    op.drop_table("relocations")
