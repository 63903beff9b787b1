import { browser } from "@web/core/browser/browser";
import { _t } from "@web/core/l10n/translation";
import { rpcBus } from "@web/core/network/rpc";
import { registry } from "@web/core/registry";

// How long somebody waits for a button without being told what takes so long, in milliseconds.
const PATIENCE = 2000;

// The models whose buttons and previews go through many members or documents, and what is being done then.
const WORK = {
    "partner.loyalty.apply.past": _t("Going through the sales of the past"),
    "partner.loyalty.attribution": _t("Working out what moves"),
    "partner.loyalty.backtest": _t("Playing the program over the past"),
    "partner.loyalty.bonus.action": _t("Looking up who gets what"),
    "partner.loyalty.closing": _t("Looking up what is open"),
    "partner.loyalty.enroll": _t("Enrolling the partners"),
    "partner.loyalty.liability": _t("Adding up what is owed"),
    "partner.loyalty.payout": _t("Working on the payouts"),
    "partner.loyalty.payout.approve": _t("Working on the payouts"),
    "partner.loyalty.payout.prepare": _t("Working on the payouts"),
    "partner.loyalty.pilot": _t("Comparing the members"),
    "partner.loyalty.program": _t("Working on the program"),
    "partner.loyalty.rule.version": _t("Comparing the versions of the rule"),
    "partner.loyalty.takeover": _t("Working out what moves"),
    "partner.loyalty.template": _t("Setting up the program"),
    "partner.loyalty.tier.review": _t("Working on the tiers"),
};

/**
 * Says what is being done while a button works, or a dialog looks up its preview, for more than a moment; and keeps
 * the button from being clicked again.
 */
export const progressService = {
    dependencies: ["ui"],
    start(env, { ui }) {
        const running = new Set();
        const previews = new Map();
        rpcBus.addEventListener("RPC:REQUEST", ({ detail }) => {
            const { model, method } = detail.data.params || {};
            const { id } = detail.data;
            const work = WORK[model];
            if (!work || detail.settings.silent) {
                return;
            }
            const message = _t("%s: this can take some minutes.", work);
            if (/^action_/.test(method)) {
                running.add(id);
                ui.block({ delay: PATIENCE, message });
            } else if (method === "onchange") {
                // The screen stays free until then: what was clicked to leave a field is not to be lost.
                const say = () => {
                    previews.delete(id);
                    running.add(id);
                    ui.block({ message });
                };
                previews.set(id, browser.setTimeout(say, PATIENCE));
            }
        });
        rpcBus.addEventListener("RPC:RESPONSE", ({ detail }) => {
            const { id } = detail.data;
            browser.clearTimeout(previews.get(id));
            previews.delete(id);
            if (running.delete(id)) {
                ui.unblock();
            }
        });
    },
};

registry.category("services").add("partner_loyalty_progress", progressService);
