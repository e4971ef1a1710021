// The editor: CodeMirror 6, one state for each open file, so that each keeps its undo history.

import { defaultKeymap, history, historyKeymap, indentWithTab, isolateHistory } from "@codemirror/commands";
import { python } from "@codemirror/lang-python";
import { yaml } from "@codemirror/lang-yaml";
import { bracketMatching, indentOnInput, StreamLanguage, syntaxHighlighting } from "@codemirror/language";
import { dockerFile } from "@codemirror/legacy-modes/mode/dockerfile";
import { shell } from "@codemirror/legacy-modes/mode/shell";
import { toml } from "@codemirror/legacy-modes/mode/toml";
import { lintGutter, lintKeymap, setDiagnostics } from "@codemirror/lint";
import { diff, unifiedMergeView } from "@codemirror/merge";
import { highlightSelectionMatches, search, searchKeymap } from "@codemirror/search";
import { Annotation, EditorState } from "@codemirror/state";
import { drawSelection, EditorView, highlightActiveLine, keymap, lineNumbers, placeholder } from "@codemirror/view";
import { classHighlighter } from "@lezer/highlight";
import { ask, button, find, findAll, make, say, tabKeys } from "./dom.js";
import { call } from "./server.js";

const PAUSE = 200; // milliseconds between the last key and the save
const RETRY = 2000;
const outside = Annotation.define();

const LANGUAGES = [
  [/(^|\/)Dockerfile[^/]*$|\.dockerfile$/i, () => StreamLanguage.define(dockerFile)],
  [/\.ya?ml$/, yaml],
  [/\.py$/, python],
  [/\.toml$/, () => StreamLanguage.define(toml)],
  [/\.(sh|bash|env)$|\.env(\.template)?$/, () => StreamLanguage.define(shell)],
];

function setup(path) {
  const language = LANGUAGES.find(([pattern]) => pattern.test(path))?.[1];
  return [language?.() ?? [], syntaxHighlighting(classHighlighter), lineNumbers(), EditorView.lineWrapping];
}

// Shows what turns one text into another, line by line.
export function compareTexts(before, after, path) {
  const place = make("div", { className: "difference" });
  new EditorView({
    parent: place,
    doc: after,
    extensions: [
      setup(path),
      EditorState.readOnly.of(true),
      EditorView.editable.of(false),
      EditorView.contentAttributes.of({ tabindex: "0", "aria-label": "Difference" }),
      unifiedMergeView({ original: before, mergeControls: false, collapseUnchanged: { margin: 3 } }),
    ],
  });
  return place;
}

export class Editor {
  constructor(desk) {
    this.desk = desk;
    this.files = new Map();
    this.marks = new Map();
    this.view = new EditorView({ parent: find("#text") });
    this.tabs = find("#file-tabs");
    tabKeys(this.tabs);
    addEventListener("pagehide", () => this.flushAll({ keepalive: true }));
  }

  // Opens a file in a tab; one that does not exist is created with its first letter.
  async open(path, { line, focus, reload } = {}) {
    if (reload && this.files.has(path)) await this.refresh(path);
    if (!(await this.load(path))) return;
    this.select(path);
    if (line) {
      const { doc } = this.view.state;
      const at = doc.line(Math.min(line, doc.lines));
      this.view.dispatch({ selection: { anchor: at.from }, effects: EditorView.scrollIntoView(at.from, { y: "center" }) });
    }
    if (focus) {
      find("#views [data-view=editor]").click();
      this.view.focus();
    }
  }

  // Reads a file into a tab; returns whether it is one to edit.
  async load(path) {
    const found = this.files.has(path) || (await this.read(path));
    if (found && !this.files.has(path)) this.files.set(path, this.create(path, found));
    return Boolean(found);
  }

  async read(path) {
    try {
      return await call("GET", "file", { path });
    } catch (error) {
      say(error.message, "bad");
      return null;
    }
  }

  create(path, { text, version }) {
    const file = { path, version, text };
    file.state = EditorState.create({
      doc: text,
      extensions: [
        setup(path), history(), drawSelection(), bracketMatching(), indentOnInput(), highlightActiveLine(),
        highlightSelectionMatches(), search({ top: true }), lintGutter(),
        EditorState.lineSeparator.of(text.includes("\r\n") ? "\r\n" : undefined),
        placeholder(version ? "" : "This file does not exist yet: type, or press Save in the lesson."),
        EditorView.contentAttributes.of({ "aria-label": path, tabindex: "0" }),
        EditorView.updateListener.of((update) => this.update(file, update)),
        keymap.of([
          { key: "Mod-s", preventDefault: true, run: () => (this.save(file), true) },
          ...lintKeymap, ...searchKeymap, ...historyKeymap, ...defaultKeymap, indentWithTab,
        ]),
      ],
    });
    return file;
  }

  select(path) {
    if (this.current) this.files.get(this.current).state = this.view.state;
    this.current = path;
    this.view.setState(this.files.get(path).state);
    this.showMarks();
    this.showTabs();
    this.showConflict();
    find("#text").hidden = false;
  }

  update(file, update) {
    file.state = update.state;
    if (!update.docChanged || update.transactions.some((one) => one.annotation(outside))) return;
    file.dirty = true;
    this.schedule(file, PAUSE);
    this.showTabs();
  }

  schedule(file, after) {
    clearTimeout(file.timer);
    file.timer = setTimeout(() => this.save(file), after);
  }

