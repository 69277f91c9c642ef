// Writing Markdown: the buttons above the text, lists that go on, menus, and what is pasted.
import assert from "node:assert/strict";
import { test } from "node:test";
import { accessible } from "./support/accessible.js";
import { button, field, link, save, visit } from "./support/see.js";
import { api, at, person, plainPerson, user, write } from "./support/world.js";

const text = (page) => field(page, "content").inputValue();

/** The editor of a new page, with `content` in it: `|` is the cursor, or there are two around what is selected. */
async function writing(t, content, options) {
  const page = await person(t, options);
  page.on("dialog", (dialog) => dialog.accept());
  await visit(page, "/wiki/-/new");
  await set(page, content);
  return page;
}

async function set(page, content) {
  const [start, end] = [content.indexOf("|"), content.lastIndexOf("|")];
  await field(page, "content").fill(content.replaceAll("|", ""));
  await field(page, "content").evaluate((area, [start, end]) => {
    area.focus();
    area.setSelectionRange(start, end);
  }, [start, start === end ? end : end - 1]);
}

/** The text as it is in the editor, with the cursor. */
const written = (page) => field(page, "content").evaluate(({ value, selectionStart: start, selectionEnd: end }) =>
  `${value.slice(0, start)}|${start === end ? "" : `${value.slice(start, end)}|`}${value.slice(end)}`);

test("buttons format what is selected, and it can be undone", async (t) => {
  const page = await writing(t, "");
  const tools = page.getByRole("toolbar", { name: "Formatting" });
  for (const [name, before, after] of [
    ["Bold, Ctrl B", "a |word| b", "a **|word|** b"],
    ["Italic, Ctrl I", "a |word| b", "a _|word|_ b"],
    ["Code", "a |word| b", "a `|word|` b"],
    ["Link, Ctrl K", "a |word| b", "a [word](|url|) b"],
    ["Heading", "one\na wo|rd\ntwo", "one\n## a word|\ntwo"],
    ["Heading", "## a wo|rd", "### a word|"],
    ["Heading", "### a wo|rd", "a word|"],
    ["List", "a wo|rd", "- a wo|rd"],
    ["Numbered list, 1. List", "|one\ntwo|", "|1. one\n2. two|"],
    ["Task", "one\n\na wo|rd", "one\n\n- [ ] |a word|"],
    ["Quote", "a wo|rd", "> |a word|"],
    ["Table", "one|", "one\n\n| |Column| | Column |\n|---|---|\n|  |  |"],
  ]) {
    // What a table consists of is no cursor.
    const read = name === "Table" ? async () => text(page) : () => written(page);
    await set(page, before);
    await tools.getByRole("button", { name, exact: true }).click();
    assert.equal(await read(), name === "Table" ? after.replace("|Column|", "Column") : after, `${name} of ${before}`);
    await page.keyboard.press("Control+z");
    assert.equal(await text(page), before.replaceAll("|", ""), `${name} undone`);
  }
});

test("the keys do what the buttons do, and Ctrl K nothing else", async (t) => {
  const page = await writing(t, "a |word| b");
  for (const [key, expected] of [["b", "a **|word|** b"], ["i", "a _|word|_ b"], ["k", "a [word](|url|) b"]]) {
    await set(page, "a |word| b");
    await page.keyboard.press(`Control+${key}`);
    assert.equal(await written(page), expected, key);
    assert.equal(await page.getByRole("dialog").count(), 0);
  }
});

test("the buttons are one stop, and arrows lead from one to the next", async (t) => {
  const page = await writing(t, "|");
  const focused = () => page.evaluate(() => document.activeElement.ariaLabel ?? document.activeElement.id);
  await page.keyboard.press("Shift+Tab");
  assert.equal(await focused(), "Bold, Ctrl B");
  await page.keyboard.press("ArrowRight");
  assert.equal(await focused(), "Italic, Ctrl I");
  await page.keyboard.press("End");
  assert.equal(await focused(), "Code");
  await page.keyboard.press("ArrowRight");
  assert.equal(await focused(), "Bold, Ctrl B");
  await page.keyboard.press("Tab");
  assert.equal(await focused(), "_content");
});

