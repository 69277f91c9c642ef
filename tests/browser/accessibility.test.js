// Every view, light and dark, by the rules of axe (WCAG 2.2 A and AA, and its best practices).
import assert from "node:assert/strict";
import { test } from "node:test";
import axe from "axe-core";
import { visit } from "./support/see.js";
import { SAMPLE, VIEWS, answers, furnish } from "./support/views.js";
import { person, write } from "./support/world.js";

/** Asserts that axe finds nothing to complain about, but for the rules in `tolerated`. */
async function accessible(page, name, tolerated = []) {
  for (const colorScheme of ["light", "dark"]) {
    await page.emulateMedia({ colorScheme });
    // Evaluated by the debugger: the content security policy would refuse a script element.
    await page.evaluate(axe.source);
    const { violations } = await page.evaluate(() => axe.run(document, { resultTypes: ["violations"] }));
    const serious = violations.filter(({ id }) => !tolerated.includes(id));
    const found = serious.flatMap(({ id, impact, help, nodes }) =>
      nodes.map(({ target, failureSummary }) => `${impact} ${id}: ${help}\n  ${target}\n  ${failureSummary}`));
    assert.deepEqual(found, [], `${name}, ${colorScheme}`);
  }
}

// Colours that are on their way are not looked at.
const still = (t) => person(t, { reducedMotion: "reduce" });

test("the empty front page is accessible", async (t) => {
  await accessible(await visit(await still(t), "/wiki"), "the empty front page");
  await furnish();
});

for (const [name, show] of Object.entries(VIEWS)) {
  test(`the view "${name}" is accessible`, async (t) => {
    const page = await still(t);
    await show(page);
    await accessible(page, name);
  });
}

test("the description of the API is accessible", async (t) => {
  if (!(await answers("/docs"))) return t.skip("this wiki has none");
  const page = await visit(await still(t), "/docs");
  await page.locator(".opblock").first().waitFor();
  // Swagger UI's own outline: moderate both, and nobody is kept from anything by them.
  await accessible(page, "docs", ["heading-order", "region"]);
});

test("a page shown as front page is accessible", async (t) => {
  await write("Home", SAMPLE);
  await accessible(await visit(await still(t), "/wiki"), "front page");
});

test("open suggestions are accessible", async (t) => {
  const page = await still(t);
  await visit(page, "/wiki");
  await page.getByRole("combobox", { name: "Search the wiki" }).pressSequentially("a s");
  await page.getByRole("option").first().waitFor();
  await page.keyboard.press("ArrowDown");
  await accessible(page, "suggestions");
});
