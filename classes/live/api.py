"""The room over HTTP: its snapshot, what came after, everything that changes it, and the media's offers
and answers.
"""

from typing import Any
from uuid import UUID

from django.http import HttpResponse
from django.urls import path, reverse
from django.utils import timezone
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers, status
from rest_framework.authentication import TokenAuthentication
from rest_framework.exceptions import ParseError
from rest_framework.parsers import BaseParser
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api import RefusalSerializer
from accounts.api_views import APIView, TextField
from accounts.models import User
from classes.live import actions, queries
from classes.live.permissions import access_room, require_member
from classes.live.protocol import Event
from classes.models import Lesson

Body = serializers.Serializer[Any]
ERRORS = {400: RefusalSerializer, 403: RefusalSerializer, 404: RefusalSerializer, 409: RefusalSerializer}
MEDIA_ERRORS = {**ERRORS, 503: RefusalSerializer}
LONGEST_SDP = 64 * 1024


class LessonSerializer(Body):
    id = serializers.IntegerField(source="pk")
    title = serializers.CharField()
    state = serializers.CharField()
    opened_at = serializers.DateTimeField(allow_null=True)
    closed_at = serializers.DateTimeField(allow_null=True)


class EventSerializer(Body):
    """A room event exactly as the socket carries it."""

    type = serializers.ChoiceField(choices=[event.value for event in Event])
    id = serializers.IntegerField()
    data = serializers.DictField()  # type: ignore[assignment]  # a serializer has a property of this name


class EventsSerializer(Body):
    seq = serializers.IntegerField(
        help_text="The room's last number: ask again while the events end before it."
    )
    events = EventSerializer(many=True)


class MessageSerializer(Body):
    key = serializers.UUIDField(
        help_text="The client's own id of the message: sent again, it is posted once."
    )
    # Length is the action's to judge; this only bounds what is read.
    text = TextField(max_length=20_000, allow_blank=True, trim_whitespace=False)


class HandSerializer(Body):
    raised = serializers.BooleanField()
    person = serializers.IntegerField(
        required=False, help_text="Whose hand to lower; only the lecturer and the assistant name another."
    )


class OfferSerializer(Body):
    connection = serializers.UUIDField(help_text="The socket's own id, from its `hello`.")
    sdp = TextField(max_length=LONGEST_SDP, trim_whitespace=False)


class FeedSerializer(Body):
    connection = serializers.UUIDField(help_text="The socket's own id, from its `hello`.")
    feed = TextField(max_length=40)


class PeerSerializer(Body):
    peer = serializers.UUIDField()


class AnswerSerializer(PeerSerializer):
    sdp = TextField(
        max_length=LONGEST_SDP,
        trim_whitespace=False,
        required=False,
        help_text="A viewer's answer. A publisher leaves it out and says that its connection stands.",
    )


class StreamSerializer(PeerSerializer):
    mid = TextField(max_length=16, help_text="The stream's own id in the session description.")
    send = serializers.BooleanField()


class DescribedSerializer(PeerSerializer):
    type = serializers.ChoiceField(choices=["offer", "answer"])
    sdp = serializers.CharField()


class RoomView(APIView):
    """Parse, fetch the lesson for this person (404 for strangers), act."""

    def user(self, request: Request) -> User:
        assert isinstance(request.user, User)
        return request.user

    def body(self, request: Request, form: type[Body]) -> dict[str, Any]:
        parsed = form(data=request.data)
        parsed.is_valid(raise_exception=True)
        data: dict[str, Any] = parsed.validated_data
        return data

    def lesson(self, request: Request, pk: int) -> Lesson:
        return access_room(self.user(request), pk)


class SnapshotView(RoomView):
    """The room as the caller sees it, all of it at one number."""

    @extend_schema(responses={200: OpenApiTypes.OBJECT, 404: RefusalSerializer})
    def get(self, request: Request, pk: int) -> Response:
        return Response(queries.snapshot(self.lesson(request, pk), self.user(request)))


class EventsView(RoomView):
    """What happened in the room after a number, in order, at most 500 at once."""

    @extend_schema(
        parameters=[OpenApiParameter("after", int, description="The last number that the client has.")],
        responses={200: EventsSerializer, 400: RefusalSerializer, 404: RefusalSerializer},
    )
    def get(self, request: Request, pk: int) -> Response:
        lesson = self.lesson(request, pk)
        after = serializers.IntegerField(min_value=0, max_value=2**63 - 1)
        seq = after.run_validation(request.query_params.get("after", 0))
        last = queries.room_numbers([lesson.pk]).get(lesson.pk, 0)
        events = [event.message for event in queries.events_after(lesson, seq)]
        return Response({"seq": max(last, events[-1]["id"] if events else 0), "events": events})


