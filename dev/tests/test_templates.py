"""A sample of ``make templates``: some weeks of a program from a template."""

from templates.play import play

from odoo.tests import get_db_name


def test_a_program_from_a_template_lives():
    counts, violations = play(get_db_name(), "live", days=75)
    assert not violations
    happened = {f"{kind}: {name}" for (kind, name), count in counts.items() if count}
    assert {
        "rule: Points with each order",
        "rule: Coming back",
        "bonus action: Welcome",
        "bonus action: First order",
        "bonus action: Best three of the month",
        "reward: A gift for your team",
        "e-mail: Welcome",
        "survey: What Matters to You?",
    } <= happened
