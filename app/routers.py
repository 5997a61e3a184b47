"""Every router of the API, in the order of the reference page. A feature adds one line here."""

from __future__ import annotations

from app.agency.endpoints import router as agency
from app.answering.endpoints import router as letter_answers
from app.cases.action_endpoints import router as own_case_actions
from app.cases.endpoints import router as cases
from app.casework.answer_endpoints import router as answers
from app.casework.correction_endpoints import router as corrections
from app.casework.endpoints import router as casework
from app.casework.file_endpoints import router as case_file
from app.casework.letter_endpoints import router as letters_written
from app.check.endpoints import router as check
from app.companies.endpoints import router as companies
from app.consumers.account_endpoints import router as payout_account
from app.consumers.login_endpoints import router as consumer_login
from app.correspondence.endpoints import router as inbound
from app.deps import Router
from app.documents.endpoints import router as letters_sent
from app.evidence.endpoints import router as evidence
from app.evidence.post_endpoints import router as scanned_post
from app.exhibits.endpoints import router as exhibits
from app.finance.bank_endpoints import router as bank
from app.finance.day_endpoints import router as finance_day
from app.finance.entry_endpoints import router as entries
from app.finance.export_endpoints import router as exports
from app.finance.import_endpoints import router as imports
from app.finance.ledger_endpoints import router as ledger
from app.finance.matching_endpoints import router as matching
from app.finance.payout_endpoints import router as payouts
from app.finance.period_endpoints import router as periods
from app.intake.endpoints import router as intake
from app.links.endpoints import router as document_links
from app.mandates.endpoints import router as mandates
from app.messages.endpoints import router as messages
from app.offers.endpoints import router as offers
from app.operations.endpoints import router as operations
from app.papers.endpoints import router as papers
from app.recounts.endpoints import router as recounts
from app.search.endpoints import router as search
from app.selfhelp.endpoints import router as selfhelp
from app.staff.endpoints import router as staff
from app.staff.key_endpoints import router as api_keys
from app.staff.login_endpoints import router as staff_login
from app.system.endpoints import router as system
from app.tasks.endpoints import router as tasks

ROUTERS: tuple[Router, ...] = (
    system,
    check,
    letters_sent,
    consumer_login,
    intake,
    cases,
    own_case_actions,
    selfhelp,
    mandates,
    offers,
    evidence,
    payout_account,
    staff_login,
    staff,
    api_keys,
    case_file,
    letters_written,
    casework,
    corrections,
    answers,
    tasks,
    messages,
    scanned_post,
    letter_answers,
    document_links,
    papers,
    exhibits,
    inbound,
    search,
    bank,
    imports,
    matching,
    payouts,
    ledger,
    finance_day,
    entries,
    periods,
    exports,
    companies,
    operations,
    recounts,
    agency,
)
