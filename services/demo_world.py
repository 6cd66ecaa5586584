"""The demo world's halls, companies and people; what they put on is in demo_programme.

The halls are real, with their real capacities, addresses and clocks; their seat maps are in the
likeness of the real ones, and hold no more. The people and the companies are made up.
"""

from dataclasses import dataclass
from string import ascii_uppercase
from typing import Any

from models.layout import WantedSection
from models.user import Role
from services.demo_maps import (
    arc,
    behind,
    bowl,
    box,
    seated,
    sides,
    stage,
    standing,
    tables,
    turned,
)


@dataclass(frozen=True)
class Hall:
    """A venue that everyone shares."""

    name: str
    address: str
    city: str
    country: str
    latitude: float
    longitude: float
    time_zone: str
    capacity: int
    sections: tuple[WantedSection, ...]
    stage: dict[str, Any] | None = None


@dataclass(frozen=True)
class Person:
    """Somebody with a name and an e-mail address; with a role, also with an account."""

    name: str
    email: str
    role: Role | None = None
    phone: str | None = None
    user_name: str | None = None
    verified: bool = True
    banned: bool = False


@dataclass(frozen=True)
class Company:
    """An organiser and who works for it."""

    name: str
    email: str
    phone: str
    website: str
    description: str
    owner: Person
    manager: Person
    door: Person
    applies_with: str | None = None  # its note, where an admin has yet to look; else verified
    invites: str | None = None  # to work at its doors


HALLS = {
    "KICC": Hall(
        name="Kenyatta International Convention Centre, Plenary Hall",
        address="Harambee Avenue, City Square",
        city="Nairobi",
        country="KE",
        latitude=-1.28861,
        longitude=36.82306,
        time_zone="Africa/Nairobi",
        capacity=4_000,
        sections=(standing("Floor", 4_000, box(-30, 3, 60, 65)),),
        stage=stage(30, 8),
    ),
    "Opera House": Hall(
        name="Sydney Opera House, Concert Hall",
        address="Bennelong Point, Sydney NSW 2000",
        city="Sydney",
        country="AU",
        latitude=-33.8568,
        longitude=151.2153,
        time_zone="Australia/Sydney",
        capacity=2_679,
        sections=(
            seated("Stalls", range(36, 60), arc(6, flatter=6), aisles=2, wheelchairs=-1),
            seated("Circle", range(40, 58), arc(38, flatter=2), aisles=2, wheelchairs=0),
            seated("Boxes", [36] * 10, sides(37, 6), aisles=1),
            seated("Choir", [34] * 9, behind(14), aisles=1),
        ),
        stage=stage(34, 12),
    ),
    "Albert Hall": Hall(
        name="Royal Albert Hall",
        address="Kensington Gore, South Kensington, London SW7 2AP",
        city="London",
        country="GB",
        latitude=51.5010,
        longitude=-0.1774,
        time_zone="Europe/London",
        capacity=5_272,
        sections=(
            standing("Arena", 1_000, box(-20, 3, 40, 21)),
            seated("Stalls", range(72, 86), arc(34), aisles=4, wheelchairs=0),
            seated("Circle", [100] * 8, arc(54), aisles=4),
            standing("Gallery", 500, box(-40, 68, 80, 4)),
        ),
        stage=stage(30, 12),
    ),
    "Paradiso": Hall(
        name="Paradiso",
        address="Weteringschans 6-8, 1017 SG Amsterdam",
        city="Amsterdam",
        country="NL",
        latitude=52.3622,
        longitude=4.8839,
        time_zone="Europe/Amsterdam",
        capacity=1_500,
        sections=(
            standing("Main Hall", 1_250, box(-15, 3, 30, 35)),
            standing("Small Hall", 250, box(22, 3, 14, 16)),
        ),
        stage=stage(16, 7),
    ),
    "Garden": Hall(
        name="Madison Square Garden",
        address="4 Pennsylvania Plaza, New York, NY 10001",
        city="New York",
        country="US",
        latitude=40.7505,
        longitude=-73.9934,
        time_zone="America/New_York",
        capacity=20_789,
        sections=(
            standing("Floor", 2_500, box(-20, 4, 40, 62)),
            seated("Section 101", range(16, 40), turned(0, 76, 0), aisles=1, wheelchairs=-1),
            *bowl(
                [f"Section {number}" for number in range(102, 118)],
                [15, 15, 16, 16, 17, 17, 18, 18, 19, 19],
                across=52,
                deep=70,
                middle=50,
            ),
            tables("VIP Terrace", count=12, seats=6, at=(-22, 69)),
        ),
        stage=stage(36, 12),
    ),
    "Budokan": Hall(
        name="日本武道館 (Nippon Budokan)",
        address="2-3 Kitanomaru-koen, Chiyoda-ku, Tokyo 102-8321",
        city="東京 (Tokyo)",
        country="JP",
        latitude=35.6933,
        longitude=139.7498,
        time_zone="Asia/Tokyo",
        capacity=14_471,
        sections=(seated("Arena", [75] * 24, arc(8, flatter=6), aisles=4, wheelchairs=-1),),
        stage=stage(30, 10),
    ),
    "Maracanã": Hall(
        name="Estádio do Maracanã",
        address="Av. Presidente Castelo Branco, Portão 3, Maracanã",
        city="Rio de Janeiro",
        country="BR",
        latitude=-22.9121,
        longitude=-43.2302,
        time_zone="America/Sao_Paulo",
        capacity=78_838,
        sections=(
            standing("Pista", 30_000, box(-40, 5, 80, 100)),
            standing("Arquibancada", 48_838, box(-60, 112, 120, 40)),
        ),
        stage=stage(60, 20),
    ),
    "Accor Stadium": Hall(
        name="Accor Stadium",
        address="Edwin Flack Avenue, Sydney Olympic Park NSW 2127",
        city="Sydney",
        country="AU",
        latitude=-33.8471,
        longitude=151.0634,
        time_zone="Australia/Sydney",
        capacity=83_500,
        sections=(
            standing("Field", 20_000, box(-40, 5, 80, 110)),
            *bowl(
                [f"Section {letter}" for letter in ascii_uppercase[:20]],
                [22] * 20,
                across=100,
                deep=118,
                middle=80,
            ),
            seated("VIP", [40] * 5, turned(0, 118, 0), aisles=1, wheelchairs=-1),
            standing("General Admission", 54_500, box(-90, 226, 180, 30)),
        ),
        stage=stage(70, 25),
    ),
}

