"""Every address × every member of the cast.

The table says who gets past the door: N nobody, L learner, T trainer, S assistant, M manager, R rival, O
officer,
G regulator, F finance, P operator. Everybody else gets 401, 403, 404 or the sign-in page, and nothing
changes. Past the
door an address may still refuse what was sent (400, 409, 422). An address without a row fails, and so
does a method that an address answers without having a row for it. Who belongs elsewhere may be led there.
"""

from typing import Any, ClassVar

import pytest
from django.db import connection, transaction
from django.test import Client, TestCase, override_settings
from django.utils import timezone

from accounts.models import User
from config.demo.cast import build_cast
from tests.addresses import KEY, Places, addresses, find_places
from tests.cast import client_of
from tests.world import build_world

CAST = {
    "N": None,
    "L": "learner",
    "T": "trainer",
    "S": "assistant",
    "M": "manager",
    "R": "rival",
    "O": "officer",
    "G": "regulator",
    "F": "finance",
    "P": "operator",
}
METHODS = ("get", "post", "put", "patch", "delete")
DENIED = (401, 403, 404, 405)

MATRIX = """
start                      get    L T S M R O G F P
schema                     get    N L T S M R O G F P
api-docs                   get    N L T S M R O G F P
api:me                     get    L T S M R O G F P
api:consent                get    L T S
api:consent                post   L T S
api:consent                delete L T S
api:face                   get    L T S
api:face                   post   L T S
api:courses                get    N L T S M R O G F P
api:course                 get    N L T S M R O G F P
api:course-materials       get    L T S M O P
api:editions               get    N L T S M R O G F P
api:timetable-check        post   N L T S M R O G F P
api:earliest-start         post   N L T S M R O G F P
api:what-if                get    M R O P
api:people                 get    L T S M R O G F P
api:classes                get    L T S M R O G F P
api:classes                post   M R
api:class                  get    L T S M O P
api:class                  patch  M
api:roster                 get    L T S M O P
api:roster                 post   M
api:roster-template        get    L T S M O P
api:timetable              get    L T S M O P
api:timetable              put    M
api:filing                 get    M O P
api:filing                 post   M
api:filing-package         get    M O
api:filing-package         post   M O
api:filing-manifest        get    M O P
api:receipts               get    O
api:receipts               post   O
api:receipt                get    O
api:receipt-rows           get    O
api:receipt-report         get    O
api:receipt-application    post   O
api:receipt-discard        post   O
api:filings                get    L T S M R O G F P
api:filing-detail          get    M O P
api:filing-change          post   M
api:filing-decision        post   O
api:filing-withdrawal      post   M
api:room                   get    L T S M O P
api:room-events            get    L T S M O P
api:room-start             post   T S
api:room-end               post   T S
api:room-messages          post   L T S
api:room-hands             post   L T S
api:room-media-publish     post   T S
api:room-media-watch       post   L T S
api:room-media-start       post   L T S
api:room-media-configure   post   L T S
api:room-media-leave       post   L T S
api:room-whip              post   -
api:room-whip-end          delete -
api:sign-in                get    L
api:sign-in                post   L
api:sign-out               post   L
api:sign-in-codes          post   T S
api:sign-in-confirm        post   T S
api:sign-in-refuse         post   T S
api:roll-calls             post   T S
api:questions              post   T S
api:check-answer           post   L
api:class-attendance       get    T S M O P
api:watches                post   L
api:watch-beat             post   L T S M R O G F P
api:watch-end              post   L T S M R O G F P
api:meter                  get    L T S M R O G F P
api:claims                 get    L T S M R O G F P
api:claims                 post   L T S M R O G F P
api:claim                  get    M O
api:claim-submit           post   M
api:claim-redraw           post   M
api:claim-return           post   O
api:claim-notice           post   O
api:claim-decision         post   O
api:claim-trace            get    M O
api:claim-export           get    M O
api:claim-dossier          get    M O
api:notices                get    N L T S M R O G F P
api:notice                 get    N L T S M R O G F P
api:notice-objections      post   N L T S M R O P
api:supervision-figures    get    G F
api:supervision-classes    get    G F
api:supervision-trainees   get    G F
api:supervision-events     get    G F
api:supervision-claims     get    G F
accounts:login             get    N L T S M R O G F P
accounts:login             post   N L T S M R O G F P
accounts:activate          get    N L T S M R O G F P
accounts:activate          post   N L T S M R O G F P
accounts:staff             get    M R
accounts:staff             post   M R
accounts:staff_activation  post   M
accounts:staff_reset       get    M
accounts:staff_reset       post   M
accounts:staff_end         get    M
accounts:staff_end         post   M
accounts:institutions      get    P
accounts:institution_create get   P
accounts:institution_create post  P
accounts:institution       get    P
accounts:institution       post   P
accounts:institution_edit  get    P
accounts:institution_edit  post   P
accounts:bureaus           get    P
accounts:bureau_create     get    P
accounts:bureau_create     post   P
accounts:bureau            get    P
accounts:bureau            post   P
accounts:bureau_edit       get    P
accounts:bureau_edit       post   P
accounts:accounts          get    P
accounts:account           get    P
accounts:account_activation post  P
accounts:account_reset     get    P
accounts:account_reset     post   P
accounts:account_suspend   get    P
accounts:account_suspend   post   P
accounts:account_restore   get    P
accounts:account_restore   post   P
accounts:office_end        get    P
accounts:office_end        post   P
accounts:editions          get    N L T S M R O G F P
accounts:edition           get    N L T S M R O G F P
accounts:compare           get    N L T S M R O G F P
accounts:rule              get    N L T S M R O G F P
identity:consent           get    L T S
identity:consent           post   L T S
identity:face              get    L T S
identity:face              post   L T S
identity:withdraw          get    L T S
identity:withdraw          post   L T S
courses:list               get    N L T S M R O G F P
courses:detail             get    N L T S M R O G F P
courses:create             get    M R P
courses:create             post   M R P
courses:edit               get    P
courses:edit               post   P
courses:draft              post   P
courses:version            get    N L T S M R O G F P
courses:outline            get    P
courses:outline            post   P
courses:publish            get    P
courses:publish            post   P
courses:retire             get    P
courses:retire             post   P
courses:add_material       get    P
courses:add_material       post   P
courses:material           get    L T S M O P
courses:page               get    L T S M O P
courses:file               get    P
courses:captions           get    -
courses:remove_material    get    P
courses:remove_material    post   P
classes:list               get    L T S M R O G F P
classes:create             get    M R
classes:create             post   M R
classes:filings            get    O P
classes:decide             post   O
classes:withdraw           post   M
classes:what_if            get    M R O P
classes:detail             get    L T S M O P
classes:edit               get    M
classes:edit               post   M
classes:cancel             get    M
classes:cancel             post   M
classes:roster             get    T S M O P
classes:roster             post   M
classes:roster_template    get    L T S M O P
classes:roster_preview     get    M
classes:roster_preview     post   M
classes:roster_faults      get    M
classes:roster_marked      get    M
classes:roster_remove      get    M
classes:roster_remove      post   M
classes:activation_sheet   post   M
classes:activation         post   M
classes:reset              get    M
classes:reset              post   M
classes:timetable          get    L T S M O P
classes:timetable          post   M
classes:timetable_check    post   M
classes:filing             get    M O P
classes:filing             post   M
classes:package            get    M O
classes:package_state      get    M O P
classes:package_manifest   get    M O P
classes:package_retry      post   M O
classes:change             get    M
classes:change             post   M
classes:calendar           get    L T S M R
classes:calendar           post   L T S M R
classes:calendar_end       post   L T S M R
classes:calendar_feed      get    -
classes:receipts           get    O
classes:receipts           post   O
classes:receipt_form       get    O
classes:receipt            get    O
classes:receipt_apply      post   O
classes:receipt_discard    post   O
classes:receipt_file       get    O
classes:receipt_report     get    O
live:room                  get    L T S
live:replay                get    L T S M O P
attendance:sign_in         get    L T S
attendance:sign_in         post   L T S
attendance:sign_out        get    L
attendance:sign_out        post   L
attendance:desk            get    T S
attendance:code            post   -
attendance:confirm         post   T S
attendance:refuse          post   T S
attendance:meter           get    L T S M O P
attendance:materials       get    L T S M O P
attendance:watch           get    L T S M O P
attendance:class           get    T S M O P
attendance:trainee         get    L T S M O P
attendance:losses          get    O
attendance:loss_case       get    O
attendance:loss_case       post   O
subsidies:list             get    L T S M R O G F P
subsidies:draw_up          post   M
subsidies:claim            get    M O
subsidies:redraw           get    M
subsidies:redraw           post   M
subsidies:submit           get    M
subsidies:submit           post   M
subsidies:return           get    O
subsidies:return           post   O
subsidies:announce         get    O
subsidies:announce         post   O
subsidies:decide           get    O
subsidies:decide           post   O
subsidies:trace            get    M O
subsidies:export           get    M O
subsidies:dossier          get    M O
subsidies:notices          get    N L T S M R O G F P
subsidies:notice           get    N L T S M R O G F P
subsidies:notice           post   N L T S M R O P
subsidies:received         get    N L T S M R O G F P
supervision:home           get    G F
supervision:class          get    G F
supervision:attendance     get    G F
supervision:results        get    G F
supervision:lesson         get    G F
supervision:evidence       get    G F
supervision:claims         get    G F
supervision:claim          get    G F
supervision:claim-line     get    G F
home                       get    N L T S M R O G F P
about                      get    N L T S M R O G F P
components                 get    N L T S M R O G F P
api:face-check             get    -
api:exam                   get    L T S M O P
api:attempts               post   L
api:attempt                get    L
api:attempt-answer         put    L
api:attempt-submit         post   L
api:class-exam             get    L T S M O P
api:class-exam             post   T S M
api:completions            get    T S M O P
api:conclude               post   M
api:certificate-verify     get    N L T S M R O G F P
identity:review            get    -
identity:review            post   -
identity:picture           get    -
live:recording             get    -
attendance:trace           get    L T S M O P
subsidies:answer           get    -
subsidies:answer           post   -
exams:mine                 get    L T S M R O G F P
exams:take                 get    L T S M O P
exams:take                 post   L T S M O P
exams:result               get    L
exams:submit               post   L
exams:coursework           get    L T S M O P
exams:coursework           post   L T S M O P
exams:score                get    T S M
exams:score                post   T S M
exams:class                get    L T S M O P
exams:class                post   L T S M
exams:conclude             get    M
exams:conclude             post   M
certificates:check         get    N L T S M R O G F P
certificates:pdf           get    M O
api:campaigns              get    N L T S M R O G F P
api:registrations          get    M R
api:registrations          post   N L T S M R O G F P
api:registration           get    M
api:registration-decision  post   M
api:my-registrations       get    L T S M R O G F P
recruitment:institutions   get    N L T S M R O G F P
recruitment:institution    get    N L T S M R O G F P
recruitment:event          get    N L T S M R O G F P
recruitment:entry          get    N L T S M R O G F P
recruitment:entry          post   N L T S M R O G F P
recruitment:register       get    N L T S M R O G F P
recruitment:register       post   N L T S M R O G F P
recruitment:questionnaire  get    -
recruitment:questionnaire  post   -
recruitment:done           get    -
recruitment:lookup         get    N L T S M R O G F P
recruitment:lookup         post   N L T S M R O G F P
recruitment:mine           get    L T S
recruitment:withdraw       get    L
recruitment:withdraw       post   L
recruitment:own_document   get    L
recruitment:own_document   post   L
recruitment:inbox          get    M R
recruitment:bulk           post   M R
recruitment:waiting        get    M R
recruitment:registration   get    M
recruitment:decide         post   M
recruitment:note           post   M
recruitment:rejudge        post   M
recruitment:screening      get    M
recruitment:screening      post   M
recruitment:activation     post   M
recruitment:document       get    M
recruitment:document       post   M
recruitment:campaigns      get    M R
recruitment:campaign_create get   M R
recruitment:campaign_create post  M R
recruitment:campaign       get    M
recruitment:campaign_edit  get    M
recruitment:campaign_edit  post   M
recruitment:campaign_move  post   M
recruitment:event_create   get    M
recruitment:event_create   post   M
recruitment:enter          get    M
recruitment:enter          post   M
recruitment:event_poster   get    M
recruitment:evidence       get    M O
recruitment:evidence_check post   M
recruitment:evidence_picture get  M O
recruitment:promote        post   M
recruitment:class_evidence get    M O
recruitment:class_evidence_document get  M
recruitment:class_evidence_document post M
recruitment:signals        get    O
registers:lecturers        get    M R O P
registers:lecturer         get    T M O P
registers:enter            get    M
registers:enter            post   M
registers:disqualify       get    O
registers:disqualify       post   O
registers:qualification    get    M O P
registers:edit             get    M
registers:edit             post   M
registers:add_paper        post   M
registers:submit           post   M
registers:withdraw         post   M
registers:decide           post   O
registers:picture          get    M O P
registers:retire           get    M
registers:retire           post   M
registers:institutions     get    M R O P
registers:institution      get    M O P
registers:add_designation  post   O P
registers:order            get    O
registers:order            post   O
registers:measure          get    M O P
registers:end              post   O
registers:announcements    get    N L T S M R O G F P
registers:platform         get    N L T S M R O G F P
registers:report           get    P
registers:report           post   P
registers:add_condition    post   P
registers:order_platform   get    -
registers:order_platform   post   -
api:lecturers              get    M R O P
api:qualification          get    M O P
api:qualification-decision post   O
api:measures               get    L T S M R O G F P
api:measures               post   O
api:measure-end            post   O
api:platform               get    N L T S M R O G F P
api:supervision-lecturers  get    G F
api:supervision-measures   get    G F
supervision:lecturers      get    G F
supervision:institutions   get    G F
accounts:logout            post   N L T S M R O G F P
set_language               post   N L T S M R O G F P
api:token                  post   N L T S M R O G F P
"""

