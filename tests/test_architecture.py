"""Rules about the code itself that no linter on the shelf knows."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
HOUSE = [
    ROOT / name
    for name in ("platform", "courses", "classes", "attendance", "exams", "subsidies", "supervision")
]


def modules() -> list[Path]:
    return sorted(
        path
        for folder in HOUSE
        for path in folder.rglob("*.py")
        if "migrations" not in path.relative_to(ROOT).parts
    )


def may_move_states(path: Path) -> bool:
    """The one module of an app's actions that walks its tables. `config` holds no states of ours."""
    parts = path.relative_to(ROOT).parts
    return parts[-2:] == ("actions", "moves.py") or parts[:2] == ("platform", "config")


def state_assignments(tree: ast.AST) -> Iterator[int]:
    """Line numbers where an attribute called `state` is set, in any of the ways Python offers."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign | ast.AnnAssign | ast.AugAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            for target in targets:
                for part in ast.walk(target):
                    if (
                        isinstance(part, ast.Attribute)
                        and part.attr == "state"
                        and isinstance(part.ctx, ast.Store)
                    ):
                        yield node.lineno
        if isinstance(node, ast.Call):
            name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            if name == "update" and any(keyword.arg == "state" for keyword in node.keywords):
                yield node.lineno
            if name == "setattr" and len(node.args) > 1 and getattr(node.args[1], "value", None) == "state":
                yield node.lineno


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(ROOT)))
def test_states_move_in_one_module_of_an_app_only(path):
    if may_move_states(path):
        return
    assert list(state_assignments(ast.parse(path.read_text(encoding="utf-8")))) == []


@pytest.mark.parametrize(
    "source",
    ["x.state = 1", "x.state: int = 1", "a, x.state = 1, 2", "q.update(state=1)", "setattr(x, 'state', 1)"],
)
def test_the_rule_sees_every_way_to_set_a_state(source):
    assert list(state_assignments(ast.parse(source))) == [1]


def test_no_module_is_called_utils():
    assert [path for path in modules() if path.stem in ("utils", "helpers", "misc")] == []


def test_only_edges_ask_the_clock():
    """Actions, policy and models take `at`; views, tags, APIs, tasks, consumers and commands may."""
    edges = (
        "views",
        "templatetags",
        "api",
        "tasks",
        "consumers",
        "commands",
        "views.py",
        "api.py",
        "tasks.py",
        "consumers.py",
        "middleware.py",
        "pulse.py",
    )
    asking = []
    for path in modules():
        parts = path.relative_to(ROOT).parts
        if any(part in edges or part.endswith("_views.py") for part in parts) or parts[:2] == (
            "platform",
            "config",
        ):
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Attribute)
                and node.func.attr in ("now", "today", "utcnow")
                and isinstance(node.func.value, ast.Name)
                and node.func.value.id in ("timezone", "datetime", "date")
            ):
                asking.append(f"{path.relative_to(ROOT)}:{node.lineno}")
    assert asking == []
