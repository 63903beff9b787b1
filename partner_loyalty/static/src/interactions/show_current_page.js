import { Interaction } from "@web/public/interaction";
import { registry } from "@web/core/registry";

/** Moves the navigation of a phone sideways, so that the page that is open can be seen in it. */
export class ShowCurrentPage extends Interaction {
    static selector = ".o_loyalty_nav";

    start() {
        const current = this.el.querySelector("[aria-current]");
        if (current) {
            this.el.scrollLeft = current.offsetLeft - (this.el.clientWidth - current.offsetWidth) / 2;
        }
    }
}

registry.category("public.interactions").add("partner_loyalty.show_current_page", ShowCurrentPage);
