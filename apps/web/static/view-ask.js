// Ask: a conversation, with what each answer rests on.

import { button, clock, el, empty, icon, iconButton, range, save } from "./dom.js";
import { card, figures, others } from "./cards.js";
import { begun, conversations, deleted, found, markdown, renamed, saved } from "./conversations.js";
import { get } from "./net.js";
import { asked, chosen, confirmed, notice } from "./notices.js";
import { named, videoChip } from "./scope.js";
import { address, go, keep, kept, on, token } from "./state.js";

const VERDICTS = { clear: "Clear", likely: "Likely", perhaps: "Perhaps", "not seen": "Not seen", "no answer": "No answer" };

export default class Ask {
  constructor(page) {
    this.page = page;
    this.conversation = found(kept("conversation", "")) || begun();
    this.scope = {};
    this.pending = null;
    this.build();
    page.opened.onTold((value) => this.told(value));
    on("held", () => this.fresh());
    on("jobs", () => { if (this.wasBusy !== this.page.jobs.busy()) this.fresh(); });
    this.draw();
  }

  build() {
    this.turns = el("div", { class: "turns", role: "log", "aria-live": "polite", "aria-label": "Conversation" });
    this.box = el("textarea", {
      class: "ask-box", rows: 1, maxLength: 2000, placeholder: "Ask about what was seen…", "aria-label": "Question",
      on: { keydown: (event) => this.typed(event), input: () => this.grow() },
    });
    this.sendButton = iconButton("send", "Ask", () => (this.pending ? this.stop() : this.ask(this.box.value)), { kind: "primary" });
    this.chips = el("div", { class: "chips", "aria-label": "Where to look" });
    this.names = el("div", { class: "talks" });
    this.element = el("section", { class: "ask" },
      this.names, this.turns,
      el("form", { class: "ask-form", on: { submit: (event) => event.preventDefault() } },
        this.chips, el("div", { class: "ask-line" }, this.box, this.sendButton)));
  }

  enter(at) {
    if (this.page.scoped) this.scope = { streams: [this.page.scoped] };
    this.page.scoped = "";
    this.drawChips();
    const last = this.conversation.turns.at(-1);
    if (at.q && last?.question !== at.q && !this.pending) this.ask(at.q);
    else this.mark();
    if (matchMedia("(pointer: fine)").matches && !this.page.root.activeElement) this.box.focus();
  }

  leave() { this.page.player.setMoments([]); }

  focusBox() { return this.box; }

  grow() {
    this.box.style.height = "auto";
    this.box.style.height = `${Math.min(140, this.box.scrollHeight)}px`;
  }

  typed(event) {
    if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    if (!this.pending) this.ask(this.box.value);
  }

  ask(text) {
    const question = text.trim();
    if (!question) return this.box.focus();
    const before = this.conversation.turns.findLast?.((turn) => turn.answer?.turn)?.answer.turn || "";
    const turn = { question, scope: { ...this.scope }, at: Date.now() };
    this.pending = { id: token(), turn };
    this.conversation.turns.push(turn);
    this.box.value = "";
    this.grow();
    this.draw();
    const { streams = [], after_s = null, before_s = null, place_of = "" } = this.scope;
    this.page.opened.ask({ id: this.pending.id, question, before, streams, after_s, before_s, place_of });
    go({ q: question }, { replace: !address().q });
  }

  told(value) {
    if (!value || value.id !== this.pending?.id) return;
    const { turn } = this.pending;
    if (value.state === "words") turn.words = value.text;
    else {
      delete turn.words;
      if (value.state === "error") turn.error = value.error; else turn.answer = value.answer;
      this.pending = null;
      this.keepIt();
    }
    this.draw();
    const first = turn.answer && (turn.answer.evidence.find((moment) => turn.answer.cited.includes(moment.id)) || turn.answer.evidence[0]);
    if (first && address().v === "ask") this.page.openMoment(first, { play: false, replace: true });
  }

  stop() {
    if (!this.pending) return;
    this.page.opened.stop({ id: this.pending.id });
    this.pending.turn.error = "Stopped.";
    delete this.pending.turn.words;
    this.pending = null;
    this.keepIt();
    this.draw();
  }

  retry(turn) {
    this.conversation.turns = this.conversation.turns.filter((one) => one !== turn);
    this.ask(turn.question);
  }

  keepIt() {
    saved(this.conversation);
    keep("conversation", this.conversation.id);
    this.conversation = found(this.conversation.id) || this.conversation;
  }

  // drawing ---------------------------------------------------------------------------------------------

