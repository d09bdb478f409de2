import dataclasses

from shapely.geometry import LineString, Point, box

from atlas.conflicts import RULES, disputed, drawn_overlaps, found_by_rule
from books import NOTE, event, expressway, park, position, record, small_book
from books import WORKS as STEP


def zone(key: str, west: float, east: float, method: str = "surveyed", **told: object):
    shape = box(west, 9.80, east, 9.81)
    return record(key, "industrial_park", position=position(shape, method, 10), **told)


def road(key: str, method: str = "osm"):
    line = LineString([(105.70, 9.805), (105.80, 9.805)])
    return record(key, "road", position=position(line, method, 30))


def test_every_rule_is_told_also_without_a_finding():
    told = found_by_rule(small_book(findings=()))
    assert [rule for rule, _ in told] == list(RULES)
    assert all(items == () for _, items in told)


def test_a_finding_is_told_with_its_record_and_its_step():
    step = dataclasses.replace(event(STEP), event_id="kcn-a.works.1")
    owner = dataclasses.replace(park(), events=(step,))
    found = dataclasses.replace(NOTE, key="kcn-a.works.1", rule="stage_does_not_go_back")
    book = small_book(places=(owner, record("kcn", "industrial_park")), findings=(found,))
    (item,) = dict(found_by_rule(book))["stage_does_not_go_back"]
    assert (item.record, item.event) == (owner, step)


def test_a_finding_about_no_record_is_told_all_the_same():
    found = dataclasses.replace(NOTE, key="f-0", rule="sums_close")
    (item,) = dict(found_by_rule(small_book(findings=(found,))))["sums_close"]
    assert (item.record, item.event) == (None, None)


def test_figures_in_dispute_are_found_with_all_values():
    ((owner, one),) = disputed(small_book())
    assert owner == expressway()
    assert [c.value for c in (one.claim, *one.others)] == ["37", "6.7"]


def test_circles_and_schematic_lines_are_never_compared():
    places = (zone("a", 105.70, 105.71, "schematic"), zone("b", 105.70, 105.71, "commune_point"))
    told = drawn_overlaps(small_book(places=places, routes=(road("r", "schematic"),)))
    assert (told.zones, told.routes, told.overlaps) == (0, 0, ())


def test_two_zones_that_share_ground_are_found_with_its_hectares():
    places = (zone("a", 105.70, 105.72), zone("b", 105.71, 105.73), zone("c", 105.75, 105.76))
    (found,) = drawn_overlaps(small_book(places=places, routes=())).overlaps
    assert {found.zone.subject_id, found.other.subject_id} == {"a", "b"}
    assert found.ha is not None and 120 < found.ha < 123


def test_zones_that_only_touch_or_lie_within_each_other_are_no_conflict():
    touching = (zone("a", 105.70, 105.71), zone("b", 105.71, 105.72))
    within = (zone("a", 105.70, 105.72), zone("b", 105.70, 105.71, inside_id="a"))
    for places in (touching, within):
        assert drawn_overlaps(small_book(places=places, routes=())).overlaps == ()


def test_a_road_through_a_zone_is_found_with_its_kilometres():
    told = drawn_overlaps(small_book(places=(zone("a", 105.71, 105.72),), routes=(road("r"),)))
    (found,) = told.overlaps
    assert found.other.subject_id == "r"
    assert found.km is not None and 1.05 < found.km < 1.15


def test_a_road_past_a_zone_and_a_place_without_outline_are_no_conflict():
    far = record("far", "road", position=position(LineString([(105, 9), (105, 9.1)]), "osm", 30))
    point = record("p", "port", position=position(Point(105.715, 9.805), "surveyed", 30))
    book = small_book(places=(zone("a", 105.71, 105.72), point), routes=(far,))
    told = drawn_overlaps(book)
    assert (told.zones, told.routes, told.overlaps) == (1, 1, ())
