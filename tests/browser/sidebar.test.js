// What is around every page: the sidebar, the menu of a page, and search at Ctrl K.
import assert from "node:assert/strict";
import { before, test } from "node:test";
import { accessible } from "./support/accessible.js";
import { visit } from "./support/see.js";
import { api, at, person, plainPerson, write } from "./support/world.js";

const PHONE = { viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true };

before(async () => {
  const team = await write("Team handbook", "Start here.\n\n## One\n\n## Two\n\n## Three");
  const rota = await write("Rota", "Who is called at night: the incident line.", { parent_id: team.post_id });
  await write("Swaps", "Weeks that change.", { parent_id: rota.post_id });
});

const branch = (page, name) => page.locator("#_branches li", { has: page.locator(":scope > a", { hasText: name }) }).last();

test("the text begins high on the screen", async (t) => {
  for (const [options, most] of [[{ viewport: { width: 1440, height: 900 } }, 200], [PHONE, 230]]) {
    const page = await person(t, options);
    await visit(page, at("team-handbook"));
    const { y } = await page.locator("#_text > *").first().boundingBox();
    assert.ok(y < most, `the text begins at ${y}`);
  }
});

test("the text begins high below a long title, too", async (t) => {
  const title = "A title that goes on for rather longer than anybody who had to read it in a list of results on a telephone would like, because titles may have two hundred characters, which are enough for this";
  assert.ok(title.length > 180 && title.length <= 200);
  await write(title, "Text.");
  await write(title.slice(0, 90), "Text.");
  for (const [options, most] of [[{ viewport: { width: 1440, height: 900 } }, 200], [PHONE, 230]]) {
    const page = await person(t, options);
    for (const long of [title, title.slice(0, 90)]) {
      const { posts } = await api("GET", `/posts?q=${encodeURIComponent("longer")}`);
      const { slug } = posts.find((post) => post.title === long.trim());
      await visit(page, at(slug));
      const { y } = await page.locator("#_text > *").first().boundingBox();
      assert.ok(y < most, `the text of a title of ${long.length} characters begins at ${y}`);
      // All of it is there to be read, in letters that are no smaller than those of the text.
      const [shown, size, text] = await page.locator("h1").evaluate((element) => [
        element.innerText, ...[element, document.querySelector("#_text")].map((one) => parseFloat(getComputedStyle(one).fontSize))]);
      assert.equal(shown, long.trim());
      assert.ok(size >= text, `${size} of ${text}`);
    }
  }
});

test("a branch is opened, and stays open on the next page", async (t) => {
  const page = await person(t);
  await visit(page, "/wiki/-/tags");
  const toggle = branch(page, "Team handbook").locator("summary").first();
  await toggle.focus();
  await page.keyboard.press("Enter");
  await page.locator("#_branches a", { hasText: "Rota" }).waitFor();
  await visit(page, "/wiki/-/changes");
  await page.locator("#_branches a", { hasText: "Rota" }).waitFor();
  // One that is below it is fetched when it is opened.
  await branch(page, "Rota").locator("summary").click();
  await page.locator("#_branches a", { hasText: "Swaps" }).click();
  await page.waitForURL(`**${at("swaps")}`);
  assert.equal(await page.locator("#_branches [aria-current=page]").textContent(), "Swaps");
});

test("without JavaScript, the sidebar leads down the tree, on a telephone, too", async (t) => {
  const page = await plainPerson(t, PHONE);
  await visit(page, "/wiki/-/tags");
  const side = page.locator("#_side");
  assert.equal(await side.isVisible(), false);
  await page.getByRole("link", { name: "Menu" }).click();
  assert.ok(await side.isVisible());
  await side.getByRole("link", { name: "Team handbook" }).click();
  await page.waitForURL(`**${at("team-handbook")}`);
  assert.equal(await side.isVisible(), false);
  await page.getByRole("link", { name: "Menu" }).click();
  await side.getByRole("link", { name: "Rota" }).waitFor();
  await side.getByRole("link", { name: "Close" }).click();
  await side.waitFor({ state: "hidden" });
});

