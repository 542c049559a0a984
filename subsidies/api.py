"""Claims, their traces and papers, and the public notices over HTTP (DESIGN §6).

Amounts are strings with two decimals, lengths whole microseconds, times ISO 8601 with an offset.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django.http import Http404, HttpResponse
from django.urls import path
from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_field
from rest_framework import generics, serializers, status
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.parsers import BaseParser
from rest_framework.permissions import AllowAny
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api import RefusalSerializer
from accounts.api_views import APIView, ReadsBody, TextField
from accounts.models import User
from attendance.trace import Fate
from audit.reconciliation import differences
from classes.permissions import access_class
from policy.terms import HourKind
from subsidies import queries, throttle
from subsidies.actions import claims as claim_actions
from subsidies.actions import exports, objections
from subsidies.downloads import XLSX, ZIP, file_response
from subsidies.models import Claim, PublicNotice
from subsidies.permissions import access_claim, access_notice, require_may_object
from subsidies.reconciliation import differing_claims
from subsidies.states import ClaimState, ObjectionState
from subsidies.trace import EvidenceOfLine, Trace, TracedEntry, TracedLesson

Body = serializers.Serializer[Any]
ERRORS = {400: RefusalSerializer, 403: RefusalSerializer, 404: RefusalSerializer, 409: RefusalSerializer}
MOST = 2**63 - 1
DIFFERS = "whether its figures, days or decision are not those that the evidence has"


# --- shapes ---


class ClassWishSerializer(Body):
    """Which finished class to claim for."""

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        return {"class": serializers.IntegerField(min_value=1, max_value=MOST)}


class ClaimSerializer(Body):
    id = serializers.IntegerField(source="pk")
    number = serializers.CharField()
    state = serializers.ChoiceField(choices=ClaimState.choices)
    edition = serializers.CharField()
    rate = serializers.DecimalField(max_digits=10, decimal_places=2, help_text="yuan per person")
    effective_trainees = serializers.IntegerField()
    amount = serializers.DecimalField(max_digits=12, decimal_places=2, help_text="heads × rate, yuan")
    decided_amount = serializers.DecimalField(max_digits=12, decimal_places=2, allow_null=True)
    reason = serializers.CharField()
    created_at = serializers.DateTimeField()
    submitted_at = serializers.DateTimeField(allow_null=True)
    decided_at = serializers.DateTimeField(allow_null=True)
    notice = serializers.IntegerField(source="notice.pk", allow_null=True, default=None)
    export_ready = serializers.SerializerMethodField()

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        fields = super().get_fields()
        fields["class"] = serializers.IntegerField(source="training_class_id")
        return fields

    def get_export_ready(self, claim: Claim) -> bool:
        return bool(claim.export)


class ClaimRowSerializer(ClaimSerializer):
    """A claim in a list; `differing` in the context names those that the log does not bear out."""

    differs = serializers.SerializerMethodField(help_text=DIFFERS)

    def get_differs(self, claim: Claim) -> bool:
        return claim.pk in self.context["differing"]


class LineSerializer(Body):
    n = serializers.IntegerField()
    enrolment = serializers.IntegerField(source="enrolment_id")
    name = serializers.CharField(source="enrolment.person.name")
    id_number = serializers.CharField(source="enrolment.person.id_number_masked", help_text="masked")
    category = serializers.CharField(source="enrolment.category")
    credited_microseconds = serializers.IntegerField(source="verdict.credited_microseconds")
    required_microseconds = serializers.IntegerField(source="verdict.required_microseconds")
    certificate = serializers.CharField(source="certificate.number")
    amount = serializers.DecimalField(max_digits=10, decimal_places=2)
    decided_amount = serializers.DecimalField(max_digits=10, decimal_places=2, allow_null=True)


class RowDifferenceSerializer(Body):
    row = serializers.CharField(help_text="its table and key")
    code = serializers.CharField(help_text="differs, unrecorded (no evidence) or gone (no row)")
    what = serializers.CharField(help_text="what the row holds, for people")
    says = serializers.CharField(help_text="in what it differs, as the row has it; empty where it is gone")
    recorded = serializers.CharField(help_text="the same as recorded; empty where the evidence has none")
    message = serializers.CharField(source="sentence")


class ClaimDetailSerializer(ClaimSerializer):
    lines = serializers.SerializerMethodField()
    differences = serializers.SerializerMethodField(
        help_text="rows of claim and class that the evidence does not bear out; empty when all is well"
    )

    @extend_schema_field(LineSerializer(many=True))
    def get_lines(self, claim: Claim) -> Any:
        return LineSerializer(queries.lines_of(claim), many=True).data

    @extend_schema_field(RowDifferenceSerializer(many=True))
    def get_differences(self, claim: Claim) -> Any:
        return RowDifferenceSerializer(differences(claim.training_class.subject), many=True).data


class ReasonSerializer(Body):
    reason = TextField(max_length=claim_actions.MAX_CHARACTERS, allow_blank=True)


class DecisionSerializer(Body):
    approved = serializers.BooleanField()
    reason = TextField(max_length=claim_actions.MAX_CHARACTERS, allow_blank=True, required=False, default="")


class PublicLineSerializer(Body):
    n = serializers.IntegerField()
    name = serializers.CharField(source="public_name", help_text="masked: 王*满")
    amount = serializers.DecimalField(max_digits=10, decimal_places=2)
    decided_amount = serializers.DecimalField(max_digits=10, decimal_places=2, allow_null=True)


class PublicObjectionSerializer(Body):
    """What the public sees of an objection: its text and who lodged it stay with the office."""

    line = serializers.IntegerField(source="line.n", allow_null=True, default=None)
    lodged_at = serializers.DateTimeField()
    state = serializers.ChoiceField(choices=ObjectionState.choices)
    answer = serializers.CharField()
    answered_at = serializers.DateTimeField(allow_null=True)


class NoticeSerializer(Body):
    id = serializers.IntegerField(source="pk")
    number = serializers.CharField(source="claim.number")
    class_name = serializers.CharField(source="claim.training_class.name")
    institution = serializers.CharField(source="claim.institution.name")
    region = serializers.CharField(source="claim.institution.region.name")
    effective_trainees = serializers.IntegerField(source="claim.effective_trainees")
    rate = serializers.DecimalField(source="claim.rate", max_digits=10, decimal_places=2)
    amount = serializers.DecimalField(source="claim.amount", max_digits=12, decimal_places=2)
    state = serializers.ChoiceField(source="claim.state", choices=ClaimState.choices)
    first_day = serializers.DateField()
    last_day = serializers.DateField()


class NoticeRowSerializer(NoticeSerializer):
    """A notice in a list, as `ClaimRowSerializer`."""

    differs = serializers.SerializerMethodField(help_text=DIFFERS)

    def get_differs(self, notice: PublicNotice) -> bool:
        return notice.claim_id in self.context["differing"]


class NoticeDetailSerializer(NoticeSerializer):
    takes_objections = serializers.SerializerMethodField()
    lines = serializers.SerializerMethodField()
    objections = serializers.SerializerMethodField()
    differences = serializers.SerializerMethodField(
        help_text="what the evidence does not bear out, by name; empty when all is well"
    )

    @extend_schema_field(serializers.ListField(child=serializers.CharField()))
    def get_differences(self, notice: PublicNotice) -> list[str]:
        return queries.differing(notice.claim)

    def get_takes_objections(self, notice: PublicNotice) -> bool:
        return queries.takes_objections(notice, timezone.now())

    @extend_schema_field(PublicLineSerializer(many=True))
    def get_lines(self, notice: PublicNotice) -> Any:
        return PublicLineSerializer(queries.lines_of(notice.claim), many=True).data

    @extend_schema_field(PublicObjectionSerializer(many=True))
    def get_objections(self, notice: PublicNotice) -> Any:
        return PublicObjectionSerializer(queries.objections_of(notice), many=True).data


class ObjectionWishSerializer(Body):
    line = serializers.IntegerField(
        min_value=1, max_value=32767, required=False, allow_null=True, default=None
    )
    text = TextField(max_length=objections.MAX_CHARACTERS)
    contact = TextField(
        max_length=objections.MAX_CONTACT_CHARACTERS, allow_blank=True, required=False, default=""
    )


class EntrySerializer(Body):
    seq = serializers.IntegerField()
    at = serializers.DateTimeField()
    recorded_at = serializers.DateTimeField()
    kind = serializers.CharField()
    sentence = serializers.CharField()
    hash = serializers.CharField()
    prev = serializers.CharField()
    verified = serializers.BooleanField()
    root = serializers.IntegerField(allow_null=True, help_text="number of the signed root over it")  # type: ignore[assignment]


class IntervalSerializer(Body):
    number = serializers.IntegerField()
    starts_at = serializers.DateTimeField()
    ends_at = serializers.DateTimeField()
    microseconds = serializers.IntegerField()
    evidence = serializers.ListField(child=serializers.IntegerField(), help_text="numbers in the chain")


class LossSerializer(Body):
    starts_at = serializers.DateTimeField()
    ends_at = serializers.DateTimeField()
    microseconds = serializers.IntegerField()
    fate = serializers.ChoiceField(choices=[(fate.value, fate.value) for fate in Fate])
    reason = serializers.CharField()
    message = serializers.CharField()


class TracedLessonSerializer(Body):
    id = serializers.IntegerField()
    kind = serializers.ChoiceField(choices=[(kind.value, kind.value) for kind in HourKind])
    title = serializers.CharField()
    starts_at = serializers.DateTimeField()
    ends_at = serializers.DateTimeField()
    worth_microseconds = serializers.IntegerField()
    credited_microseconds = serializers.IntegerField()
    intervals = IntervalSerializer(many=True)
    not_credited = LossSerializer(many=True)
    evidence = EntrySerializer(many=True)


class ChainSerializer(Body):
    subject = serializers.CharField()
    entries = serializers.IntegerField()
    verified = serializers.BooleanField()
    faults = serializers.ListField(child=serializers.CharField())


class TraceSerializer(Body):
    claim = serializers.IntegerField()
    number = serializers.CharField()
    claim_amount = serializers.CharField()
    effective_trainees = serializers.IntegerField()
    n = serializers.IntegerField()
    name = serializers.CharField()
    amount = serializers.CharField()
    certificate = serializers.CharField()
    score = serializers.CharField(help_text="out of 100, exact")
    credited_microseconds = serializers.IntegerField(help_text="as the verdict says")
    required_microseconds = serializers.IntegerField()
    computed_microseconds = serializers.IntegerField(help_text="as computed for this answer")
    same_as_verdict = serializers.BooleanField()
    by_kind = serializers.DictField(child=serializers.IntegerField())
    verdict_entry = serializers.IntegerField()
    verdict_hash = serializers.CharField()
    chain = ChainSerializer(allow_null=True)
    differences = RowDifferenceSerializer(many=True, help_text="rows that the evidence does not bear out")
    lessons = TracedLessonSerializer(many=True)


def trace_body(trace: Trace, evidence: EvidenceOfLine) -> Mapping[str, Any]:
    """A trace with all its rungs as one JSON object; the lessons add up to `computed_microseconds`."""
    line, verdict = trace.line, trace.line.verdict
    lessons, chain = [], None
    for traced in trace.lessons:
        found = evidence.of(traced)
        numbers = evidence.numbers(traced)
        chain = {
            "subject": line.claim.training_class.subject,
            "entries": found.chain_length,
            "verified": found.verified,
            "faults": found.faults,
        }
        lessons.append(_lesson_body(traced, numbers, found.all))
    return TraceSerializer(
        {
            "claim": line.claim_id,
            "number": line.claim.number,
            "claim_amount": str(line.claim.amount),
            "effective_trainees": line.claim.effective_trainees,
            "n": line.n,
            "name": line.enrolment.person.name,
            "amount": str(line.amount),
            "certificate": line.certificate.number,
            "score": trace.score,
            "credited_microseconds": verdict.credited_microseconds,
            "required_microseconds": verdict.required_microseconds,
            "computed_microseconds": trace.credited_microseconds,
            "same_as_verdict": trace.is_same_as_verdict,
            "by_kind": verdict.by_kind,
            "verdict_entry": verdict.evidence_seq,
            "verdict_hash": verdict.evidence_hash,
            "chain": chain,
            "differences": trace.differences,
            "lessons": lessons,
        }
    ).data


def _lesson_body(
    traced: TracedLesson, numbers: Mapping[int, list[int]], entries: Sequence[TracedEntry]
) -> dict[str, Any]:
    lesson = traced.lesson
    return {
        "id": lesson.pk,
        "kind": lesson.kind,
        "title": lesson.title,
        "starts_at": lesson.starts_at,
        "ends_at": lesson.ends_at,
        "worth_microseconds": traced.worth,
        "credited_microseconds": traced.microseconds,
        "intervals": [
            {
                "number": one.number,
                "starts_at": one.since,
                "ends_at": one.until,
                "microseconds": one.microseconds,
                "evidence": numbers[one.number],
            }
            for one in traced.intervals
        ],
        "not_credited": [
            {
                "starts_at": loss.since,
                "ends_at": loss.until,
                "microseconds": loss.microseconds,
                "fate": loss.fate,
                "reason": loss.reason,
                "message": loss.words,
            }
            for loss in traced.losses
        ],
        "evidence": [
            {
                "seq": one.entry.seq,
                "at": one.entry.at,
                "recorded_at": one.entry.recorded_at,
                "kind": one.entry.kind,
                "sentence": one.entry.sentence,
                "hash": one.entry.hash,
                "prev": one.entry.prev_hash,
                "verified": one.verified,
                "root": one.root.number if one.root else None,
            }
            for one in entries
        ],
    }


# --- claims ---


def _user(request: Request) -> User:
    assert isinstance(request.user, User)
    return request.user


def _parsed(form: type[Body], request: Request) -> dict[str, Any]:
    parsed = form(data=request.data)
    parsed.is_valid(raise_exception=True)
    data: dict[str, Any] = parsed.validated_data
    return data


class ClaimsView(ReadsBody, generics.GenericAPIView[Claim]):
    """Claims of one's institution or of the regions one decides for."""

    serializer_class = ClaimRowSerializer

    @extend_schema(
        operation_id="claims_list",
        parameters=[OpenApiParameter("state", enum=ClaimState.values), OpenApiParameter("q", str)],
        responses={200: ClaimRowSerializer(many=True)},
    )
    def get(self, request: Request) -> Response:
        state = request.query_params.get("state", "")
        search = request.query_params.get("q", "").replace("\x00", "").strip()[:80]
        claims = queries.claim_list(
            _user(request), search=search, state=state if state in ClaimState.values else ""
        )
        page = self.paginate_queryset(claims) or []
        context = {"differing": differing_claims(page)}
        return self.get_paginated_response(ClaimRowSerializer(page, many=True, context=context).data)

    @extend_schema(
        operation_id="claims_create",
        description="Draw up the claim of a finished class: 201 with the new claim, 200 with the one that is "
        "there already, 409 `claim_settled` once that one is decided.",
        request=ClassWishSerializer,
        responses={200: ClaimDetailSerializer, 201: ClaimDetailSerializer, **ERRORS},
    )
    def post(self, request: Request) -> Response:
        wish = _parsed(ClassWishSerializer, request)
        training_class, now = access_class(_user(request), wish["class"]), timezone.now()
        claim = claim_actions.draw_up_claim(actor=_user(request), training_class=training_class, at=now)
        made = claim.created_at == now
        return Response(
            ClaimDetailSerializer(claim).data, status=status.HTTP_201_CREATED if made else status.HTTP_200_OK
        )


