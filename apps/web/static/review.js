// What happened before the cameras, to be looked through: alerts and visits, what nobody has reviewed first.

import { button, el, iconButton, clock, many, picture, range } from "./dom.js";
import { get, post } from "./net.js";
import { attempt, confirmed } from "./notices.js";

const KINDS = [["", "everything"], ["alerts", "alerts"], ["people", "people"], ["things", "things"]];

export class Review {
  constructor(page) {
    this.page = page;
    this.kind = "";
    this.told = el("span", { class: "soft", role: "status" });
    this.list = el("ol", { class: "grid review-list" });
    this.chips = KINDS.map(([kind, told]) => el("button", { type: "button", class: "chip", data: { kind }, "aria-pressed": "false", on: { click: () => { this.kind = kind; this.look(); } } }, told));
    this.every = el("input", { type: "checkbox", on: { change: () => this.look() } });
    this.all = button("Mark all as reviewed", () => this.markAll(), { kind: "small" });
    this.element = el("section", { class: "panel review", hidden: true },
      el("div", { class: "review-head" }, el("h2", {}, "Review"), this.told, el("span", { class: "gap" }), this.all),
      el("div", { class: "chips" }, ...this.chips, el("label", { class: "chip" }, this.every, "reviewed, too")),
      this.list);
  }

  async look() {
    const found = await get("review", { kind: this.kind, every: this.every.checked ? "true" : "" }).catch(() => null);
    if (!found) return;
    for (const chip of this.chips) {
      const on = chip.dataset.kind === this.kind;
      chip.classList.toggle("on", on);
      chip.setAttribute("aria-pressed", String(on));
    }
    this.waiting = found.waiting;
    this.element.hidden = !found.total && !this.kind;
    this.told.textContent = found.waiting ? `${found.waiting} to look through` : "all of it was looked through";
    this.all.hidden = !found.waiting || Boolean(this.kind) || !this.page.held.may_change;
    const text = JSON.stringify(found);
    if (text === this.drawn) return;  // what has the focus stays
    this.drawn = text;
    this.list.replaceChildren(...found.items.map((item) => this.cell(item)));
    if (!found.items.length) this.list.replaceChildren(el("li", { class: "soft" }, "Nothing of this kind is left to look through."));
  }

  cell(item) {
    const what = item.alerts.length ? item.alerts.join(", ") : item.label;
    const time = item.t1_s === null ? `since ${clock(item.t0_s)}` : item.t1_s - item.t0_s < 1 ? clock(item.t0_s) : range(item.t0_s, item.t1_s);
    const image = item.alert_picture ? el("img", { src: `hippocam/alert-picture/${item.alert_picture}`, alt: "", loading: "lazy" }) : picture(item.picture);
    return el("li", { class: `cell review-item${item.reviewed ? " reviewed" : ""}`, data: { ids: item.ids.join(" ") } },
      el("button", { type: "button", class: "card", "aria-label": `Play ${what}, ${this.page.title(item.stream)}, ${time}`, on: { click: () => this.open(item) } },
        el("span", { class: "thumb" }, image, item.alerts.length ? el("span", { class: "tag warn" }, "alert") : null),
        el("span", { class: "card-body" }, el("span", { class: "span" }, time), el("strong", {}, what), el("span", { class: "card-stream" }, this.page.title(item.stream)))),
      this.page.held.may_change ? iconButton("check", item.reviewed ? "Not reviewed after all" : "Reviewed", () => this.mark(item), { kind: "over", "aria-pressed": String(item.reviewed) }) : null);
  }

  async open({ stream, t0_s, t1_s }) {
    if (!this.page.stream(stream)) await this.page.refresh();
    this.page.openMoment({ stream, t0_s, t1_s: t1_s ?? t0_s });
  }

  async mark(item) {
    if (await attempt(() => post("review", { ids: item.ids, reviewed: !item.reviewed }))) this.look();
  }

  async markAll() {
    if (!(await confirmed("Mark all as reviewed?", [el("p", {}, `${many(this.waiting, "alert or visit", "alerts and visits")}: they then stand under “reviewed, too”, for everybody who opens this page.`)], "Mark all"))) return;
    if (await attempt(() => post("review", { all: true, reviewed: true }))) this.look();
  }
}
