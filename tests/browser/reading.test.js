// What is read: alerts, formulas, HTML, pages from right to left, wide screens, and paper.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { before, test } from "node:test";
import { accessible } from "./support/accessible.js";
import { button, field, visit } from "./support/see.js";
import { VIEWS, furnish } from "./support/views.js";
import { at, person, write } from "./support/world.js";
import { repository } from "./support/wiki.js";

const RTL = readFileSync(join(repository, "tests/browser/support/rtl.md"), "utf8");

before(async () => {
  await furnish();
  await write("דוגמה", RTL);
});

const still = { reducedMotion: "reduce" };
const desk = { ...still, viewport: { width: 1440, height: 900 } };

/** Where an element is. */
const box = (locator) => locator.first().evaluate((element) => {
  const { left, right, top, width, height } = element.getBoundingClientRect();
  return { left, right, top, width, height };
});

test("Markdown of other wikis shows none of its source", async (t) => {
  const page = await VIEWS.page(await person(t, desk));
  const text = page.locator("#_text");
  for (const source of ["[!NOTE]", "<kbd>", "<details>", ":tada:", "$$", "\\frac", "$A"]) {
    assert.ok(!(await text.innerText()).includes(source), source);
  }
  assert.deepEqual(await text.getByRole("note").locator(".alert-kind").allTextContents(), ["Note", "Tip", "Important", "Warning", "Caution"]);
  assert.deepEqual(await text.locator("kbd").allTextContents(), ["Ctrl", "S"]);
  assert.ok((await text.innerText()).includes("a loaf costs $5, and two cost $9"));
  // Laid out as mathematics: the fraction's parts are one above the other.
  const [above, below] = [await box(text.locator("mfrac > :first-child")), await box(text.locator("mfrac > :last-child"))];
  assert.ok(above.top + above.height <= below.top + 2, JSON.stringify([above, below]));
  const hidden = text.getByText("It is a grain.");
  assert.ok(!(await hidden.isVisible()));
  await text.getByText("More about rye").click();
  assert.ok(await hidden.isVisible());
  await accessible(page, "a page with everything");
});

test("a page from right to left is that throughout", async (t) => {
  const page = await visit(await person(t, desk), at("דוגמה"));
  const text = page.locator("#_text");
  assert.equal(await text.getAttribute("dir"), "rtl");
  assert.equal(await text.getAttribute("lang"), "he");
  const whole = await box(text);
  // A list item that begins with a Latin word, and its mark.
  const item = text.getByRole("listitem").filter({ hasText: "Docker" });
  const words = await item.evaluate((element) => {
    const range = document.createRange();
    range.selectNodeContents(element);
    return range.getBoundingClientRect().right;
  });
  assert.ok(whole.right - words < 60, `${words} of ${whole.right}`);
  const [first, last] = [await box(text.locator("th").first()), await box(text.locator("th").last())];
  assert.ok(first.left > last.right - 1, "columns begin at the right");
  const quotation = await text.locator("blockquote").first().evaluate((element) => getComputedStyle(element).borderRightWidth);
  assert.equal(quotation, "3px");
  const english = text.getByText("An English paragraph");
  assert.equal(await english.getAttribute("dir"), "ltr");
  assert.equal(await text.locator("pre").evaluate((element) => getComputedStyle(element).direction), "ltr");
  await accessible(page, "a page from right to left");
});

test("who did a task and when reads in its order, whatever the direction of the page and of the name", async (t) => {
  await write("משימות", "עמוד בעברית עם משימות.\n\n- [ ] לקנות לחם due:2030-12-04\n- [ ] לקנות קמח\n");
  const page = await person(t, desk);
  await visit(page, at("משימות"));
  await page.locator(".box").first().click();
  await field(page, "author").fill("יעל");
  await button(page, "Try again").click();
  const done = page.locator(".ticked");
  assert.match(await done.textContent(), /^יעל, \d+ [A-Z][a-z]+ \d{4}$/);
  // The day stands on one line, in the order in which it is read: name, number, month, year.
  const places = await done.evaluate((element) => {
    const [who, day] = [element.querySelector("bdi bdi").firstChild, element.querySelector("bdi").lastChild];
    const left = (node, from, to) => {
      const range = document.createRange();
      range.setStart(node, from);
      range.setEnd(node, to);
      return range.getBoundingClientRect().left;
    };
    const words = [...day.data.matchAll(/\w+/g)];
    return [left(who, 0, 1), ...words.map((word) => left(day, word.index, word.index + word[0].length))];
  });
  assert.deepEqual(places, [...places].sort((one, other) => one - other));
  assert.equal(places.length, 4);
});