class ClaimView(APIView):
    """One claim with its lines."""

    @extend_schema(operation_id="claims_retrieve", responses={200: ClaimDetailSerializer, **ERRORS})
    def get(self, request: Request, pk: int) -> Response:
        return Response(ClaimDetailSerializer(access_claim(_user(request), pk)).data)


class SubmitView(APIView):
    """Hand the claim to the bureau; a manager's step."""

    @extend_schema(request=None, responses={200: ClaimDetailSerializer, **ERRORS})
    def post(self, request: Request, pk: int) -> Response:
        claim = access_claim(_user(request), pk)
        claim = claim_actions.submit_claim(actor=_user(request), claim=claim, at=timezone.now())
        return Response(ClaimDetailSerializer(claim).data)


class RedrawView(APIView):
    """Compute the lines of a draft or returned claim again; a manager's step."""

    @extend_schema(request=None, responses={200: ClaimDetailSerializer, **ERRORS})
    def post(self, request: Request, pk: int) -> Response:
        claim = access_claim(_user(request), pk)
        claim = claim_actions.redraw_claim(actor=_user(request), claim=claim, at=timezone.now())
        return Response(ClaimDetailSerializer(claim).data)


class ReturnView(APIView):
    """Send the claim back with a reason; an officer's step."""

    @extend_schema(request=ReasonSerializer, responses={200: ClaimDetailSerializer, **ERRORS})
    def post(self, request: Request, pk: int) -> Response:
        claim = access_claim(_user(request), pk)
        wish = _parsed(ReasonSerializer, request)
        claim = claim_actions.return_claim(
            actor=_user(request), claim=claim, reason=wish["reason"], at=timezone.now()
        )
        return Response(ClaimDetailSerializer(claim).data)