# What is sent where an empty body would be refused before anybody asks who sends it.
BODIES: dict[tuple[str, str], dict[str, Any]] = {
    ("api:room-messages", "post"): {"text": "好", "key": KEY},
    ("api:room-hands", "post"): {"raised": True},
    ("api:room-media-publish", "post"): {"connection": KEY, "sdp": "v=0"},
    ("api:room-media-watch", "post"): {"connection": KEY, "feed": "lecturer-1"},
    ("api:room-media-start", "post"): {"peer": KEY, "sdp": "v=0"},
    ("api:room-media-configure", "post"): {"peer": KEY, "mid": "0", "send": False},
    ("api:room-media-leave", "post"): {"peer": KEY},
    ("api:questions", "post"): {"prompt": "对不对？", "options": ["对", "错"], "correct": 0},
    ("api:sign-in", "post"): {"code": "123456"},
    ("api:filing-decision", "post"): {"approved": False, "reason": "直播少一课时", "number": ""},
    ("api:filing-change", "post"): {"reason": "讲师生病"},
    ("classes:change", "post"): {"reason": "讲师生病"},
    ("classes:decide", "post"): {"approved": "no", "reason": "直播少一课时"},
    ("api:claim-return", "post"): {"reason": "缺材料"},
    ("api:claim-decision", "post"): {"approved": False, "reason": "缺材料"},
    ("api:attempt-answer", "put"): {"chosen": [0], "revision": 1},
    ("api:registration-decision", "post"): {"verb": "wait"},
}
# Views of Django's own, which answer every method with a redirect and change nothing.
DJANGOS = ("accounts:login", "set_language")


