// Signing in and out, what is denied, and the page of one's own account; with JavaScript and without.
import assert from "node:assert/strict";
import { test } from "node:test";
import { accessible } from "./support/accessible.js";
import { makeWorld } from "./support/make.js";
import { png } from "./support/picture.js";
import { act, button, fill, heading, link, place, reads, save, visit } from "./support/see.js";

const ADMIN_PASSWORD = "first-light-of-day-7";
const PASSWORD = "four words in a row";

const { url, person, plainPerson, api } = await makeWorld({
  SPIN_VARIABLE_ACCESS: "public-read", SPIN_VARIABLE_ADMIN_PASSWORD: ADMIN_PASSWORD,
});

/** Fills in the form to sign in. */
async function enter(page, username, password) {
  await page.getByLabel("Username", { exact: true }).fill(username);
  await page.getByLabel("Password", { exact: true }).fill(password);
  await button(page, "Sign in").click();
}

/** Somebody who has signed in. */
async function signedIn(t, username = "admin", password = ADMIN_PASSWORD, somebody = person) {
  // Colours that are on their way are not looked at.
  const page = await somebody(t, { reducedMotion: "reduce" });
  await visit(page, "/wiki/-/sign-in");
  await enter(page, username, password);
  await button(page, "Sign out").waitFor();
  return page;
}

/** Changes the password on the page of one's account. */
async function choose(page, current, chosen) {
  await visit(page, "/wiki/-/account");
  await page.getByLabel("Current password", { exact: true }).fill(current);
  await page.getByLabel("New password", { exact: true }).fill(chosen);
  await button(page, "Change password").click();
  await page.locator("#_changed").waitFor();
}

for (const [kind, somebody] of [["with JavaScript", person], ["without JavaScript", plainPerson]]) {
  // Axe is a script itself.
  const looksRight = somebody === person ? accessible : async () => {};

  test(`somebody signs in, writes, and signs out, ${kind}`, async (t) => {
    const page = await somebody(t, { reducedMotion: "reduce" });
    await visit(page, "/wiki");
    // Nobody is offered what they may not do.
    assert.equal(await place(page, "New page").count(), 0);
    await visit(page, "/wiki/-/new");
    // Not without signing in, and then where they wanted to go.
    await heading(page, "Sign in");
    await looksRight(page, "sign in");
    await enter(page, "admin", "not the password");
    await page.getByRole("alert").getByText("That is not the username and password").waitFor();
    assert.equal(await page.getByLabel("Username", { exact: true }).inputValue(), "admin");
    await looksRight(page, "sign in, refused");
    await page.getByLabel("Password", { exact: true }).fill(ADMIN_PASSWORD);
    await button(page, "Sign in").click();
    await heading(page, "New page");
    assert.equal(await page.getByLabel("Your name", { exact: true }).count(), 0);
    const title = `Written ${kind}`;
    await fill(page, { title, content: "By *somebody*." });
    await save(page, `/wiki/${title.toLowerCase().replaceAll(" ", "-")}`);
    await reads(page, "By somebody.");
    await link(page, "admin").first().waitFor();

    await button(page, "Sign out").click();
    // Back to where they were.
    await visit(page, "/wiki/-/search?q=by+somebody");
    await place(page, "Sign in").click();
    await enter(page, "admin", ADMIN_PASSWORD);
    await page.waitForURL((url) => url.pathname + url.search === "/wiki/-/search?q=by+somebody");
    await button(page, "Sign out").click();
    await place(page, "Sign in").waitFor();
  });

  test(`a token is made, used and revoked, ${kind}`, async (t) => {
    const page = await signedIn(t, "admin", ADMIN_PASSWORD, somebody);
    await page.locator("#_account").click();
    await heading(page, "Your account");
    await page.getByText("New token", { exact: true }).click();
    await page.getByLabel("Token name", { exact: true }).fill(`import ${kind}`);
    await page.getByLabel("Valid for", { exact: true }).selectOption("7 days");
    await page.getByLabel("Access", { exact: true }).selectOption("write");
    await button(page, "Create token").click();
    const token = await page.locator("#_secret").textContent();
    assert.equal((await api("GET", "/account", null, token)).scope, "write");
    await looksRight(page, "account with a new token");

    await visit(page, "/wiki/-/account");
    assert.equal(await page.locator("#_secret").count(), 0, "it is shown once");
    await button(page, `Revoke import ${kind}`).click();
    await button(page, `Revoke import ${kind}`).waitFor({ state: "detached" });
    const answer = await fetch(`${url}/account`, { headers: { authorization: `Bearer ${token}` } });
    assert.equal(answer.status, 401);
  });
}