class StartView(RoomView):
    """The lecturer or the assistant opens the lesson."""

    @extend_schema(request=None, responses={200: LessonSerializer, **ERRORS})
    def post(self, request: Request, pk: int) -> Response:
        lesson = self.lesson(request, pk)
        lesson = actions.start_lesson(actor=self.user(request), lesson=lesson, at=timezone.now())
        return Response(LessonSerializer(lesson).data)


class EndView(RoomView):
    """The lecturer or the assistant closes the lesson; everybody's presence ends at the last heartbeat."""

    @extend_schema(request=None, responses={200: LessonSerializer, **ERRORS})
    def post(self, request: Request, pk: int) -> Response:
        lesson = self.lesson(request, pk)
        lesson = actions.end_lesson(actor=self.user(request), lesson=lesson, at=timezone.now())
        return Response(LessonSerializer(lesson).data)


class MessagesView(RoomView):
    """Say something to the room."""

    @extend_schema(
        request=MessageSerializer, responses={201: EventSerializer, **ERRORS, 429: RefusalSerializer}
    )
    def post(self, request: Request, pk: int) -> Response:
        lesson = self.lesson(request, pk)
        body = self.body(request, MessageSerializer)
        event = actions.post_message(
            actor=self.user(request), lesson=lesson, text=body["text"], key=body["key"], at=timezone.now()
        )
        return Response(event.message, status=status.HTTP_201_CREATED)


class HandsView(RoomView):
    """Raise one's hand, or lower one's own; lecturer and assistant lower anybody's."""

    @extend_schema(request=HandSerializer, responses={204: None, **ERRORS})
    def post(self, request: Request, pk: int) -> Response:
        user, lesson, at = self.user(request), self.lesson(request, pk), timezone.now()
        body = self.body(request, HandSerializer)
        if body["raised"]:
            actions.raise_hand(actor=user, lesson=lesson, at=at)
        else:
            person_id = body.get("person", require_member(user, lesson).person_id)
            actions.lower_hand(actor=user, lesson=lesson, person_id=person_id, at=at)
        return Response(status=status.HTTP_204_NO_CONTENT)


class PublishView(RoomView):
    """Send one's picture and sound: an offer in, Janus's answer out."""

    @extend_schema(request=OfferSerializer, responses={201: DescribedSerializer, **MEDIA_ERRORS})
    def post(self, request: Request, pk: int) -> Response:
        lesson = self.lesson(request, pk)
        body = self.body(request, OfferSerializer)
        peer, sdp = actions.publish(
            actor=self.user(request),
            lesson=lesson,
            connection=body["connection"],
            offer=body["sdp"],
            at=timezone.now(),
        )
        return Response({"peer": peer.pk, "type": "answer", "sdp": sdp}, status=status.HTTP_201_CREATED)


class WatchView(RoomView):
    """Receive a feed: its name in, Janus's offer out; `start` answers it."""

    @extend_schema(request=FeedSerializer, responses={201: DescribedSerializer, **MEDIA_ERRORS})
    def post(self, request: Request, pk: int) -> Response:
        lesson = self.lesson(request, pk)
        body = self.body(request, FeedSerializer)
        peer, sdp = actions.watch(
            actor=self.user(request),
            lesson=lesson,
            connection=body["connection"],
            feed=body["feed"],
            at=timezone.now(),
        )
        return Response({"peer": peer.pk, "type": "offer", "sdp": sdp}, status=status.HTTP_201_CREATED)


class MediaStartView(RoomView):
    """A viewer answers the offer; a publisher, without `sdp`, says that its connection stands."""

    @extend_schema(request=AnswerSerializer, responses={204: None, **MEDIA_ERRORS})
    def post(self, request: Request, pk: int) -> Response:
        user, lesson, at = self.user(request), self.lesson(request, pk), timezone.now()
        body = self.body(request, AnswerSerializer)
        if "sdp" in body:
            actions.start_watching(actor=user, lesson=lesson, peer_id=body["peer"], answer=body["sdp"], at=at)
        else:
            actions.confirm_published(actor=user, lesson=lesson, peer_id=body["peer"], at=at)
        return Response(status=status.HTTP_204_NO_CONTENT)


