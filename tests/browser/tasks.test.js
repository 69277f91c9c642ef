// Tasks: ticked where they are read, with and without JavaScript, and by keyboard.
import assert from "node:assert/strict";
import { test } from "node:test";
import { button, field, heading, visit } from "./support/see.js";
import { api, at, person, plainPerson, write } from "./support/world.js";

const box = (page, name) => page.getByRole("checkbox", { name });

for (const [how, somebody] of [["with JavaScript", person], ["without JavaScript", plainPerson]]) {
  test(`a task is ticked where it is read, ${how}`, async (t) => {
    const page = await somebody(t);
    const title = `Watering ${how}`;
    const post = await write(title, "# W\n\n- [ ] the *ferns* repeat:1w due:2026-12-04\n- [ ] the cactus\n");
    await visit(page, at(post.slug));
    assert.equal(await box(page, "the *ferns*").isChecked(), false);
    await box(page, "the *ferns*").focus();
    await page.keyboard.press("Space");
    // Who has not said so yet says who they are.
    await field(page, "author").fill("Grace");
    await button(page, "Try again").click();
    await page.waitForURL((url) => url.pathname === at(post.slug) && url.hash === "#task-1");
    assert.deepEqual(await page.getByRole("checkbox").evaluateAll((all) => all.map((one) => one.ariaChecked)), ["true", "false", "false"]);
    assert.match(await page.locator("#_text li").first().innerText(), /Grace, \d+ \w+ \d{4}/);
    const { content } = await api("GET", `/posts/${post.post_id}`);
    assert.match(content, /\[x\] the \*ferns\*.*\n- \[ \] the \*ferns\* repeat:1w due:2026-12-11\n- \[ \] the cactus/);
    // The browser remembers the name, and a tick is taken back as it was made.
    await box(page, "the *ferns*").first().click();
    await page.waitForURL((url) => url.hash === "#task-1");
    await page.locator("[aria-checked=true]").waitFor({ state: "detached" });
  });
}

test("tasks of all pages are listed and ticked", async (t) => {
  const page = await person(t);
  await write("Errands", "- [ ] buy stamps @Ada due:2020-01-01\n- [ ] no hurry\n");
  await visit(page, "/wiki/-/tasks");
  await heading(page, "Overdue");
  await heading(page, "No date");
  await page.getByText(/^\d+ days late$/).waitFor();
  await box(page, "buy stamps").click();
  await field(page, "author").fill("Grace");
  await button(page, "Try again").click();
  await page.waitForURL((url) => url.pathname === "/wiki/-/tasks");
  assert.equal(await box(page, "buy stamps").count(), 0);
  await visit(page, "/wiki/-/tasks?everybody=yes&done=true");
  assert.equal(await box(page, "buy stamps").isChecked(), true);
});
