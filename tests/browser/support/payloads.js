// What people write who want their script to run in somebody else's browser.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { repository } from "./wiki.js";

/** One each, as they are written on one line. */
export const LINES = readFileSync(join(repository, "tests/fixtures/xss-payloads.txt"), "utf8").split("\n").filter(Boolean);

/** The same as texts: `\n` in a line stands for a line break. */
export const TEXTS = LINES.map((line) => line.replaceAll("\\n", "\n"));

/** The texts in groups of at most `size`, each group as one text of several paragraphs. */
export function grouped(size) {
  return Array.from({ length: Math.ceil(TEXTS.length / size) }, (_, at) => TEXTS.slice(at * size, (at + 1) * size).join("\n\n"));
}
