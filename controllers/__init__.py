"""The API's table of contents: which file serves which paths, by area."""

from controllers.account_controller import account_bp
from controllers.api_key_controller import api_keys_bp
from controllers.audit_controller import audit_bp
from controllers.auth_controller import auth_bp
from controllers.availability_controller import availability_bp
from controllers.booking_controller import bookings_bp
from controllers.door_controller import door_bp
from controllers.event_controller import events_bp
from controllers.health_controller import health_bp
from controllers.invitation_controller import invitations_bp
from controllers.moderation_controller import moderation_bp
from controllers.organiser_controller import organisers_bp
from controllers.problem_controller import problems_bp
from controllers.relocation_controller import relocations_bp
from controllers.seat_controller import seats_bp
from controllers.seat_map_controller import seat_maps_bp
from controllers.seat_map_view_controller import seat_map_view_bp
from controllers.show_controller import shows_bp
from controllers.stock_controller import stocks_bp
from controllers.ticket_holder_controller import ticket_holders_bp
from controllers.tier_controller import tiers_bp
from controllers.user_controller import users_bp
from controllers.venue_controller import venues_bp

BLUEPRINTS = (
    # Who you are
    auth_bp,
    account_bp,
    users_bp,
    api_keys_bp,
    # The catalogue
    venues_bp,
    seat_maps_bp,
    organisers_bp,
    invitations_bp,
    events_bp,
    shows_bp,
    moderation_bp,
    # What is for sale
    stocks_bp,
    tiers_bp,
    availability_bp,
    seats_bp,
    seat_map_view_bp,
    relocations_bp,
    # Selling
    ticket_holders_bp,
    bookings_bp,
    # The door
    door_bp,
    # Who did what
    audit_bp,
    # Plumbing
    health_bp,
    problems_bp,
)
