// The checks of a task: a live list, from the text at each save, and from a build when asked.

import { button, find, findAll, make } from "./dom.js";
import { call } from "./server.js";

const QUIET = 1500; // milliseconds without a save before a full check starts by itself
const WORDS = { passed: "passed", failed: "failed", skipped: "not checked", error: "error", waiting: "waiting", running: "running" };
const SIGNS = { passed: "✓", failed: "✗", skipped: "–", error: "!", waiting: "·", running: "…" };

export class Checks {
  constructor(desk) {
    this.desk = desk;
    this.panel = make("div", { className: "checks" });
    this.seen = 0;
    this.button = find("#check");
    this.button.addEventListener("click", () => (this.running ? this.stop() : this.startAndShow()));
    this.auto = find("#auto");
  }

  // Shows a task's requirements; null for a lesson without a task.
  open(task) {
    this.task = task;
    this.results = new Map((task?.checks ?? []).map((check) => [check.id, { ...check, outcome: "waiting" }]));
    this.changes = task?.changes ?? {};
    this.verdict = null;
    for (const control of [this.button, this.auto]) control.disabled = !task;
    this.show();
    if (task) this.checkText();
  }

  // Returns the task that a file belongs to.
  taskOf(path) {
    return path.split("/")[0] === this.task?.folder ? this.task.name : "";
  }

  // A file was saved, with this verdict on the text, or has changed on the disk.
  saved(path, verdict) {
    if (!this.taskOf(path)) return;
    if (verdict?.task === this.task.name && !this.running) {
      this.seen++;
      this.take(verdict);
    } else this.checkText();
    if (this.auto.checked) {
      clearTimeout(this.timer);
      this.timer = setTimeout(() => (this.running ? this.saved(path) : this.start()), QUIET);
    }
  }

  // Checks the text of the answer. Only the last of several answers counts.
  async checkText() {
    const { task } = this;
    const number = ++this.seen;
    const verdict = await call("POST", "static", { task: task.name });
    if (number !== this.seen || task !== this.task || this.running) return;
    if (verdict.problem) this.explain(verdict.problem);
    else this.take(verdict);
  }

  take(verdict) {
    this.verdict = verdict;
    this.problem = "";
    for (const check of verdict.checks) this.results.set(check.id, check);
    this.show();
    this.markLines();
  }

  explain(message) {
    this.problem = message;
    this.show();
  }

  async start() {
    await this.desk.editor.flushAll();
    await call("POST", "check", { task: this.task.name });
  }

  // A check that starts at a save leaves the learner where they type.
  async startAndShow() {
    await this.start();
    this.desk.tools.show("checks");
    this.desk.showView("tools");
  }

  stop() {
    call("DELETE", "check");
  }

  // An event of a full check, which another page may have started.
  receive({ task, state, line, result, verdict, changes, error }) {
    if (task !== this.task?.name) return;
    if (state === "started") {
      this.running = true;
      this.step = "Starting";
      this.seen++;
      for (const check of this.results.values()) check.outcome = "running";
    } else if (line !== undefined) this.step = line;
    else if (result) this.results.set(result.id, result);
    else if (verdict) this.finish(verdict, changes);
    else if (state === "ended") {
      this.running = false;
      if (!this.ended) this.explain(error || "The check was stopped.");
      if (!this.ended) this.checkText();
      this.ended = false;
    }
    if (line === undefined) this.show();
    else this.showStep();
  }

  finish(verdict, changes) {
    this.ended = true;
    this.changes = this.task.changes = changes;
    this.take(verdict);
    if (verdict.outcome === "passed") this.desk.celebrate(verdict);
    this.desk.reloadCourse();
  }

