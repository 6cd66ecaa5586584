"""`flask seat-maps`, as somebody types it."""

import json

import pytest
from sqlalchemy import func, select

from init import db
from models import MapSeat, SeatMap, Section
from schemas.seat_map_document import EXAMPLES
from tests.factories import VenueFactory

CSV = """\
section,kind,row,seat,gap_before,accessible,companion,restricted_view,x,y,capacity
Stalls,seated,A,1,,yes,,,,,
Stalls,seated,A,2,,,x,,,,
Stalls,seated,A,3,1,,,,,,
Floor,standing,,,,,,,,,300
Stalls,seated,B,1,,,,TRUE,-1.5,2,
VIP,tables,T1,1,,,,,,,
VIP,tables,T1,2,,,,,,,
"""
PLAN = {
    "name": "Playhouse",
    "categories": [{"name": "Stalls", "color": "#fff"}],
    "size": {"width": 400, "height": 300},
    "zones": [
        {
            "name": "Parkett",
            "position": {"x": 100, "y": 50},
            "areas": [{"width": 1, "height": 1, "position": {"x": 0, "y": 0}}],
            "rows": [
                {
                    "row_number": "1",
                    "position": {"x": 0, "y": 25},
                    "seats": [
                        {
                            "seat_guid": f"p-1-{n}",
                            "seat_number": str(n),
                            "category": "Stalls",
                            "position": {"x": x, "y": 0},
                        }
                        for n, x in ((1, 0), (2, 25), (3, 50), (4, 100), (5, 125))
                    ],
                }
            ],
        },
        {"position": {"x": 0, "y": 0}, "rows": []},
    ],
}


@pytest.fixture
def venue(session):
    return VenueFactory()


@pytest.fixture
def run(app, session):
    def run(*words):
        return app.test_cli_runner().invoke(args=["seat-maps", *map(str, words)])

    return run


def imported(run, venue, path, *more):
    result = run("import", venue.id, path, *more)
    assert result.exit_code == 0, result.output
    return db.session.scalars(select(SeatMap).order_by(SeatMap.id.desc()).limit(1)).one()


def written(folder, name, content):
    path = folder / name
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return path


def test_json_goes_out_and_comes_in_again(run, venue, tmp_path):
    made = imported(run, venue, written(tmp_path, "map.json", EXAMPLES[2]))

    out = run("export", made.id)
    again = imported(run, venue, written(tmp_path, "out.json", out.output), "--name", "Again")

    assert json.loads(run("export", again.id).output) == json.loads(out.output) | {"name": "Again"}


def test_csv_goes_out_and_comes_in_again(run, venue, tmp_path):
    made = imported(run, venue, written(tmp_path, "Winter.csv", CSV))

    out = run("export", made.id, "--format", "csv").output
    again = imported(run, venue, written(tmp_path, "again.csv", out))

    assert (made.name, again.name) == ("Winter", "again")
    assert run("export", again.id, "--format", "csv").output == out
    document = json.loads(run("export", made.id).output)
    assert [section["name"] for section in document["sections"]] == ["Stalls", "Floor", "VIP"]
    [row_a, row_b] = document["sections"][0]["rows"]
    assert [seat.get("gap_before", False) for seat in row_a["seats"]] == [False, False, True]
    assert (row_a["seats"][0]["accessible"], row_a["seats"][1]["companion"]) == (True, True)
    assert row_b["seats"] == [{"number": "1", "x": -1.5, "y": 2.0, "restricted_view": True}]


def test_no_cell_is_a_formula(run, venue, tmp_path):
    section = {"name": "=1+1", "kind": "seated", "rows": ["-A"], "seats": "1-2"}
    made = imported(run, venue, written(tmp_path, "m.json", {"name": "M", "sections": [section]}))

    out = run("export", made.id, "--format", "csv").output

    assert out.splitlines()[1].startswith("'=1+1,seated,'-A,1,")
    again = imported(run, venue, written(tmp_path, "again.csv", out))
    assert json.loads(run("export", again.id).output)["sections"][0]["name"] == "=1+1"


