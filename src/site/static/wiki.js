// What pages do beyond links and forms. Every page works without it.
"use strict";
{
  const $ = (selector, within = document) => within.querySelector(selector);
  const make = (name, properties) => Object.assign(document.createElement(name), properties);
  // Storage may be forbidden, and is a convenience.
  const attempt = (action) => { try { return action(); } catch { return null; } };
  const later = (action, wait) => {
    let timer;
    return () => { clearTimeout(timer); timer = setTimeout(action, wait); };
  };

  // Times, in the reader's own zone and with the server's words as the title.
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  const format = (options) => new Intl.DateTimeFormat("en-GB", options);
  const [whole, clock, day] = [
    format({ day: "numeric", month: "short", year: "numeric", hour: "2-digit", minute: "2-digit" }),
    format({ hour: "2-digit", minute: "2-digit" }),
    format({ day: "numeric", month: "long", year: "numeric" }),
  ];
  for (const time of document.querySelectorAll("time[datetime]")) {
    const at = new Date(time.dateTime);
    if (isNaN(at)) continue;
    if (time.classList.contains("ago")) {
      time.title = whole.format(at);
      continue;
    }
    time.title = time.textContent.replace(/( UTC)?$/, " UTC");
    time.textContent = (time.classList.contains("clock") ? clock : whole).format(at);
  }

  // Changes are grouped by days, and days begin elsewhere in another zone.
  const days = $(".days");
  if (days) {
    const groups = new Map();
    for (const item of days.querySelectorAll(".changes > li")) {
      const name = day.format(new Date($("time", item).dateTime));
      groups.set(name, [...(groups.get(name) ?? []), item]);
    }
    days.replaceChildren(...[...groups].map(([name, items]) => {
      const section = make("section", { className: "day" });
      const list = make("ul", { className: "changes" });
      list.append(...items);
      section.append(make("h2", { textContent: name }), list);
      return section;
    }));
    const note = $("#_time-zone")?.firstChild;
    if (note && zone) note.data = `Times are in ${zone}. `;
  }

  // The sidebar. A page with others below it gets a button that fetches them; what is open stays open in this tab.
  const sidebar = $("#_branches");
  if (sidebar) {
    const opened = "wiki-sidebar:";
    const branches = () => attempt(() => JSON.parse(sessionStorage.getItem(opened))) ?? [];
    const remember = (address, isOpen) => attempt(() => {
      const rest = branches().filter((other) => other !== address);
      sessionStorage.setItem(opened, JSON.stringify(isOpen ? [...rest, address].slice(-100) : rest));
    });
    const branch = (item) => {
      const address = item.dataset.children, name = $("a", item).textContent;
      const details = make("details", {});
      const summary = make("summary", {});
      summary.append(make("span", { className: "hidden", textContent: `Pages below ${name}` }));
      const list = make("ul", {});
      details.append(summary, list);
      item.append(details);
      details.addEventListener("toggle", async () => {
        remember(address, details.open);
        if (!details.open || list.childElementCount) return;
        const answer = await fetch(`${address}?limit=100`).then((r) => (r.ok ? r.json() : null)).catch(() => null);
        if (list.childElementCount) return;
        if (!answer) {
          details.open = false;
          return;
        }
        for (const { post_id, title, slug, children } of answer.children) {
          const below = make("li", {});
          const link = make("a", { href: `/wiki/${encodeURIComponent(slug)}`, textContent: title, dir: "auto" });
          below.append(link);
          below.dataset.page = post_id;
          if (children) below.dataset.children = `/posts/${post_id}/children`;
          list.append(below);
          if (children) branch(below);
        }
        if (answer.next) {
          const all = make("li", {});
          all.append(make("a", { className: "all", href: $("a", item).href, textContent: "All pages here" }));
          list.append(all);
        }
      });
      if (branches().includes(address)) details.open = true;
    };
    sidebar.querySelectorAll("li[data-children]").forEach(branch);

    // Whoever may write moves pages by dragging them: onto another, below which they come to be, or between two. The form of the
    // page's menu does the same.
    const writes = $("#_new-page") !== null;
    let dragged;
    const mark = (item, place) => {
      sidebar.querySelectorAll(".into, .before").forEach((marked) => marked.classList.remove("into", "before"));
      item?.classList.add(place);
    };
    const target = (event) => {
      const item = event.target.closest?.("#_branches li[data-page]");
      if (!dragged || !item || dragged.contains(item)) return [];
      const { top, height } = $("a", item).getBoundingClientRect();
      return [item, event.clientY < top + height / 4 ? "before" : "into"];
    };
    sidebar.addEventListener("dragstart", (event) => {
      dragged = writes ? event.target.closest("li[data-page]") : null;
      dragged?.classList.add("dragged");
    });
    sidebar.addEventListener("dragover", (event) => {
      const [item, place] = target(event);
      if (item) event.preventDefault();
      mark(item, place);
    });
    sidebar.addEventListener("dragend", () => {
      dragged?.classList.remove("dragged");
      dragged = null;
      mark();
    });
    sidebar.addEventListener("drop", async (event) => {
      const [item, place] = target(event);
      if (!item) return;
      event.preventDefault();
      const numbers = (list) => [...list.children].map((sibling) => Number(sibling.dataset.page)).filter((page) => page && page !== Number(dragged.dataset.page));
      const parent = place === "into" ? item : item.parentElement.closest("li[data-page]");
      const space = item.closest("li[data-space]")?.dataset.space;
      const to = {
        ...(parent ? { parent_id: Number(parent.dataset.page) } : { space_id: Number(space ?? 1) }),
        ...(place === "before" && { position: numbers(item.parentElement).indexOf(Number(item.dataset.page)) }),
      };
      const former = dragged.closest("li[data-space]");
      const name = $("a", dragged).textContent;
      // Others may read it there.
      if (space !== former?.dataset.space && !confirm(`Move “${name}” to “${$("a.space bdi", item.closest("li[data-space]")).textContent}”? Whoever can read that space can read it there.`)) return;
      const request = { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(to) };
      const answer = await fetch(`/posts/${dragged.dataset.page}/move`, request).catch(() => null);
      if (answer?.ok) return location.reload();
      const problem = await answer?.json().catch(() => null);
      const said = $("#_move-status") ?? sidebar.appendChild(make("p", { id: "_move-status", className: "hint", role: "alert" }));
      said.textContent = problem?.errors?.length ? `The page cannot be moved there: it ${problem.errors[0].message}.` : problem?.detail ?? "The wiki cannot be reached.";
    });
    $("[aria-current=page]", sidebar)?.scrollIntoView({ block: "nearest" });
  }

  // A menu is closed by what is done elsewhere.
  const menu = $("#_more");
  if (menu) {
    const action = (words, does) => {
      const button = make("button", { type: "button", textContent: words });
      button.addEventListener("click", () => { menu.open = false; does(); });
      const item = make("li", {});
      item.append(button);
      return item;
    };
    $("ul", menu).append(
      action("Copy link", () => navigator.clipboard?.writeText(location.origin + location.pathname)),
      action("Print", () => print()),
    );
    addEventListener("click", (event) => { if (!menu.contains(event.target)) menu.open = false; });
    menu.addEventListener("keydown", (event) => {
      if (event.key !== "Escape" || !menu.open) return;
      menu.open = false;
      $("summary", menu).focus();
    });
  }
  // On a small screen, the sidebar covers the page.
  addEventListener("keydown", (event) => {
    if (event.key === "Escape" && location.hash === "#_side") location.hash = "_main";
  });

  // Suggestions under fields, of pages to go to or of people to name: the combobox pattern.
  document.querySelectorAll("input[data-suggest]").forEach((input, number) => {
    const ofPeople = input.dataset.suggest === "people";
    const list = make("ul", { id: `_suggestions-${number}`, className: "suggestions", role: "listbox", hidden: true });
    list.ariaLabel = ofPeople ? "People" : "Pages";
    input.after(list);
    input.role = "combobox";
    input.setAttribute("aria-controls", list.id);
    input.setAttribute("aria-autocomplete", "list");
    let active = -1, asked = 0;
    const choose = (index) => {
      active = index;
      [...list.children].forEach((option, at) => {
        option.ariaSelected = String(at === index);
        if (at === index) option.scrollIntoView({ block: "nearest" });
      });
      if (index < 0) input.removeAttribute("aria-activedescendant");
      else input.setAttribute("aria-activedescendant", list.children[index].id);
    };
    const show = (found) => {
      list.replaceChildren(...found.map(({ title, slug, name, username }, at) => {
        const option = make("li", { id: `${list.id}-${at}`, role: "option", textContent: title ?? name, dir: "auto" });
        if (!ofPeople) option.dataset.address = `/wiki/${encodeURIComponent(slug)}`;
        else if (name !== username) option.append(" ", make("bdi", { textContent: `@${username}` }));
        option.dataset.value = username;
        return option;
      }));
      list.hidden = !found.length;
      input.ariaExpanded = String(!list.hidden);
      choose(-1);
    };
    const close = () => { asked++; show([]); };
    const ask = later(async () => {
      const turn = ++asked, text = input.value.trim();
      if (!text || document.activeElement !== input) return close();
      const asks = ofPeople ? `/users/suggestions?q=${encodeURIComponent(text.replace(/^@/, ""))}` : `/search/suggestions?q=${encodeURIComponent(text)}`;
      const answer = await fetch(asks).then((r) => (r.ok ? r.json() : {})).catch(() => ({}));
      // An answer that is late belongs to a question that was asked before.
      if (turn === asked) show(answer.suggestions ?? []);
    }, 150);
    const take = ({ dataset: { address, value } }) => {
      if (address) location.href = address;
      else input.value = value;
      close();
    };
    input.ariaExpanded = "false";
    input.addEventListener("input", ask);
    input.addEventListener("blur", close);
    input.addEventListener("keydown", (event) => {
      const many = list.children.length;
      if (event.isComposing) return;
      if (event.key === "Escape" && many) close();
      else if (event.key === "ArrowDown" && many) choose(active + 1 < many ? active + 1 : -1);
      else if (event.key === "ArrowUp" && many) choose(active < 0 ? many - 1 : active - 1);
      else if (event.key === "Enter" && active >= 0) take(list.children[active]);
      else return;
      event.preventDefault();
    });
    // So that a click comes before the blur that closes the list.
    list.addEventListener("mousedown", (event) => event.preventDefault());
    list.addEventListener("click", (event) => {
      const option = event.target.closest("[role=option]");
      if (option) take(option);
    });
  });

  // What a person has not saved is theirs alone. It is kept here under the number of their account, or none, and ends
  // with their session: the next one at this browser does not see it. A session that has expired may yet be continued.
  const account = $("#_account")?.dataset.account ?? "";
  const local = "wiki:";
  const forget = (isForgotten) => attempt(() => {
    for (const name of Object.keys(localStorage)) {
      if (name.startsWith(local) && isForgotten(name.split(":")[1])) localStorage.removeItem(name);
    }
  });
  const signOut = $("#_sign-out")?.form;
  signOut?.addEventListener("submit", () => forget(() => true));
  if (account) forget((owner) => owner && owner !== account);

  // Search at Ctrl K, or at a slash where nothing is typed. What was read last is kept like what is not saved.
  const palette = $("#_search")?.dataset.palette;
  const seenKey = `${local}${account}:seen`;
  const seen = () => attempt(() => JSON.parse(localStorage.getItem(seenKey))) ?? [];
  const canonical = $("link[rel=canonical]");
  if (canonical) {
    const slug = decodeURIComponent(new URL(canonical.href).pathname.slice("/wiki/".length));
    const others = seen().filter((other) => other.slug !== slug);
    attempt(() => localStorage.setItem(seenKey, JSON.stringify([{ title: $("h1").textContent, slug }, ...others].slice(0, 9))));
  }
  if (palette) {
    const other = (pages) => pages.filter(({ slug }) => location.pathname !== `/wiki/${encodeURIComponent(slug)}`);
    const recent = () => other(seen()).slice(0, 6);
    // What is typed while it is loaded is not lost.
    let loaded, typed = "";
    const collect = (event) => {
      if (event.key.length !== 1 || event.ctrlKey || event.metaKey) return;
      typed += event.key;
      event.preventDefault();
    };
    const open = () => {
      if (loaded) return loaded.open(recent);
      addEventListener("keydown", collect);
      import(palette)
        .then((module) => { loaded = module; module.open(recent, typed); })
        .catch(() => $("#_search-query").focus())
        .finally(() => removeEventListener("keydown", collect));
    };
    addEventListener("keydown", (event) => {
      const isTyped = event.target.closest?.("input, textarea, select, [contenteditable]");
      const isShortcut = event.key.toLowerCase() === "k" && (event.ctrlKey || event.metaKey) && !event.shiftKey && !event.altKey;
      // In the editor, Ctrl K makes a link.
      if (!(isShortcut && event.target.tagName !== "TEXTAREA") && !(event.key === "/" && !isTyped)) return;
      event.preventDefault();
      open();
    });
    const hint = make("kbd", { textContent: navigator.platform.startsWith("Mac") ? "⌘K" : "Ctrl K", ariaHidden: "true" });
    $("#_search").append(hint);
  }

  // Copying. Browsers have no clipboard for pages without TLS: there it is copied as by hand.
  let said;
  const copier = (source, className) => {
    // It is there before anything is said in it.
    if (!said) document.body.append(said = make("p", { className: "hidden", role: "status" }));
    const copy = make("button", { type: "button", className, textContent: "Copy" });
    const calm = later(() => { copy.textContent = "Copy"; said.textContent = ""; }, 3000);
    copy.addEventListener("click", async () => {
      const text = source.textContent.replace(/\n$/, "");
      const copied = await navigator.clipboard?.writeText(text).then(() => true, () => false);
      if (!copied) getSelection().selectAllChildren(source);
      if (!copied && !document.execCommand("copy")) return;
      copy.textContent = said.textContent = "Copied";
      calm();
    });
    return copy;
  };
  // Code can be copied, and diagrams are drawn.
  const enrich = (within) => {
    const diagrams = [...within.querySelectorAll(".code code.language-mermaid")];
    if (diagrams.length) import(document.body.dataset.diagrams).then(({ draw }) => draw(diagrams)).catch(() => {});
    for (const head of within.querySelectorAll(".code > .language")) head.append(copier(head.nextElementSibling, ""));
  };
  enrich(document);
  // A secret that is shown once.
  for (const secret of document.querySelectorAll("[data-copy]")) secret.after(" ", copier(secret, "button"));

  // The section that one reads is marked in the contents: the last one whose heading is in the upper third of the window or above.
  const contents = $("#_contents");
  if (contents) {
    const sections = [...contents.querySelectorAll("a")].map((link) => [document.getElementById(decodeURIComponent(link.hash.slice(1))), link]).filter(([heading]) => heading);
    const mark = () => {
      const now = sections.findLast(([heading]) => heading.getClientRects()[0]?.top < innerHeight / 3)?.[1];
      for (const [, link] of sections) link.ariaCurrent = link === now ? "true" : null;
      // Where the contents are longer than the window, they follow.
      const most = contents.clientHeight - (now?.offsetHeight ?? 0);
      if (now && (now.offsetTop < contents.scrollTop || now.offsetTop > contents.scrollTop + most)) contents.scrollTop = now.offsetTop - most / 2;
    };
    const watcher = new IntersectionObserver(mark, { rootMargin: "1000000px 0px -66% 0px" });
    for (const [heading] of sections) watcher.observe(heading);
  }

  // Tables can be sorted.
  const tables = document.querySelectorAll("#_text .table > table");
  if (tables.length) import(document.body.dataset.tables).then(({ makeSortable }) => tables.forEach(makeSortable)).catch(() => {});

  // What is opened from the inbox is read.
  $("#_entries")?.addEventListener("click", ({ target }) => {
    const id = target.closest("a.title") && target.closest("li.unread")?.dataset.entry;
    if (!id) return;
    const request = { method: "POST", headers: { "content-type": "application/json" }, body: `{"ids":[${id}]}`, keepalive: true };
    fetch("/inbox/read", request).catch(() => {});
  });

  // What went wrong is read first.
  $("#_errors, #_conflict")?.focus();

  // The page after a save. What was typed is on it: the editor need not keep it any longer.
  const saving = "wasiki:saving";
  if ($("#_saved")) {
    attempt(() => { localStorage.removeItem(sessionStorage.getItem(saving)); sessionStorage.removeItem(saving); });
    // The address is that of the page again, for bookmarks and for reading it again.
    history.replaceState(null, "", location.pathname + location.hash);
  }
  // What the script of the editor needs as well.
  globalThis.wasiki = { $, make, attempt, later, whole, clock, account, local, saving, signOut, enrich };
}