class MediaConfigureView(RoomView):
    """Have one stream of a watched feed sent or not, to save data."""

    @extend_schema(request=StreamSerializer, responses={204: None, **MEDIA_ERRORS})
    def post(self, request: Request, pk: int) -> Response:
        lesson = self.lesson(request, pk)
        body = self.body(request, StreamSerializer)
        actions.receive(
            actor=self.user(request),
            lesson=lesson,
            peer_id=body["peer"],
            mid=body["mid"],
            send=body["send"],
        )
        return Response(status=status.HTTP_204_NO_CONTENT)


class MediaLeaveView(RoomView):
    """Stop sending or receiving."""

    @extend_schema(request=PeerSerializer, responses={204: None, **ERRORS})
    def post(self, request: Request, pk: int) -> Response:
        lesson = self.lesson(request, pk)
        body = self.body(request, PeerSerializer)
        actions.leave_media(actor=self.user(request), lesson=lesson, peer_id=body["peer"], at=timezone.now())
        return Response(status=status.HTTP_204_NO_CONTENT)


class BearerAuthentication(TokenAuthentication):
    """The platform's token as WHIP clients send it: `Authorization: Bearer …`."""

    keyword = "Bearer"


class BearerScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    target_class = BearerAuthentication
    name = "bearerAuth"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        return {"type": "http", "scheme": "bearer"}


class SdpParser(BaseParser):
    media_type = "application/sdp"

    def parse(self, stream: Any, media_type: str | None = None, parser_context: Any = None) -> Any:
        try:
            return stream.read(LONGEST_SDP).decode("utf-8")
        except UnicodeDecodeError as error:
            raise ParseError from error


class WhipView(RoomView):
    """WHIP (RFC 9725) for a lecturer's OBS: an offer in, an answer out, and an address to end it."""

    authentication_classes = (BearerAuthentication, TokenAuthentication)
    parser_classes = (SdpParser,)
    body_is_object = False

    @extend_schema(
        request={"application/sdp": OpenApiTypes.STR},
        responses={(201, "application/sdp"): OpenApiTypes.STR, **MEDIA_ERRORS},
    )
    def post(self, request: Request, pk: int) -> HttpResponse:
        lesson = self.lesson(request, pk)
        peer, sdp = actions.publish_by_whip(
            actor=self.user(request), lesson=lesson, offer=str(request.data), at=timezone.now()
        )
        end = reverse("api:room-whip-end", args=[lesson.pk, peer.pk])
        return HttpResponse(sdp, status=201, content_type="application/sdp", headers={"Location": end})


class WhipEndView(RoomView):
    """End what WHIP began."""

    authentication_classes = (BearerAuthentication, TokenAuthentication)

    @extend_schema(responses={200: None, **ERRORS})
    def delete(self, request: Request, pk: int, peer: UUID) -> Response:
        lesson = self.lesson(request, pk)
        actions.leave_media(actor=self.user(request), lesson=lesson, peer_id=peer, at=timezone.now())
        return Response(status=status.HTTP_200_OK)


api_urlpatterns = [
    path("lessons/<int:pk>/room/", SnapshotView.as_view(), name="room"),
    path("lessons/<int:pk>/events/", EventsView.as_view(), name="room-events"),
    path("lessons/<int:pk>/start/", StartView.as_view(), name="room-start"),
    path("lessons/<int:pk>/end/", EndView.as_view(), name="room-end"),
    path("lessons/<int:pk>/messages/", MessagesView.as_view(), name="room-messages"),
    path("lessons/<int:pk>/hands/", HandsView.as_view(), name="room-hands"),
    path("lessons/<int:pk>/media/publish/", PublishView.as_view(), name="room-media-publish"),
    path("lessons/<int:pk>/media/watch/", WatchView.as_view(), name="room-media-watch"),
    path("lessons/<int:pk>/media/start/", MediaStartView.as_view(), name="room-media-start"),
    path("lessons/<int:pk>/media/configure/", MediaConfigureView.as_view(), name="room-media-configure"),
    path("lessons/<int:pk>/whip/", WhipView.as_view(), name="room-whip"),
    path("lessons/<int:pk>/whip/<uuid:peer>/", WhipEndView.as_view(), name="room-whip-end"),
    path("lessons/<int:pk>/media/leave/", MediaLeaveView.as_view(), name="room-media-leave"),
]
