"""What all pages of a member have in common: whose they are, who may see what, and how an officer looks at them."""

from collections import Counter, defaultdict
from pathlib import Path

from lxml import etree

from odoo.exceptions import AccessError
from odoo.modules.module import Manifest
from odoo.tests import Form, JsonRpcException, TransactionCase, tagged
from odoo.tools import file_path, mute_logger

from odoo.addons.portal.controllers.portal import CustomerPortal

from ..controllers.portal import PartnerLoyaltyPortal
from .common_portal import HOSTILE, PortalCommon


def get_all_subclasses(cls):
    """Return the classes that extend a class, at whatever distance."""
    return {cls}.union(*map(get_all_subclasses, cls.__subclasses__()))


@tagged("post_install", "-at_install")
class TestPortalParts(TransactionCase):
    """All areas of the portal become one controller, and all of their templates are in one place."""

    def test_no_area_has_a_method_of_another_by_chance(self):
        owners = defaultdict(list)
        for cls in get_all_subclasses(PartnerLoyaltyPortal):
            for name, method in vars(cls).items():
                if callable(method) or isinstance(method, staticmethod):
                    owners[name].append(cls)
        for name, classes in owners.items():
            # One of them has it first, and the others extend it.
            first = [cls for cls in classes if all(issubclass(other, cls) for other in classes)]
            extends = len(classes) == 1 or first or hasattr(CustomerPortal, name)
            self.assertTrue(extends, f"{name}: {', '.join(cls.__name__ for cls in classes)}")

    def test_no_view_takes_the_place_of_another_by_chance(self):
        folder = Path(file_path("partner_loyalty"))
        ids = Counter()
        for path in Manifest.for_addon("partner_loyalty")["data"]:
            if path.endswith(".xml"):
                ids.update(etree.parse(folder / path).xpath("//record/@id | //template/@id"))
        self.assertEqual([name for name, count in ids.items() if count > 1], [])