ADMIN = Person("Njeri Odhiambo", "admin@gigmate.example", Role.ADMIN, user_name="njeri")
ATTENDEE = Person(
    "Aroha Ngata", "attendee@gigmate.example", Role.ATTENDEE, "+64 21 555 0114", "aroha"
)


def _staff(user_name: str, name: str, email: str) -> Person:
    return Person(name, email, Role.ORGANISER, user_name=user_name)


def _buyer(user_name: str, name: str, **more: Any) -> Person:
    address = f"{user_name}@buyers.example"
    return Person(name, address, Role.ATTENDEE, user_name=user_name, **more)


COMPANIES = {
    "Nyota": Company(
        name="Nyota Live",
        email="office@nyotalive.example",
        phone="+254 20 555 0100",
        website="https://nyotalive.example",
        description="East African sound, wherever there is a stage.",
        owner=_staff("wanjiku", "Wanjikũ Kamau", "organiser@gigmate.example"),
        manager=_staff("tomas", "Tomás Ó Briain", "manager@gigmate.example"),
        door=_staff("zanele", "Zanele Dlamini", "door@gigmate.example"),
        invites="stagehand@gigmate.example",
    ),
    "Kensington": Company(
        name="Kensington Nights Ltd",
        email="hello@kensingtonnights.example",
        phone="+44 20 5550 0123",
        website="https://kensingtonnights.example",
        description="Chamber music after dark.",
        owner=_staff("oluwaseun", "Olúwaṣeun Adébáyọ̀", "owner@kensingtonnights.example"),
        manager=_staff("sian", "Siân Llewellyn", "manager@kensingtonnights.example"),
        door=_staff("mateusz", "Mateusz Żółkiewski", "door@kensingtonnights.example"),
    ),
    "Hudson": Company(
        name="Hudson & Daughters",
        email="box.office@hudsondaughters.example",
        phone="+1 212 555 0147",
        website="https://hudsondaughters.example",
        description="Family promoters since 1974.",
        owner=_staff("dolores", "Dolores Hudson", "owner@hudsondaughters.example"),
        manager=_staff("minh.anh", "Nguyễn Thị Minh Anh", "manager@hudsondaughters.example"),
        door=_staff("deshawn", "DeShawn O’Connor", "door@hudsondaughters.example"),
    ),
    "Hinode": Company(
        name="日の出プロモーション (Hinode Promotion)",
        email="info@hinode.example",
        phone="+81 3 5550 0188",
        website="https://hinode.example",
        description="ロックとアイドルのライブ制作。",
        owner=_staff("misaki", "佐藤 美咲", "owner@hinode.example"),
        manager=_staff("seoyeon", "김 서연", "manager@hinode.example"),
        door=_staff("ren", "高橋 蓮", "door@hinode.example"),
    ),
    "Maré": Company(
        name="Maré Alta Produções",
        email="contato@marealta.example",
        phone="+55 21 5550 0190",
        website="https://marealta.example",
        description="Estádios, praias e muita gente.",
        owner=_staff("joao", "João Gonçalves", "owner@marealta.example"),
        manager=_staff("lucia", "Lucía Fernández Ibáñez", "manager@marealta.example"),
        door=_staff("kaua", "Kauã Araújo", "door@marealta.example"),
        applies_with="Estamos no CNPJ como Maré Alta Produções Ltda.",
    ),
}

BUYERS = (
    ATTENDEE,
    _buyer("priya", "Priya Raghunathan", phone="+91 98 5550 0133"),
    _buyer("soren", "Søren Ærø"),
    _buyer("mohammed", "محمد الفارسي"),
    _buyer("lucja", "Łucja Wójcik"),
)
# Accounts that have bought nothing: one whose address is not verified, and one that is banned.
LOOKERS = (
    _buyer("tommy", "Tommy Adeyemi"),
    _buyer("amy", "Amy Lindqvist", verified=False),
    _buyer("front.row", "Vito Scalper", banned=True),
)
GUESTS = (
    Person("Asha Mwangi", "asha@guests.example", phone="+254 700 555 014"),
    Person("王小明", "xiaoming@guests.example"),
    Person("Anaïs Dupré", "anais@guests.example"),
    Person("Jürgen Müßig", "juergen@guests.example"),
    Person("Siobhán Ní Mhurchú", "siobhan@guests.example"),
    Person("Ebru Yıldız", "ebru@guests.example"),
    Person("Дмитро Шевченко", "dmytro@guests.example"),
    Person("Kwame Asante-Boateng", "kwame@guests.example"),
    Person("ʻIolani Kealoha", "iolani@guests.example"),
    Person("Δήμητρα Παπαδοπούλου", "dimitra@guests.example"),
    Person("Camila Núñez", "camila@guests.example"),
    Person("สมชาย ใจดี", "somchai@guests.example"),
)
