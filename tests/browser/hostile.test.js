// Hostile input in every field and address: no script runs and no markup gets through, in any view.
//
// Two people look: one whose browser ignores the content security policy, so that it is not what saves them, and one whose
// browser reports every violation of it, which would mean that markup got through.
import assert from "node:assert/strict";
import { before, test } from "node:test";
import { field, fill, visit } from "./support/see.js";
import { LINES, TEXTS, grouped } from "./support/payloads.js";
import { allHarmless, harmless, setTraps } from "./support/traps.js";
import { eventually } from "./support/wiki.js";
import { api, at, person, rewrite, url, write } from "./support/world.js";

/** Of many addresses, how many are gone to instead of shown in a frame. */
const AS_PAGES = 10;

/** One page for each payload, in all its fields, and written by a user of that name. */
const posts = [];

/** A page whose versions hold all payloads. */
let full;

before(async () => {
  assert.ok(LINES.length >= 100);
  for (const [index, line] of LINES.entries()) {
    const user_id = (await api("POST", "/users", { name: line.slice(0, 200) })).id;
    const tags = line.includes(",") ? [] : [line.slice(0, 50)];
    const fields = { user_id, tags, comment: line };
    posts.push({ ...(await write(line.slice(0, 200), TEXTS[index], fields)), user_id, tags });
  }
  full = await write(LINES[0], grouped(LINES.length)[0]);
  await rewrite(full, [...TEXTS].reverse().join("\n\n"), { title: LINES[10], tags: ["<b>"], comment: LINES[11] });
});

const people = {
  "no policy": { bypassCSP: true },
  "the policy": {},
};

/** A person who notices everything, and `look`, with which they go to an address and look around. */
async function wary(t, options) {
  const page = await person(t, options);
  const sprung = await setTraps(page.context());
  const look = async (address, tab = page) => {
    await tab.goto(address);
    const [expected, actual] = [new URL(address, url), new URL(tab.url())];
    assert.equal(actual.origin, expected.origin, `where ${address} leads`);
    await harmless(tab, sprung, address);
  };
  /** Looks at many addresses: at each in a frame, and at some, spread over them, as pages. */
  const lookAtAll = async (addresses) => {
    await look("/wiki");
    await allHarmless(page, sprung, addresses);
    for (let index = 0; index < addresses.length; index += Math.ceil(addresses.length / AS_PAGES)) await look(addresses[index]);
  };
  return { page, sprung, look, lookAtAll };
}

test("the traps spring", async (t) => {
  const { page, sprung } = await wary(t, { bypassCSP: true });
  for (const html of [
    "<img src=x onerror=alert(1)>", "<img src=x onerror=prompt(1)>", "<a href='javascript:alert(1)'>x</a>", "<iframe srcdoc='<p>'></iframe>",
    "<base href='https://evil.example/'>", "<p style='position:fixed'>x</p>", "<a href=' java\tscript:alert(1)'>x</a>",
  ]) {
    await visit(page, "/wiki");
    await page.evaluate((html) => document.querySelector("main").insertAdjacentHTML("beforeend", html), html);
    await assert.rejects(harmless(page, [], html), { name: "AssertionError" }, html);
  }
  await eventually("both scripts have run", () => ["alert(1)", "prompt(1)"].every((what) => sprung.includes(what)));
});

test("a policy that is violated is noticed", async (t) => {
  const context = (await person(t)).context();
  const sprung = await setTraps(context);
  const page = await context.newPage();
  await page.route("**/violating", (route) => route.fulfill({
    contentType: "text/html", headers: { "content-security-policy": "default-src 'self'" }, body: "<script>alert(1)</script>",
  }));
  // The person is told of it on the console, too, which `person` would take for a failure.
  context.removeAllListeners("console");
  await page.goto("/violating");
  await eventually("the violation is noticed", () => sprung.some((what) => what.startsWith("policy: script-src")));
});

