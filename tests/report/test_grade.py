"""Grades: exact edges, honest intervals, ranks."""

from __future__ import annotations

import json
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from sweepmark.config.schema import Band, GradeConfig
from sweepmark.errors import ConfigurationError
from sweepmark.report.grade import (
    Entry,
    Grade,
    grade,
    grade_document,
    grade_lines,
    rank_entries,
    wilson_interval,
)
from sweepmark.scores.bands import check_bands

FOLDER = Path(__file__).parents[2] / "conf" / "grade"


def read_rule(name: str) -> GradeConfig:
    content = yaml.safe_load((FOLDER / f"{name}.yaml").read_text())
    return GradeConfig(**content | {"bands": tuple(Band(**band) for band in content["bands"])})


COURSE = read_rule("course")


def entries(*values: float, n: int = 10_000) -> list[Entry]:
    return [
        Entry(name=f"entry {i}", value=value, n=n, test_set="a" * 64)
        for i, value in enumerate(values)
    ]


@pytest.mark.parametrize(
    ("n_correct", "points", "band"),
    [
        (0, 0, "not passed"),
        (9199, 0, "not passed"),
        (9200, 60, "92 % to 93 %"),
        (9299, 60, "92 % to 93 %"),
        (9300, 70, "93 % to 94 %"),
        (9400, 80, "94 % to 95 %"),
        (9500, 85, "95 % to 96 %"),
        (9599, 85, "95 % to 96 %"),
        (9600, 90, "96 % and above"),
        (10000, 90, "96 % and above"),
    ],
)
def test_course_bands(n_correct: int, points: int, band: str) -> None:
    given_grade = grade(n_correct / 10_000, 10_000, COURSE)
    assert (given_grade.points, given_grade.band) == (points, band)
    assert isinstance(given_grade.points, int)
    assert given_grade.target_reached == (n_correct >= 9600)


@given(st.integers(1, 70_000), st.data())
def test_points_follow_the_exact_share(n: int, data: st.DataObject) -> None:
    n_correct = data.draw(st.integers(0, n))
    reached = [
        band for band in COURSE.bands if Fraction(n_correct, n) >= Fraction(str(band.minimum))
    ]
    assert grade(n_correct / n, n, COURSE).points == (reached[-1].points if reached else 0)


@pytest.mark.parametrize("edge", [band.minimum for band in COURSE.bands])
def test_rounding_of_a_mean_costs_no_band(edge: float) -> None:
    below, above = np.nextafter(edge, 0), np.nextafter(edge, 1)
    expected = grade(edge, 10_000, COURSE).points
    assert grade(float(below), 10_000, COURSE).points == expected
    assert grade(float(above), 10_000, COURSE).points == expected


@given(st.floats(0, 1), st.floats(0, 1), st.integers(1, 70_000))
def test_a_higher_accuracy_never_gets_fewer_points(first: float, second: float, n: int) -> None:
    low, high = sorted((first, second))
    assert grade(low, n, COURSE).points <= grade(high, n, COURSE).points


@given(st.integers(1, 10_000), st.data())
def test_interval_is_where_the_score_test_accepts(n: int, data: st.DataObject) -> None:
    share = data.draw(st.integers(0, n)) / n
    low, high = wilson_interval(share, n)
    assert 0 <= low <= share <= high <= 1
    z = 1.959963984540054
    for bound in (low, high):
        if 0 < bound < 1:
            deviation = (share - bound) ** 2
            assert deviation == pytest.approx(z * z * bound * (1 - bound) / n, rel=1e-6)


def test_interval_of_a_published_example() -> None:
    # Newcombe (1998), Statistics in Medicine 17, table I: 81 of 263, and 0 of 20.
    assert wilson_interval(81 / 263, 263) == pytest.approx((0.2553, 0.3662), abs=5e-5)
    assert wilson_interval(0.0, 20) == pytest.approx((0.0, 0.1611), abs=5e-5)


@pytest.mark.parametrize("n", [1, 2, 3, 7, 10, 49, 100, 333, 1797, 10_000, 70_000])
def test_interval_of_all_or_nothing_ends_exactly_there(n: int) -> None:
    low, high = wilson_interval(1.0, n), wilson_interval(0.0, n)
    assert (low[1], high[0]) == (1.0, 0.0)
    # At either end Wilson's interval is n / (n + z * z) wide of the other.
    z = 1.959963984540054
    assert low[0] == pytest.approx(n / (n + z * z), rel=1e-12)
    assert high[1] == pytest.approx(z * z / (n + z * z), rel=1e-12)


def test_interval_is_of_the_confidence_asked_for() -> None:
    # At one half it is z / sqrt(n + z * z) wide, and the normal distribution's z is tabulated.
    for confidence, z in ((0.8, 1.2815515655446004), (0.99, 2.5758293035489004)):
        low, high = wilson_interval(0.5, 100, confidence=confidence)
        assert high - low == pytest.approx(z / (100 + z * z) ** 0.5, rel=1e-9)
    assert wilson_interval(0.5, 100) == wilson_interval(0.5, 100, confidence=0.95)


