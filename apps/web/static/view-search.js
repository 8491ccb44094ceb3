// Search: a grid of moments as one types; filters; more like this; several chosen to be kept, forgotten or taken away.

import { button, debounced, el, empty, iconButton, many, saveBlob } from "./dom.js";
import { card } from "./cards.js";
import { get, post, send, take } from "./net.js";
import { attempt, failed, notice } from "./notices.js";
import { forget } from "./forgetting.js";
import { videoChip } from "./scope.js";
import { address, go, on } from "./state.js";

export default class Search {
  constructor(page) {
    this.page = page;
    this.found = { moments: [], total: 0 };
    this.chosen = new Set();
    this.asked = "";
    this.build();
    on("held", () => this.options());
  }

  build() {
    const typed = debounced(() => go({ q: this.text.value, like: "" }, { replace: true }), 350);
    const filter = debounced(() => this.filter(), 250);
    this.text = el("input", { type: "search", class: "search-box", placeholder: "A dog on a sofa, a red car, somebody at the door…", "aria-label": "What to look for", maxLength: 300, on: { input: typed } });
    this.file = el("input", { type: "file", accept: "image/*", hidden: true, "aria-label": "Picture", on: { change: () => this.byPicture() } });
    this.streams = [];
    this.videos = el("span", {});
    this.filterSoon = filter;
    this.kind = el("select", { class: "chip", "aria-label": "Kind of thing", on: { change: filter } }, el("option", { value: "" }, "Any thing"));
    this.words = el("input", { type: "text", class: "chip", placeholder: "Words on screen", "aria-label": "Words on screen or said", maxLength: 80, on: { input: filter } });
    this.after = el("input", { type: "text", class: "chip time", placeholder: "from 0:00", title: "A time such as 1:30, of a camera 08:15 or 2026-11-30 08:15", "aria-label": "From", maxLength: 25, on: { input: filter } });
    this.before = el("input", { type: "text", class: "chip time", placeholder: "to 9:59", title: "A time such as 1:30, of a camera 08:15 or 2026-11-30 08:15", "aria-label": "To", maxLength: 25, on: { input: filter } });
    this.least = el("input", { type: "range", min: 0, max: 90, step: 5, value: 0, "aria-label": "How sure at least", on: { input: () => this.draw() } });
    this.leastTold = el("output", {}, "all");
    this.grouped = el("input", { type: "checkbox", on: { change: () => this.draw() } });
    this.told = el("p", { class: "soft found", role: "status" });
    this.grid = el("div", { class: "grid" });
    this.bar = el("div", { class: "chosen-bar", hidden: true });
    this.element = el("section", { class: "search" },
      el("div", { class: "search-line" }, this.text, iconButton("like", "Search by a picture", () => this.file.click()), this.file),
      el("div", { class: "chips" }, this.videos, this.kind, this.words, this.after, this.before,
        el("label", { class: "chip" }, "Sure: ", this.least, this.leastTold),
        el("label", { class: "chip" }, this.grouped, " By video")),
      this.told, this.bar, this.grid);
    this.options();
  }

  async options() {
    this.drawVideos();
    try {
      const { kinds } = await get("kinds");
      const kind = this.kind.value;
      this.kind.replaceChildren(el("option", { value: "" }, "Any thing"), ...kinds.map((one) => el("option", { value: one, selected: one === kind }, one)));
    } catch { /* nothing was told apart */ }
  }

  enter(at) {
    if (this.page.root.activeElement !== this.text && (at.q || "") !== this.text.value) this.text.value = at.q || "";
    const streams = (at.in || "").split("|").map((name) => this.page.stream(name)?.id).filter(Boolean);
    if (streams.join("|") !== this.streams.join("|")) { this.streams = streams; this.drawVideos(); }
    if (at.kind !== undefined) this.kind.value = at.kind;
    if (at.words !== undefined && this.page.root.activeElement !== this.words) this.words.value = at.words;
    this.look(at);
    if (matchMedia("(pointer: fine)").matches && !this.page.root.activeElement) this.text.focus();
  }

  drawVideos() {
    this.videos.replaceChildren(videoChip(this.page, this.streams, (streams) => { this.streams = streams; this.filterSoon(); }));
  }

  leave() { this.page.player.setMoments([]); }

  focusBox() { return this.text; }

  filter() {
    go({ in: this.streams.join("|"), kind: this.kind.value, words: this.words.value.trim(), from: this.after.value.trim(), to: this.before.value.trim() }, { replace: true });
  }