test("every payload as a page, and every other in one more view", async (t) => {
  const { lookAtAll } = await wary(t, { bypassCSP: true });
  const views = ["edit", "history", "history/1", "compare", "backlinks", "delete", "user", "post"];
  await lookAtAll(posts.flatMap(({ slug, user_id, post_id }, index) => {
    if (index % 2) return [at(slug)];
    const view = views[(index / 2) % views.length];
    const other = { user: `/wiki/-/users/${user_id}`, post: `/posts/${post_id}` }[view] ?? at(slug, view);
    return [at(slug), other];
  }));
});

test("every other payload as a tag", async (t) => {
  const { lookAtAll } = await wary(t, { bypassCSP: true });
  const tags = posts.flatMap(({ tags }) => tags.filter((_, index) => index % 2 === 0).map((tag) => tag.trim().toLowerCase()));
  await lookAtAll(tags.filter((_, index) => index % 2 === 0).map((tag) => `/wiki/-/tags/${encodeURIComponent(tag)}`));
});

test("every other payload searched for", async (t) => {
  const { lookAtAll } = await wary(t, { bypassCSP: true });
  await lookAtAll(LINES.filter((_, index) => index % 2 === 0).map((line) => `/wiki/-/search?q=${encodeURIComponent(line)}`));
});

test("every payload in an address, one kind of address each", async (t) => {
  const { lookAtAll } = await wary(t, { bypassCSP: true });
  const addresses = [
    (text) => `/wiki/${text}`, (text) => `/wiki/x/edit?title=${text}`, (text) => `/wiki/-/new?title=${text}`, (text) => `/${text}`,
    (text) => `/wiki/-/users/${text}`, (text) => `/wiki/-/changes?cursor=${text}`,
    (text) => `${at(full.slug, "compare")}?from=${text}`, (text) => `${at(full.slug, "history")}/${text}`,
    (text) => `/wiki/-/search?q=alert&tag=${text}`, (text) => `/wiki/-/${text}`, (text) => `/wiki/${text}/history`,
  ];
  await lookAtAll(LINES.map((line, index) => addresses[index % addresses.length](encodeURIComponent(line))));
});