class AnnounceView(APIView):
    """Accept the claim and open its public notice; an officer's step."""

    @extend_schema(request=None, responses={201: NoticeDetailSerializer, **ERRORS})
    def post(self, request: Request, pk: int) -> Response:
        claim = access_claim(_user(request), pk)
        notice = claim_actions.open_notice(actor=_user(request), claim=claim, at=timezone.now())
        return Response(NoticeDetailSerializer(access_notice(notice.pk)).data, status=status.HTTP_201_CREATED)


class DecisionView(APIView):
    """Decide the claim after its notice; an officer's step."""

    @extend_schema(request=DecisionSerializer, responses={200: ClaimDetailSerializer, **ERRORS})
    def post(self, request: Request, pk: int) -> Response:
        claim = access_claim(_user(request), pk)
        wish = _parsed(DecisionSerializer, request)
        claim = claim_actions.decide_claim(
            actor=_user(request),
            claim=claim,
            approved=wish["approved"],
            reason=wish["reason"],
            at=timezone.now(),
        )
        return Response(ClaimDetailSerializer(claim).data)


class TraceView(APIView):
    """One line opened down to its seconds and their evidence."""

    @extend_schema(operation_id="claims_trace", responses={200: TraceSerializer, **ERRORS})
    def get(self, request: Request, pk: int, n: int) -> Response:
        claim = access_claim(_user(request), pk)
        line = queries.lines_of(claim).filter(n=n).first()
        if line is None:
            raise Http404
        line.claim = claim
        line.enrolment.training_class = claim.training_class
        return Response(trace_body(queries.trace_of(line), EvidenceOfLine(line)))


