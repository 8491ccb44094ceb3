// The server over HTTP; an error is a line for people.

export class ServerError extends Error {}

const read = async (response) => {
  if (response.ok) return response.json();
  let line = `the server refused this (${response.status})`;
  try {
    line = (await response.json()).error || line;
  } catch { /* no JSON: the line stands */ }
  if (response.status === 401) location.reload();  // the session is over: the page asks for the password
  throw new ServerError(line);
};

const reach = async (path, options) => {
  try {
    return await fetch(`hippocam/${path}`, options);
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new ServerError("the server cannot be reached");
  }
};

export const get = async (path, values = {}, options = {}) => {
  const query = new URLSearchParams(Object.entries(values).filter(([, v]) => v !== "" && v !== null && v !== undefined));
  return read(await reach(query.size ? `${path}?${query}` : path, options));
};

export const post = async (path, body = {}) =>
  read(await reach(path, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) }));

export const send = async (path, content) =>
  read(await reach(path, { method: "POST", headers: { "Content-Type": "application/octet-stream" }, body: content }));

export const remove = async (path) => read(await reach(path, { method: "DELETE" }));
