import json

from psycopg2.errors import UniqueViolation

from odoo import api, fields, models
from odoo.exceptions import AccessError, ConcurrencyError, UserError, ValidationError
from odoo.fields import Domain
from odoo.tools import SQL, email_normalize, float_compare

from ..tools import phones
from .partner_loyalty_external_mixin import EXTERNAL_STATES


class PartnerLoyaltyExternalOrder(models.Model):
    """An order that another system told us of, by its reference there: what was sent, and what became of it.

    All that was sent is kept. Each message brings the order in Odoo into line with the whole of it, so that it does not
    matter how often and in which order messages come.
    """

    _name = "partner.loyalty.external.order"
    _description = "Order from Elsewhere"
    _inherit = [
        "mail.thread",
        "partner.loyalty.protected.mixin",
        "partner.loyalty.input.mixin",
        "partner.loyalty.external.mixin",
    ]
    _order = "id desc"
    _rec_name = "external_ref"
    _protected_fields = frozenset(
        {
            "company_id",
            "customer_id",
            "events",
            "external_ref",
            "new_customer_key",
            "order_id",
            "partner_code",
            "payload",
            "reason",
            "state",
            "user_id",
            "version",
        }
    )

    # === FIELDS ===#

    external_ref = fields.Char(string="External Reference", required=True, readonly=True)
    company_id = fields.Many2one(comodel_name="res.company", required=True, readonly=True, index=True)
    user_id = fields.Many2one(
        comodel_name="res.users",
        string="Sent by",
        required=True,
        readonly=True,
        index=True,
        ondelete="restrict",
        help="Whose key the other system uses: the order is entered with the rights of this user.",
    )
    state = fields.Selection(
        selection=[("waiting", "Waiting"), ("failed", "Failed"), ("done", "Done")],
        required=True,
        readonly=True,
        default="waiting",
        tracking=True,
        index=True,
    )
    reason = fields.Text(readonly=True, help="Why the order waits or failed, and what to do.")
    partner_code = fields.Char(readonly=True, index="btree_not_null", help="The code of the partner as it was sent.")
    partner_id = fields.Many2one(
        comodel_name="res.partner",
        string="Referred by",
        domain="[('parent_id', '=', False)]",
        index="btree_not_null",
        ondelete="restrict",
        tracking=True,
        help="The partner who brought the order: by its code, or assigned by hand where nobody has the code.",
    )
    payload = fields.Json(readonly=True)
    # By it Odoo's privacy lookup finds what a shop told of a person.
    email = fields.Char(string="E-mail of the Customer", compute="_compute_email", store=True)
    events = fields.Json(readonly=True)
    content = fields.Text(string="As It Was Sent", compute="_compute_content")
    customer_id = fields.Many2one(
        comodel_name="res.partner", readonly=True, index="btree_not_null", ondelete="set null"
    )
    new_customer_key = fields.Char(
        readonly=True, help="By which phone or e-mail the customer is known again that the order brought."
    )
    order_id = fields.Many2one(comodel_name="sale.order", readonly=True, index="btree_not_null", ondelete="set null")
    version = fields.Integer(
        string="Messages Received",
        readonly=True,
        default=1,
        aggregator=None,
        help="How many messages have come about the order.",
    )

    # === CONSTRAINTS ===#

    _company_ref_unique = models.UniqueIndex(
        "(company_id, external_ref)", "This order is known already: open it by its reference."
    )
    # Of two orders at once that bring the same new customer, the second starts over and finds it.
    _new_customer_unique = models.UniqueIndex("(company_id, new_customer_key) WHERE new_customer_key IS NOT NULL")

    # === COMPUTE METHODS ===#

    @api.depends("payload")
    def _compute_email(self):
        for external in self:
            external.email = (external.payload or {}).get("customer", {}).get("email")

    @api.depends("payload", "events")
    def _compute_content(self):
        for external in self:
            sent = {"order": external.payload or None, "states": external.events or []}
            external.content = json.dumps(sent, ensure_ascii=False, indent=2)

    # === CRUD METHODS ===#

    @api.ondelete(at_uninstall=False)
    def _unlink_except_done(self):
        if self.order_id:
            raise UserError(self.env._("Orders that were entered are kept: cancel the order instead."))

    # === ACTION METHODS ===#

    def action_retry(self):
        """Try again what waits or failed; what has been mended meanwhile is found."""
        self.check_access("write")
        for external in self.filtered(lambda external: external.state != "done"):
            # The result is written by the program alone.
            external.sudo()._process()

    def action_view_order(self):
        """Open the order."""
        self.ensure_one()
        return self.order_id._get_records_action(context={})

    # === BUSINESS METHODS - WHAT COMES IN ===#

    @api.model
    def _take_order(self, external_ref, values):
        """Keep an order as it was sent, and enter it.

        :param str external_ref: what the other system calls it
        :param dict values: see ``sale.order.loyalty_import_order``
        :return: see :meth:`_get_answer`
        :rtype: dict
        """
        payload = self._read_order(values)
        # Salespeople have no right on the queue; what they send is checked here.
        external_sudo = self._claim(external_ref).sudo()
        if not external_sudo.order_id:
            external_sudo.write({"payload": payload, "partner_code": payload["partner_code"]})
        elif external_sudo.payload != payload:
            return {
                **external_sudo._get_answer(),
                "reason": self.env._("The order has been entered with other contents: change it in Odoo."),
            }
        external_sudo._process()
        return external_sudo._get_answer()

    @api.model
    def _take_event(self, external_ref, event):
        """Keep what became of an order, and bring the order into line with it.

        :param str external_ref: what the other system calls it
        :param dict event: see :meth:`_read_event`
        :return: see :meth:`_get_answer`
        :rtype: dict
        """
        # Salespeople have no right on the queue; what they send is checked here.
        external_sudo = self._claim(external_ref).sudo()
        events = external_sudo.events or []
        if event not in events:
            external_sudo.events = sorted([*events, event], key=self._get_event_key)
        external_sudo._process()
        return external_sudo._get_answer()

    @api.model
    def _get_event_key(self, event):
        return event["occurred_at"], EXTERNAL_STATES.index(event["state"])

    @api.model
    def _claim(self, external_ref):
        """Return what is kept of an order, for this transaction alone.

        Two messages about the same order at once: the second finds its snapshot outdated, and starts over.

        :param str external_ref: what the other system calls it
        :raises ValidationError: where there is no reference
        :raises AccessError: where the user may not enter orders, or the order is that of somebody else
        """
        self.env["sale.order"].check_access("create")
        ref = self._read_text({"external_ref": external_ref}, "external_ref", required=True)
        now = fields.Datetime.now()
        self.env.flush_all()
        [(external_id,)] = self.env.execute_query(
            SQL(
                """
                INSERT INTO partner_loyalty_external_order AS external (company_id, external_ref, user_id, state,
                            version, create_uid, create_date, write_uid, write_date)
                     VALUES (%(company)s, %(ref)s, %(user)s, 'waiting', 1, %(user)s, %(now)s, %(user)s, %(now)s)
                ON CONFLICT (company_id, external_ref) DO UPDATE SET version = external.version + 1
                  RETURNING id
                """,
                company=self.env.company.id,
                ref=ref,
                user=self.env.uid,
                now=now,
            )
        )
        external = self.browse(external_id)
        external.invalidate_recordset()
        external._check_sender()
        return external

    def _check_sender(self):
        """Check that a message comes from who sent the order, or from somebody who may change all orders."""
        # Salespeople have no right on the queue.
        if self.sudo().user_id != self.env.user and not self.env.user.has_group(
            "sales_team.group_sale_salesman_all_leads"
        ):
            raise AccessError(
                self.env._("The order was sent with the key of somebody else: use that key for its states, too.")
            )

    def _get_answer(self):
        """Return what the other system is told: ``external_ref``, ``state``, ``reason`` and ``order``.

        ``state`` is ``done``, ``waiting`` (for somebody, or for another message) or ``failed``.

        :rtype: dict
        """
        self.ensure_one()
        return {
            "external_ref": self.external_ref,
            "state": self.state,
            "reason": self.reason or False,
            "order": self.order_id.name or False,
        }

    # === BUSINESS METHODS - BRINGING THE ORDER INTO LINE ===#

    def _process(self):
        """Bring the order into line with all that was sent; what stands in the way is kept as a sentence."""
        self.ensure_one()
        try:
            with self.env.cr.savepoint():
                state, reason = self._bring_into_line()
        except UserError as error:
            state, reason = "failed", str(error)
        self.write({"state": state, "reason": reason})

    def _bring_into_line(self):
        """Enter the order, and do what its states ask for.

        :return: state, and what it waits for
        :rtype: tuple
        """
        if not self.payload:
            return "waiting", self.env._("The order itself has not come yet: only its states have.")
        if not self.order_id:
            self.partner_id = self.partner_id or self._find_partner()
            if self.partner_code and not self.partner_id:
                return "waiting", self.env._(
                    "Nobody has the code “%s”: assign the partner who brought the order, then try again.",
                    self.partner_code,
                )
            self._enter_order()
        return self._apply_states()

    def _find_partner(self):
        """Return whose member has the code that was sent; memberships that were taken over lead to who goes on."""
        code = (self.partner_code or "").upper()
        members = self.env["partner.loyalty.member"].search(
            [("referral_code", "=", code), ("company_id", "=", self.company_id.id)], limit=1
        )
        return members.root_id.partner_id

    def _get_states(self):
        """Return when the order was paid and canceled, None where it was not, and what came back.

        The state of the later date stands: paid after it was canceled, the order is on again.

        :rtype: tuple
        """
        paid_at, canceled_at, returns = None, None, []
        for event in self.events or []:
            if event["state"] == "paid":
                paid_at, canceled_at = paid_at or event["occurred_at"], None
            elif event["state"] == "canceled":
                canceled_at = event["occurred_at"]
            else:
                returns.append(event)
        return paid_at, canceled_at, returns

    def _apply_states(self):
        paid_at, canceled_at, returns = self._get_states()
        if canceled_at:
            self._cancel_order(self._get_day(canceled_at))
        elif paid_at:
            self._check_not_given_back()
            self._take_payment(self._get_day(paid_at))
            if returns:
                self._give_back(self._get_returned_quantities(returns), self._get_day(returns[-1]["occurred_at"]))
        elif returns:
            return "waiting", self.env._("What came back waits until the order is paid for.")
        return "done", False

    def _get_day(self, moment):
        """Return the day of a moment where the sender of the order is."""
        moment = fields.Datetime.to_datetime(moment)
        return fields.Date.context_today(self.with_context(tz=self.user_id.tz or "UTC"), moment)

    # === BUSINESS METHODS - ENTERING THE ORDER ===#

    def _enter_order(self):
        """Enter the order with the rights of who sent it, and confirm it as of the day of the sale.

        :raises UserError: where something of it is unknown, or a guard of the company refuses it
        """
        self.customer_id = self._find_customer() or self._create_customer()
        orders = self.env["sale.order"].with_user(self.user_id).with_context(allowed_company_ids=self.company_id.ids)
        order = orders.create(self._prepare_order_vals())
        order.action_confirm()
        order.date_order = self.payload["date"]
        self.order_id = order.id

    def _prepare_order_vals(self):
        """Return the values of the order, at the prices that were sent.

        :rtype: dict
        """
        return {
            "company_id": self.company_id.id,
            "partner_id": self.customer_id.id,
            "user_id": self.user_id.id,
            "date_order": self.payload["date"],
            "loyalty_external_ref": self.external_ref,
            "loyalty_partner_id": self.partner_id.id,
            "pricelist_id": self._find_pricelist().id,
            "order_line": [fields.Command.create(self._prepare_line_vals(line)) for line in self.payload["lines"]],
        }

    def _prepare_line_vals(self, line):
        """Return the values of a line of the order.

        :param dict line: as it was sent
        :rtype: dict
        """
        vals = {
            "product_id": self._find_product(line["product"]).id,
            "product_uom_qty": line["quantity"],
            "price_unit": line["price"],
            # The price is what the customer was asked for elsewhere: nothing is taken off it here.
            "discount": 0,
        }
        return {**vals, "name": line["name"]} if line["name"] else vals

    def _find_product(self, text):
        """Return the product that is meant by a reference, a barcode or a name.

        :param str text: as it was sent
        :raises ValidationError: where there is none, or more than one
        """
        products = self.env["product.product"]
        own = Domain("company_id", "in", (False, self.company_id.id)) & Domain("sale_ok", "=", True)
        for name in ("default_code", "barcode", "name"):
            products = products.search(own & Domain(name, "=", text), limit=2)
            if products:
                break
        if len(products) != 1:
            raise ValidationError(
                self.env._("“%s” is the reference of no product, or of several: give it to one, then try again.", text)
            )
        return products

    def _find_pricelist(self):
        """Return a price list in the currency of the order; none is needed for the currency of the company.

        :raises ValidationError: where there is no such price list
        """
        code = self.payload["currency"]
        own = Domain("company_id", "in", (False, self.company_id.id)) & Domain("currency_id.name", "=", code)
        pricelist = self.env["product.pricelist"].search(own, limit=1)
        if not pricelist and code != self.company_id.currency_id.name:
            raise ValidationError(
                self.env._("There is no price list in the currency “%s”: create one, then try again.", code)
            )
        return pricelist

    # === BUSINESS METHODS - CUSTOMER ===#

    def _get_customer_key(self):
        """Return the phone number or else the e-mail address that the customer is known again by.

        :rtype: str
        :raises ValidationError: where neither can be read
        """
        phone, email = self.payload["customer"]["phone"], self.payload["customer"]["email"]
        country = self.company_id.country_id
        # Odoo reads numbers better, where the library for it is installed.
        number = phone and self.env["res.partner"]._phone_format(number=phone, country=country)
        key = phones.normalize(number or phone, country.phone_code) or email_normalize(email)
        if not key:
            raise ValidationError(
                self.env._("Neither the phone number nor the e-mail address of the customer can be read: correct one.")
            )
        return key

    def _find_customer(self):
        """Return the contact with the phone number or else the e-mail address of the customer, the oldest one."""
        key, email = self._get_customer_key(), email_normalize(self.payload["customer"]["email"])
        own = Domain("company_id", "in", (False, self.company_id.id))
        partners = self.env["res.partner"]
        domains = (
            [Domain("phone_sanitized", "=", key) | Domain("phone_mobile_search", "=", key)] if key[0] == "+" else []
        )
        domains += [Domain("email_normalized", "=", email)] if email else []
        for domain in domains:
            partner = partners.search(own & domain, order="id", limit=1)
            if partner:
                return partner
        return self._find_customer_of_earlier_order(key)

    def _find_customer_of_earlier_order(self, key):
        """Return the contact that an earlier order has brought, whatever somebody has changed of it since.

        :param str key: see :meth:`_get_customer_key`
        """
        earlier = self.search([("company_id", "=", self.company_id.id), ("new_customer_key", "=", key)])
        if not earlier.customer_id.active:
            earlier.new_customer_key = False
        return earlier.customer_id.filtered("active")

    def _create_customer(self):
        """Create the contact of a customer who is not known yet.

        :raises ConcurrencyError: where another order does so at this moment; the server starts over, and finds it
        """
        customer = self.payload["customer"]
        try:
            with self.env.cr.savepoint():
                self.new_customer_key = self._get_customer_key()
                self.flush_recordset(["new_customer_key"])
        except UniqueViolation as error:
            raise ConcurrencyError("Another order creates the same customer.") from error
        return self.env["res.partner"].create(
            {
                "name": customer["name"] or customer["email"] or customer["phone"],
                "phone": customer["phone"],
                "email": customer["email"],
                "country_id": self.company_id.country_id.id,
            }
        )

    # === BUSINESS METHODS - STATES ===#

    def _get_order_sudo(self):
        """Return the order to do with it what its states say.

        No more is done than what was sent.
        """
        # Salespeople neither post invoices nor register payments.
        return self.order_id.sudo().with_context(allowed_company_ids=self.company_id.ids)

    def _get_goods_sudo(self):
        lines_sudo = self._get_order_sudo().order_line
        return lines_sudo.filtered(lambda line: not line.display_type and not line.is_downpayment)

    def _get_posted_sudo(self, move_type):
        moves_sudo = self._get_order_sudo().invoice_ids
        return moves_sudo.filtered(lambda move: move.move_type == move_type and move.state == "posted")

    def _take_payment(self, day):
        """Invoice the order and register its payment, where that was not done yet.

        :param date day: when it was paid
        :raises UserError: where nothing can be invoiced yet
        """
        order_sudo = self._get_order_sudo()
        if order_sudo.state == "cancel":
            order_sudo.action_draft()
            order_sudo.action_confirm()
            order_sudo.date_order = self.payload["date"]
        invoices_sudo = self._get_posted_sudo("out_invoice")
        if not invoices_sudo:
            # What is not tracked by deliveries counts as handed over once it is paid for.
            for line_sudo in self._get_goods_sudo():
                if line_sudo.product_id.invoice_policy == "delivery" and line_sudo.qty_delivered_method == "manual":
                    line_sudo.qty_delivered = line_sudo.product_uom_qty
            invoices_sudo = order_sudo.invoice_ids.filtered(lambda move: move.state == "draft")
            invoices_sudo = invoices_sudo or order_sudo._create_invoices()
            self._post_and_pay(invoices_sudo, day)

    def _post_and_pay(self, moves_sudo, day):
        """Post invoices or credit notes of a day, and register that they were paid on it."""
        moves_sudo.invoice_date = day
        moves_sudo.action_post()
        moves_sudo = moves_sudo.filtered(lambda move: move.state == "posted" and move.amount_residual)
        if moves_sudo:
            # Salespeople do not register payments.
            wizards_sudo = self.env["account.payment.register"].sudo().with_company(self.company_id)
            wizards_sudo = wizards_sudo.with_context(active_model="account.move", active_ids=moves_sudo.ids)
            wizards_sudo.create(self._prepare_payment_vals(day))._create_payments()

    def _prepare_payment_vals(self, day):
        """Return the values of the dialog that registers a payment.

        :rtype: dict
        """
        journal = self.company_id.loyalty_external_journal_id
        return {"payment_date": day, **({"journal_id": journal.id} if journal else {})}

    def _cancel_order(self, day):
        """Cancel the order; what was invoiced already is credited, and the money given back.

        :param date day: when it was canceled
        """
        if self._get_posted_sudo("out_invoice"):
            self._give_back({line.id: line.product_uom_qty for line in self._get_goods_sudo()}, day)
        order_sudo = self._get_order_sudo()
        if order_sudo.state != "cancel":
            order_sudo._action_cancel()

    def _check_not_given_back(self):
        """Check that an order which is on again was not invoiced and credited before.

        :raises UserError: where it was
        """
        if self._get_order_sudo().state == "cancel" and self._get_posted_sudo("out_refund"):
            raise UserError(
                self.env._("The order was credited when it was canceled, and is on again: enter it anew by hand.")
            )

    def _get_returned_quantities(self, returns):
        """Return how much of each line of the order came back.

        :param list returns: the events
        :return: quantity by id of the line
        :rtype: dict
        :raises ValidationError: where something came back that was never ordered, or more of it
        """
        lines_sudo = self._get_goods_sudo()
        returned = dict.fromkeys(lines_sudo.ids, 0)
        for event in returns:
            if not event["lines"]:
                return {line.id: line.product_uom_qty for line in lines_sudo}
            for line in event["lines"]:
                self._spread_return(line, lines_sudo, returned)
        return returned

    def _spread_return(self, line, lines_sudo, returned):
        """Add what came back to the lines with the same product, the first ones first."""
        product, left = self._find_product(line["product"]), line["quantity"]
        for line_sudo in lines_sudo.filtered(lambda own: own.product_id == product):
            taken = min(left, line_sudo.product_uom_qty - returned[line_sudo.id])
            returned[line_sudo.id] += taken
            left -= taken
        if float_compare(left, 0, precision_rounding=product.uom_id.rounding) > 0:
            raise ValidationError(
                self.env._("More of “%s” came back than was ordered: correct the return elsewhere.", line["product"])
            )

    def _give_back(self, returned, day):
        """Credit what came back and was not credited yet, and register that the money was given back.

        :param dict returned: quantity by id of the line of the order
        :param date day: when it came back
        """
        open_quantities = {}
        for line_sudo in self._get_goods_sudo():
            quantity = line_sudo.qty_invoiced - (line_sudo.product_uom_qty - returned[line_sudo.id])
            if float_compare(quantity, 0, precision_rounding=line_sudo.product_uom_id.rounding) > 0:
                open_quantities[line_sudo] = quantity
        if open_quantities:
            self._post_and_pay(self._credit(open_quantities), day)

    def _credit(self, quantities):
        """Return a draft credit note of the invoice with these quantities.

        :param dict quantities: what is credited by line of the order
        """
        note_sudo = self._get_posted_sudo("out_invoice")[:1]._reverse_moves([{"ref": self.external_ref}])
        for line_sudo in note_sudo.invoice_line_ids:
            quantity = quantities.get(line_sudo.sale_line_ids[:1])
            if quantity:
                line_sudo.quantity = quantity
            else:
                line_sudo.unlink()
        return note_sudo
