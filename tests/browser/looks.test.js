// How it looks: dark, on a telephone, on paper, and with documents full of tables and drawings.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { before, test } from "node:test";
import { visit } from "./support/see.js";
import { VIEWS, furnish } from "./support/views.js";
import { at, person, write } from "./support/world.js";
import { repository } from "./support/wiki.js";

before(furnish);

const ground = (page) => page.evaluate(() => getComputedStyle(document.documentElement).backgroundColor);

test("who prefers the dark gets it", async (t) => {
  const light = await ground(await VIEWS.page(await person(t, { colorScheme: "light" })));
  const dark = await ground(await VIEWS.page(await person(t, { colorScheme: "dark" })));
  const brightness = (colour) => Math.max(...colour.match(/\d+/g).slice(0, 3).map(Number));
  assert.ok(brightness(light) > 230, light);
  assert.ok(brightness(dark) < 50, dark);
});

for (const [name, show] of Object.entries(VIEWS)) {
  test(`on a telephone, the view "${name}" is no wider than the screen`, async (t) => {
    const page = await person(t, { viewport: { width: 360, height: 740 }, isMobile: true, hasTouch: true, deviceScaleFactor: 2 });
    await show(page);
    const wide = await page.evaluate(() => {
      const width = 360;
      if (document.scrollingElement.scrollWidth <= width) return [];
      const over = [...document.body.querySelectorAll("*")].filter((element) => element.getBoundingClientRect().right > width);
      return [`scrollWidth ${document.scrollingElement.scrollWidth}`, ...over.map((element) => element.outerHTML.slice(0, 120))];
    });
    assert.deepEqual(wide, []);
  });
}

test("on paper there is the text, and no navigation", async (t) => {
  const page = await person(t, { colorScheme: "dark" });
  await VIEWS.page(page);
  await page.emulateMedia({ media: "print" });
  for (const name of ["Wiki", "Pages", "This page", "More"]) {
    assert.equal(await page.getByRole("navigation", { name, includeHidden: true, exact: true }).isVisible(), false, name);
  }
  assert.ok(await page.getByRole("heading", { name: "A sample of everything" }).isVisible());
  assert.ok(await page.locator("#_text table").isVisible());
  assert.equal(await ground(page), "rgb(255, 255, 255)");
  // Headless Chromium prints: what comes out is a document of at least one page.
  assert.match((await page.pdf()).subarray(0, 8).toString("latin1"), /^%PDF-1/);
});

const document = (name) => readFileSync(join(repository, "tests/data", name), "utf8");

/** Widths in pixels of the lines of a drawing, from its first line that begins with `first` to its last with `last`. */
const widths = (drawing, first, last) => drawing.evaluate((code, [first, last]) => {
  const text = code.textContent.replace(/\n$/, "");
  const lines = text.split("\n");
  const [begin, end] = [lines.findIndex((line) => line.startsWith(first)), lines.findLastIndex((line) => line.startsWith(last))];
  // Where a position in the text is among the nodes the code consists of.
  const place = (offset) => {
    const walk = code.ownerDocument.createTreeWalker(code, NodeFilter.SHOW_TEXT);
    for (let node; (node = walk.nextNode()); offset -= node.length) if (offset <= node.length) return [node, offset];
  };
  let offset = 0;
  const widths = lines.map((line) => {
    const range = code.ownerDocument.createRange();
    range.setStart(...place(offset));
    range.setEnd(...place(offset + line.length));
    offset += line.length + 1;
    return Math.round(range.getBoundingClientRect().width * 4) / 4;
  });
  return widths.slice(begin, end + 1);
}, [first, last]);

test("drawings made of characters fit together", async (t) => {
  const post = await write("Boxes", document("boxes.md"));
  const page = await person(t);
  await visit(page, at(post.slug));
  const text = page.locator("#_text");
  assert.equal(await text.locator("pre").count(), 2);
  const measured = await widths(text.locator("pre code").first(), "┌", "└");
  assert.equal(measured.length, 13);
  assert.deepEqual(new Set(measured), new Set([measured[0]]), "every line of the box is as wide as its first");
  // Lines touch, so that strokes from one to the next are not broken.
  const [height, size] = await text.locator("pre").first().evaluate((pre) => {
    const style = getComputedStyle(pre);
    return [parseFloat(style.lineHeight), parseFloat(style.fontSize)];
  });
  assert.ok(height <= 1.25 * size, `${height} px for ${size} px`);
});

test("tables are tables and code is code", async (t) => {
  const post = await write("Boxes again", document("boxes.md"));
  const page = await person(t);
  await visit(page, at(post.slug));
  const text = page.locator("#_text");
  assert.deepEqual(await text.locator("table th").allTextContents(), ["Oven", "Heat", "Command"]);
  assert.deepEqual(await text.locator("table td code").allTextContents(), ["oven | tee log", "a && b > /dev/null 2>&1"]);
  assert.match(await text.locator("pre").nth(1).textContent(), /^apiVersion: bakery\/v1\n.*\n\ttabs: "are not allowed here, but are kept"\n$/s);
  await text.getByRole("link", { name: "Bakers", exact: true }).click();
  await page.waitForURL("**#bakers");
});

test("columns of a table are aligned as they say", async (t) => {
  await write("Aligned", "| a | b | c |\n|:--|:-:|--:|\n| 1 | 2 | 3 |");
  const page = await person(t);
  await visit(page, at("aligned"));
  const aligned = (cell) => page.locator(`#_text ${cell}`).evaluateAll((cells) => cells.map((cell) => getComputedStyle(cell).textAlign));
  for (const cell of ["th", "td"]) {
    const [left, center, right] = await aligned(cell);
    assert.match(left, /^(left|start)$/);
    assert.match(center, /center$/);
    assert.match(right, /^(right|end)$/);
  }
});

test("a heading is nearer to what it heads, and its link stands beside it", async (t) => {
  await write("Headed", "Before.\n\n## Heading\n\nAfter.");
  const page = await person(t);
  await visit(page, at("headed"));
  const box = (words) => page.locator("#_text").getByText(words, { exact: true }).boundingBox();
  const [before, heading, after, link] = await Promise.all(["Before.", "Heading", "After.", "#"].map(box));
  const [above, below] = [heading.y - before.y - before.height, after.y - heading.y - heading.height];
  assert.ok(below < above, `${below} px below it, ${above} px above`);
  const middle = link.y + link.height / 2;
  assert.ok(middle > heading.y && middle < heading.y + heading.height, `the link at ${middle}, the heading from ${heading.y}`);
});

test("a document with broken characters is shown with what can be shown", async (t) => {
  const post = await write("Mojibake", document("mojibake.md"));
  const page = await person(t);
  await visit(page, at(post.slug));
  const text = page.locator("#_text");
  assert.equal(await text.locator("table").count(), 1);
  assert.deepEqual(await text.locator("table th").allTextContents(), ["Step", "Time"]);
  assert.match(await text.locator("pre").textContent(), /oven --heat 240 && echo "done \\"\$\?\\""/);
  assert.equal(await text.getByRole("heading", { level: 2 }).count(), 1);
});
