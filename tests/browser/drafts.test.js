// What signed-in people typed and did not save: whose it is, where it is kept, and when it is gone.
import assert from "node:assert/strict";
import { test } from "node:test";
import { makeWorld } from "./support/make.js";
import { button, field, fill, heading, save, visit } from "./support/see.js";

const ADMIN_PASSWORD = "first-light-of-day-7";
const [GIVEN, CHOSEN] = ["given by somebody else", "four words in a row"];

const { url, person } = await makeWorld({
  SPIN_VARIABLE_ACCESS: "public-read", SPIN_VARIABLE_ADMIN_PASSWORD: ADMIN_PASSWORD,
});

/** Signs in without a browser; returns the cookie. */
async function cookie(username, password) {
  const body = new URLSearchParams({ username, password });
  const answer = await fetch(`${url}/wiki/-/sign-in`, {
    method: "POST", body, headers: { "sec-fetch-site": "same-origin" }, redirect: "manual",
  });
  assert.equal(answer.status, 303, await answer.text());
  return answer.headers.get("set-cookie").split(";")[0];
}

/** Calls the API as the holder of a cookie. */
async function call(method, path, body, holder) {
  const headers = { "content-type": "application/json", cookie: holder, "sec-fetch-site": "same-origin" };
  const answer = await fetch(url + path, { method, body: JSON.stringify(body), headers });
  assert.ok(answer.ok, `${method} ${path}: ${answer.status} ${await answer.text()}`);
}

const administrator = await cookie("admin", ADMIN_PASSWORD);
for (const username of ["ann", "ben"]) {
  await call("POST", "/users", { username, password: GIVEN, role: "editor" }, administrator);
  await call("PUT", "/account/password", { current: GIVEN, new: CHOSEN }, await cookie(username, GIVEN));
}

/** Writes a page as the administrator. */
const write = (title, content) => call("POST", "/posts", { title, content }, administrator);

/** Signs in at a person's browser. */
async function signIn(page, username) {
  await visit(page, "/wiki/-/sign-in");
  await page.getByLabel("Username", { exact: true }).fill(username);
  await page.getByLabel("Password", { exact: true }).fill(CHOSEN);
  await button(page, "Sign in").click();
  await button(page, "Sign out").waitFor();
}

/** The drafts that a browser keeps. */
const kept = (page) => page.evaluate(() => Object.keys(localStorage).filter((name) => name.startsWith("wiki:")));

const offers = (page) => page.getByText(/^Unsaved draft from \d/).count();

/** A person of that account, whose browser cannot reach the wiki's drafts, with half a thought in the editor of a page. */
async function halfway(t, username, slug) {
  const page = await person(t);
  page.on("dialog", (dialog) => dialog.accept());
  await signIn(page, username);
  await page.route("**/wiki/-/drafts", (route) => route.abort());
  await visit(page, `/wiki/${slug}/edit`);
  await field(page, "content").fill("Half a thought");
  await page.waitForFunction(() => Object.keys(localStorage).some((name) => name.startsWith("wiki:")));
  return page;
}

test("what one person did not save is not offered to the next at the same browser", async (t) => {
  await write("Shared desk", "As it was.");
  const page = await halfway(t, "ann", "shared-desk");
  // Her session ends without her: it has expired.
  await page.context().clearCookies();
  await signIn(page, "ben");
  await visit(page, "/wiki/shared-desk/edit");
  assert.equal(await offers(page), 0);
  assert.deepEqual(await kept(page), [], "it is not left in his browser");
});

test("a session that has expired is continued with what was typed", async (t) => {
  await write("Long meeting", "As it was.");
  const page = await halfway(t, "ann", "long-meeting");
  await page.context().clearCookies();
  await visit(page, "/wiki/long-meeting");
  await signIn(page, "ann");
  await visit(page, "/wiki/long-meeting/edit");
  await button(page, "Restore").click();
  assert.equal(await field(page, "content").inputValue(), "Half a thought");
});

test("what is typed into a form that came back is still that person's", async (t) => {
  await write("Lunch break", "As it was.");
  const page = await halfway(t, "ann", "lunch-break");
  await page.context().clearCookies();
  await button(page, "Save").click();
  await page.getByRole("alert").getByText("You were signed out.").waitFor();
  await field(page, "content").fill("A whole thought");
  await page.waitForFunction(() => Object.values(localStorage).some((draft) => draft.includes("A whole thought")));
  await signIn(page, "ann");
  await visit(page, "/wiki/lunch-break/edit");
  await button(page, "Restore").click();
  assert.equal(await field(page, "content").inputValue(), "A whole thought");
});

test("signing out leaves nothing in the browser, not even of the last words", async (t) => {
  await write("Hot desk", "As it was.");
  const page = await halfway(t, "ann", "hot-desk");
  // Nothing goes on until the last words would have been kept.
  await page.route("**/wiki/-/sign-out", async (route) => {
    await page.evaluate(() => new Promise((done) => { setTimeout(done, 1000); }));
    await route.continue();
  });
  await field(page, "content").pressSequentially(", and more");
  await button(page, "Sign out").click();
  await page.waitForURL((now) => now.pathname === "/wiki");
  assert.deepEqual(await kept(page), []);
});