def table() -> dict[tuple[str, str], frozenset[str]]:
    """{(address, method): letters of those who get past the door}."""
    rows: dict[tuple[str, str], frozenset[str]] = {}
    for line in MATRIX.strip().splitlines():
        name, method, *letters = line.split()
        assert (name, method) not in rows, f"two rows for {name} {method}"
        rows[name, method] = frozenset(letters) - {"-"}
    return rows


def writes() -> int:
    """How many rows this transaction has added, changed or removed so far, what was rolled back included;
    sessions and counters against guessing aside.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "select coalesce(sum(n_tup_ins + n_tup_upd + n_tup_del), 0) from pg_stat_xact_user_tables"
            " where relname <> 'django_session' and relname not like 'axes%%'"
        )
        return int(cursor.fetchone()[0])


@pytest.mark.xdist_group("matrix")  # one world
class AccessMatrix(TestCase):
    """One world for all rows; each row's traces are rolled back."""

    places: ClassVar[Places]
    clients: ClassVar[dict[str, Client]]

    @classmethod
    def setUpTestData(cls) -> None:
        now = timezone.now()
        cast = build_cast(at=now, password=None)
        world = build_world(cast, now=now, most=2)
        cls.places = find_places(world)
        cls.clients = {letter: client_of(cast[name] if name else None) for letter, name in CAST.items()}

    def ask(self, letter: str, name: str, method: str, address: str) -> Any:
        client = self.clients[letter]
        body = {
            **BODIES,
            ("api:watches", "post"): {"material": self.places.ids["video"]},
            ("api:sign-in-codes", "post"): {"enrolment": self.places.ids["attendance/"]},
            ("api:class-exam", "post"): {"lesson": self.places.ids["exam lesson"]},
            ("exams:class", "post"): {"lesson": self.places.ids["exam lesson"]},
        }.get((name, method), {})
        if method == "get":
            return client.get(address)
        if name.startswith("api:"):
            if name in ("api:sign-in", "api:roster", "api:receipts"):
                return getattr(client, method)(address, body)
            return getattr(client, method)(address, body, content_type="application/json")
        return getattr(client, method)(address, body)

    @staticmethod
    def is_denial(answer: Any) -> bool:
        to_sign_in = answer.status_code == 302 and "/accounts/login/" in answer.headers["Location"]
        return bool(answer.status_code in DENIED or to_sign_in)

    def test_a_write_is_counted_even_when_it_is_rolled_back(self) -> None:
        before = writes()
        with transaction.atomic():
            User.objects.filter(pk=self.places.ids["accounts/"]).update(is_active=True)
            transaction.set_rollback(True)
        assert writes() == before + 1

    def test_every_address_has_a_row(self) -> None:
        known = {name for name, _method in table()}
        assert {name for name, _pattern in addresses()} == known

    @override_settings(JANUS_HTTP_URL="", JANUS_ADMIN_URL="")
    def test_who_gets_past_the_door(self) -> None:
        rows = table()
        routes = {name: str(pattern.pattern) for name, pattern in addresses()}
        wrong = []
        for (name, method), who in rows.items():
            address = self.places.address(name, routes[name])
            before = writes()
            for letter in sorted(set(CAST) - who):
                with transaction.atomic():
                    answer = self.ask(letter, name, method, address)
                if not self.is_denial(answer):
                    wrong.append(f"{name} {method}: {letter} got {answer.status_code} at {address}")
            if writes() != before:
                wrong.append(f"{name} {method}: somebody who was denied made it write")
            for letter in sorted(who):
                if name.startswith(("supervision:", "api:supervision")):
                    continue  # walked by tests/supervision, over the login that needs committed rows
                with transaction.atomic():
                    answer = self.ask(letter, name, method, address)
                    transaction.set_rollback(True)
                if self.is_denial(answer) and name not in ("accounts:login", "accounts:logout"):
                    wrong.append(f"{name} {method}: {letter} was denied ({answer.status_code}) at {address}")
                if answer.status_code >= 500 and answer.status_code != 503:
                    wrong.append(f"{name} {method}: {letter} got {answer.status_code} at {address}")
        assert wrong == [], "\n".join(wrong)

    def test_a_method_without_a_row_is_answered_by_nobody(self) -> None:
        rows = table()
        wrong = []
        for name, pattern in addresses():
            address = self.places.address(name, str(pattern.pattern))
            for method in METHODS:
                if (name, method) in rows or name.startswith(("supervision:", "api:supervision", *DJANGOS)):
                    continue
                before = writes()
                with transaction.atomic():
                    answer = self.ask("M", name, method, address)
                if not self.is_denial(answer):
                    wrong.append(f"{name} answers {method} with {answer.status_code} at {address}")
                if writes() != before:
                    wrong.append(f"{name} {method} wrote something")
        assert wrong == [], "\n".join(wrong)
