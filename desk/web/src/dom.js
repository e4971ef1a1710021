// Makes elements. Text is always text: nothing here parses markup.

export const find = (selector, root = document) => root.querySelector(selector);
export const findAll = (selector, root = document) => [...root.querySelectorAll(selector)];

// Returns an element with properties, `on...` handlers, `data`, ARIA attributes, and children.
export function make(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (value === undefined || value === null) continue;
    if (name === "data") Object.assign(element.dataset, value);
    else if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name.includes("-") || name === "role") element.setAttribute(name, value);
    else element[name] = value;
  }
  element.append(...children.filter((child) => child !== null && child !== undefined));
  return element;
}

export const button = (text, onclick, properties = {}) =>
  make("button", { type: "button", onclick, ...properties }, text);

// Shows a dialog until it is closed; resolves with the value of the button that closed it.
export function ask(title, content, choices) {
  const dialog = make(
    "dialog",
    { "aria-label": title },
    make("h2", {}, title),
    content,
    make(
      "form",
      { method: "dialog", className: "choices" },
      ...choices.map(([value, text], at) =>
        make("button", { value, className: at ? "" : "primary" }, text),
      ),
    ),
  );
  document.body.append(dialog);
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => {
      dialog.remove();
      resolve(dialog.returnValue);
    });
  });
}

// Says something once, for eyes and for screen readers.
export function say(text, kind = "") {
  const line = make("p", { className: kind }, text);
  find("#notices").append(line);
  setTimeout(() => line.remove(), 8000);
}

// A row of tabs: arrow keys move between them (WAI-ARIA Authoring Practices, Tabs).
export function tabKeys(list) {
  list.addEventListener("keydown", (event) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    const tabs = findAll("[role=tab]", list);
    const at = tabs.indexOf(document.activeElement);
    if (!step || at < 0) return;
    const next = tabs[(at + step + tabs.length) % tabs.length];
    next.focus();
    next.click();
    event.preventDefault();
  });
}

export function selectTab(list, isChosen) {
  for (const tab of findAll("[role=tab]", list)) {
    const chosen = isChosen(tab);
    tab.setAttribute("aria-selected", String(chosen));
    tab.tabIndex = chosen ? 0 : -1;
  }
}
