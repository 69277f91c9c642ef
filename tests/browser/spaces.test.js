// Spaces, groups and access, as an administrator sets them; with JavaScript and without.
import assert from "node:assert/strict";
import { before, test } from "node:test";
import { accessible } from "./support/accessible.js";
import { makeWorld } from "./support/make.js";
import { act, button, heading, link, place, visit } from "./support/see.js";

const ADMIN_PASSWORD = "first-light-of-day-7";

const { url, person, plainPerson } = await makeWorld({
  SPIN_VARIABLE_ACCESS: "public-read", SPIN_VARIABLE_ADMIN_PASSWORD: ADMIN_PASSWORD,
});

let cookie;

/** Calls the API as the administrator. */
async function call(method, path, body) {
  const headers = { "content-type": "application/json", accept: "application/json", cookie };
  const answer = await fetch(url + path, { method, headers, body: body && JSON.stringify(body) });
  assert.ok(answer.ok, `${method} ${path}: ${answer.status}`);
  return answer.json();
}

before(async () => {
  const body = new URLSearchParams({ username: "admin", password: ADMIN_PASSWORD });
  const answer = await fetch(`${url}/wiki/-/sign-in`, { method: "POST", body, redirect: "manual" });
  cookie = answer.headers.get("set-cookie").split(";")[0];
  await call("POST", "/users", { username: "ada", password: "four words in a row", role: "editor" });
  await call("POST", "/groups", { name: "Operations", description: "Who is on call" });
});

/** The administrator, in a browser. */
async function administrator(t, somebody, options = {}) {
  const page = await somebody(t, { reducedMotion: "reduce", ...options });
  const [name, value] = cookie.split("=");
  await page.context().addCookies([{ name, value, url }]);
  return page;
}

test("people are suggested where somebody is added", async (t) => {
  await call("POST", "/users", { username: "emil", name: "Amelie Emil", password: "four words in a row", role: "editor" });
  await call("POST", "/users", { username: "emma", password: "four words in a row", role: "editor" });
  const group = await call("POST", "/groups", { name: "Suggested", description: "" });
  const page = await administrator(t, person);
  await visit(page, `/wiki/-/groups/${group.group_id}`);
  const username = page.getByRole("combobox", { name: "Username" });
  const options = page.getByRole("listbox", { name: "People" }).getByRole("option");
  await username.pressSequentially("@em");
  await options.filter({ hasText: "emma" }).waitFor();
  assert.deepEqual(await options.allTextContents(), ["Amelie Emil @emil", "emma"]);
  await accessible(page, "people suggested");
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("Enter");
  // Taken over, and not sent yet.
  assert.equal(await username.inputValue(), "emil");
  assert.equal(await options.count(), 0);
  await page.keyboard.press("Enter");
  await page.locator("#_members").getByRole("link", { name: "Amelie Emil" }).waitFor();

  await call("POST", "/posts", { title: "Narrowed", content: "x" });
  await visit(page, "/wiki/narrowed/access");
  const added = page.getByRole("group", { name: "Add a person" }).getByRole("combobox", { name: "Username" });
  await added.pressSequentially("amel");
  await options.first().click();
  assert.equal(await added.inputValue(), "emil");
  await added.pressSequentially("x");
  await page.keyboard.press("Escape");
  assert.equal(await options.count(), 0);
});

for (const [kind, somebody] of [["with JavaScript", person], ["without JavaScript", plainPerson]]) {
  // Axe is a script itself.
  const looksRight = somebody === person ? accessible : async () => {};
  const name = `Board ${kind}`;
  const address = `/wiki/-/spaces/${name.toLowerCase().replaceAll(" ", "-")}`;

  test(`a space is made and opened to some, ${kind}`, async (t) => {
    const page = await administrator(t, somebody);
    await visit(page, "/wiki");
    await place(page, "Spaces").click();
    await heading(page, "Spaces");
    await page.getByText("New space", { exact: true }).click();
    await page.getByLabel("Name", { exact: true }).fill(name);
    await page.getByLabel("Icon", { exact: true }).fill("abc");
    await page.getByLabel("No access", { exact: true }).check();
    await looksRight(page, "new space");
    await button(page, "Create space").click();
    await page.getByRole("alert").getByText("Icon must be an emoji").click();
    assert.ok(await page.getByLabel("No access", { exact: true }).isChecked());
    await looksRight(page, "new space, refused");
    await page.getByLabel("Icon", { exact: true }).fill("🌴");
    await button(page, "Create space").click();
    await page.waitForURL(`**${address}`);
    await looksRight(page, "space");

    await link(page, "Settings").click();
    await page.getByRole("group", { name: "Add a person" }).getByLabel("Username").fill("grace");
    await page.getByRole("combobox", { name: "Role of the person" }).selectOption("Can write");
    await page.getByRole("combobox", { name: "Group", exact: true }).selectOption("Operations");
    await button(page, "Save access").click();
    await page.getByRole("alert").getByText("There is no user with the username “grace”.").waitFor();
    await looksRight(page, "settings, refused");
    await page.getByRole("group", { name: "Add a person" }).getByLabel("Username").fill("ada");
    await button(page, "Save access").click();
    await page.getByRole("status").getByText("Saved.").waitFor();
    await looksRight(page, "settings");
    assert.equal(await page.getByRole("combobox", { name: "ada" }).inputValue(), "write");
    await page.getByRole("combobox", { name: "Operations group" }).selectOption("Remove");
    await button(page, "Save access").click();
    await page.getByRole("combobox", { name: "Operations group" }).waitFor({ state: "detached" });
    assert.ok(await page.getByLabel("No access", { exact: true }).isChecked());

    await link(page, "Delete space").click();
    await looksRight(page, "delete a space");
    await button(page, "Delete space").click();
    await heading(page, "Spaces");
    assert.equal(await link(page, name).count(), 0);
  });
}

