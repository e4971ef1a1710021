// The page's parts: movable dividers, three tabs on a narrow screen, and keys.

import { find, findAll, selectTab, tabKeys } from "./dom.js";

const STEP = 2; // percent

// A divider moves with the mouse and with the arrow keys (WAI-ARIA, Window Splitter).
export function addDividers(moved) {
  for (const divider of findAll("[role=separator]")) {
    const { variable, min, max } = divider.dataset;
    const vertical = divider.getAttribute("aria-orientation") === "vertical";
    const set = (percent) => {
      const value = Math.round(Math.min(Number(max), Math.max(Number(min), percent)) * 10) / 10;
      document.documentElement.style.setProperty(`--${variable}`, `${value}%`);
      divider.setAttribute("aria-valuenow", String(Math.round(value)));
      moved();
    };
    const now = () => Number(divider.getAttribute("aria-valuenow"));
    divider.setAttribute("aria-valuemin", min);
    divider.setAttribute("aria-valuemax", max);
    divider.addEventListener("keydown", (event) => {
      const steps = vertical ? { ArrowLeft: -STEP, ArrowRight: STEP } : { ArrowUp: -STEP, ArrowDown: STEP };
      if (!(event.key in steps)) return;
      set(now() + steps[event.key]);
      event.preventDefault();
    });
    divider.addEventListener("pointerdown", (event) => {
      divider.setPointerCapture(event.pointerId);
      const box = divider.parentElement.getBoundingClientRect();
      divider.onpointermove = ({ clientX, clientY }) =>
        set(100 * (vertical ? (clientX - box.left) / box.width : (clientY - box.top) / box.height));
    });
    divider.addEventListener("lostpointercapture", () => (divider.onpointermove = null));
  }
  addEventListener("resize", moved);
}

// On a narrow screen one part is shown at a time. Returns a function that shows a part.
export function addViews(shown) {
  const list = find("#views");
  tabKeys(list);
  const show = (name) => {
    document.body.dataset.view = name;
    selectTab(list, (tab) => tab.dataset.view === name);
    shown();
  };
  for (const tab of findAll("[role=tab]", list)) tab.addEventListener("click", () => show(tab.dataset.view));
  show("lesson");
  return show;
}

// F6 moves to the next part of the page. An instructor's arrow keys show the next step.
export function watchKeys(desk) {
  const parts = ["lesson", "editor", "tools"];
  document.addEventListener("keydown", (event) => {
    if (event.key === "F6") {
      event.preventDefault();
      const at = parts.findIndex((name) => find(`#${name}`).contains(document.activeElement));
      const name = parts[(at + (event.shiftKey ? parts.length - 1 : 1)) % parts.length];
      desk.showView(name);
      const inside = {
        lesson: ["#lesson"],
        editor: ["#text:not([hidden]) .cm-content", "#files"],
        tools: [".screen:not([hidden]) textarea", "#tool-tabs [aria-selected=true]"],
      };
      inside[name].map((selector) => find(selector)).find(Boolean)?.focus();
    }
    const steps = { ArrowRight: 1, PageDown: 1, " ": 1, ArrowLeft: -1, PageUp: -1 };
    const typing = document.activeElement?.closest("input, textarea, select, button, summary, [contenteditable=true], [role=separator]");
    if (desk.present && event.key in steps && !typing) {
      event.preventDefault();
      desk.lesson.go(steps[event.key]);
    }
  });
}
