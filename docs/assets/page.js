// Small fixes to the theme's pages.

// The copy button of a console block copies only the commands, without prompts and output.
for (const code of document.querySelectorAll(".language-console code")) {
  const typed = [...code.childNodes].filter(
    (node) => !node.classList?.contains("gp") && !node.classList?.contains("go"),
  );
  const lines = typed.map((node) => node.textContent).join("").split("\n");
  code.dataset.copy = lines.filter((line) => line.trim()).join("\n");
}

// The theme gives the search box a role but no accessible name; screen readers need one.
document.querySelector("[data-md-component=search]")?.setAttribute("aria-label", "Search");

// A pasted error message contains quotes and colons. The search treats these as query operators and
// rejects some of them, so paste only the words.
const query = document.querySelector("[data-md-component=search-query]");
query?.addEventListener("paste", (event) => {
  event.preventDefault();
  const words = event.clipboardData.getData("text").match(/[\p{L}\p{N}](?:[\p{L}\p{N}._/-]*[\p{L}\p{N}])?/gu);
  query.setRangeText((words ?? []).join(" "), query.selectionStart, query.selectionEnd, "end");
  query.dispatchEvent(new Event("keyup", { bubbles: true }));
});

// On a phone, course.css shows a table with long texts as blocks. Each cell then names its column.
const LONG_TEXT = 60;
for (const table of document.querySelectorAll(".md-typeset table")) {
  const cells = [...table.querySelectorAll("tbody td")];
  if (!cells.some((cell) => cell.textContent.length > LONG_TEXT)) continue;
  const columns = [...table.querySelectorAll("thead th")].map((head) => head.textContent);
  for (const cell of cells) cell.dataset.column = columns[cell.cellIndex];
  table.dataset.stacked = "";
}
