"""Orders from elsewhere: what other systems send, twice, out of order, at once, and badly."""

import json
from threading import Barrier, Thread

from odoo import SUPERUSER_ID, api, fields
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.modules.registry import Registry
from odoo.service.model import retrying
from odoo.tests import BaseCase, HttpCase, get_db_name, new_test_user, tagged
from odoo.tools import mute_logger

from .common import TODAY, PartnerLoyaltyCommon


class ExternalCommon(PartnerLoyaltyCommon):
    roles = ("salesperson", "officer", "manager", "internal")

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.company.country_id = cls.env.ref("base.ua")
        cls.thing.default_code = "TH-1"
        cls.gift = cls._create_product(name="Gift", default_code="GI-1", lst_price=10, taxes_id=False)
        cls.program = cls._create_program(
            [
                {"kind": "order", "role": "referrer", "name": "Order"},
                {"kind": "payment", "role": "referrer", "name": "Payment", "rate": 1},
            ]
        )
        cls.member = cls._enroll(cls.program, cls.referrer)
        cls.seller = cls.users["salesperson"]

    def _prepare_order(self, **values):
        return {
            "partner_code": self.member.referral_code,
            "date": f"{TODAY}T09:00:00Z",
            "customer": {"name": "Olena", "phone": "067 123 45 67", "email": "olena@example.com"},
            "lines": [
                {"product": "TH-1", "quantity": 2, "price": 100},
                {"product": "Gift", "name": "Wrapped", "quantity": 1, "price": 50},
            ],
            **values,
        }

    def _send(self, ref="A-1", user=None, **values):
        orders = self.env["sale.order"].with_user(user or self.seller)
        return orders.loyalty_import_order(ref, self._prepare_order(**values))

    def _tell(self, state, hour, ref="A-1", lines=None, user=None):
        orders = self.env["sale.order"].with_user(user or self.seller)
        return orders.loyalty_update_state(ref, state, f"{TODAY}T{hour:02}:00:00Z", lines)

    def _get_order(self, ref="A-1"):
        return self.env["sale.order"].search([("loyalty_external_ref", "=", ref)])

    def _get_queued(self, ref="A-1"):
        return self.env["partner.loyalty.external.order"].search([("external_ref", "=", ref)])

    def _get_earned(self):
        self._answer_documents()
        return sum(self._get_entries(self.member).mapped("amount"))


