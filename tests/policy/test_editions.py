"""Editions are data: complete, sourced, and refused when they are not."""

import json
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import pytest

from policy.editions import SPECS, Edition, EditionError, Gap, SourceKind, load_editions
from policy.refusals import Refusal

HEADER = """\
id: {id}
extends: {extends}
title: 测试
issued_by: 测试
effective_from: 2026-01-01
demo: true
sources: {{test: 测试用数}}
parameters:
"""


def _write(directory: Path, body: str, *, id: str = "mine", extends: str = "demo") -> Path:
    path = directory / f"{id}.yaml"
    path.write_text(HEADER.format(id=id, extends=extends) + body, encoding="utf-8")
    return path


def test_the_norms_own_numbers_are_the_norms(editions: Mapping[str, Edition]) -> None:
    norm = editions["henan-2020-97"]
    assert (norm.demo, norm.effective_from) == (False, date(2020, 12, 2))
    assert {
        name: norm.value(name)
        for name, spec in SPECS.items()
        if not spec.options and not spec.by_course_type and norm.is_set(name)
    } == {
        "full_live_min_live_share": Fraction(60, 100),
        "full_live_max_homework_exam_share": Fraction(20, 100),
        "full_live_max_quality_tutoring_share": Fraction(20, 100),
        "mixed_min_offline_share": Fraction(70, 100),
        "mixed_min_live_share": Fraction(70, 100),
        "mixed_max_homework_exam_share": Fraction(15, 100),
        "mixed_max_on_demand_share": Fraction(15, 100),
        "lecturers_per_class": 1,
        "assistants_per_class": 1,
        "filing_lead_working_days": 5,
        "lecturer_min_years": 2,
        "working_age_from": 16,
        "working_age_to": 60,
        "disqualifying_loss_share": Fraction(50, 100),
        "disqualifying_consecutive_classes": 2,
        "min_attendance_share": Fraction(80, 100),
        "full_live_replay_cap": 6,
        "mixed_replay_cap": 0,
        "lecturer_early": 10,
        "face_filing_threshold": 100_000,
        "face_filing_deadline": 30,
        "archive_retention": 3,
        "materials_deadline": 5,
        "visit_months": (1, 3, 6, 12),
    }
    assert [norm.whole("class_size_cap", kind) for kind in ("GYB", "SYB")] == [60, 30]


def test_what_the_norm_leaves_open_is_unset_and_refused_by_name(editions: Mapping[str, Edition]) -> None:
    norm = editions["henan-2020-97"]
    assert {parameter.name for parameter in norm.unset()} == {
        "lesson_hour",
        "standard_hours",
        "lecturer_hour_fee",
        "offline_attendance_share",
        "sign_in_opens_before",
        "sign_out_closes_after",
        "roll_call_answer",
        "question_answer",
        "daily_hours_cap",
        "face_check_interval",
        "face_template_retention",
        "exam_pass_mark",
        "exam_resits",
        "subsidy_rate",
        "payment_split",
        "public_notice_days",
        "video_retention",
    }
    for parameter in norm.unset():
        with pytest.raises(Refusal) as refused:
            norm.value(parameter.name, parameter.course_type)
        body = refused.value.render()
        assert body["code"] == "edition_unset"
        assert body["details"]["rule"] == parameter.row
        assert parameter.label in body["message"]
        assert parameter.label in body["details"]["next"]


def test_the_demo_edition_fills_every_gap_and_says_so(demo: Edition) -> None:
    assert demo.demo
    assert demo.unset() == ()
    assert demo.lesson_hour_seconds == 2700
    assert [demo.number("standard_hours", kind) for kind in ("GYB", "SYB")] == [24, 56]
    assert [demo.money("subsidy_rate", kind) for kind in ("GYB", "SYB")] == [
        Decimal("200.00"),
        Decimal("1000.00"),
    ]
    assert demo.number("exam_pass_mark") == 60
    assert demo.whole("public_notice_days") == 5
    norm = load_editions()["henan-2020-97"].parameters
    filled = [one for key, one in demo.parameters.items() if one != norm[key]]
    assert filled
    assert all(one.source.startswith("试用数") and one.citation.startswith("试用数") for one in filled)


def test_an_edition_may_count_a_lesson_hour_in_seconds(editions: Mapping[str, Edition]) -> None:
    assert editions["seconds"].lesson_hour_seconds == 3
    assert editions["seconds"].whole("filing_lead_working_days") == 0
    assert editions["seconds"].number("min_attendance_share") == Fraction(4, 5)