test("on a wide screen a wide table has its columns, and text keeps its measure", async (t) => {
  const columns = 9;
  const row = (cell) => `|${Array.from({ length: columns }, (_, at) => cell(at)).join("|")}|\n`;
  const table = row((at) => `Column ${at}`) + row(() => "---") + row((at) => `value-${at}`) + row(() => "12");
  await write("Wide", `${"Words and more words. ".repeat(60)}\n\n${table}\n\n# One\n\n# Two\n\n# Three`);
  const page = await visit(await person(t, { ...still, viewport: { width: 1680, height: 1000 } }), at("wide"));
  const [paragraph, grid] = [await box(page.locator("#_text > p")), await box(page.locator("#_text table"))];
  assert.ok(paragraph.width <= 42 * 16, `${paragraph.width}`);
  assert.ok(grid.width > paragraph.width && grid.right <= 1680, JSON.stringify(grid));
  const scroller = page.locator("#_text .table");
  assert.ok(await scroller.evaluate((element) => element.scrollWidth <= element.clientWidth));
  // Short columns are as narrow as their words, and no word is broken.
  const cell = await box(page.locator("td", { hasText: /^12$/ }));
  assert.ok(cell.width < 6.5 * 16, `${cell.width}`);
  const contents = await box(page.locator("#_contents"));
  assert.ok(contents.left >= grid.right, "the contents are beside it");
  await page.getByRole("heading", { name: "On this page" }).waitFor();
});

test("the contents mark the section that one reads", async (t) => {
  const section = (name) => `## ${name}\n\n${"Words and more words.\n\n".repeat(30)}`;
  await write("Long", `${"Before.\n\n".repeat(20)}${["First", "Second, wörd", "Third"].map(section).join("")}`);
  const page = await visit(await person(t, desk), at("long"));
  const marked = page.locator("#_contents [aria-current=true]");
  const reads = (name) => page.waitForFunction((name) => {
    const all = [...document.querySelectorAll("#_contents [aria-current=true]")].map((link) => link.textContent);
    return name ? all.length === 1 && all[0] === name : !all.length;
  }, name);
  const far = (name, by) => page.getByRole("heading", { name }).evaluate((element, by) => scrollTo(0, element.getBoundingClientRect().top + scrollY + by), by);
  await page.locator("#_contents").getByRole("link", { name: "Third" }).click();
  await reads("Third");
  assert.equal(await marked.count(), 1);
  // Between headings, far from all of them.
  await far("Second", 600);
  await reads("Second, wörd");
  await far("First", -200);
  await reads("First");
  await accessible(page, "contents with a mark");
  await far("First", -2000);
  await reads(null);
});

