"""Checking a certificate, for anybody; and its file, for those whom it concerns."""

from django.contrib.auth.decorators import login_required
from django.http import FileResponse, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from accounts import editions
from audit.reconciliation import differences_about
from exams.certificates.public import public_certificate
from exams.permissions import access_certificate
from policy.refusals import Refusal
from policy.terms import Mode, course_type_name


@never_cache
@require_safe
def check(request: HttpRequest) -> HttpResponse:
    """Say whether a certificate is genuine and stands; what it says is masked as on the paper."""
    typed = request.GET.get("number", "").strip()[:60]
    found = public_certificate(typed) if typed else None
    return render(
        request,
        "certificates/check.html",
        {
            "typed": typed,
            "certificate": found,
            "course": _(course_type_name(found.course)) if found else "",
            "mode": _(Mode(found.mode).label) if found else "",
            "is_demo": bool(found and editions.edition(found.edition).demo),
            "checked_at": timezone.now(),
        },
    )


@login_required
@require_safe
def pdf(request: HttpRequest, pk: int) -> HttpResponse | FileResponse:
    """The certificate's file. Raises Refusal `certificate_not_printed` (409) until it is drawn, and
    `certificate_differs` (409) where the log does not bear the certificate out.
    """
    certificate = access_certificate(request.user, pk)
    own = f"{certificate._meta.db_table}/{certificate.pk}"
    chain = certificate.enrolment.training_class.subject
    differ = [one for one in differences_about(chain, certificate.enrolment_id) if one.row == own]
    if differ:
        raise Refusal(
            "certificate_differs",
            gettext_noop("这张合格证和留痕不一致，先不能下载。%(sentence)s"),
            found=differ[0].says or None,
            required=differ[0].recorded or None,
            rule="M12",
            params={"sentence": differ[0].sentence},
            next_step=gettext_noop("请联系平台运营核对留痕，核对清楚前不能办理。"),
        )
    if not certificate.pdf:
        raise Refusal(
            "certificate_not_printed",
            gettext_noop("合格证文件还在生成。"),
            found=False,
            required=True,
            rule="M12",
            next_step=gettext_noop("一般几秒钟就好，请过一会儿再来下载。"),
        )
    response = FileResponse(
        certificate.pdf.open("rb"),
        as_attachment=True,
        filename=f"{certificate.number}.pdf",
        content_type="application/pdf",
    )
    response["Cache-Control"] = "private, no-store"
    return response
