"""One frozen object with everything an installation may set.

Every value comes from an environment variable ``RECOURSE_<NAME>`` or, where the
platform mounts secrets as files, from ``/run/secrets/recourse_<name>``. Nothing else in
the project reads the environment for configuration. ``docs/configuration.md`` lists each
setting and a test keeps the two in step.
"""

import base64
from functools import lru_cache
from ipaddress import ip_network
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import Field, SecretStr, field_validator, model_validator
from pydantic_settings import NoDecode, SettingsConfigDict

from app.mail_rates import Rate, read_rates
from app.settings_checks import (
    PLACEHOLDER_SECRET,
    mailbox_problems,
    production_problems,
)
from app.settings_seal import SealSettings, seal_problems

Environment = Literal["development", "test", "production"]

ASYNC_DRIVER = "postgresql+asyncpg://"
WEBHOOK_KEY_BYTES_MIN = 24  # Standard Webhooks, "Signature scheme"
SECRETS_DIR = Path("/run/secrets")  # where container platforms mount secrets


class Settings(SealSettings):
    """What an operator decides. Frozen; build another one instead of changing it.

    Raises pydantic's ``ValidationError`` when a value is wrong, and in production also
    when a secret is missing, short or a placeholder, when a provider's test key is set or
    when public addresses are not https.
    """

    model_config = SettingsConfigDict(
        env_prefix="RECOURSE_",
        env_ignore_empty=True,  # what a compose file leaves empty (`${X:-}`) is not set
        frozen=True,
        extra="ignore",
        hide_input_in_errors=True,
        secrets_dir=SECRETS_DIR if SECRETS_DIR.is_dir() else None,
    )

    # -- where this is ------------------------------------------------------------------
    environment: Environment = Field(
        default="development",
        description="development, test or production; production refuses unsafe settings.",
    )
    public_url: str = Field(
        default="http://127.0.0.1:8000",
        description="Address under which people reach this installation; links are built on it "
        "and never on the Host header.",
    )
    data_dir: Path = Field(
        default=Path(".data"),
        description="Folder for stored documents, generated files and embedded servers.",
    )
    api_host: str = Field(default="127.0.0.1", description="Address the API listens on.")
    api_port: int = Field(
        default=8000, ge=0, le=65_535, description="Port the API listens on; 0 takes a free one."
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        default="info", description="Lowest level that is written to the log."
    )
    forwarded_allow_ips: str = Field(
        default="127.0.0.1",
        description="Proxies whose X-Forwarded-For is believed, comma separated.",
    )
    release: str = Field(default="dev", description="Version shown at /version and in logs.")

    # -- stores -------------------------------------------------------------------------
    database_url: str = Field(
        repr=False, description="PostgreSQL 15 or newer, as postgresql://user:password@host/name."
    )
    database_pool_size: int = Field(
        default=10,
        ge=1,
        le=200,
        description="Database connections one process keeps for changes, and at most as many for "
        "reading; opened when needed.",
    )
    database_statement_timeout_seconds: int = Field(
        default=30, ge=1, le=600, description="Longest time one SQL statement may take."
    )
    redis_url: str | None = Field(
        default=None,
        repr=False,
        description="Redis or Valkey, as redis://:password@host:port/0; wakes workers and counts "
        "rate limits. Without it workers poll.",
    )
    object_store_url: str | None = Field(
        default=None,
        description="s3://bucket/prefix for stored documents; without it a folder in data_dir.",
    )
    object_store_endpoint: str | None = Field(
        default=None, description="Address of an S3-compatible store that is not Amazon's."
    )
    object_store_access_key: SecretStr | None = Field(
        default=None, description="Access key id of the object store."
    )
    object_store_secret_key: SecretStr | None = Field(
        default=None, description="Secret access key of the object store."
    )
    upload_bytes_max: int = Field(
        default=20 * 1024 * 1024, ge=1024, description="Largest evidence file, in bytes."
    )

    # -- secrets ------------------------------------------------------------------------
    secret_key: SecretStr = Field(
        default=SecretStr(PLACEHOLDER_SECRET),
        description="Base of every HMAC (links, cursors, reply addresses); 32 characters or more, "
        "kept for the life of the installation.",
    )
    key_file: Path | None = Field(
        default=None,
        description="File with the keys that wrap the data keys of persons: one `id base64` per "
        "line, 32 bytes each; the first wraps, all unwrap, the id `index` is the blind index's. "
        "Keep it apart from the database and its backups.",
    )
    keys: SecretStr | None = Field(
        default=None,
        description="The lines of key_file given directly; one of the two is needed in production.",
    )
    first_admin_email: str | None = Field(
        default=None, description="The first admin, made at start while no staff account exists."
    )
    stripe_secret_key: SecretStr | None = Field(
        default=None, description="Stripe API key; a test key is refused in production."
    )
    stripe_webhook_secret: SecretStr | None = Field(
        default=None, description="Signing secret of the Stripe webhook endpoint."
    )

    # -- mail ---------------------------------------------------------------------------
    mail_domain: str = Field(
        default="mail.recourse.invalid",
        description="Domain of the reply addresses of cases and of our Message-IDs.",
    )
    mail_from: str | None = Field(
        default=None,
        description="Sender of mail to consumers; without it notifications@<mail_domain>.",
    )
    smtp_host: str = Field(default="127.0.0.1", description="Outgoing mail server.")
    smtp_port: int = Field(default=25, ge=1, le=65_535, description="Its port.")
    smtp_starttls: bool = Field(
        default=False,
        description="Require STARTTLS; in production this or smtp_tls unless the server is on "
        "this machine.",
    )
    smtp_tls: bool = Field(default=False, description="Speak TLS from the first byte (port 465).")
    smtp_user: str | None = Field(default=None, description="User at the mail server.")
    smtp_password: SecretStr | None = Field(default=None, description="Password there.")
    smtp_timeout_seconds: int = Field(
        default=660,
        ge=1,
        le=3_600,
        description="Whole time of one hand-over; RFC 5321 lets the last reply take 10 minutes.",
    )
    mail_rates: Annotated[dict[str, Rate], NoDecode] = Field(
        default={},
        description="Most mails to one domain: `big.example=100/hour, *=600/hour`, in mails per "
        "second, minute, hour or day; * is every other domain. A mail above it waits.",
    )
    mail_attachment_bytes_max: int = Field(
        default=7 * 1024 * 1024,
        ge=0,
        description="Largest letter attached to a mail, in bytes (a mail is a third larger); a "
        "larger one is a link that can be opened for document_link_days.",
    )
    document_link_days: int = Field(
        default=90, ge=1, le=400, description="How long such a link can be opened."
    )
    answer_link_days: int = Field(
        default=180,
        ge=1,
        le=400,
        description="How long a company can answer by the link in a letter.",
    )
    archive_address: str | None = Field(
        default=None,
        description="Mailbox that gets a copy of every mail about a case. Its presence there "
        "settles a mail whose end nobody saw.",
    )
    archive_imap_host: str | None = Field(
        default=None, description="IMAP server of that mailbox; without it nobody looks there."
    )
    archive_imap_port: int = Field(default=993, ge=1, le=65_535, description="Its port.")
    archive_imap_tls: bool = Field(
        default=True, description="Speak TLS; off only for a server on this machine."
    )
    archive_imap_user: str | None = Field(default=None, description="User of that mailbox.")
    archive_imap_password: SecretStr | None = Field(default=None, description="Password there.")
    archive_imap_mailbox: str = Field(
        default="INBOX", max_length=200, description="The folder there."
    )
    imap_host: str | None = Field(
        default=None, description="Server of the mailbox of incoming mail, if one is polled."
    )
    imap_port: int = Field(default=993, ge=1, le=65_535, description="Its port.")
    imap_tls: bool = Field(
        default=True, description="Speak TLS; off only for a server on this machine."
    )
    imap_user: str | None = Field(default=None, description="User of that mailbox.")
    imap_password: SecretStr | None = Field(default=None, description="Password there.")
    imap_mailbox: str = Field(default="INBOX", max_length=200, description="The folder there.")
    imap_seconds: float = Field(
        default=20.0, ge=0.05, le=600, description="Pause between two visits to it."
    )
    inbound_smtp_host: str = Field(
        default="127.0.0.1", description="Address on which workers accept incoming mail by SMTP."
    )
    inbound_smtp_port: int | None = Field(
        default=None, ge=0, le=65_535, description="Port for that; without it nothing listens."
    )
    inbound_smtp_peers: Annotated[tuple[str, ...], NoDecode] = Field(
        default=(),
        description="Networks of our own mail servers (10.0.3.0/24, ...), separated by commas: "
        "only they may hand mail in where inbound_smtp_host is not the loopback.",
    )
    mail_authserv_id: str | None = Field(
        default=None,
        max_length=255,
        description="The name our own receiving mail server puts first into the "
        "Authentication-Results it writes on top of incoming mail; without it no mail is trusted "
        "above low.",
    )
    inbound_webhook_secret: SecretStr | None = Field(
        default=None,
        description="Signing secret (whsec_...) of a mail provider that posts incoming mail to "
        "/v1/inbound/mail; without it that address answers 404.",
    )

    # -- files --------------------------------------------------------------------------
    clamd: str | None = Field(
        default=None,
        pattern=r"^(tcp://[^:/\s]+:\d{1,5}|unix:///\S+)$",
        description="Where clamd listens, tcp://host:port or unix:///path; every file waits in "
        "quarantine until it has looked. Without it files are marked unscanned.",
    )

    # -- post ---------------------------------------------------------------------------
    post_provider: Literal["print_folder", "lob"] = Field(
        default="print_folder",
        description="Who prints letters on paper: print_folder (we do, from data_dir/post with "
        "`recourse post`) or lob.",
    )
    lob_api_key: SecretStr | None = Field(
        default=None, description="Lob's API key; a test key is refused in production."
    )
    lob_from: str | None = Field(
        default=None,
        pattern=r"^adr_[0-9A-Za-z]+$",
        description="Id (adr_...) of the return address kept at Lob; Lob wants one in the US.",
    )

    # -- work ---------------------------------------------------------------------------
    lease_seconds: float = Field(
        default=20.0, ge=0.2, le=600, description="How long a claimed effect belongs to a worker."
    )
    sweep_seconds: float = Field(
        default=5.0, ge=0.05, le=15, description="Longest pause between two looks at due work."
    )
    sweep_slots: int = Field(
        default=2,
        ge=1,
        le=32,
        description="Sweeps at a time, over all workers: more than the database has processors for"
        " are only in each other's way.",
    )
    matching: Literal["suggest", "confirm"] = Field(
        default="confirm",
        description="confirm: receipts that belong to one case beyond doubt are set against it "
        "after the import; suggest: a person confirms every one.",
    )
    release_hold_seconds: int = Field(
        default=30,
        ge=0,
        le=3_600,
        description="Time for second thoughts after a person released a letter.",
    )
    render_processes: int = Field(
        default=2, ge=1, le=32, description="Processes that render PDFs, 80 MB each."
    )
    providers: Literal["real", "fake"] = Field(
        default="real",
        description="fake replaces outside systems by counting fakes; refused in production.",
    )

    # -- sessions -----------------------------------------------------------------------
    staff_session_hours: int = Field(
        default=12, ge=1, le=24, description="Longest life of a staff session."
    )
    consumer_session_hours: int = Field(
        default=24, ge=1, le=720, description="Longest life of a consumer session."
    )

    @field_validator("database_url")
    @classmethod
    def _async_driver(cls, value: str) -> str:
        """Normalise to the driver in use, so that a plain libpq address works too."""
        for prefix in (ASYNC_DRIVER, "postgresql://", "postgres://"):
            if value.startswith(prefix):
                return ASYNC_DRIVER + value.removeprefix(prefix)
        raise ValueError("must start with postgresql://")

    @field_validator(
        "first_admin_email", "archive_address", "archive_imap_host", "archive_imap_user",
        "archive_imap_password", "smtp_user", "smtp_password", "imap_host", "imap_user",
        "imap_password", "inbound_smtp_port", "mail_authserv_id",
        "clamd",        "inbound_webhook_secret", "lob_api_key", "lob_from",
        mode="before",
    )  # fmt: skip
    @classmethod
    def _empty_is_unset(cls, value: Any) -> Any:
        """A compose file passes on what is not set as an empty value, or an empty secret file."""
        return None if isinstance(value, str) and not value.strip() else value

    @field_validator("mail_rates", mode="before")
    @classmethod
    def _rates(cls, value: Any) -> Any:
        return read_rates(value) if isinstance(value, str) else value

    @field_validator("inbound_smtp_peers", mode="before")
    @classmethod
    def _networks(cls, value: Any) -> Any:
        found = [one.strip() for one in value.split(",")] if isinstance(value, str) else value
        return tuple(str(ip_network(one)) for one in found if one)

    @field_validator("inbound_webhook_secret")
    @classmethod
    def _signing_key(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None:
            written = value.get_secret_value().removeprefix("whsec_")
            try:
                key = base64.b64decode(written, validate=True)
            except ValueError:
                key = b""
            if len(key) < WEBHOOK_KEY_BYTES_MIN:
                raise ValueError(
                    f"must be whsec_ and {WEBHOOK_KEY_BYTES_MIN} bytes or more of base64"
                )
        return value

    @field_validator("public_url")
    @classmethod
    def _no_trailing_slash(cls, value: str) -> str:
        if not value.startswith(("http://", "https://")):
            raise ValueError("must start with http:// or https://")
        return value.rstrip("/")

    @model_validator(mode="after")
    def _whole_doors(self) -> Self:
        problems = mailbox_problems(self) + seal_problems(self)
        if self.post_provider == "lob" and not (self.lob_api_key and self.lob_from):
            problems.append("post_provider lob needs lob_api_key and lob_from")
        if problems:
            raise ValueError("; ".join(problems))
        return self

    @model_validator(mode="after")
    def _safe_in_production(self) -> Self:
        if self.environment == "production":
            problems = production_problems(self)
            if problems:
                raise ValueError("not safe for production: " + "; ".join(problems))
        return self

    @property
    def database_dsn(self) -> str:
        """The same database for a bare driver (asyncpg, psql): no ``+asyncpg``."""
        return self.database_url.replace(ASYNC_DRIVER, "postgresql://", 1)

    @property
    def is_production(self) -> bool:
        return self.environment == "production"

    @property
    def allows_clock_offset(self) -> bool:
        """Only a non-production installation may move business time (architecture.md)."""
        return not self.is_production


@lru_cache(maxsize=1)
def get_settings() -> Settings:
    """The settings of this process, read once."""
    return Settings()
