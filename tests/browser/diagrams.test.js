// Diagrams: drawn in a frame that is nobody, with the source at hand; text where they cannot be drawn.
import assert from "node:assert/strict";
import { before, test } from "node:test";
import { accessible } from "./support/accessible.js";
import { visit } from "./support/see.js";
import { at, person, plainPerson, write } from "./support/world.js";

const fenced = (source) => `\`\`\`mermaid\n${source}\n\`\`\`\n\n`;
const FLOW = "flowchart LR\n  accTitle: How a page is saved\n  Editor --> Wiki --> PostgreSQL";

before(async () => {
  await write("Diagrams", `Before.\n\n${fenced(FLOW)}After.\n\n${fenced("sequenceDiagram\n  Ada->>Bob: Hello")}`);
  await write("No diagram", fenced("flowchart LR\n  a --"));
  await write("Hostile diagrams", [
    '%%{init: {"securityLevel": "loose", "flowchart": {"htmlLabels": true}}}%%\nflowchart LR\n  a["<img src=x onerror=top.stolen=1>"] --> b',
    'flowchart LR\n  a --> b\n  click a "javascript:top.stolen=1"\n  click b "https://elsewhere.example/" _top',
    'flowchart LR\n  a["<script>top.stolen=1</script>"] --> b',
  ].map(fenced).join(""));
});

test("diagrams are drawn, and their sources are at hand", async (t) => {
  const page = await visit(await person(t, { reducedMotion: "reduce" }), at("diagrams"));
  const frames = page.locator("#_text iframe.diagram");
  await page.frameLocator("iframe[title='How a page is saved']").locator("svg .node").first().waitFor();
  await frames.nth(1).scrollIntoViewIfNeeded();
  await page.frameLocator("iframe[title='Diagram']").locator("svg").getByText("Hello").waitFor();
  await page.locator("details.source").nth(1).waitFor();
  const heights = await frames.evaluateAll((all) => all.map((frame) => frame.getBoundingClientRect().height));
  assert.ok(heights.every((height) => height > 40 && height < 900), `${heights}`);
  const source = page.locator("details.source").first();
  assert.ok(!(await source.locator("code").isVisible()));
  await source.locator("summary").click();
  assert.equal((await source.locator("code").textContent()).trim(), FLOW);
  await source.getByRole("button", { name: "Copy" }).waitFor();
  await accessible(page, "diagrams");
});

test("diagrams follow the dark", async (t) => {
  const page = await visit(await person(t, { colorScheme: "dark" }), at("diagrams"));
  const label = page.frameLocator("iframe.diagram >> nth=0").locator("svg .nodeLabel").first();
  await label.waitFor();
  const lightness = () => label.evaluate((text) => Math.max(...getComputedStyle(text).color.match(/\d+/g).slice(0, 3).map(Number)));
  assert.ok(await lightness() > 150, `${await lightness()}`);
});

test("a diagram with a mistake says so and stays text", async (t) => {
  const page = await visit(await person(t), at("no-diagram"));
  await page.getByRole("status").filter({ hasText: "This diagram cannot be drawn: " }).waitFor();
  assert.equal(await page.locator("iframe.diagram").count(), 0);
  assert.ok(await page.locator("#_text code").isVisible());
});

test("a diagram can do nothing to the page", async (t) => {
  // The policy of the frame, and of the page around it, stop what Mermaid lets pass.
  const page = await person(t, { expected: /^(Executing inline event handler|Loading the image|Framing) / });
  const asked = [];
  page.on("request", (request) => asked.push(request.url()));
  await visit(page, at("hostile-diagrams"));
  const { origin } = new URL(page.url());
  for (const index of [0, 1, 2]) {
    const frame = page.locator("#_text iframe.diagram").nth(index);
    await frame.scrollIntoViewIfNeeded();
    await frame.contentFrame().locator("svg").first().waitFor();
  }
  for (const node of await page.frameLocator("iframe.diagram >> nth=1").locator(".node").all()) await node.click({ force: true });
  assert.equal(await page.evaluate(() => globalThis.stolen), undefined);
  assert.equal(new URL(page.url()).pathname, at("hostile-diagrams"));
  assert.deepEqual(asked.filter((address) => !address.startsWith(`${origin}/`)), []);
  // The frame has no origin: neither cookies nor storage, and nothing of the page around it.
  const frame = page.frames().find((frame) => frame.url().endsWith("/wiki/-/diagram"));
  const refused = await frame.evaluate(() => {
    const attempts = [() => document.cookie, () => localStorage.length, () => parent.document];
    return attempts.map((attempt) => { try { return `${attempt()}`; } catch (error) { return error.name; } });
  });
  assert.deepEqual(refused, ["SecurityError", "SecurityError", "SecurityError"]);
});

test("without a script a diagram is its source", async (t) => {
  const page = await visit(await plainPerson(t), at("diagrams"));
  assert.ok(await page.locator("#_text code").first().isVisible());
  assert.equal(await page.locator("iframe").count(), 0);
});
