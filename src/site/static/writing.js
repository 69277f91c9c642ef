// Writing Markdown: buttons above the text, lists that go on, menus of pages and people, and what is pasted.
"use strict";
{
  const { $, make, later } = globalThis.wasiki;
  const content = $("#_content"), paper = content.parentElement;

  // Puts words in the place of a part of the text, so that it can be undone.
  const put = (words, start = content.selectionStart, end = content.selectionEnd) => {
    content.focus({ preventScroll: true });
    content.setSelectionRange(start, end);
    const done = words ? document.execCommand("insertText", false, words) : start === end || document.execCommand("delete");
    if (done) return;
    content.setRangeText(words, start, end, "end");
    content.dispatchEvent(new Event("input", { bubbles: true }));
  };
  // Where the lines of the selection begin and end.
  const lines = () => {
    const { value, selectionStart, selectionEnd } = content;
    const end = value.indexOf("\n", selectionEnd);
    return [value.lastIndexOf("\n", selectionStart - 1) + 1, end < 0 ? value.length : end];
  };
  const isCode = (at) => (content.value.slice(0, at).match(/^[ \t>]*(```|~~~)/gm) ?? []).length % 2 === 1;
  // Puts something between empty lines.
  const putBlock = (words) => {
    const before = content.value.slice(0, content.selectionStart), after = content.value.slice(content.selectionEnd);
    const breaks = (found) => (found ? "\n".repeat(Math.max(0, 2 - found[1].length)) : "");
    put(breaks(/[^\n](\n*)$/.exec(before)) + words + breaks(/^(\n*)[^\n]/.exec(after)));
  };

  // The buttons. What they do to words is GitHub's; what they do to lines begins with whole lines.
  const isMac = /Mac|iP(hone|ad)/.test(navigator.platform);
  const keys = (letter) => (isMac ? `⌘${letter}` : `Ctrl ${letter}`);
  const toolbar = make("markdown-toolbar", { className: "tools", ariaLabel: "Formatting" });
  toolbar.setAttribute("for", content.id);
  toolbar.setAttribute("aria-controls", content.id);
  const tool = (words, style, label, action) => {
    const button = make("button", { type: "button", textContent: words, title: label, tabIndex: -1 });
    // What is seen is a part of what is heard.
    button.ariaLabel = label;
    button.dataset.mdButton = style;
    if (action) button.addEventListener("click", action);
    return button;
  };
  const heading = () => {
    const [start, end] = lines();
    const [, marks, words] = /^(#{0,6}) *(.*)$/s.exec(content.value.slice(start, end));
    // None, a section, one within it, and none again.
    put(({ "": "## ", "##": "### " })[marks] === undefined ? words : (marks ? "### " : "## ") + words, start, end);
  };
  const table = () => {
    const at = content.selectionStart;
    putBlock("| Column | Column |\n|---|---|\n|  |  |");
    const first = content.value.indexOf("Column", at);
    content.setSelectionRange(first, first + "Column".length);
  };
  const gap = () => make("span", { className: "gap" });
  toolbar.append(
    tool("B", "bold", `Bold, ${keys("B")}`),
    tool("I", "italic", `Italic, ${keys("I")}`),
    tool("H", "heading", "Heading", heading),
    gap(),
    tool("• List", "unordered-list", "List"),
    tool("1. List", "ordered-list", "Numbered list, 1. List"),
    tool("☐ Task", "task-list", "Task"),
    tool("“ Quote", "quote", "Quote"),
    gap(),
    tool("[[ Page", "page", "Link to a page, [[ Page", () => put("[[")),
    tool("Link", "link", `Link, ${keys("K")}`),
    tool("Image or file", "file", "Image or file", () => $("#_file") ? $("#_file").click() : globalThis.wasiki.say()),
    tool("Table", "table", "Table", table),
    tool("Code", "code", "Code"),
  );
  const asLines = ({ type, key, target }) => {
    const style = target.closest("button")?.dataset.mdButton;
    if (!["task-list", "quote"].includes(style) || (type === "keydown" && key !== "Enter" && key !== " ")) return;
    content.setSelectionRange(...lines());
  };
  for (const type of ["click", "keydown"]) toolbar.addEventListener(type, asLines, true);
  paper.before(toolbar);

  // Lists, tasks and quotes go on with the next line; an empty item ends them.
  const LINE = /^((?:[ \t]*>[ \t]?)*)([ \t]*)(?:([-*+])|(\d{1,9})([.)]))?([ \t]+\[[ xX]\](?=[ \t]|$))?([ \t]*)(.*)$/;
  const parse = (line) => {
    const [, quote, indent, bullet, number, dot, task, space, words] = LINE.exec(line);
    const isItem = (bullet ?? number) !== undefined && (space || task);
    if (!isItem) return quote ? { quote, indent: "", mark: "", next: "", words: line.slice(quote.length) } : null;
    const mark = bullet ?? number + dot;
    const next = (bullet ?? Number(number) + 1 + dot) + (task ? " [ ] " : space.slice(0, 4) || " ");
    return { quote, indent, mark, next, words };
  };
  const goOn = () => {
    const { value, selectionStart: at, selectionEnd } = content;
    if (at !== selectionEnd || isCode(at)) return false;
    const [start, end] = lines();
    const line = parse(value.slice(start, end));
    if (!line) return false;
    const begins = end - line.words.length;
    if (at < begins && line.words) return false;
    if (line.words.trim()) put(`\n${line.quote}${line.indent}${line.next}`);
    else put(line.mark ? line.quote : "", start, end);
    return true;
  };
  const indent = (isBack) => {
    const { value, selectionStart, selectionEnd } = content;
    const [start, end] = lines();
    const all = value.slice(start, end).split("\n");
    const first = parse(all[0]);
    if (!first?.mark || isCode(start)) return false;
    const by = " ".repeat(first.mark.length + 1);
    const moved = all.map((line) => {
      const { quote = "" } = parse(line) ?? {}, rest = line.slice(quote.length);
      if (!isBack) return rest ? quote + by + rest : line;
      return quote + rest.replace(new RegExp(`^(\t| {1,${by.length}})`), "");
    });
    if (moved.join("\n") === all.join("\n")) return false;
    put(moved.join("\n"), start, end);
    const change = moved[0].length - all[0].length;
    content.setSelectionRange(Math.max(start, selectionStart + change), selectionEnd + moved.join("\n").length - all.join("\n").length);
    return true;
  };
  // After Escape, the tabulator leaves the text wherever it is.
  let leaves = false, isPlain = false;
  content.addEventListener("keydown", (event) => {
    const { key, shiftKey, altKey, ctrlKey, metaKey } = event;
    const left = leaves;
    if (!["Shift", "Tab"].includes(key)) leaves = key === "Escape";
    if (event.isComposing || event.keyCode === 229 || event.defaultPrevented || altKey) return;
    const isCommand = isMac ? metaKey && !ctrlKey : ctrlKey && !metaKey;
    if (isCommand && key.toLowerCase() === "v") isPlain = shiftKey;
    const style = isCommand && !shiftKey && { b: "bold", i: "italic", k: "link" }[key.toLowerCase()];
    if (style) $(`[data-md-button=${style}]`, toolbar).click();
    else if (ctrlKey || metaKey) return;
    else if (key === "Enter" && !shiftKey) { if (!goOn()) return; }
    else if (key !== "Tab" || left || !indent(shiftKey)) return;
    event.preventDefault();
    // Elsewhere, the same keys mean other things.
    event.stopPropagation();
  });

  // Where places in the text are: the text once more, as high and as wide, and not to be seen.
  const measure = (places) => {
    const mirror = make("div", { className: "mirror", dir: "auto", ariaHidden: "true" });
    const marks = places.map(() => make("span", { textContent: "\u200b" }));
    places.forEach((at, index) => mirror.append(content.value.slice(places[index - 1] ?? 0, at), marks[index]));
    mirror.append(content.value.slice(places.at(-1)));
    content.after(mirror);
    const found = marks.map((mark) => ({ left: mark.offsetLeft, top: mark.offsetTop - content.scrollTop, height: mark.offsetHeight }));
    mirror.remove();
    return found;
  };

  // Menus after [[ and @. The text stays the text: a menu is something it points at.
  const KINDS = [
    {
      label: "Pages",
      pattern: /\[\[([^[\]|#\n]{1,80})$/,
      ask: (typed) => `/search/suggestions?q=${encodeURIComponent(typed.trimStart())}`,
      read: ({ suggestions }, typed) => [
        ...suggestions.map(({ title, slug, place }) => ({
          words: title, place: place.join(" / "),
          text: /[[\]|#]/.test(title) ? `[[${slug}|${title.replace(/[[\]|]/g, " ")}]]` : `[[${title}]]`,
        })),
        { words: `New page “${typed.trim()}”`, place: "", text: `[[${typed.trim()}]]` },
      ],
      end: /^\]\]/,
    },
    {
      label: "People",
      pattern: /(?<![\p{L}\p{N}/@._+=:\\-])@([A-Za-z0-9._-]{1,64})$/u,
      ask: (typed) => `/users/suggestions?q=${encodeURIComponent(typed)}`,
      read: ({ suggestions }) => suggestions.map(({ username, name }) => ({ words: name || username, place: `@${username}`, text: `@${username} ` })),
      end: /^ /,
    },
  ];
  const menu = make("ul", { id: "_suggested", className: "suggested", role: "listbox", hidden: true });
  paper.append(menu);
  content.setAttribute("aria-autocomplete", "list");
  let open = null, active = 0, asked = 0, dismissed = -1;
  const choose = (index) => {
    active = index;
    [...menu.children].forEach((option, at) => {
      option.ariaSelected = String(at === index);
      if (at === index) option.scrollIntoView({ block: "nearest" });
    });
    content.setAttribute("aria-activedescendant", menu.children[index].id);
  };
  const close = () => {
    asked++;
    open = null;
    menu.hidden = true;
    content.removeAttribute("aria-activedescendant");
    content.removeAttribute("aria-controls");
  };
  const take = (index) => {
    const { kind, start, end, items } = open;
    close();
    const rest = kind.end.exec(content.value.slice(end))?.[0].length ?? 0;
    put(items[index].text, start, end + rest);
  };
  const marked = (words, typed) => {
    const at = words.toLowerCase().indexOf(typed.trim().toLowerCase());
    const span = make("span", { dir: "auto" });
    if (at < 0) span.append(words);
    else span.append(words.slice(0, at), make("mark", { textContent: words.slice(at, at + typed.trim().length) }), words.slice(at + typed.trim().length));
    return span;
  };
  const show = (found, items) => {
    open = { ...found, items };
    menu.replaceChildren(...items.map(({ words, place }, at) => {
      const option = make("li", { id: `_suggested-${at}`, role: "option" });
      option.append(marked(words, found.typed));
      if (place) option.append(make("small", { textContent: place, dir: "auto" }));
      return option;
    }));
    menu.ariaLabel = found.kind.label;
    menu.hidden = false;
    content.setAttribute("aria-controls", menu.id);
    const [{ left, top, height }] = measure([found.start]);
    // Below the words, or above them where that is covered.
    const room = $(".savebar .save-buttons").getBoundingClientRect().top - paper.getBoundingClientRect().top;
    const isBelow = top + height + 4 + menu.offsetHeight <= room || top < menu.offsetHeight;
    menu.style.insetBlockStart = `${isBelow ? top + height + 4 : top - menu.offsetHeight - 4}px`;
    menu.style.left = `${Math.max(0, Math.min(left, paper.clientWidth - menu.offsetWidth))}px`;
    choose(0);
  };
  const found = () => {
    const { value, selectionStart: at, selectionEnd } = content;
    if (at !== selectionEnd || document.activeElement !== content || isCode(at)) return null;
    const line = value.slice(value.lastIndexOf("\n", at - 1) + 1, at);
    for (const kind of KINDS) {
      const match = kind.pattern.exec(line);
      if (match) return { kind, typed: match[1], start: at - match[0].length, end: at };
    }
    return null;
  };
  const ask = later(async () => {
    const wanted = found(), turn = ++asked;
    if (!wanted || wanted.start === dismissed) return close();
    const answer = await fetch(wanted.kind.ask(wanted.typed)).then((r) => (r.ok ? r.json() : null)).catch(() => null);
    // An answer that is late belongs to what was typed before.
    if (turn !== asked) return;
    const items = answer?.suggestions ? wanted.kind.read(answer, wanted.typed) : [];
    if (items.length) show(wanted, items); else close();
  }, 120);
  content.addEventListener("input", (event) => {
    const now = found();
    if (now?.start !== dismissed) dismissed = -1;
    if (!now || (open && open.start !== now.start)) close();
    if (now && !event.isComposing) ask();
  });
  content.addEventListener("compositionend", ask);
  content.addEventListener("blur", close);
  content.addEventListener("click", close);
  content.addEventListener("keydown", (event) => {
    if (!open || event.isComposing) return;
    const many = menu.children.length;
    if (event.key === "Escape") { dismissed = open.start; close(); }
    else if (event.key === "ArrowDown") choose((active + 1) % many);
    else if (event.key === "ArrowUp") choose((active + many - 1) % many);
    else if ((event.key === "Enter" || event.key === "Tab") && !event.ctrlKey && !event.metaKey && !event.shiftKey) take(active);
    else { if (["ArrowLeft", "ArrowRight", "Home", "End"].includes(event.key)) close(); return; }
    event.preventDefault();
    event.stopImmediatePropagation();
  }, true);
  // So that a click comes before the blur that closes the menu.
  menu.addEventListener("mousedown", (event) => event.preventDefault());
  menu.addEventListener("click", (event) => {
    const option = event.target.closest("[role=option]");
    if (option) take([...menu.children].indexOf(option));
  });

  // What is pasted from pages and documents, as Markdown.
  const escaped = (words) => words.replace(/[\\`*[\]]|<(?=[a-z/!])|(?<![\p{L}\p{N}])_|_(?![\p{L}\p{N}])/giu, "\\$&");
  // The mark stands at the words, not at the spaces around them.
  const around = (mark, words) => words.trim() ? words.replace(/^(\s*)(.*?)(\s*)$/s, `$1${mark}$2${mark}$3`) : words;
  const address = (element, name) => {
    const written = element.getAttribute(name) ?? "";
    if (!/^(https?:|mailto:)/i.test(written)) return "";
    const url = URL.parse(written);
    return url?.origin === location.origin ? written.slice(url.origin.length) || "/" : written.replace(/[\s()<>]/g, (sign) => `%${sign.charCodeAt().toString(16).padStart(2, "0")}`);
  };
  const inline = (node) => {
    if (node.nodeType === Node.TEXT_NODE) return escaped(node.data.replace(/[\s\u00a0]+/g, " "));
    if (node.nodeType !== Node.ELEMENT_NODE) return "";
    const words = [...node.childNodes].map(inline).join("");
    const style = (name) => new RegExp(`${name}:\\s*(\\w+)`).exec(node.dataset.style ?? "")?.[1] ?? "";
    const weight = style("font-weight"), slant = style("font-style");
    switch (node.localName) {
      case "br": return "\n";
      case "script": case "style": case "title": case "head": return "";
      case "img": return address(node, "src") ? `![${escaped(node.alt.trim())}](${address(node, "src")})` : "";
      case "input": return node.type !== "checkbox" ? "" : `[${node.checked ? "x" : " "}]${/^\s/.test(node.nextSibling?.data ?? "") ? "" : " "}`;
      case "a": {
        const href = address(node, "href");
        if (!href || !words.trim()) return words;
        return words.trim() === escaped(href) ? href : words.replace(/^(\s*)(.*?)(\s*)$/s, (_, a, b, c) => `${a}[${b}](${href})${c}`);
      }
      case "code": case "tt": case "samp": {
        const code = node.textContent, fence = "`".repeat(1 + Math.max(0, ...(code.match(/`+/g) ?? []).map((run) => run.length)));
        return code.trim() ? (fence.length > 1 ? `${fence} ${code} ${fence}` : fence + code + fence) : code;
      }
      case "del": case "s": case "strike": return around("~~", words);
      // Some documents are bold as a whole, and say in a style that they are not.
      case "strong": case "b": return weight === "normal" || weight === "400" ? words : around("**", words);
      case "em": case "i": return slant === "normal" ? words : around("*", words);
      case "span": {
        const italic = slant === "italic" ? around("*", words) : words;
        return weight === "bold" || Number(weight) >= 600 ? around("**", italic) : italic;
      }
      default: return words;
    }
  };
  const BLOCKS = "address,article,aside,blockquote,body,dd,details,div,dl,dt,figcaption,figure,footer,h1,h2,h3,h4,h5,h6,header,hr,li,main,nav,ol,p,pre,section,table,ul";
  const tidy = (words) => words.split("\n").map((line) => line.trim()).join("\n").replace(/^\n+|\n+$/g, "");
  const cells = (row) => `| ${[...row.cells].map((cell) => tidy(inline(cell)).replace(/\n+/g, " ").replace(/\|/g, "\\|")).join(" | ")} |`;
  const block = (node) => {
    switch (node.localName) {
      case "hr": return "---";
      case "pre": {
        const code = node.textContent.replace(/\n$/, ""), fence = code.includes("```") ? "~~~~" : "```";
        const [, language = ""] = /\b(?:language|lang|highlight-source)-([\w+#-]+)/.exec(`${node.className} ${$("code", node)?.className ?? ""}`) ?? [];
        return `${fence}${language}\n${code}\n${fence}`;
      }
      case "table": {
        const rows = [...node.rows];
        if (!rows.length) return "";
        const [head, ...rest] = rows.map(cells);
        return [head, `|${"---|".repeat(rows[0].cells.length)}`, ...rest].join("\n");
      }
      case "ul": case "ol": {
        let number = node.start || 1;
        return [...node.children].map((item) => {
          const mark = node.localName === "ol" ? `${number++}. ` : "- ";
          // A list within a list without an item of its own belongs to the item before.
          const isItem = item.localName === "li", words = blocks(isItem ? [...item.childNodes] : [item]).join("\n");
          const indented = words.replace(/\n(?=.)/g, `\n${" ".repeat(mark.length)}`);
          return isItem ? mark + indented : `${" ".repeat(mark.length)}${indented}`;
        }).join("\n");
      }
      case "blockquote": return blocks([...node.childNodes]).join("\n\n").replace(/^/gm, "> ").replace(/ +$/gm, "");
      default: {
        const level = /^h([1-6])$/.exec(node.localName)?.[1];
        if (level) return `${"#".repeat(level)} ${tidy(inline(node)).replace(/\n+/g, " ")}`;
        return blocks([...node.childNodes]).join("\n\n");
      }
    }
  };
  // The blocks among the nodes; what stands between two is a paragraph.
  const blocks = (nodes) => {
    const found = [];
    let run = "";
    const flush = () => { if (tidy(run)) found.push(tidy(run)); run = ""; };
    for (const node of nodes) {
      const isElement = node.nodeType === Node.ELEMENT_NODE;
      if (isElement && node.matches(BLOCKS)) { flush(); found.push(block(node)); }
      // Such as a link or a part of a document around whole paragraphs.
      else if (isElement && $(BLOCKS, node)) { flush(); found.push(...blocks([...node.childNodes])); }
      else run += inline(node);
    }
    flush();
    return found.filter(Boolean);
  };
  const MARKUP = "h1,h2,h3,h4,h5,h6,ul,ol,table,blockquote,pre,a[href],strong,b,em,i,code,del,s,img,span[data-style*=font]";
  const markdown = (html) => {
    // Styles would be stopped, and reported, by the wiki's policy: what they say is read from attributes without a meaning.
    const unstyled = html.replace(/<style[^]*?<\/style>/gi, "").replace(/<[^<>]*>/g, (tag) => tag.replace(/\sstyle(?=\s*=)/gi, " data-style"));
    const { body } = new DOMParser().parseFromString(unstyled, "text/html");
    if (!$(MARKUP, body)) return "";
    // Code that was copied from an editor is what it is as plain text.
    const only = body.children.length === 1 && body.firstElementChild.localName === "pre" && !body.firstElementChild.className;
    return only ? "" : blocks([body]).join("\n\n");
  };
  const isAddress = (words) => /^https?:\/\/\S+$/.test(words) && URL.canParse(words);
  content.addEventListener("paste", (event) => {
    const data = event.clipboardData, plain = data.getData("text/plain");
    const asItIs = isPlain || isCode(content.selectionStart);
    isPlain = false;
    if (asItIs || !plain.trim() || event.defaultPrevented) return;
    const { value, selectionStart, selectionEnd } = content, selected = value.slice(selectionStart, selectionEnd);
    const isLinked = selected.trim() && !selected.includes("\n") && !isAddress(selected.trim()) && isAddress(plain.trim()) && !value.slice(0, selectionStart).endsWith("](");
    const words = isLinked ? `[${selected}](${plain.trim()})` : markdown(data.getData("text/html"));
    if (!words || words === plain.trim()) return;
    event.preventDefault();
    put(words);
  });

  Object.assign(globalThis.wasiki, { put, measure });
}
