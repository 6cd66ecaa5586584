"""list the bookings of a show

Newest first, and without reading everybody's. Nobody books while the index is being made: for a
million bookings that is a second or two.

Revision ID: 0002
Revises: 0001
"""

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("ix_bookings_show_id", "bookings", ["show_id", "id"])


def downgrade() -> None:
    op.drop_index("ix_bookings_show_id", "bookings")
