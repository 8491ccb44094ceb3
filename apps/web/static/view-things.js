// People and things: a card each with its visits; what was linked wrongly can be merged, split and undone.

import { button, clock, el, empty, iconButton, lasting, many, picture, range } from "./dom.js";
import { get, post } from "./net.js";
import { attempt, confirmed, notice } from "./notices.js";
import { address, go, on } from "./state.js";

const VISITS = 6;

export default class Things {
  constructor(page) {
    this.page = page;
    this.chosen = new Set();
    this.stream = el("select", { class: "chip", "aria-label": "Which videos", on: { change: () => go({ in: this.stream.value }, { replace: true }) } });
    this.label = el("select", { class: "chip", "aria-label": "Kind of thing", on: { change: () => go({ kind: this.label.value }, { replace: true }) } });
    this.told = el("span", { class: "soft" });
    this.bar = el("div", { class: "chosen-bar", hidden: true });
    this.grid = el("div", { class: "tiles" });
    this.element = el("section", { class: "people" }, el("div", { class: "view-head" }, el("h1", {}, "People and things"), this.told, el("span", { class: "gap" }), this.stream, this.label), this.bar, this.grid);
    on("held", () => { this.stale = true; });
  }

  enter(at) {
    const wanted = `${at.in || ""}|${at.kind || ""}`;
    if (wanted !== this.asked || this.stale) { this.asked = wanted; this.stale = false; this.look(at); }
    else this.page.player.setMoments(this.moments || []);
  }

  leave() { this.page.player.setMoments([]); }

  async look(at = address()) {
    try {
      this.found = await get("things", { stream: at.in || "", label: at.kind || "" });
    } catch (error) {
      this.told.textContent = "";
      return this.grid.replaceChildren(empty("Nobody and nothing yet", error.message));
    }
    const option = (value, told, chosen) => el("option", { value, selected: value === chosen }, told);
    this.stream.replaceChildren(option("", "All videos", at.in || ""), ...this.page.held.streams.map((one) => option(one.id, one.title || one.id, at.in)));
    const labels = new Set([...(this.labels || []), ...this.found.labels]);
    this.labels = labels;
    this.label.replaceChildren(option("", "Any kind", at.kind || ""), ...[...labels].sort().map((one) => option(one, one, at.kind)));
    this.chosen.clear();
    this.draw();
    return undefined;
  }

  draw() {
    const { things, total } = this.found;
    this.told.textContent = many(total, "thing");
    things.sort((one, other) => other.sure - one.sure);  // what is sure first, by time
    this.moments = things.flatMap((thing) => thing.spans.map(([, t0, t1]) => this.moment(thing, t0, t1)));
    this.page.player.setMoments(this.moments);
    this.grid.replaceChildren(...(things.length ? things.map((thing) => this.tile(thing)) : [
      empty("Nobody and nothing yet", "What the detector tells apart in a video stands here: people, cars, animals and other things, with every visit. Nobody has a name.")]));
    this.drawBar();
  }

  moment(thing, t0, t1) {
    return { stream: thing.stream, t0_s: t0, t1_s: t1 ?? thing.last_s, frame_s: thing.picture_s ?? undefined, picture: thing.picture };
  }

  tile(thing) {
    const may = this.page.held.may_change;
    const [left, top, right, bottom] = thing.box.map((edge) => Math.round(1000 * edge) / 10);
    const choose = el("input", { type: "checkbox", class: "choose", checked: this.chosen.has(thing.id), "aria-label": `Choose this ${thing.label}`,
      on: { change: () => { if (choose.checked) this.chosen.add(thing.id); else this.chosen.delete(thing.id); this.drawBar(); } } });
    const colours = [...new Set(thing.seen.flatMap((visit) => visit.colours).filter(Boolean))].slice(0, 3);
    const visits = thing.spans.slice(0, VISITS).map(([id, t0, t1], index) => el("li", {},
      el("button", { type: "button", class: "jump", on: { click: () => this.page.openMoment(this.moment(thing, t0, t1)) } }, t1 === null ? `since ${clock(t0)}` : range(t0, t1)),
      thing.seen[index].cut_off ? el("span", { class: "soft", title: "The watching broke off while it was in sight" }, " cut off") : null,
      may && thing.spans.length > 1 ? iconButton("cut", "This visit was somebody else's: split it off", () => this.split(id)) : null));
    const best = thing.spans.find(([, t0, t1]) => thing.exemplar_s >= t0 && thing.exemplar_s <= (t1 ?? Infinity)) || thing.spans[0];
    return el("article", { class: "tile thing", data: { id: thing.id } },
      el("button", { type: "button", class: "poster", "aria-label": `Play the visit of this ${thing.label}`, on: { click: () => this.page.openMoment(this.moment(thing, best[1], best[2])) } },
        el("span", { class: "boxed" }, picture(thing.picture), thing.framed ? el("i", { class: "box", style: `left:${left}%;top:${top}%;width:${right - left}%;height:${bottom - top}%` }) : null)),
      may ? choose : null,
      el("div", { class: "tile-body" },
        el("h2", {}, thing.sure ? "" : el("span", { class: "soft", title: "The detector saw it seldom, or not well" }, "perhaps "), thing.label, colours.length ? el("span", { class: "soft" }, ` in ${colours.join(", ")}`) : ""),
        el("p", { class: "soft" }, `${this.page.title(thing.stream)} · ${many(thing.visits, "visit")} · ${lasting(thing.seconds)} in all`),
        el("ul", { class: "visits" }, ...visits, thing.spans.length > VISITS ? el("li", { class: "soft" }, `and ${thing.spans.length - VISITS} more`) : null)));
  }

  drawBar() {
    const ids = [...this.chosen];
    const changes = this.found?.changes || [];
    this.bar.hidden = !ids.length && !changes.length;
    const own = ids.map((id) => this.found.things.find((thing) => thing.id === id)).filter(Boolean);
    const alike = own.length === 2 && own[0].stream === own[1].stream;
    this.bar.replaceChildren(
      ids.length ? el("strong", {}, `${ids.length} chosen`) : "",
      alike ? button("They are one: merge", () => this.merge(own), { kind: "small primary" }) : ids.length ? el("span", { class: "soft" }, "Choose two of one video to merge them.") : "",
      el("span", { class: "gap" }),
      changes.length ? button(`Undo the last ${changes[0].kind}`, () => this.undo(changes[0]), { kind: "small" }) : "");
  }

  async merge([one, other]) {
    const [into, from] = one.first_s <= other.first_s ? [one, other] : [other, one];
    if (!(await confirmed("Are they the same?", [el("p", {}, `Both then count as one ${into.label}, with ${many(into.visits + from.visits, "visit")}. It can be undone.`)], "Merge"))) return;
    if (await attempt(() => post("things/merge", { into: into.id, other: from.id }))) { notice("Merged."); this.look(); }
  }

  async split(visit) {
    if (await attempt(() => post("things/split", { visit }))) { notice("Split off: it counts as somebody else now."); this.look(); }
  }

  async undo(change) {
    if (await attempt(() => post("things/undo", { change: change.change }))) { notice("Undone."); this.look(); }
  }
}
