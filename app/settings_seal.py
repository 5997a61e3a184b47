"""The settings of the seal of letters (docs/decisions/0034), a part of `app.settings`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import BaseSettings


class SealSettings(BaseSettings):
    """The agency's certificate, its key in a file or a token, and a timestamp authority."""

    seal_certificate: Path | None = Field(
        default=None,
        description="PEM file with the agency's certificate and the chain behind it: letters are "
        "sealed with it (PAdES). Without it development makes its own, others send unsealed.",
    )
    seal_key: Path | None = Field(default=None, description="PEM file with its private key.")
    seal_key_passphrase: SecretStr | None = Field(
        default=None, description="Passphrase of that file, where it has one."
    )
    seal_pkcs11_module: Path | None = Field(
        default=None, description="Instead of seal_key: library of the token that holds the key."
    )
    seal_pkcs11_token: str | None = Field(default=None, description="The token's label.")
    seal_pkcs11_key: str | None = Field(default=None, description="The key's label there.")
    seal_pkcs11_pin: SecretStr | None = Field(default=None, description="The token's PIN.")
    seal_tsa_url: str | None = Field(
        default=None, description="Timestamp authority (RFC 3161); without it no timestamp is set."
    )

    @field_validator(
        "seal_certificate", "seal_key", "seal_key_passphrase", "seal_pkcs11_module",
        "seal_pkcs11_token", "seal_pkcs11_key", "seal_pkcs11_pin", "seal_tsa_url",
        mode="before",
    )  # fmt: skip
    @classmethod
    def _empty_seal_is_unset(cls, value: Any) -> Any:
        """As for all settings: a compose file passes on what is not set as an empty value."""
        return None if isinstance(value, str) and not value.strip() else value


def seal_problems(settings: SealSettings) -> list[str]:
    """What the seal of letters lacks: a certificate needs one key, in a file or a token."""
    token = (settings.seal_pkcs11_module, settings.seal_pkcs11_token, settings.seal_pkcs11_key)
    has_token = any(one is not None for one in token)
    if settings.seal_certificate is None:
        return ["seal_key needs seal_certificate"] if settings.seal_key or has_token else []
    if (settings.seal_key is not None) == has_token:
        return ["seal_certificate needs one of seal_key and seal_pkcs11_module"]
    if has_token and None in token:
        return ["seal_pkcs11_module needs seal_pkcs11_token and seal_pkcs11_key"]
    return []
