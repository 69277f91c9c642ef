// Making and editing pages: preview, what is refused, and that nothing typed is lost.
import assert from "node:assert/strict";
import { test } from "node:test";
import { button, field, fill, filled, heading, link, place, reads, save, visit } from "./support/see.js";
import { at, person, plainPerson, write } from "./support/world.js";

test("a page is made from the empty front page", async (t) => {
  const page = await person(t);
  await visit(page, "/");
  await heading(page, "Your new wiki");
  await link(page, "Start with another page").click();
  await heading(page, "New page");
  await fill(page, { title: "Sourdough", content: "Feed it **daily**.", tags: "Bread, how-to", author: "Grace" });
  await save(page, "/wiki/sourdough");
  await heading(page, "Sourdough");
  await reads(page, "Feed it daily.");
  assert.equal(await page.locator("#_text strong").textContent(), "daily");
  assert.deepEqual(await page.getByRole("list", { name: "Tags" }).getByRole("link").allTextContents(), ["bread", "how-to"]);
  await link(page, "Grace").waitFor();
});

test("the preview follows what is typed", async (t) => {
  const page = await person(t);
  await visit(page, "/wiki/-/new");
  await fill(page, { title: "Rye", content: "## Flour\n\nHalf of it **rye**." });
  const preview = page.getByRole("region", { name: "Preview" });
  await preview.getByRole("heading", { name: "Flour" }).waitFor();
  assert.equal(await preview.locator("strong").textContent(), "rye");
  await field(page, "content").pressSequentially(" And _water_.");
  await preview.locator("em", { hasText: "water" }).waitFor();
});

test("without JavaScript a button shows the preview, and nothing is saved by it", async (t) => {
  const page = await plainPerson(t);
  await visit(page, "/wiki/-/new");
  const typed = { title: "Spelt", content: "## Flour\n\nAll of it *spelt*.", tags: "bread", comment: "First", author: "Grace" };
  await fill(page, typed);
  await button(page, "Preview").click();
  const preview = page.getByRole("region", { name: "Preview" });
  await preview.getByRole("heading", { name: "Flour" }).waitFor();
  assert.deepEqual(await filled(page, Object.keys(typed)), typed);
  const other = await plainPerson(t);
  await visit(other, "/wiki/spelt", 404);
  await save(page, "/wiki/spelt");
  await reads(page, "All of it spelt.");
});

test("with JavaScript there is no button for the preview until the preview fails", async (t) => {
  const page = await person(t);
  await visit(page, "/wiki/-/new");
  assert.ok(!(await button(page, "Preview").isVisible()));
  await page.route("**/preview", (route) => route.abort());
  await fill(page, { title: "Oat", content: "*oats*", author: "Grace" });
  await Promise.all([page.waitForResponse((answer) => answer.request().isNavigationRequest()), button(page, "Preview").click()]);
  await page.getByRole("region", { name: "Preview" }).locator("em", { hasText: "oats" }).waitFor();
  assert.equal(await field(page, "content").inputValue(), "*oats*");
});

test("an edit that is not saved is asked about before the page is left", async (t) => {
  await write("Guarded", "As it was.");
  const page = await person(t);
  await visit(page, at("guarded", "edit"));
  await field(page, "content").fill("Half a thought");
  const asked = page.waitForEvent("dialog");
  const leaving = place(page, "All pages").click({ noWaitAfter: true });
  const dialog = await asked;
  assert.equal(dialog.type(), "beforeunload");
  await dialog.dismiss();
  await leaving;
  assert.equal(await field(page, "content").inputValue(), "Half a thought");
  assert.ok(page.url().endsWith("/edit"), page.url());
});

test("an edit that is not changed is left without a question", async (t) => {
  await write("Unchanged", "As it was.");
  const page = await person(t);
  await visit(page, at("unchanged", "edit"));
  page.on("dialog", (dialog) => assert.fail(`a ${dialog.type()} dialog`));
  await place(page, "All pages").click();
  await heading(page, "All pages");
});

