// The system's Chromium, without a window.
import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";
import { chromium } from "playwright-core";

/** As distributions call it. */
const NAMES = ["chromium", "chromium-browser", "google-chrome-stable", "google-chrome"];

const ARGUMENTS = [
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  // Containers give /dev/shm little room.
  "--disable-dev-shm-usage",
  // Nothing is asked of any other host, whatever a page says.
  "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
];

/** Starts the browser that the variable CHROMIUM names, or the first in the search path. */
export function startChromium() {
  const executablePath = process.env.CHROMIUM || inPath();
  if (!executablePath) throw new Error("no Chromium: install the package `chromium`, or name the program in CHROMIUM");
  // Chromium's sandbox refuses to be set up by root.
  const args = process.getuid?.() === 0 ? [...ARGUMENTS, "--no-sandbox"] : ARGUMENTS;
  return chromium.launch({ executablePath, args, timeout: 60_000 });
}

function inPath() {
  const folders = (process.env.PATH ?? "").split(delimiter);
  return folders.flatMap((folder) => NAMES.map((name) => join(folder, name))).find((program) => {
    try { accessSync(program, constants.X_OK); return true; } catch { return false; }
  });
}
