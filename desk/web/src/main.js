// The desk: puts the lesson, the editor, the terminals and the checks together.

import { Checks } from "./checks.js";
import { button, find, make, say } from "./dom.js";
import { Editor } from "./editor.js";
import { addDividers, addViews, watchKeys } from "./layout.js";
import { Lesson } from "./lesson.js";
import { showImage, showProgress, Tools } from "./panels.js";
import { call, Refused, Socket } from "./server.js";
import { Terminals } from "./terminal.js";

const MAX_TABS = 6;

class Desk {
  async start() {
    const { error, course, lesson, terminals, present } = JSON.parse(find("#start").textContent);
    if (error) throw new Error(error);
    this.course = course;
    this.present = present;
    this.hasTerminals = terminals !== null;
    document.documentElement.classList.toggle("present", present);
    this.tools = new Tools();
    this.editor = new Editor(this);
    this.terminals = new Terminals(this);
    this.checks = new Checks(this);
    this.lesson = new Lesson(this);
    this.showView = addViews(() => this.terminals.fit());
    addDividers(() => this.terminals.fit());
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.terminals.paint());
    watchKeys(this);
    this.addTools();
    this.fillCourse();
    this.openLesson(lesson.name, "", { replace: true, data: lesson });
    if (terminals?.length) {
      this.terminals.sync(terminals);
      this.tools.show(`terminal-${terminals[0]}`);
    }
    if (!this.hasTerminals) say("Windows has no terminal for this page. Use one beside it, or open the desk in WSL.");
    this.connect();
    addEventListener("popstate", () => this.openLesson(location.search.slice(1), "", { replace: true }));
  }

  addTools() {
    const { tools } = this;
    const another = find("#new-terminal");
    another.hidden = !this.hasTerminals;
    another.addEventListener("click", () => this.terminals.create(this.folder));
    tools.add("checks", "Checks", this.checks.panel);
    this.image = make("div", { className: "image" });
    tools.add("image", "Image", this.image, {
      shown: () => this.showImage(),
    });
    this.progress = make("div", { className: "progress" });
    tools.add("progress", "Progress", this.progress, { shown: () => this.reloadCourse() });
    tools.show("checks");
  }

  showImage() {
    return showImage(this.image, this.lesson.data, (...place) => this.editor.open(...place));
  }

  // A command may have built the image of the exercise. The engine may be slower than the commands.
  async commandEnded() {
    this.mayHaveBuilt = this.lesson.data.images?.length > 0;
    if (this.readsImage) return;
    this.readsImage = true;
    while (this.mayHaveBuilt) {
      this.mayHaveBuilt = false;
      await this.showImage();
    }
    this.readsImage = false;
  }

  fillCourse() {
    this.chooser = find("#lessons");
    this.chooser.replaceChildren(...this.course.lessons.map(({ name, title }) => make("option", { value: name }, title)));
    this.chooser.addEventListener("change", () => this.openLesson(this.chooser.value));
  }

  // `data` are what the server has said of the lesson, if the page has them already.
  async openLesson(name, anchor, { replace, data } = {}) {
    data ??= await call("GET", "lesson", { name });
    this.lesson.open(data, anchor);
    if (!this.course.lessons.some((lesson) => lesson.name === name)) return;
    history[replace ? "replaceState" : "pushState"](null, "", `?${name}`);
    this.chooser.value = name;
    document.title = `${data.title} · Workshop`;
    if (replace !== true || !this.checks.task) this.showView("lesson");
    await this.openFiles(data);
  }

  // Opens the files of a lesson: those of the answer first, then what the lesson writes.
  async openFiles(data) {
    this.editor.closeAll();
    this.checks.open(data.task);
    this.folder = data.folder;
    this.fillFiles(data.paths);
    const answer = data.task?.answer ?? [];
    const saved = data.blocks.map((block) => block.path).filter((path) => data.paths.includes(path));
    const opened = [...new Set([...answer, ...saved])].slice(0, MAX_TABS);
    await Promise.all(opened.map((path) => this.editor.load(path)));
    if (opened.length) this.editor.open(opened[0]);
    this.showProgress();
  }

  fillFiles(paths) {
    const chooser = find("#files");
    chooser.hidden = !paths.length;
    const name = (path) => path.slice(this.folder.length + 1);
    chooser.replaceChildren(make("option", { value: "" }, "Open a file"), ...paths.map((path) => make("option", { value: path }, name(path))));
    chooser.onchange = () => {
      if (chooser.value) this.editor.open(chooser.value, { focus: true });
      chooser.value = "";
    };
  }

  connect() {
    const lost = find("#lost");
    new Socket("events", {
      open: () => {
        if (!lost.hidden) {
          this.editor.flushAll();
          this.editor.changed([...this.editor.files.keys()]);
          this.reloadCourse();
        }
        lost.hidden = true;
      },
      lost: () => (lost.hidden = false),
      text: (event) => this.receive(event),
    });
  }

  async receive({ check, files, terminals, connected, engine }) {
    if (check) this.checks.receive(check);
    if (terminals) this.terminals.sync(terminals);
    if (connected && !terminals.length && this.hasTerminals) this.terminals.create();
    if (engine === false) say("No Docker engine answers. Lessons and static checks work; workshop doctor says what to do.", "bad");
    if (!files) return;
    if (files.includes("progress.toml")) this.reloadCourse();
    await this.editor.changed(files);
    const ours = files.filter((path) => path.startsWith(`${this.folder}/`));
    if (!ours.length) return;
    if (!ours.every((path) => this.editor.files.has(path))) {
      if (this.checks.task) this.checks.checkText();
      this.fillFiles(await call("GET", "files", { folder: this.folder }));
    }
  }

  async reloadCourse() {
    this.course = await call("GET", "course");
    this.showProgress();
  }

  showProgress() {
    showProgress(this.progress, this.course, this.lesson.data.name, (name) => this.openLesson(name));
  }

  // Returns a button to the lesson after this one, if there is one.
  nextButton(name) {
    const { lessons } = this.course;
    const next = lessons[lessons.findIndex((lesson) => lesson.name === name) + 1];
    if (!next || next === lessons[0]) return null;
    return button(`Next: ${next.title}`, () => this.openLesson(next.name), { className: "primary" });
  }

  celebrate({ score, task }) {
    find("#celebration")?.remove();
    const close = button("Close", () => card.remove());
    const next = this.nextButton(this.lesson.data.name);
    const card = make("div", { id: "celebration", role: "status" }, make("strong", {}, `${task} is complete.`), ` All ${score} points.`, next, close);
    next?.addEventListener("click", () => card.remove());
    find("main").before(card);
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
