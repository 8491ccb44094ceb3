// Elements, icons and words for people. Text from the server is only ever set as text here, never as HTML.

export const el = (tag, props = {}, ...children) => {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(props)) {
    if (value === undefined || value === null || value === false) continue;
    if (name === "class") made.className = value;
    else if (name === "on") for (const [event, handler] of Object.entries(value)) made.addEventListener(event, handler);
    else if (name === "data") Object.assign(made.dataset, value);
    else if (name === "style") made.style.cssText = value;
    else if (name in made && !name.startsWith("aria") && name !== "list") made[name] = value;
    else made.setAttribute(name, value === true ? "" : value);
  }
  made.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return made;
};

const PATHS = {
  ask: "M4 5h16v11H9l-5 4z",
  search: "M11 4a7 7 0 1 0 0 14 7 7 0 0 0 0-14zM20 20l-4-4",
  library: "M3 5h18v14H3zM3 9h18M8 5v4M16 5v4M10 12l5 2.5-5 2.5z",
  cameras: "M3 7h12v10H3zM15 11l6-3v8l-6-3",
  things: "M9 11a3.5 3.5 0 1 0 0-7 3.5 3.5 0 0 0 0 7zM3 20c0-4 3-6 6-6s6 2 6 6M15 4.5a3.5 3.5 0 0 1 0 6.5M17 14c2.500.5 4 2.500 4 6",
  memory: "M4 18V9M9 18V5M14 18v-7M19 18v-4M3 21h18",
  jobs: "M5 12a7 7 0 1 1 2 5M5 12l-2-2M5 12l2-2M12 8v4l3 2",
  settings: "M12 9a3 3 0 1 0 0 6 3 3 0 0 0 0-6zM12 3v3M12 18v3M3 12h3M18 12h3M5.600 5.600l2.100 2.100M16.300 16.300l2.100 2.100M18.400 5.600l-2.100 2.100M7.700 16.300l-2.100 2.100",
  pin: "M9 4h6l-1 6 3 3H7l3-3zM12 13v7",
  sound: "M4 9h4l5-4v14l-5-4H4zM16 9a4 4 0 0 1 0 6M18.500 6.500a8 8 0 0 1 0 11",
  muted: "M4 9h4l5-4v14l-5-4H4zM17 10l4 4M21 10l-4 4",
  check: "M5 12.500l4.500 4.500L19 7.500",
  close: "M6 6l12 12M18 6L6 18",
  more: "M5 12h.01M12 12h.01M19 12h.01",
  zones: "M4 7l7-3 9 5-3 10-11-1zM4 7h.01M11 4h.01M20 9h.01M17 19h.01M6 18h.01",
  add: "M12 5v14M5 12h14",
  play: "M8 5l11 7-11 7z",
  loop: "M4 12a6 6 0 0 1 6-6h9M19 6l-3-3M19 6l-3 3M20 12a6 6 0 0 1-6 6H5M5 18l3-3M5 18l3 3",
  link: "M10 14a4 4 0 0 0 6 0l3-3a4 4 0 0 0-6-6l-1 1M14 10a4 4 0 0 0-6 0l-3 3a4 4 0 0 0 6 6l1-1",
  cut: "M6 8a2 2 0 1 0 0-4 2 2 0 0 0 0 4zM6 20a2 2 0 1 0 0-4 2 2 0 0 0 0 4zM8 7l12 10M8 17L20 7",
  why: "M12 18h.01M9 9a3 3 0 1 1 4 3c-1 .5-1 1-1 2",
  like: "M4 4h7v7H4zM13 13h7v7h-7zM13 4h7v7h-7z",
  send: "M5 12h13M12 5l7 7-7 7",
  stop: "M7 7h10v10H7z",
  previous: "M15 6l-6 6 6 6",
  next: "M9 6l6 6-6 6",
  edit: "M4 20h4L19 9l-4-4L4 16z",
  trash: "M5 7h14M9 7V4h6v3M7 7l1 13h8l1-13",
  down: "M12 4v12M6 11l6 6 6-6M5 21h14",
};

