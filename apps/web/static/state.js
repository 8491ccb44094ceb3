// What the page stands at: its address, what this browser keeps, and who is told when something changes.

const VIEWS = ["ask", "search", "library", "cameras", "things", "memory", "jobs", "settings"];
const listeners = new Map();

export const on = (name, handler) => {
  if (!listeners.has(name)) listeners.set(name, new Set());
  listeners.get(name).add(handler);
  return () => listeners.get(name).delete(handler);
};
export const tell = (name, value) => {
  for (const handler of listeners.get(name) || []) handler(value);
};

// The address: v the view, s the stream, t the time in it, q what is asked or searched, and what a view adds.
export const address = () => {
  const values = Object.fromEntries(new URLSearchParams(location.search));
  return { ...values, v: VIEWS.includes(values.v) ? values.v : "ask" };
};

export const go = (changes, { replace = false } = {}) => {
  const values = { ...address(), ...changes };
  if (values.v === "ask") delete values.v;
  for (const [name, value] of Object.entries(values)) if (value === "" || value === null || value === undefined) delete values[name];
  const query = new URLSearchParams(values).toString();
  const target = query ? `?${query}` : location.pathname;
  if (`?${query}` !== location.search) history[replace ? "replaceState" : "pushState"](null, "", target);
  tell("address", address());
};

// Writes into the address without anybody being told: where the player stands while it plays.
export const noteAt = (changes) => {
  const values = new URLSearchParams(location.search);
  for (const [name, value] of Object.entries(changes)) values.set(name, value);
  history.replaceState(null, "", `?${values}`);
};

export const linkTo = (changes) => {
  const url = new URL(location.href);
  url.search = new URLSearchParams(Object.entries(changes).filter(([, value]) => value !== "" && value !== null && value !== undefined)).toString();
  return url.href;
};

// What this browser keeps. Where it keeps nothing (a private window), it is forgotten with the tab.
const inMain = new Map();
export const kept = (name, otherwise) => {
  try {
    const text = localStorage.getItem(`hippocam.${name}`);
    return text === null ? otherwise : JSON.parse(text);
  } catch {
    return inMain.has(name) ? inMain.get(name) : otherwise;
  }
};
export const keep = (name, value) => {
  inMain.set(name, value);
  try {
    localStorage.setItem(`hippocam.${name}`, JSON.stringify(value));
    return true;
  } catch {
    return false;
  }
};

export const conversationsGone = () => {
  keep("conversations", []);
  keep("conversation", "");
};

export const token = () => [...crypto.getRandomValues(new Uint8Array(12))].map((byte) => byte.toString(16).padStart(2, "0")).join("");

// Who this browser is to the server: a name that it made up.
export const visitor = () => {
  let name = kept("visitor", "");
  if (!name) keep("visitor", (name = token()));
  return name;
};

export const applyTheme = (root, theme = kept("theme", "auto")) => {
  const dark = theme === "dark" || (theme === "auto" && matchMedia("(prefers-color-scheme: dark)").matches);
  root.host.dataset.theme = dark ? "dark" : "light";
  document.documentElement.style.background = dark ? "#111315" : "#f6f6f3";
};
