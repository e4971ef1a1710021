// The terminals: xterm.js in the page, shells on the server.

import { FitAddon } from "@xterm/addon-fit";
import { Terminal as Screen } from "@xterm/xterm";
import { find, make } from "./dom.js";
import { call, Socket } from "./server.js";

const LINES = 10_000;
const COMPARED_LINES = 500;
const PAUSE = 200; // milliseconds without output
// The colours of programs are xterm's own, which `minimumContrastRatio` makes readable on both.
const LIGHT = { background: "#fbfbfc", foreground: "#24292f", cursor: "#0a58ca", selectionBackground: "#b6d3ff" };
const DARK = { background: "#15181d", foreground: "#d5dae1", cursor: "#79b8ff", selectionBackground: "#2f4a6d" };
const encoder = new TextEncoder();

export class Terminal {
  // `on` has: ended, when the shell has ended; commandEnded.
  constructor(number, on) {
    this.number = number;
    this.on = on;
    this.busy = true;
    this.folder = "";
    this.waiting = [];
    this.watchers = new Set();
    // The learner's settings may take seconds.
    this.notice = make("p", { className: "waiting", role: "status" }, "Waiting for your shell, which reads ~/.bashrc");
    this.element = make("div", { className: "screen" }, this.notice);
    // No blinking cursor: its animation draws the page in every frame, and a key waits for one more.
    this.screen = new Screen({
      scrollback: LINES, fontSize: 13, lineHeight: 1.15, minimumContrastRatio: 4.5,
      fontFamily: 'ui-monospace, "Cascadia Mono", Menlo, "DejaVu Sans Mono", monospace',
    });
    this.fitting = new FitAddon();
    this.screen.loadAddon(this.fitting);
    this.readMarks();
    this.screen.onData((text) => this.replaying || this.send(text));
    this.screen.onBinary((text) => this.socket.send(Uint8Array.from(text, (c) => c.charCodeAt(0))));
    this.screen.onWriteParsed(() => this.settle());
    // F6 moves on to the next part of the page, as everywhere else in it.
    this.screen.attachCustomKeyEventHandler((event) => event.key !== "F6");
    this.socket = new Socket(`terminal/${number}`, {
      open: () => this.fit(),
      text: (order) => {
        if (order.ended) on.ended(this);
        if (order.start) this.restart();
        if (order.size) this.screen.resize(...order.size);
      },
      bytes: (data) => this.show(data),
    });
    this.opened = new Promise((resolve) => (this.start = resolve));
  }

  // Draws the screen into its element, once that is in the page.
  open() {
    if (!this.screen.element) {
      this.screen.open(this.element);
      this.screen.textarea.ariaLabel = `Terminal ${this.number}. F6 leaves it.`;
    }
    this.fit();
  }

  // The page that is used sets the size of the shell's window; the others show the same lines.
  fit() {
    if (!this.element.offsetParent || !document.hasFocus()) return;
    this.fitting.fit();
    this.socket.send({ size: [this.screen.cols, this.screen.rows] });
  }

  paint(dark, size) {
    this.screen.options.theme = dark ? DARK : LIGHT;
    this.screen.options.fontSize = size;
    this.fit();
  }

  // What is printed again must not be answered again: a program may have asked the terminal.
  restart() {
    this.screen.reset();
    this.replaying = true;
  }

  show(data) {
    this.screen.write(data, () => {
      this.replaying = false;
      this.socket.send({ drawn: true });
    });
  }

  send(text) {
    this.socket.send(encoder.encode(text));
  }

