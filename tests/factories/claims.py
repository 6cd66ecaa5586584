"""Places that somebody has, written as rows: what a booking leaves behind."""

from sqlalchemy import select, update

from init import db
from models import Booking, BookingLine, BookingStatus, Place, Stock, Ticket, TicketStatus
from tests.factories.sales import booked


def claim(stock: Stock, quantity: int = 1, state: str = "confirmed", seats=None) -> Booking:
    """`quantity` places of `stock`, or its named seats, in a booking in that state."""
    booking = booked(stock.show, state)
    line = BookingLine(
        booking_id=booking.id,
        show_id=stock.show_id,
        quantity=quantity,
        unit_amount=0,
        currency=booking.currency,
    )
    db.session.add(line)
    db.session.flush()
    places = select(Place.id).where(Place.stock_id == stock.id, Place.booking_id.is_(None))
    if seats is not None:
        places = places.where(Place.key.in_(seats))
    chosen = db.session.scalars(places.order_by(Place.ordinal).limit(quantity)).all()
    assert len(chosen) == quantity
    db.session.execute(
        update(Place)
        .where(Place.id.in_(chosen))
        .values(booking_id=booking.id, line_id=line.id)
        .execution_options(synchronize_session=False)
    )
    db.session.commit()
    db.session.expire_all()
    return booking


def cancelled_ticket(stock: Stock) -> Ticket:
    """The void ticket of a cancelled booking, whose place is free again."""
    booking = claim(stock, 1, "confirmed")
    place = db.session.scalars(select(Place).where(Place.booking_id == booking.id)).one()
    ticket = Ticket(
        show_id=stock.show_id,
        booking_id=booking.id,
        line_id=place.line_id,
        place_id=place.id,
        ticket_holder_id=booking.ticket_holder_id,
        code=f"VOID-{place.id}",
        status=TicketStatus.VOID,
    )
    db.session.add(ticket)
    booking.status = BookingStatus.CANCELLED
    place.booking_id = place.line_id = None
    db.session.commit()
    return ticket