  // Looks up what the address asks for, once.
  async look(at) {
    const wanted = { text: at.q || "", streams: this.streams, thing: at.kind || "", words: at.words || "", after: at.from || "", before: at.to || "", like: at.like || "" };
    const text = JSON.stringify(wanted);
    if (text === this.asked) { this.page.player.setMoments(this.found.moments); return; }
    this.asked = text;
    this.controller?.abort();
    this.controller = new AbortController();
    this.told.textContent = "Looking…";
    try {
      const { like, ...rest } = wanted;
      const options = { signal: this.controller.signal };
      const found = like ? await get(`similar/${like}`, { streams: rest.streams }, options) : await get("search", rest, options);
      if (text !== this.asked) return;
      this.take(found, { alike: Boolean(like), all: !like && !wanted.text });
    } catch (error) {
      if (error.name === "AbortError") return;
      this.asked = "";
      this.take({ moments: [], total: 0 }, {});
      this.told.textContent = error.message;
    }
  }

  take(found, how) {
    this.found = found;
    this.how = how;
    this.chosen.clear();
    this.page.player.setMoments(found.moments);
    this.draw();
  }

  async byPicture() {
    const [file] = this.file.files;
    this.file.value = "";
    if (!file) return;
    this.told.textContent = "Looking for pictures like it…";
    try {
      this.take(await send("similar", file), { alike: true });
    } catch (error) { failed(error); this.draw(); }
  }

  draw() {
    const least = Number(this.least.value) / 100;
    this.leastTold.textContent = least ? `${Math.round(least * 100)}%` : "all";
    const { moments, total } = this.found;
    const shown = moments.filter((moment) => this.how?.all || moment.score >= least);
    const what = this.how?.alike ? " that look alike" : this.how?.all ? " that were most new" : "";
    if (this.how) this.told.textContent = `${many(shown.length, "moment")}${what}${total > moments.length ? ` of ${total}` : ""}`;
    if (!this.how) return;
    if (!shown.length) {
      const none = this.page.held.streams.length ? empty("Nothing matches", "Try other words, fewer filters, or a lower threshold.") : empty("Nothing watched yet", "Add a video in the library first.", button("To the library", () => go({ v: "library" }), { kind: "primary" }));
      return this.grid.replaceChildren(none);
    }
    const groups = this.grouped.checked ? [...Map.groupBy(shown, (moment) => moment.stream)] : [["", shown]];
    this.grid.replaceChildren(...groups.flatMap(([name, own]) => [
      name ? el("h2", { class: "group" }, this.page.title(name), el("span", { class: "soft" }, ` ${own.length}`)) : null,
      ...own.map((moment) => this.cell(moment)),
    ]).filter(Boolean));
    this.drawBar();
  }

  cell(moment) {
    const choose = el("input", { type: "checkbox", class: "choose", checked: this.chosen.has(moment.id), "aria-label": `Choose ${moment.stream} at ${Math.round(moment.t0_s)} s`,
      on: { change: () => { if (choose.checked) this.chosen.add(moment.id); else this.chosen.delete(moment.id); this.drawBar(); } } });
    return el("div", { class: "cell" }, card(this.page, moment, { alike: this.how?.alike, asked: !this.how?.all }), choose,
      iconButton("like", "More like this", () => go({ like: moment.id, q: "" }), { kind: "over" }));
  }

  drawBar() {
    const ids = [...this.chosen];
    this.bar.hidden = !ids.length;
    if (!ids.length) return;
    const may = this.page.held.may_change;
    const exported = (form) => () => {
      const link = el("a", { href: `hippocam/export?form=${form}&ids=${encodeURIComponent(ids.join(","))}`, download: "" });
      this.element.append(link);
      link.click();
      link.remove();
    };
    this.bar.replaceChildren(el("strong", {}, `${many(ids.length, "moment")} chosen`),
      may ? button("Pin", () => this.pin(ids), { kind: "small", icon: "pin" }) : "",
      button("JSON", exported("json"), { kind: "small" }), button("CSV", exported("csv"), { kind: "small" }),
      button("Clips", () => this.clips(ids), { kind: "small", icon: "cut", title: "One ZIP file with a clip of each, and a list of them" }),
      may ? button("Forget", () => this.forget(ids), { kind: "small bad", icon: "trash" }) : "", el("span", { class: "gap" }),
      button("None", () => { this.chosen.clear(); this.draw(); }, { kind: "small" }));
  }

  async pin(ids) {
    if (!(await attempt(() => post("pin", { entries: ids, pinned: true })))) return;
    notice(`${many(ids.length, "moment")} pinned: never given up for the budget.`);
    this.page.player.strip.reload();
  }

  // One file with a clip of each; it is fetched here first, so that what is wrong with it is told.
  async clips(ids) {
    notice(`${many(ids.length, "clip")} being cut…`);
    const packed = await attempt(() => take("export", { form: "clips", ids: ids.join(",") }));
    if (packed) saveBlob("moments.zip", packed);
  }

  async forget(ids) {
    if (!(await forget(this.page, { entries: ids }, `Forget ${many(ids.length, "moment")}?`))) return;
    this.asked = "";
    this.look(address());
  }
}
