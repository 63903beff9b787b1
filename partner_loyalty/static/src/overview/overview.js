import { _t } from "@web/core/l10n/translation";
import { download } from "@web/core/network/download";
import { registry } from "@web/core/registry";
import { user } from "@web/core/user";
import { useService } from "@web/core/utils/hooks";
import { useSetupAction } from "@web/search/action_hook";
import { Layout } from "@web/search/layout";
import { getDefaultConfig } from "@web/views/view";
import { standardActionServiceProps } from "@web/webclient/actions/action_service";

import { Component, onWillStart, useState, useSubEnv } from "@odoo/owl";

import { OverviewChart } from "./overview_chart";

const BLUE = "#3b82c4";
const ORANGE = "#e08a2e";
const GREEN = "#3a9d6e";
const RED = "#c9504b";
const GRAY = "#9aa3ad";

/** What a program costs and brings, on one page. All figures and most words come from the server. */
export class LoyaltyOverview extends Component {
    static template = "partner_loyalty.Overview";
    static components = { Layout, OverviewChart };
    static props = { ...standardActionServiceProps };

    setup() {
        useSubEnv({ config: { ...getDefaultConfig(), ...this.env.config } });
        this.orm = useService("orm");
        this.action = useService("action");
        this.state = useState({ page: null, options: this.getFirstOptions(), isLoading: false, explained: null });
        // The one is for breadcrumbs, the other for the buttons of the browser.
        const getState = () => ({ options: { ...this.state.options } });
        useSetupAction({ getLocalState: getState, getGlobalState: getState });
        onWillStart(() => this.loadFirst());
    }

    /** What was chosen before one went elsewhere and came back, or the program that the page was opened from. */
    getFirstOptions() {
        const { state, globalState, action } = this.props;
        const programId = action.context.active_model === "partner.loyalty.program" && action.context.active_id;
        return { ...(state?.options || globalState?.options || (programId ? { program_id: programId } : {})) };
    }

    /** What was chosen may be gone by now, or belong to a company that is not chosen any more. */
    async loadFirst() {
        try {
            await this.load();
        } catch (error) {
            if (!Object.keys(this.state.options).length) {
                throw error;
            }
            this.state.options = {};
            await this.load();
        }
    }

    async load() {
        this.state.isLoading = true;
        try {
            const page = await this.orm.call("partner.loyalty.overview", "get_page", [this.state.options]);
            this.state.page = page;
            this.state.options = page.options || {};
        } finally {
            this.state.isLoading = false;
        }
    }

    get display() {
        return { controlPanel: {} };
    }

    get filters() {
        const labels = {
            program_id: _t("Program"),
            period: _t("Period"),
            compare: _t("Compared with"),
            segment_id: _t("Segment"),
            tier_id: _t("Tier"),
            country_id: _t("Country"),
            user_id: _t("Account Manager"),
        };
        const always = ["program_id", "period", "compare"];
        return Object.entries(labels)
            .map(([name, label]) => ({
                name,
                label,
                choices: this.state.page.choices[name],
                isOptional: !always.includes(name),
                value: this.state.options[name] || "",
            }))
            .filter((filter) => filter.choices.length);
    }

    onFilter(filter, value) {
        const isId = filter.name.endsWith("_id");
        const chosen = isId ? Number(value) || false : value;
        if (filter.name === "program_id") {
            // Tiers, countries and people are those of a program.
            const { period, first, last, compare } = this.state.options;
            this.state.options = { period, first, last, compare };
        }
        this.state.options[filter.name] = chosen;
        return this.load();
    }

    onDay(name, value) {
        if (value) {
            this.state.options[name] = value;
            return this.load();
        }
    }

    toggleExplanation(name) {
        this.state.explained = this.state.explained === name ? null : name;
    }

    getTrendClass(kpi) {
        return { 1: "text-success", "-1": "text-danger", 0: "text-muted" }[kpi.trend];
    }

    getGoalClass(goal) {
        const level = { reached: "success", on_course: "info", behind: "warning" }[goal.trend];
        return `badge flex-shrink-0 align-self-start ms-2 text-bg-${level}`;
    }

    async openFigure(kpi) {
        if (kpi.has_drill) {
            const action = await this.orm.call("partner.loyalty.overview", "get_drill", [
                this.state.options,
                kpi.name,
            ]);
            return this.action.doAction(action);
        }
        this.toggleExplanation(kpi.name);
    }

    openRecord(model, id) {
        return this.action.doAction({
            type: "ir.actions.act_window",
            res_model: model,
            res_id: id,
            views: [[false, "form"]],
        });
    }

    openAction(name) {
        return this.action.doAction(`partner_loyalty.${name}`);
    }

    async print() {
        const action = await this.orm.call("partner.loyalty.overview", "get_report", [this.state.options]);
        return this.action.doAction(action);
    }

    advise() {
        return this.action.doActionButton({
            type: "object",
            name: "action_advise",
            resModel: "partner.loyalty.program",
            resId: this.state.page.program.id,
            resIds: [this.state.page.program.id],
        });
    }

    export() {
        const options = { ...this.state.options, company_ids: user.activeCompanies.map((company) => company.id) };
        return download({ url: "/partner_loyalty/overview.xlsx", data: { options: JSON.stringify(options) } });
    }

    // --- Charts ---

    get salesChart() {
        const { labels, turnover, cost } = this.state.page.months;
        return this.getChart("bar", labels, [
            { label: _t("Turnover"), data: turnover, backgroundColor: BLUE, order: 2 },
            { label: _t("Cost"), data: cost, type: "line", borderColor: ORANGE, backgroundColor: ORANGE, order: 1 },
        ]);
    }

    get activeChart() {
        const { labels, active } = this.state.page.months;
        return this.getChart(
            "line",
            labels,
            [{ label: _t("Active Members"), data: active, borderColor: GREEN, backgroundColor: GREEN }],
            // From zero on, so that a small change looks small; there is no half a member.
            { scales: { y: { beginAtZero: true, ticks: { precision: 0 } } } }
        );
    }

    get tierChart() {
        const tiers = this.state.page.tiers;
        return this.getChart(
            "bar",
            tiers.map((tier) => tier.name),
            [{ label: _t("Members"), data: tiers.map((tier) => tier.count), backgroundColor: BLUE }],
            { indexAxis: "y", scales: { x: { ticks: { precision: 0 } } } }
        );
    }

    /** Bars that float from the sum before to the sum now. */
    getBridgeChart(bridge) {
        const bars = [[0, bridge.before.value]];
        const colors = [GRAY];
        let height = bridge.before.value;
        for (const step of bridge.steps) {
            bars.push([height, height + step.value]);
            colors.push(step.value < 0 ? RED : GREEN);
            height += step.value;
        }
        bars.push([0, bridge.now.value]);
        colors.push(GRAY);
        const labels = [_t("Earned before"), ...bridge.steps.map((step) => step.label), _t("Earned now")];
        return this.getChart("bar", labels, [{ label: bridge.unit, data: bars, backgroundColor: colors }]);
    }

    getChart(type, labels, datasets, options = {}) {
        return {
            type,
            data: { labels, datasets },
            options: {
                animation: false,
                maintainAspectRatio: false,
                plugins: { legend: { display: datasets.length > 1, position: "bottom" } },
                ...options,
            },
        };
    }

    getCohortStyle(share) {
        return `background-color: rgba(58, 157, 110, ${(share / 125).toFixed(2)})`;
    }
}

registry.category("actions").add("partner_loyalty_overview", LoyaltyOverview);
