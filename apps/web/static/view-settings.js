// Settings: what is set and by whom it is changed; the theme, the reader's test, the way out.

import { budgetField } from "./budget.js";
import { button, bytes, el, lasting, many } from "./dom.js";
import { get, post } from "./net.js";
import { attempt, confirmed, notice } from "./notices.js";
import { applyTheme, conversationsGone, keep, kept, on } from "./state.js";

const THEMES = [["auto", "As this machine"], ["light", "Light"], ["dark", "Dark"]];

export default class Settings {
  constructor(page) {
    this.page = page;
    this.body = el("div", {});
    this.element = el("section", { class: "settings" }, el("h1", {}, "Settings"), this.body);
    on("held", () => { if (page.shown === "settings" && !this.body.contains(page.root.activeElement)) this.enter(); });
  }

  async enter() {
    const found = await attempt(() => get("settings"));
    if (found) this.draw(found);
  }

  draw(found) {
    const row = (name, value, note = "") => el("div", { class: "setting" }, el("dt", {}, name), el("dd", {}, value, note ? el("p", { class: "soft" }, note) : ""));
    const tested = el("p", { class: "soft", role: "status" });
    const theme = el("div", { class: "segments", role: "radiogroup", "aria-label": "Theme" }, ...THEMES.map(([value, label]) => el("label", {},
      el("input", { type: "radio", name: "theme", value, checked: kept("theme", "auto") === value, on: { change: () => { keep("theme", value); applyTheme(this.page.root); } } }), el("span", {}, label))));
    const senses = Object.entries(found.senses).filter(([, value]) => typeof value === "string").map(([name, value]) => `${name} ${value}`).join(", ");
    this.body.replaceChildren(
      el("section", { class: "panel" }, el("h2", {}, "This browser"), el("dl", {},
        row("Theme", theme),
        row("Conversations", button("Delete all conversations", () => this.deleteAll(), { kind: "small" }), "They are kept in this browser alone."),
        found.asks ? row("Session", el("form", { method: "post", action: "hippocam/logout" }, el("button", { class: "button small" }, "Log out"))) : "")),
      el("section", { class: "panel" }, el("h2", {}, "The memory"), el("dl", {},
        row("Folder", found.folders.join(", ")),
        row("Encoder", found.encoder, "A memory keeps the encoder that it was made with."),
        row("Budget", el("div", {}, `${bytes(found.bytes)} of ${bytes(found.budget_bytes)}`, this.budget(found)), budgetNote(found)),
        row("Retention", "moments until the budget needs their room; nothing goes by its age", `Of cameras that are added here the last ${lasting(found.look_back_s)} of footage are kept, ${found.look_back_mb} MB at most. hippocam live add --days N deletes by age, --keep keeps footage of events longer.`),
        row("Sampling", found.fps ? `${many(found.fps, "frame")} a second` : "every frame"),
        row("Senses", senses || "none"),
        row("Learns from questions", found.learns ? "yes" : "no", "Vectors of answered questions are kept, never their words."))),
      el("section", { class: "panel" }, el("h2", {}, "The reader"), el("dl", {},
        row("Who words the answers", el("span", {}, el("strong", {}, found.reader), " ", button("Test it", () => this.test(tested), { kind: "small" }), tested), "hippocam web --reader NAME chooses another."))),
      el("section", { class: "panel" }, el("h2", {}, "Who may do what"), el("dl", {},
        row("Changes", found.may_change ? "visitors may add, pin, rename and forget" : "nothing can be changed here", "hippocam web --read-only shows a memory only."),
        row("Password", found.asks ? "asked" : "not asked: only this machine can open the page"),
        row("Folders of the server", found.roots.length ? found.roots.join(", ") : "none", "hippocam web --folders DIR lets files in them be added by their path."))),
      el("section", { class: "panel" }, el("h2", {}, "Keys"), el("dl", { class: "keys" }, ...[["[ and ]", "the moment before, the next one"], ["space", "play and pause"], ["l", "loop the moment"], ["p", "pin the moment"], ["/", "to the box where one types"], ["← → on the strip", "5 s, with shift 30 s"], ["+ − 0 on the strip", "closer, wider, all of it"]].map(([key, does]) => row(key, does)))));
  }

  // A memory that is there, and of which no settings file says what it may take, can get another budget.
  budget({ may_change: may, budget_fixed: fixed, bytes: used, budget_bytes: budget }) {
    return may && !fixed && used ? budgetField(this.page, budget / 1e6).form : "";
  }

  async test(told) {
    told.textContent = "asking…";
    const found = await attempt(() => post("settings/reader"));
    told.textContent = !found ? "" : found.works ? `It answers, after ${found.seconds} s.` : `It does not answer: ${found.note}`;
  }

  async deleteAll() {
    if (!(await confirmed("Delete all conversations?", [el("p", {}, "The memory stays as it is.")], "Delete", { bad: true }))) return;
    conversationsGone();
    this.page.views.delete("ask");
    notice("All conversations are deleted.");
  }
}

const budgetNote = ({ may_change: may, budget_fixed: fixed }) =>
  fixed ? "The settings file sets it, and is the place to change it." : may ? "What another one would hold is told before it is set; the view Memory tries any out." : "";
