"""Every refusal says what was found, what is required and what to do next (policy/refusals.py)."""

import ast
from collections.abc import Iterator
from pathlib import Path

from rest_framework.test import APIClient

from accounts.models import User

ROOT = Path(__file__).resolve().parent.parent
HOUSES = ("attendance", "classes", "courses", "exams", "platform", "subsidies", "supervision")
NEEDED = {"found", "required", "next_step"}


def refusals() -> Iterator[tuple[str, ast.Call]]:
    for house in HOUSES:
        for path in sorted((ROOT / house).rglob("*.py")):
            if "migrations" in path.parts:
                continue
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Call) and ast.unparse(node.func) == "Refusal":
                    yield f"{path.relative_to(ROOT)}:{node.lineno}", node


def test_every_refusal_says_what_was_found_what_is_required_and_what_to_do_next() -> None:
    seen = list(refusals())
    assert len(seen) > 300
    mute = {
        place: sorted(missing)
        for place, call in seen
        if (missing := NEEDED - {keyword.arg for keyword in call.keywords})
    }
    assert mute == {}


def test_no_refusal_gives_them_empty() -> None:
    empty = [
        (place, keyword.arg)
        for place, call in refusals()
        for keyword in call.keywords
        if keyword.arg in NEEDED
        and isinstance(keyword.value, ast.Constant)
        and keyword.value.value in (None, "")
    ]
    assert empty == []


# No row of the ledger applies: a request that cannot be read or leads nowhere, and the platform's own
# business (policy/refusals.py). A refusal that is not one of these cites its row.
OWN_BUSINESS = {
    # what cannot be read
    *("malformed", "form_cut_off", "role_unknown", "course_name_missing", "course_text_too_long"),
    *("material_title_missing",),
    *("class_name_missing", "message_empty", "message_too_long", "version_notes_too_long", "note_missing"),
    *("slides_not_pdf", "slides_locked", "slides_too_many_pages", "video_not_mp4", "video_codec"),
    *("video_too_long", "captions_not_vtt", "material_too_big", "materials_too_many"),
    # names that are taken; which account does which step; signing in
    *("class_name_taken", "course_name_taken", "username_form", "username_taken", "activation_invalid"),
    *("credentials_wrong", "role_required", "not_the_manager", "not_yourself"),
    # reasons that the platform asks for, laws beside the norm, calm on the line
    *("reason_missing", "privacy_outdated", "personal_data_in_evidence", "messages_too_fast"),
    *("too_many_tries", "move_refused"),
    # the wires of the live room
    *("not_in_room", "peer_gone", "media_not_ready", "media_unavailable", "offer_refused", "feed_not_ready"),
}


def test_a_refusal_without_a_row_is_the_platforms_own_business() -> None:
    bare = {}
    for place, call in refusals():
        rule = {keyword.arg: keyword.value for keyword in call.keywords}.get("rule")
        code = call.args[0] if call.args else None
        if isinstance(code, ast.Constant) and (
            rule is None or (isinstance(rule, ast.Constant) and not rule.value)
        ):
            bare[code.value] = place
    assert {code: place for code, place in bare.items() if code not in OWN_BUSINESS} == {}
    assert OWN_BUSINESS - bare.keys() == set()


def test_a_meter_without_its_class_names_the_field(learner: User) -> None:
    client = APIClient()
    client.force_authenticate(learner)
    for query in ("", "?class=x", "?class=0"):
        answer = client.get(f"/api/v1/me/meter/{query}")
        body = answer.json()
        assert (answer.status_code, body["code"]) == (400, "invalid")
        assert body["details"]["found"] == ["class"]
        assert body["details"]["fields"]["class"]
        assert body["details"]["required"]
        assert body["details"]["next"]
