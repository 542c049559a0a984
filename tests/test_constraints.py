"""A CHECK that comes to NULL lets the row in: none of ours may, whatever is left empty."""

from collections.abc import Iterator, Mapping
from itertools import product

import pytest
from django.apps import apps
from django.db.models import CheckConstraint, F, Model, Q

Leaf = tuple[str, object]

CHECKS = [
    (model, constraint)
    for model in apps.get_models()
    for constraint in model._meta.constraints
    if isinstance(constraint, CheckConstraint) and not model.__module__.startswith("django")
]


def leaves(condition: Q) -> Iterator[Leaf]:
    for child in condition.children:
        if isinstance(child, Q):
            yield from leaves(child)
        elif isinstance(child, tuple):
            yield child


def fields_of(leaf: Leaf) -> set[str]:
    lookup, value = leaf
    return {lookup.split("__")[0]} | ({str(value.deconstruct()[1][0])} if isinstance(value, F) else set())


def comes_to(condition: Q, empty: frozenset[str], answers: Mapping[str, bool]) -> bool | None:
    """The condition as SQL reads it, with these fields NULL and each other comparison answered."""
    said: list[bool | None] = []
    for child in condition.children:
        if isinstance(child, Q):
            said.append(comes_to(child, empty, answers))
        elif not isinstance(child, tuple):
            said.append(True)  # an expression is its own author's care
        elif child[0].endswith("__isnull"):
            said.append((child[0].split("__")[0] in empty) is child[1])
        else:
            said.append(None if fields_of(child) & empty else answers[repr(child)])
    decisive = condition.connector == Q.OR
    result = decisive if decisive in said else None if None in said else not decisive
    return result if result is None or not condition.negated else not result


def nulls_let_in(model: type[Model], condition: Q) -> frozenset[str] | None:
    """Fields whose being empty makes the condition NULL."""
    every = list(leaves(condition))
    optional = sorted(
        name for name in set().union(*map(fields_of, every)) if model._meta.get_field(name).null
    )
    compared = sorted({repr(leaf) for leaf in every if not leaf[0].endswith("__isnull")})
    for empty in product([False, True], repeat=len(optional)):
        left_out = frozenset(name for name, gone in zip(optional, empty, strict=True) if gone)
        for answers in product([True, False], repeat=len(compared)):
            if comes_to(condition, left_out, dict(zip(compared, answers, strict=True))) is None:
                return left_out
    return None


@pytest.mark.parametrize(("model", "constraint"), CHECKS, ids=lambda one: getattr(one, "name", None))
def test_no_check_comes_to_null(model: type[Model], constraint: CheckConstraint):
    assert isinstance(constraint.condition, Q)
    assert nulls_let_in(model, constraint.condition) is None


def test_the_rule_sees_a_check_that_does():
    measure = apps.get_model("registers", "Measure")
    assert nulls_let_in(measure, Q(kind="rectification", deadline__gte=F("since"))) == frozenset({"deadline"})
    assert nulls_let_in(measure, Q(deadline__isnull=True) | Q(deadline__gte=F("since"))) is None
