// The life of a page without JavaScript, from its making to its return from the dead.
import assert from "node:assert/strict";
import { test } from "node:test";
import { act, button, field, fill, heading, link, place, reads, save, visit } from "./support/see.js";
import { at, plainPerson, rewrite, write } from "./support/world.js";

test("everything can be done without JavaScript", async (t) => {
  const page = await plainPerson(t);

  await t.test("make a page, with a preview first", async () => {
    await visit(page, "/wiki");
    await place(page, "New page").click();
    await fill(page, { title: "Plain bread", content: "Flour and **water**.\n", tags: "bread", author: "Grace" });
    await button(page, "Preview").click();
    await page.getByRole("region", { name: "Preview" }).locator("strong", { hasText: "water" }).waitFor();
    await save(page, at("plain-bread"));
    await heading(page, "Plain bread");
  });

  await t.test("edit it", async () => {
    await link(page, "Edit").click();
    assert.equal(await field(page, "content").inputValue(), "Flour and **water**.\n");
    assert.equal(await field(page, "author").inputValue(), "Grace");
    await fill(page, { content: "Flour, salt and **water**.\n", comment: "Salt" });
    await save(page, at("plain-bread"));
    await reads(page, "Flour, salt and water.");
  });

  await t.test("find it", async () => {
    await page.getByLabel("Search the wiki").fill("salt");
    await button(page, "Search").click();
    await page.locator("#_results mark", { hasText: "salt" }).waitFor();
    await link(page, "Plain bread").click();
  });

  await t.test("see what it was, and what changed", async () => {
    await act(page, "History");
    await page.getByLabel("Old: version 1", { exact: true }).check();
    await page.getByLabel("New: version 2", { exact: true }).check();
    await button(page, "Compare").click();
    await page.locator("ins", { hasText: "salt" }).waitFor();
  });

  await t.test("go back", async () => {
    await link(page, "Version 1").click();
    await page.getByText("Restore this version").click();
    await button(page, "Restore version 1").click();
    await page.waitForURL(`**${at("plain-bread")}`);
    await reads(page, "Flour and water.");
  });

  await t.test("rename it", async () => {
    await link(page, "Edit").click();
    await page.getByText("Change address").click();
    await fill(page, { slug: "simple-bread" });
    await save(page, at("simple-bread"));
    await visit(page, at("plain-bread"));
    assert.equal(new URL(page.url()).pathname, at("simple-bread"));
  });

  await t.test("delete it, and bring it back", async () => {
    await act(page, "Delete");
    await button(page, "Delete page").click();
    await heading(page, "“Plain bread” was deleted");
    await button(page, "Restore page").click();
    await reads(page, "Flour and water.");
  });

  await t.test("look around", async () => {
    for (const name of ["All pages", "Recent changes", "Tags", "Users"]) {
      await place(page, name).click();
      await heading(page, name);
    }
  });
});

test("times say in which zone they are", async (t) => {
  const post = await write("Timed", "x");
  await rewrite(post, "y");
  const page = await plainPerson(t);
  for (const address of [at("timed"), at("timed", "history"), at("timed", "compare"), "/wiki"]) {
    await visit(page, address);
    // Those that say how long ago it was have the time itself as their title.
    for (const time of await page.locator("main time").all()) {
      assert.match(await time.getAttribute("title") ?? await time.textContent(), /UTC$/, address);
    }
  }
});
