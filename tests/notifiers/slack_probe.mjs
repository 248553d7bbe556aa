// Drives the program of probe/slack_probe.cpp: `await probe.ask({ do: 'deliver', notice: {} })`.
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';

export class SlackProbe {
  #child;
  #lines;
  errors = '';

  constructor(binary = process.env.SLACK_PROBE) {
    // A proxy that nobody answers at: what the environment says must not matter.
    this.#child = spawn(binary, [], { stdio: ['pipe', 'pipe', 'pipe'], env: { ...process.env, http_proxy: 'http://127.0.0.1:9', https_proxy: 'http://127.0.0.1:9' } });
    this.#child.stderr.on('data', (text) => (this.errors += text));
    this.#lines = createInterface({ input: this.#child.stdout })[Symbol.asyncIterator]();
  }

  async ask(order) {
    this.#child.stdin.write(`${JSON.stringify(order)}\n`);
    const { value, done } = await this.#lines.next();
    if (done) throw new Error(`the probe has ended: ${this.errors}`);
    return JSON.parse(value);
  }

  async end() {
    const closed = new Promise((resolve) => this.#child.on('close', resolve));
    this.#child.stdin.end();
    return closed;
  }
}