test("an administrator gives somebody an account, and they are denied what it does not allow", async (t) => {
  const page = await signedIn(t);
  await visit(page, "/wiki/-/users");
  await link(page, "New user").click();
  await heading(page, "New user");
  await accessible(page, "new user");
  await page.getByLabel("Username", { exact: true }).fill("rita");
  await page.getByLabel("Display name", { exact: true }).fill("Rita");
  await page.getByLabel("Role", { exact: true }).selectOption("reader");
  await page.getByLabel("Password", { exact: true }).fill("12345678");
  await button(page, "Create user").click();
  await page.getByRole("alert").getByText("This password is too common").waitFor();
  await accessible(page, "new user with a mistake");
  await page.getByLabel("Password", { exact: true }).fill(PASSWORD);
  await button(page, "Create user").click();
  await heading(page, "Rita");

  const rita = await signedIn(t, "rita", PASSWORD);
  // What somebody else chose is good for one thing.
  await heading(rita, "Your account");
  await rita.getByText("Choose a new password to continue.").waitFor();
  await accessible(rita, "account with a given password");
  await choose(rita, PASSWORD, "a password of her own");
  await visit(rita, "/wiki/-/new", 403);
  await rita.getByText("You can read this wiki, but not edit it.").waitFor();
  await accessible(rita, "denied");
  await visit(rita, "/wiki/-/audit", 403);
  assert.equal(await place(rita, "Audit trail").count(), 0);

  await link(page, "Account").click();
  await page.getByLabel("Role", { exact: true }).selectOption("editor");
  await button(page, "Save").click();
  await heading(page, "Rita");
  await visit(rita, "/wiki/-/new");
});

test("an administrator protects a page and reads the audit trail", async (t) => {
  const page = await signedIn(t);
  await visit(page, "/wiki/-/new");
  await fill(page, { title: "House rules", content: "No shoes." });
  await save(page, "/wiki/house-rules");
  await act(page, "Protect page");
  await page.locator("#_protected").waitFor();
  await accessible(page, "a protected page");
  await place(page, "Audit trail").click();
  await heading(page, "Audit trail");
  await page.getByRole("cell", { name: "page protected" }).first().waitFor();
  await accessible(page, "audit trail");
});

test("a picture comes into a page that is not saved yet, for people with accounts", async (t) => {
  const page = await signedIn(t);
  await visit(page, "/wiki/-/new");
  await fill(page, { title: "Racks", content: "Seven of them." });
  const chooser = page.waitForEvent("filechooser");
  await button(page, "Image or file").click();
  await (await chooser).setFiles([png("racks.png")]);
  await page.waitForFunction(() => /!\[racks\]\(\/files/.test(document.querySelector("#_content").value));
  await save(page, "/wiki/racks");
  const stranger = await person(t);
  await visit(stranger, "/wiki/racks");
  const picture = stranger.getByRole("img", { name: "racks" });
  await picture.waitFor();
  assert.equal(await picture.evaluate((image) => image.decode().then(() => image.naturalWidth)), 1);
});

test("somebody changes their password and signs out everywhere else", async (t) => {
  const page = await signedIn(t);
  await visit(page, "/wiki/-/users/new");
  await page.getByLabel("Username", { exact: true }).fill("eve");
  await page.getByLabel("Password", { exact: true }).fill(PASSWORD);
  await button(page, "Create user").click();
  await heading(page, "eve");
  await choose(await signedIn(t, "eve", PASSWORD), PASSWORD, "four words of eve");
  const [here, there] = [await signedIn(t, "eve", "four words of eve"), await signedIn(t, "eve", "four words of eve")];
  await visit(here, "/wiki/-/account");
  await button(here, "Sign out everywhere else").click();
  await button(here, "Sign out everywhere else").waitFor({ state: "detached" });
  await visit(there, "/wiki");
  await place(there, "Sign in").waitFor();

  await here.getByLabel("Current password", { exact: true }).fill("not it");
  await here.getByLabel("New password", { exact: true }).fill("another four words");
  await button(here, "Change password").click();
  await here.getByRole("alert").getByText("is not your password").waitFor();
  await choose(here, "four words of eve", "another four words");
  await signedIn(t, "eve", "another four words");
});
