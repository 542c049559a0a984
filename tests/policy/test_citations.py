"""Our reading stays tied to the norm's text: every row, sentence, message and case."""

import ast
import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import pytest

import policy
from policy.citations import citation_of, citations
from policy.editions import load_editions
from tests.policy.cases import rows_with_cases

POLICY = Path(policy.__file__).parent
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