@pytest.mark.parametrize(
    ("value", "n", "confidence"),
    [
        (95.7, 100, 0.95),
        (1.001, 10, 0.95),
        (-0.001, 10, 0.95),
        (0.5, 0, 0.95),
        (0.5, 9, 0),
        (0.5, 9, 1),
    ],
)
def test_interval_refuses_what_is_no_share(value: float, n: int, confidence: float) -> None:
    with pytest.raises(ConfigurationError, match="but got"):
        wilson_interval(value, n, confidence=confidence)


@pytest.mark.parametrize(
    ("value", "n", "undecided"), [(0.957, 10_000, True), (0.955, 10_000, False), (0.955, 100, True)]
)
def test_undecided_where_the_interval_crosses_an_edge(
    value: float, n: int, *, undecided: bool
) -> None:
    assert grade(value, n, COURSE).undecided is undecided


def test_a_single_entry_is_told_that_rank_decides() -> None:
    single = grade(0.97, 10_000, COURSE)
    assert single.points == 90
    assert single.note == "rank decides from 0.96 on: a single entry gets 90"
    assert rank_entries(entries(0.97), COURSE) == [single]
    assert grade(0.95, 10_000, COURSE).note == ""


def test_ranks_share_the_points_above_the_last_band() -> None:
    grades = rank_entries(entries(0.97, 0.99, 0.955, 0.98, 0.96), COURSE)
    assert [each.points for each in grades] == pytest.approx(
        [90 + 10 / 3, 100, 85, 90 + 20 / 3, 90]
    )
    assert [each.rank for each in grades] == [3, 1, None, 2, 4]
    assert grades[1].note == "rank 1 of 4 from 0.96 on"
    assert isinstance(grades[1].points, int)


def test_ties_share_the_better_rank() -> None:
    grades = rank_entries(entries(0.98, 0.97, 0.98, 0.96), COURSE)
    assert [each.rank for each in grades] == [1, 3, 1, 4]
    assert [each.points for each in grades] == pytest.approx([100, 90 + 10 / 3, 100, 90])


@given(st.lists(st.integers(9000, 10_000), min_size=1, max_size=8))
def test_ranking_is_monotone_and_never_below_the_band(counts: list[int]) -> None:
    grades = rank_entries(entries(*(count / 10_000 for count in counts)), COURSE)
    alone = [grade(count / 10_000, 10_000, COURSE) for count in counts]
    ordered = sorted(zip(counts, (each.points for each in grades), strict=True))
    assert [points for _, points in ordered] == sorted(points for _, points in ordered)
    for together, single in zip(grades, alone, strict=True):
        assert single.points <= together.points <= 100
        assert together.points == single.points or single.value >= 0.96


def test_other_test_sets_are_not_ranked() -> None:
    mixed = [*entries(0.97), replace(entries(0.98)[0], name="other", test_set="b" * 64)]
    with pytest.raises(ConfigurationError, match=r"same test set.*entry 0.*other"):
        rank_entries(mixed, COURSE)
    with pytest.raises(ConfigurationError, match=r"10,000 rows.*100 rows"):
        rank_entries([*entries(0.97), *entries(0.98, n=100)], COURSE)


def test_no_entries_have_no_grades() -> None:
    assert rank_entries([], COURSE) == []


def test_another_metric_has_no_interval() -> None:
    rule = GradeConfig(
        name="f1",
        metric="f1_macro",
        bands=(Band(minimum=0.5, points=1.5), Band(minimum=0.9, points=2)),
    )
    given_grade = grade(0.7, 100, rule)
    assert given_grade.interval is None
    assert (given_grade.points, given_grade.band) == (1.5, "0.5 to 0.9")
    assert not given_grade.undecided
    assert not given_grade.target_reached


def test_document_is_plain_json() -> None:
    document = grade_document(grade(0.957, 10_000, COURSE))
    assert json.loads(json.dumps(document)) == document
    assert document["points"] == 85
    assert document["band"] == "95 % to 96 %"
    assert document["interval"] == pytest.approx([0.9528, 0.9608], abs=5e-5)
    assert document["undecided"] is True
    assert set(document) == {*Grade.__slots__}
    f1 = replace(COURSE, metric="f1_macro")
    assert grade_document(grade(0.5, 10, f1))["interval"] is None


def test_nothing_is_graded_without_bands() -> None:
    with pytest.raises(ConfigurationError, match=r"no bands.*grade=course"):
        grade(0.9, 100, read_rule("none"))


@pytest.mark.parametrize("value", [float("nan"), float("inf"), 95.7])
def test_what_is_no_accuracy_is_refused(value: float) -> None:
    with pytest.raises(ConfigurationError, match="but got"):
        grade(value, 100, COURSE)


