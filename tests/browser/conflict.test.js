// Two people edit at once: nobody's words are lost.
import assert from "node:assert/strict";
import { test } from "node:test";
import { button, field, fill, filled, reads, save, visit } from "./support/see.js";
import { at, person, plainPerson, write } from "./support/world.js";

for (const [people, who] of [["with", person], ["without", plainPerson]]) {
  test(`the same paragraph edited twice shows both texts, to be merged (${people} JavaScript)`, async (t) => {
    const slug = `contested-${people}`;
    await write(`Contested ${people}`, "Bread needs an hour.");
    const [grace, linus] = [await who(t), await who(t)];
    for (const page of [grace, linus]) await visit(page, at(slug, "edit"));
    await fill(grace, { content: "Bread needs an hour and a half.", author: "Grace" });
    await save(grace, at(slug));

    const typed = { content: "Bread needs a whole day.", tags: "patience", comment: "Longer", author: "Linus" };
    await fill(linus, typed);
    await button(linus, "Save").click();
    const notice = linus.getByRole("alert");
    await notice.getByRole("heading", { name: "This page has changed since you opened it" }).waitFor();
    assert.match(await notice.textContent(), /Grace\s+saved version 2 on/);
    assert.deepEqual(await filled(linus, Object.keys(typed)), typed);
    const theirs = linus.getByLabel("Their text, version 2");
    assert.equal(await theirs.inputValue(), "Bread needs an hour and a half.");
    assert.equal(await theirs.isEditable(), false);
    const row = (words) => linus.getByRole("row").filter({ hasText: words });
    assert.match(await row("Bread needs an hour and a half.").textContent(), /removed/);
    assert.match(await row("Bread needs a whole day.").textContent(), /added/);
    assert.match((await linus.locator("del").allTextContents()).join(""), /hour/);
    assert.match((await linus.locator("ins").allTextContents()).join(""), /whole day/);
    if (people === "with") assert.equal(await linus.evaluate(() => document.activeElement.id), "_conflict");

    await fill(linus, { content: "Bread needs an hour and a half, or a whole day." });
    await save(linus, at(slug));
    await reads(linus, "Bread needs an hour and a half, or a whole day.");
    assert.match(await linus.locator(".head .facts").textContent(), /by Linus · 3 versions/);
  });
}

test("edits in different places are combined", async (t) => {
  await write("Shared", "First.\n\nSecond.\n\nThird.\n");
  const [grace, linus] = [await person(t), await person(t)];
  for (const page of [grace, linus]) await visit(page, at("shared", "edit"));
  await fill(grace, { content: "First, by Grace.\n\nSecond.\n\nThird.\n", author: "Grace" });
  await save(grace, at("shared"));
  await fill(linus, { content: "First.\n\nSecond.\n\nThird, by Linus.\n", author: "Linus" });
  await save(linus, at("shared"));
  await linus.getByRole("status").getByText("Grace edited the page as well; both edits are in it.").waitFor();
  for (const words of ["First, by Grace.", "Third, by Linus."]) await reads(linus, words);
});

test("a third edit while a conflict is resolved is a conflict again", async (t) => {
  await write("Busy", "Word.");
  const [grace, linus] = [await person(t), await person(t)];
  for (const page of [grace, linus]) await visit(page, at("busy", "edit"));
  await fill(grace, { content: "Word of Grace.", author: "Grace" });
  await save(grace, at("busy"));
  await fill(linus, { content: "Word of Linus.", author: "Linus" });
  await button(linus, "Save").click();
  await linus.getByLabel("Their text, version 2").waitFor();
  await visit(grace, at("busy", "edit"));
  await fill(grace, { content: "Another word of Grace." });
  await save(grace, at("busy"));
  await button(linus, "Save").click();
  assert.equal(await linus.getByLabel("Their text, version 3").inputValue(), "Another word of Grace.");
  assert.equal(await field(linus, "content").inputValue(), "Word of Linus.");
});

test("two people who make the same page both keep their words", async (t) => {
  const [grace, linus] = [await person(t), await person(t)];
  for (const page of [grace, linus]) await visit(page, `${at("twin", "edit")}?title=Twin`);
  await fill(grace, { content: "By Grace.", author: "Grace" });
  await save(grace, at("twin"));
  await fill(linus, { content: "By Linus.", author: "Linus" });
  await button(linus, "Save").click();
  assert.equal(await linus.getByLabel("Their text, version 1").inputValue(), "By Grace.");
  assert.equal(await field(linus, "content").inputValue(), "By Linus.");
});

test("a page that is deleted under somebody's hands is made anew with what they typed", async (t) => {
  await write("Fleeting", "Soon gone.");
  const [grace, linus] = [await person(t), await person(t)];
  await visit(grace, at("fleeting", "edit"));
  await visit(linus, at("fleeting", "delete"));
  await button(linus, "Delete page").click();
  await linus.waitForURL("**/wiki/fleeting");
  await fill(grace, { content: "Not gone yet.", author: "Grace" });
  await button(grace, "Save").click();
  const notice = grace.getByRole("alert").filter({ hasText: "The page was deleted while you were editing it." });
  await notice.getByRole("heading", { name: "Not saved" }).waitFor();
  assert.equal(await grace.getByText("The page was deleted while you were editing it.").count(), 1);
  assert.equal(await field(grace, "content").inputValue(), "Not gone yet.");
  await button(grace, "Save again").click();
  await grace.waitForURL((url) => url.pathname === at("fleeting"));
  await reads(grace, "Not gone yet.");
});
