import { Interaction } from "@web/public/interaction";
import { registry } from "@web/core/registry";

/** Copies the text of a button, and says so. */
export class CopyText extends Interaction {
    static selector = ".o_loyalty_copy";
    dynamicContent = {
        _root: { "t-on-click": this.copy },
        ".o_loyalty_copy_text": { "t-att-class": () => ({ "d-none": this.isCopied }) },
        ".o_loyalty_copied": { "t-att-class": () => ({ "d-none": !this.isCopied }) },
    };

    setup() {
        this.isCopied = false;
    }

    async copy() {
        await this.waitFor(this.write(this.el.dataset.text));
        this.isCopied = true;
        this.waitForTimeout(() => {
            this.isCopied = false;
        }, 2000);
    }

    /** Without a secure connection or the permission, there is no clipboard: a selection is copied instead. */
    async write(text) {
        try {
            await navigator.clipboard.writeText(text);
        } catch {
            const field = document.createElement("textarea");
            field.value = text;
            document.body.append(field);
            field.select();
            document.execCommand("copy");
            field.remove();
        }
    }
}

registry.category("public.interactions").add("partner_loyalty.copy_text", CopyText);
