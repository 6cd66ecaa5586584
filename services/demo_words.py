"""Names for a large demo world, put together from lists: cities, halls, bands, companies, people.

The cities are real, with their clocks and currencies; everybody else is made up.
"""

import unicodedata
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class City:
    """Where halls are."""

    name: str
    country: str
    time_zone: str
    currency: str
    latitude: float
    longitude: float


@dataclass(frozen=True, slots=True)
class Somebody:
    """A buyer's name and what stands before the @ of their address."""

    name: str
    mailbox: str


def _cities(table: str) -> tuple[City, ...]:
    cities: list[City] = []
    for line in table.strip().splitlines():
        name, country, zone, currency, north, east = map(str.strip, line.split("|"))
        cities.append(City(name, country, zone, currency, float(north), float(east)))
    return tuple(cities)


CITIES = _cities(
    """
    Nairobi|KE|Africa/Nairobi|KES|-1.286|36.817
    Mombasa|KE|Africa/Nairobi|KES|-4.043|39.668
    Kampala|UG|Africa/Kampala|UGX|0.347|32.583
    Dar es Salaam|TZ|Africa/Dar_es_Salaam|TZS|-6.792|39.208
    Kigali|RW|Africa/Kigali|RWF|-1.944|30.062
    Lagos|NG|Africa/Lagos|NGN|6.524|3.379
    Accra|GH|Africa/Accra|GHS|5.604|-0.187
    Johannesburg|ZA|Africa/Johannesburg|ZAR|-26.204|28.047
    Cape Town|ZA|Africa/Johannesburg|ZAR|-33.925|18.424
    Cairo|EG|Africa/Cairo|EGP|30.044|31.236
    Casablanca|MA|Africa/Casablanca|MAD|33.573|-7.590
    Lisboa|PT|Europe/Lisbon|EUR|38.722|-9.139
    Porto|PT|Europe/Lisbon|EUR|41.158|-8.629
    London|GB|Europe/London|GBP|51.507|-0.128
    Manchester|GB|Europe/London|GBP|53.481|-2.242
    Glasgow|GB|Europe/London|GBP|55.864|-4.252
    Dublin|IE|Europe/Dublin|EUR|53.350|-6.260
    Paris|FR|Europe/Paris|EUR|48.857|2.352
    Lyon|FR|Europe/Paris|EUR|45.764|4.836
    Madrid|ES|Europe/Madrid|EUR|40.417|-3.704
    Barcelona|ES|Europe/Madrid|EUR|41.385|2.173
    Amsterdam|NL|Europe/Amsterdam|EUR|52.368|4.904
    Utrecht|NL|Europe/Amsterdam|EUR|52.091|5.122
    Bruxelles|BE|Europe/Brussels|EUR|50.850|4.352
    Berlin|DE|Europe/Berlin|EUR|52.520|13.405
    Hamburg|DE|Europe/Berlin|EUR|53.551|9.994
    Köln|DE|Europe/Berlin|EUR|50.938|6.960
    Wien|AT|Europe/Vienna|EUR|48.208|16.374
    Zürich|CH|Europe/Zurich|CHF|47.377|8.542
    Milano|IT|Europe/Rome|EUR|45.464|9.190
    Roma|IT|Europe/Rome|EUR|41.903|12.496
    København|DK|Europe/Copenhagen|DKK|55.676|12.568
    Stockholm|SE|Europe/Stockholm|SEK|59.329|18.069
    Oslo|NO|Europe/Oslo|NOK|59.914|10.752
    Helsinki|FI|Europe/Helsinki|EUR|60.170|24.938
    Reykjavík|IS|Atlantic/Reykjavik|ISK|64.147|-21.943
    Kraków|PL|Europe/Warsaw|PLN|50.065|19.945
    Praha|CZ|Europe/Prague|CZK|50.076|14.438
    Budapest|HU|Europe/Budapest|HUF|47.498|19.040
    București|RO|Europe/Bucharest|RON|44.427|26.103
    Αθήνα (Athens)|GR|Europe/Athens|EUR|37.984|23.728
    İstanbul|TR|Europe/Istanbul|TRY|41.008|28.978
    Dubai|AE|Asia/Dubai|AED|25.205|55.271
    Mumbai|IN|Asia/Kolkata|INR|19.076|72.878
    Bengaluru|IN|Asia/Kolkata|INR|12.972|77.595
    Colombo|LK|Asia/Colombo|LKR|6.927|79.861
    กรุงเทพฯ (Bangkok)|TH|Asia/Bangkok|THB|13.756|100.502
    Singapore|SG|Asia/Singapore|SGD|1.352|103.820
    Jakarta|ID|Asia/Jakarta|IDR|-6.209|106.846
    Manila|PH|Asia/Manila|PHP|14.600|120.984
    香港 (Hong Kong)|HK|Asia/Hong_Kong|HKD|22.319|114.169
    台北 (Taipei)|TW|Asia/Taipei|TWD|25.033|121.565
    서울 (Seoul)|KR|Asia/Seoul|KRW|37.567|126.978
    大阪 (Osaka)|JP|Asia/Tokyo|JPY|34.694|135.502
    東京 (Tokyo)|JP|Asia/Tokyo|JPY|35.690|139.692
    Perth|AU|Australia/Perth|AUD|-31.951|115.861
    Melbourne|AU|Australia/Melbourne|AUD|-37.814|144.963
    Sydney|AU|Australia/Sydney|AUD|-33.869|151.209
    Auckland|NZ|Pacific/Auckland|NZD|-36.849|174.763
    Honolulu|US|Pacific/Honolulu|USD|21.307|-157.858
    Seattle|US|America/Los_Angeles|USD|47.606|-122.332
    Los Angeles|US|America/Los_Angeles|USD|34.052|-118.244
    Denver|US|America/Denver|USD|39.739|-104.990
    Chicago|US|America/Chicago|USD|41.878|-87.630
    New Orleans|US|America/Chicago|USD|29.951|-90.072
    New York|US|America/New_York|USD|40.713|-74.006
    Toronto|CA|America/Toronto|CAD|43.653|-79.383
    Montréal|CA|America/Toronto|CAD|45.502|-73.567
    Ciudad de México|MX|America/Mexico_City|MXN|19.433|-99.133
    Bogotá|CO|America/Bogota|COP|4.711|-74.072
    Lima|PE|America/Lima|PEN|-12.046|-77.043
    Santiago|CL|America/Santiago|CLP|-33.449|-70.669
    Buenos Aires|AR|America/Argentina/Buenos_Aires|ARS|-34.604|-58.382
    São Paulo|BR|America/Sao_Paulo|BRL|-23.551|-46.633
    Rio de Janeiro|BR|America/Sao_Paulo|BRL|-22.907|-43.173
    """
)

