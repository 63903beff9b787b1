"""What every screen behind our menus has, counted; each exception has its reason."""

import re

from lxml import etree

from odoo.tests import TransactionCase, tagged

# A list of these is empty where all is well; made-up records behind it would say that something is to be done.
EMPTY_IS_GOOD = {
    "partner.loyalty.check": "the ledger is in order",
    "partner.loyalty.difference": "no document would earn otherwise today",
    "partner.loyalty.external.order": "no order waits",
    "partner.loyalty.todo": "nothing waits",
}
# Where people would not look for three kinds of records, or group by two things.
FEW_FILTERS = {
    "partner.loyalty.segment": "a segment is a name, a filter and a number",
}
# Lists whose numbers are no parts of anything.
NO_TOTALS = {
    "partner.loyalty.backtest": "each is an alternative to the others",
}
# Where people work by dates.
BY_DATE = (
    "partner.loyalty.agreement",
    "partner.loyalty.closing",
    "partner.loyalty.deal",
    "partner.loyalty.goal",
    "partner.loyalty.news",
    "partner.loyalty.payout",
    "partner.loyalty.pilot",
)
# What is looked at on a phone, or moved from column to column in the head.
AS_CARDS = (
    "partner.loyalty.application",
    "partner.loyalty.claim",
    "partner.loyalty.deal",
    "partner.loyalty.goal",
    "partner.loyalty.inquiry",
    "partner.loyalty.member",
    "partner.loyalty.payout",
    "partner.loyalty.program",
    "partner.loyalty.reward",
    "partner.loyalty.todo",
)
# What is set up by hand and has no decision in it: many can be changed at once.
EDITED_TOGETHER = (
    "partner.loyalty.agreement",
    "partner.loyalty.fund",
    "partner.loyalty.goal",
    "partner.loyalty.metric",
    "partner.loyalty.reward",
    "partner.loyalty.segment",
)
# Buttons that need no question: how what they do is undone.
UNDONE = {
    "mail.message": {"action_loyalty_hide": "Show Again"},
    "partner.loyalty.adjustment": {"action_request": "Cancel"},
    "partner.loyalty.attribution": {"action_submit": "Cancel"},
    "partner.loyalty.backtest": {"action_run": "Run Again"},
    "partner.loyalty.bonus.action": {"action_start": "Stop"},
    "partner.loyalty.claim": {
        "action_approve": "Cancel",
        "action_attend": "Did Not Attend",
        "action_fulfill": "Take Back",
        "action_miss": "Attended",
        "action_request": "Cancel",
        "action_send_codes": "opens the mail first",
        "action_send_invitation": "repeats a mail that was sent",
    },
    "partner.loyalty.claim.milestone": {"action_done": "Reopen", "action_reopen": "Done"},
    "partner.loyalty.closing": {"action_refresh": "changes nothing by hand"},
    "partner.loyalty.closing.step": {"action_tick": "the same button", "action_untick": "the same button"},
    "partner.loyalty.deal": {
        "action_approve": "Withdraw Approval",
        "action_approve_price": "the quotation can be changed",
        "action_submit": "Cancel",
    },
    "partner.loyalty.external.order": {"action_retry": "enters what waits to be entered"},
    "partner.loyalty.feedback": {"action_take": "somebody else takes over"},
    "partner.loyalty.inquiry": {
        "action_answered": "Reopen",
        "action_close": "Reopen",
        "action_reopen": "Close",
        "action_take": "somebody else takes over",
    },
    "partner.loyalty.member": {
        "action_accept_terms": "opens a dialog",
        "action_new_quotation": "opens a draft",
        "action_see_as_partner": "shows a page",
    },
    "partner.loyalty.message": {"action_retry": "sends what was to be sent"},
    "partner.loyalty.news": {"action_publish": "Withdraw"},
    "partner.loyalty.payout": {
        "action_approve": "Ask for Approval Again",
        "action_bill": "the bill can be canceled",
        "action_recompute": "changes nothing by hand",
        "action_release": "Put on Hold",
    },
    "partner.loyalty.pilot": {"action_measure": "changes nothing by hand"},
    "partner.loyalty.program": {
        "action_advise": "opens a dialog",
        "action_check": "writes a report",
        "action_start": "Close",
    },
    "partner.loyalty.reward": {"action_invite": "opens a dialog"},
    "partner.loyalty.rule": {"action_new_version": "the draft can be deleted"},
    "partner.loyalty.tier.review": {"action_review": "Send Back"},
    "partner.loyalty.topic": {
        "action_close": "Publish",
        "action_loyalty_hide": "Show Again",
        "action_publish": "Close",
        "action_refuse": "Publish",
    },
    "res.company": {"action_save_loyalty_payout": "the settings can be changed"},
    "res.partner": {"action_enroll_loyalty": "opens a dialog"},
    "sale.order": {
        "action_loyalty_stack_approve": "counts for the quotation as it is, a change asks again",
        "action_loyalty_stack_ask": "asks",
    },
    "utm.campaign": {"action_announce_loyalty": "opens a draft"},
}
SHOWS = re.compile(r"action_(view|open|print|preview)(_|$)")
NUMBERS = ("integer", "float", "monetary")


