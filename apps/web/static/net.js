// The server over HTTP; an error is a line for people.

export class ServerError extends Error {}

const read = async (response, as = "json") => {
  if (response.ok) return response[as]();
  let line = `the server refused this (${response.status})`;
  try {
    line = (await response.json()).error || line;
  } catch { /* no JSON: the line stands */ }
  if (response.status === 401) location.reload();  // the session is over: the page asks for the password
  throw new ServerError(line);
};

export const reach = async (path, options) => {
  try {
    return await fetch(`hippocam/${path}`, options);
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new ServerError("the server cannot be reached");
  }
};

const asked = (path, values) => {
  const given = Object.entries(values).filter(([, v]) => v !== "" && v !== null && v !== undefined);
  const query = new URLSearchParams(given.flatMap(([name, v]) => (Array.isArray(v) ? v.map((each) => [name, each]) : [[name, v]])));
  return query.size ? `${path}?${query}` : path;
};

export const get = async (path, values = {}, options = {}) => read(await reach(asked(path, values), options));

// What is a file and no JSON.
export const take = async (path, values = {}) => read(await reach(asked(path, values)), "blob");

export const post = async (path, body = {}) =>
  read(await reach(path, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) }));

export const send = async (path, content) =>
  read(await reach(path, { method: "POST", headers: { "Content-Type": "application/octet-stream" }, body: content }));

export const remove = async (path) => read(await reach(path, { method: "DELETE" }));
