// The desk: puts the lesson, the editor, the terminals and the checks together.

import { Checks } from "./checks.js";
import { button, find, make, say } from "./dom.js";
import { Editor } from "./editor.js";
import { addDividers, addViews, chooseTheme, watchKeys } from "./layout.js";
import { Lesson } from "./lesson.js";
import { showImage, showProgress, Tools } from "./panels.js";
import { call, Refused, Socket } from "./server.js";
import { Terminals } from "./terminal.js";

const MAX_TABS = 6;

class Desk {
  async start() {
    this.course = await call("GET", "course");
    document.documentElement.classList.toggle("present", this.course.present);
    this.tools = new Tools();
    this.editor = new Editor((path) => this.checks.saved(path));
    this.terminals = new Terminals(this.tools, (name) => this.tools.show(name));
    this.checks = new Checks(this);
    this.lesson = new Lesson(this);
    this.showView = addViews(() => this.terminals.fit());
    addDividers(() => this.terminals.fit());
    chooseTheme(() => this.terminals.paint());
    watchKeys(this);
    this.addTools();
    this.fillCourse();
    this.connect();
    addEventListener("popstate", () => this.openLesson(this.address, "", { replace: true }));
    await this.openLesson(this.address || this.firstLesson, "", { replace: true });
    await this.openTerminals();
    this.askEngine();
  }

  get address() {
    const name = decodeURIComponent(location.hash.slice(1));
    return this.course.lessons.some((lesson) => lesson.name === name) ? name : "";
  }

  // Where the learner was: the lesson of the last task, or the first lesson.
  get firstLesson() {
    const { lessons, last } = this.course;
    return (lessons.find((lesson) => lesson.tasks.includes(last)) ?? lessons[1]).name;
  }

  addTools() {
    const { tools } = this;
    const another = find("#new-terminal");
    another.hidden = !this.course.terminal;
    another.addEventListener("click", () => this.terminals.create());
    tools.add("checks", "Checks", this.checks.panel);
    this.image = make("div", { className: "image" });
    tools.add("image", "Image", this.image, {
      shown: () => showImage(this.image, this.lesson.data, this.checks.task, (...place) => this.editor.open(...place)),
    });
    this.progress = make("div", { className: "progress" });
    tools.add("progress", "Progress", this.progress, { shown: () => this.reloadCourse() });
    tools.show("checks");
  }

  fillCourse() {
    this.chooser = find("#lessons");
    this.chooser.replaceChildren(...this.course.lessons.map(({ name, title }) => make("option", { value: name }, title)));
    this.chooser.addEventListener("change", () => this.openLesson(this.chooser.value));
  }

  async openLesson(name, anchor, { replace } = {}) {
    const data = await this.lesson.open(name, anchor);
    if (!data) return;
    const isLesson = this.course.lessons.some((lesson) => lesson.name === name);
    history[replace ? "replaceState" : "pushState"](null, "", isLesson ? `#${name}` : location.hash);
    if (!isLesson) return;
    this.chooser.value = name;
    document.title = `${data.title} · Workshop`;
    if (replace !== true || !this.checks.task) this.showView("lesson");
    await this.openTask(data, data.tasks[0] ?? null);
  }

  // Opens a task's files: those of the answer first, then what the lesson writes.
  async openTask(data, task) {
    this.editor.closeAll();
    this.checks.open(task);
    this.fillTasks(data, task);
    await this.fillFiles(data.folder);
    const saved = data.blocks.map((block) => block.path).filter(Boolean);
    const paths = [...new Set([...(task?.answer ?? []), ...saved])].slice(0, MAX_TABS);
    for (const path of paths.reverse()) {
      if (task?.answer.includes(path) || this.paths.includes(path)) await this.editor.open(path);
    }
    this.reloadCourse();
  }

  // A lesson may have several tasks.
  fillTasks(data, current) {
    const chooser = find("#tasks");
    chooser.hidden = data.tasks.length < 2;
    chooser.replaceChildren(...data.tasks.map(({ name }) => make("option", { value: name, selected: name === current?.name }, name)));
    chooser.onchange = () => this.openTask(data, data.tasks.find((task) => task.name === chooser.value));
  }

  async fillFiles(folder) {
    const chooser = find("#files");
    this.folder = folder;
    this.paths = folder ? await call("GET", "files", { folder }) : [];
    const name = (path) => path.slice(folder.length + 1);
    chooser.replaceChildren(make("option", { value: "" }, "Open a file"), ...this.paths.map((path) => make("option", { value: path }, name(path))));
    chooser.onchange = () => {
      if (chooser.value) this.editor.open(chooser.value, { focus: true });
      chooser.value = "";
    };
  }

  // Opens the server's terminals, or the first one.
  async openTerminals() {
    if (!this.course.terminal) return say("Windows has no terminal for this page. Use one beside it, or open the desk in WSL.");
    const numbers = await call("GET", "terminals");
    this.terminals.sync(numbers);
    if (numbers.length) this.tools.show(`terminal-${numbers[0]}`);
    else await this.terminals.create();
  }

  async askEngine() {
    const { answers } = await call("GET", "engine");
    if (!answers) say("No Docker engine answers. Lessons and static checks work; workshop doctor says what to do.", "bad");
  }

  connect() {
    const lost = find("#lost");
    new Socket("events", {
      open: async () => {
        if (!lost.hidden) {
          this.editor.flushAll();
          this.editor.changed([...this.editor.files.keys()]);
          this.terminals.sync(await call("GET", "terminals"));
          if (!this.terminals.open.size && this.course.terminal) this.terminals.create();
        }
        lost.hidden = true;
      },
      lost: () => (lost.hidden = false),
      text: (event) => this.receive(event),
    });
  }

  async receive({ check, files, terminals }) {
    if (check) this.checks.receive(check);
    if (terminals) this.terminals.sync(terminals);
    if (!files) return;
    if (files.includes("progress.toml")) this.reloadCourse();
    await this.editor.changed(files);
    const ours = files.filter((path) => path.startsWith(`${this.folder}/`));
    if (!ours.length) return;
    if (!ours.every((path) => this.editor.files.has(path))) {
      if (this.checks.task) this.checks.checkText();
      this.fillFiles(this.folder);
    }
  }

  async reloadCourse() {
    this.course = { ...this.course, ...(await call("GET", "course")) };
    showProgress(this.progress, this.course, this.lesson.data.name, (name) => this.openLesson(name));
  }

  celebrate({ score, task }) {
    const { lessons } = this.course;
    const next = lessons[lessons.findIndex((lesson) => lesson.name === this.lesson.data.name) + 1];
    const sparks = Array.from({ length: 14 }, () => make("i", { "aria-hidden": "true" }));
    const card = make(
      "div",
      { id: "celebration", role: "status" },
      ...sparks,
      make("strong", {}, `${task} is complete`),
      make("span", {}, `All ${score} points.`),
      ...(next ? [button(`Next: ${next.title}`, () => (card.remove(), this.openLesson(next.name)), { className: "primary" })] : []),
      button("Close", () => card.remove()),
    );
    find("#celebration")?.remove();
    document.body.append(card);
  }
}

// What the server refuses, and nobody handles, is said. That it does not answer is said above.
addEventListener("unhandledrejection", (event) => {
  if (!(event.reason instanceof Refused)) return;
  event.preventDefault();
  if (event.reason.status) say(event.reason.message, "bad");
});

const desk = new Desk();
desk.start().catch((error) => {
  find("#lesson").replaceChildren(make("p", { className: "bad" }, `The desk cannot start: ${error.message}. Load this page again.`));
});
