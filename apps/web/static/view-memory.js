// Memory: bytes by stream, level and time against the budget; what came and went, and why; sleep.

import { budgetField, outcome } from "./budget.js";
import { button, bytes, clock, debounced, el, empty, iconButton, lasting, many } from "./dom.js";
import { ages, shares, timeline } from "./charts.js";
import { get, post, take } from "./net.js";
import { attempt, confirmed, notice, show } from "./notices.js";
import { explained, LEVELS } from "./player.js";
import { go, on, visitor } from "./state.js";

const KINDS = ["", "kept", "met again", "demoted", "merged", "given up"];

export default class Memory {
  constructor(page) {
    this.page = page;
    this.kind = "";
    this.body = el("div", { class: "memory-body" });
    this.element = el("section", { class: "memory" }, el("div", { class: "view-head" }, el("h1", {}, "Memory"), el("span", { class: "gap" }), this.actions()), this.body);
    on("held", () => { if (page.shown === "memory" && !this.element.querySelector(".what-if")?.contains(page.root.activeElement)) this.look(); });
  }

  actions() {
    if (!this.page.held.may_change) return "";
    return el("div", { class: "tile-actions" }, button("Sleep", () => this.sleep()), this.wakeButton = button("Undo the last sleep", () => this.wake(), { disabled: true }));
  }

  enter() { this.look(); }

  async look() {
    try {
      this.found = await get("memory");
    } catch (error) {
      return this.body.replaceChildren(empty("No memory yet", error.message));
    }
    if (this.wakeButton) this.wakeButton.disabled = !this.found.slept;
    this.draw();
    attempt(() => this.lookFromAbove());
    return this.lookAtJournal();
  }

  draw() {
    const { found } = this;
    const held = found.streams.reduce((sum, stream) => sum + stream.bytes, 0);
    const rate = found.footage_s > 0 ? found.bytes / found.footage_s : 0;
    const room = rate ? found.budget_bytes / rate : 0;
    const budget = [
      ...found.streams.slice().sort((a, b) => b.bytes - a.bytes).map((stream, index) => ({ name: this.page.title(stream.id), value: stream.bytes, told: `${bytes(stream.bytes)}, ${many(stream.entries, "event")}`, kind: `tone-${index % 6}` })),
      { name: "shared", value: Math.max(0, found.bytes - held), told: `${bytes(Math.max(0, found.bytes - held))}: index of words, what was learned, people and things`, kind: "tone-rest" },
      { name: "free", value: Math.max(0, found.budget_bytes - found.bytes), told: bytes(Math.max(0, found.budget_bytes - found.bytes)), kind: "tone-free" },
    ];
    const levels = found.levels.map((level) => ({ name: LEVELS[level.name], value: level.bytes, told: `${many(level.entries, "event")}, ${bytes(level.bytes)}`, kind: `level-${level.name}` }));
    const whole = Math.max(1, levels.reduce((sum, level) => sum + level.value, 0));
    const most = Math.max(1, ...found.times.flatMap((one) => one.bins.map((levels_) => levels_.reduce((a, b) => a + b, 0))));
    const rest = found.happened;
    this.body.replaceChildren(
      el("div", { class: "numbers" },
        number(bytes(found.bytes), `of ${bytes(found.budget_bytes)}`), number(lasting(found.footage_s), "of footage watched"),
        number(room ? lasting(room) : "–", `at this rate ${bytes(found.budget_bytes)} hold`, "Beyond that nothing stops: what is worth least makes way."),
        number(String(found.levels.reduce((sum, level) => sum + level.entries, 0)), `of ${found.streams.reduce((sum, stream) => sum + stream.events, 0)} events are held`)),
      panel("The budget", shares(budget, Math.max(found.budget_bytes, found.bytes, 1), `${bytes(found.bytes)} of ${bytes(found.budget_bytes)} used`)),
      panel("How much of each event is still there", shares(levels, whole, "Bytes by level"), el("p", { class: "soft" }, "What must give way loses its picture first, then the precision of its vectors, and its times last.")),
      panel("Over the footage's time", ...found.times.map((one) => el("div", { class: "timeline-row" },
        el("span", { class: "timeline-name", title: one.stream }, this.page.title(one.stream)),
        timeline(one, most, { onPick: (time) => this.page.openMoment({ stream: one.stream, t0_s: time, t1_s: time }, { play: false }) }),
        el("span", { class: "soft" }, `${clock(one.t0)} to ${clock(one.t1)}`)))),
      this.above = el("section", { class: "panel", hidden: true }),
      panel("What is still found, by its age", this.recall = el("div", {}), this.whatIf()),
      panel("What happened, and why",
        el("div", { class: "chips" }, ...KINDS.map((kind) => el("button", { type: "button", class: `chip${this.kind === kind ? " on" : ""}`, data: { kind }, on: { click: () => this.choose(kind) } }, kind || "everything"))),
        el("p", { class: "soft" }, Object.entries(rest).filter(([name]) => name !== "forgotten").map(([name, count]) => `${name} ${count}`).join(" · ")),
        this.journal = el("ol", { class: "journal" })));
  }

