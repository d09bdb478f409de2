import dataclasses

from atlas.programme import counts, divisions, documents_of, duty_reports, reached, series
from books import indicator, money_row, small_book, table, target


def test_a_sum_that_does_not_close_is_said():
    book = small_book()
    rows = table("funding_plan", money_row("f0", "total", "10"), money_row("f1", "year", "9.999"))
    broken = dataclasses.replace(book, tables={**book.tables, "funding_plan": rows})
    (division,) = divisions(broken)
    assert not division.is_closed


def test_a_value_is_held_only_against_a_target_of_its_own_kind():
    book = small_book()
    tables = {
        **book.tables,
        "targets": table(
            "targets",
            target("sum", series_id="output"),
            target("same", series_id="output", plan_id="s2"),
            target("average", series_id="output", unit="%/năm", value="12.95"),
            target("base", series_id="output", is_baseline="true"),
            target("years", series_id="output", period="2021-2025"),
            target("share", series_id="share", unit="%", value="25.29"),
        ),
        "indicators": table(
            "indicators",
            indicator("2024", "80024"),
            indicator("2023-H1", "30000"),
            indicator("2021", "24.35", series_id="share", unit="%", indicator_id="share-2021"),
        ),
    }
    output, share = series(dataclasses.replace(book, tables=tables))
    assert [len(compared) for _, compared in output.rows] == [0, 1]
    assert output.rows[1][1][0].share_pct.quantize(1) == 103
    assert str(share.rows[0][1][0].points) == "-0.94"
    assert [len(same) for same in output.promises] == [2, 1, 1, 1]
    assert [one.series_id for one, _, _ in reached((output, share))] == ["output"]


def test_counts_know_their_kind_of_place():
    (count,) = counts(small_book())
    assert (count.kind, [p.subject_id for p in count.places]) == ("industrial_park", ["kcn-a"])


def test_a_row_without_documents_rests_on_its_plan():
    book = small_book()
    assert [d.document_id for d in documents_of(book, {"document_ids": "", "plan_id": "s1"})] == [
        "s1"
    ]
    assert documents_of(book, {"document_ids": "gone"}) == ()


def test_a_reported_duty_is_late_by_the_plans_day_and_a_silent_one_is_not_known():
    book = small_book()
    duty = {"duty_id": "d1", "before_day": "11-15"}
    report = {"report_id": "r1", "duty_id": "d1", "agency_id": "so-a", "period": "2024"}
    reported = duty_reports(
        dataclasses.replace(
            book,
            tables={
                **book.tables,
                "duties": table("duties", duty, {"duty_id": "d2"}, {"duty_id": "d3"}),
                "duty_reports": table(
                    "duty_reports",
                    report | {"done_on": "2024-11-14"},
                    report | {"report_id": "r2", "period": "2025", "done_on": "2025-11-20"},
                    report | {"report_id": "r3", "duty_id": "d2", "done_on": "2024-12"},
                ),
            },
        )
    )
    assert [one.days_late for one in reported["d1"]] == [6, 0]
    assert [one.days_late for one in reported["d2"]] == [None]
    assert "d3" not in reported
