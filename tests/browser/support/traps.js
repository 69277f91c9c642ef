// Notices when markup or a script that somebody wrote gets into a page.
import assert from "node:assert/strict";

/** Makes `context` remember whatever the payloads do when they run; returns the list it grows in. */
export async function setTraps(context) {
  const sprung = [];
  await context.exposeFunction("sprung", (what) => { sprung.push(what); });
  await context.addInitScript(() => {
    for (const name of ["alert", "confirm", "prompt", "print", "eval"]) {
      const original = window[name];
      window[name] = (...given) => {
        // The debugger's own scripts are evaluated, too.
        if (name === "eval") { if (/alert|prompt/.test(given[0]) && String(given[0]).length < 200) window.sprung(`eval ${given}`); return original(...given); }
        window.sprung(`${name}(${given})`);
      };
    }
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

/** What should not be in the page as it is now. It is run in the page, so it may use nothing from outside. */
function suspects() {
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
    'script:not([src^="/static/wiki."])', 'link:not([href^="/"])', "body script", "body link", "body meta", "body title",
    ...["svg", "form", "button", "textarea", "select", "input:not([type=checkbox][disabled])", "image", "[is]", "[slot]", "[name]"].map(
      (name) => `.prose ${name}`),
  ];
  for (const element of document.querySelectorAll(forbidden.join())) tell("element", element);
  if (document.querySelectorAll("script").length !== 1) found.push("not exactly one script");
  return found;
}

/** Asserts that nothing got into the page of the wiki that `page` shows. */
export async function harmless(page, sprung, what) {
  assert.deepEqual(await page.evaluate(suspects), [], what);
  assert.deepEqual(sprung, [], what);
}