test("a group has members, and a page has access of its own", async (t) => {
  const page = await administrator(t, person);
  await visit(page, "/wiki/-/groups");
  await accessible(page, "groups");
  await link(page, "Operations").click();
  await page.getByLabel("Username", { exact: true }).fill("ada");
  await button(page, "Add").click();
  await button(page, "Remove ada").waitFor();
  await accessible(page, "group");

  await call("POST", "/posts", { title: "Salaries", content: "Ask Ada." });
  await visit(page, "/wiki/salaries");
  await act(page, "Access");
  await page.getByLabel("As set here:").check();
  await page.getByLabel("No access", { exact: true }).check();
  await page.getByRole("combobox", { name: "Group", exact: true }).selectOption("Operations");
  await button(page, "Save access").click();
  await page.getByRole("combobox", { name: "Operations group" }).waitFor();
  await accessible(page, "access to a page");
  assert.equal((await fetch(`${url}/wiki/salaries`)).status, 404);
});

test("on a telephone, and from right to left, no page is wider than the screen", async (t) => {
  const options = { viewport: { width: 360, height: 740 }, isMobile: true, hasTouch: true, deviceScaleFactor: 2 };
  const page = await administrator(t, person, options);
  const name = "Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamten";
  const { space_id: space, slug } = await call("POST", "/spaces", { name, description: name, icon: "🧑‍🤝‍🧑" });
  const { group_id: group } = await call("POST", "/groups", { name });
  const access = { everybody: "read", entries: [{ group_id: group, role: "administer" }] };
  await call("PUT", `/spaces/${space}/access`, access);
  const { slug: title } = await call("POST", "/posts", { title: name, content: "x", space_id: space });
  const at = `/wiki/-/spaces/${encodeURIComponent(slug)}`;
  for (const path of [
    "/wiki/-/spaces", at, `${at}/settings`, `${at}/delete`, "/wiki/-/groups", `/wiki/-/groups/${group}`,
    `/wiki/${encodeURIComponent(title)}/access`,
  ]) {
    await visit(page, path);
    for (const direction of ["ltr", "rtl"]) {
      const wide = await page.evaluate((direction) => {
        document.documentElement.dir = direction;
        for (const details of document.querySelectorAll("details")) details.open = true;
        return document.scrollingElement.scrollWidth;
      }, direction);
      assert.ok(wide <= 360, `${path}, ${direction}: ${wide}`);
    }
  }
});

test("a page is dragged into another space only if one agrees, for others may read it there", async (t) => {
  const space = await call("POST", "/spaces", { name: "Vault" });
  const inside = await call("POST", "/posts", { title: "Inside", content: "x", space_id: space.space_id });
  await call("POST", "/posts", { title: "Outside", content: "x" });
  const page = await administrator(t, person);
  await visit(page, "/wiki/inside");
  // The other space is opened; it stays so.
  const outside = page.locator("#_branches a", { hasText: "Outside" });
  await page.locator("#_branches li[data-space='1'] > details > summary").click();
  await outside.waitFor();
  const place = async () => (await call("GET", `/posts/${inside.post_id}`)).space_id;
  const drag = () => page.locator("#_branches a", { hasText: "Inside" }).dragTo(outside);
  const asked = [];
  page.once("dialog", (dialog) => { asked.push(dialog.message()); return dialog.dismiss(); });
  await drag();
  assert.match(asked[0], /^Move “Inside” to “General”\?/);
  assert.equal(await place(), space.space_id);
  page.once("dialog", (dialog) => dialog.accept());
  await Promise.all([page.waitForEvent("load"), drag()]);
  assert.equal(await place(), 1);
});