test("a table is sorted by a column, by mouse and by keyboard", async (t) => {
  const rows = ["| zebra | 1,900 | 2026-02-01 |", "| Äpfel | 12.5 | 2025-12-31 |", "| banana | | 2026-01-15 |", "| Item 10 | −3 | |", "| Item 9 | 700 | 2026-01-02 |"];
  const table = (rows) => `| Name | Amount | Day | [Home](/wiki) |\n|---|--:|---|---|\n${rows.map((row) => `${row} x |`).join("\n")}\n`;
  await write("Sorted", `An English page, which says so in a sentence or two of words that are known.\n\n${table(rows)}\n\n## Short\n\n${table(rows.slice(0, 2))}`);
  const page = await visit(await person(t, desk), at("sorted"));
  const grid = page.locator("#_text table").first();
  const column = (at) => grid.locator(`tbody td:nth-child(${at})`).allTextContents();
  const width = await grid.evaluate((element) => element.scrollWidth);
  const head = (name) => grid.getByRole("button", { name, exact: true });
  const [names, amounts, days] = [await column(1), await column(2), await column(3)];

  await head("Name").click();
  assert.deepEqual(await column(1), ["Äpfel", "banana", "Item 9", "Item 10", "zebra"]);
  assert.deepEqual(await grid.getByRole("columnheader").evaluateAll((all) => all.map((one) => one.getAttribute("aria-sort"))), ["ascending", null, null, null]);
  await head("Name").click();
  assert.deepEqual(await column(1), ["zebra", "Item 10", "Item 9", "banana", "Äpfel"]);
  await accessible(page, "a sorted table");
  // As it was written.
  await head("Name").click();
  assert.deepEqual(await column(1), names);

  await head("Amount").focus();
  await page.keyboard.press("Enter");
  assert.deepEqual(await column(2), ["−3", "12.5", "700", "1,900", ""]);
  await page.keyboard.press("Space");
  assert.deepEqual(await column(2), ["1,900", "700", "12.5", "−3", ""]);
  await head("Day").click();
  assert.deepEqual(await column(3), ["2025-12-31", "2026-01-02", "2026-01-15", "2026-02-01", ""]);
  assert.equal(await grid.getByRole("columnheader", { name: "Amount" }).getAttribute("aria-sort"), null);
  await head("Day").click();
  await head("Day").click();
  assert.deepEqual([await column(2), await column(3)], [amounts, days]);

  // Nothing moves for the arrows; a link stays one, and two rows are in no order.
  assert.equal(await grid.evaluate((element) => element.scrollWidth), width);
  assert.equal(await grid.getByRole("link", { name: "Home" }).count(), 1);
  assert.equal(await grid.getByRole("button").count(), 3);
  assert.equal(await page.locator("#_text table").last().getByRole("button").count(), 0);

  // Numbers are those of the page's language.
  await write("Sortiert", "Diese Seite ist auf Deutsch geschrieben, und das sagen die Wörter in diesem Satz.\n\n| Preis |\n|---|\n| 1.900 |\n| 2,5 |\n| 70 |\n");
  await visit(page, at("sortiert"));
  assert.equal(await page.locator("#_text").getAttribute("lang"), "de");
  await head("Preis").click();
  assert.deepEqual(await column(1), ["2,5", "70", "1.900"]);
});

test("on paper, done tasks keep their tick, tables their columns, and nothing is folded away", async (t) => {
  const page = await VIEWS.page(await person(t, { ...still, viewport: { width: 700, height: 900 } }));
  await page.emulateMedia({ media: "print" });
  const tick = page.locator("#_text .box[aria-checked=true]").first();
  const drawn = await tick.evaluate((element) => {
    const mark = getComputedStyle(element, "::before");
    return [getComputedStyle(element).backgroundColor, mark.borderRightColor, mark.display];
  });
  assert.deepEqual(drawn, ["rgba(0, 0, 0, 0)", "rgb(0, 0, 0)", "block"]);
  const table = await page.locator("#_text .table").evaluate((element) => [element.scrollWidth, element.clientWidth, getComputedStyle(element).overflowX]);
  assert.ok(table[0] <= table[1] + 1 && table[2] === "visible", JSON.stringify(table));
  assert.ok((await page.getByText("It is a grain.").boundingBox())?.height > 0);
  assert.match((await page.pdf()).subarray(0, 8).toString("latin1"), /^%PDF-1/);
});

test("figures are lining", async (t) => {
  const page = await VIEWS.page(await person(t, desk));
  assert.equal(await page.locator("#_text").evaluate((element) => getComputedStyle(element).fontVariantNumeric), "lining-nums");
});

test("a focused skip link covers nothing, and every link in the changes is large enough", async (t) => {
  const page = await visit(await person(t, desk), "/wiki/-/changes");
  await page.keyboard.press("Tab");
  const [skip, brand] = [await box(page.locator(".skip")), await box(page.locator(".side .brand"))];
  assert.ok(skip.top + skip.height <= brand.top, JSON.stringify([skip, brand]));
  for (const title of await page.locator(".changes .title").all()) assert.ok((await box(title)).height >= 24);
});

test("a draft can be discarded", async (t) => {
  await write("Drafted", "As it was.");
  const page = await person(t);
  page.on("dialog", (dialog) => dialog.accept());
  await visit(page, at("drafted", "edit"));
  await page.getByLabel("Text", { exact: true }).fill("Half a thought");
  await page.waitForFunction(() => Object.keys(localStorage).some((name) => name.endsWith("/edit")));
  await visit(page, at("drafted", "edit"));
  await button(page, "Discard").click();
  assert.equal(await page.locator("#_local-draft").count(), 0);
  await visit(page, at("drafted", "edit"));
  assert.equal(await page.locator("#_local-draft").count(), 0);
});
