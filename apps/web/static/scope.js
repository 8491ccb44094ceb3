// Which videos are meant: a chip that opens a list of all of them, of which any number can be chosen.

import { el, many, picture } from "./dom.js";

// What the chosen ones are called together.
export const named = (page, streams) =>
  !streams.length ? "All videos" : streams.length === 1 ? page.title(streams[0]) : many(streams.length, "video");

export const videoChip = (page, chosen, changed) => {
  const list = el("div", { class: "menu-list", role: "group", "aria-label": "Which videos" });
  const label = el("span", {}, named(page, chosen));
  const menu = el("details", { class: `menu${chosen.length ? " on" : ""}` }, el("summary", { class: `chip${chosen.length ? " on" : ""}`, title: "Which videos" }, label), list);
  const wanted = new Set(chosen);
  const tell = () => {
    label.textContent = named(page, [...wanted]);
    menu.classList.toggle("on", wanted.size > 0);
    menu.firstChild.classList.toggle("on", wanted.size > 0);
    every.checked = !wanted.size;
    changed(page.held.streams.map((stream) => stream.id).filter((id) => wanted.has(id)));
  };
  const boxes = [];
  const row = (box, told, image) => el("label", { class: "menu-row" }, box, image, el("span", {}, told));
  const every = el("input", { type: "checkbox", checked: !chosen.length, on: { change: () => { wanted.clear(); for (const box of boxes) box.checked = false; tell(); } } });
  list.append(row(every, "All videos"));
  for (const stream of page.held.streams) {
    const box = el("input", { type: "checkbox", value: stream.id, checked: wanted.has(stream.id), on: { change: () => { if (box.checked) wanted.add(stream.id); else wanted.delete(stream.id); tell(); } } });
    boxes.push(box);
    list.append(row(box, stream.title || stream.id, stream.picture ? el("span", { class: "menu-picture" }, picture(stream.picture)) : null));
  }
  const outside = (event) => { if (!event.composedPath().includes(menu)) menu.open = false; };
  menu.addEventListener("toggle", () => page.root[menu.open ? "addEventListener" : "removeEventListener"]("pointerdown", outside));
  menu.addEventListener("keydown", (event) => { if (event.key === "Escape" && menu.open) { menu.open = false; menu.firstChild.focus(); event.stopPropagation(); } });
  return menu;
};
