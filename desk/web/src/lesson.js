// The lesson: a page of the course's site, whose blocks can run commands and write files.

import { compareTexts } from "./editor.js";
import { ask, button, find, findAll, make, say } from "./dom.js";
import { drawDiagrams } from "./diagrams.js";
import { call } from "./server.js";

const policy = globalThis.trustedTypes?.createPolicy("lesson", { createHTML: (text) => text });
const anchorId = (name) => `lesson-${name}`;

// Returns the article of a page. Scripts in it would not run; its ids differ from those of the desk.
function readArticle(text) {
  const page = new DOMParser().parseFromString(policy ? policy.createHTML(text) : text, "text/html");
  const article = document.importNode(page.querySelector("article") ?? page.body, true);
  for (const element of findAll("[id]", article)) element.id = anchorId(element.id);
  for (const label of findAll("label", article)) label.htmlFor = anchorId(label.htmlFor);
  return article;
}

export class Lesson {
  constructor(desk) {
    this.desk = desk;
    this.pane = find("#lesson");
    this.pane.addEventListener("click", (event) => this.follow(event));
  }

  // Shows a page of the site; a lesson also has blocks that do something.
  open(data, anchor = "") {
    const { name } = data;
    const article = readArticle(data.html);
    this.data = data;
    this.place = new URL(`site/${name === "index" ? "" : `${name}/`}`, location.href);
    this.resolveAddresses(article);
    this.addControls(article, data);
    this.nameFiles(article, data);
    this.steps = null;
    if (this.desk.present) this.prepareSteps(article);
    this.pane.replaceChildren(article, make("p", { className: "next" }, this.desk.nextButton(name)));
    drawDiagrams(article).catch(() => {});
    this.pane.scrollTop = 0;
    if (anchor) document.getElementById(anchorId(anchor))?.scrollIntoView();
  }

  resolveAddresses(article) {
    for (const image of findAll("img", article)) image.src = new URL(image.getAttribute("src"), this.place);
    for (const link of findAll("a[href]", article)) {
      const address = new URL(link.getAttribute("href"), this.place);
      link.href = address;
      if (address.origin !== location.origin) Object.assign(link, { target: "_blank", rel: "noreferrer" });
    }
    for (const link of findAll(".headerlink", article)) link.remove();
  }

  // Links to other pages of the course stay inside the desk.
  follow(event) {
    const link = event.target.closest("a[href]");
    if (!link || link.origin !== location.origin) return;
    event.preventDefault();
    const root = new URL("site/", location.href).pathname;
    const name = link.pathname.slice(root.length).replace(/\/(index\.html)?$/, "") || "index";
    const anchor = decodeURIComponent(link.hash.slice(1));
    if (this.data.name === name) document.getElementById(anchorId(anchor))?.scrollIntoView();
    else this.desk.openLesson(name, anchor);
  }

  // Pairs the page's blocks with the server's, which come in the same order.
  addControls(article, data) {
    const blocks = findAll("div.highlight, pre.diagram", article);
    const known = blocks.length === data.blocks.length;
    blocks.forEach((block, number) => {
      // A diagram has nothing to run or to type.
      if (block.matches(".diagram")) return;
      const does = known ? data.blocks[number] : { kind: "" };
      const code = find("code", block);
      // A wide block scrolls: the keyboard reaches it too.
      code?.parentElement.setAttribute("tabindex", "0");
      const bar = make("div", { className: "bar" });
      if (does.kind === "run" && this.desk.hasTerminals) bar.append(this.runButton(does, number, block));
      if (does.kind === "save") bar.append(this.saveButton(does, number));
      bar.append(button("Copy", (event) => copy(code, event.target), { title: "Copy this block" }));
      const title = find(".filename", block);
      title?.remove();
      if (title) bar.prepend(does.path ? this.fileLink(title.textContent, does.path) : title);
      block.prepend(bar);
    });
  }

  fileLink(text, path, line) {
    return button(text, () => this.desk.editor.open(path, { line, focus: true }), { className: "link" });
  }

  // File names in the text open the file; `name:12` also goes to that line.
  nameFiles(article, data) {
    const answers = data.task?.answer ?? [];
    const saved = data.blocks.map((block) => block.path).filter(Boolean);
    const paths = new Map([...saved, ...answers].map((path) => [path.split("/").at(-1), path]));
    for (const code of findAll(":is(p, li, dd, td) > code", article)) {
      const [, name, line] = code.textContent.match(/^(?:exercises\/)?(?:[\w-]+\/)*([\w.-]+?)(?::(\d+))?$/) ?? [];
      if (paths.has(name)) code.replaceChildren(this.fileLink(code.textContent, paths.get(name), Number(line) || undefined));
    }
  }