@tagged("post_install", "-at_install")
class TestExternalOrder(ExternalCommon):
    def test_an_order_is_entered_attributed_and_rewarded_once(self):
        answers = [self._send() for _time in range(3)]
        order = self._get_order()
        self.assertEqual(answers, [{"external_ref": "A-1", "state": "done", "reason": False, "order": order.name}] * 3)
        self.assertRecordValues(
            order,
            [
                {
                    "state": "sale",
                    "loyalty_partner_id": self.referrer.id,
                    "amount_untaxed": 250,
                    "user_id": self.seller.id,
                    "date_order": fields.Datetime.to_datetime(f"{TODAY} 09:00:00"),
                }
            ],
        )
        self.assertEqual(order.order_line.mapped("name")[1], "Wrapped")
        self.assertEqual(self._get_earned(), 25)

    def test_the_code_is_read_as_people_type_it(self):
        self._send(partner_code=f" {self.member.referral_code.lower()} ")
        self.assertEqual(self._get_order().loyalty_partner_id, self.referrer)

    def test_an_order_without_a_code_is_nobodys(self):
        self.assertEqual(self._send(partner_code=None)["state"], "done")
        self.assertFalse(self._get_order().loyalty_partner_id)

    def test_paid_invoices_and_pays_once(self):
        self._send()
        for _time in range(2):
            self.assertEqual(self._tell("paid", 9)["state"], "done")
        invoice = self._get_order().invoice_ids
        self.assertRecordValues(invoice, [{"state": "posted", "amount_residual": 0, "amount_untaxed": 250}])
        self.assertEqual(str(invoice.invoice_date), TODAY)
        self.assertEqual(self._get_earned(), 25 + 2.5)

    def test_what_is_invoiced_once_it_is_delivered_counts_as_handed_over_when_it_is_paid_for(self):
        self.thing.invoice_policy = "delivery"
        self._send()
        self.assertEqual(self._tell("paid", 9)["state"], "done")
        self.assertRecordValues(self._get_order().invoice_ids, [{"state": "posted", "amount_untaxed": 250}])
        self.assertEqual(self._get_order().order_line[0].qty_delivered, 2)

    def test_an_order_that_costs_nothing_is_invoiced_without_a_payment(self):
        self._send(lines=[{"product": "Gift", "quantity": 1, "price": 0}])
        self.assertEqual(self._tell("paid", 9)["state"], "done")
        invoice = self._get_order().invoice_ids
        self.assertRecordValues(invoice, [{"state": "posted", "amount_total": 0}])
        self.assertFalse(invoice.matched_payment_ids)

    def test_canceled_takes_back_what_was_earned(self):
        self._send()
        self._tell("canceled", 9)
        self.assertEqual(self._get_order().state, "cancel")
        self.assertEqual(self._get_earned(), 0)

    def test_a_partial_return_is_credited_once(self):
        self._send()
        self._tell("paid", 8)
        for _time in range(2):
            self._tell("returned", 9, lines=[{"product": "TH-1", "quantity": 1}])
        notes = self._get_order().invoice_ids.filtered(lambda move: move.move_type == "out_refund")
        self.assertRecordValues(notes, [{"state": "posted", "amount_untaxed": 100, "amount_residual": 0}])
        self.assertEqual(notes.reversed_entry_id.amount_untaxed, 250)
        self._tell("returned", 10)
        notes = self._get_order().invoice_ids.filtered(lambda move: move.move_type == "out_refund")
        self.assertEqual(sum(notes.mapped("amount_untaxed")), 250)

    def test_states_in_any_order_end_alike(self):
        steps = [
            lambda ref: self._send(ref),
            lambda ref: self._tell("paid", 8, ref),
            lambda ref: self._tell("returned", 9, ref, [{"product": "GI-1", "quantity": 1}]),
        ]
        for number, order in enumerate([(0, 1, 2), (2, 1, 0), (1, 2, 0), (2, 0, 1), (0, 2, 1), (1, 0, 2)]):
            ref = f"B-{number}"
            answers = [steps[step](ref) for step in order]
            moves = self._get_order(ref).invoice_ids
            with self.subTest(order=order):
                self.assertEqual(answers[-1]["state"], "done")
                self.assertEqual(len(self._get_order(ref)), 1)
                self.assertEqual(sorted(moves.mapped("amount_untaxed_signed")), [-50, 250])

    def test_the_state_of_the_later_date_stands(self):
        self._send()
        self._tell("canceled", 9)
        self.assertEqual(self._tell("paid", 8)["state"], "done")
        self.assertEqual(self._get_order().state, "cancel")
        self.assertFalse(self._get_order().invoice_ids)
        self._tell("paid", 10)
        self.assertEqual(self._get_order().state, "sale")
        self.assertEqual(self._get_order().invoice_ids.amount_residual, 0)

    def test_canceled_after_it_was_paid_gives_the_money_back(self):
        self._send()
        self._tell("paid", 8)
        self._tell("canceled", 9)
        order = self._get_order()
        self.assertEqual(order.state, "cancel")
        self.assertEqual(sum(order.invoice_ids.mapped("amount_untaxed_signed")), 0)
        self.assertEqual(self._get_earned(), 0)
        answer = self._tell("paid", 10)
        self.assertEqual(answer["state"], "failed")
        self.assertIn("by hand", answer["reason"])
        self.assertEqual(len(order.invoice_ids), 2)

    def test_a_return_before_the_payment_waits(self):
        self._send()
        answer = self._tell("returned", 9)
        self.assertEqual(answer["state"], "waiting")
        self.assertIn("until the order is paid", answer["reason"])
        self.assertFalse(self._get_order().invoice_ids)

    def test_an_unknown_code_waits_for_an_officer(self):
        answer = self._send(partner_code="NOBODY")
        self._tell("paid", 9)
        self.assertEqual(answer["state"], "waiting")
        self.assertIn("NOBODY", answer["reason"])
        self.assertFalse(self._get_order())
        queued = self._get_queued().with_user(self.users["officer"])
        todo = self.env["partner.loyalty.todo"].with_user(self.users["officer"])
        self.assertEqual(todo.search([("kind", "=", "external_order")]).mapped("record_name"), ["A-1"])
        self.assertIn("NOBODY", queued.content)
        queued.partner_id = self.referrer
        queued.action_retry()
        self.assertEqual(queued.state, "done")
        self.assertFalse(todo.search([("kind", "=", "external_order")]))
        order = self._get_order()
        self.assertEqual((order.loyalty_partner_id, order.create_uid), (self.referrer, self.seller))
        self.assertEqual(self._get_earned(), 25 + 2.5)

    def test_what_is_unknown_fails_in_words_and_leaves_nothing_behind(self):
        partners = self.env["res.partner"].search_count([])
        for values, words in (
            ({"lines": [{"product": "??", "price": 1}]}, "reference of no product"),
            ({"currency": "XYZ"}, "no price list in the currency"),
            ({"customer": {"phone": "call me", "email": "at home"}}, "Neither the phone number"),
        ):
            with self.subTest(words=words):
                answer = self._send(words[:5], **values)
                self.assertEqual(answer["state"], "failed")
                self.assertIn(words, answer["reason"])
                self.assertFalse(self._get_order(words[:5]))
        self.assertEqual(self.env["res.partner"].search_count([]), partners)
        self.assertEqual(self._send("refer", lines=[{"product": "TH-1", "price": 1}])["state"], "done")

    def test_an_order_in_another_currency(self):
        hryvnia = self._enable_currency("UAH")
        self.env["product.pricelist"].create({"name": "Hryvnia", "currency_id": hryvnia.id})
        self.assertEqual(self._send(currency="uah")["state"], "done")
        self.assertEqual(self._get_order().currency_id, hryvnia)
        self.assertEqual(self._get_order().amount_untaxed, 250)

    def test_a_customer_is_known_again(self):
        self._send("C-1")
        customer = self._get_order("C-1").partner_id
        self._send("C-2", customer={"name": "O.", "phone": "+380 67 123-45-67"})
        self._send("C-3", customer={"name": "Olena", "email": " Olena@Example.com"})
        customer.phone = False
        customer.email = False
        self._send("C-4")
        for ref in ("C-2", "C-3", "C-4"):
            self.assertEqual(self._get_order(ref).partner_id, customer)
        customer.active = False
        self._send("C-5")
        self.assertNotEqual(self._get_order("C-5").partner_id, customer)

    def test_other_contents_under_the_same_reference_change_nothing(self):
        self._send()
        answer = self._send(lines=[{"product": "TH-1", "price": 1}])
        self.assertIn("change it in Odoo", answer["reason"])
        self.assertEqual(self._get_order().amount_untaxed, 250)

    def test_bad_input_is_refused_in_words(self):
        for ref, values, words in (
            ("", {}, "external_ref"),
            (None, {}, "external_ref"),
            ("x\0", {}, "no text"),
            ("x", {"lines": []}, "1 to 500 lines"),
            ("x", {"lines": ["TH-1"]}, "as an object"),
            ("x", {"lines": [{"product": "TH-1", "price": float("nan")}]}, "no “price”"),
            ("x", {"lines": [{"product": "TH-1", "price": "1e400"}]}, "no “price”"),
            ("x", {"lines": [{"product": "TH-1", "price": True}]}, "no “price”"),
            ("x", {"lines": [{"product": "TH-1"}]}, "no “price”"),
            ("x", {"lines": [{"product": "TH-1", "price": 1, "quantity": 0}]}, "no “quantity”"),
            ("x", {"lines": [{"product": "TH-1", "price": 1, "quantity": -1}]}, "no “quantity”"),
            ("x", {"lines": [{"price": 1}]}, "“product” is missing"),
            ("x", {"customer": {}}, "phone or e-mail"),
            ("x", {"customer": []}, "as an object"),
            ("x", {"date": "soon"}, "no “date”"),
            ("x", {"date": None}, "no “date”"),
            ("x", {"date": "9999-12-31"}, "no “date”"),
            ("x", {"date": "0001-01-01"}, "no “date”"),
            ("x", {"partner_code": "x" * 10000}, "no text"),
        ):
            with self.subTest(values=values), self.assertRefused(words, ValidationError):
                self._send(ref, **values)
        for state, hour, lines, words in (
            ("lost", 9, None, "no state of an order"),
            (None, 9, None, "no state of an order"),
            ("paid", 9, [{"product": "TH-1", "quantity": 1}], "leave out the lines"),
            ("returned", 9, [{"product": "TH-1"}], "no “quantity”"),
            ("returned", 9, "TH-1", "as a list"),
        ):
            with self.subTest(state=state), self.assertRefused(words, ValidationError):
                self._tell(state, hour, lines=lines)
        self.assertFalse(self._get_queued("x"))

    def test_more_than_was_ordered_does_not_come_back(self):
        self._send()
        self._tell("paid", 8)
        answer = self._tell("returned", 9, lines=[{"product": "TH-1", "quantity": 3}])
        self.assertEqual(answer["state"], "failed")
        self.assertIn("than was ordered", answer["reason"])
        self.assertEqual(len(self._get_order().invoice_ids), 1)

    def test_only_salespeople_send_orders_and_each_for_its_own(self):
        self._send()
        other = self._create_role_user("salesperson_2", "sales_team.group_sale_salesman")
        for user, action in (
            (self.users["internal"], lambda user: self._send("D-1", user)),
            (self.users["officer"], lambda user: self._tell("canceled", 9, user=user)),
            (other, lambda user: self._tell("canceled", 9, user=user)),
            (other, lambda user: self._send(user=user)),
        ):
            with self.assertRefused("", AccessError):
                action(user)
        self.assertEqual(self._get_order().state, "sale")
        with self.assertRefused("", AccessError):
            self._get_queued().with_user(self.seller).read(["payload"])

    def test_the_queue_is_written_by_its_buttons_alone(self):
        self._send(partner_code="NOBODY")
        queued = self._get_queued()
        officer = queued.with_user(self.users["officer"])
        for values in ({"state": "done"}, {"payload": {}}, {"user_id": self.users["officer"].id}):
            with self.assertRefused("by hand", AccessError):
                officer.write(values)
        with self.assertRefused("", AccessError):
            officer.unlink()
        queued.with_user(self.users["manager"]).unlink()
        self._send()
        with self.assertRefused("are kept", UserError):
            self._get_queued().with_user(self.users["manager"]).unlink()


