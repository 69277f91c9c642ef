// What a page has been: its versions, their differences, and going back to one.
import assert from "node:assert/strict";
import { test } from "node:test";
import { act, button, fill, heading, link, reads, visit } from "./support/see.js";
import { at, person, rewrite, write } from "./support/world.js";

/** A page of three versions. */
async function bread(title) {
  const post = await write(title, "# Bread\n\nKnead for ten minutes.\n\nBake.\n", { tags: ["dough"], comment: "Begin" });
  await rewrite(post, "# Bread\n\nKnead for twenty minutes.\n\nBake.\n", { comment: "Stronger" });
  return rewrite(post, "# Bread\n\nKnead for twenty minutes.\n\nBake.\n\nEat.\n", { tags: ["bread"], comment: "The best part" });
}

test("every version is listed, newest first, with who, why and how much", async (t) => {
  await bread("Listed");
  const page = await person(t);
  await visit(page, at("listed"));
  await act(page, "History");
  await page.getByRole("heading", { name: "History of Listed" }).waitFor();
  const items = page.locator(".revisions > li");
  assert.deepEqual(await items.locator(".title").allTextContents(), ["Version 3", "Version 2", "Version 1"]);
  assert.deepEqual(await items.locator(".comment").allTextContents(), ["The best part", "Stronger", "Begin"]);
  assert.deepEqual(await items.locator(".author").allTextContents(), ["Ada", "Ada", "Ada"]);
  assert.match(await items.first().locator(".delta").textContent(), /^\+6 bytes$/);
});

test("two chosen versions are compared, whichever way round", async (t) => {
  await bread("Chosen");
  const page = await person(t);
  await visit(page, at("chosen", "history"));
  // As the form comes, it compares the last two.
  await button(page, "Compare").click();
  await page.waitForURL("**/compare?**");
  const sides = page.locator(".sides h2 a");
  assert.deepEqual(await sides.allTextContents(), ["Version 2", "Version 3"]);
  await page.goBack();
  await page.getByLabel("Old: version 3", { exact: true }).check();
  await page.getByLabel("New: version 1", { exact: true }).check();
  await button(page, "Compare").click();
  await page.getByRole("heading", { name: "Differences of Chosen" }).waitFor();
  assert.deepEqual(await sides.allTextContents(), ["Version 1", "Version 3"]);

  const differences = page.getByRole("region", { name: "Differences of the text" });
  assert.deepEqual(await differences.locator("del").allTextContents(), ["ten"]);
  assert.deepEqual(await differences.locator("ins").allTextContents(), ["twenty"]);
  // Whole sentences can be read, and what happened to them without seeing a colour.
  const row = (words) => differences.getByRole("row").filter({ hasText: words });
  assert.match(await row("Knead for ten minutes.").textContent(), /removed/);
  assert.match(await row("Knead for twenty minutes.").textContent(), /added/);
  assert.match(await row("Eat.").textContent(), /added/);
  assert.doesNotMatch(await row("Bake.").textContent(), /added|removed/);
  const tags = page.locator(".fact-changed", { hasText: "Tags" });
  assert.deepEqual([await tags.locator("del").textContent(), await tags.locator("ins").textContent()], ["dough", "bread"]);
});

test("changes are followed from one to the next", async (t) => {
  await bread("Followed");
  const page = await person(t);
  await visit(page, `${at("followed", "compare")}?from=2&to=3`);
  await page.getByRole("link", { name: "Previous change" }).click();
  await page.waitForURL("**/compare?from=1&to=2");
  await page.getByRole("link", { name: "Next change" }).click();
  await page.waitForURL("**/compare?from=2&to=3");
});

test("an old version is read, and gone back to", async (t) => {
  await bread("Returned");
  const page = await person(t);
  await visit(page, at("returned", "history"));
  await link(page, "Version 1").click();
  await reads(page, "Knead for ten minutes.");
  const notice = page.getByRole("region", { name: "About this version" });
  assert.match(await notice.textContent(), /This is version 1 of Returned. The page has changed since: it is now at version 3./);
  await link(page, "Next version").click();
  await page.waitForURL("**/history/2");
  await link(page, "Previous version").click();
  await page.waitForURL("**/history/1");

  await page.getByText("Restore this version").click();
  // Who does it has to be said: what was typed stays until it is.
  await fill(page, { comment: "It was better" });
  await button(page, "Restore version 1").click();
  await page.getByRole("alert").getByRole("link", { name: "Enter your name." }).waitFor();
  await fill(page, { author: "Grace" });
  await button(page, "Restore version 1").click();
  await page.waitForURL(`**${at("returned")}`);
  await reads(page, "Knead for ten minutes.");
  assert.match(await page.locator(".head .facts").textContent(), /^Edited .* by Grace · 4 versions$/);
  assert.deepEqual(await page.getByRole("list", { name: "Tags" }).getByRole("link").allTextContents(), ["dough"]);
  await act(page, "History");
  assert.equal(await page.locator(".revisions > li .comment").first().textContent(), "It was better");
});

test("the same text compared with itself has no differences", async (t) => {
  await bread("Same");
  const page = await person(t);
  await visit(page, `${at("same", "compare")}?from=2&to=2`);
  await page.getByText("The text is the same in both versions.").waitFor();
});

test("a long history goes on on further pages", async (t) => {
  const post = await write("Long", "0");
  for (let version = 1; version <= 60; version++) await rewrite(post, String(version));
  const page = await person(t);
  await visit(page, at("long", "history"));
  await link(page, "Older versions").click();
  await link(page, "Version 1").waitFor();
  await link(page, "Version 1").click();
  await heading(page, "Long");
});
