"""Answering an offer: each claimant for themself, before a date; silence never accepts."""