  draw() {
    this.drawNames();
    this.sendButton.replaceChildren(icon(this.pending ? "stop" : "send"));
    this.sendButton.title = this.pending ? "Stop" : "Ask";
    this.sendButton.setAttribute("aria-label", this.sendButton.title);
    const turns = this.conversation.turns;
    this.turns.replaceChildren(...(turns.length ? turns.map((turn) => this.turn(turn)) : [this.welcome()]));
    this.mark();
    const last = this.turns.lastElementChild;
    if (turns.length && last) requestAnimationFrame(() => this.turns.scrollTo({ top: last.offsetTop - 8 }));
  }

  // What the player shows as moments: those of the newest answer.
  mark() {
    const answer = this.conversation.turns.at(-1)?.answer;
    this.page.player.setMoments(answer ? answer.evidence : []);
  }

  welcome() {
    if (this.page.failed) return empty("The memory cannot be opened", this.page.failed);
    if (!this.page.held.streams.length) {
      this.wasBusy = this.page.jobs.busy();
      if (this.wasBusy) return empty("The first moments are on their way", "They can be asked about as soon as they come; the rest is watched meanwhile.", button("See how far it is", () => go({ v: "library" })));
      return empty("Nothing watched yet", this.page.held.may_change
        ? "Add videos, and ask about them while they are being watched. They are sent nowhere else."
        : "Whoever started this page can have something watched into the memory.",
      this.page.held.may_change ? button("Add videos", () => go({ v: "library", add: "1" }), { kind: "primary", icon: "add" }) : null);
    }
    this.suggestions = el("div", { class: "suggestions" });
    this.suggest();
    return el("div", { class: "welcome" }, el("h1", {}, "What was seen?"),
      el("p", {}, "Ask in plain words. Every answer comes with the moments that it rests on; where nothing matches, it says so."), this.suggestions);
  }

  // What is held or worked on has changed: a conversation that has not begun says what there is to ask.
  fresh() {
    if (this.conversation.turns.length) return;
    this.turns.replaceChildren(this.welcome());
    this.drawChips();
  }

  async suggest() {
    try {
      const { questions } = await get("suggestions");
      this.suggestions.replaceChildren(...questions.map((question) => el("button", { type: "button", class: "suggestion", on: { click: () => this.ask(question) } }, question)));
    } catch { /* none are offered */ }
  }

  turn(turn) {
    const made = el("article", { class: "turn" }, el("h2", { class: "question" }, turn.question, scopeText(this.page, turn.scope)));
    if (turn.answer) made.append(...this.answer(turn));
    else if (turn.error) made.append(el("div", { class: "answer error", role: "alert" }, el("p", {}, turn.error), button("Try again", () => this.retry(turn), { kind: "small" })));
    else made.append(el("div", { class: "answer" }, turn.words ? el("p", { class: "text" }, turn.words) : el("p", { class: "looking" }, "Looking through the memory…")));
    return made;
  }

  answer(turn) {
    const { answer } = turn;
    const unknown = answer.verdict === "not seen" || answer.verdict === "no answer";
    const weak = answer.verdict === "not seen";
    const took = answer.latency_ms < 1000 ? `${Math.round(answer.latency_ms)} ms` : `${(answer.latency_ms / 1000).toFixed(1)} s`;
    const cards = answer.evidence.map((moment, index) => el("li", {}, card(this.page, moment, { rank: index + 1, cited: answer.cited.includes(moment.id) }), others(this.page, moment)));
    return [
      el("div", { class: `answer ${weak ? "not-seen" : unknown ? "no-answer" : "seen"}` },
        el("p", { class: "verdict" }, VERDICTS[answer.verdict] || answer.verdict),
        el("p", { class: "text" }, ...this.linked(answer)),
        answer.failed ? el("p", { class: "warn" }, answer.failed) : null,
        el("details", { class: "why" }, el("summary", {}, "Why"),
          el("p", {}, `The ${answer.reader} reader, in ${took}. Belief ${answer.confidence.toFixed(2)}.`),
          answer.understood ? el("p", {}, `Understood: ${answer.understood}.`) : null,
          el("ol", { class: "plain-list" }, ...answer.evidence.map(figures)))),
      cards.length ? el("h3", { class: "cards-title" }, weak ? "The nearest moments, too weak for an answer" : "Moments") : null,
      cards.length ? el("ol", { class: "cards" }, ...cards) : null,
    ].filter(Boolean);
  }

  // The text with its "[1]" and "[1, 2]" as buttons.
  linked({ text, evidence }) {
    return text.split(/(\[\d+(?:, ?\d+)*\])/).map((part) => {
      if (!/^\[\d+(?:, ?\d+)*\]$/.test(part)) return part;
      const numbers = part.slice(1, -1).split(/, ?/).map(Number);
      return el("span", { class: "cites" }, ...numbers.map((number) => {
        const moment = evidence[number - 1];
        return moment ? el("button", { type: "button", class: "cite", title: `${this.page.title(moment.stream)}, ${range(moment.t0_s, moment.t1_s)}`, "aria-label": `Moment ${number}`, on: { click: () => this.page.openMoment(moment) } }, String(number)) : `[${number}]`;
      }));
    });
  }