  runButton(block, number, element) {
    const run = button("Run", () => (this.running === run ? this.running.terminal.interrupt() : start()), {
      className: "run",
    });
    const start = async () => {
      findAll(".result", element).forEach((old) => old.remove());
      const place = make("div", { className: "result", role: "status" });
      element.append(place);
      run.disabled = true;
      run.textContent = "Starting";
      try {
        const terminal = await this.desk.terminals.idle();
        this.desk.showView("tools");
        run.disabled = false;
        run.textContent = "Stop";
        run.terminal = terminal;
        this.running = run;
        await this.runSteps(terminal, block, number, place);
      } finally {
        run.disabled = false;
        run.textContent = "Run";
        if (this.running === run) this.running = null;
      }
    };
    return run;
  }

  // Types each line of a block when the program before it waits for input.
  async runSteps(terminal, { steps, folder, cd, keeps_running }, number, place) {
    if (terminal.folder !== folder) await terminal.type(cd);
    for (const [at, step] of steps.entries()) {
      const next = steps[at + 1];
      const typed = terminal.type(step.text, next?.prompt);
      if (keeps_running && !next && step.compares) this.watch(terminal, number, at, place, typed);
      const result = await typed;
      const stopped = result.code === null || result.code === 130;
      if (step.compares && !stopped && !find(".good", place)) await this.compare(number, at, result.lines, place);
      if (stopped || (next?.prompt && !result.prompted)) return;
      // A command that fails ends the block, as a reader would: the next ones need its result.
      if (next && result.code > 0) {
        place.append(make("p", { className: "bad" }, `Stopped: the command ended with exit code ${result.code}.`));
        return;
      }
    }
  }

  // Says when a program that keeps running has printed what the lesson shows.
  watch(terminal, block, step, place, typed) {
    const stop = terminal.watch(async (lines) => {
      const { matched } = await call("POST", "compare", { lesson: this.data.name, block, step, lines });
      if (!matched || find(".good", place)) return;
      stop();
      place.append(make("p", { className: "good" }, `As in the lesson. It keeps running in terminal ${terminal.number}.`));
    });
    typed.then(stop);
  }

  async compare(block, step, lines, place) {
    const { matched, expected } = await call("POST", "compare", { lesson: this.data.name, block, step, lines });
    if (matched) {
      if (!find(".bad, .columns", place)) place.replaceChildren(make("p", { className: "good" }, "As in the lesson."));
      return;
    }
    const last = lines.slice(-Math.max(expected.length, 6));
    place.append(
      make("p", { className: "differs" }, "The output differs from the lesson:"),
      make(
        "div",
        { className: "columns" },
        make("figure", {}, make("figcaption", {}, "In the lesson"), make("pre", { tabIndex: 0 }, expected.join("\n"))),
        make("figure", {}, make("figcaption", {}, "Here, the last lines"), make("pre", { tabIndex: 0 }, last.join("\n"))),
      ),
    );
  }

  saveButton({ path }, number) {
    return button("Save", () => this.save(path, number), { className: "run", title: `Write this to exercises/${path}` });
  }

  // Writes a file block; asks first, with the difference, if that would replace something.
  async save(path, number) {
    const { editor } = this.desk;
    await editor.flushAll();
    const { before, after } = await call("POST", "block", { lesson: this.data.name, block: number, path });
    if (before.text !== after && before.text.trim()) {
      const choice = await ask(
        `Replace ${path.split("/").at(-1)}?`,
        compareTexts(before.text, after, path),
        [["yes", "Replace it"], ["", "Keep my file"]],
      );
      if (choice !== "yes") return;
    }
    await call("PUT", "file", { path, text: after, base: before.version });
    await editor.open(path, { reload: true });
    say(`Saved exercises/${path}`);
  }

  // For an instructor's screen: no answers, and one step after the other.
  prepareSteps(article) {
    for (const details of findAll("details", article)) details.remove();
    this.steps = [];
    for (const element of article.children) {
      const begins = /^H[1-6]$/.test(element.tagName) || element.matches(".highlight, .admonition");
      const after = this.steps.at(-1)?.at(-1);
      // A heading and what follows it are one step.
      if (!this.steps.length || (begins && !/^H[1-6]$/.test(after?.tagName))) this.steps.push([]);
      this.steps.at(-1).push(element);
    }
    this.step = 0;
    this.showSteps();
  }

  showSteps() {
    this.steps.forEach((elements, at) =>
      elements.forEach((element) => element.classList.toggle("later", at > this.step)),
    );
  }

  go(by) {
    if (!this.steps) return;
    this.step = Math.max(0, Math.min(this.steps.length - 1, this.step + by));
    this.showSteps();
    this.steps[this.step][0].scrollIntoView();
  }
}

// Copies what a reader types: without prompts and output.
async function copy(code, label) {
  const skipped = new Set(["gp", "go"]);
  const typed = [...code.childNodes].filter((node) => !skipped.has(node.className)).map((node) => node.textContent);
  const text = code.querySelector(".gp") ? typed.join("").split("\n").filter((line) => line.trim()).join("\n") : code.textContent;
  await navigator.clipboard.writeText(text);
  label.textContent = "Copied";
  setTimeout(() => (label.textContent = "Copy"), 1500);
}