  markLines() {
    const marks = new Map();
    const { folder } = this.task;
    const add = (file, mark) => {
      const path = `${folder}/${file}`;
      marks.set(path, [...(marks.get(path) ?? []), mark]);
    };
    for (const check of this.verdict.checks) {
      if (check.outcome !== "failed" || !check.file || !check.line) continue;
      const texts = [check.actual, `Expected: ${check.expected}`, check.why, this.desk.present ? "" : check.hint];
      add(check.file, { line: check.line, severity: "error", title: check.title, texts: texts.filter(Boolean) });
    }
    const main = this.task.answer[0].slice(folder.length + 1);
    for (const { line, code, text } of this.verdict.lint)
      add(main, { line, severity: "warning", title: text, texts: [`hadolint ${code}; it costs no points`] });
    this.desk.editor.setMarks(marks);
  }

  get summary() {
    const all = [...this.results.values()];
    const failed = all.filter((check) => check.outcome === "failed").length;
    if (this.running) return "Checking";
    if (this.verdict && !this.verdict.static && !this.verdict.note) {
      return this.verdict.outcome === "ungradable" ? "Not graded" : `${this.verdict.score} of ${this.verdict.max_score} points`;
    }
    return failed ? `${failed} failed in the text` : this.verdict ? "No problem in the text" : "Not checked";
  }

  show() {
    this.button.textContent = this.running ? "Stop" : "Check";
    const kind = this.running ? "running" : [...this.results.values()].some((c) => c.outcome === "failed") ? "failed" : "";
    const status = find("#status");
    status.className = this.verdict?.outcome === "passed" && !this.verdict.static && !kind ? "passed" : kind;
    status.textContent = this.task ? this.summary : "";
    this.desk.tools.mark("checks", this.task ? [...this.results.values()].filter((c) => c.outcome === "failed").length : 0);
    if (!this.task) return this.panel.replaceChildren(make("p", { className: "quiet" }, "This lesson has no exercise."));
    const open = new Set(findAll("details[open]", this.panel).map((details) => details.dataset.id));
    this.panel.replaceChildren(
      make("h2", {}, this.task.title),
      make("p", { className: "summary" }, this.summary, this.running ? ":" : ".", " ", make("span", { className: "step" }, this.running ? this.step : this.verdict?.note ?? "")),
      ...(this.problem && !this.running ? [make("p", { className: "bad" }, this.problem)] : []),
      make("ul", {}, ...[...this.results.values()].map((check) => make("li", { className: check.outcome }, this.describe(check, open)))),
    );
  }

  showStep() {
    const place = find(".step", this.panel);
    if (place) place.textContent = this.step;
  }

  describe(check, open) {
    const sign = make("span", { className: "sign", "aria-label": WORDS[check.outcome] }, SIGNS[check.outcome]);
    const points = make("span", { className: "points" }, check.outcome === "passed" ? `${check.points}/${check.max_points}` : `${check.max_points}`);
    const title = make("span", {}, check.title);
    const row = [sign, title, this.change(check), points];
    if (check.outcome !== "failed" && check.outcome !== "error") return make("div", { className: "row" }, ...row);
    const first = [...this.results.values()].find((one) => one.outcome === "failed");
    const details = make(
      "details",
      { open: open.has(check.id) || (check === first && this.ended && !open.size), data: { id: check.id } },
      make("summary", { className: "row" }, ...row),
      make("dl", {}, ...this.fields(check).flatMap(([name, value]) => [make("dt", {}, name), make("dd", {}, value)])),
    );
    return details;
  }

  fields(check) {
    const place = check.line ? `${check.file}, line ${check.line}` : check.file;
    const path = `${this.task.folder}/${check.file}`;
    const where = place && button(place, () => this.desk.editor.open(path, { line: check.line ?? 1, focus: true }), { className: "link" });
    return [
      ["actual", check.actual], ["expected", check.expected], ["where", where], [check.cause ? "cause" : "why", check.why],
      ["fix", this.desk.present ? "" : check.hint],
    ].filter(([, value]) => value);
  }

  // What the last full check found otherwise than the one before it.
  change(check) {
    const word = this.changes[check.id];
    if (!word || this.running || (word === "new") !== (check.outcome === "failed")) return null;
    return make("span", { className: `tag ${word === "new" ? "bad" : "good"}`, title: "since the full check before" }, word);
  }
}
