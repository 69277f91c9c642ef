// One section of a page is edited, and one is back there after saving.
import assert from "node:assert/strict";
import { test } from "node:test";
import { button, field, fill, link, save, visit } from "./support/see.js";
import { api, at, person, plainPerson, write } from "./support/world.js";

const PAGE = ["One", "Two", "Three"].map((name) => `## ${name}\n\n${`About ${name}.\n\n`.repeat(40)}`).join("").trimEnd();
const EDITED = PAGE.replace("About Two.", "All about Two.");

const text = (page) => field(page, "content").inputValue();

test("with JavaScript, the whole page is there, with the cursor at the section", async (t) => {
  const { slug, post_id } = await write("Sections", PAGE);
  const page = await person(t);
  await visit(page, at(slug));
  const edit = link(page, "Edit section: Two");
  await edit.focus();
  await page.waitForFunction((edit) => getComputedStyle(edit).opacity === "1", await edit.elementHandle());
  await edit.click();
  assert.equal(await text(page), PAGE);
  const area = field(page, "content");
  assert.equal(await area.evaluate((area) => area.selectionStart), PAGE.indexOf("## Two"));
  assert.equal(await page.evaluate(() => document.activeElement.id), "_content");
  // What one came for is in sight.
  await page.waitForFunction(() => scrollY > innerHeight);
  await page.getByRole("region", { name: "Preview" }).getByRole("heading", { name: "Two" }).waitFor();
  await area.fill(EDITED);
  await fill(page, { author: "Grace" });
  await save(page, at(slug));
  assert.equal(decodeURIComponent(new URL(page.url()).hash), "#section-two");
  assert.equal((await api("GET", `/posts/${post_id}`)).content, EDITED);
});

test("without JavaScript, the form has the section, and the page keeps the rest", async (t) => {
  const { slug, post_id } = await write("Plain sections", PAGE);
  const page = await plainPerson(t);
  await visit(page, at(slug));
  await link(page, "Edit section: Two").click();
  const section = PAGE.slice(PAGE.indexOf("## Two"), PAGE.indexOf("## Three")).trimEnd();
  assert.equal(await text(page), section);
  // A preview, and a mistake, leave it so.
  await button(page, "Preview").click();
  await page.getByRole("region", { name: "Preview" }).getByRole("heading", { name: "Two" }).waitFor();
  assert.equal(await text(page), section);
  await fill(page, { content: section.replace("About Two.", "All about Two.") });
  await button(page, "Save").click();
  await page.getByRole("alert").getByText("Enter your name.").waitFor();
  await fill(page, { author: "Grace" });
  await save(page, at(slug));
  assert.equal(new URL(page.url()).hash, "#section-two");
  assert.equal((await api("GET", `/posts/${post_id}`)).content, EDITED);
});

test("leaving leads back to the section", async (t) => {
  const { slug } = await write("Left sections", PAGE);
  const page = await person(t);
  await visit(page, `${at(slug, "edit")}?section=section-three`);
  await link(page, "Discard").click();
  await page.waitForURL(`**${at(slug)}#section-three`);
});
