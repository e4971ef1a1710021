
"use strict";
(() => {
  const all = (query, root = document) => [...root.querySelectorAll(query)];

  // Sorting: a heading sorts by its column, and the other way round at the next press.
  const valueOf = (cell) => cell.dataset.value ?? cell.textContent.trim();
  const compare = (one, other) => {
    const difference = Number(one) - Number(other);
    return Number.isNaN(difference) ? one.localeCompare(other, "en", { numeric: true }) : difference;
  };
  const sort = (heading) => {
    const column = heading.cellIndex;
    const isDown = heading.ariaSort === "ascending";
    all("th", heading.parentElement).forEach((other) => other.removeAttribute("aria-sort"));
    heading.ariaSort = isDown ? "descending" : "ascending";
    const body = heading.closest("table").tBodies[0];
    const rows = [...body.rows].map((row) => [valueOf(row.cells[column]), row]);
    rows.sort(([one], [other]) => (isDown ? -1 : 1) * compare(one, other));
    body.append(...rows.map(([, row]) => row));
  };
  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-sort]");
    if (button) sort(button.parentElement);
  });

  // Filtering: by name or id, and by outcome.
  const needle = document.getElementById("needle");
  const outcome = document.getElementById("outcome");
  const shown = document.getElementById("shown");
  const entries = all("[data-find]");
  const people = all("[data-person]");
  const filter = () => {
    const text = needle.value.trim().toLowerCase();
    for (const entry of entries) {
      const { find, outcome: own } = entry.dataset;
      const isWanted = outcome.value === "" || own.split(" ").includes(outcome.value);
      entry.hidden = !find.includes(text) || !isWanted;
    }
    const left = people.filter((person) => !person.hidden).length;
    shown.textContent = `${left} of ${people.length} shown`;
  };
  needle.addEventListener("input", filter);
  outcome.addEventListener("change", filter);
  document.querySelector("form").addEventListener("submit", (event) => event.preventDefault());
  filter();

  // Details: a link opens what it leads to, and paper shows everything.
  const toggle = (isOpen) => people.forEach((person) => { person.open = isOpen; });
  document.getElementById("open").addEventListener("click", () => toggle(true));
  document.getElementById("close").addEventListener("click", () => toggle(false));
  const reveal = () => {
    const target = document.getElementById(location.hash.slice(1));
    if (!target) return;
    for (let part = target; part; part = part.parentElement) {
      if (part instanceof HTMLDetailsElement) part.open = true;
    }
    target.scrollIntoView({ block: target instanceof HTMLDetailsElement ? "start" : "center" });
  };
  addEventListener("hashchange", reveal);
  reveal();
  let closed = [];
  addEventListener("beforeprint", () => {
    closed = all("details:not([open])");
    closed.forEach((details) => { details.open = true; });
  });
  addEventListener("afterprint", () => closed.forEach((details) => { details.open = false; }));
})();
