// An upstream that keeps every request it got, and can be stopped in the middle of one.
import http from 'node:http';

export class RecordingUpstream {
  port = 0;
  requests = [];
  /** Called when a request is whole; true: no answer is given. */
  received = () => false;
  /** Called when the answer has left this process. */
  answered = () => {};

  async listen() {
    this.#server = http.createServer((request, response) => this.#serve(request, response));
    this.#server.keepAliveTimeout = 60_000;
    // The same port again, after close().
    await new Promise((listening) => this.#server.listen(this.port, '127.0.0.1', listening));
    this.port = this.#server.address().port;
    return this;
  }

  /** Of one call: how often it was seen here. */
  seen(key) {
    return this.requests.filter((r) => r.headers['idempotency-key'] === key);
  }

  reset() {
    this.requests = [];
    this.received = () => false;
    this.answered = () => {};
    this.#server.closeAllConnections();
  }

  close() {
    this.#server.closeAllConnections();
    this.#server.close();
  }

  #server;

  async #serve(request, response) {
    const parts = [];
    // Who was killed in the middle of a request said nothing.
    const whole = await request.forEach((part) => parts.push(part)).then(() => true, () => false);
    if (!whole) return;
    const record = { method: request.method, url: request.url, headers: request.headers, body: Buffer.concat(parts).toString('utf8') };
    this.requests.push(record);
    if (this.received(record)) return;
    const text = JSON.stringify({ id: `re_${this.requests.length}`, of: record.headers['idempotency-key'] ?? null });
    response.writeHead(request.method === 'POST' ? 201 : 200, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) });
    response.end(text, () => this.answered(record));
  }
}
