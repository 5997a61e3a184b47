"""How a call to an outside system can end badly. A provider raises nothing else once its first
byte may have arrived; any other exception out of it is our own bug before that point."""

from __future__ import annotations


class ProviderError(Exception):
    """`cause` goes to the journal and to people: a code or the provider's words, no addresses."""

    def __init__(self, cause: str) -> None:
        super().__init__(cause)
        self.cause = cause


class Refused(ProviderError):
    """For good: repeating it unchanged cannot help (an address that does not exist)."""


class Transient(ProviderError):
    """Nothing was done; it may work later. `retry_after` is in seconds, where they said so."""

    def __init__(self, cause: str, *, retry_after: float | None = None) -> None:
        super().__init__(cause)
        self.retry_after = retry_after


class OutcomeUnknown(ProviderError):
    """The order may or may not have been carried out, and we cannot tell."""


class KeyTaken(OutcomeUnknown):
    """The provider holds something else under our key: repeating the call cannot clear that up."""


class NoLongerWanted(ProviderError):
    """Found out while preparing: the order has no purpose any more."""


class DatabaseAway(Exception):
    """Our own database could not be asked while preparing: the order is handed back, untried."""


class LeaseLost(Exception):
    """This worker slept past its lease: another may have the order, so nothing is sent."""
