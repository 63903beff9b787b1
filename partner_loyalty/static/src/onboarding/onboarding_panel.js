import { useService } from "@web/core/utils/hooks";

import { Component, onWillStart, useState } from "@odoo/owl";

/** The first steps on top of the to-do list: what is left to set up, and a button that opens the dialog for each. */
export class LoyaltyOnboardingPanel extends Component {
    static template = "partner_loyalty.OnboardingPanel";
    static props = {};

    setup() {
        this.orm = useService("orm");
        this.action = useService("action");
        this.state = useState({ panel: false });
        onWillStart(() => this.load());
    }

    async load() {
        this.state.panel = await this.orm.call("onboarding.onboarding", "get_partner_loyalty_panel");
    }

    async open(step) {
        const action = await this.orm.call("onboarding.onboarding.step", step.method);
        await this.action.doAction(action, { onClose: () => this.load() });
    }

    async close() {
        await this.orm.call("onboarding.onboarding", "action_close_panel_partner_loyalty");
        this.state.panel = false;
    }
}
