"""What partners of the demo data ask, dispute, think and talk about."""

from odoo.tools import plaintext2html

# Who asks what: partner, contact, subject, text, and our answer where there is one.
QUESTIONS = (
    (
        "dealer_karpaty",
        "contact_karpaty_owner",
        "Do heat pumps count for Gold?",
        "We sold three heat pumps with installation in one order. Does the installation count for the tier as well?",
        "Yes: everything that we invoice to you counts, installation too. Returns are deducted.",
    ),
    (
        "dealer_karpaty",
        "contact_karpaty_sales",
        "Photos for our shop window",
        "Is there a large picture of the new battery that we may print, two meters wide?",
        None,
    ),
    (
        "dealer_nordlicht",
        "contact_nordlicht",
        "Which bank account is paid to?",
        "We changed our bank in spring. Is the next payout going to the new account?",
        None,
    ),
)

# Who disputes its latest earning in money, and why.
DISPUTE = (
    "dealer_karpaty",
    "contact_karpaty_owner",
    "Project price, not list price",
    "This order was agreed on as a project with a lower discount, so the base should be higher.",
)

# Who said what: partner, contact, source, subject, satisfaction, recommendation, text, and what became of it.
OPINIONS = (
    ("dealer_karpaty", "contact_karpaty_owner", "survey", "program", 5, 9, None, None),
    ("dealer_dnipro", "contact_dnipro", "survey", "program", 4, 9, "More trainings in the evening, please.", None),
    ("dealer_dolyna", "contact_dolyna", "survey", "service", 3, 7, None, None),
    (
        "dealer_nordlicht",
        "contact_nordlicht",
        "survey",
        "service",
        2,
        4,
        "Deliveries to the coast take too long.",
        None,
    ),
    (
        "dealer_karpaty",
        "contact_karpaty_owner",
        "comment",
        "product",
        3,
        None,
        "The mounting kit lacks two screws in every other box.",
        "You were right: the supplier packs by weight now, and a bag of spare screws is on its way to you.",
    ),
)

# What matters to whom.
NEEDS = {
    "dealer_karpaty": ("training", "mdf", "early"),
    "dealer_dnipro": ("training", "event", "consulting"),
    "dealer_dolyna": ("price", "mdf"),
    "dealer_nordlicht": ("support", "price"),
    "dealer_wisla": ("material", "training"),
}

TOPIC = (
    "dealer_dnipro",
    "contact_dnipro",
    "How do you explain storage to clients?",
    "Most of our clients ask for panels alone. What makes them think of a battery from the start?",
)
REPLIES = (
    ("dealer_karpaty", "contact_karpaty_owner", "We show the bill of a neighbor, with and without. Numbers do it."),
    ("dealer_nordlicht", "contact_nordlicht", "A switch in the showroom that cuts the power, and the light stays on."),
)


class Talk:
    """Plays it, after everything else of the story."""

    def __init__(self, story):
        self.env, self.get = story.env, story._get
        self.program = self.get("program_dealer_club")

    def tell(self):
        """Ask, dispute, answer, think and talk."""
        self.program.needs_survey_id = self.get("survey_needs")
        self.program.satisfaction_survey_id = self.get("survey_satisfaction")
        for question in QUESTIONS:
            self._ask(*question)
        self._dispute()
        for opinion in OPINIONS:
            self._think(*opinion)
        for partner, kinds in NEEDS.items():
            self._need(partner, kinds)
        self._discuss()

    def _ask(self, partner, contact, subject, text, answer):
        values = {"name": subject, "text": text, "contact_id": self.get(contact).id}
        inquiry = self.env["partner.loyalty.inquiry"].create({**values, "member_id": self._get_member(partner).id})
        if answer:
            self._post(inquiry, self.get("user_officer").partner_id, answer)

    def _dispute(self):
        partner, contact, subject, text = DISPUTE
        member = self._get_member(partner)
        lines = [("account_id", "=", member._get_account("money").id), ("amount", ">", 0), ("amount_open", ">", 0)]
        entry = self.env["partner.loyalty.entry"].search(lines, limit=1)
        values = {"kind": "dispute", "entry_id": entry.id} if entry else {}
        inquiries = self.env["partner.loyalty.inquiry"]
        inquiries.create(
            {"member_id": member.id, "contact_id": self.get(contact).id, "name": subject, "text": text, **values}
        )

    def _think(self, partner, contact, source, subject, csat, nps, text, answer):
        # What a survey tells is written by the program alone.
        feedback_sudo = self.env["partner.loyalty.feedback"].sudo()
        is_asked = nps is not None
        recommends = {"nps": nps, "nps_group": feedback_sudo._get_nps_group(nps)} if is_asked else {}
        values = {"member_id": self._get_member(partner).id, "contact_id": self.get(contact).id, "source": source}
        said_sudo = feedback_sudo.create({**values, "subject": subject, "csat": csat, "text": text, **recommends})
        if answer:
            said_sudo.answer = answer
            said_sudo._finish()

    def _need(self, partner, kinds):
        member, question = self._get_member(partner), self.get("survey_needs_benefits")
        for choice in question.suggested_answer_ids.filtered(lambda choice: choice.loyalty_reward_kind in kinds):
            vals = {"member_id": member.id, "name": choice.value, "kind": choice.loyalty_reward_kind}
            # Needs are written by the program alone.
            need_sudo = self.env["partner.loyalty.need"].sudo().create({**vals, "date": self.program._get_today()})
            need_sudo._translate_like(choice)

    def _discuss(self):
        partner, contact, name, text = TOPIC
        topics = self.env["partner.loyalty.topic"]
        topic = topics._begin(self._get_member(partner), self.get(contact), name, text)
        topic.with_user(self.get("user_officer")).action_publish()
        for author, writer, words in REPLIES:
            self._get_member(author).is_named_on_leaderboard = author == "dealer_karpaty"
            self._post(topic, self.get(writer), words)

    def _post(self, record, author, text):
        """Write into a thread without a mail to anybody."""
        followers = record.message_partner_ids
        record.message_unsubscribe(followers.ids)
        record.message_post(
            body=plaintext2html(text),
            author_id=author.id,
            email_from=author.email_formatted,
            message_type="comment",
            subtype_xmlid="mail.mt_comment",
        )
        record.message_subscribe(followers.ids)

    def _get_member(self, partner):
        partner = self.get(partner)
        return self.program.member_ids.filtered(lambda member: member.partner_id == partner)