# What a place that costs a euro costs there, in minor units, and to what prices are rounded.
EURO = {
    "AED": (430, 500),
    "ARS": (100_000, 100_000),
    "AUD": (165, 500),
    "BRL": (600, 500),
    "CAD": (150, 500),
    "CHF": (95, 500),
    "CLP": (1_000, 500),
    "COP": (450_000, 500_000),
    "CZK": (2_500, 5_000),
    "DKK": (750, 1_000),
    "EGP": (5_500, 5_000),
    "EUR": (100, 50),
    "GBP": (85, 50),
    "GHS": (1_500, 1_000),
    "HKD": (850, 1_000),
    "HUF": (40_000, 10_000),
    "IDR": (1_800_000, 1_000_000),
    "INR": (9_500, 5_000),
    "ISK": (150, 100),
    "JPY": (165, 100),
    "KES": (14_000, 10_000),
    "KRW": (1_550, 1_000),
    "LKR": (33_000, 10_000),
    "MAD": (1_080, 1_000),
    "MXN": (2_000, 1_000),
    "NGN": (170_000, 100_000),
    "NOK": (1_150, 1_000),
    "NZD": (185, 500),
    "PEN": (410, 500),
    "PHP": (6_300, 5_000),
    "PLN": (430, 500),
    "RON": (500, 500),
    "RWF": (1_500, 500),
    "SEK": (1_130, 1_000),
    "SGD": (145, 100),
    "THB": (3_900, 5_000),
    "TRY": (4_200, 5_000),
    "TWD": (3_500, 5_000),
    "TZS": (280_000, 100_000),
    "UGX": (4_100, 1_000),
    "USD": (108, 50),
    "ZAR": (2_000, 1_000),
}

HALL_NAMES = """Foundry Lantern Orpheum Meridian Granary Tramshed Observatory Palace Empire Alhambra
    Rialto Paragon Lyric Apollo Corona Odeon Bellevue Harbour Mill Union Garrison Station Atlas
    Roundhouse Brewery Glasshouse Cistern Conservatory Arsenal Tabernacle Exchange Boiler
    Signal Crescent Pavilion Ferry Quarry Cathedral Cellar Beacon Halcyon""".split()
HALL_KINDS = "Hall Theatre Club Rooms Stage Works Playhouse Ballroom Social Auditorium".split()
COMPANY_NAMES = """Magpie Northwind Baobab Tidewater Zenith Lowlands Saffron Copper Kite Marula
    Ember Juniper Solstice Harmattan Delta Moth Cinnabar Rookery Fjord Mango Monsoon Basalt
    Perihelion Tulip Quetzal Ochre Lodestar Larkspur Jacaranda Ironwood Kestrel Bluebell Cumulus
    Obsidian Papaya Galena Heron Sandpiper""".split()
COMPANY_KINDS = (
    "Live|Presents|Concerts|Promotions|& Daughters|Kulturbüro|Produções|Spectacles|Touring|"
    "Music Co.|Agency|Nights"
).split("|")
ADJECTIVES = """Velvet Paper Midnight Electric Silver Hollow Distant Northern Crimson Quiet Restless
    Golden Broken Marble Lunar Wild Tender Feral Amber Invisible Borrowed Salt Concrete Neon Gentle
    Burning Frozen Reluctant Magnetic Second Plastic Honest Hungry Wandering Ultraviolet Last
    Unlikely Sleepless Holy Ordinary""".split()
