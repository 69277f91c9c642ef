// Pictures of the main views, for people to look at: target/screenshots/.
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { before, test } from "node:test";
import { VIEWS, furnish } from "./support/views.js";
import { target } from "./support/wiki.js";
import { person } from "./support/world.js";

const folder = join(target, "screenshots");

const DESK = { viewport: { width: 1280, height: 800 } };
const DARK = { ...DESK, colorScheme: "dark" };
const PHONE = { viewport: { width: 360, height: 740 }, isMobile: true, hasTouch: true, deviceScaleFactor: 2 };

const PICTURES = [
  ["front", DESK], ["page", DESK], ["edit", DESK], ["compare", DESK], ["search", DESK], ["conflict", DESK], ["history", DESK],
  ["page", DARK, "page-dark"], ["compare", DARK, "compare-dark"], ["palette", DESK], ["page", PHONE, "page-phone"], ["edit", PHONE, "edit-phone"],
];

before(async () => {
  mkdirSync(folder, { recursive: true });
  await furnish();
});

for (const [view, options, name = view] of PICTURES) {
  test(`a picture of "${name}"`, async (t) => {
    const page = await person(t, { reducedMotion: "reduce", ...options });
    await VIEWS[view](page);
    if (view === "edit" && options !== PHONE) await page.locator("#_preview-text .table").waitFor();
    await page.screenshot({ path: join(folder, `${name}.png`), fullPage: ["page", "compare"].includes(view) });
  });
}
