"""A claim from drawing up to decision. The figures are computed, never entered (F16, F17, Q4)."""

import datetime
import hashlib
from decimal import Decimal
from functools import partial

import rfc8785
from django.db import transaction
from django.utils.translation import gettext_noop

import audit
from accounts import editions
from accounts.models import User
from attendance.queries import recomputed_share_of
from audit.actions import legal_day, seal_now
from classes.models import TrainingClass
from classes.permissions import can_manage
from classes.states import ClassState
from exams.queries import Completion, completions_of
from exams.states import CertificateState
from policy.calendar import add_working_days
from policy.completion import claim_amount
from policy.refusals import Refusal
from subsidies import tasks
from subsidies.models import Claim, ClaimLine, PublicNotice
from subsidies.permissions import require_manager, require_officer
from subsidies.states import CLAIM_MOVES, ClaimState, ObjectionState
