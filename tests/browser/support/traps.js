// Notices when markup or a script that somebody wrote gets into a page.
import assert from "node:assert/strict";

/** Makes `context` remember whatever the payloads do when they run; returns the list it grows in. */
export async function setTraps(context) {
  const sprung = [];
  await context.exposeFunction("sprung", (what) => { sprung.push(what); });
  await context.addInitScript(() => {
    for (const name of ["alert", "confirm", "prompt", "print"]) window[name] = (...given) => window.sprung(`${name}(${given})`);
    document.addEventListener("securitypolicyviolation", (event) => {
      window.sprung(`policy: ${event.violatedDirective} ${event.blockedURI} ${event.sample}`);
    });
  });
  context.on("dialog", (dialog) => {
    sprung.push(`a ${dialog.type()} dialog: ${dialog.message()}`);
    dialog.dismiss().catch(() => {});
  });
  return sprung;
}

/**
 * What should not be in the wiki's page `document`. It is run in the browser, so it may use nothing from outside.
 */
function suspects(document) {
  const found = [];
  const schemes = ["http:", "https:", "mailto:"];
  const urls = ["href", "src", "action", "formaction", "xlink:href", "data", "poster", "background", "cite", "ping", "lowsrc", "dynsrc"];
  const tell = (why, element) => found.push(`${why}: ${element.outerHTML.slice(0, 200)}`);
  for (const element of document.querySelectorAll("*")) {
    for (const { name, value } of element.attributes) {
      if (/^on/i.test(name)) tell(`attribute ${name}`, element);
      if (name === "style" || name === "srcdoc" || name === "srcset" || name === "autofocus") tell(`attribute ${name}`, element);
      if (!urls.includes(name)) continue;
      const url = URL.parse(value, location.href);
      if (url && !schemes.includes(url.protocol)) tell(`a ${url.protocol} URL`, element);
    }
  }
  const forbidden = [
    "iframe", "frame", "frameset", "object", "embed", "applet", "base", "style", "meta[http-equiv]", "math", "video", "audio", "source",
    "template", "noscript", "marquee", "plaintext", "xmp", "listing", "keygen", "isindex", "portal", "body ~ *", "head meta[content*=url]",
    'script:not([src^="/static/wiki."], [src^="/static/writing."], [src^="/static/editor."], [src^="/static/markdown-toolbar."])', 'link:not([href^="/"])', "body script", "body link", "body meta", "body title",
    // The boxes of tasks are buttons, and code has one that copies it.
    ...["svg", "form", "button", "textarea", "select", "input:not([type=checkbox][disabled])", "image", "[is]", "[slot]", "[name]"].map(
      (name) => `.prose ${name}:not(button.box[form="_ticks"][type=submit], .code > .language > button[type=button])`),
  ];
  for (const element of document.querySelectorAll(forbidden.join())) tell("element", element);
  // The editor has three more.
  const many = document.querySelector("form#_edit") ? 4 : 1;
  if (document.querySelectorAll("script").length !== many) found.push(`not exactly ${many} script(s)`);
  return found;
}

/** Asserts that nothing got into the page of the wiki that `page` shows. */
export async function harmless(page, sprung, what) {
  assert.deepEqual(await page.evaluate(`(${suspects})(document)`), [], what);
  assert.deepEqual(sprung, [], what);
}

/**
 * Asserts that nothing gets in at any of many addresses. Each is shown in a frame of `page`, where scripts run as they do in
 * a page of their own: that takes a tenth of the time.
 */
export async function allHarmless(page, sprung, addresses) {
  const found = await page.evaluate(`(${inFrames})(${JSON.stringify(addresses)}, ${suspects})`);
  assert.deepEqual(found, []);
  assert.deepEqual(sprung, []);
}

/** What is suspect at the addresses. It is run in the browser. */
async function inFrames(addresses, suspects) {
  const SIDE_BY_SIDE = 6;
  const found = [];
  const left = addresses[Symbol.iterator]();
  const look = async () => {
    for (const address of left) {
      const answer = await fetch(address, { headers: { accept: "text/html" } });
      if (!answer.headers.get("content-type")?.startsWith("text/html")) {
        found.push(`${address} is ${answer.status} ${answer.headers.get("content-type")}`);
        continue;
      }
      const frame = document.createElement("iframe");
      const loaded = new Promise((loaded) => { frame.onload = loaded; });
      // It runs its scripts, and need not be drawn.
      frame.hidden = true;
      frame.srcdoc = await answer.text();
      document.body.append(frame);
      await loaded;
      if (frame.contentDocument?.querySelector("main")) found.push(...suspects(frame.contentDocument).map((why) => `${address}: ${why}`));
      else found.push(`${address} leads elsewhere`);
      frame.remove();
    }
  };
  await Promise.all(Array.from({ length: SIDE_BY_SIDE }, look));
  return found;
}
