// Every view, light and dark, by the rules of axe (WCAG 2.2 A and AA, and its best practices).
import { test } from "node:test";
import { accessible } from "./support/accessible.js";
import { visit } from "./support/see.js";
import { SAMPLE, VIEWS, answers, furnish } from "./support/views.js";
import { person, write } from "./support/world.js";

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
