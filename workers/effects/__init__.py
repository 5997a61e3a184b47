"""One file per effect; every order of app.domain.effects has its handler here."""

from __future__ import annotations

from typing import Any

from workers.effects.acknowledge_message import AcknowledgeMessageHandler
from workers.effects.handler import Handler
from workers.effects.make_paper import MakePaperHandler
from workers.effects.notify_consumer import NotifyConsumerHandler
from workers.effects.recall_letter import RecallLetterHandler
from workers.effects.render_letter import RenderLetterHandler
from workers.effects.render_mandate import RenderMandateHandler
from workers.effects.send_claims_list import SendClaimsListHandler
from workers.effects.send_letter import SendCopyHandler, SendLetterHandler
from workers.effects.send_magic_link import SendMagicLinkHandler
from workers.effects.send_staff_invite import SendStaffInviteHandler
from workers.effects.stop_notice import StopNoticeHandler
from workers.effects.submit_bank_file import SubmitBankFileHandler

_ALL: tuple[Handler[Any], ...] = (
    RenderLetterHandler(), RenderMandateHandler(), SendLetterHandler(), SendCopyHandler(),
    NotifyConsumerHandler(),
    AcknowledgeMessageHandler(), StopNoticeHandler(), RecallLetterHandler(),
    SendMagicLinkHandler(), SendStaffInviteHandler(), SubmitBankFileHandler(),
    SendClaimsListHandler(),
    MakePaperHandler(),
)  # fmt: skip
HANDLERS: dict[str, Handler[Any]] = {handler.effect.__name__: handler for handler in _ALL}
