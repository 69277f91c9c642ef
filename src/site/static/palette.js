// Search at Ctrl K: pages, places in texts, and what can be done here. Loaded when it is first opened; the search form is the same
// without it.

const make = (name, properties) => Object.assign(document.createElement(name), properties);
const page = (slug) => `/wiki/${encodeURIComponent(slug)}`;

/** What can be done where the dialog was opened, and on a page with that title. */
const actions = (words) => {
  const found = [];
  const newPage = document.querySelector("#_new-page");
  if (newPage && words) {
    const address = new URL(newPage.href);
    address.searchParams.set("title", words);
    found.push({ title: `New page “${words}”`, address: address.href });
  }
  const here = ".acts a, #_more a, .side .places a, .side .last a";
  // What is always there is only found by its name.
  const links = [...document.querySelectorAll(words ? `${here}, a.space, .person a, footer.site nav a` : here)]
    .map((link) => ({ title: link.textContent.trim(), address: link.href }));
  const wanted = words.toLowerCase();
  const fitting = links.filter(({ title }) => title.toLowerCase().includes(wanted));
  return [...found, ...(wanted ? fitting : links.slice(0, 5))].slice(0, 6);
};

const read = (address) => fetch(address).then((answer) => (answer.ok ? answer.json() : {})).catch(() => ({}));

/** The groups of what is found for `words`. */
const find = async (words, seen) => {
  if (!words) {
    const starred = [...document.querySelectorAll(".stars a:not(.all)")].map((link) => ({ title: link.textContent, address: link.href }));
    return [["Recently seen", seen.map(({ title, slug }) => ({ title, address: page(slug) }))], ["Starred", starred], ["Do", actions("")]];
  }
  const query = encodeURIComponent(words);
  const [{ suggestions = [] }, { results = [] }] = await Promise.all([
    read(`/search/suggestions?q=${query}`), read(`/search?q=${query}&limit=6`),
  ]);
  const titles = new Set(suggestions.map(({ slug }) => slug));
  const texts = results.filter(({ slug }) => !titles.has(slug));
  return [
    ["Pages", suggestions.slice(0, 6).map(({ title, slug, place }) => ({ title, place, address: page(slug) }))],
    ["In the text", texts.map(({ title, slug, snippet }) => ({ title, snippet, address: page(slug) }))],
    ["Do", actions(words)],
  ];
};

let dialog, input, list, active, turn = 0;

const options = () => [...list.querySelectorAll("[role=option]")];
const choose = (index) => {
  active = index;
  options().forEach((option, at) => {
    option.ariaSelected = String(at === index);
    if (at === index) option.scrollIntoView({ block: "nearest" });
  });
  if (index < 0) input.removeAttribute("aria-activedescendant");
  else input.setAttribute("aria-activedescendant", `_found-${index}`);
};

const show = (groups) => {
  let number = 0;
  list.replaceChildren(...groups.filter(([, found]) => found.length).map(([name, found], at) => {
    const group = make("div", { role: "group" });
    group.setAttribute("aria-labelledby", `_group-${at}`);
    group.append(make("p", { id: `_group-${at}`, className: "group", role: "presentation", textContent: name }));
    for (const { title, place, snippet, address } of found) {
      const option = make("div", { id: `_found-${number++}`, role: "option", ariaSelected: "false" });
      option.dataset.address = address;
      option.append(make("span", { textContent: title, dir: "auto" }));
      if (place) option.append(make("small", { textContent: place, dir: "auto" }));
      if (snippet) {
        const words = make("p", { dir: "auto" });
        // Escaped by the wiki, but for its marks.
        words.append(make("template", { innerHTML: snippet }).content);
        option.append(words);
      }
      group.append(option);
    }
    return group;
  }));
  choose(options().length ? 0 : -1);
};

const build = (seen) => {
  dialog = make("dialog", { className: "palette", ariaLabel: "Search or jump to" });
  const form = make("form", { action: "/wiki/-/search" });
  form.setAttribute("role", "search");
  input = make("input", { type: "search", name: "q", placeholder: "Search or jump to", autocomplete: "off", dir: "auto", role: "combobox" });
  input.ariaLabel = "Search or jump to";
  input.setAttribute("aria-controls", "_palette");
  input.setAttribute("aria-autocomplete", "list");
  input.ariaExpanded = "true";
  list = make("div", { id: "_palette", className: "found", role: "listbox", ariaLabel: "What was found" });
  const keys = make("p", { className: "keys" });
  keys.append(make("kbd", { textContent: "↑" }), " ", make("kbd", { textContent: "↓" }), " choose ", make("kbd", { textContent: "↵" }), " open ", make("kbd", { textContent: "Ctrl ↵" }), " all results");
  form.append(input);
  dialog.append(form, list, keys);
  document.body.append(dialog);

  // A browser may leave the focus for a moment in a field that is not shown any more, where a slash would be typed.
  const close = () => { input.blur(); dialog.close(); };
  let timer;
  const ask = async () => {
    const mine = ++turn, groups = await find(input.value.trim(), seen());
    if (mine === turn) show(groups);
  };
  input.addEventListener("input", () => { clearTimeout(timer); timer = setTimeout(ask, 120); });
  const open = (option) => { if (option) location.href = option.dataset.address; };
  input.addEventListener("keydown", (event) => {
    const many = options().length;
    if (event.isComposing) return;
    if (event.key === "ArrowDown" && many) choose((active + 1) % many);
    else if (event.key === "ArrowUp" && many) choose((active + many - 1) % many);
    else if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) form.submit();
    else if (event.key === "Enter" && active >= 0) open(options()[active]);
    // In a search field, it would only empty the field.
    else if (event.key === "Escape") close();
    else return;
    event.preventDefault();
  });
  list.addEventListener("click", (event) => open(event.target.closest("[role=option]")));
  // Beside the dialog.
  dialog.addEventListener("click", (event) => { if (event.target === dialog) close(); });
  return ask;
};

let ask;

/** Opens the dialog for `words`. `seen` returns the pages that were read last, the latest first. */
export const open = (seen, words = "") => {
  ask ??= build(seen);
  if (dialog.open) return;
  input.value = words;
  list.replaceChildren();
  dialog.showModal();
  input.focus();
  ask();
};
