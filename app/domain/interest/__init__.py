"""Statutory interest: simple interest by a law's formula, counted piece by piece and exactly.

`rates`: what a rate was when, and when it is not known. `formula`: how a law makes its rate of it
and on which day interest begins. `accrual`: what is owed after partial payments. Every number
comes from app/law/data/interest.yaml.
"""
