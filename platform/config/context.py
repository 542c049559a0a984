"""What every page's frame needs to know: who looks, as what, where they may go, and in which language."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse
from django.utils.functional import Promise, SimpleLazyObject
from django.utils.translation import get_language, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from accounts.states import Role


@dataclass(frozen=True)
class Target:
    """A place in the navigation, by URL name; reversed when a page is rendered."""

    name: str
    label: Promise | str
    icon: str


@dataclass(frozen=True)
class NavItem:
    label: Promise | str
    url: str
    icon: str
    current: bool


PUBLIC = (
    Target("courses:list", _("找课程"), "search"),
    Target("recruitment:institutions", pgettext_lazy("tab", "报名"), "user-plus"),
    Target("certificates:check", _("查证书"), "certificate"),
    Target("subsidies:notices", _("公示公告"), "speakerphone"),
    Target("about", _("政策依据"), "book-2"),
)

# In the order of the day's work. A person with several roles sees them joined, each place once.
NAVIGATION: dict[Role, tuple[Target, ...]] = {
    Role.TRAINEE: (
        Target("start", _("首页"), "home"),
        Target("classes:list", _("课表"), "calendar"),
        Target("attendance:meter", _("学时"), "hourglass"),
        Target("exams:mine", _("考试"), "writing"),
        Target("recruitment:mine", pgettext_lazy("tab", "报名"), "clipboard-list"),
    ),
    Role.LECTURER: (
        Target("start", _("首页"), "home"),
        Target("classes:list", _("培训班"), "school"),
        Target("courses:list", _("课程"), "book-2"),
    ),
    Role.ASSISTANT: (
        Target("start", _("首页"), "home"),
        Target("classes:list", _("培训班"), "school"),
        Target("courses:list", _("课程"), "book-2"),
    ),
    Role.MANAGER: (
        Target("start", _("首页"), "home"),
        Target("classes:list", _("培训班"), "school"),
        Target("recruitment:inbox", pgettext_lazy("tab", "报名"), "clipboard-list"),
        Target("courses:list", _("课程"), "book-2"),
        Target("subsidies:list", _("补贴申请"), "coin-yuan"),
        Target("accounts:staff", _("讲师和助教"), "users"),
        Target("registers:lecturers", _("讲师资格"), "certificate"),
    ),
    Role.OFFICER: (
        Target("start", _("首页"), "home"),
        Target("classes:filings", _("开班备案"), "rubber-stamp"),
        Target("subsidies:list", _("补贴申请"), "coin-yuan"),
        Target("subsidies:notices", _("公示与异议"), "speakerphone"),
        Target("registers:lecturers", _("讲师资格"), "certificate"),
        Target("registers:institutions", _("定点机构"), "building-community"),
    ),
    Role.REGULATOR: (
        Target("supervision:home", _("总览"), "layout-dashboard"),
        Target("supervision:claims", _("补贴申请"), "coin-yuan"),
        Target("supervision:lecturers", _("讲师"), "certificate"),
        Target("supervision:institutions", _("机构"), "building-community"),
        Target("subsidies:notices", _("公示公告"), "speakerphone"),
    ),
    Role.OPERATOR: (
        Target("start", _("首页"), "home"),
        Target("accounts:institutions", _("机构"), "building-community"),
        Target("accounts:bureaus", _("管理部门"), "building-bank"),
        Target("accounts:accounts", _("工作人员"), "users"),
        Target("courses:list", _("课程"), "book-2"),
        Target("registers:platform", _("平台备案"), "shield-check"),
    ),
}

# Pages whose address lies under another place than the one they belong to: the start of the page's URL name,
# and the places it belongs to, of which a person's first one counts.
BELONGS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("attendance:meter", ("attendance:meter",)),
    ("attendance:tra", ("attendance:meter", "classes:list", "classes:filings")),
    ("attendance:watch", ("classes:list",)),
    ("attendance:", ("classes:list", "classes:filings")),
    ("live:", ("classes:list",)),
    ("identity:review", ("classes:list",)),
    ("exams:", ("exams:mine", "classes:list", "classes:filings")),
    ("classes:receipt", ("classes:filings",)),
    ("classes:", ("classes:list", "classes:filings")),
    ("courses:", ("courses:list", "classes:list")),
    ("recruitment:class_evidence", ("classes:list", "classes:filings")),
    ("recruitment:signals", ("classes:filings",)),
    ("recruitment:institution", ("recruitment:institutions",)),
    ("recruitment:", ("recruitment:mine", "recruitment:inbox", "recruitment:institutions")),
    ("registers:measure", ("registers:institutions", "registers:platform")),
    ("registers:qualification", ("registers:lecturers",)),
    ("registers:edit", ("registers:lecturers",)),
    ("accounts:office", ("accounts:accounts",)),
    ("accounts:edition", ("about",)),
    ("accounts:compare", ("about",)),
    ("subsidies:notice", ("subsidies:notices",)),
    ("subsidies:received", ("subsidies:notices",)),
)

# The phone's tab bar holds as many places as a thumb can tell apart.
TABS_AT_MOST = 5


class Frame:
    """The frame of one page. Everything that costs a query is worked out when a template asks for it."""

    def __init__(self, request: HttpRequest) -> None:
        self._request = request

    @property
    def user(self) -> User | None:
        user = getattr(self._request, "user", None)  # absent when a middleware before authentication answers
        return user if isinstance(user, User) else None

    @property
    def demo(self) -> bool:
        return bool(settings.DEMO)

    @property
    def roles(self) -> list[Role]:
        """The signed-in person's roles in the order of the day's work; nobody has none."""
        held = self.user.roles if self.user else frozenset()
        return [role for role in NAVIGATION if role in held]

    @property
    def read_only(self) -> bool:
        return Role.REGULATOR in self.roles

    @property
    def person(self) -> str:
        return str(self.user) if self.user else ""

    @property
    def office(self) -> str:
        """For whom and as what: 郑州启航创业培训学校·机构管理员. A trainee is just that."""
        if self.user is None or not self.roles:
            return ""
        role = self.roles[0]
        body = self.user.bureau or self.user.institution
        if body is None or role == Role.TRAINEE:
            return str(role.label)
        return str(body) if self.read_only else f"{body}·{role.label}"

    @property
    def nav(self) -> list[NavItem]:
        """Where this person may go, the place they are in marked as current."""
        targets = (
            [target for role in self.roles for target in NAVIGATION[role]] if self.user else list(PUBLIC)
        )
        places: dict[str, Target] = {}
        for target in targets:
            url = _place(target.name)
            if url is not None:
                places.setdefault(url, target)
        here = self._here(places)
        return [NavItem(target.label, url, target.icon, url == here) for url, target in places.items()]

    def _here(self, places: Mapping[str, Target]) -> str | None:
        """The place of the page at hand: where it belongs, or else the one its address lies under."""
        path, match = self._request.path, getattr(self._request, "resolver_match", None)
        named = {target.name: url for url, target in places.items()}
        if match is not None and path not in places:
            belongs = next((names for start, names in BELONGS if match.view_name.startswith(start)), ())
            for name in belongs:
                if name in named:
                    return named[name]
        return max((url for url in places if _leads_to(url, path)), key=len, default=None)

    @property
    def tabs(self) -> list[NavItem]:
        """The phone's tab bar: the same places, for people who are signed in."""
        return self.nav[:TABS_AT_MOST] if self.user else []

    @property
    def beyond_tabs(self) -> list[NavItem]:
        """The places that the phone's tab bar has no room for: its menu leads there."""
        return self.nav[TABS_AT_MOST:] if self.user else []

    @property
    def other_language(self) -> dict[str, str]:
        """The language one may switch to, named in itself."""
        if (get_language() or "").startswith("en"):
            return {"code": "zh-hans", "lang": "zh-CN", "name": "中文", "short": "中文"}
        return {"code": "en", "lang": "en", "name": "English", "short": "EN"}

    @property
    def html_lang(self) -> str:
        return "en" if (get_language() or "").startswith("en") else "zh-CN"


def _place(name: str) -> str | None:
    """Reverse a URL name; a place that is not built yet is left out outside production."""
    try:
        return reverse(name)
    except NoReverseMatch:
        if settings.MODE == "production":
            raise
        return None


def _leads_to(url: str, path: str) -> bool:
    return path == url or (url != "/" and path.startswith(url))


def site(request: HttpRequest) -> dict[str, Any]:
    """Context processor: `frame`, worked out only by pages that have one.

    Not named `site`, which Django's own sign-in view puts into its context.
    """
    return {"frame": SimpleLazyObject(lambda: Frame(request))}
