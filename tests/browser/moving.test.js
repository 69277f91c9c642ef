// Renaming, deleting and restoring pages.
import assert from "node:assert/strict";
import { test } from "node:test";
import { act, button, fill, heading, link, place, reads, save, visit } from "./support/see.js";
import { at, person, write } from "./support/world.js";

test("a renamed page is found at its old address, and by the links to it", async (t) => {
  await write("Old name", "The same text.");
  await write("Signpost", "This way to [[Old name]].");
  const page = await person(t);
  await visit(page, at("old-name", "edit"));
  await page.getByText("Change address").click();
  await fill(page, { title: "New name", slug: "new-name", author: "Grace" });
  await save(page, at("new-name"));
  await heading(page, "New name");

  await visit(page, at("old-name"));
  assert.equal(new URL(page.url()).pathname, at("new-name"));
  await reads(page, "The same text.");
  await visit(page, at("signpost"));
  const linked = page.locator("#_text").getByRole("link", { name: "Old name" });
  assert.doesNotMatch((await linked.getAttribute("class")) ?? "", /\bmissing\b/);
  await linked.click();
  await heading(page, "New name");
  await act(page, "Backlinks");
  assert.deepEqual(await page.locator(".pages .title").allTextContents(), ["Signpost"]);
});

test("a page is deleted after a question, and restored", async (t) => {
  await write("Doomed", "Still here.");
  await write("Mourner", "I miss [[Doomed]].");
  const page = await person(t);
  await visit(page, at("doomed"));
  await act(page, "Delete");
  await heading(page, "Delete “Doomed”?");
  await page.getByText("1 page links here").waitFor();
  await link(page, "Cancel").click();
  await reads(page, "Still here.");
  await act(page, "Delete");
  await page.getByLabel("Reason (optional)").fill("Nobody needs it.");
  await page.getByLabel("Your name").fill("Grace");
  await button(page, "Delete page").click();
  await heading(page, "“Doomed” was deleted");
  assert.match(await page.locator(".head .facts").textContent(), /^Deleted .*\d{4}.* by Grace$/);
  await page.getByText("Nobody needs it.").waitFor();

  await visit(page, at("mourner"));
  assert.match(await page.locator("#_text").getByRole("link", { name: "Doomed" }).getAttribute("class"), /\bmissing\b/);
  await visit(page, "/wiki/-/pages");
  assert.equal(await link(page, "Doomed").count(), 0);
  await place(page, "Recent changes").click();
  await page.locator("li", { hasText: "Doomed" }).getByText("deleted", { exact: true }).waitFor();
  await place(page, "Deleted pages").click();
  await page.locator("li", { hasText: "Doomed" }).getByText("Nobody needs it.").waitFor();
  await button(page, "Restore Doomed").click();
  await reads(page, "Still here.");
  await visit(page, "/wiki/-/pages");
  await link(page, "Doomed").waitFor();
});

test("a page that was edited meanwhile is not deleted", async (t) => {
  await write("Alive", "Before.");
  const [grace, linus] = [await person(t), await person(t)];
  await visit(grace, at("alive", "delete"));
  await visit(linus, at("alive", "edit"));
  await fill(linus, { content: "After.", author: "Linus" });
  await save(linus, at("alive"));
  await button(grace, "Delete page").click();
  await grace.getByRole("alert").getByText("This page has changed").waitFor();
  await visit(grace, at("alive"));
  await reads(grace, "After.");
});
