// What axe says of a page (WCAG 2.2 A and AA, and its best practices).
import assert from "node:assert/strict";
import axe from "axe-core";

/** Asserts that axe finds nothing to complain about, but for the rules in `tolerated`. */
export async function accessible(page, name, tolerated = []) {
  for (const colorScheme of ["light", "dark"]) {
    await page.emulateMedia({ colorScheme });
    // Evaluated by the debugger: the content security policy would refuse a script element.
    await page.evaluate(axe.source);
    const { violations } = await page.evaluate(() => axe.run(document, { resultTypes: ["violations"] }));
    const serious = violations.filter(({ id }) => !tolerated.includes(id));
    const found = serious.flatMap(({ id, impact, help, nodes }) =>
      nodes.map(({ target, failureSummary }) => `${impact} ${id}: ${help}\n  ${target}\n  ${failureSummary}`));
    assert.deepEqual(found, [], `${name}, ${colorScheme}`);
  }
}