class WhateverIsAccepted(BaseContentNegotiation):
    """A file is a file, whatever the client says it accepts; refusals are JSON."""

    def select_parser(self, request: Request, parsers: Iterable[BaseParser]) -> BaseParser | None:
        return next(iter(parsers), None)

    def select_renderer(
        self, request: Request, renderers: Iterable[BaseRenderer], format_suffix: str | None = None
    ) -> tuple[BaseRenderer, str]:
        first = next(iter(renderers))
        return first, first.media_type or "application/json"


class ExportView(APIView):
    """The claim's table for the offices. It holds ID numbers; who takes it is on record."""

    content_negotiation_class = WhateverIsAccepted

    @extend_schema(operation_id="claims_export", responses={(200, XLSX): OpenApiTypes.BINARY, **ERRORS})
    def get(self, request: Request, pk: int) -> HttpResponse:
        claim = access_claim(_user(request), pk)
        content = exports.take_export(actor=_user(request), claim=claim, at=timezone.now())
        return file_response(content, XLSX, f"{claim.number}.xlsx")


class DossierView(APIView):
    """The proof of a claim with two programs that check it without this platform."""

    content_negotiation_class = WhateverIsAccepted

    @extend_schema(
        operation_id="claims_dossier",
        responses={(200, ZIP): OpenApiTypes.BINARY, **ERRORS},
    )
    def get(self, request: Request, pk: int) -> HttpResponse:
        claim = access_claim(_user(request), pk)
        content = exports.make_dossier(actor=_user(request), claim=claim, at=timezone.now())
        return file_response(content, ZIP, f"{claim.number}-dossier.zip")


