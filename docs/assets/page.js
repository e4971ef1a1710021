// Small repairs to what the theme makes of a page.

// What is copied from a console is what was typed: neither the prompts nor the answers.
for (const code of document.querySelectorAll(".language-console code")) {
  const typed = [...code.childNodes].filter(
    (node) => !node.classList?.contains("gp") && !node.classList?.contains("go"),
  );
  const lines = typed.map((node) => node.textContent).join("").split("\n");
  code.dataset.copy = lines.filter((line) => line.trim()).join("\n");
}

// The theme gives the search a role without a name for those who hear the page.
document.querySelector("[data-md-component=search]")?.setAttribute("aria-label", "Search");

// In an error that is pasted, quotes and colons are part of the text. The search would take them for
// orders of its own, and refuse some: so only the words are handed to it.
const query = document.querySelector("[data-md-component=search-query]");
query?.addEventListener("paste", (event) => {
  event.preventDefault();
  const words = event.clipboardData.getData("text").match(/[\p{L}\p{N}](?:[\p{L}\p{N}._/-]*[\p{L}\p{N}])?/gu);
  query.setRangeText((words ?? []).join(" "), query.selectionStart, query.selectionEnd, "end");
  query.dispatchEvent(new Event("keyup", { bubbles: true }));
});
