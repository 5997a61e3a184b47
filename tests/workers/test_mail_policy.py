"""Our policy writes what the standard library's writes, for all that a header may hold."""

from __future__ import annotations

from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP, EmailPolicy
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workers.mail_policy import SEVEN_BIT

WORDS = st.one_of(
    st.text(st.characters(exclude_categories=("Cc", "Cs", "Zl", "Zp")), max_size=120),
    st.text("ab ,;<>@\"'=?_-.", max_size=300),
    st.sampled_from(["", "=?utf-8?q?=0ABcc:_x?=", "x" * 200, "word " * 60, "ä" * 90]),
)


def written(policy: EmailPolicy[Any], subject: str, name: str, text: str) -> bytes:
    message = EmailMessage(policy=policy)
    message["To"] = Address(name, addr_spec="anna@example.org")
    message["Subject"] = subject
    message["X-Case"] = subject
    message["Message-ID"] = "<" + "a" * 90 + "@mail.agency.test>"
    message.set_content(text)
    message.make_alternative(boundary="=_1")
    message.add_alternative(f"<p>{text}</p>", subtype="html")
    message.make_mixed(boundary="=_0")
    message.add_attachment(b"%PDF", maintype="application", subtype="pdf", filename="letter.pdf")
    return message.as_bytes()


@settings(max_examples=60, deadline=None)
@given(WORDS, WORDS, WORDS)
def test_the_bytes_are_those_of_the_library(subject: str, name: str, text: str) -> None:
    library = SMTP.clone(cte_type="7bit")
    said = (subject.strip(), name.strip(), text)
    assert written(SEVEN_BIT, *said) == written(library, *said)


@pytest.mark.parametrize("smuggled", ["a\r\nBcc: x@example.org", "a\nb", "a\rb"])
def test_a_line_break_is_refused(smuggled: str) -> None:
    message = EmailMessage(policy=SEVEN_BIT)
    with pytest.raises(ValueError, match="linefeed or carriage return"):
        message["X-Case"] = smuggled
