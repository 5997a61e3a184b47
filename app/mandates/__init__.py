"""The agreement: what is shown before signing, signing, revoking."""