  // Saves a file, with the line breaks that it had. What is typed meanwhile is saved next; what cannot be saved stays here.
  async save(file, options) {
    if (!file.dirty || file.conflict) return;
    if (file.saving && !options?.keepalive) return file.saving.then(() => this.save(file, options));
    clearTimeout(file.timer);
    const text = file.state.sliceDoc();
    // `before`: when the page goes, a save of this text may be on its way.
    const request = { path: file.path, text, base: file.version, before: file.sent, task: this.desk.checks.taskOf(file.path) };
    const sent = call("PUT", "file", request, options);
    file.sent = text;
    file.saving = sent.then(() => {}, () => {});
    let verdict;
    try {
      ({ version: file.version, verdict } = await sent);
      file.text = text;
      file.dirty = file.state.sliceDoc() !== text;
      if (file.failed) say(`Saved ${file.path}`);
      file.failed = "";
    } catch (error) {
      if (error.conflict) this.conflict(file, error.conflict);
      else this.fail(file, error.message);
    } finally {
      file.saving = null;
    }
    this.showTabs();
    if (!file.dirty) this.desk.checks.saved(file.path, verdict);
    else if (!file.conflict && !file.failed) this.schedule(file, PAUSE);
  }

  fail(file, message) {
    if (file.failed !== message) say(`Not saved: ${message}`, "bad");
    file.failed = message;
    this.schedule(file, RETRY);
  }

  flushAll(options) {
    return Promise.all([...this.files.values()].map((file) => this.save(file, options)));
  }

  // Files have changed on the disk: shows their text, unless they were changed here too.
  async changed(paths) {
    for (const path of paths) {
      if (this.files.has(path)) await this.refresh(path);
    }
  }

  async refresh(path) {
    const file = this.files.get(path);
    let found, version;
    // An answer from before the last save is not what is on the disk now.
    do {
      await file.saving;
      version = file.version;
      found = await this.read(path);
    } while (found && (file.saving || file.version !== version));
    if (!found || found.version === version) return;
    if (found.text === file.state.sliceDoc()) Object.assign(file, { ...found, dirty: false, conflict: null });
    else if (file.dirty) return this.conflict(file, found);
    else this.replace(file, found);
    this.showTabs();
    this.desk.checks.saved(path);
  }

  // Replaces only what differs, so that the cursor and the undo history stay.
  replace(file, { text, version }) {
    Object.assign(file, { text, version, dirty: false, conflict: null });
    const [before, after] = [file.state.doc.toString(), text.replaceAll("\r\n", "\n")];
    const change = {
      changes: diff(before, after, { timeout: 100 }).map(({ fromA, toA, fromB, toB }) => ({ from: fromA, to: toA, insert: file.state.toText(after.slice(fromB, toB)) })),
      annotations: [outside.of(true), isolateHistory.of("full")],
    };
    if (file.path === this.current) this.view.dispatch(change);
    else file.state = file.state.update(change).state;
    this.showConflict();
  }

  conflict(file, found) {
    file.conflict = found;
    this.showConflict();
  }

  showConflict() {
    const file = this.files.get(this.current);
    const bar = find("#conflict");
    bar.hidden = !file?.conflict;
    if (!file?.conflict) return;
    const decide = (keep) => {
      const found = file.conflict;
      if (keep) {
        Object.assign(file, { version: found.version, conflict: null, dirty: true });
        this.save(file);
      } else this.replace(file, found);
      this.showConflict();
      this.showTabs();
    };
    bar.replaceChildren(
      make("span", {}, `${file.path.split("/").at(-1)} was also changed outside this page.`),
      button("Compare", () => ask("On the disk, and here", compareTexts(file.conflict.text, file.state.sliceDoc(), file.path), [["", "Close"]])),
      button("Keep mine", () => decide(true)),
      button("Take theirs", () => decide(false)),
    );
  }

  showTabs() {
    const focused = this.tabs.contains(document.activeElement);
    const tabs = [...this.files.values()].map((file) => {
      const mark = file.conflict || file.failed ? "!" : file.dirty ? "•" : "";
      const name = file.path.split("/").slice(1).join("/");
      const chosen = file.path === this.current;
      const label = mark ? [make("span", { className: "mark", "aria-label": "not saved" }, mark)] : [];
      return make(
        "button",
        {
          type: "button", role: "tab", title: file.path, "aria-selected": String(chosen), tabIndex: chosen ? 0 : -1,
          "aria-controls": "text", onclick: () => this.select(file.path),
        },
        name, ...label,
      );
    });
    this.tabs.replaceChildren(...tabs);
    if (focused) find("[aria-selected=true]", this.tabs)?.focus();
  }

  closeAll() {
    this.flushAll();
    for (const [path, file] of this.files) if (!file.dirty && !file.saving) this.files.delete(path);
    if (!this.files.has(this.current)) {
      this.current = null;
      this.view.setState(EditorState.create());
      find("#text").hidden = true;
    }
    this.showTabs();
  }

  // Marks lines: `marks` maps a path to failures, each with `line`, `severity` and texts.
  setMarks(marks) {
    this.marks = marks;
    this.showMarks();
  }

  showMarks() {
    if (!this.current) return;
    const { doc } = this.view.state;
    const found = (this.marks.get(this.current) ?? []).map(({ line, severity, title, texts }) => {
      const at = doc.line(Math.max(1, Math.min(line, doc.lines)));
      const renderMessage = () =>
        make("div", {}, make("strong", {}, title), ...texts.map((text) => make("p", {}, text)));
      return { from: at.from, to: at.to, severity, message: title, renderMessage };
    });
    this.view.dispatch(setDiagnostics(this.view.state, found));
  }
}
