// Tables are sorted by a column at a click on its head: up, down, and as they were written.

/** Makes the heads of a table buttons that sort it. */
export function makeSortable(table) {
  const rows = [...table.tBodies[0]?.rows ?? []];
  const { lang } = table.closest("[lang]");
  const collator = new Intl.Collator(lang, { numeric: true });
  if (!table.tHead || rows.length < 3) return;
  // Numbers as the language of the page writes them. A day as in 2026-01-31 is in order as a text.
  const parts = new Intl.NumberFormat(lang).formatToParts(12345.6);
  const [group, decimal] = ["group", "decimal"].map((type) => parts.find((part) => part.type === type)?.value ?? " ");
  const number = (text) => {
    const plain = text.replace(/[\s%€$£¥]/g, "").replaceAll(group, "").replace(decimal, ".").replace("−", "-");
    return plain ? Number(plain) : NaN;
  };
  const heads = [...table.tHead.rows[0].cells];
  heads.forEach((head, column) => {
    // A link in it stays one.
    if (!head.textContent.trim() || head.querySelector("a, button")) return;
    const sort = Object.assign(document.createElement("button"), { type: "button", className: "sort" });
    sort.append(...head.childNodes);
    head.append(sort);
    sort.addEventListener("click", () => {
      const order = { ascending: "descending", descending: null }[head.ariaSort] ?? (head.ariaSort ? null : "ascending");
      for (const other of heads) other.ariaSort = null;
      head.ariaSort = order;
      const all = rows.map((row) => [row, row.cells[column]?.textContent.trim() ?? ""]);
      const compare = all.every(([, text]) => !text || !isNaN(number(text))) ? (one, other) => number(one) - number(other) : collator.compare;
      // Empty cells are last in either direction.
      if (order) all.sort(([, one], [, other]) => !one - !other || (order === "ascending" ? compare(one, other) : compare(other, one)) || 0);
      table.tBodies[0].append(...all.map(([row]) => row));
    });
  });
}