@pytest.mark.parametrize(
    ("rule", "message"),
    [
        (replace(COURSE, bands=COURSE.bands[::-1]), r"ascend.*0\.95 follows 0\.96"),
        (replace(COURSE, bands=COURSE.bands[:1] * 2), r"ascend.*0\.92 follows 0\.92"),
        (replace(COURSE, target=96.0), r"in \[0, 1\].*96.*Write 0\.96"),
        (replace(COURSE, target=1.001), r"in \[0, 1\].*1\.001"),
        (replace(COURSE, target=-0.001), r"in \[0, 1\].*-0\.001"),
        (replace(COURSE, metric="f1_macro", target=float("nan")), "edges .* finite"),
        (replace(COURSE, bands=(Band(minimum=0.5, points=float("inf")),)), "points .* finite"),
        (replace(COURSE, ranked_from=0.95), r"last band.*0\.95.*grade\.ranked_from"),
        (replace(COURSE, bands=()), "last band"),
    ],
)
def test_senseless_rules_are_refused(rule: GradeConfig, message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        check_bands(rule)


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.yaml")), ids=lambda path: path.stem)
def test_every_rule_of_ours_is_valid_and_described(path: Path) -> None:
    check_bands(read_rule(path.stem))
    assert path.read_text().startswith("# ")
    assert read_rule(path.stem).name == path.stem


def test_bands_of_what_is_better_the_less_it_is_are_refused() -> None:
    rule = replace(COURSE, name="mine", metric="log_loss", target=None, ranked_from=None)
    with pytest.raises(ConfigurationError, match="more must be better of") as error:
        check_bands(rule)
    assert "Set grade.metric=accuracy" in str(error.value)


@pytest.mark.parametrize("metric", ["precision", "recall", "f1", "roc_auc", "average_precision"])
def test_a_figure_of_the_positive_class_names_it(metric: str) -> None:
    rule = replace(COURSE, name="mine", metric=metric)
    given_grade = grade(0.955, 100, rule, positive="churned")
    assert given_grade.positive == grade_document(given_grade)["positive"] == "churned"
    assert grade_lines(given_grade)[0].endswith(f"for {metric} 0.9550; positive class: churned")
    many = [replace(one, positive="churned") for one in entries(0.97, 0.98, 0.5)]
    assert {each.positive for each in rank_entries(many, rule)} == {"churned"}
    assert grade(0.955, 100, rule).positive is None


@pytest.mark.parametrize("metric", ["accuracy", "f1_macro", "balanced_accuracy", "recall_churned"])
def test_a_figure_of_all_classes_names_none(metric: str) -> None:
    given_grade = grade(0.955, 100, replace(COURSE, metric=metric), positive="churned")
    assert given_grade.positive is None
    assert "positive" not in "".join(grade_lines(given_grade))


def test_figures_are_given_by_name() -> None:
    """A value and a number of rows are both numbers: in the wrong place, nobody would notice."""
    with pytest.raises(TypeError, match="positional"):
        Entry("mine", 0.9, 100, "a" * 64)  # type: ignore[call-arg]
    with pytest.raises(TypeError, match="positional"):
        Grade(60, "92 % to 93 %", None, False, "accuracy", 0.92, 100, None, False)  # type: ignore[call-arg]  # noqa: FBT003


@pytest.mark.parametrize(
    "rule",
    [
        replace(COURSE, target=0.0),
        replace(COURSE, target=1.0),
        replace(COURSE, target=None),
        replace(COURSE, ranked_from=COURSE.bands[-1].minimum),
        replace(COURSE, ranked_from=1.0),
        replace(COURSE, bands=(), ranked_from=None),
        replace(COURSE, metric="f1_macro", target=-3.0),
    ],
)
def test_rules_at_the_edge_of_sense_are_taken(rule: GradeConfig) -> None:
    check_bands(rule)


def test_undecided_too_where_the_interval_crosses_into_the_ranked_zone() -> None:
    rule = replace(COURSE, ranked_from=0.98)
    for value, is_undecided in ((0.979, True), (0.981, True), (0.97, False), (0.99, False)):
        assert grade(value, 10_000, rule).undecided is is_undecided
        assert grade(value, 10_000, replace(rule, ranked_from=None)).undecided is False


def test_values_that_rounding_alone_tells_apart_share_a_rank() -> None:
    values = 0.98, float(np.nextafter(0.98, 1)), 0.97, float(np.nextafter(0.97, 0))
    assert [each.rank for each in rank_entries(entries(*values), COURSE)] == [1, 1, 3, 3]


def test_test_sets_are_shown_by_their_first_twelve_digits() -> None:
    mixed = [*entries(0.97, 0.98), replace(entries(0.98)[0], name="other", test_set="b" * 64)]
    with pytest.raises(ConfigurationError) as error:
        rank_entries(mixed, COURSE)
    assert f"entry 1 on {'a' * 12} (10,000 rows); other on {'b' * 12} (" in str(error.value)


def test_two_ranked_get_all_and_the_base() -> None:
    assert [each.points for each in rank_entries(entries(0.97, 0.98), COURSE)] == [90, 100]
    assert [each.n_ranked for each in rank_entries(entries(0.97, 0.98), COURSE)] == [2, 2]