export const icon = (name) => {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("aria-hidden", "true");
  svg.classList.add("icon");
  const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
  path.setAttribute("d", PATHS[name] || "");
  svg.append(path);
  return svg;
};

export const button = (label, handler, { kind = "", icon: name, title, ...rest } = {}) =>
  el("button", { type: "button", class: `button ${kind}`, title, on: { click: handler }, ...rest }, name ? icon(name) : null, label);

export const iconButton = (name, label, handler, { kind = "", ...rest } = {}) =>
  el("button", { type: "button", class: `icon-button ${kind}`, title: label, "aria-label": label, on: { click: handler }, ...rest }, icon(name));

// Times from here on are dates, as the server has it.
const DATES_FROM_S = 1e9;
export const isDate = (seconds) => seconds >= DATES_FROM_S;

export const clock = (seconds, tenths = false) => {
  if (!Number.isFinite(seconds)) return "";
  if (isDate(seconds)) {
    const date = new Date(seconds * 1000);
    const time = date.toLocaleTimeString([], { hour12: false });
    return date.toDateString() === new Date().toDateString() ? time : `${date.toLocaleDateString(undefined, { day: "2-digit", month: "short" })} ${time}`;
  }
  const whole = Math.max(0, Math.floor(seconds));
  const two = (n) => String(n).padStart(2, "0");
  const [hours, minutes] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60];
  const tail = tenths && seconds % 1 >= 0.05 ? `.${Math.floor((seconds % 1) * 10)}` : "";
  return (hours ? `${hours}:${two(minutes)}:${two(whole % 60)}` : `${minutes}:${two(whole % 60)}`) + tail;
};

export const range = (t0, t1) => `${clock(t0)} – ${isDate(t0) ? clock(t1).split(" ").pop() : clock(t1)}`;

// A length of time in words: "2 h 5 min".
export const lasting = (seconds) => {
  if (!Number.isFinite(seconds)) return "";
  if (seconds < 60) return `${Math.round(seconds)} s`;
  if (seconds < 3600) return `${Math.round(seconds / 60)} min`;
  if (seconds < 172800) return `${Math.floor(seconds / 3600)} h ${Math.round((seconds % 3600) / 60)} min`;
  if (seconds < 86400 * 60) return `${Math.round(seconds / 86400)} days`;
  if (seconds < 86400 * 730) return `${Math.round(seconds / 86400 / 30.4)} months`;
  return `${Math.round(seconds / 86400 / 365)} years`;
};

export const bytes = (count) =>
  count >= 1e9 ? `${(count / 1e9).toFixed(1)} GB` : count >= 1e5 ? `${(count / 1e6).toFixed(1)} MB` : `${Math.round(count / 1e3)} kB`;

export const many = (count, word, plural = `${word}s`) => `${count.toLocaleString("en")} ${count === 1 ? word : plural}`;

export const empty = (title, text, ...actions) => el("div", { class: "empty" }, el("h2", {}, title), el("p", {}, text), ...actions);

export const picture = (id, alt = "") => {
  const image = el("img", { src: id ? `hippocam/picture/${id}` : "", alt, loading: "lazy", decoding: "async" });
  const lost = () => el("span", { class: "no-picture" }, "picture given up for the budget");
  if (!id) return lost();
  image.addEventListener("error", () => image.replaceWith(lost()));
  return image;
};

export const debounced = (work, wait_ms) => {
  let timer = 0;
  return (...given) => {
    clearTimeout(timer);
    timer = setTimeout(() => work(...given), wait_ms);
  };
};

export const save = (name, text, type) => saveBlob(name, new Blob([text], { type }));

export const saveBlob = (name, blob) => {
  const link = el("a", { href: URL.createObjectURL(blob), download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
};
