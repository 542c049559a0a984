"""The what-if report: one's classes under another edition."""

from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from accounts.editions import all_editions
from accounts.editions import edition as find_edition
from accounts.models import User
from accounts.rulebook import the_norm
from classes.states import ClassState
from classes.whatif import classes_to_judge, what_if

PAGE_SIZE = 25


@login_required
@require_safe
def report(request: HttpRequest) -> HttpResponse:
    """Which of the classes one sees would fail under another edition, and why."""
    assert isinstance(request.user, User)
    classes = classes_to_judge(request.user)
    state = request.GET.get("state", "")
    if state in ClassState.values:
        classes = classes.filter(state=state)
    asked = request.GET.get("edition", "")
    edition = find_edition(asked) if asked else the_norm()
    page = Paginator(classes, PAGE_SIZE).get_page(request.GET.get("page"))
    results = what_if(list(page.object_list), edition, today=timezone.localdate())
    return render(
        request,
        "classes/what_if.html",
        {
            "page": page,
            "results": results,
            "edition": edition,
            "editions": all_editions().values(),
            "states": [choice for choice in ClassState.choices if choice[0] != ClassState.CANCELLED],
            "state": state if state in ClassState.values else "",
            "failing": sum(not one.passes for one in results),
            "newly": sum(bool(one.newly) for one in results),
        },
    )
