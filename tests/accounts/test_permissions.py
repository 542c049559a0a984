"""Which office answers for which region (Q1)."""

import pytest

from accounts.models import Region
from accounts.permissions import covers, region_prefix

pytestmark = pytest.mark.django_db

CASES = [
    ("410000", "410105", True),
    ("410000", "419001", True),
    ("410100", "410105", True),
    ("410100", "410181", True),
    ("410100", "410305", False),
    ("410105", "410105", True),
    ("410105", "410102", False),
    ("410105", "410100", False),
    ("419001", "419001", True),
    ("419001", "410105", False),
]


@pytest.mark.parametrize(("office", "region", "expected"), CASES)
def test_an_office_covers_what_lies_below_it(office, region, expected):
    supervising, asked = Region.objects.get(code=office), Region.objects.get(code=region)
    assert covers(supervising, asked) is expected


def test_the_prefix_selects_exactly_what_the_rule_accepts():
    regions = list(Region.objects.all())
    for supervising in regions[:30]:
        chosen = set(Region.objects.filter(code__startswith=region_prefix(supervising)))
        assert chosen == {region for region in regions if covers(supervising, region)}
