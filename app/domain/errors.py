"""Every refusal in Recourse descends from RecourseError.

`kind` says what sort of refusal it is (app/problems.py turns it into an HTTP status), `code` is the
stable name a program may rely on, the message is a sentence a person can act on. Impossible things
are asserts, not errors.
"""

from __future__ import annotations

from typing import ClassVar


class RecourseError(Exception):
    """A refusal with a cause a person understands. `params` are safe to show and to log."""

    kind: ClassVar[str] = "invalid"
    code: str = "invalid"

    def __init__(self, message: str, *, code: str | None = None, **params: str | int) -> None:
        super().__init__(message)
        self.message = message
        self.params = params
        if code is not None:
            self.code = code


class InvalidInput(RecourseError):
    kind = "invalid"
    code = "invalid_input"


class NotAuthenticated(RecourseError):
    kind = "unauthenticated"
    code = "not_authenticated"


class Forbidden(RecourseError):
    kind = "forbidden"
    code = "forbidden"


class NotFound(RecourseError):
    kind = "not_found"
    code = "not_found"


class Conflict(RecourseError):
    kind = "conflict"
    code = "conflict"


class StaleVersion(RecourseError):
    """The row changed after the caller read it (If-Match no longer holds)."""

    kind = "stale"
    code = "stale_version"


class PreconditionRequired(RecourseError):
    kind = "precondition_required"
    code = "if_match_required"


class TooLarge(RecourseError):
    kind = "too_large"
    code = "too_large"


class Unsupported(RecourseError):
    kind = "unsupported"
    code = "unsupported_media_type"


class Limited(RecourseError):
    """Too many tries; `retry_after` is in seconds."""

    kind = "limited"
    code = "too_many_requests"

    def __init__(self, message: str, *, retry_after: int, **params: str | int) -> None:
        super().__init__(message, code=None, **params)
        self.retry_after = retry_after


class Unavailable(RecourseError):
    """A part we depend on is down; nothing was changed and the call may be repeated."""

    kind = "unavailable"
    code = "unavailable"


class TransitionRefused(Conflict):
    """The ladder does not allow this event at this stage."""

    code = "transition_refused"

    def __init__(self, stage: str, event: str, why: str) -> None:
        super().__init__(f"{event} is not possible at {stage}: {why}", stage=stage, event=event)
        self.stage = stage
        self.event = event
        self.why = why


class WithdrawalWait(TransitionRefused):
    """While a signer may still withdraw and did not ask us to begin, nobody begins for them."""

    code = "withdrawal_wait"


class StartNeeded(TransitionRefused):
    """The claim would be time-barred before the time to withdraw is over."""

    code = "start_now_needed"


class StaleEvent(RecourseError):
    """The event belongs to a step the case has left; whoever delivered it drops it.

    This is what makes redelivery harmless.
    """

    kind = "conflict"
    code = "stale_event"
