from odoo import api, models


class PartnerLoyaltyWarningReason(models.AbstractModel):
    """Puts into words why a member is quiet, in the language of the reader.

    The facts are a JSON object: ``causes``, any of ``recency``, ``frequency`` and
    ``value``; the ``role`` of the member in its sales; its usual ``interval`` and the ``silent_days``; the
    ``recent_count`` of sales in the last three months and the ``usual_count``; and the ``drop`` of the turnover in
    percent.
    """

    _name = "partner.loyalty.warning.reason"
    _description = "Reason of an Early Warning"

    # === GETTERS ===#

    @api.model
    def _get_quiet_text(self, facts):
        """Say what is unlike a member's own past.

        :param dict facts: see above
        :return: sentences; empty without facts
        :rtype: str
        """
        return " ".join(getattr(self, f"_get_{cause}_text")(facts) for cause in (facts or {}).get("causes", ()))

    @api.model
    def _get_recency_text(self, facts):
        terms = {"interval": facts["interval"], "days": facts["silent_days"]}
        if facts["role"] == "buyer":
            return self.env._("Usually buys every %(interval)s days; the last purchase was %(days)s days ago.", **terms)
        return self.env._("Usually has a sale every %(interval)s days; the last one was %(days)s days ago.", **terms)

    @api.model
    def _get_frequency_text(self, facts):
        terms = {"count": facts["recent_count"], "usual": facts["usual_count"]}
        if facts["role"] != "buyer":
            return self.env._("Sales in the last three months: %(count)s, usually %(usual)s.", **terms)
        if not facts["recent_count"]:
            return self.env._("Bought nothing in the last three months, usually %(usual)s times.", **terms)
        if facts["recent_count"] == 1:
            return self.env._("Bought once in the last three months, usually %(usual)s times.", **terms)
        return self.env._("Bought %(count)s times in the last three months, usually %(usual)s.", **terms)

    @api.model
    def _get_value_text(self, facts):
        return self.env._(
            "Turnover of the last three months is %(drop)s %% below its own usual.", drop=round(facts["drop"])
        )