@tagged("post_install", "-at_install")
class TestViews(TransactionCase):
    maxDiff = None

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.actions = cls._get_actions()

    @classmethod
    def _get_actions(cls):
        """Return the actions behind the menus of the app that show records of the app."""
        root = cls.env.ref("partner_loyalty.partner_loyalty_menu_root")
        everything = {"ir.ui.menu.full_list": True}
        menus = cls.env["ir.ui.menu"].with_context(**everything).search([("id", "child_of", root.id)])
        actions = cls.env["ir.actions.act_window"]
        for menu in menus:
            if menu.action and menu.action._name == actions._name and cls._is_ours(menu.action.res_model):
                actions |= menu.action
        return actions

    @classmethod
    def _is_ours(cls, model):
        return model.startswith("partner.loyalty.") and not cls.env[model]._transient

    def _get_arch(self, action, view_type):
        """Return the view of an action with all of its extensions, whoever may see them; None where it has none."""
        view = action.search_view_id if view_type == "search" else None
        if not view:
            views = {kind: view_id for view_id, kind in action.views}
            if view_type not in {*views, "search"}:
                return None
            view_id = views.get(view_type) or self.env["ir.ui.view"].default_view(action.res_model, view_type)
            view = self.env["ir.ui.view"].browse(view_id or [])
        return view._get_combined_arch() if view else None

    def _get_views(self, *view_types):
        """Yield (action, view type, arch) of each view behind our menus."""
        for action in self.actions:
            for view_type in view_types:
                arch = self._get_arch(action, view_type)
                if arch is not None:
                    yield action, view_type, arch

    def _get_columns(self, arch):
        return [column for column in arch.findall("field") if column.get("column_invisible") not in ("True", "1")]

    # === TESTS ===#

    def test_actions_are_found(self):
        self.assertGreater(len(self.actions), 40)

    def test_an_empty_screen_says_what_to_do_next(self):
        silent = []
        for action in self.actions:
            text = action.help or ""
            paragraphs = re.findall(r"<p[ >]", text)
            if "o_view_nocontent_" not in text or len(paragraphs) < 2:
                silent.append(action.name)
        self.assertFalse(silent)

    def test_an_empty_screen_shows_sample_data_behind(self):
        plain = [
            f"{action.name}: {view_type}"
            for action, view_type, arch in self._get_views("list", "kanban", "graph", "pivot")
            if arch.get("sample") not in ("1", "True") and action.res_model not in EMPTY_IS_GOOD
        ]
        self.assertFalse(plain)

    def test_searches_offer_what_people_look_for(self):
        poor = []
        for action in self.actions.filtered(lambda action: action.res_model not in FEW_FILTERS):
            arch = self._get_arch(action, "search")
            filters = list(arch.iter("filter")) if arch is not None else []
            groups = [one for one in filters if "group_by" in (one.get("context") or "")]
            if len(filters) - len(groups) < 3 or len(groups) < 2:
                poor.append(f"{action.res_model}: {len(filters) - len(groups)} filters, {len(groups)} groups")
        self.assertFalse(sorted(set(poor)))

    def test_lists_add_up_their_numbers(self):
        missing = []
        for action, _type, arch in self._get_views("list"):
            fields = self.env[action.res_model]._fields
            for column in self._get_columns(arch):
                field = fields[column.get("name")]
                # What makes no sum, such as a rate, says so in the model: groups would show it otherwise.
                is_added_up = field.type in NUMBERS and field.aggregator and column.get("widget") != "handle"
                has_total = column.get("sum") or column.get("avg") or action.res_model in NO_TOTALS
                if is_added_up and not has_total:
                    missing.append(f"{action.res_model}: {field.name}")
        self.assertFalse(sorted(set(missing)))

    def test_lists_let_people_choose_columns(self):
        fixed = [
            action.name
            for action, _type, arch in self._get_views("list")
            if len(self._get_columns(arch)) > 4
            and not any(column.get("optional") for column in self._get_columns(arch))
        ]
        self.assertFalse(fixed)

    def test_a_status_is_a_badge(self):
        plain = [
            action.name
            for action, _type, arch in self._get_views("list")
            for column in self._get_columns(arch)
            if column.get("name") == "state" and column.get("widget") != "badge"
        ]
        self.assertFalse(plain)

    def test_what_somebody_has_to_do_has_an_activity_view(self):
        missing = [
            action.name
            for action in self.actions
            if "activity_ids" in self.env[action.res_model]._fields and "activity" not in action.view_mode
        ]
        self.assertFalse(missing)

    def test_what_has_its_days_has_a_calendar(self):
        self._check_view_mode("calendar", BY_DATE)

    def test_what_is_looked_at_on_a_phone_has_cards(self):
        self._check_view_mode("kanban", AS_CARDS)

    def _check_view_mode(self, view_type, models):
        actions = self.actions.filtered(lambda action: action.res_model in models)
        self.assertEqual(set(actions.mapped("res_model")), set(models))
        missing = actions.filtered(lambda action: view_type not in action.view_mode.split(","))
        self.assertFalse(missing.mapped("name"))

    def test_many_are_changed_at_once_where_that_is_safe(self):
        views = self._get_views("list")
        together = {action.res_model for action, _type, arch in views if arch.get("multi_edit") in ("1", "True")}
        self.assertEqual(together, set(EDITED_TOGETHER))

    def test_buttons_ask_before_what_cannot_be_undone(self):
        unasked = set()
        for view in self._get_our_views():
            for button in etree.fromstring(view.arch).iter("button"):
                name, model = button.get("name") or "", self._get_model(view, button)
                is_quick = button.get("type") == "object" and not button.get("confirm") and not SHOWS.match(name)
                if is_quick and name not in UNDONE.get(model, {}):
                    unasked.add(f"{model}: {name}")
        self.assertFalse(sorted(unasked))

    def _get_model(self, view, node):
        """Return the model of a node: that of the view, or of the list in it where the node is."""
        model = view.model
        for field in reversed(list(node.iterancestors("field"))):
            model = self.env[model]._fields[field.get("name")].comodel_name
        return model

    def _get_our_views(self):
        """Return the views of the app that are no dialogs: a dialog is a question itself."""
        data = self.env["ir.model.data"].search([("module", "=like", "partner_loyalty%"), ("model", "=", "ir.ui.view")])
        views = self.env["ir.ui.view"].browse(data.mapped("res_id"))
        return views.filtered(
            lambda view: view.type in ("form", "list", "kanban") and view.model and not self.env[view.model]._transient
        )

    def test_every_setting_has_help(self):
        view = self.env.ref("base.res_config_settings_view_form")
        settings = view._get_combined_arch().xpath("//app[@name='partner_loyalty']//setting")
        self.assertTrue(settings)
        self.assertLessEqual(len(settings), 10)
        self.assertFalse([setting.get("id") for setting in settings if not setting.get("help")])
