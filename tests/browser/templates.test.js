// New pages that begin as templates, with JavaScript and without.
import assert from "node:assert/strict";
import { test } from "node:test";
import { button, field, fill, filled, link, reads, save, visit } from "./support/see.js";
import { person, plainPerson, write } from "./support/world.js";

for (const [people, who] of [["with", person], ["without", plainPerson]]) {
  test(`a page begins as a template (${people} JavaScript)`, async (t) => {
    await write(`Minutes ${people}`, "## {{title}}\n\nWritten by {{person}}.\n\n- ", { tags: ["template", "meeting"] });
    const page = await who(t);
    await visit(page, "/wiki/-/new");
    await page.getByRole("navigation", { name: "New page from" }).getByRole("link", { name: `Minutes ${people}` }).click();
    await button(page, "Save").waitFor();
    assert.deepEqual(await filled(page, ["title", "content", "tags"]), {
      title: "", content: "## {{title}}\n\nWritten by {{person}}.\n\n- ", tags: "meeting",
    });
    if (people === "with") assert.equal(await page.evaluate(() => document.activeElement.id), "_title");
    await fill(page, { title: `Monday ${people}`, content: `${await field(page, "content").inputValue()}Bread`, author: "Grace" });
    await save(page, `/wiki/monday-${people}`);
    await reads(page, "Written by Grace.");
    await page.locator("#_text").getByRole("heading", { name: `Monday ${people}` }).waitFor();
    await link(page, "meeting").waitFor();
    assert.equal(await link(page, "template").count(), 0);
  });
}

test("a template is no template any more without its tag", async (t) => {
  await write("Once a template", "x", { tags: ["template"] });
  const page = await person(t);
  await visit(page, "/wiki/once-a-template/edit");
  await fill(page, { tags: "", author: "Grace" });
  await save(page, "/wiki/once-a-template");
  await visit(page, "/wiki/-/new");
  assert.equal(await link(page, "Once a template").count(), 0);
});

test("a title that was typed stays when a template is chosen", async (t) => {
  await write("Kept title", "x", { tags: ["template"] });
  const page = await person(t);
  await visit(page, "/wiki/-/new");
  await fill(page, { title: "Outage of Friday" });
  await link(page, "Kept title").click();
  await page.waitForURL(/template=kept-title/);
  assert.deepEqual(await filled(page, ["title", "content"]), { title: "Outage of Friday", content: "x" });
});
