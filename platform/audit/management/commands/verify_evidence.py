"""`manage.py verify_evidence`: recompute the evidence log and name each place where it is not what it was."""

import re
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from audit import queries, signing
from audit.reconciliation import Difference, differences
from audit.verification import Verification, verify_all, verify_chain

_KEY = re.compile(r"[0-9a-f]{64}")


class Command(BaseCommand):
    help = str(
        gettext_lazy(
            "核对留痕：逐条重算摘要、默克尔根和签名，并与学时、补贴的数据逐行比对。有出入时以 1 退出。"
        )
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--chain", help=_("只核对一条链，如 class/12"))
        parser.add_argument(
            "--public-key",
            action="append",
            metavar="HEX",
            help=_("只信任这些公钥（可多次给出）；不给出时信任本平台自己的公钥"),
        )
        parser.add_argument(
            "--known-root",
            action="append",
            default=[],
            metavar="NUMBER:HASH",
            help=_("外部留存的根，如补贴申请表上印的 12:3fa9…（可多次给出）"),
        )

    def handle(self, *args: Any, **options: Any) -> None:
        trusted = options["public_key"]
        for key in trusted or ():
            if not _KEY.fullmatch(key):
                raise CommandError(_("公钥应为 64 位十六进制数字：%(key)s") % {"key": key})
        known = dict(self._known(text) for text in options["known_root"])
        if chain := options["chain"]:
            if not queries.entries_of_chain(chain).exists() and not queries.is_sealed(chain):
                raise CommandError(_("没有 %(chain)s 这条链") % {"chain": chain})
            found = verify_chain(chain, trusted=trusted, known=known)
        else:
            found = verify_all(trusted=trusted, known=known)
        self._report(found, differences(chain or None), trusted)

    def _known(self, text: str) -> tuple[int, str]:
        number, _colon, value = text.partition(":")
        if not number.isdecimal() or not _KEY.fullmatch(value):
            raise CommandError(_("根应写作“12:3fa9…”这样，先序号后摘要：%(text)s") % {"text": text})
        return int(number), value

    def _report(self, found: Verification, differ: list[Difference], trusted: list[str] | None) -> None:
        self.stdout.write(
            _("核对了 %(chains)d 条链上的 %(entries)d 条记录和 %(roots)d 个根。")
            % {"chains": found.chains, "entries": found.entries, "roots": found.roots}
        )
        for key in trusted or sorted(signing.trusted_keys()):
            self.stdout.write(
                _("信任的公钥：%(key)s（指纹 %(fingerprint)s）")
                % {"key": key, "fingerprint": signing.fingerprint(key)}
            )
        if found.unsealed_since:
            self.stdout.write(
                _("尚未封存：%(count)d 条，最早一条记于 %(since)s。这部分只核对了链，还没有签名担保。")
                % {
                    "count": found.unsealed,
                    "since": timezone.localtime(found.unsealed_since).strftime("%Y-%m-%d %H:%M:%S"),
                }
            )
        for fault in found.faults:
            self.stdout.write(self.style.ERROR(f"{fault.place}: {fault.code}: {fault.meaning}"))
        for difference in differ:
            place = f"{difference.chain} {difference.row}: {difference.code}"
            self.stdout.write(self.style.ERROR(f"{place}: {difference.sentence}"))
        if not found.passed:
            raise CommandError(
                _("留痕有出入：%(count)d 处，第一处在 %(place)s。")
                % {"count": len(found.faults), "place": found.faults[0].place}
            )
        if differ:
            raise CommandError(
                _("数据库里有 %(count)d 行和留痕不一致，第一处在 %(place)s。")
                % {"count": len(differ), "place": differ[0].row}
            )
        self.stdout.write(self.style.SUCCESS(_("留痕完整，没有出入。")))
