// What every test file has: a wiki, a browser, people in front of it, and the API to prepare what they find.
import assert from "node:assert/strict";
import { after } from "node:test";
import { startChromium } from "./chromium.js";
import { startWiki } from "./wiki.js";

/** For anything a page does. Far longer than it takes, for machines that are busy compiling. */
const PATIENCE = 30_000;

const [wiki, browser] = await Promise.all([startWiki(), startChromium()]);
after(async () => {
  await browser.close();
  wiki.stop();
});

/** The wiki's address, without a slash at the end. */
export const url = wiki.url;

/**
 * A person with a browser of their own: a page, closed when test `t` is over. `options` are those of Playwright's
 * contexts. A script that fails, or something the content security policy stopped, fails the test.
 */
export async function person(t, options = {}) {
  const context = await browser.newContext({
    baseURL: url, locale: "en-GB", timezoneId: "UTC", viewport: { width: 1280, height: 800 }, ...options,
  });
  context.setDefaultTimeout(PATIENCE);
  const mistakes = [];
  context.on("weberror", (error) => mistakes.push(error.error().message));
  context.on("console", (message) => {
    if (message.text().includes("Content Security Policy")) mistakes.push(message.text());
  });
  t.after(async () => {
    await context.close();
    assert.deepEqual(mistakes, [], "what went wrong in the page");
  });
  return context.newPage();
}

/** A person without JavaScript. */
export const plainPerson = (t, options) => person(t, { javaScriptEnabled: false, ...options });

/** Calls the API, and returns its answer's JSON; fails when it refuses. */
export async function api(method, path, body) {
  const answer = await fetch(url + path, {
    method, body: body && JSON.stringify(body), headers: { "content-type": "application/json", accept: "application/json" },
  });
  const text = await answer.text();
  assert.ok(answer.ok, `${method} ${path}: ${answer.status} ${text}`);
  return text && JSON.parse(text);
}

const users = new Map();

/** The number of the user with that name. */
export async function user(username) {
  if (!users.has(username)) users.set(username, (await api("POST", "/users", { username })).id);
  return users.get(username);
}

/** Writes a page through the API, as Ada unless `fields` say otherwise; returns it. */
export async function write(title, content, fields = {}) {
  return api("POST", "/posts", { user_id: await user("Ada"), title, content, ...fields });
}

/** Edits a page through the API, on top of what it is; returns it as it is now. */
export async function rewrite(post, content, fields = {}) {
  const { version } = await api("GET", `/posts/${post.post_id}`);
  return api("PUT", `/posts/${post.post_id}`, { user_id: await user("Ada"), version, content, ...fields });
}

/** The address of a page, or of a view of it. */
export const at = (slug, view = "") => `/wiki/${encodeURIComponent(slug)}${view && `/${view}`}`;
