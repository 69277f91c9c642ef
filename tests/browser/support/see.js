// What a person looks for on a page, and how they fill in its forms.
import assert from "node:assert/strict";

/** Waits until there is a heading of that name. */
export const heading = (page, name) => page.getByRole("heading", { name, exact: true }).waitFor();

/** Waits until the page's text is there with `words` in it. */
export const reads = (page, words) => page.locator("#_text", { hasText: words }).waitFor();

/** The labels of a form's fields by their names. */
const LABELS = {
  title: "Title", content: "Text", tags: "Tags", comment: "Edit summary", author: "Your name", slug: "Address",
};

/** The field of the editor that is labelled as `name` is. */
export const field = (page, name) => page.getByLabel(LABELS[name], { exact: true });

/** Types into the fields of the editor. */
export async function fill(page, fields) {
  for (const [name, text] of Object.entries(fields)) await field(page, name).fill(text);
}

/** What stands in the fields of the editor. */
export async function filled(page, names) {
  const texts = await Promise.all(names.map((name) => field(page, name).inputValue()));
  return Object.fromEntries(names.map((name, at) => [name, texts[at]]));
}

/** A link in what a view shows. */
export const link = (page, name) => page.getByRole("main").getByRole("link", { name, exact: true });
/** A link in the sidebar or at the foot. */
export const place = (page, name) => page.locator(".side, footer.site").getByRole("link", { name, exact: true });
/** Something that can be done with a page, in its menu, which is opened. */
export async function act(page, name) {
  const menu = page.locator("#_more");
  if (await menu.getAttribute("open") === null) await menu.locator("summary").click();
  await menu.getByRole("link", { name, exact: true }).or(menu.getByRole("button", { name, exact: true })).click();
}
export const button = (page, name) => page.getByRole("button", { name, exact: true });

/** Saves, and waits for the page at `address`. */
export async function save(page, address) {
  await button(page, "Save").click();
  await page.waitForURL((url) => url.pathname === address);
}

/** Goes to an address, and asserts the status of the answer. */
export async function visit(page, address, status = 200) {
  const answer = await page.goto(address);
  assert.equal(answer.status(), status, `the status of ${address}`);
  return page;
}