@tagged("post_install", "-at_install")
class TestPortal(PortalCommon):
    # === WAYS IN ===#

    def test_the_home_page_shows_tier_and_balance(self):
        self._post_entry(self.member, 12.5)
        self._post_entry(self.member, 340, unit="point")
        text = self._read(self._open("/my", "owner"), "o_loyalty_program_card")
        for part in ("Dealer Club", "Silver", "12.50", "340 points"):
            self.assertIn(part, text)

    def test_the_home_page_of_sales_shows_no_money(self):
        self._post_entry(self.member, 12.5)
        text = self._read(self._open("/my", "sales"), "o_loyalty_program_card")
        self.assertIn("0 points", text)
        self.assertNotIn("12.50", text)

    def _count(self, role):
        self._log_in(role)
        names = ["loyalty_terms_count", "loyalty_invoice_count"]
        counts = self.make_jsonrpc_request("/my/counters", {"counters": names})
        return [counts[name] for name in names]

    def test_the_home_page_counts_what_waits_for_the_partner(self):
        self.assertEqual(self._count("owner"), [0, 0])
        self.program.payout_document = "own"
        self._post_entry(self.member, 50)
        self._approve_payout(self.member)
        self.program.payout_needs_terms = True
        self.assertEqual(self._count("owner"), [1, 1])
        self.assertEqual(self._count("finance"), [0, 1])
        self.assertEqual(self._count("sales"), [0, 0])
        self.assertEqual(self._count("other"), [0, 0])

    def test_with_one_program_it_goes_straight_to_it(self):
        self._log_in("owner")
        response = self.url_open("/my/loyalty", allow_redirects=False)
        self.assertTrue(response.headers["Location"].endswith(f"/my/loyalty/{self.program.id}"))

    def test_with_two_programs_it_lets_choose(self):
        second = self._create_program([{}], name="Service Club")
        self._enroll(second, self.dealer)
        self._create_program([{}], start=False, name="Secret")
        page = self._open("/my/loyalty", "owner")
        links = page.xpath("//a[contains(@class, 'o_loyalty_program_card')]/@href")
        self.assertEqual(sorted(links), sorted(f"/my/loyalty/{program.id}" for program in self.program | second))

    def test_without_a_program_it_says_so(self):
        self.users["new"] = self._create_portal_user("new", self.stranger)
        self.assertIn("not in a program yet", self._read(self._open("/my/loyalty", "new")))
        self.assertFalse(self._read(self._open("/my"), "o_loyalty_program_card"))

    def test_the_pages_have_their_styles_and_say_their_language(self):
        bundle = self.env["ir.qweb"]._get_asset_bundle("web.assets_frontend", js=False)
        bundle.preprocess_css()
        self.assertFalse(bundle.css_errors)
        self._enroll(self.other_program, self.dealer)
        for path in ("/my/loyalty", f"/my/loyalty/{self.program.id}/statement"):
            self.assertEqual(self._open(path, "owner").xpath("/html/@lang"), ["en-US"])

    # === WHOSE PAGES ===#

    def test_nobody_opens_pages_without_login(self):
        for path in ("/my/loyalty", f"/my/loyalty/{self.program.id}", f"/my/loyalty/as/{self.member.id}"):
            self._log_in(None)
            response = self.url_open(path, allow_redirects=False)
            self.assertIn("/web/login", response.headers.get("Location", ""), path)

    @mute_logger("odoo.http")
    def test_a_program_of_others_is_not_found(self):
        self._log_in("other")
        for number in (self.program.id, 0, 2**31, 2**80):
            self._open(f"/my/loyalty/{number}", status=404)
        self._open(f"/my/loyalty/as/{self.member.id}", status=404)
        self._open(f"/my/loyalty/as/{self.other_member.id}", status=404)

    @mute_logger("odoo.http")
    def test_drafts_and_archived_programs_are_not_found(self):
        draft = self._create_program([{}], start=False, name="Secret")
        self._enroll(draft, self.dealer)
        self._open(f"/my/loyalty/{draft.id}", "owner", status=404)
        self.program.active = False
        self._open(f"/my/loyalty/{self.program.id}", status=404)

    def test_the_pages_of_an_ended_membership_stay(self):
        self.member.action_end()
        self.member.period_ids.date_to = "2026-03-01"
        self._open(f"/my/loyalty/{self.program.id}", "owner")

    @mute_logger("odoo.http")
    def test_the_pages_of_an_archived_company_are_gone(self):
        self.dealer.active = False
        self._open(f"/my/loyalty/{self.program.id}", "owner", status=404)

    @mute_logger("odoo.http")
    def test_a_contact_that_moves_to_another_company_sees_the_other(self):
        contact = self.users["owner"].partner_id
        self._open(f"/my/loyalty/{self.program.id}", "owner")
        contact.parent_id = self.referrer
        self.env.flush_all()
        self._open(f"/my/loyalty/{self.program.id}", status=404)
        self._open(f"/my/loyalty/{self.other_program.id}")
        members = self.env["partner.loyalty.member"].with_user(self.users["owner"]).search([])
        self.assertEqual(members.with_env(self.env), self.other_member)

    # === READING CHANGES NOTHING ===#

    def test_opening_pages_changes_nothing(self):
        self.program.payout_document = "own"
        self._post_entry(self.member, 50)
        payout = self._approve_payout(self.member)
        self._log_in("owner")
        with self._record_queries() as queries:
            for page in ("", "/statement", "/statement/pdf", "/payouts", f"/payouts/{payout.id}", "/terms"):
                self.url_open(f"/my/loyalty/{self.program.id}{page}")
        changes = [query for query in queries if query.split(None, 1)[0].upper() in ("INSERT", "UPDATE", "DELETE")]
        self.assertFalse([query for query in changes if "loyalty" in query])

    # === AN OFFICER LOOKS ===#

    def test_an_officer_sees_the_pages_of_a_member(self):
        page = self._open(f"/my/loyalty/as/{self.member.id}", "officer")
        self.assertIn("You see the pages of Dealer as its owner does", self._read(page, "o_loyalty_as"))
        for link in page.xpath("//nav[contains(@class, 'o_loyalty_nav')]/a/@href"):
            self.assertTrue(link.startswith(f"/my/loyalty/as/{self.member.id}"), link)
            self._open(link)

    def test_the_button_of_the_member_opens_its_pages(self):
        action = self.member.with_user(self.users["officer"]).action_see_as_partner()
        self.assertEqual(action["url"], f"/my/loyalty/as/{self.member.id}")

    @mute_logger("odoo.http")
    def test_a_member_that_was_merged_has_no_pages_any_more(self):
        target = self._enroll(self.program, self.stranger)
        self.member._merge_into(target)
        self._open(f"/my/loyalty/as/{self.member.id}", "officer", status=404)
        self._open(f"/my/loyalty/as/{target.id}")

    @mute_logger("odoo.http")
    def test_an_officer_does_not_see_members_of_other_companies(self):
        company = self.setup_other_company()["company"]
        self.env.user.company_ids |= company
        program = self._create_program([{}], start=False, name="Abroad", company_id=company.id, payout_journal_id=False)
        member = self._enroll(program, self.stranger)
        self._open(f"/my/loyalty/as/{member.id}", "officer", status=404)
        self._open(f"/my/loyalty/as/{self.other_member.id}")

    @mute_logger("odoo.http")
    def test_employees_without_the_role_do_not_look(self):
        self.users["salesperson"] = self._create_role_user("salesperson", "sales_team.group_sale_salesman")
        self.dealer.user_id = self.users["salesperson"]
        self._open(f"/my/loyalty/as/{self.member.id}", "salesperson", status=404)

    # === RIGHTS OF CONTACTS ===#

    def _find(self, role, model, *fields_):
        return self.env[model].with_user(self.users[role]).search_read([], ["id", *fields_])

    def test_sales_read_points_and_no_money_by_any_way(self):
        self._post_entry(self.member, 50)
        self._post_entry(self.member, 7, unit="point")
        payout = self._submit_payout(self.member)
        entries = self._find("sales", "partner.loyalty.entry", "amount", "unit")
        self.assertEqual([(entry["unit"], entry["amount"]) for entry in entries], [("point", 7)])
        accounts = self._find("sales", "partner.loyalty.account", "unit")
        self.assertEqual([account["unit"] for account in accounts], ["point"])
        self.assertFalse(self._find("sales", "partner.loyalty.payout"))
        member = self._find("sales", "partner.loyalty.member", "point_balance", "money_balance", "money_available")
        self.assertEqual((member[0]["point_balance"], member[0]["money_balance"]), (7, 0))
        with self.assertRefused("", AccessError):
            payout.with_user(self.users["sales"]).read(["amount"])
        for role in ("owner", "finance"):
            self.assertEqual(len(self._find(role, "partner.loyalty.account")), 2)
            self.assertEqual([row["id"] for row in self._find(role, "partner.loyalty.payout")], payout.ids)

    def _call(self, model, method, *args, **kwargs):
        params = {"model": model, "method": method, "args": args, "kwargs": kwargs}
        return self.make_jsonrpc_request(f"/web/dataset/call_kw/{model}/{method}", params)

    def _get_answers(self, model, record):
        """Return what each way to read says of a model."""
        ways = {
            "search_read": ([], ["display_name"]),
            "web_search_read": ([], {"display_name": {}}),
            "search_count": ([],),
            "name_search": (),
            "formatted_read_group": ([], ["company_id"], ["__count"]),
            "read": (record.ids, ["display_name"]),
        }
        return {method: self._ask(model, method, args) for method, args in ways.items()}

    def _ask(self, model, method, args):
        try:
            answer = self._call(model, method, *args)
        except JsonRpcException as error:
            return str(error)
        return answer.get("length") if isinstance(answer, dict) else answer

    @mute_logger("odoo.http")
    def test_clients_read_no_money_and_nothing_of_others(self):
        self._post_entry(self.member, 50)
        payout = self._submit_payout(self.member)
        for role in ("sales", "other"):
            self._log_in(role)
            for record in (payout, payout.entry_id):
                for method, answer in self._get_answers(record._name, record).items():
                    with self.subTest(role=role, model=record._name, method=method):
                        if method == "read":
                            self.assertIn("AccessError", answer)
                        else:
                            self.assertFalse(answer)
        self._log_in("finance")
        self.assertEqual(self._call("partner.loyalty.payout", "search_count", []), 1)

    def test_sales_do_not_read_the_bills_of_payouts_among_those_of_the_company(self):
        self._post_entry(self.member, 50)
        payout = self._bill_payout(self.member)
        invoice = self._create_sale_invoice(self.dealer, 100)
        bills = {role: self.env["account.move"].with_user(self.users[role]).search([]) for role in ("owner", "sales")}
        self.assertIn(payout.bill_id, bills["owner"].with_env(self.env))
        self.assertNotIn(payout.bill_id, bills["sales"].with_env(self.env))
        self.assertIn(invoice, bills["sales"].with_env(self.env))
        lines = self.env["account.move.line"].with_user(self.users["sales"]).search([])
        self.assertFalse(lines.with_env(self.env) & payout.bill_id.line_ids)

    def test_a_right_counts_as_soon_as_it_is_given(self):
        self._post_entry(self.member, 50)
        self.assertFalse(self._find("sales", "partner.loyalty.entry"))
        self.users["officer"].group_ids |= self.env.ref("base.group_partner_manager")
        contact = self.users["sales"].partner_id.with_user(self.users["officer"])
        contact.loyalty_portal_right = "finance"
        self.assertTrue(self._find("sales", "partner.loyalty.entry"))
        contact.loyalty_portal_right = False
        self.assertFalse(self._find("sales", "partner.loyalty.entry"))

    def test_rights_are_given_by_officers_alone(self):
        contact = self.users["sales"].partner_id
        self.users["seller"] = self._create_role_user(
            "seller", "sales_team.group_sale_manager,base.group_partner_manager"
        )
        for role in ("seller", "owner", "sales"):
            with self.subTest(role=role), self.assertRefused("", AccessError):
                contact.with_user(self.users[role]).loyalty_portal_right = "owner"

    def test_officers_give_rights_without_any_right_on_contacts(self):
        contact, officer = self.users["sales"].partner_id, self.users["officer"]
        self.assertFalse(contact.with_user(officer).has_access("write"))
        Wizard = self.env["partner.loyalty.portal.right"].with_user(officer)
        with Form(Wizard.with_context(active_model=self.member._name, active_id=self.member.id)) as form:
            for number in range(len(form.line_ids)):
                with form.line_ids.edit(number) as line:
                    line.right = "finance" if line.contact_id == contact else line.right
        wizard = form.record
        self.assertEqual(
            {line.contact_id: (line.right, line.has_login) for line in wizard.line_ids},
            {
                self.dealer_contact: ("sales", False),
                self.users["owner"].partner_id: ("owner", True),
                self.users["finance"].partner_id: ("finance", True),
                contact: ("finance", True),
            },
        )
        wizard.action_apply()
        self.assertEqual(contact.loyalty_portal_right, "finance")
        self.assertIn("Finance", self.member.message_ids[0].body)
        wizard.line_ids[0].contact_id = self.referrer
        with self.assertRefused("choose one of its contacts"):
            wizard.action_apply()
        self.assertFalse(self.referrer.loyalty_portal_right)

    def test_the_company_itself_is_owner(self):
        user = self._create_portal_user("company", self.dealer)
        self.assertEqual(user.partner_id._get_loyalty_right(), "owner")

    # === HOSTILE NAMES ===#

    def test_hostile_names_are_text_on_the_pages(self):
        for name in HOSTILE:
            with self.subTest(name=name[:30]):
                self.program.name = name
                self.program.tier_ids[0].name = name
                self.dealer.name = name
                for path in ("/my", f"/my/loyalty/{self.program.id}"):
                    page = self._open(path, "owner")
                    self.assertIn(" ".join(name.split()), " ".join(page.text_content().split()))
                    self.assertFalse(page.xpath("//img[@onerror]"))
                    self.assertNotIn("alert(1)", " ".join(page.xpath("//script/text()")))
