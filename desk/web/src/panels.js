// The tabs of the tools, and two of their panels: the progress in the course, and the image.

import { button, find, make, selectTab, tabKeys } from "./dom.js";
import { call } from "./server.js";

export class Tools {
  constructor() {
    this.list = find("#tool-tabs");
    this.place = find("#panels");
    this.entries = new Map();
    tabKeys(this.list);
  }

  add(name, title, panel, { before, shown, close } = {}) {
    const tab = make("button", {
      type: "button", role: "tab", id: `tab-${name}`, "aria-selected": "false", "aria-controls": `panel-${name}`, tabIndex: -1,
      onclick: () => this.show(name),
    }, title);
    Object.assign(panel, { id: `panel-${name}`, hidden: true });
    panel.setAttribute("role", "tabpanel");
    // A long panel scrolls: the keyboard reaches it too. A terminal has its own place to type.
    if (!close) panel.tabIndex = 0;
    panel.setAttribute("aria-labelledby", tab.id);
    if (close) {
      tab.title = "Delete closes this terminal";
      tab.addEventListener("keydown", (event) => event.key === "Delete" && close());
      tab.addEventListener("auxclick", (event) => event.button === 1 && close());
    }
    const next = before && find(`#tab-${before}`, this.list);
    if (next) next.before(tab);
    else this.list.append(tab);
    this.place.append(panel);
    this.entries.set(name, { tab, panel, shown });
  }

  remove(name) {
    const { tab, panel } = this.entries.get(name);
    this.entries.delete(name);
    tab.remove();
    panel.remove();
    if (this.current === name) this.show([...this.entries.keys()].at(-1));
  }

  show(name) {
    this.current = name;
    selectTab(this.list, (tab) => tab.id === `tab-${name}`);
    for (const [key, { panel }] of this.entries) panel.hidden = key !== name;
    this.entries.get(name)?.shown?.();
  }

  // Shows a number beside a tab's title.
  mark(name, number) {
    const { tab } = this.entries.get(name);
    find(".count", tab)?.remove();
    if (number) tab.append(make("span", { className: "count" }, String(number)));
  }
}

export function showProgress(panel, course, current, open) {
  const describe = (name) => {
    const { title, state, points, max_points } = course.tasks[name];
    return make("li", { className: state }, make("span", {}, `${name}: ${title}`), make("span", { className: "points" }, state === "started" ? "started" : state ? `${points}/${max_points}` : `${max_points}`));
  };
  const tasks = Object.values(course.tasks);
  const passed = tasks.filter((task) => task.state === "passed").length;
  panel.replaceChildren(
    make("p", { className: "summary" }, `${passed} of ${tasks.length} tasks passed.`, course.last ? ` Last: ${course.last}.` : ""),
    make("progress", { max: tasks.length, value: passed, "aria-label": "Tasks passed" }),
    make("ol", { className: "course" }, ...course.lessons.map((lesson) => make(
      "li", {},
      button(lesson.title, () => open(lesson.name), { className: "link", "aria-current": lesson.name === current ? "page" : null }),
      lesson.task && make("ul", {}, describe(lesson.task)),
    ))),
  );
}

const megabytes = (bytes) => `${(bytes / 1e6).toFixed(bytes < 1e7 ? 1 : 0)} MB`;

export async function showImage(panel, { name, task }, open) {
  if (!panel.hasChildNodes()) panel.append(make("p", { className: "quiet", role: "status" }, "Reading the image ..."));
  try {
    const report = await call("POST", "image", { lesson: name });
    panel.replaceChildren(...describeImage(report, task, open));
  } catch (error) {
    panel.replaceChildren(make("p", { className: "quiet" }, error.message));
  }
}

// Shows the bytes that each line added: the base in one row, then one row for each layer above it.
function describeImage({ name, now, lines, before }, task, open) {
  const own = now.layers.slice(now.shared);
  const base = now.layers.slice(0, now.shared);
  const sum = (layers, key) => layers.reduce((total, layer) => total + layer[key], 0);
  const rows = base.length ? [{ size: sum(base, "size"), wasted: sum(base, "wasted"), made_by: now.base || "the base image" }, ...own] : own;
  const largest = Math.max(1, ...rows.map((row) => row.size));
  const old = new Map(before?.layers.map((layer) => [layer.made_by, layer.size]));
  const file = task && task.answer[0];
  return [
    make("h2", {}, name),
    make("p", { className: "summary" }, `${megabytes(now.stored)} stored, ${megabytes(now.stored - now.live)} of it not visible in a container.`,
      before ? ` ${change(now.stored - before.stored)} since the build before.` : ""),
    lines ? null : make("p", { className: "bad" }, "The Dockerfile has changed since this image was built. Build it again to see the line of each layer."),
    make("table", { className: "layers" },
      make("thead", {}, make("tr", {}, ...["line", "size", "made by"].map((text) => make("th", { scope: "col" }, text)))),
      make("tbody", {}, ...rows.map((row) => {
        const bar = make("div", { className: "layer" });
        bar.style.width = `${Math.max(1, (100 * row.size) / largest)}%`;
        const wasted = make("div", { className: "wasted", title: `${megabytes(row.wasted)} deleted or replaced by a later line` });
        wasted.style.width = `${row.size ? (100 * Math.min(row.wasted, row.size)) / row.size : 0}%`;
        bar.append(wasted);
        const line = lines?.[row.number];
        const link = line && file ? button(String(line), () => open(file, { line, focus: true }), { className: "link" }) : "";
        const delta = before && row.number !== undefined && old.get(row.made_by) !== row.size ? ` (${old.has(row.made_by) ? change(row.size - old.get(row.made_by)) : "new"})` : "";
        return make("tr", {}, make("td", {}, link), make("td", { className: "size" }, megabytes(row.size) + delta, bar), make("td", {}, make("code", {}, row.made_by)));
      }))),
  ].filter(Boolean);
}

const change = (bytes) => (bytes ? `${bytes > 0 ? "+" : "−"}${megabytes(Math.abs(bytes))}` : "no change");
