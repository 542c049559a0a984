"""Our reading stays tied to the norm's text: every row, sentence, message and case."""

import ast
import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

import policy
from policy.citations import citation_of, citations
from policy.editions import load_editions
from tests.policy.cases import CASES, rows_with_cases

POLICY = Path(policy.__file__).parent
ROOT = POLICY.parents[1]
# What looks like a row in a paper and is something else.
NO_ROWS: dict[str, set[str]] = {}
NO_CODE_ROWS: dict[str, set[str]] = {}
ROW = re.compile(r"[AFHILMNPQST]\d{1,2}", re.ASCII)


def _constants() -> Iterator[tuple[Path, str]]:
    for path in POLICY.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                yield path, node.value


def test_the_ledger_has_its_133_rows() -> None:
    assert len(citations()) == 133


def test_every_sentence_stands_in_the_norm_letter_by_letter() -> None:
    norm = re.sub(r"\s", "", (POLICY / "norm.txt").read_text(encoding="utf-8"))
    invented = [one.row for one in citations().values() if re.sub(r"\s", "", one.sentence) not in norm]
    assert invented == []


def test_every_row_that_the_code_names_exists() -> None:
    named = {text for _, text in _constants() if ROW.fullmatch(text)}
    assert named
    assert named <= citations().keys()


def test_every_rule_that_the_code_or_an_edition_computes_has_a_case() -> None:
    named = {text for _, text in _constants() if ROW.fullmatch(text)}
    computed = {row for row in named if citations()[row].computed}
    assert sorted(computed - rows_with_cases()) == []


# Rows that the software computes and that are settled before the first lesson: courses, hours, lecturers,
# trainees, institutions, process, measures and the norm's own force.
BEFORE_THE_FIRST_LESSON = (
    *(f"A{number}" for number in range(1, 7)),
    *(f"H{number}" for number in range(1, 16)),
    *(f"T{number}" for number in range(1, 5)),
    *(f"S{number}" for number in range(1, 7)),
    *(f"I{number}" for number in range(1, 6)),
    *(f"F{number}" for number in range(1, 19)),
    *("L5", "L6", "L7", "Q8", "Q9", "N2", "N4", "N5", "N6"),
)


def test_every_computed_row_up_to_the_first_lesson_has_a_case() -> None:
    computed = {row for row in BEFORE_THE_FIRST_LESSON if citations()[row].computed}
    assert {"A1", "A2", "A5", "A6", "H4", "H15", "T4", "S6", "I1", "I3", "I5", "F1", "F18"} <= computed
    assert {"L5", "L6", "Q8", "Q9", "N4", "N5"} <= computed
    assert sorted(computed - rows_with_cases()) == []


def test_every_case_names_its_rows() -> None:
    for path in sorted(CASES.glob("*.yaml")):
        content = yaml.safe_load(path.read_text("utf-8"))
        for part in [content] if isinstance(content, list) else content.values():
            if path.stem not in ("whole_hours", "hours_refused"):  # tables of figures and of malformed input
                assert [case for case in part if not case.get("rows")] == [], path.name


def _cited(path: Path) -> Iterator[str]:
    """Rows given as `rule=`, `row=` or `citation_of(…)` anywhere in a module, outside the policy too."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if not isinstance(node, ast.Call):
            continue
        given = [word.value for word in node.keywords if word.arg in ("rule", "row")]
        if getattr(node.func, "id", "") == "citation_of":
            given += node.args
        for part in (inner for one in given for inner in ast.walk(one)):
            if isinstance(part, ast.Constant) and isinstance(part.value, str) and part.value:
                yield part.value


HOUSE = ("platform", "courses", "classes", "attendance", "exams", "subsidies", "supervision")


@pytest.mark.parametrize("folder", HOUSE)
def test_no_code_cites_a_row_that_the_ledger_does_not_have(folder: str) -> None:
    invented = {
        (str(path.relative_to(ROOT)), row)
        for path in (ROOT / folder).rglob("*.py")
        for row in _cited(path)
        if row not in citations() and (ROW.fullmatch(row) or row.isupper())
    }
    assert invented == set()


@pytest.mark.parametrize("folder", HOUSE)
def test_no_text_of_the_code_looks_like_a_row_that_the_ledger_does_not_have(folder: str) -> None:
    """Rows stand in tables and tuples as well, not only where they are given by name."""
    invented = {
        (str(path.relative_to(ROOT)), node.value)
        for path in (ROOT / folder).rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and ROW.fullmatch(node.value)
        if node.value not in citations()
    }
    assert invented <= {(file, text) for file, texts in NO_CODE_ROWS.items() for text in texts}


@pytest.mark.parametrize(
    "path",
    [ROOT / "README.md", ROOT / "README.zh.md", *sorted((ROOT / "docs").rglob("*.md"))],
    ids=lambda path: path.name,
)
def test_no_paper_names_a_row_that_the_ledger_does_not_have(path: Path) -> None:
    named = set(re.findall(r"(?<![\w-])[AFHILMNPQST]\d{1,2}(?![\w-])", path.read_text(encoding="utf-8")))
    assert named - citations().keys() <= NO_ROWS.get(path.name, set())


def test_the_rule_sees_a_made_up_citation(tmp_path: Path) -> None:
    module = tmp_path / "module.py"
    module.write_text('refuse(rule="H99"); Finding(row="F7" if x else "Z1"); citation_of("M8")', "utf-8")
    assert sorted(_cited(module)) == ["F7", "H99", "M8", "Z1"]


def test_every_case_names_rows_that_exist() -> None:
    assert rows_with_cases() <= citations().keys()


def test_every_parameter_of_every_edition_names_a_row() -> None:
    rows = {one.row for edition in load_editions().values() for one in edition.parameters.values()}
    assert rows <= citations().keys()


def test_a_citation_says_where_and_whether_it_is_inferred() -> None:
    assert citation_of("M8") == "规范 六（三）：“学习时长不低于线上培训总课时80%的为考勤合格”"
    assert citation_of("H9").startswith("规范 二（第2段）（推定）：")
    assert citation_of("") == ""


def _messages() -> Iterator[str]:
    for path in POLICY.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "gettext_noop":
                yield ast.literal_eval(node.args[0])


@pytest.mark.parametrize("message", sorted(set(_messages())))
def test_every_message_can_be_filled_and_is_plain_chinese(message: str) -> None:
    params: defaultdict[str, str] = defaultdict(lambda: "1")
    assert "%(" not in message % params
    assert not re.search(r"抱歉|非法|异常|系统错误|操作失败|[!！,?]", message)
