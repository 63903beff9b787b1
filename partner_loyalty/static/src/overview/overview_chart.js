import { loadBundle } from "@web/core/assets";
import { user } from "@web/core/user";
import { Component, onWillStart, useEffect, useRef } from "@odoo/owl";

/** A chart of the overview; drawn anew when its figures change. */
export class OverviewChart extends Component {
    static template = "partner_loyalty.OverviewChart";
    static props = { config: Object, label: String };

    setup() {
        this.canvas = useRef("canvas");
        onWillStart(() => loadBundle("web.chartjs_lib"));
        useEffect(
            (config) => {
                // Chart.js keeps what it is given: each chart gets a copy of its own.
                const chart = new Chart(this.canvas.el, {
                    ...config,
                    data: JSON.parse(JSON.stringify(config.data)),
                    options: { ...config.options, locale: user.lang },
                });
                return () => chart.destroy();
            },
            () => [this.props.config]
        );
    }
}
