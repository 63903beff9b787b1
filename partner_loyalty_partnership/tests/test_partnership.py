from odoo.exceptions import AccessError
from odoo.tests import freeze_time, tagged

from odoo.addons.partner_loyalty.tests.common import PartnerLoyaltyCommon
from odoo.addons.partner_loyalty_partnership import uninstall_hook


@tagged("post_install", "-at_install")
class TestPartnership(PartnerLoyaltyCommon):
    """The partner has the level of its tier for as long as it has the tier, unless somebody chose another one."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.certified, cls.other = cls.env["res.partner.grade"].create([{"name": "Certified"}, {"name": "Academy"}])
        cls.for_certified, cls.chosen = cls.env["product.pricelist"].create(
            [{"name": "For certified partners"}, {"name": "By hand"}]
        )
        cls.program = cls._create_program(
            [{}], tiers=[("Silver", 0), ("Gold", 500)], date_from="2025-01-01", tier_months=1
        )
        cls.gold = cls.program.tier_ids[1]
        cls.gold.grade_id = cls.certified
        cls.member = cls._enroll(cls.program, cls.dealer, date_from="2025-01-01")

    def _evaluate(self, day):
        with freeze_time(f"{day} 12:00:00"):
            self.env.flush_all()
            self.program._evaluate_tiers()
            self.program._refresh_tiers()

    def _reach_gold(self):
        self._create_sale_invoice(self.dealer, 500, date="2025-01-10")
        self._evaluate("2025-02-15")
        self.assertEqual(self.member.tier_id, self.gold)

    def test_a_level_comes_and_goes_with_the_tier(self):
        self.assertFalse(self.dealer.grade_id)
        self._reach_gold()
        self.assertEqual(self.dealer.grade_id, self.certified)
        self._evaluate("2025-03-15")
        self.assertEqual(self.member.tier_id.name, "Silver")
        self.assertFalse(self.dealer.grade_id)
        self.assertFalse(self.member.granted_grade_id)

    def test_a_level_that_somebody_chose_stays(self):
        self.dealer.grade_id = self.other
        self._reach_gold()
        self.assertEqual(self.dealer.grade_id, self.other)
        self._evaluate("2025-03-15")
        self.assertEqual(self.dealer.grade_id, self.other)

    def test_a_level_that_somebody_changed_since_stays(self):
        self._reach_gold()
        self.dealer.grade_id = self.other
        self._evaluate("2025-03-15")
        self.assertEqual(self.dealer.grade_id, self.other)
        self.assertFalse(self.member.granted_grade_id)

    def test_the_price_list_of_a_level_comes_and_goes_with_it(self):
        self.certified.default_pricelist_id = self.for_certified
        self._reach_gold()
        self.assertEqual(self.dealer.specific_property_product_pricelist, self.for_certified)
        self._evaluate("2025-03-15")
        self.assertFalse(self.dealer.specific_property_product_pricelist)

    def test_the_price_list_of_the_tier_comes_before_that_of_its_level(self):
        self.certified.default_pricelist_id = self.for_certified
        self.gold.pricelist_id = self.chosen
        self._reach_gold()
        self.assertEqual(self.dealer.grade_id, self.certified)
        self.assertEqual(self.dealer.specific_property_product_pricelist, self.chosen)

    def test_a_level_never_replaces_a_price_list_that_somebody_chose(self):
        self.certified.default_pricelist_id = self.for_certified
        self.dealer.specific_property_product_pricelist = self.chosen
        self._reach_gold()
        self.assertEqual(self.dealer.grade_id, self.certified)
        self.assertEqual(self.dealer.specific_property_product_pricelist, self.chosen)

    def test_a_level_of_another_company_is_refused(self):
        company = self.env["res.company"].sudo().create({"name": "Elsewhere"})
        self.other.sudo().company_id = company
        with self.assertRefused("choose one of its own company"):
            self.gold.grade_id = self.other

    def test_managers_say_which_level_a_tier_gives_and_nobody_writes_what_was_given(self):
        self.gold.with_user(self.users["manager"]).grade_id = self.other
        self.assertEqual(self.gold.grade_id, self.other)
        with self.assertRefused("", AccessError):
            self.gold.with_user(self.users["officer"]).grade_id = self.certified
        for name in ("granted_grade_id", "granted_pricelist_id"):
            with self.assertRefused("cannot be set by hand", AccessError):
                self.member.with_user(self.users["manager"])[name] = False

    def test_uninstalling_takes_back_what_the_tier_has_set_and_leaves_the_rest(self):
        self.certified.default_pricelist_id = self.for_certified
        stranger = self._enroll(self.program, self.stranger, date_from="2025-01-01")
        self.stranger.grade_id = self.other
        self._reach_gold()
        uninstall_hook(self.env)
        self.assertFalse(self.dealer.grade_id)
        self.assertFalse(self.dealer.specific_property_product_pricelist)
        self.assertEqual(stranger.partner_id.grade_id, self.other)
        self.assertEqual(self.member.tier_id, self.gold)
