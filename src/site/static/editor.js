// The editor: what is typed is shown as it will be, and not lost.
"use strict";
{
  const { $, make, attempt, later, whole, clock, account, local, saving, signOut, enrich, put, measure } = globalThis.wasiki;
  const form = $("form#_edit"), { title, content } = form.elements;
  // What a person writes, and what a draft keeps.
  const written = ["title", "content", "tags", "comment", "slug"].map((name) => form.elements[name]).filter(Boolean);
  const section = $("#_preview"), text = $("#_preview-text"), status = $("#_preview-status");
  const state = () => JSON.stringify([...new FormData(form)]);
  // Of a section, the form has what is around it. Here it is one text again, with the cursor at the section.
  let begin = 0;
  if (form.elements.section) {
    const { before, after } = form.elements;
    begin = before.value.length;
    content.value = before.value + content.value + after.value;
    before.remove();
    after.remove();
  }
  // A form that comes back from the server holds what has not been saved, and is whose it was: a session may have
  // expired.
  const isBack = $("#_errors, #_conflict, #_added, #_preview-text > *") !== null;
  const first = isBack ? "" : state();
  const key = (isBack && attempt(() => sessionStorage.getItem(saving))) || `${local}${account}:${location.pathname}`;
  attempt(() => sessionStorage.removeItem(saving));
  const isRestored = form.elements.continues.value !== "";
  let submitting = false, signedOut = false, shown = null, turn = 0;

  // The preview follows what is typed, where there is room for it or it is asked for.
  form.classList.add("live");
  // It scrolls by itself.
  section.tabIndex = 0;
  section.hidden = false;
  $("#_show-preview").hidden = true;
  const render = async () => {
    if (content.value === shown || !section.checkVisibility()) return;
    const mine = ++turn, value = content.value;
    try {
      const body = new URLSearchParams({ title: title.value, content: value });
      const answer = await fetch(form.dataset.preview, { method: "POST", body });
      if (!answer.ok) throw answer.status;
      const html = await answer.text();
      if (mine !== turn) return;
      const template = make("template", { innerHTML: html });
      text.replaceChildren(template.content);
      enrich(text);
      shown = value;
      status.textContent = "";
      follow();
    } catch {
      if (mine !== turn) return;
      status.textContent = "The preview could not be updated.";
      $("#_show-preview").hidden = false;
    }
  };
  const preview = later(render, 350);
  const only = make("button", { type: "button", className: "button", id: "_only-preview", textContent: "Preview only", ariaPressed: "false" });
  only.addEventListener("click", () => {
    const isOn = form.classList.toggle("previewing");
    only.ariaPressed = String(isOn);
    if (isOn) render(); else content.focus();
  });
  $("#_show-preview").before(only);
  // There is room for it all of a sudden.
  new ResizeObserver(preview).observe(section);

  // Headings of the text, and which they are in the preview: what is read is beside what is written.
  const plain = (words) => words.toLowerCase().replace(/[^\p{L}\p{N}]/gu, "");
  let sections = [], tops = null, last;
  const follow = () => {
    const headings = [...text.querySelectorAll("h1, h2, h3, h4, h5, h6")];
    let isCode = false, at = 0;
    [sections, tops, last] = [[{ at: 0 }], null, undefined];
    for (const line of content.value.split("\n")) {
      if (/^[ \t>]*(```|~~~)/.test(line)) isCode = !isCode;
      const words = !isCode && /^ {0,3}#{1,6} +(.*)$/.exec(line)?.[1];
      const found = words ? headings.findIndex((heading) => plain(heading.textContent) === plain(words)) : -1;
      if (found >= 0) sections.push({ at, heading: headings.splice(0, found + 1).at(-1) });
      at += line.length + 1;
    }
    toCursor();
  };
  const show = (part) => {
    if (!part || part === last || section.scrollHeight <= section.clientHeight) return;
    last = part;
    const top = part.heading ? part.heading.getBoundingClientRect().top - section.getBoundingClientRect().top + section.scrollTop : 0;
    section.scrollTo({ top: Math.max(0, top - 16) });
  };
  const toCursor = () => show(sections.findLast(({ at }) => at <= content.selectionStart));
  const toWindow = () => {
    if (sections.length < 2 || section.scrollHeight <= section.clientHeight) return;
    tops ??= measure(sections.map(({ at }) => at));
    const middle = innerHeight / 3 - content.getBoundingClientRect().top;
    show(sections[tops.findLastIndex(({ top }) => top <= middle)]);
  };
  document.addEventListener("selectionchange", () => { if (document.activeElement === content) toCursor(); });
  addEventListener("scroll", () => requestAnimationFrame(toWindow), { passive: true });
  addEventListener("resize", () => { tops = null; });

  // The window scrolls, and not the text: where browsers cannot do that by themselves, the text is told how high it is.
  const fit = () => {
    content.style.blockSize = "auto";
    content.style.blockSize = `${content.scrollHeight + 2}px`;
  };
  if (!CSS.supports("field-sizing", "content")) {
    content.addEventListener("input", fit);
    fit();
  }

  // Kept here at once and, of a signed-in person, by the wiki some seconds later; then it is not needed here.
  const save = () => {
    if (signedOut) return;
    const fields = Object.fromEntries(written.map((field) => [field.name, field.value]));
    // The forms that may have written what the wiki has of it.
    const continues = [form.elements.continues.value, form.elements.key.value].join(" ").trim();
    const draft = { version: form.elements.version?.value ?? "", time: Date.now(), fields, continues };
    attempt(() => localStorage.setItem(key, JSON.stringify(draft)));
  };
  const others = $("#_others");
  const tell = (names) => {
    const words = names.length ? `${names.join(", ")} ${names.length === 1 ? "is" : "are"} editing this page.` : "";
    // It is said once.
    if (others.textContent !== words) others.textContent = words;
  };
  let sent = first;
  const send = async () => {
    const now = state();
    if (submitting || now === sent) return;
    const body = new URLSearchParams([...new FormData(form)]);
    // A request that may outlast the page has at most 64 KiB.
    const keepalive = body.toString().length < 60000;
    const answer = await fetch(form.dataset.drafts, { method: "POST", body, keepalive }).catch(() => ({ ok: false }));
    $("#_draft-status").textContent = answer.status === 412
      ? "There is another draft of this page. What you type here is kept in this browser only." : "";
    if (answer.ok) sent = now;
    if (answer.ok) tell(answer.status === 200 ? (await answer.json()).editing : []);
    if (answer.ok) $("#_kept").textContent = `Draft kept at ${clock.format(new Date())}`;
    if (answer.ok && now === state()) attempt(() => localStorage.removeItem(key));
  };
  const keep = later(() => { if (!submitting) save(); }, 500);
  content.addEventListener("input", preview);
  form.addEventListener("input", () => { signedOut = false; keep(); });
  // Unless the person stays to go on.
  signOut?.addEventListener("submit", () => { signedOut = true; });
  if (form.dataset.drafts) {
    setInterval(send, 5000);
    document.addEventListener("visibilitychange", () => { if (document.visibilityState === "hidden") send(); });
  }

  // Files that are pasted, dropped or chosen: each is a mark in the text until it is there.
  const page = form.elements.page?.value, picker = form.elements.file;
  // Those of a page that is not saved yet wait for it, if they can be somebody's until then.
  const target = page ? `/posts/${page}/files` : form.dataset.files;
  const say = (words = "Save the page first. Then you can add files to it.") => { $("#_file-status").textContent = words; };
  globalThis.wasiki.say = say;
  const replace = (mark, words) => {
    const at = content.value.indexOf(mark);
    if (at < 0) return;
    const end = at + mark.length, { selectionStart, selectionEnd } = content;
    content.setRangeText(words, at, end, "preserve");
    // "preserve" selects what replaced the text before the cursor, and the next key would delete it.
    if (selectionStart === selectionEnd && selectionStart > at && selectionStart <= end) {
      content.setSelectionRange(at + words.length, at + words.length);
    }
    content.dispatchEvent(new Event("input", { bubbles: true }));
  };
  let marks = 0;
  const escaped = (words) => words.replace(/[\\[\]]/g, "\\$&");
  const add = async (file) => {
    const name = file.name || "image.png";
    const mark = `![${escaped(name)}](uploading${"…".repeat(++marks)})`;
    put(mark);
    const headers = { "content-type": file.type || "application/octet-stream" };
    const request = { method: "POST", body: file, headers };
    const answer = await fetch(`${target}?name=${encodeURIComponent(name)}`, request).catch(() => null);
    const made = await answer?.json().catch(() => null);
    if (answer?.ok && made) {
      const shown = made.content_type.startsWith("image/");
      const words = escaped(shown ? name.replace(/(.)\.[^.]*$/, "$1") : name);
      return replace(mark, `${shown ? "!" : ""}[${words}](${made.url})`);
    }
    replace(mark, "");
    const wrong = made?.errors?.[0];
    const reason = wrong ? `The ${wrong.field === "name" ? "name of the file" : "file"} ${wrong.message}.` : made?.detail ?? "The wiki cannot be reached.";
    say(`“${name}” was not added. ${reason}`);
  };
  const addAll = (event, files) => {
    if (!files?.length) return;
    event.preventDefault();
    if (!target) return say();
    say("");
    [...files].forEach(add);
  };
  content.addEventListener("paste", (event) => {
    // What has a text as well, such as cells of a table, is pasted as that.
    if (!event.clipboardData.types.includes("text/plain")) addAll(event, event.clipboardData.files);
  });
  content.addEventListener("dragover", (event) => { if (event.dataTransfer.types.includes("Files")) event.preventDefault(); });
  content.addEventListener("drop", (event) => addAll(event, event.dataTransfer.files));
  if (picker) {
    // A button above the text has it chosen.
    picker.closest(".add-file").hidden = true;
    picker.multiple = true;
    picker.addEventListener("change", (event) => { addAll(event, picker.files); picker.value = ""; });
  }

  // A template takes the title along that was typed before it was chosen.
  for (const link of document.querySelectorAll(".templates a")) {
    link.addEventListener("click", () => {
      const address = new URL(link.href);
      address.searchParams.set("title", form.elements.title.value);
      if (form.elements.space && !form.elements.parent) address.searchParams.set("space", form.elements.space.value);
      link.href = address.href;
    });
  }

  // The draft that the wiki has. Discarding it takes nothing from what is in the form.
  const offered = $("#_draft");
  offered?.addEventListener("submit", async (event) => {
    event.preventDefault();
    const body = new URLSearchParams([...new FormData(offered)]);
    const answer = await fetch(offered.action, { method: "POST", body, redirect: "manual" }).catch(() => null);
    if (answer?.type === "opaqueredirect") offered.remove(); else offered.submit();
  });

  const kept = attempt(() => JSON.parse(localStorage.getItem(key)));
  const isOther = written.some((field) => (kept?.fields?.[field.name] ?? field.value) !== field.value);
  if (isOther && !isBack) {
    const when = kept.time ? ` from ${whole.format(new Date(kept.time))}` : "";
    const offer = make("div", { className: "notice", id: "_local-draft" });
    offer.append(make("p", { textContent: `Unsaved draft${when}${offered ? ", in this browser" : ""}.` }));
    // The same draft, which this browser has as it was later, is not offered twice.
    if (offered && kept.continues?.split(" ").includes(offered.dataset.key)) offered.hidden = true;
    const button = (words, action) => {
      const made = make("button", { type: "button", className: "button", textContent: words });
      made.addEventListener("click", () => { action(); offer.remove(); content.focus(); });
      return made;
    };
    const actions = make("div", { className: "actions" });
    actions.append(button("Restore", () => {
      for (const field of written) field.value = kept.fields[field.name] ?? field.value;
      // The page may have been edited since: saving merges both edits.
      if (form.elements.version && kept.version) form.elements.version.value = kept.version;
      form.elements.continues.value = kept.continues ?? "";
      preview();
    }), " ", button("Discard", () => {
      attempt(() => localStorage.removeItem(key));
      if (offered) offered.hidden = false;
    }));
    offer.append(actions);
    form.before(offer);
  }

  // Leaving without what was typed: asked first, and then it is gone from everywhere.
  $("#_leave").addEventListener("click", async (event) => {
    if (event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    if ((state() !== first || isRestored) && !confirm("Discard what you changed?")) return;
    submitting = true;
    attempt(() => localStorage.removeItem(key));
    if (form.dataset.drafts) {
      const body = new URLSearchParams({ key: form.elements.key.value, continues: form.elements.continues.value });
      await fetch(form.dataset.discard, { method: "POST", body, redirect: "manual" }).catch(() => null);
    }
    location.href = event.target.href;
  });

  addEventListener("beforeunload", (event) => { if (!submitting && state() !== first) event.preventDefault(); });
  form.addEventListener("submit", () => {
    submitting = true;
    // Whatever becomes of the request, what was written is still here.
    save();
    attempt(() => sessionStorage.setItem(saving, key));
  });
  // Back from the next page, the form is as it was left.
  addEventListener("pageshow", () => { submitting = false; });
  addEventListener("keydown", (event) => {
    const saves = event.key === "Enter" ? form.contains(event.target) : event.key.toLowerCase() === "s";
    if (!(event.ctrlKey || event.metaKey) || event.altKey || event.shiftKey || !saves) return;
    event.preventDefault();
    form.requestSubmit($("#_save"));
  });

  // One begins with what is missing: the title, or the text.
  if (!isBack && !location.hash) {
    const field = title.value ? content : title;
    field.setSelectionRange(begin, begin);
    field.focus({ preventScroll: true });
    if (begin) scrollBy(0, content.getBoundingClientRect().top + measure([begin])[0].top - innerHeight / 5);
  }
  if (!text.childElementCount) render();
}