# --- public notices ---


class NoticesView(ReadsBody, generics.GenericAPIView[PublicNotice]):
    """Every public notice, for everybody."""

    permission_classes = [AllowAny]
    serializer_class = NoticeRowSerializer

    @extend_schema(operation_id="notices_list", responses={200: NoticeRowSerializer(many=True)})
    def get(self, request: Request) -> Response:
        page = self.paginate_queryset(queries.notice_list()) or []
        context = {"differing": differing_claims([notice.claim for notice in page])}
        return self.get_paginated_response(NoticeRowSerializer(page, many=True, context=context).data)


class NoticeView(APIView):
    """One public notice: masked names, amounts, days, and the answers to objections."""

    permission_classes = [AllowAny]

    @extend_schema(
        operation_id="notices_retrieve",
        responses={200: NoticeDetailSerializer, 404: RefusalSerializer},
    )
    def get(self, request: Request, pk: int) -> Response:
        return Response(NoticeDetailSerializer(access_notice(pk)).data)


class ObjectionsView(APIView):
    """Object to a notice or one of its lines, with or without a name."""

    permission_classes = [AllowAny]

    @extend_schema(
        operation_id="notices_object",
        request=ObjectionWishSerializer,
        responses={201: PublicObjectionSerializer, **ERRORS, 429: RefusalSerializer},
    )
    def post(self, request: Request, pk: int) -> Response:
        notice = access_notice(pk)
        require_may_object(request.user)
        wish = _parsed(ObjectionWishSerializer, request)
        with throttle.calm(request.META.get("REMOTE_ADDR", ""), notice.pk):
            objection = objections.lodge_objection(
                notice=notice,
                line_number=wish["line"],
                text=wish["text"],
                contact=wish["contact"],
                at=timezone.now(),
            )
        return Response(PublicObjectionSerializer(objection).data, status=status.HTTP_201_CREATED)


api_urlpatterns = [
    path("claims/", ClaimsView.as_view(), name="claims"),
    path("claims/<int:pk>/", ClaimView.as_view(), name="claim"),
    path("claims/<int:pk>/submit/", SubmitView.as_view(), name="claim-submit"),
    path("claims/<int:pk>/redraw/", RedrawView.as_view(), name="claim-redraw"),
    path("claims/<int:pk>/return/", ReturnView.as_view(), name="claim-return"),
    path("claims/<int:pk>/notice/", AnnounceView.as_view(), name="claim-notice"),
    path("claims/<int:pk>/decision/", DecisionView.as_view(), name="claim-decision"),
    path("claims/<int:pk>/lines/<int:n>/trace/", TraceView.as_view(), name="claim-trace"),
    path("claims/<int:pk>/export/", ExportView.as_view(), name="claim-export"),
    path("claims/<int:pk>/dossier/", DossierView.as_view(), name="claim-dossier"),
    path("notices/", NoticesView.as_view(), name="notices"),
    path("notices/<int:pk>/", NoticeView.as_view(), name="notice"),
    path("notices/<int:pk>/objections/", ObjectionsView.as_view(), name="notice-objections"),
]
