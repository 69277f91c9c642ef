// A wiki of a test file's own, on a database of its own: started when the file is, gone when it ends.
import { spawn } from "node:child_process";
import { chmodSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as pause } from "node:timers/promises";
import { fileURLToPath } from "node:url";

/** The root of the repository. */
export const repository = dirname(dirname(dirname(dirname(fileURLToPath(import.meta.url)))));

/** Cargo's target folder. */
export const target = process.env.CARGO_TARGET_DIR || join(repository, "target");

/** A start takes two seconds; a machine busy compiling may need many times that. */
const START_LIMIT = 60_000;

/** Between two looks at whether something has come true, in milliseconds. */
const POLL = 50;

/** Starts a wiki with further environment variables, and returns once it is ready. */
export async function startWiki(settings = {}) {
  const data = mkdtempSync(join(tmpdir(), "wasiki-browser-"));
  // PostgreSQL refuses to be root, so for root it is another user, who passes through.
  chmodSync(data, 0o755);
  const { WASIKI_RUNNER, WASIKI_MANIFEST, WASIKI_PRECOMPILED } = process.env;
  const args = ["serve", "--from", WASIKI_MANIFEST || join(repository, "spin.toml"), "--data", join(data, "wiki")];
  const precompiled = WASIKI_PRECOMPILED || (WASIKI_RUNNER ? "" : join(target, "wiki.cwasm"));
  if (precompiled) args.push("--precompiled", precompiled);

  // Nothing of this process's environment that would configure it.
  const env = { PORT: "0", LISTEN_ADDR: "127.0.0.1", ...settings };
  for (const name of ["PATH", "HOME", "TMPDIR", "RUST_BACKTRACE"]) if (name in process.env) env[name] = process.env[name];
  const runner = spawn(WASIKI_RUNNER || join(target, "release/wiki-runner"), args, { env, stdio: ["ignore", "pipe", "pipe"] });

  let printed = "";
  const stop = () => {
    runner.kill("SIGKILL");
    rmSync(data, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 });
  };
  // However this process ends, the wiki ends with it.
  process.once("exit", stop);
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.once(signal, () => process.exit(1));
  runner.stderr.on("data", (text) => { printed += text; });

  const url = await new Promise((found, fail) => {
    createInterface(runner.stdout).on("line", (line) => {
      printed += `${line}\n`;
      const address = line.match(/http:\/\/[^\s/]+/);
      if (address) found(address[0]);
    });
    runner.once("error", (error) => fail(new Error(`wiki-runner cannot be started: ${error.message}`)));
    runner.once("exit", (status) => fail(new Error(`wiki-runner ended with ${status}:\n${printed}`)));
    pause(START_LIMIT, null, { ref: false }).then(() => fail(new Error(`wiki-runner printed no address:\n${printed}`)));
  });
  await eventually("the wiki is ready", async () => (await fetch(`${url}/ready`)).ok);
  return { url, stop, log: () => printed };
}

/** Waits until `check` is true, and fails naming `what` when it has not been within a minute. */
export async function eventually(what, check) {
  const deadline = Date.now() + START_LIMIT;
  while (!(await check())) {
    if (Date.now() > deadline) throw new Error(`not within ${START_LIMIT / 1000} s: ${what}`);
    await pause(POLL);
  }
}
