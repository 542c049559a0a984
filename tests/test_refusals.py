"""Every refusal says what is required and what to do next (policy/refusals.py)."""

import ast
from collections.abc import Iterator
from pathlib import Path

from rest_framework.test import APIClient

from accounts.models import User

ROOT = Path(__file__).resolve().parent.parent
HOUSES = ("attendance", "classes", "courses", "exams", "platform", "subsidies", "supervision")
NEEDED = {"required", "next_step"}


def refusals() -> Iterator[tuple[str, ast.Call]]:
    for house in HOUSES:
        for path in sorted((ROOT / house).rglob("*.py")):
            if "migrations" in path.parts:
                continue
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Call) and ast.unparse(node.func) == "Refusal":
                    yield f"{path.relative_to(ROOT)}:{node.lineno}", node


def test_every_refusal_says_what_is_required_and_what_to_do_next() -> None:
    seen = list(refusals())
    assert len(seen) > 300
    mute = {
        place: sorted(missing)
        for place, call in seen
        if (missing := NEEDED - {keyword.arg for keyword in call.keywords})
    }
    assert mute == {}


def test_no_refusal_gives_them_empty() -> None:
    empty = [
        (place, keyword.arg)
        for place, call in refusals()
        for keyword in call.keywords
        if keyword.arg in NEEDED
        and isinstance(keyword.value, ast.Constant)
        and keyword.value.value in (None, "")
    ]
    assert empty == []


def test_a_meter_without_its_class_names_the_field(learner: User) -> None:
    client = APIClient()
    client.force_authenticate(learner)
    for query in ("", "?class=x", "?class=0"):
        answer = client.get(f"/api/v1/me/meter/{query}")
        body = answer.json()
        assert (answer.status_code, body["code"]) == (400, "invalid")
        assert body["details"]["found"] == ["class"]
        assert body["details"]["fields"]["class"]
        assert body["details"]["required"]
        assert body["details"]["next"]