@tagged("post_install", "-at_install")
class TestExternalApi(HttpCase, ExternalCommon):
    """The same over HTTP, with the key of a salesperson."""

    def _post(self, method, key, **arguments):
        response = self.url_open(
            f"/json/2/sale.order/{method}",
            data=json.dumps(arguments),
            headers={"Content-Type": "application/json", **({"Authorization": f"bearer {key}"} if key else {})},
        )
        self.env.invalidate_all()
        return response

    def _get_key(self, user):
        keys = self.env["res.users.apikeys"].with_user(user).sudo()
        return keys._generate("rpc", "Shop", None)

    def test_a_sample_of_orders_with_a_key(self):
        key = self._get_key(self.seller)
        for ref in ("S-1", "S-1", "S-2"):
            response = self._post("loyalty_import_order", key, external_ref=ref, values=self._prepare_order())
            self.assertEqual((response.status_code, response.json()["state"]), (200, "done"))
        paid = {"external_ref": "S-2", "state": "paid", "occurred_at": f"{TODAY}T10:00:00Z"}
        self.assertEqual(self._post("loyalty_update_state", key, **paid).json()["state"], "done")
        self.assertEqual(self._get_earned(), 2 * 25 + 2.5)

    @mute_logger("odoo.http")
    def test_without_a_key_or_right_nothing_is_taken(self):
        arguments = {"external_ref": "S-1", "values": self._prepare_order()}
        portal = self._create_role_user("shopper", "base.group_portal")
        for key, status in ((None, 401), ("wrong", 401), (self._get_key(portal), 403)):
            self.assertEqual(self._post("loyalty_import_order", key, **arguments).status_code, status)
        arguments["values"]["lines"] = []
        response = self._post("loyalty_import_order", self._get_key(self.seller), **arguments)
        self.assertEqual(response.status_code, 422)
        self.assertIn("1 to 500 lines", response.text)
        self.assertFalse(self._get_queued("S-1"))