test("what was left without saving is offered the next time", async (t) => {
  await write("Left behind", "As it was.");
  const page = await person(t);
  page.on("dialog", (dialog) => dialog.accept());
  await visit(page, at("left-behind", "edit"));
  await field(page, "content").fill("Half a thought");
  await page.waitForFunction(() => Object.keys(localStorage).some((name) => name.endsWith("/edit")));
  await visit(page, at("left-behind"));
  await visit(page, at("left-behind", "edit"));
  await page.getByText(/^Unsaved draft from \d/).waitFor();
  assert.equal(await field(page, "content").inputValue(), "As it was.");
  await button(page, "Restore").click();
  assert.equal(await field(page, "content").inputValue(), "Half a thought");
  await field(page, "author").fill("Grace");
  await save(page, at("left-behind"));
  await visit(page, at("left-behind", "edit"));
  assert.equal(await page.getByText(/^Unsaved draft/).count(), 0);
});

const TAGS = Array.from({ length: 21 }, (_, at) => `tag-${at}`).join(", ");

for (const [people, who] of [["with", person], ["without", plainPerson]]) {
  test(`what is wrong is said beside it, and all that was typed stays (${people} JavaScript)`, async (t) => {
    await write(`Mistaken ${people}`, "As it was.");
    const page = await who(t);
    page.on("dialog", (dialog) => dialog.accept());
    await visit(page, at(`mistaken-${people}`, "edit"));
    await page.getByText("Change address").click();
    // Browsers hold back a form with an empty title; a space gets past them.
    const typed = { title: " ", content: "A long\n\nthought  ", tags: TAGS, slug: "???", comment: "why", author: "" };
    await fill(page, typed);
    await button(page, "Save").click();

    const summary = page.getByRole("alert");
    await summary.getByRole("heading", { name: "Check the form" }).waitFor();
    assert.deepEqual(await filled(page, Object.keys(typed)), { ...typed, title: "" });
    for (const name of ["title", "tags", "slug", "author"]) {
      const input = field(page, name);
      assert.equal(await input.getAttribute("aria-invalid"), "true", name);
      const [described] = (await input.getAttribute("aria-describedby")).split(" ");
      assert.match(await page.locator(`#${described}`).textContent(), /\.$/, name);
    }
    for (const name of ["content", "comment"]) assert.equal(await field(page, name).getAttribute("aria-invalid"), null, name);
    assert.match(await page.title(), /^Error: /);
    if (people === "with") assert.equal(await page.evaluate(() => document.activeElement.id), "_errors");
    // Each line of the summary leads to its field.
    await summary.getByRole("link", { name: /^Tags/ }).click();
    await page.waitForURL("**/edit#_tags");
    if (people === "with") assert.equal(await page.evaluate(() => document.activeElement.id), "_tags");

    await fill(page, { title: `Mistaken ${people}`, tags: "one, two", slug: `mistaken-${people}`, author: "Grace" });
    await save(page, at(`mistaken-${people}`));
    await reads(page, "thought");
  });
}

test("an address that is taken is refused with everything typed", async (t) => {
  await write("Occupied", "Here first.");
  await write("Wanderer", "Looks for a place.");
  const page = await person(t);
  await visit(page, at("wanderer", "edit"));
  await page.getByText("Change address").click();
  await fill(page, { content: "Found one.", slug: "occupied", author: "Grace" });
  await button(page, "Save").click();
  await page.getByRole("alert").getByRole("link", { name: /^Another page has this address/ }).waitFor();
  assert.deepEqual(await filled(page, ["content", "slug"]), { content: "Found one.", slug: "occupied" });
  await fill(page, { slug: "wanderer" });
  await save(page, at("wanderer"));
});

test("whoever wrote is remembered", async (t) => {
  const page = await person(t);
  await visit(page, "/wiki/-/new");
  assert.equal(await field(page, "author").inputValue(), "");
  await fill(page, { title: "Remembered", content: "x", author: "Zoë; \"Ltd\"" });
  await save(page, "/wiki/remembered");
  await visit(page, "/wiki/-/new");
  assert.equal(await field(page, "author").inputValue(), "Zoë; \"Ltd\"");
});

test("what a browser could change about a text stays as it was typed", async (t) => {
  const page = await person(t);
  await visit(page, "/wiki/-/new");
  // Browsers drop a line break at the beginning of a text field; the template has one to spare.
  const content = "\n\n    code first\n\ttabs\n</textarea> & \"quotes\" 👩‍🍳\n\n";
  await fill(page, { title: "Verbatim", content, author: "Grace" });
  await save(page, "/wiki/verbatim");
  await visit(page, at("verbatim", "edit"));
  assert.equal(await field(page, "content").inputValue(), content);
});
