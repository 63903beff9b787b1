"""The guards, how each is broken, and the tests that have to go red then."""

from typing import NamedTuple


class Guard(NamedTuple):
    """A guard and how it is broken.

    :param str name: what it guards
    :param tests: files of tests, and an expression that picks from them
    :param edits: ``(file, old text, new text)`` in a copy of the module
    :param str sql: or what is done to a copy of the database
    """

    name: str
    tests: tuple
    edits: tuple = ()
    sql: str = ""


ENTRY = "models/partner_loyalty_entry.py"
ALLOCATION = "models/partner_loyalty_allocation.py"
APPROVAL = "models/partner_loyalty_approval_mixin.py"
PROTECTED = "models/partner_loyalty_protected_mixin.py"
NUMBERS = "models/partner_loyalty_input_mixin.py"
KPI = "models/partner_loyalty_kpi.py"
SALES = "models/partner_loyalty_kpi_sales.py"
BRIDGE = "models/partner_loyalty_bridge.py"
PILOT = "models/partner_loyalty_pilot.py"
COMPARISON = "models/partner_loyalty_pilot_comparison.py"
TRIAL = "tools/trial.py"


def _rule_off(xmlid):
    return (
        "UPDATE ir_rule SET active = FALSE WHERE id = (SELECT res_id FROM ir_model_data"
        f" WHERE module = 'partner_loyalty' AND name = '{xmlid}')"
    )


GUARDS = [
    Guard(
        "append-only trigger of the ledger",
        ("test_entry.py", "database_refuses_to_change_or_delete"),
        sql="ALTER TABLE partner_loyalty_entry DISABLE TRIGGER USER;"
        "ALTER TABLE partner_loyalty_allocation DISABLE TRIGGER USER",
    ),
    Guard(
        "version of the account",
        ("test_entry.py", "numbered"),
        [(ENTRY, "version = account.version + change.entries", "version = account.version")],
    ),
    Guard(
        "balance of the account",
        ("test_entry.py", "debt_that_later_lots or amounts_are_exact or points_and_money"),
        [(ENTRY, "balance = account.balance + change.amount", "balance = account.balance")],
    ),
    Guard(
        "account updated before anything is read",
        ("test_concurrency.py", "starts_over or overdraw"),
        [
            (
                ENTRY,
                "UPDATE partner_loyalty_account account\n                       SET balance = account.balance"
                " + change.amount, version = account.version + change.entries\n                      FROM (SELECT",
                "SELECT account.id, account.program_id, account.company_id,\n"
                "                           account.version - 0 AS last_sequence\n"
                "                      FROM partner_loyalty_account account, (SELECT",
            ),
            (
                ENTRY,
                "                 RETURNING account.id, account.program_id, account.company_id,\n"
                "                           account.version - change.entries AS last_sequence\n",
                "",
            ),
        ],
    ),
    Guard("unique key of a line", ("test_entry.py", "same_key"), sql="DROP INDEX partner_loyalty_entry_key_unique"),
    Guard(
        "record rule of companies",
        ("test_multi_company.py", "find_and_read_nothing"),
        sql=_rule_off("partner_loyalty_entry_rule_company"),
    ),
    Guard(
        "record rule of portal users",
        ("test_access.py", "portal_users"),
        sql=_rule_off("partner_loyalty_entry_rule_portal"),
    ),
    Guard(
        "nobody approves what they prepared",
        ("test_payout.py", "nobody_approves_what"),
        [(APPROVAL, "if user in self._get_requesters():", "if not user:")],
    ),
    Guard(
        "protected fields",
        ("test_payout.py", "cannot_be_written or cannot_be_created"),
        [(PROTECTED, "if names and not self.env.su:", "if not names and self is None:")],
    ),
    Guard(
        "nothing is dated in a locked period",
        ("test_program.py", "late_difference or locked_period or after_the_lock"),
        [(ENTRY, "GREATEST(source.date, program.lock_date + 1) AS date", "source.date AS date")],
    ),
    Guard(
        "a period is not closed while lines are posted in it",
        ("test_concurrency_spend.py", "lock_date"),
        [(ENTRY, "(SELECT program_id FROM account) FOR SHARE", "(SELECT program_id FROM account)")],
    ),
    Guard(
        "a deduction takes from its own lot first",
        ("test_entry.py", "own_document_first"),
        [(ALLOCATION, "        self._settle_own(account_ids)\n        indebted", "        indebted")],
    ),
    Guard(
        "what expired is given back before it is taken back",
        ("test_expiry.py", "given_back"),
        [(ALLOCATION, "if Entry._give_back_expired(indebted):", "if not indebted:")],
    ),
    Guard(
        "numbers that are none are refused",
        ("test_guards.py", "numbers"),
        [(NUMBERS, "return math.isfinite(number) and abs(number) < limit", "return True")],
    ),
    Guard(
        "the sign of a key figure",
        ("test_kpi.py", "equal_plain_python"),
        [(KPI, 'return facts["own"] - facts["own_before"]', 'return facts["own_before"] - facts["own"]')],
    ),
    Guard(
        "what members bring is no market",
        ("test_kpi.py", "equal_plain_python"),
        [(SALES, "CASE WHEN side.column1 THEN 1 ELSE -1 END", "CASE WHEN side.column1 THEN 1 ELSE 0 END")],
    ),
    Guard(
        "no success is claimed where it can be chance",
        ("test_kpi.py", "no_claim_of_success"),
        [(KPI, "return bool(effect) and (effect[1] > 0 or effect[2] < 0)", "return bool(effect)")],
    ),
    Guard(
        "a bridge tells volume from rate",
        ("test_bridge.py", "new_rate"),
        [(BRIDGE, "(base_now - base_before) * amount_before /", "(base_now - base_before) * amount_now /")],
    ),
    Guard(
        "the parts of a bridge add up",
        ("test_bridge.py", "parts_add_up"),
        [(BRIDGE, "SUM(CASE WHEN is_now THEN amount ELSE -amount END)", "SUM(amount)")],
    ),
    Guard(
        "the control group of a pilot goes without",
        ("test_pilot.py", "control_group_earns_nothing"),
        [(PILOT, "        return ~held", "        return Domain.TRUE")],
    ),
    Guard(
        "the sign of the effect of a pilot",
        ("test_pilot.py", "planted_effect"),
        [(TRIAL, "(fmean(treated) - fmean(others))\n        for", "(fmean(others) - fmean(treated))\n        for")],
    ),
    Guard(
        "members of one owner are one observation of a pilot",
        ("test_pilot.py", "one_observation or drawn_into_one_group"),
        [(COMPARISON, "member.group_root_id.id or member.id for member", "member.id for member")],
    ),
]