def test_mistakes_are_told_by_line(run, venue, tmp_path):
    lines = CSV.splitlines()
    lines[2] = "Stalls,seated,A,1,,,x,,,,"  # there is another A-1
    lines[3] = "Stalls,seated,A,3,perhaps,,,,,,"
    lines[4] = "Floor,standing,,,,,,,,,many"
    lines[5] = "Stalls,seated,B/C,1,,,,,1,north,"
    lines.append("VIP,seated,T1,3,,,,,,,")
    lines.append("Roof,flying,A,1,,,,,,,")
    lines.append("Stalls,seated,A,4,,,,,,,,,extra")
    before = db.session.scalar(select(func.count()).select_from(SeatMap))

    result = run("import", venue.id, written(tmp_path, "m.csv", "\n".join(lines)))

    assert result.exit_code == 1
    told = result.output.splitlines()
    assert [line.split(":")[0] for line in told] == [
        "line 3",
        "line 4",
        "line 5",
        "line 5",
        "line 6",
        "line 6",
        "line 6",
        "line 9",
        "line 10",
        "line 11",
        "Error",
    ]
    assert told[0] == "line 3: seat: There is another A-1 in this section."
    assert db.session.scalar(select(func.count()).select_from(SeatMap)) == before


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("m.csv", "a,b\n1,2\n", "line 1: The columns are section, kind"),
        ("m.csv", "", "line 1: The columns are"),
        pytest.param("m.csv", "a" * 140_000, "Is no CSV", id="a heading without end"),
        ("m.csv", "section,kind\n", "sections: Must have 1 to 500 items."),
        ("m.json", "{", "not valid JSON"),
        ("m.json", "[]", "body: Must be an object."),
        ("m.json", '{"name": "A", "sections": []}', "sections: Must have 1 to 500 items."),
        ("m.json", '{"name": "A", "sections": [NaN]}', "NaN"),
    ],
)
def test_what_is_no_map_is_told(run, venue, tmp_path, name, content, told):
    result = run("import", venue.id, written(tmp_path, name, content))

    assert result.exit_code == 1
    assert told in result.output


def test_a_dry_run_writes_nothing(run, venue, tmp_path):
    path = written(tmp_path, "m.csv", CSV)
    before = db.session.scalar(select(func.count()).select_from(Section))

    result = run("import", venue.id, path, "--dry-run", "--name", "Winter")

    assert result.exit_code == 0
    assert "Winter: 306 places, 6 of them seats. Nothing was written." in result.output
    assert db.session.scalar(select(func.count()).select_from(Section)) == before


def test_a_file_can_be_the_next_version(run, venue, tmp_path):
    path = written(tmp_path, "m.csv", CSV)
    made = imported(run, venue, path)

    result = run("import", venue.id, path, "--into", made.id)

    assert result.output == f"Made version 2 of seat map {made.id}: 306 places, 6 of them seats.\n"
    first = run("export", made.id, "--version", 1).output
    assert json.loads(first) == json.loads(run("export", made.id).output)
    elsewhere = run("import", VenueFactory().id, path, "--into", made.id)
    assert (elsewhere.exit_code, "another venue" in elsewhere.output) == (1, True)


def test_refusals_are_told_in_a_line(run, venue, tmp_path):
    path = written(tmp_path, "m.csv", CSV)
    imported(run, venue, path)

    for words, told in (
        (("import", venue.id, path), "a map called m already"),
        (("import", 999_999, path), "There is no venue 999999."),
        (("export", 999_999), "There is no seat map 999999."),
        (("export", 1, "--version", 9), ""),
    ):
        result = run(*words)
        assert (result.exit_code, told in result.output) == (1, True), result.output
    assert run("import", venue.id, tmp_path / "none.csv").exit_code == 2
    assert run("import", venue.id, path, "--name", " ").exit_code == 2
    for words in (["--help"], ["import", "--help"], ["export", "--help"]):
        assert run(*words).exit_code == 0


class TestPretix:
    def test_reads_zones_rows_and_gaps(self, run, venue, tmp_path):
        path = written(tmp_path, "plan.json", PLAN)

        made = imported(run, venue, path, "--format", "pretix")

        document = json.loads(run("export", made.id).output)
        assert (document["name"], len(document["sections"])) == ("Playhouse", 1)
        [section] = document["sections"]
        assert section["name"] == "Parkett"
        [row] = section["rows"]
        assert row["row"] == "1"
        assert [(seat["number"], seat["x"], seat["y"]) for seat in row["seats"]] == [
            ("1", 4, 3),
            ("2", 5, 3),
            ("3", 6, 3),
            ("4", 8, 3),
            ("5", 9, 3),
        ]
        assert [seat.get("gap_before", False) for seat in row["seats"]].index(True) == 3
        assert db.session.scalar(select(func.count()).select_from(MapSeat)) == 5

    @pytest.mark.parametrize(
        "plan",
        [
            [],
            {"name": "A"},
            {"name": "A", "zones": [{}]},
            {"name": "A", "zones": [{"position": {"x": "1", "y": 2}, "rows": []}]},
            {"name": "A", "zones": [{"position": {"x": 1e300, "y": 2}, "rows": [3]}]},
            {"name": "A", "zones": []},
        ],
    )
    def test_tells_what_is_no_plan(self, run, venue, tmp_path, plan):
        result = run("import", venue.id, written(tmp_path, "p.json", plan), "--format", "pretix")

        assert result.exit_code == 1, result.output
        assert "was not imported" in result.output