test("without JavaScript there are no buttons", async (t) => {
  const page = await plainPerson(t);
  await visit(page, "/wiki/-/new");
  assert.equal(await page.locator("markdown-toolbar, [role=toolbar], [data-md-button]").count(), 0);
});

test("Enter goes on with a list, a task or a quote, and ends it at an empty item", async (t) => {
  const page = await writing(t, "");
  for (const [before, after] of [
    ["- one|", "- one\n- |"],
    ["* o|ne", "* o\n* |ne"],
    ["  - one|", "  - one\n  - |"],
    ["9. nine|", "9. nine\n10. |"],
    ["1) one|", "1) one\n2) |"],
    ["- [x] done|", "- [x] done\n- [ ] |"],
    ["1. [ ] first|", "1. [ ] first\n2. [ ] |"],
    ["> said|", "> said\n> |"],
    ["> - one|", "> - one\n> - |"],
    ["- one\n- |", "- one\n|"],
    ["- [ ] one\n- [ ] |", "- [ ] one\n|"],
    ["> said\n> |", "> said\n|"],
    // Not where it would be wrong.
    ["plain|", "plain\n|"],
    ["-no list|", "-no list\n|"],
    ["|- one", "\n|- one"],
    ["```\n- code|", "```\n- code\n|"],
    ["---|", "---\n|"],
    ["**bold**|", "**bold**\n|"],
    ["2026.|", "2026.\n|"],
  ]) {
    await set(page, before);
    await page.keyboard.press("Enter");
    assert.equal(await written(page), after, JSON.stringify(before));
  }
  await set(page, "- one|");
  await page.keyboard.press("Enter");
  await page.keyboard.press("Control+z");
  assert.equal(await text(page), "- one");
});

test("the tabulator indents in lists, and never holds the keyboard", async (t) => {
  const page = await writing(t, "");
  const here = () => page.evaluate(() => document.activeElement.id);
  for (const [before, key, after] of [
    ["- one\n- two|", "Tab", "- one\n  - two|"],
    ["1. one\n2. two|", "Tab", "1. one\n   2. two|"],
    ["- one\n  - two|", "Shift+Tab", "- one\n- two|"],
    ["- one\n|- two\n- three|", "Tab", "- one\n  |- two\n  - three|"],
  ]) {
    await set(page, before);
    await page.keyboard.press(key);
    assert.equal(await written(page), after, before);
    assert.equal(await here(), "_content");
  }
  await set(page, "- one\n- two|");
  await page.keyboard.press("Escape");
  await page.keyboard.press("Tab");
  assert.notEqual(await here(), "_content");
  await set(page, "no list|");
  await page.keyboard.press("Tab");
  assert.notEqual(await here(), "_content");
  assert.equal(await text(page), "no list");
});

const options = (page) => page.getByRole("option").allTextContents();

test("[[ offers pages with their places, and writes the link", async (t) => {
  const above = await write("Engineering", "x");
  await write("Architecture overview", "x", { parent_id: above.post_id });
  await write("Fleet archive", "x");
  await write("Archipel [old]", "x");
  const page = await writing(t, "Then read |]], all of it.", { reducedMotion: "reduce" });
  await page.keyboard.type("[[archit");
  await page.getByRole("option", { selected: true }).waitFor();
  assert.deepEqual(await options(page), ["Architecture overviewEngineering", "New page “archit”"]);
  const area = field(page, "content");
  assert.equal(await page.locator(`#${await area.getAttribute("aria-activedescendant")}`).textContent(), "Architecture overviewEngineering");
  await accessible(page, "an open menu");
  await page.keyboard.press("Enter");
  assert.equal(await written(page), "Then read [[Architecture overview]]|, all of it.");
  await page.keyboard.press("Control+z");
  assert.equal(await text(page), "Then read [[archit]], all of it.");

  // By mouse; and a title that a link cannot have.
  await set(page, "|");
  await page.keyboard.type("「[[arch");
  await page.getByRole("option", { name: "Archipel [old]" }).click();
  assert.equal(await text(page), "「[[archipel-old|Archipel  old ]]");

  // A page that is not there yet; Escape leaves all as it was typed.
  await set(page, "|");
  await page.keyboard.type("[[Brand new");
  await page.getByRole("option", { name: "New page “Brand new”" }).click();
  assert.equal(await written(page), "[[Brand new]]|");
  await set(page, "|");
  await page.keyboard.type("[[arch");
  await page.getByRole("option").first().waitFor();
  await page.keyboard.press("Escape");
  await page.keyboard.type("i");
  assert.equal(await page.getByRole("option").count(), 0);
  assert.equal(await text(page), "[[archi");
  await area.press("End");
  await page.keyboard.press("Tab");
  assert.equal(await text(page), "[[archi");
});