  drawNames() {
    const list = conversations();
    const select = el("select", { class: "talk", "aria-label": "Conversation", on: { change: () => this.open(select.value) } },
      ...list.map((one) => el("option", { value: one.id, selected: one.id === this.conversation.id }, one.title)));
    if (!list.some((one) => one.id === this.conversation.id)) select.prepend(el("option", { value: this.conversation.id, selected: true }, "New conversation"));
    const some = this.conversation.turns.some((turn) => turn.answer);
    this.names.replaceChildren(...(list.length ? [
      select, el("span", { class: "gap" }),
      some ? iconButton("edit", "Rename this conversation", () => this.rename()) : null,
      some ? iconButton("down", "Export as Markdown or JSON", () => this.exportIt()) : null,
      some ? iconButton("trash", "Delete this conversation", () => this.remove()) : null,
      iconButton("add", "New conversation", () => this.open("")),
    ].filter(Boolean) : []));
    this.names.hidden = !list.length;
  }

  open(id) {
    if (this.pending) this.stop();
    this.conversation = found(id) || begun();
    keep("conversation", this.conversation.id);
    go({ q: this.conversation.turns.at(-1)?.question || "" });
    this.draw();
    this.box.focus();
  }

  async rename() {
    const title = await asked("Rename this conversation", "Title", this.conversation.title);
    if (!title?.trim()) return;
    renamed(this.conversation.id, title.trim());
    this.conversation.title = title.trim();
    this.drawNames();
  }

  async remove() {
    if (!(await confirmed("Delete this conversation?", [el("p", {}, "It is kept in this browser alone. The memory stays as it is.")], "Delete", { bad: true }))) return;
    deleted(this.conversation.id);
    this.open("");
  }

  async exportIt() {
    const form = await chosen("Export this conversation", [el("p", {}, "Markdown is for people, JSON for programs.")], [["json", "JSON"], ["md", "Markdown"]]);
    if (!form) return;
    const name = this.conversation.title.replace(/[^\w-]+/g, "-").slice(0, 40) || "conversation";
    if (form === "md") save(`${name}.md`, markdown(this.conversation, (stream) => this.page.title(stream)), "text/markdown");
    else save(`${name}.json`, JSON.stringify(this.conversation, null, 1), "application/json");
    notice("The conversation is saved.");
  }

  // where to look ---------------------------------------------------------------------------------------

  drawChips() {
    const { player } = this.page;
    const { scope } = this;
    if (!this.page.held.streams.length) return this.chips.replaceChildren();
    const videos = videoChip(this.page, scope.streams || [], (streams) => {
      Object.assign(scope, { streams, after_s: null, before_s: null, place_of: "" });
      for (const chip of [time, place]) chip.classList.remove("on");
      time.textContent = "This time";
    });
    const timed = scope.after_s !== null && scope.after_s !== undefined;
    const time = el("button", {
      type: "button", class: `chip${timed ? " on" : ""}`, title: "Only what the strip shows, or two minutes around the player",
      on: { click: () => this.narrow(timed ? { after_s: null, before_s: null } : this.around()) },
    }, timed ? range(scope.after_s, scope.before_s) : "This time");
    const place = el("button", {
      type: "button", class: `chip${scope.place_of ? " on" : ""}`, title: "Only the place where the player's moment is",
      on: { click: () => { const entry = scope.place_of ? null : player.entry(); this.narrow(scope.place_of ? { place_of: "" } : entry ? { streams: [player.view.name], place_of: entry.id } : {}); } },
    }, "Only here");
    this.chips.replaceChildren(videos, ...(player.view ? [time, place] : []));
  }

  around() {
    const { strip, view } = this.page.player;
    const now = this.page.player.time() || 0;
    const [from, to] = strip.zoomed() ? [strip.from, strip.to] : [Math.max(strip.start, now - 60), now + 60];
    return { streams: [view.name], after_s: Math.round(from), before_s: Math.round(to) };
  }

  narrow(changes) {
    Object.assign(this.scope, changes);
    this.drawChips();
  }
}

const scopeText = (page, scope = {}) => {
  const told = [scope.streams?.length ? named(page, scope.streams) : "", scope.after_s ? `${clock(scope.after_s)} to ${clock(scope.before_s)}` : "", scope.place_of ? "only here" : ""].filter(Boolean);
  return told.length ? el("span", { class: "soft scope" }, ` in ${told.join(", ")}`) : null;
};
