"""Everything that writes in recruitment. Every function takes `actor` and `at`, opens its own transaction,
judges, writes, and leaves evidence in the chain `institution/<id>`.
"""

from classes.recruitment.actions.campaigns import (
    CampaignDetails,
    close_campaign,
    create_campaign,
    create_event,
    reopen_campaign,
    update_campaign,
)
from classes.recruitment.actions.category_evidence import (
    Document,
    check_evidence,
    destroy_stale_pictures,
    hand_in,
    open_picture,
)
from classes.recruitment.actions.placement import (
    Placement,
    assign,
    assign_many,
    promote_waiting,
    put_on_waiting_list,
    reject,
    release,
    reopen,
)
from classes.recruitment.actions.registrations import (
    Application,
    add_note,
    issue_code,
    register,
    withdraw_registration,
)
from classes.recruitment.actions.screening import answer_questionnaire, rejudge

__all__ = [
    "Application",
    "CampaignDetails",
    "Document",
    "Placement",
    "add_note",
    "answer_questionnaire",
    "assign",
    "assign_many",
    "check_evidence",
    "close_campaign",
    "create_campaign",
    "create_event",
    "destroy_stale_pictures",
    "hand_in",
    "issue_code",
    "open_picture",
    "promote_waiting",
    "put_on_waiting_list",
    "register",
    "reject",
    "rejudge",
    "release",
    "reopen",
    "reopen_campaign",
    "update_campaign",
    "withdraw_registration",
]