for (const [name, options] of Object.entries(people)) {
  test(`every list (${name})`, async (t) => {
    const { page, look } = await wary(t, options);
    for (const first of ["/wiki", "/wiki/-/changes", "/wiki/-/pages", "/wiki/-/tags", "/wiki/-/users", "/wiki/-/search?q=alert"]) {
      for (let address = first, more = 0; address && more < 20; more++) {
        await look(address);
        address = await page.locator('a[rel="next"]').first().getAttribute("href", { timeout: 1 }).catch(() => null);
      }
    }
  });

  test(`all payloads in one text (${name})`, async (t) => {
    const { look } = await wary(t, options);
    for (const view of ["", "edit", "history", "history/1", "history/2", "compare", "compare?from=0&to=1", "backlinks", "delete"]) {
      await look(at(full.slug, view));
    }
  });

  test(`written in the form (${name})`, async (t) => {
    const { page, sprung, look } = await wary(t, options);
    for (let index = 0; index < LINES.length; index += 60) {
      const line = LINES[index];
      await look("/wiki/-/new");
      // There is a page with the title already, and the form makes no second one.
      const title = `${line} (${name})`;
      await fill(page, { title, content: TEXTS[index], tags: line.slice(0, 50), comment: line, author: line });
      // With a script, the preview is there already.
      const preview = page.getByRole("button", { name: "Preview" });
      if (await preview.isVisible()) await preview.click();
      await page.locator("#_preview-text > *").first().waitFor();
      await harmless(page, sprung, `the preview of ${line}`);
      await page.getByRole("button", { name: "Save" }).click();
      await page.waitForURL((url) => !url.pathname.startsWith("/wiki/-/"));
      await harmless(page, sprung, `the page ${line}`);
      assert.equal(await page.getByRole("heading", { level: 1 }).first().textContent(), title.trim());
    }
  });

  test(`refused in the form (${name})`, async (t) => {
    for (const line of [LINES[0], '"><img src=x onerror=alert(1)>', "</textarea><script>alert(1)</script>"]) {
      // Nobody leaves a page with something typed unasked, so everyone is somebody new.
      const { page, sprung, look } = await wary(t, options);
      await look(at(full.slug, "edit"));
      await page.getByText("Change address").click();
      await fill(page, { title: line, content: line, tags: `${line}${"x".repeat(60)}`, slug: line, comment: line, author: line });
      await page.getByRole("button", { name: "Save" }).click();
      await page.getByRole("alert").waitFor();
      await harmless(page, sprung, `the form with mistakes and ${line}`);
    }
  });

  test(`in the preview while it is typed (${name})`, async (t) => {
    const { page, sprung, look } = await wary(t, options);
    await look("/wiki/-/new");
    for (const [index, text] of grouped(30).entries()) {
      const mark = `Typed ${index}`;
      await field(page, "content").fill(`${mark}\n\n${text}`);
      await page.locator("#_preview-text", { hasText: mark }).waitFor();
      await harmless(page, sprung, `the preview of ${text}`);
    }
  });

  test(`in a conflict (${name})`, async (t) => {
    const { page, sprung, look } = await wary(t, options);
    const post = await write(`Conflict with ${name}`, "Peace.");
    await look(at(post.slug, "edit"));
    const { id } = await api("POST", "/users", { name: LINES[1] });
    const theirs = { title: LINES[10], tags: ['"><svg onload=alert(1)>'], comment: LINES[0], user_id: id };
    await rewrite(post, grouped(LINES.length)[0], theirs);
    await fill(page, { title: `${LINES[11]} (${name})`, content: [...TEXTS].reverse().join("\n\n"), author: LINES[0] });
    await page.getByRole("button", { name: "Save" }).click();
    await page.locator("#_conflict").waitFor();
    await harmless(page, sprung, "the conflict");
  });

  test(`in suggestions (${name})`, async (t) => {
    const { page, sprung, look } = await wary(t, options);
    await look("/wiki");
    const input = page.getByRole("combobox", { name: "Search the wiki" });
    for (const typed of ["<", "<script>", "<img", "[x](java", "\"", "'", "![", "[[x", "#", "</", "&#"]) {
      await input.fill(typed);
      const option = page.getByRole("option").filter({ hasText: typed }).first();
      await option.waitFor();
      assert.equal(await page.locator("[role=option] *").count(), 0);
      await harmless(page, sprung, `suggestions for ${typed}`);
    }
  });
}

test("in the feed, which is well-formed", async (t) => {
  const { page, look } = await wary(t, { bypassCSP: true });
  await look("/wiki");
  const [problems, titles] = await page.evaluate(async () => {
    const answer = await fetch("/feed.atom");
    const feed = new DOMParser().parseFromString(await answer.text(), "application/xml");
    const links = [...feed.querySelectorAll("link")].map((link) => new URL(link.getAttribute("href"), location.href).origin);
    const problems = [...feed.querySelectorAll("parsererror")].map((error) => error.textContent);
    if (links.some((origin) => origin !== location.origin)) problems.push(`links to ${links}`);
    const names = new Set([...feed.querySelectorAll("*")].map((element) => element.localName));
    const known = ["feed", "title", "id", "link", "updated", "entry", "category", "author", "name", "summary"];
    problems.push(...[...names].filter((name) => !known.includes(name)).map((name) => `element ${name}`));
    return [problems, [...feed.querySelectorAll("entry > title")].map((title) => title.textContent)];
  });
  assert.deepEqual(problems, []);
  assert.ok(titles.some((title) => LINES.some((line) => title.includes(line.trim()))), titles.join("\n"));
});
