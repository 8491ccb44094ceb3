// The frame of the page: rail, view, docked player. Everything is drawn into a shadow tree of its own.

import { el, icon } from "./dom.js";
import { get } from "./net.js";
import { address, applyTheme, go, on, tell } from "./state.js";
import { Player } from "./player.js";
import { closeDialogs, dialogs, toasts } from "./notices.js";
import { Jobs } from "./jobs.js";

const RAIL = [
  ["ask", "Ask"], ["search", "Search"], ["library", "Library"], ["cameras", "Cameras"],
  ["things", "People and things"], ["memory", "Memory"], ["jobs", "Jobs"], ["settings", "Settings"],
];
const STYLES = ["base.css", "player.css", "views.css"];

export async function start(opened) {
  const root = opened.element.attachShadow({ mode: "open" });
  const texts = await Promise.all(STYLES.map(async (name) => (await fetch(`hippocam/static/${name}`)).text()));
  // All rules lie in a layer, to which one outside need not give way: what is hidden is not shown.
  root.adoptedStyleSheets = ["[hidden] { display: none; }", ...texts.map((text) => `@layer page { ${text} }`)].map((text) => {
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(text);
    return sheet;
  });
  applyTheme(root);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => applyTheme(root));
  const page = new Page(root, opened);
  window.hippocam = page;  // for who looks at the page from its console
  await page.open();
}

class Page {
  constructor(root, opened) {
    this.root = root;
    this.opened = opened;
    this.held = { streams: [], may_change: false };
    this.views = new Map();
    this.player = new Player(this);
    this.jobs = new Jobs(this);
    this.main = el("main", { class: "view", id: "view", tabIndex: -1 });
    this.links = new Map();
    root.append(
      el("a", { class: "skip", href: "#view", on: { click: (event) => { event.preventDefault(); this.main.focus(); } } }, "To the content"),
      el("div", { class: "page" }, this.rail(), this.main, this.player.element),
      toasts, dialogs,
    );
  }

  rail() {
    const links = RAIL.map(([name, label]) => {
      const link = el("a", {
        class: "rail-link", href: name === "ask" ? "?" : `?v=${name}`, title: label,
        on: { click: (event) => this.follow(event, name) },
      }, icon(name), el("span", {}, label), el("span", { class: "badge", hidden: true }));
      this.links.set(name, link);
      return link;
    });
    this.budget = el("div", { class: "rail-budget" });
    return el("nav", { class: "rail", "aria-label": "Views" },
      el("div", { class: "brand" }, mark(), el("strong", {}, "Hippocam")), ...links, el("div", { class: "rail-gap" }), this.budget);
  }

  follow(event, name) {
    if (event.metaKey || event.ctrlKey || event.shiftKey) return;
    event.preventDefault();
    const { s, t } = address();
    const clean = Object.fromEntries(Object.keys(address()).map((key) => [key, ""]));
    go({ ...clean, s, t, v: name });
  }

  async open() {
    await this.refresh();
    on("address", () => this.show());
    addEventListener("popstate", () => tell("address", address()));
    document.addEventListener("keydown", (event) => this.key(event));
    await this.show();
    this.jobs.poll();
  }

  // Reads what is held again; views that show it are told.
  async refresh() {
    try {
      this.held = await get("streams");
      this.failed = "";
    } catch (error) {
      this.failed = error.message;
    }
    this.drawBudget();
    tell("held", this.held);
  }

  drawBudget() {
    const { bytes = 0, budget_bytes: budget = 0, streams, memory = "" } = this.held;
    const share = budget ? Math.min(1, bytes / budget) : 0;
    this.budget.replaceChildren(
      el("span", { class: "rail-memory", title: memory }, memory),
      el("span", { class: "meter", role: "img", "aria-label": `${Math.round(share * 100)}% of the budget used` },
        el("i", { style: `width:${Math.max(1, share * 100)}%` })),
      el("span", {}, budget ? `${(bytes / 1e6).toFixed(1)} of ${Number((budget / 1e6).toFixed(budget < 1e7 ? 1 : 0))} MB` : "new memory"),
      el("span", {}, `${streams.length} stream${streams.length === 1 ? "" : "s"}`),
    );
  }

  badge(name, count) {
    const badge = this.links.get(name).querySelector(".badge");
    badge.hidden = !count;
    badge.textContent = count ? String(count) : "";
  }

  async show() {
    const at = address();
    for (const [name, link] of this.links) {
      if (name === at.v) link.setAttribute("aria-current", "page");
      else link.removeAttribute("aria-current");
    }
    if (at.v !== this.shown) {
      closeDialogs();
      this.current?.leave?.();
      const { default: View } = await import(`./view-${at.v}.js`);
      if (address().v !== at.v) return;  // another one was chosen meanwhile
      if (!this.views.has(at.v)) this.views.set(at.v, new View(this));
      this.current = this.views.get(at.v);
      this.shown = at.v;
      this.main.replaceChildren(this.current.element);
      this.main.dataset.view = at.v;
      this.main.scrollTop = 0;
      document.title = `${RAIL.find(([name]) => name === at.v)[1]} · Hippocam`;
    }
    await this.player.follow(at);
    this.current.enter?.(at);
  }

  // A stream by its own name, or by the title that it was given: addresses may have either.
  stream(name) {
    const { streams } = this.held;
    return streams.find((stream) => stream.id === name) || streams.find((stream) => stream.title && stream.title.toLowerCase() === name?.toLowerCase());
  }

  title(name) {
    return this.stream(name)?.title || name;
  }

  // Opens a moment in the player, paused unless it was clicked to be played.
  openMoment(moment, { play = true, replace = false } = {}) {
    this.player.wanted = { ...moment, play };
    go({ s: moment.stream, t: String(Math.round(moment.t0_s * 10) / 10) }, { replace });
  }

  key(event) {
    const target = event.composedPath()[0];
    const typing = target.matches?.("input, textarea, select, [contenteditable]");
    if (event.key === "/" && !typing) {
      const box = this.current?.focusBox?.() || null;
      if (box) { event.preventDefault(); box.focus(); }
    }
    if (typing || event.ctrlKey || event.metaKey || event.altKey) return;
    if (this.player.key(event, target)) event.preventDefault();
  }
}

const mark = () => {
  const made = el("span", { class: "mark" });
  made.innerHTML =
    '<svg viewBox="0 0 24 24" aria-hidden="true"><rect x="1.5" y="4.5" width="21" height="15" rx="4"/>' +
    '<path d="M6 15c2-6 4-6 6-2s4 2 6-4"/><circle cx="18" cy="9" r="1.6"/></svg>';
  return made;
};

