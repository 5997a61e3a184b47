"""Who may do what: one table as data (`rows/*.yaml`), one check, one scope of cases."""

from app.authorisation.principal import ANONYMOUS, Principal
from app.authorisation.scope import case_scope, may_reveal
from app.authorisation.table import Row, Table, check, load_table

__all__ = [
    "ANONYMOUS",
    "Principal",
    "Row",
    "Table",
    "case_scope",
    "check",
    "load_table",
    "may_reveal",
]
