// Code: its colours, its language's name, and a button to copy it.
import assert from "node:assert/strict";
import { before, test } from "node:test";
import { accessible } from "./support/accessible.js";
import { visit } from "./support/see.js";
import { at, person, plainPerson, write } from "./support/world.js";

const CODE = "// Why.\nfn main() {\n    let a = \"b\"; 1\n}\n";

before(() => write("Code", `\`\`\`rust\n${CODE}\`\`\`\n\n\`\`\`\n┌─┐\n└─┘\n\`\`\`\n\n- In a list\n\n  \`\`\`mermaid\n  graph\n  \`\`\``));

test("code has the name of its language above it, and five colours", async (t) => {
  const page = await visit(await person(t, { reducedMotion: "reduce" }), at("code"));
  const text = page.locator("#_text");
  assert.deepEqual(await text.locator(".language").evaluateAll((names) => names.map((name) => name.firstChild.data)), ["Rust", "mermaid"]);
  assert.equal(await text.locator("pre code").first().textContent(), CODE);
  for (const colorScheme of ["light", "dark"]) {
    await page.emulateMedia({ colorScheme });
    const seen = await text.locator("pre").first().evaluate((pre) =>
      [pre, ...pre.querySelectorAll("span")].map((piece) => getComputedStyle(piece).color));
    assert.equal(new Set(seen).size, 6, `${colorScheme}: ${seen}`);
  }
  // Code is read line by line, and drawings join.
  const heights = await text.locator("pre").evaluateAll((all) => all.map((pre) => {
    const { lineHeight, fontSize } = getComputedStyle(pre);
    return Math.round((100 * parseFloat(lineHeight)) / parseFloat(fontSize)) / 100;
  }));
  assert.deepEqual(heights, [1.5, 1.2, 1.5]);
  await accessible(page, "code");
});

const copies = async (t, prepare) => {
  const page = await person(t);
  await prepare(page);
  await visit(page, at("code"));
  const button = page.locator(".code").first().getByRole("button", { name: "Copy" });
  await button.focus();
  await page.keyboard.press("Enter");
  await page.getByRole("status").filter({ hasText: "Copied" }).waitFor({ state: "attached" });
  assert.equal(await page.locator(".code button").first().textContent(), "Copied");
  // What was copied can be pasted. The last line's end is not part of it: in a terminal it would start the command.
  await page.evaluate(() => document.body.append(Object.assign(document.createElement("textarea"), { id: "pasted" })));
  await page.locator("#pasted").focus();
  await page.keyboard.press("Control+V");
  assert.equal((await page.locator("#pasted").inputValue()).trimEnd(), CODE.trimEnd());
  await button.waitFor();
};

test("code is copied", (t) => copies(t, (page) => page.context().grantPermissions(["clipboard-read", "clipboard-write"])));

test("code is copied where browsers have no clipboard for pages", (t) =>
  copies(t, (page) => page.addInitScript(() => Object.defineProperty(Navigator.prototype, "clipboard", { value: undefined }))));

test("without a script there is the code, and nothing that would not work", async (t) => {
  const page = await visit(await plainPerson(t), at("code"));
  assert.equal(await page.locator(".code .language").first().textContent(), "Rust");
  assert.equal(await page.locator("#_text button").count(), 0);
});

test("on paper there are no buttons", async (t) => {
  const page = await visit(await person(t, { colorScheme: "dark" }), at("code"));
  await page.emulateMedia({ media: "print" });
  assert.equal(await page.locator(".code button").first().isVisible(), false);
  // Dark colours, on white.
  const keyword = await page.locator(".code .k").first().evaluate((piece) => getComputedStyle(piece).color);
  assert.equal(keyword, "rgb(138, 47, 90)");
});

test("code in a preview has its button too", async (t) => {
  const page = await visit(await person(t), at("code", "edit"));
  const preview = page.locator("#_preview-text");
  await preview.locator(".code .k").first().waitFor();
  assert.equal(await preview.locator(".code").count(), 2);
  assert.equal(await preview.getByRole("button", { name: "Copy" }).count(), 2);
});