test("the sidebar on a telephone is accessible, and Escape closes it", async (t) => {
  const page = await person(t, PHONE);
  await visit(page, at("rota"));
  await page.getByRole("link", { name: "Menu" }).click();
  await accessible(page, "the sidebar on a telephone");
  await page.keyboard.press("Escape");
  await page.locator("#_side").waitFor({ state: "hidden" });
});

test("a page is moved by dragging it", async (t) => {
  for (const title of ["Drag one", "Drag two", "Drag three"]) await write(title, "x");
  const page = await person(t);
  await visit(page, at("drag-one"));
  const row = (name) => page.locator("#_branches a", { hasText: name });
  const titles = async () => (await page.locator("#_branches > ul:not(.last) a").allTextContents()).filter((title) => title.startsWith("Drag"));
  const drag = async (name, onto, y) => {
    const loaded = page.waitForEvent("load");
    const box = await row(onto).boundingBox();
    await row(name).dragTo(row(onto), { targetPosition: { x: 60, y: y * box.height } });
    await loaded;
  };
  // Between two: before the one.
  await drag("Drag three", "Drag one", 0.1);
  assert.deepEqual(await titles(), ["Drag three", "Drag one", "Drag two"]);
  // Onto one: below it.
  await drag("Drag two", "Drag one", 0.7);
  assert.deepEqual(await titles(), ["Drag three", "Drag one", "Drag two"]);
  assert.equal(await page.locator("#_branches li li a", { hasText: "Drag two" }).count(), 1);
  await visit(page, at("drag-two"));
  assert.equal(await page.getByRole("navigation", { name: "Where this page is" }).textContent().then((text) => text.trim()), "Drag one");
});

test("the menu of a page opens and closes as menus do", async (t) => {
  const page = await person(t);
  await visit(page, at("rota"));
  const menu = page.locator("#_more"), history = page.getByRole("navigation", { name: "This page" }).getByRole("link", { name: "History" });
  await menu.locator("summary").focus();
  await page.keyboard.press("Enter");
  assert.ok(await history.isVisible());
  await accessible(page, "the menu of a page");
  await page.keyboard.press("Escape");
  assert.equal(await history.isVisible(), false);
  assert.equal(await page.evaluate(() => document.activeElement.tagName), "SUMMARY");
  await menu.locator("summary").click();
  await page.locator("h1").click();
  assert.equal(await history.isVisible(), false);
});

test("Ctrl K finds pages, words in texts, and what can be done", async (t) => {
  const page = await person(t);
  await visit(page, at("rota"));
  await visit(page, at("swaps"));
  await page.keyboard.press("Control+k");
  const dialog = page.getByRole("dialog", { name: "Search or jump to" });
  const option = (name) => dialog.getByRole("option", { name });
  // Nothing typed: what was read last, but for the page itself.
  await option("Rota").waitFor();
  assert.equal(await option("Swaps").count(), 0);
  await page.keyboard.type("incident");
  await dialog.getByRole("group", { name: "In the text" }).getByRole("option", { name: /Rota/ }).waitFor();
  await option("New page “incident”").waitFor();
  await accessible(page, "the palette");
  await page.keyboard.press("Escape");
  await dialog.waitFor({ state: "hidden" });

  await page.keyboard.press("/");
  await dialog.waitFor();
  await page.keyboard.type("team");
  await option("Team handbook").waitFor();
  await page.keyboard.press("Enter");
  await page.waitForURL(`**${at("team-handbook")}`);

  // The search form has all results, and a slash in it is a slash.
  await page.keyboard.press("Control+k");
  await page.keyboard.type("night");
  // Nothing that was typed while the script was loaded is lost.
  await option("New page “night”").waitFor();
  await page.keyboard.press("Control+Enter");
  await page.waitForURL("**/wiki/-/search?q=night");
  await page.getByLabel("Search the wiki").fill("");
  await page.getByLabel("Search the wiki").press("/");
  assert.equal(await page.getByLabel("Search the wiki").inputValue(), "/");
});
