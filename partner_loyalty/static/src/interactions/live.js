import { Interaction } from "@web/public/interaction";
import { registry } from "@web/core/registry";

/** Shows on an open page of a member what it has just earned, and its new balance. */
export class LoyaltyLive extends Interaction {
    static selector = ".o_loyalty_portal[data-loyalty-program]";

    setup() {
        this.onEarned = this.onEarned.bind(this);
    }

    start() {
        const bus = this.services.bus_service;
        bus.subscribe("partner_loyalty.earned", this.onEarned);
        bus.start();
        this.registerCleanup(() => bus.unsubscribe("partner_loyalty.earned", this.onEarned));
    }

    onEarned({ program_id, unit, text, balance }) {
        if (program_id !== Number(this.el.dataset.loyaltyProgram)) {
            return;
        }
        for (const figure of this.el.querySelectorAll(`[data-loyalty-balance="${unit}"]`)) {
            figure.textContent = balance;
        }
        const message = document.createElement("div");
        message.className = "alert alert-success o_loyalty_live";
        message.textContent = text;
        this.insert(message, this.el.querySelector("#o_loyalty_messages"));
    }
}

registry.category("public.interactions").add("partner_loyalty.live", LoyaltyLive);