def test_a_rule_may_be_off_without_being_open(demo: Edition) -> None:
    assert demo.is_off("min_live_presence_share")
    assert not demo.is_set("min_live_presence_share")
    assert demo.parameter("min_live_presence_share").value is Gap.OFF


def test_the_json_form_gives_every_value_unit_citation_and_source(editions: Mapping[str, Edition]) -> None:
    for edition in editions.values():
        body = json.loads(json.dumps(edition.render()))
        names = [parameter["name"] for parameter in body["parameters"]]
        assert len(names) == len(set(names))
        for parameter in body["parameters"]:
            assert parameter["unit"]
            assert parameter["citation"]
            assert parameter["source"]
            assert (parameter["value"] is None) is (parameter["status"] != "set")
    by_name = {parameter["name"]: parameter["value"] for parameter in editions["demo"].render()["parameters"]}
    assert by_name["min_attendance_share"] == 80
    assert by_name["standard_hours.GYB"] == 24
    assert by_name["subsidy_rate.SYB"] == "1000.00"
    assert by_name["visit_months"] == [1, 3, 6, 12]
    assert by_name["payment_split"] == [100]


def test_a_value_is_asked_for_in_its_own_shape(demo: Edition) -> None:
    for ask, name in (
        (demo.whole, "min_attendance_share"),
        (demo.money, "exam_pass_mark"),
        (demo.number, "replay_counting"),
        (demo.wholes, "exam_resits"),
        (demo.shares, "exam_resits"),
        (demo.reading, "exam_resits"),
    ):
        with pytest.raises(TypeError, match=name):
            ask(name)
    with pytest.raises(KeyError):
        demo.value("no_such_parameter")


def test_an_edition_inherits_what_it_does_not_name(tmp_path: Path) -> None:
    _write(tmp_path, '  exam_pass_mark: {value: "72.5", unit: points, row: M11, source: test}\n')
    mine = load_editions(tmp_path)["mine"]
    assert mine.number("exam_pass_mark") == Fraction(145, 2)
    assert mine.parameter("exam_pass_mark").source == "测试用数"
    assert mine.parameter("exam_resits") == load_editions()["demo"].parameter("exam_resits")


def test_an_edition_may_bring_another_course_type(tmp_path: Path) -> None:
    _write(
        tmp_path,
        "  standard_hours:\n    unit: lesson_hours\n    row: H4\n    source: test\n"
        "    by_course_type: {IYB: {value: 70}}\n",
    )
    mine = load_editions(tmp_path)["mine"]
    assert mine.course_types == ("GYB", "SYB", "IYB")
    assert mine.number("standard_hours", "IYB") == 70
    assert mine.number("standard_hours", "GYB") == 24


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        ("  no_such: {value: 1, unit: points, row: M11, source: test}", "no such parameter"),
        ("  exam_pass_mark: 60", "must be a mapping"),
        ("  exam_pass_mark: {value: 60, unit: points, row: M11}", "missing source"),
        ("  exam_pass_mark: {value: 60, row: M11, source: test}", "missing unit"),
        ("  exam_pass_mark: {value: 60, unit: points, source: test}", "missing row"),
        ("  exam_pass_mark: {unit: points, row: M11, source: test}", "missing value"),
        ("  exam_pass_mark: {value: 60, unit: percent, row: M11, source: test}", "unit must be points"),
        ("  exam_pass_mark: {value: 60, unit: points, row: M99, source: test}", "not a row"),
        (
            "  exam_pass_mark: {value: 60, unit: points, row: M11, source: press}",
            "not one of the file's sources",
        ),
        ("  exam_pass_mark: {value: 60, unit: points, row: M11, source: test, note: x}", "unknown note"),
        ("  exam_pass_mark: {value: 60, unit: points, row: M11, source: test, citation: ''}", "citation"),
        ("  exam_pass_mark: {value: 60.5, unit: points, row: M11, source: test}", "quoted decimal"),
        ("  exam_pass_mark: {value: -1, unit: points, row: M11, source: test}", "quoted decimal"),
        ("  exam_pass_mark: {value: off, unit: points, row: M11, source: test}", "cannot be switched off"),
        ("  exam_resits: {value: true, unit: times, row: M9, source: test}", "whole number from 0"),
        ("  lesson_hour: {value: 0, unit: minutes, row: P9, source: test}", "whole number from 1"),
        ("  min_attendance_share: {value: 101, unit: percent, row: M8, source: test}", "at most 100"),
        ("  outcome_gate: {value: maybe, unit: reading, row: M10, source: test}", "must be one of"),
        ("  payment_split: {value: [50, 49], unit: percent, row: F17, source: test}", "add up to 100"),
        ("  payment_split: {value: [], unit: percent, row: F17, source: test}", "not empty"),
        ("  visit_months: {value: [3, 1], unit: months, row: F23, source: test}", "must rise"),
        (
            "  subsidy_rate: {value: 200, unit: yuan_per_person, row: F17, source: test}",
            "missing by_course_type",
        ),
        (
            "  subsidy_rate: {unit: yuan_per_person, row: F17, source: test,"
            " by_course_type: {gyb: {value: 200}}}",
            "capital letters",
        ),
        (
            "  subsidy_rate: {unit: yuan_per_person, row: F17, source: test,"
            " by_course_type: {GYB: {value: '200.005'}}}",
            "two decimals",
        ),
        (
            "  exam_resits: {value: 1, unit: times, row: M9, source: test}\n"
            "  exam_resits: {value: 2, unit: times, row: M9, source: test}",
            "doubled key",
        ),
        ("  exam_resits: {value: 1, unit", "mine.yaml"),
        ("  {}\neffective_until: 2025-12-31", "effective_until"),
        ("  {}\neffective_until: 明年", "effective_until"),
        ("  {}\nnote: 1", "note"),
        ("  {}\nlegal_bases: 规范", "legal_bases"),
        ("  {}\nlegal_bases: ['']", "legal_bases"),
        ("  {}\nfollows_norm: off", "follows_norm"),
    ],
)
def test_a_file_that_cannot_be_trusted_is_refused_with_its_place(
    tmp_path: Path, body: str, problem: str
) -> None:
    path = _write(tmp_path, body + "\n")
    with pytest.raises(EditionError, match=problem) as refused:
        load_editions(tmp_path)
    assert str(refused.value).startswith(str(path))


