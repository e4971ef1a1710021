// Talks to the desk's server. Every address is relative to the page, whose path is a secret.

export class Refused extends Error {
  constructor(answer, status) {
    super(answer.error ?? "The file has changed on the disk");
    this.conflict = answer.conflict;
    this.status = status;
  }
}

export async function call(method, path, data = {}, options = {}) {
  const reading = method === "GET";
  const query = reading ? `?${new URLSearchParams(data)}` : "";
  let response;
  try {
    response = await fetch(`api/${path}${query}`, {
      method,
      headers: reading ? {} : { "Content-Type": "application/json" },
      body: reading ? undefined : JSON.stringify(data),
      ...options,
    });
  } catch {
    throw new Refused({ error: "The desk's server does not answer" }, 0);
  }
  const isJson = response.headers.get("content-type")?.startsWith("application/json");
  const answer = isJson ? await response.json() : { error: "Open the address that workshop learn prints" };
  if (!response.ok) throw new Refused(answer, response.status);
  return answer;
}

// A WebSocket that reconnects until it is closed. `on` has: open, text, bytes, lost.
export class Socket {
  constructor(path, on) {
    this.url = new URL(path, location.href);
    this.url.protocol = "ws:";
    this.on = on;
    this.wait = 100;
    this.connect();
  }

  connect() {
    this.socket = new WebSocket(this.url);
    this.socket.binaryType = "arraybuffer";
    this.socket.onopen = () => {
      this.wait = 100;
      this.on.open?.();
    };
    this.socket.onmessage = ({ data }) =>
      typeof data === "string" ? this.on.text?.(JSON.parse(data)) : this.on.bytes?.(new Uint8Array(data));
    this.socket.onclose = () => {
      if (this.closed) return;
      this.on.lost?.();
      this.timer = setTimeout(() => this.connect(), this.wait);
      this.wait = Math.min(this.wait * 2, 3000);
    };
  }

  send(data) {
    if (this.socket.readyState !== WebSocket.OPEN) return false;
    this.socket.send(typeof data === "object" && !(data instanceof Uint8Array) ? JSON.stringify(data) : data);
    return true;
  }

  close() {
    this.closed = true;
    clearTimeout(this.timer);
    this.socket.close();
  }
}