test("@ offers people", async (t) => {
  await user("Grace");
  await api("POST", "/users", { username: "hopper", name: "Grace H." });
  const page = await writing(t, "|");
  await page.keyboard.type("Ask @gra");
  await page.getByRole("option").first().waitFor();
  assert.deepEqual(await options(page), ["Grace@Grace", "Grace H.@hopper"]);
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("Tab");
  assert.equal(await written(page), "Ask @hopper |");
  // In the middle of a word it is none.
  await set(page, "|");
  await page.keyboard.type("mail@gra and [[engin");
  await page.getByRole("option", { name: "Engineering" }).waitFor();
  assert.equal(await page.getByRole("listbox", { name: "Pages" }).count(), 1);
});

/** Has the browser paste into the text. */
const paste = (page, html, plain) => field(page, "content").evaluate((area, [html, plain]) => {
  const data = new DataTransfer();
  if (html) data.setData("text/html", html);
  data.setData("text/plain", plain);
  const event = new ClipboardEvent("paste", { bubbles: true, cancelable: true, clipboardData: data });
  if (area.dispatchEvent(event)) document.execCommand("insertText", false, plain);
}, [html, plain]);

test("what is pasted from pages and documents becomes Markdown", async (t) => {
  const page = await writing(t, "|");
  for (const [html, plain, expected] of [
    ["<h2>Bread</h2><p>Flour and <b>water</b>, <a href='https://example.org/a_(b)'>more</a>.</p>", "Bread\nFlour",
      "## Bread\n\nFlour and **water**, [more](https://example.org/a_%28b%29)."],
    ["<ul><li>one<ul><li>two</li></ul></li><li><input type=checkbox checked> done</li></ul><ol start=3><li>three</ol>", "one",
      "- one\n  - two\n- [x] done\n\n3. three"],
    ["<table><tr><th>a</th><th>b|c</th></tr><tr><td>1</td><td><i>2</i></td></tr></table>", "a b", "| a | b\\|c |\n|---|---|\n| 1 | *2* |"],
    ["<blockquote><p>said</p><p>again</p></blockquote><pre><code class='language-rust'>fn *a*() {}\n</code></pre>", "said",
      "> said\n>\n> again\n\n```rust\nfn *a*() {}\n```"],
    ["<b style='font-weight:normal' id=docs><p><span style='font-weight:700'>bold</span> 2*3 snake_case _x</p></b>", "bold", "**bold** 2\\*3 snake_case \\_x"],
    ["<p>x <code>a`b</code> <img src='https://example.org/p.png' alt='A [p]'> <a href='javascript:alert(1)'>bad</a></p>", "x",
      "x `` a`b `` ![A \\[p\\]](https://example.org/p.png) bad"],
    // As it is: no markup that means anything, and code from an editor.
    ["<div><span style='color:red'>let * = 1;</span><br><span>x</span></div>", "let * = 1;\nx", "let * = 1;\nx"],
    ["<pre><span>a*b*</span></pre>", "a*b*", "a*b*"],
    ["", "| a *b*", "| a *b*"],
  ]) {
    await set(page, "|");
    await paste(page, html, plain);
    assert.equal(await text(page), expected, html);
  }
  // In code, all is as it is; and what was pasted can be undone.
  await set(page, "```\n|");
  await paste(page, "<b>x</b>", "x");
  assert.equal(await text(page), "```\nx");
  await set(page, "a|");
  await paste(page, "<b>x</b>", "x");
  await page.keyboard.press("Control+z");
  assert.equal(await text(page), "a");
});

test("an address pasted over words links them", async (t) => {
  const page = await writing(t, "");
  for (const [before, pasted, after] of [
    ["see |the page| now", "https://example.org/x", "see [the page](https://example.org/x)| now"],
    ["see | now", "https://example.org/x", "see https://example.org/x| now"],
    ["|https://example.org/a|", "https://example.org/b", "https://example.org/b|"],
    ["see |the page|", "no address", "see no address|"],
  ]) {
    await set(page, before);
    await paste(page, "", pasted);
    assert.equal(await written(page), after);
  }
});

