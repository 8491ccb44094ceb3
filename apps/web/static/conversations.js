// Conversations that this browser keeps: a title and turns, each a question with its answer.

import { keep, kept, token } from "./state.js";

const MOST = 40;
const MOST_TURNS = 60;

export const conversations = () => kept("conversations", []);

const store = (list) => {
  let most = Math.min(MOST, list.length);
  while (!keep("conversations", list.slice(0, most)) && most > 1) most = Math.floor(most / 2);  // the browser's room is used up
};

export const begun = () => ({ id: token(), title: "", turns: [], at: Date.now() });

export const saved = (conversation) => {
  if (!conversation.turns.length) return;
  const turns = conversation.turns.slice(-MOST_TURNS);
  const title = conversation.title || turns[0].question.slice(0, 60);
  store([{ ...conversation, title, turns, at: Date.now() }, ...conversations().filter((one) => one.id !== conversation.id)]);
};

export const renamed = (id, title) => store(conversations().map((one) => (one.id === id ? { ...one, title } : one)));
export const deleted = (id) => store(conversations().filter((one) => one.id !== id));
export const found = (id) => conversations().find((one) => one.id === id);

const stamp = (seconds) => new Date(seconds * 1000).toISOString().slice(11, 19);

// A conversation as Markdown, for people and notebooks.
export const markdown = (conversation, title) =>
  [`# ${conversation.title}`, ...conversation.turns.flatMap(({ question, answer, error }) => [
    "", `## ${question}`, "", answer ? `**${answer.verdict}** ${answer.text}` : error || "",
    ...(answer?.evidence || []).map((moment, index) =>
      `${index + 1}. ${title(moment.stream)}, ${stamp(moment.t0_s)} to ${stamp(moment.t1_s)} (${moment.sure})${moment.looks_like ? `: ${moment.looks_like}` : ""}`),
  ])].join("\n") + "\n";
