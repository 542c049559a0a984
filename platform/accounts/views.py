"""Signing in, activating an account, and everyone's start page."""

from django.contrib import messages
from django.contrib.auth import login
from django.contrib.auth.decorators import login_required
from django.contrib.auth.views import LoginView
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_safe

from accounts import actions, start
from accounts.forms import ActivationForm, SignInForm
from accounts.models import User
from accounts.refusals import rendered
from accounts.states import Role
from policy.refusals import Refusal


class SignInView(LoginView):
    """Django's own login with our form; `next` is checked by Django."""

    template_name = "accounts/login.html"
    authentication_form = SignInForm
    redirect_authenticated_user = True


@sensitive_post_parameters()
@require_http_methods(["GET", "HEAD", "POST"])
def activate(request: HttpRequest) -> HttpResponse:
    """A first visit: user name and code from the sheet, then a password of one's own."""
    form = ActivationForm(request.POST or None, initial={"username": request.GET.get("user", "")})
    if request.method == "POST" and form.is_valid():
        try:
            user = actions.activate(
                username=form.cleaned_data["username"],
                code=form.cleaned_data["code"],
                password=form.cleaned_data["password"],
                at=timezone.now(),
            )
        except Refusal as refusal:
            body = rendered(refusal)
            form.add_error("code", body["message"] + body["details"]["next"])
        else:
            login(request, user, backend="django.contrib.auth.backends.ModelBackend")
            messages.success(request, _("密码设好了，下次用用户名 %(name)s 登录。") % {"name": user.username})
            return redirect("start")
    return render(request, "accounts/activate.html", {"form": form}, status=400 if form.errors else 200)


@require_safe
@login_required
def start_page(request: HttpRequest) -> HttpResponse:
    """The one next thing, then what else there is to do; supervision accounts go to their own house."""
    user = request.user
    assert isinstance(user, User)
    if user.has_role(Role.REGULATOR):
        return redirect("supervision:home")
    tasks = start.tasks_for(user, timezone.now())
    first, rest = (tasks[0], tasks[1:6]) if tasks else (None, [])
    return render(
        request,
        "accounts/start.html",
        {"first": first, "tasks": rest, "more": max(0, len(tasks) - 6), "roles": user.roles},
    )