  // Marks of the shell: where a command's output begins, that it ended, and the current folder.
  readMarks() {
    const { parser } = this.screen;
    parser.registerOscHandler(133, (text) => {
      const [kind, code] = text.split(";");
      if (kind === "C") this.begin();
      else if (kind === "D") {
        this.busy = false;
        this.notice.remove();
        this.start();
        this.finish({ code: Number(code), lines: this.read(this.output) });
        if (!this.replaying) this.on.commandEnded();
      }
      return true;
    });
    parser.registerOscHandler(7, (text) => {
      this.folder = text.replace(/^file:\/\//, "");
      return true;
    });
  }

  begin() {
    this.busy = true;
    this.output = this.screen.registerMarker(0);
  }

  finish(result) {
    for (const { resolve } of this.waiting.splice(0)) resolve(result);
  }

  // Ends the wait for a program's prompt when the line of the cursor shows it.
  settle() {
    for (const watcher of this.watchers) watcher();
    const [{ prompt, resolve, after } = {}] = this.waiting;
    if (!prompt || !prompt.test(this.line(this.cursor))) return;
    this.waiting.shift();
    resolve({ prompted: true, lines: this.read(after, 1).slice(1) });
  }

  // Calls back with the lines of the running program after each pause. Returns a function to end it.
  watch(seen) {
    let timer;
    const watcher = () => {
      clearTimeout(timer);
      timer = setTimeout(() => this.watchers.has(watcher) && seen(this.read(this.output)), PAUSE);
    };
    this.watchers.add(watcher);
    return () => this.watchers.delete(watcher);
  }

  get cursor() {
    const { baseY, cursorY } = this.screen.buffer.active;
    return baseY + cursorY;
  }

  line(at) {
    return this.screen.buffer.active.getLine(at)?.translateToString(true) ?? "";
  }

  // Returns the lines from a marker to the cursor; a line that was wrapped is one line again.
  read(marker, less = 0) {
    const first = Math.max(marker?.isDisposed === false ? marker.line : 0, this.cursor - COMPARED_LINES);
    const lines = [];
    for (let at = first; at <= this.cursor - less; at++) {
      const line = this.screen.buffer.active.getLine(at);
      // Blanks at the end of a row are part of a line that goes on in the next row.
      const goesOn = this.screen.buffer.active.getLine(at + 1)?.isWrapped;
      const text = line?.translateToString(!goesOn) ?? "";
      if (line?.isWrapped && lines.length) lines.push(lines.pop() + text);
      else lines.push(text);
    }
    while (lines.length && !lines.at(-1)) lines.pop();
    return lines;
  }

  // Types a line. Resolves when the shell, or a program with the prompt `next`, waits for input.
  type(text, next) {
    // The shell says the same when it begins; bash before 4.4, as in macOS, does not.
    if (!this.busy) this.begin();
    const after = this.screen.registerMarker(0);
    const prompt = next ? new RegExp(next) : null;
    const done = new Promise((resolve) => this.waiting.push({ prompt, resolve, after }));
    this.screen.scrollToBottom();
    this.send(`${text.replaceAll("\n", "\r")}\r`);
    return done;
  }

  interrupt() {
    this.send("\x03");
  }

  close() {
    this.finish({ code: null, lines: [] });
    this.socket.close();
    this.screen.dispose();
    this.element.remove();
  }
}

// All terminals of the page, and their tabs.
export class Terminals {
  constructor(desk) {
    this.desk = desk;
    this.tools = desk.tools;
    this.open = new Map();
    addEventListener("focus", () => this.fit());
  }

  // Makes the page's terminals those of the server.
  sync(numbers) {
    for (const [number, terminal] of this.open) if (!numbers.includes(number)) this.remove(terminal);
    for (const number of numbers) if (!this.open.has(number)) this.add(number);
  }

  add(number) {
    const terminal = new Terminal(number, { ended: (ended) => this.end(ended), commandEnded: () => this.desk.commandEnded() });
    this.open.set(number, terminal);
    this.tools.add(`terminal-${number}`, `Terminal ${number}`, terminal.element, {
      before: "checks",
      shown: () => {
        terminal.open();
        this.paint();
        terminal.screen.focus();
      },
      close: () => call("DELETE", "terminals", { number }),
    });
    return terminal;
  }

  remove(terminal) {
    this.open.delete(terminal.number);
    this.tools.remove(`terminal-${terminal.number}`);
    terminal.close();
  }

  // The shell has ended: its tab goes, on the server too.
  end(terminal) {
    this.remove(terminal);
    call("DELETE", "terminals", { number: terminal.number });
  }

  // Opens a terminal in the exercise's `folder`, or where the lessons' commands run.
  async create(folder = "") {
    const number = await call("POST", "terminals", { folder });
    if (!this.open.has(number)) this.add(number);
    this.tools.show(`terminal-${number}`);
    return this.open.get(number);
  }

  // Returns a terminal at its shell's prompt: the one in front, another one, or a new one.
  async idle() {
    const shown = this.open.get(Number(this.tools.current?.replace("terminal-", "")));
    const free = [shown, ...this.open.values()].find((terminal) => terminal && !terminal.busy);
    const found = free ?? (await this.create());
    this.tools.show(`terminal-${found.number}`);
    await found.opened;
    return found;
  }

  paint() {
    const dark = matchMedia("(prefers-color-scheme: dark)").matches;
    const size = this.desk.present ? 20 : 13;
    for (const terminal of this.open.values()) terminal.paint(dark, size);
  }

  fit() {
    for (const terminal of this.open.values()) terminal.fit();
  }
}
