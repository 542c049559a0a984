"""Who may act as what."""

from django.contrib.auth.models import AnonymousUser
from django.utils.translation import gettext_noop

from accounts.models import Region, User
from accounts.states import Department, RegionLevel, Role
from policy.refusals import Refusal


def roles_of(user: object) -> list[Role]:
    """What an account may act as, as the `found` of a refusal says it; a visitor may act as nothing."""
    return [role for role in Role if isinstance(user, User) and role in user.roles]


def require_role(user: User | AnonymousUser, *roles: str) -> User:
    """Return the user when one of their roles fits; raises Refusal `role_required` (403)."""
    if isinstance(user, User) and user.has_role(*roles):
        return user
    raise Refusal(
        "role_required",
        gettext_noop("这一步要由%(roles)s来做，当前账号没有这个角色。"),
        found=roles_of(user),
        required=[Role(role) for role in roles],
        params={"roles": [str(Role(role).label) for role in roles]},
        next_step=gettext_noop("请换用有这个角色的账号登录。"),
        status=403,
    )


def covers(supervising: Region, region: Region) -> bool:
    """Whether an office of `supervising` is responsible for `region`: the province for all, a city for
    its counties.

    GB/T 2260: the first two digits are the province, the first four the city. 济源 (419001) is a
    county-level code directly under the province, so no city covers it but its own office does.
    """
    if supervising.level == RegionLevel.PROVINCE:
        return supervising.code[:2] == region.code[:2]
    if supervising.code == region.code:
        return True
    return (
        supervising.level == RegionLevel.CITY
        and supervising.code.endswith("00")
        and supervising.code[:4] == region.code[:4]
    )


def region_prefix(supervising: Region) -> str:
    """The code prefix that selects exactly the regions which `covers` accepts, for use in a query."""
    if supervising.level == RegionLevel.PROVINCE:
        return supervising.code[:2]
    if supervising.level == RegionLevel.CITY and supervising.code.endswith("00"):
        return supervising.code[:4]
    return supervising.code


def is_finance(user: User) -> bool:
    """Whether a supervision account belongs to a finance department (Q1)."""
    return user.bureau is not None and user.bureau.department == Department.FINANCE
