// A furnished wiki, and every view of it there is.
import { readFileSync } from "node:fs";
import { button, field, visit } from "./see.js";
import { at, rewrite, url, user, write } from "./world.js";

/** Markdown with everything a page can have. */
export const SAMPLE = readFileSync(new URL("sample.md", import.meta.url), "utf8");

let contested;

/** Writes what the views need. Once per wiki. */
export async function furnish() {
  const grace = await user("Grace");
  const sample = await write("Sample of everything", SAMPLE.replace("Linus", "Barbara"), { tags: ["sample", "größe", "c++"], comment: "Begin" });
  await rewrite(sample, SAMPLE.replace("A quotation", "Another quotation"), { comment: "Quote somebody else", user_id: grace });
  await rewrite(sample, SAMPLE, { title: "A sample of everything", tags: ["sample", "größe", "a-tag-of-some-considerable-length"] });
  const pixel = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";
  for (const [name, type, bytes] of [["racks.png", "image/png", Buffer.from(pixel, "base64")], [`${"long-".repeat(30)}.txt`, "text/plain", "x"]]) {
    await fetch(`${url}/posts/${sample.post_id}/files?name=${name}`, { method: "POST", headers: { "content-type": type }, body: bytes });
  }
  await write("Backlink", "See [[Sample of everything]].", { user_id: grace });
  const above = await write("Below the sample", "One step down.", { parent_id: sample.post_id });
  await write("Beside it", "The next one.", { parent_id: sample.post_id });
  await write("Two steps down", "Further.", { parent_id: above.post_id });
  contested = await write("Contested", "Bread needs an hour.\n\nAnd flour.");
  await write("الصفحة الرئيسية للمشروع", "مرحبا", { tags: ["العربية"] });
  await write("Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft", "Ein Wort.");
  const deleted = await write("Deleted", "Gone.");
  await fetch(`${url}/posts/${deleted.post_id}`, { method: "DELETE", headers: { "if-match": "*" } });
}

const SAMPLE_SLUG = "sample-of-everything";

/** Goes to a view of the sample. */
const sample = (view) => (page) => visit(page, at(SAMPLE_SLUG, view));

/** How to get to each view, by its name. */
export const VIEWS = {
  front: (page) => visit(page, "/wiki"),
  page: sample(""),
  new: (page) => visit(page, "/wiki/-/new"),
  edit: sample("edit"),
  mistakes: async (page) => {
    await sample("edit")(page);
    await field(page, "title").fill(" ");
    await field(page, "tags").fill("x".repeat(60));
    await button(page, "Save").click();
    await page.getByRole("alert").waitFor();
  },
  preview: async (page) => {
    await sample("edit")(page);
    // Where there is no room for both, it is shown instead of the text.
    if (!(await page.getByRole("region", { name: "Preview" }).isVisible())) await button(page, "Preview only").click();
    await page.locator("#_preview-text .table").waitFor();
  },
  conflict: async (page) => {
    await visit(page, at("contested", "edit"));
    await rewrite(contested, `Bread needs ${Math.random()} hours.\n\nAnd flour.`);
    await field(page, "content").fill("Bread needs a day.\n\nAnd flour.");
    await field(page, "author").fill("Linus");
    await button(page, "Save").click();
    await page.getByRole("alert").waitFor();
  },
  history: sample("history"),
  revision: sample("history/1"),
  compare: sample("compare?from=1&to=3"),
  backlinks: sample("backlinks"),
  below: (page) => visit(page, at("below-the-sample")),
  move: sample("move?q=contested"),
  files: sample("files"),
  delete: sample("delete"),
  deleted: (page) => visit(page, at("deleted"), 404),
  missing: (page) => visit(page, at("sample-nobody-wrote"), 404),
  pages: (page) => visit(page, "/wiki/-/pages"),
  tree: (page) => visit(page, "/wiki/-/pages?view=tree"),
  changes: (page) => visit(page, "/wiki/-/changes"),
  tags: (page) => visit(page, "/wiki/-/tags"),
  tasks: (page) => visit(page, "/wiki/-/tasks"),
  tag: (page) => visit(page, "/wiki/-/tags/sample"),
  "search-form": (page) => visit(page, "/wiki/-/search"),
  search: (page) => visit(page, "/wiki/-/search?q=quotation"),
  "search-in-vain": (page) => visit(page, `/wiki/-/search?q=${"nothing".repeat(20)}`),
  spaces: (page) => visit(page, "/wiki/-/spaces"),
  space: (page) => visit(page, "/wiki/-/spaces/general"),
  users: (page) => visit(page, "/wiki/-/users"),
  user: async (page) => visit(page, `/wiki/-/users/${await user("Grace")}`),
  palette: async (page) => {
    await sample("")(page);
    await page.keyboard.press("Control+k");
    await page.getByRole("dialog").waitFor();
    await page.keyboard.type("sample");
    await page.getByRole("option").first().waitFor();
  },
  problem: (page) => visit(page, "/nothing/here", 404),
};

/** Whether the wiki answers there; what it may not have yet is left out by it. */
export const answers = async (address) => (await fetch(url + address, { headers: { accept: "text/html" } })).ok;
