"""What has to be known of a show before anyone is shown its seats: who may see it, and its map."""

from dataclasses import dataclass
from datetime import datetime

from config import settings
from models.permissions import Permission, allowed
from models.values import Caller
from utils.errors import NotFound
from utils.statement import Statement
from utils.ttl_cache import TtlCache

SHOWS_REMEMBERED = 1000

FACTS = Statement(
    "seen_show",
    """
    SELECT s.id, s.version, e.organiser_id,
           e.published_at IS NOT NULL AND e.moderation IN ('not_required', 'approved') AS is_public,
           s.time_zone, s.seat_map_version_id AS map_id, v.created_at AS map_made_at,
           e.title, p.name AS venue, statement_timestamp() AS read_at
      FROM shows s JOIN events e ON e.id = s.event_id
      LEFT JOIN seat_map_versions v ON v.id = s.seat_map_version_id
      LEFT JOIN venues p ON p.id = s.venue_id
     WHERE s.id = :show_id
    """,
    alone=True,
)


@dataclass(frozen=True, slots=True)
class SeenShow:
    """A show as far as its seats are concerned; `map_id` is the version of a map that it pins."""

    id: int
    version: int
    organiser_id: int | None
    is_public: bool
    time_zone: str
    map_id: int | None
    map_made_at: datetime | None
    title: str
    venue: str | None
    read_at: datetime

    @property
    def map_path(self) -> str:
        """Where its map is; another map has another address, so that caches do not matter."""
        path = f"/shows/{self.id}/seat_map"
        return path if self.map_id is None else f"{path}?version={self.map_id}"


_recent: TtlCache[int, SeenShow | None] = TtlCache(
    lambda: settings.availability_seconds, largest=SHOWS_REMEMBERED
)


def find(show_id: int, *, caller: Caller) -> SeenShow:
    """A show that `caller` may see, as it is now."""
    return _visible(read(show_id), show_id, caller)


def find_recent(show_id: int, *, caller: Caller) -> SeenShow:
    """The same as it was at most settings.availability_seconds ago."""
    return _visible(_recent.get(show_id, lambda: read(show_id)), show_id, caller)


def read(show_id: int) -> SeenShow | None:
    """A show, whoever asks; None if there is none."""
    facts = FACTS.mapping(show_id=show_id)
    return SeenShow(**facts) if facts else None


def forget(show_id: int) -> None:
    """Look at a show anew when it is next wanted."""
    _recent.forget(show_id)


def is_staff(caller: Caller, show: SeenShow) -> bool:
    """Whether `caller` reads what is held and what is sold."""
    return allowed(caller, Permission.SALES_READ, show)


def _visible(show: SeenShow | None, show_id: int, caller: Caller) -> SeenShow:
    if show is None or not (
        show.is_public or caller.is_admin or show.organiser_id in caller.sees_drafts_of
    ):
        raise NotFound(f"There is no show {show_id}.")
    return show