for (const [width, height] of [[1366, 768], [390, 844]]) {
  test(`at ${width} × ${height}, Save is in sight, and stays there`, async (t) => {
    const { slug } = await write(`Long at ${width}`, "A line.\n\n".repeat(200));
    for (const who of [person, plainPerson]) {
      const page = await who(t, { viewport: { width, height } });
      await visit(page, at(slug, "edit"));
      for (const share of [0, 0.5, 1]) {
        await page.mouse.wheel(0, share * 4000);
        const box = await button(page, "Save").boundingBox();
        assert.ok(box.y > height / 2 && box.y + box.height <= height, JSON.stringify(box));
        assert.ok(box.x >= 0 && box.x + box.width <= width, JSON.stringify(box));
      }
      // The window scrolls, and not the text.
      const [inner, outer] = await field(page, "content").evaluate((area) => [area.scrollHeight - area.clientHeight, document.scrollingElement.scrollHeight]);
      assert.ok(inner <= 1 && outer > 4 * height, `${inner}, ${outer}`);
    }
  });
}

test("on a telephone, the preview is shown instead of the text when it is asked for", async (t) => {
  const page = await writing(t, "Half of it **rye**.|", { viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true });
  const preview = page.getByRole("region", { name: "Preview" });
  assert.equal(await preview.isVisible(), false);
  await button(page, "Preview only").click();
  await preview.locator("strong", { hasText: "rye" }).waitFor();
  assert.equal(await field(page, "content").isVisible(), false);
  await button(page, "Preview only").click();
  assert.equal(await text(page), "Half of it **rye**.");
});

test("the preview follows the section that is written", async (t) => {
  const part = (name) => `## ${name}\n\n${"A paragraph.\n\n".repeat(30)}`;
  const { slug } = await write("Followed", ["One", "Two", "Three"].map(part).join(""));
  const page = await person(t);
  await visit(page, at(slug, "edit"));
  const preview = page.getByRole("region", { name: "Preview" });
  const [two, three] = ["Two", "Three"].map((name) => preview.getByRole("heading", { name }));
  await three.waitFor();
  const inSight = (heading) => heading.evaluate((heading) => {
    const { top } = heading.getBoundingClientRect();
    return top >= 0 && top < innerHeight / 2;
  });
  assert.equal(await inSight(three), false);
  await field(page, "content").evaluate((area) => {
    const at = area.value.indexOf("## Three") + 20;
    area.setSelectionRange(at, at);
  });
  await page.waitForFunction((heading) => heading.getBoundingClientRect().top < innerHeight / 2, await three.elementHandle());
  // And the one that is scrolled to.
  await field(page, "content").evaluate((area) => scrollTo(0, area.offsetTop + area.offsetHeight / 2));
  await page.waitForFunction((heading) => {
    const { top } = heading.getBoundingClientRect();
    return top >= 0 && top < innerHeight / 2;
  }, await two.elementHandle());
});

test("Discard asks if something would be lost, and leads back", async (t) => {
  const { slug } = await write("Discarded", "As it was.");
  const page = await person(t);
  await visit(page, at(slug, "edit"));
  await link(page, "Discard").click();
  await page.waitForURL(`**${at(slug)}`);
  await visit(page, at(slug, "edit"));
  await field(page, "content").fill("Never mind");
  await page.waitForFunction(() => Object.keys(localStorage).some((name) => name.endsWith("/edit")));
  page.once("dialog", (dialog) => dialog.dismiss());
  await link(page, "Discard").click();
  assert.equal(await text(page), "Never mind");
  page.once("dialog", (dialog) => dialog.accept());
  await link(page, "Discard").click();
  await page.waitForURL(`**${at(slug)}`);
  await visit(page, at(slug, "edit"));
  assert.equal(await page.getByText(/^Unsaved draft/).count(), 0);
  assert.deepEqual(await page.evaluate(() => Object.keys(localStorage).filter((name) => name.endsWith("/edit"))), []);
  await field(page, "author").fill("Grace");
  await save(page, at(slug));
});
