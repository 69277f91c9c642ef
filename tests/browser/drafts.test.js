// What signed-in people typed and did not save: whose it is, where it is kept, and when it is gone.
import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { makeWorld } from "./support/make.js";
import { button, field, fill, link, save, visit } from "./support/see.js";

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

/** A person with half a thought in the editor of a page, whose browser cannot reach the wiki's drafts. */
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
    await pause(1000);
    await route.continue();
  });
  await field(page, "content").pressSequentially(", and more");
  await button(page, "Sign out").click();
  await page.waitForURL((now) => now.pathname === "/wiki");
  assert.deepEqual(await kept(page), []);
});

/** Waits until the wiki answers a draft that the page sends with this status. */
const answered = (page, status) => page.waitForResponse((answer) => {
  const isDraft = new URL(answer.url()).pathname === "/wiki/-/drafts" && answer.request().method() === "POST";
  return isDraft && answer.status() === status;
});

/** How many drafts with that title a person has. */
async function drafts(page, title) {
  await visit(page, "/wiki/-/drafts");
  return page.locator("#_drafts > li").filter({ has: page.getByRole("link", { name: title, exact: true }) }).count();
}

test("a new page that is taken up again is one draft", async (t) => {
  const page = await person(t);
  page.on("dialog", (dialog) => dialog.accept());
  await signIn(page, "ann");
  await visit(page, "/wiki/-/new");
  await fill(page, { title: "Idea", content: "Once." });
  await answered(page, 204);
  // The last words do not reach the wiki.
  await page.route("**/wiki/-/drafts", (route) => route.abort());
  await field(page, "content").fill("Once, and again.");
  await page.waitForFunction(() => Object.values(localStorage).some((draft) => draft.includes("again")));
  await page.unroute("**/wiki/-/drafts");
  await visit(page, "/wiki");
  await visit(page, "/wiki/-/new");
  await button(page, "Restore").click();
  await field(page, "content").pressSequentially(" And more.");
  await answered(page, 204);
  assert.equal(await drafts(page, "Idea"), 1);
  await link(page, "Idea").click();
  assert.equal(await field(page, "content").inputValue(), "Once, and again. And more.");
  await save(page, "/wiki/idea");
  assert.equal(await drafts(page, "Idea"), 0);
});

test("a draft that was continued elsewhere is not overwritten", async (t) => {
  await write("Two desks", "As it was.");
  const [home, work] = [await person(t), await person(t)];
  for (const page of [home, work]) {
    page.on("dialog", (dialog) => dialog.accept());
    await signIn(page, "ben");
    await visit(page, "/wiki/two-desks/edit");
  }
  await field(home, "content").fill("At home.");
  await answered(home, 204);
  await field(work, "content").fill("At work.");
  await answered(work, 412);
  await work.getByText("What you type here is kept in this browser only.").waitFor();
  // The next time, both are there.
  await visit(work, "/wiki/two-desks/edit");
  await work.getByText(/^Unsaved draft from \d.*, in this browser\.$/).waitFor();
  assert.equal(await offers(work), 2);
  await work.locator("#_local-draft").getByRole("button", { name: "Restore" }).click();
  assert.equal(await field(work, "content").inputValue(), "At work.");
  // The other is discarded without leaving the form, and this one takes its place.
  await work.locator("#_draft").getByRole("button", { name: "Discard" }).click();
  await answered(work, 204);
  assert.equal(await field(work, "content").inputValue(), "At work.");
  await work.getByText("What you type here is kept in this browser only.").waitFor({ state: "detached" });
  await visit(home, "/wiki/two-desks/edit");
  await link(home, "Restore").click();
  assert.equal(await field(home, "content").inputValue(), "At work.");
});

test("who else is editing is said while one writes", async (t) => {
  await write("Two at once", "As it was.");
  const [ann, ben] = [await person(t), await person(t)];
  for (const [page, name] of [[ann, "ann"], [ben, "ben"]]) {
    page.on("dialog", (dialog) => dialog.accept());
    await signIn(page, name);
    await visit(page, "/wiki/two-at-once/edit");
    assert.equal((await page.locator("#_others").textContent()).trim(), "");
  }
  await field(ann, "content").fill("By Ann.");
  await answered(ann, 204);
  await field(ben, "content").fill("By Ben.");
  await ben.getByRole("status").getByText("ann is editing this page.").waitFor();
  await field(ann, "content").fill("By Ann, again.");
  await ann.getByRole("status").getByText("ben is editing this page.").waitFor();
  // The draft is kept, and says when.
  await ann.getByText(/^Draft kept at \d\d:\d\d$/).waitFor();
});

test("Discard takes the draft along", async (t) => {
  await write("Taken along", "As it was.");
  const page = await person(t);
  page.on("dialog", (dialog) => dialog.accept());
  await signIn(page, "ann");
  await visit(page, "/wiki/taken-along/edit");
  await field(page, "content").fill("Never mind.");
  await answered(page, 204);
  await link(page, "Discard").click();
  await page.waitForURL("**/wiki/taken-along");
  await visit(page, "/wiki/taken-along/edit");
  assert.equal(await offers(page), 0);
  assert.equal(await drafts(page, "Taken along"), 0);
});

test("a draft of a new page comes back where it belongs", async (t) => {
  await write("Above it", "x");
  const page = await person(t);
  page.on("dialog", (dialog) => dialog.accept());
  await signIn(page, "ann");
  await visit(page, "/wiki/above-it");
  const { post_id } = (await (await fetch(`${url}/posts?slug=above-it`)).json()).posts[0];
  await visit(page, `/wiki/-/new?parent=${post_id}`);
  await fill(page, { title: "Placed draft", content: "x" });
  await answered(page, 204);
  await visit(page, "/wiki/-/drafts");
  await link(page, "Placed draft").click();
  await page.getByRole("navigation", { name: "Where this page is" }).getByRole("link", { name: "Above it" }).waitFor();
  await save(page, "/wiki/placed-draft");
  await page.getByRole("navigation", { name: "Where this page is" }).getByRole("link", { name: "Above it" }).waitFor();
});
