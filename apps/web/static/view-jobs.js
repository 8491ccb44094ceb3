// Jobs: watches, uploads, sleeps, conversions, other budgets.

import { button, el, empty } from "./dom.js";
import { go, on } from "./state.js";

export default class JobsView {
  constructor(page) {
    this.page = page;
    this.list = el("div", { class: "jobs", role: "status" });
    this.element = el("section", {}, el("h1", {}, "Jobs"), this.list);
    on("jobs", () => this.draw());
  }

  enter() { this.page.jobs.poll(); this.draw(); }

  draw() {
    const all = this.page.jobs.all();
    this.list.replaceChildren(...(all.length ? all.map((job) => this.page.jobs.row(job)) : [
      empty("Nothing is being worked on", "Videos that are watched, uploads, sleeps, conversions and other budgets stand here, with what they have come to.",
        this.page.held.may_change ? button("Add videos", () => go({ v: "library", add: "1" }), { kind: "primary", icon: "add" }) : null)]));
  }
}
