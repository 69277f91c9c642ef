// Pictures and other files in the editor: chosen, pasted and dropped.
import assert from "node:assert/strict";
import { test } from "node:test";
import { PIXEL, png } from "./support/picture.js";
import { button, field, fill, save, visit } from "./support/see.js";
import { api, at, person, plainPerson, write } from "./support/world.js";

/** Has the browser paste or drop a file into the text. */
const give = (page, event, name, type, base64) =>
  field(page, "content").evaluate((content, [event, name, type, base64]) => {
    const data = new DataTransfer();
    const bytes = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
    data.items.add(new File([bytes], name, { type }));
    const init = { bubbles: true, cancelable: true, [event === "paste" ? "clipboardData" : "dataTransfer"]: data };
    content.dispatchEvent(event === "paste" ? new ClipboardEvent(event, init) : new DragEvent(event, init));
  }, [event, name, type, base64]);

const text = (page) => field(page, "content").inputValue();

/** Waits until nothing is on its way. */
const arrived = (page) => page.waitForFunction(() => !document.querySelector("#_content").value.includes("](uploading"));

test("a picture is chosen without JavaScript, and what was typed comes back with it", async (t) => {
  const { slug } = await write("Plain picture", "As it was.");
  const page = await plainPerson(t);
  await visit(page, at(slug, "edit"));
  await fill(page, { content: "Typed.", comment: "Why", author: "Grace" });
  await page.getByLabel("Add an image or file").setInputFiles(png("rack [1].png"));
  await button(page, "Add file").click();
  await page.locator("#_added").waitFor();
  assert.match(await text(page), /^Typed\.\n\n!\[rack \\\[1\\\]\]\(\/files\/\d+\/rack%20%5B1%5D\.png\)\n?$/);
  assert.equal(await field(page, "comment").inputValue(), "Why");
  await save(page, at(slug));
  const picture = page.getByRole("img", { name: "rack [1]" });
  await picture.waitFor();
  assert.equal(await picture.evaluate((image) => image.decode().then(() => image.naturalWidth)), 1);
});

test("what is typed after a pasted picture comes behind it", async (t) => {
  const { slug } = await write("Two pictures", "Before ");
  const page = await person(t);
  await visit(page, at(slug, "edit"));
  await field(page, "content").evaluate((content) => { content.focus(); content.setSelectionRange(7, 7); });
  for (const name of ["one.png", "two.png"]) {
    await give(page, "paste", name, "image/png", PIXEL.toString("base64"));
    await arrived(page);
  }
  await page.keyboard.type("!");
  assert.match(await text(page), /^Before !\[one\]\(\/files\/\d+\/one\.png\)!\[two\]\(\/files\/\d+\/two\.png\)!$/);
});

test("pictures are pasted and dropped where one writes, and chosen without leaving the form", async (t) => {
  const { post_id, slug } = await write("Pasted pictures", "Before after");
  const page = await person(t);
  await visit(page, at(slug, "edit"));
  const content = field(page, "content");
  await content.evaluate((content) => content.setSelectionRange(7, 7));
  await give(page, "paste", "image.png", "image/png", PIXEL.toString("base64"));
  await arrived(page);
  assert.match(await text(page), /^Before !\[image\]\(\/files\/\d+\/image\.png\)after$/);
  await content.evaluate((content) => content.setSelectionRange(0, 0));
  await give(page, "drop", "notes.txt", "text/plain", btoa("some notes"));
  await arrived(page);
  assert.match(await text(page), /^\[notes\.txt\]\(\/files\/\d+\/notes\.txt\)Before /);
  const chooser = page.waitForEvent("filechooser");
  await button(page, "Image or file").click();
  await (await chooser).setFiles([png("third.png")]);
  await page.waitForFunction(() => /!\[third\]\(\/files/.test(document.querySelector("#_content").value));
  assert.equal(new URL(page.url()).pathname, at(slug, "edit"));
  assert.equal((await api("GET", `/posts/${post_id}/files`)).files.length, 3);
});

test("a file that is not taken leaves nothing in the text, and the reason is said", async (t) => {
  const { slug } = await write("Refused pictures", "Before");
  const page = await person(t);
  await visit(page, at(slug, "edit"));
  await give(page, "paste", "image.png", "image/png", btoa("no picture"));
  await page.getByText("“image.png” was not added. The file says that it is image/png, but does not begin like one").waitFor();
  assert.equal(await text(page), "Before");
  await page.route("**/files?name=*", (route) => route.abort());
  await give(page, "drop", "a.txt", "text/plain", btoa("text"));
  await page.getByText("“a.txt” was not added. The wiki cannot be reached.").waitFor();
  assert.equal(await text(page), "Before");
  await visit(page, "/wiki/-/new");
  await give(page, "paste", "image.png", "image/png", PIXEL.toString("base64"));
  await page.getByText("Save the page first. Then you can add files to it.").waitFor();
});
