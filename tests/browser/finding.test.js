// Ways to a page: search, suggestions, tags, lists, links from other pages, and links to pages nobody has written yet.
import assert from "node:assert/strict";
import { before, test } from "node:test";
import { act, button, field, fill, heading, link, place, reads, save, visit } from "./support/see.js";
import { at, person, rewrite, user, write } from "./support/world.js";

before(async () => {
  await write("Sourdough", "Wild yeast raises the dough. See [[Rye flour]] and [[Banneton]].", { tags: ["bread", "slow"] });
  await write("Sour cherries", "They are for cakes.", { tags: ["fruit"] });
  const rye = await write("Rye flour", "It makes a sticky dough.", { tags: ["bread"], user_id: await user("Grace") });
  await rewrite(rye, "It makes a very sticky dough.", { comment: "Very", user_id: await user("Grace") });
});

const searchField = (page) => page.getByRole("combobox", { name: "Search the wiki" });

test("a search shows where the words are", async (t) => {
  const page = await person(t);
  await visit(page, "/wiki");
  await searchField(page).fill("sticky dough");
  await button(page, "Search").click();
  await page.waitForURL("**/wiki/-/search?q=sticky+dough");
  assert.deepEqual(await page.locator("#_results h2").allTextContents(), ["Rye flour"]);
  assert.deepEqual(await page.locator("#_results mark").allTextContents(), ["sticky", "dough"]);
  assert.equal(await searchField(page).inputValue(), "sticky dough");
  await link(page, "Rye flour").click();
  await reads(page, "It makes a very sticky dough.");
});

test("a search in vain offers to write the page", async (t) => {
  const page = await person(t);
  await visit(page, "/wiki/-/search?q=Ciabatta+%26+co");
  await heading(page, "No results for “Ciabatta & co”");
  await page.getByRole("link", { name: /^Create “\s?Ciabatta & co\s?”$/ }).click();
  await heading(page, "New page");
  assert.equal(await field(page, "title").inputValue(), "Ciabatta & co");
});

test("suggestions are chosen with the keyboard", async (t) => {
  const page = await person(t);
  await visit(page, "/wiki");
  const input = searchField(page);
  assert.equal(await input.getAttribute("aria-expanded"), "false");
  await input.pressSequentially("sour");
  const options = page.getByRole("option");
  await options.nth(1).waitFor();
  assert.deepEqual(await options.allTextContents(), ["Sour cherries", "Sourdough"]);
  assert.equal(await input.getAttribute("aria-expanded"), "true");
  await input.press("ArrowDown");
  await input.press("ArrowDown");
  const active = await input.getAttribute("aria-activedescendant");
  assert.equal(await page.locator(`#${active}`).textContent(), "Sourdough");
  assert.equal(await page.getByRole("option", { selected: true }).textContent(), "Sourdough");
  // Past the last one is the text itself, then the first again.
  await input.press("ArrowDown");
  assert.equal(await input.getAttribute("aria-activedescendant"), null);
  await input.press("ArrowUp");
  await input.press("Enter");
  await page.waitForURL(`**${at("sourdough")}`);
});

test("suggestions go away with Escape, and do not keep a search from being made", async (t) => {
  const page = await person(t);
  await visit(page, "/wiki");
  const input = searchField(page);
  await input.pressSequentially("sour");
  await page.getByRole("option").first().waitFor();
  await input.press("Escape");
  await page.getByRole("option").first().waitFor({ state: "detached" });
  assert.equal(await input.getAttribute("aria-expanded"), "false");
  assert.equal(await input.inputValue(), "sour");
  await input.press("Enter");
  await page.waitForURL("**/wiki/-/search?q=sour");
});

test("a suggestion is chosen with the mouse", async (t) => {
  const page = await person(t);
  await visit(page, "/wiki");
  await searchField(page).pressSequentially("rye");
  await page.getByRole("option", { name: "Rye flour" }).click();
  await page.waitForURL(`**${at("rye-flour")}`);
});

test("tags lead to the pages that have them", async (t) => {
  const page = await person(t);
  await visit(page, "/wiki");
  await place(page, "Tags").click();
  await heading(page, "Tags");
  await page.getByRole("link", { name: /^bread 2/ }).click();
  await page.getByRole("heading", { name: "Pages tagged bread" }).waitFor();
  assert.deepEqual((await page.locator(".pages .title").allTextContents()).sort(), ["Rye flour", "Sourdough"]);
});

test("all pages are listed, by title and by last edit", async (t) => {
  const page = await person(t);
  await visit(page, "/wiki/-/pages");
  const titles = await page.locator(".pages .title").allTextContents();
  const ours = (names) => names.filter((title) => ["Rye flour", "Sour cherries", "Sourdough"].includes(title));
  assert.deepEqual(ours(titles), ["Rye flour", "Sour cherries", "Sourdough"]);
  await link(page, "By last edit").click();
  await page.waitForURL("**/wiki/-/pages?sort=-updated");
  assert.deepEqual(ours(await page.locator(".pages .title").allTextContents()), ["Rye flour", "Sour cherries", "Sourdough"]);
});

test("recent changes say who did what, and lead to the differences", async (t) => {
  const page = await person(t);
  await visit(page, "/wiki/-/changes");
  const change = page.locator(".changes > li", { hasText: "Very" });
  assert.match(await change.textContent(), /Rye flour.*2 changes by Grace/s);
  await change.getByRole("link", { name: "what changed in Rye flour" }).click();
  await page.locator("tr.added", { hasText: "very" }).waitFor();
});

test("users lead to what they wrote", async (t) => {
  const page = await person(t);
  await visit(page, "/wiki/-/users");
  await link(page, "Grace").click();
  await heading(page, "Grace");
  const created = page.getByRole("region", { name: "Pages created" });
  assert.deepEqual(await created.locator(".title").allTextContents(), ["Rye flour"]);
  await page.getByRole("region", { name: "Latest changes" }).getByText("Very").waitFor();
});

test("a page says what links to it", async (t) => {
  const page = await person(t);
  await visit(page, at("rye-flour"));
  await act(page, "Backlinks");
  await page.getByRole("heading", { name: /^Backlinks .*Rye flour$/ }).waitFor();
  assert.deepEqual(await page.locator(".pages .title").allTextContents(), ["Sourdough"]);
});

test("a page that is missing offers to be made, and the links to it then lead somewhere", async (t) => {
  const page = await person(t);
  await visit(page, at("sourdough"));
  const linked = page.locator("#_text").getByRole("link", { name: "Banneton" });
  assert.match(await linked.getAttribute("class"), /\bmissing\b/);
  await linked.click();
  await heading(page, "There is no page named “Banneton” yet");
  await link(page, "Create this page").click();
  assert.equal(await field(page, "title").inputValue(), "Banneton");
  await fill(page, { content: "A basket.", author: "Grace" });
  await save(page, at("banneton"));
  await reads(page, "A basket.");
  await visit(page, at("sourdough"));
  assert.doesNotMatch((await linked.getAttribute("class")) ?? "", /\bmissing\b/);
  await linked.click();
  await reads(page, "A basket.");
});

test("an address nobody has written offers to be", async (t) => {
  const page = await person(t);
  await visit(page, at("größe-日本"), 404);
  await heading(page, "There is no page named “Größe 日本” yet");
  await link(page, "Create this page").click();
  await fill(page, { content: "Now there is.", author: "Grace" });
  await save(page, new URL(at("größe-日本"), "http://x").pathname);
  await reads(page, "Now there is.");
});
