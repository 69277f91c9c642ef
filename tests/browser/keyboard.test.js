// A page is made and edited with the keyboard alone, and it can always be seen where one is.
import assert from "node:assert/strict";
import { test } from "node:test";
import { button, field, heading, link, reads, visit } from "./support/see.js";
import { at, person, rewrite, write } from "./support/world.js";

/** More stops than any page has before what is looked for. */
const STOPS = 60;

/** Presses Tab until `wanted` has the focus; every stop before it must be visibly focused. */
async function tabTo(page, wanted) {
  const goal = await wanted.elementHandle();
  for (let stop = 0; stop < STOPS; stop++) {
    await page.keyboard.press("Tab");
    const { where, outlined, there } = await page.evaluate((goal) => {
      const at = document.activeElement;
      const { outlineStyle, outlineWidth } = getComputedStyle(at);
      return { where: at.outerHTML.slice(0, 100), outlined: outlineStyle !== "none" && outlineWidth !== "0px", there: at === goal };
    }, goal);
    assert.ok(outlined, `nothing shows that the focus is at ${where}`);
    if (there) return;
  }
  assert.fail(`not reached within ${STOPS} stops: ${wanted}`);
}

const focused = (page) => page.evaluate(() => document.activeElement.id);

test("from the first stop to a saved page", async (t) => {
  const page = await person(t);
  const { keyboard } = page;
  await visit(page, "/wiki");
  await keyboard.press("Tab");
  const skip = page.getByRole("link", { name: "Skip to the content" });
  assert.ok(await skip.evaluate((skip) => skip === document.activeElement));
  // Out of sight otherwise, it is to be seen now.
  assert.equal(await skip.evaluate((skip) => getComputedStyle(skip).clipPath), "none");
  await keyboard.press("Enter");
  await page.waitForURL("**#_main");
  assert.equal(await focused(page), "_main");
  await tabTo(page, link(page, "Write the front page"));
  await keyboard.press("Enter");
  await heading(page, "New page");

  // The title is given: one begins with the text.
  assert.equal(await focused(page), "_content");
  await page.keyboard.press("Shift+Tab");
  assert.ok(await page.evaluate(() => document.activeElement.closest("[role=toolbar]") !== null));
  await page.keyboard.press("Shift+Tab");
  assert.equal(await focused(page), "_title");
  await keyboard.press("ControlOrMeta+a");
  await keyboard.type("Home");
  await tabTo(page, field(page, "content"));
  await keyboard.type("Typed, without a mouse.");
  await tabTo(page, button(page, "Save"));
  await tabTo(page, field(page, "tags"));
  await keyboard.type("keyboard");
  await tabTo(page, field(page, "author"));
  await keyboard.type("Grace");
  await keyboard.press("Enter");
  await page.waitForURL("**/wiki/home");
  await reads(page, "Typed, without a mouse.");
});

test("a text is saved with Ctrl+Enter and with Ctrl+S", async (t) => {
  await write("Quick", "Slow.");
  const page = await person(t);
  for (const [keys, words] of [["Control+Enter", "Faster."], ["Control+s", "Fastest."]]) {
    await visit(page, at("quick", "edit"));
    await field(page, "author").fill("Grace");
    await field(page, "content").fill(words);
    await page.keyboard.press(keys);
    await page.waitForURL("**/wiki/quick");
    await reads(page, words);
  }
});

test("mistakes are reached and corrected", async (t) => {
  const page = await person(t);
  const { keyboard } = page;
  await visit(page, "/wiki/-/new");
  assert.equal(await focused(page), "_title");
  await keyboard.type("Nameless");
  await tabTo(page, button(page, "Save"));
  await keyboard.press("Enter");
  await page.getByRole("alert").waitFor();
  assert.equal(await focused(page), "_errors");
  await tabTo(page, page.getByRole("alert").getByRole("link", { name: "Enter your name." }));
  await keyboard.press("Enter");
  await page.waitForURL("**#_author");
  assert.equal(await focused(page), "_author");
  await keyboard.type("Grace");
  await keyboard.press("Enter");
  await page.waitForURL("**/wiki/nameless");
});

test("two versions are chosen and compared", async (t) => {
  const post = await write("Versions", "one");
  for (const text of ["two", "three"]) await rewrite(post, text);
  const page = await person(t);
  await visit(page, at("versions", "history"));
  await tabTo(page, page.getByLabel("Old: version 2", { exact: true }));
  await page.keyboard.press("ArrowDown");
  assert.ok(await page.getByLabel("Old: version 1", { exact: true }).isChecked());
  // Enter sends the form, wherever in it one is.
  await page.keyboard.press("Enter");
  await page.waitForURL("**/compare?**");
  await page.locator("tr.removed", { hasText: "one" }).waitFor();
});