NOUNS = """Tigers Harbours Satellites Foxes Oceans Mirrors Engines Orchards Astronauts Librarians
    Lanterns Wolves Machines Sisters Gardens Cathedrals Radios Swans Pilots Strangers Thieves
    Carpenters Herons Avalanches Postcards Echoes Elephants Umbrellas Cosmonauts Matadors Weathermen
    Rivers Sparrows Ghosts Bicycles Tailors Violets Comets Dancers Prophets""".split()
TOURS = (
    "The World Tour|Live at Last|Unplugged|The Long Way Home|Twenty Years On|Acoustic Nights|"
    "One More Time|The Album in Full|A Night In|Loud and Clear|The Farewell|First Light|"
    "Letters from the Road|Under the Stars|The Winter Tour|Back Where We Began"
).split("|")
CATEGORIES = ("concert", "concert", "concert", "club night", "festival", "recital", "open mic")
TAGS = """rock jazz soul afrobeat benga techno folk classical indie metal salsa cumbia highlife
    gospel electronic chamber reggae fado flamenco pop""".split()
DESCRIPTIONS = (
    "Two hours, no support, no interval.",
    "Doors open an hour before; the first support plays at once.",
    "An evening of old songs in new clothes.",
    "They have not played here for ten years.",
    "Seats for those who want them, room to dance for the rest.",
    "A benefit for the hall's new roof.",
    "The whole band, the whole record, and an encore of your choice.",
)

GIVEN = """Asha Wanjikũ Kofi Amara Tendai Zanele Kwame Ngozi Chidi Aïcha Moussa Fatoumata João Inês
    Tiago Beatriz Rodrigo Lucía Mateo Camila Íñigo Nuria Émile Chloé Anaïs Théo Zoë Noor Daan Sanne
    Lotte Jürgen Søren Freja Åsa Linnéa Mikko Aino Łukasz Zofia Kateřina Tomáš Réka Bálint Ștefan
    Ioana Nikos Eleni Ayşe Emre Leyla Omar Yasmin Priya Arjun Ananya Rahul Nimal Dilini Somchai Mali
    Wei Mei Jun Haruto Yui Ren Sakura Minjun Seoyeon Putu Dewi Jose Maria Liam Aroha Tāne Mere
    Siobhán Oisín Rhiannon Gwen Olive George Harriet Dolores DeShawn Imani Caleb Ruth Noah Naomi
    Ezra Marguerite Étienne Xóchitl Diego Valentina Sebastián Catalina""".split()
FAMILY = """Mwangi Otieno Kamau Odhiambo Okafor Adébáyọ̀ Mensah Asante Dlamini Nkosi Ndlovu Diallo
    Traoré Benali Silva Gonçalves Araújo Ferreira García Fernández Núñez Ibáñez Rossi Bianchi Dubois
    Lefèvre Moreau Janssen Visser Bakker Müller Schäfer Weiß Hansen Nielsen Johansson Lindström
    Korhonen Nowak Wójcik Novák Dvořák Kovács Szabó Popescu Ionescu Papadopoulos Georgiou Yılmaz
    Demir Hosseini Haddad Raghunathan Sharma Patel Perera Fernando Jaidee Nguyễn Trần Li Wang Chen
    Satō Suzuki Takahashi Kim Park Lee Wijaya Santos Reyes Smith O’Connor Ní_Mhurchú Llewellyn
    Campbell Stewart Hudson Washington Freeman Tremblay Roy Hernández Martínez Rojas Quispe Mamani
    Kealoha Ngata Walker Cohen Levi Abiodun Eze Chukwu""".split()
FAMILIES = [name.replace("_", " ") for name in FAMILY]
MAILBOXES = {"Ø": "o", "ø": "o", "Ł": "l", "ł": "l", "ß": "ss", "ı": "i", "æ": "ae"}


def somebody(number: int) -> Somebody:
    """The person with that number: the same one every time, with a mailbox of their own."""
    given = number % len(GIVEN)
    family = (number + number // len(GIVEN)) % len(FAMILIES)
    mailbox = f"{_GIVEN_AS_MAIL[given]}.{_FAMILIES_AS_MAIL[family]}.{number}"
    return Somebody(f"{GIVEN[given]} {FAMILIES[family]}", mailbox)


def as_mail(name: str) -> str:
    """A name in the letters that mail addresses are written in."""
    plain = "".join(MAILBOXES.get(letter, letter) for letter in name)
    letters = unicodedata.normalize("NFKD", plain).lower()
    return "".join(letter for letter in letters if letter.isascii() and letter.isalnum())


_GIVEN_AS_MAIL = [as_mail(name) for name in GIVEN]
_FAMILIES_AS_MAIL = [as_mail(name) for name in FAMILIES]