def test_editions_extend_what_exists_and_never_in_a_circle(tmp_path: Path) -> None:
    _write(tmp_path, "  {}", id="orphan", extends="nowhere")
    with pytest.raises(EditionError, match="there is no edition 'nowhere'"):
        load_editions(tmp_path)
    (tmp_path / "orphan.yaml").unlink()
    _write(tmp_path, "  {}", id="one", extends="two")
    _write(tmp_path, "  {}", id="two", extends="one")
    with pytest.raises(EditionError, match="circle"):
        load_editions(tmp_path)


def test_an_id_is_given_once(tmp_path: Path) -> None:
    _write(tmp_path, "  {}", id="demo", extends="henan-2020-97")
    with pytest.raises(EditionError, match="already given"):
        load_editions(tmp_path)


def test_an_edition_of_its_own_gives_everything(tmp_path: Path) -> None:
    path = _write(tmp_path, "  {}")
    path.write_text(path.read_text(encoding="utf-8").replace("extends: demo\n", ""), encoding="utf-8")
    with pytest.raises(EditionError, match=r"missing, write `unset`.*lesson_hour"):
        load_editions(tmp_path)


def test_a_missing_folder_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(EditionError, match="no such directory"):
        load_editions(tmp_path / "nowhere")


@pytest.mark.parametrize(
    ("source", "problem"),
    [
        ("''", "must be a text, or a mapping"),
        ("{kind: law}", "missing title"),
        ("{title: ''}", "title"),
        ("{title: 办法, kind: rumour}", "kind: must be one of"),
        ("{title: 办法, issued_on: 去年}", "issued_on"),
        ("{title: 办法, verified: 是}", "verified"),
        ("{title: 办法, url: 'javascript:alert(1)'}", "url"),
        ("{title: 办法, page: 3}", "unknown page"),
    ],
)
def test_a_source_is_a_document_or_refused(tmp_path: Path, source: str, problem: str) -> None:
    path = _write(tmp_path, "  {}")
    path.write_text(path.read_text("utf-8").replace("{test: 测试用数}", f"{{test: {source}}}"), "utf-8")
    with pytest.raises(EditionError, match=problem) as refused:
        load_editions(tmp_path)
    assert f"{path}: sources.test" in str(refused.value)


def test_the_norm_names_its_legal_bases_and_each_number_its_document(editions: Mapping[str, Edition]) -> None:
    norm = editions["henan-2020-97"]
    assert [base for base in norm.legal_bases if "豫政〔2020〕14号" in base]
    assert len(norm.legal_bases) == 3
    assert editions["demo"].legal_bases == norm.legal_bases
    assert [source.key for source in norm.sources if source.verified] == ["norm"]
    for one in norm.unset():
        assert one.document.kind is SourceKind.REFERRED
        assert one.document.document == "《河南省就业创业培训管理办法》"
    for one in norm.parameters.values():
        assert (one.document.kind is SourceKind.READING) is (
            one.reading is not None or "reading" in one.document.key
        )