  // A robot's memory has a picture from above: where it was, what it saw there, and what is looked for.
  async lookFromAbove(find = "") {
    const drawn = await take("memory/overhead", { find });
    if (!drawn.size) return;  // no robot's
    if (this.aboveSource) URL.revokeObjectURL(this.aboveSource);
    this.aboveSource = URL.createObjectURL(drawn);
    const image = el("img", { class: "from-above", src: this.aboveSource, alt: "Where the robot was, from above, with what it saw there" });
    const field = el("input", { type: "search", placeholder: "Where was ...?", value: find, "aria-label": "Mark what shows this" });
    const form = el("form", { class: "add-line", on: { submit: (event) => { event.preventDefault(); this.lookFromAbove(field.value.trim()); } } }, field, button("Mark", () => this.lookFromAbove(field.value.trim())));
    this.above.replaceChildren(el("h2", {}, "From above"), form, image);
    this.above.hidden = false;
  }

  // Tries other budgets out, on a copy of what decides what is given up; the one that is tried out can be set.
  whatIf() {
    const { budget_bytes: budget, bytes: used } = this.found;
    const top = Math.max(2, Math.ceil(used / 1e6));
    const told = el("p", { class: "what-if-told", role: "status" });
    const bar = el("div", {});
    let wanted = String(top);
    const tryOut = debounced(async () => {
      const mb = wanted;
      const found = await get("memory/what-if", { budget_mb: mb }).catch((error) => ({ error: error.message }));
      if (mb !== wanted) return;
      if (found.error) { told.append(` ${found.error}.`); return bar.replaceChildren(); }
      told.append(` ${outcome(found)}`);
      bar.replaceChildren(shares(found.levels.map((level) => ({ name: LEVELS[level.name], value: level.entries, told: String(level.entries), kind: `level-${level.name}` })), Math.max(1, found.entries), "Events by level with that budget"));
      this.drawAges(found.ages);
      return undefined;
    }, 250);
    const say = (mb) => {
      wanted = mb;
      told.replaceChildren("What if the budget were ", el("strong", {}, `${Number(mb)} MB`), "?");
    };
    const ask = (mb) => { say(mb); tryOut(); };
    const slider = el("input", { type: "range", min: 1, max: top, step: top > 40 ? 1 : 0.1, value: top, "aria-label": "Another budget, in MB", on: { input: () => { set.field.value = slider.value; ask(slider.value); } } });
    const set = budgetField(this.page, top, (mb) => { slider.value = mb; ask(mb); });
    say(wanted);
    this.lookAtAges();
    return el("div", { class: "what-if" }, told, slider, this.page.held.may_change ? set.form : "", bar, el("p", { class: "soft" },
      `Tried out on a copy of what decides, step by step: what is worth least for its bytes makes way first. Nothing is changed until it is set; the budget is ${bytes(budget)}. “Found” asks every event with views of it, as sleep does.`));
  }

  async lookAtAges() {
    const found = await attempt(() => get("memory/ages"));
    if (!found) return;
    this.ages = found.ages;
    this.drawAges(null);
  }

  drawAges(then) {
    if (this.ages?.length) this.recall.replaceChildren(ages(this.ages, then));
  }

  choose(kind) {
    this.kind = kind;
    for (const chip of this.body.querySelectorAll(".chip[data-kind]")) chip.classList.toggle("on", chip.dataset.kind === kind);
    this.lookAtJournal();
  }

  async lookAtJournal() {
    const found = await attempt(() => get("memory/journal", { kind: this.kind }));
    if (!found) return;
    this.journal.replaceChildren(...(found.rows.length ? found.rows.map((row) => el("li", {},
      el("button", { type: "button", class: "jump", on: { click: () => this.page.openMoment({ stream: row.stream, t0_s: row.t, t1_s: row.t }, { play: false }) } }, clock(row.t)),
      el("span", { class: "soft journal-stream" }, this.page.title(row.stream)), el("span", {}, row.text),
      iconButton("why", "More about it", () => this.why(row.entry)))) : [el("li", { class: "soft" }, "Nothing of this kind is written down.")]));
  }

  async why(entry) {
    const found = await attempt(() => get(`explain/${entry}`));
    if (found) show("Why it is held", ...explained(found));
  }

  async sleep() {
    const sure = await confirmed("Let the memory sleep?", [el("p", {}, "Asleep it merges what says the same, as long as what it can recall holds: it asks itself before and after. It can be undone for a week; pictures that are given up do not come back.")], "Sleep");
    if (!sure) return;
    if (await attempt(() => post("memory/sleep", { visitor: visitor() }))) { notice("It sleeps; what comes of it stands in Jobs.", { label: "Jobs", action: () => go({ v: "jobs" }) }); this.page.jobs.poll(); }
  }

  async wake() {
    const found = await attempt(() => post("memory/wake"));
    if (!found) return;
    notice(`${many(found.back, "event")} came back.`);
    await this.page.refresh();
    this.look();
  }
}

const number = (value, label, title = "") => el("div", { class: "number", title }, el("strong", {}, value), el("span", { class: "soft" }, label));
const panel = (title, ...body) => el("section", { class: "panel" }, el("h2", {}, title), ...body);
