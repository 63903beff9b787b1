import { registry } from "@web/core/registry";

// Nothing of a page is wider than the screen: only what is meant to scrolls sideways.
const fits = {
    content: "The page is as wide as the screen",
    trigger: ".o_loyalty_portal",
    run() {
        const { scrollWidth, clientWidth } = document.documentElement;
        // Widths of letters are fractions, which are rounded up.
        if (scrollWidth > clientWidth + 1) {
            throw new Error(`The page is ${scrollWidth} wide on a screen of ${clientWidth}.`);
        }
    },
};

const go = (name) => [
    {
        content: `Go to ${name}`,
        trigger: `.o_loyalty_nav a:contains(${name})`,
        run: "click",
        expectUnloadPage: true,
    },
    { content: `${name} is open`, trigger: `.o_loyalty_nav a[aria-current]:contains(${name})` },
    fits,
];

registry.category("web_tour.tours").add("partner_loyalty_portal_owner", {
    steps: () => [
        { content: "The tier is said", trigger: ".o_loyalty_card_tier h2:contains(Silver)" },
        { content: "The banner asks for the terms", trigger: ".alert:contains(until you accept the terms)" },
        { content: "The money is said", trigger: ".o_loyalty_card_money .o_loyalty_figure:contains(10.00)" },
        fits,
        ...go("Statement"),
        { content: "A line says its cause", trigger: ".o_loyalty_line:contains(10 % of 600.00)" },
        { content: "Open the search", trigger: ".o_loyalty_portal summary", run: "click" },
        { content: "Look for something", trigger: "#o_loyalty_search", run: "edit nothing like it" },
        {
            content: "Search",
            trigger: ".o_loyalty_portal form button:contains(Show)",
            run: "click",
            expectUnloadPage: true,
        },
        { content: "Nothing is found", trigger: ".o_loyalty_empty:contains(No line matches)" },
        fits,
        {
            content: "Show all lines again",
            trigger: ".o_loyalty_portal a:contains(Show all)",
            run: "click",
            expectUnloadPage: true,
        },
        { content: "They are back", trigger: ".o_loyalty_line" },
        ...go("Payouts"),
        {
            content: "Open the payout that waits",
            trigger: "a.o_loyalty_card:contains(Waits for your invoice)",
            run: "click",
            expectUnloadPage: true,
        },
        { content: "It says what to do", trigger: ".o_loyalty_card:contains(Send us your invoice below)" },
        fits,
        { content: "Number", trigger: "#o_loyalty_number", run: "edit R-7" },
        {
            content: "Date",
            trigger: "#o_loyalty_date",
            run() {
                this.anchor.value = "2026-03-18";
            },
        },
        {
            content: "File",
            trigger: "#o_loyalty_file",
            run() {
                const files = new DataTransfer();
                files.items.add(new File(["%PDF-1.4"], "invoice.pdf", { type: "application/pdf" }));
                this.anchor.files = files.files;
            },
        },
        {
            content: "Send it",
            trigger: "button:contains(Send the Invoice)",
            run: "click",
            expectUnloadPage: true,
        },
        { content: "It has arrived", trigger: ".alert-success:contains(your invoice has arrived)" },
        fits,
        ...go("Terms"),
        {
            content: "Accept them",
            trigger: "button:contains(Accept these Terms)",
            run: "click",
            expectUnloadPage: true,
        },
        { content: "They are accepted", trigger: ".alert-success:contains(you have accepted the terms)" },
        ...go("Overview"),
        { content: "The banner is gone", trigger: ".o_loyalty_portal:not(:contains(until you accept the terms))" },
    ],
});

registry.category("web_tour.tours").add("partner_loyalty_portal_sales", {
    steps: () => [
        { content: "Points are said", trigger: ".o_loyalty_card_point .o_loyalty_figure:contains(7 points)" },
        { content: "Money is not", trigger: ".o_loyalty_portal:not(:has(.o_loyalty_card_money))" },
        { content: "There are no payouts", trigger: ".o_loyalty_nav:not(:contains(Payouts))" },
        fits,
        ...go("Statement"),
        { content: "The line in points is there", trigger: ".o_loyalty_line:contains(7 points)" },
        { content: "It is the only one", trigger: ".o_loyalty_entries:not(:contains(Commission))" },
        ...go("Terms"),
        { content: "Somebody else accepts them", trigger: ".o_loyalty_card:contains(The owner of your company accepts)" },
    ],
});
