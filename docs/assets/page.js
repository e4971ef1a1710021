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