@tagged("post_install", "-at_install")
class TestExternalOrderRace(BaseCase):
    """Two messages at once, each in a transaction of its own that is committed and taken away at the end."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.registry = Registry(get_db_name())
        cls.addClassCleanup(cls._take_away)
        with cls.registry.cursor() as cr:
            env = api.Environment(cr, SUPERUSER_ID, {})
            cls.user_id = new_test_user(env, "loyalty_race_shop", "sales_team.group_sale_salesman", tz="UTC").id
            env["product.product"].create({"name": "Race Thing", "default_code": "RACE-1", "taxes_id": False})

    @classmethod
    def _take_away(cls):
        with cls.registry.cursor() as cr:
            env = api.Environment(cr, SUPERUSER_ID, {"active_test": False})
            queued = env["partner.loyalty.external.order"].search([("external_ref", "=like", "RACE-%")])
            orders, customers = queued.order_id, queued.customer_id
            orders._action_cancel()
            cr.execute("DELETE FROM partner_loyalty_external_order WHERE external_ref LIKE 'RACE-%'")
            env.invalidate_all()
            orders.unlink()
            customers.unlink()
            env["product.product"].search([("default_code", "=", "RACE-1")]).unlink()
            user = env["res.users"].browse(cls.user_id)
            partner = user.partner_id
            user.unlink()
            partner.unlink()
            # The marks are written just before the commit.
            env.flush_all()
            cr.precommit.run()
            cr.execute("DELETE FROM partner_loyalty_touch WHERE res_model = 'sale.order'")

    def _race(self, refs, phone):
        barrier, answers = Barrier(len(refs)), []

        def send(ref):
            with self.registry.cursor() as cr:
                env = api.Environment(cr, self.user_id, {})
                env.user.has_group("base.group_user")
                barrier.wait()
                values = {
                    "date": "2026-03-18T09:00:00Z",
                    "customer": {"name": "Racer", "phone": phone},
                    "lines": [{"product": "RACE-1", "price": 10}],
                }
                answers.append(retrying(lambda: env["sale.order"].loyalty_import_order(ref, values), env))

        threads = [Thread(target=send, args=(ref,)) for ref in refs]
        with mute_logger("odoo.sql_db"):
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
        return answers

    def test_the_same_order_sent_at_once_is_one(self):
        answers = self._race(["RACE-1", "RACE-1", "RACE-1"], "+380671110001")
        self.assertEqual([answer["state"] for answer in answers], ["done"] * 3)
        self.assertEqual(len({answer["order"] for answer in answers}), 1)

    def test_two_orders_of_the_same_new_customer_create_one_contact(self):
        answers = self._race(["RACE-2", "RACE-3"], "+380671110002")
        self.assertEqual([answer["state"] for answer in answers], ["done"] * 2)
        with self.registry.cursor() as cr:
            env = api.Environment(cr, SUPERUSER_ID, {})
            queued = env["partner.loyalty.external.order"].search([("external_ref", "in", ("RACE-2", "RACE-3"))])
            self.assertEqual(len(queued.order_id), 2)
            self.assertEqual(len(queued.customer_id), 1)
