// A wiki with a browser and people in front of it, and its API.
import assert from "node:assert/strict";
import { after } from "node:test";
import { startChromium } from "./chromium.js";
import { startWiki } from "./wiki.js";

/** For anything a page does. Far longer than it takes, for machines that are busy compiling. */
const PATIENCE = 30_000;

/** A world whose wiki is started with further environment variables. It ends with the test file. */
export async function makeWorld(settings) {
  const [wiki, browser] = await Promise.all([startWiki(settings), startChromium()]);
  after(async () => {
    await browser.close();
    wiki.stop();
  });

  /** The wiki's address, without a slash at the end. */
  const { url } = wiki;

  /**
   * A person with a browser of their own: a page, closed when test `t` is over. `options` are those of Playwright's
   * contexts. A script that fails, or something the content security policy stopped, fails the test, unless it is `expected`.
   */
  async function person(t, { expected, ...options } = {}) {
    const context = await browser.newContext({
      baseURL: url, locale: "en-GB", timezoneId: "UTC", viewport: { width: 1280, height: 800 }, ...options,
    });
    context.setDefaultTimeout(PATIENCE);
    const mistakes = [];
    context.on("weberror", (error) => mistakes.push(error.error().message));
    context.on("console", (message) => {
      const text = message.text();
      if (text.includes("Content Security Policy") && !expected?.test(text)) mistakes.push(text);
    });
    t.after(async () => {
      await context.close();
      assert.deepEqual(mistakes, [], "what went wrong in the page");
    });
    return context.newPage();
  }

  /** A person without JavaScript. */
  const plainPerson = (t, options) => person(t, { javaScriptEnabled: false, ...options });

  /** Calls the API, with a token if one is given, and returns its answer's JSON; fails when it refuses. */
  async function api(method, path, body, token) {
    const headers = { "content-type": "application/json", accept: "application/json" };
    if (token) headers.authorization = `Bearer ${token}`;
    const answer = await fetch(url + path, { method, body: body && JSON.stringify(body), headers });
    const text = await answer.text();
    assert.ok(answer.ok, `${method} ${path}: ${answer.status} ${text}`);
    return text && JSON.parse(text);
  }

  return { url, person, plainPerson, api };
}
