// What the description of the people's API is judged with: Redocly's linter, and Prism as a proxy in front of the live API
// that compares every answer with it.
import { spawn } from 'node:child_process';
import { EventEmitter, once } from 'node:events';
import fs from 'node:fs';
import http from 'node:http';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { freePort, until } from '../system/gateway.mjs';

const tool = (name) => fileURLToPath(new URL(`node_modules/.bin/${name}`, import.meta.url));
// Neither asks for updates nor tells of its use.
const QUIET = { ...process.env, REDOCLY_TELEMETRY: 'off', REDOCLY_SUPPRESS_UPDATE_NOTICE: 'true', CI: 'true' };

/** What the linter says of it, as its JSON. */
export function lint(file) {
  return new Promise((done, failed) => {
    const child = spawn(process.execPath, [tool('redocly'), 'lint', file, '--format=json'], { env: QUIET, cwd: path.dirname(file), stdio: ['ignore', 'pipe', 'pipe'] });
    let out = '', complaints = '';
    child.stdout.on('data', (d) => (out += d));
    child.stderr.on('data', (d) => (complaints += d));
    child.on('error', failed);
    child.on('close', () => {
      try {
        done(JSON.parse(out).problems);
      } catch {
        failed(new Error(`redocly gave no answer: ${out}${complaints}`));
      }
    });
  });
}

/** Between Prism, which asks for the address that it was given, and an API that answers to its own name alone. */
class Hop {
  heads = new EventEmitter(); // by path: the API has begun to answer

  async listen(to) {
    this.host = to.host;
    this.server = http.createServer((asked, answer) => {
      const on = http.request({ host: '127.0.0.1', port: to.port, method: asked.method, path: asked.url, headers: { ...asked.headers, host: this.host }, agent: false }, (got) => {
        answer.writeHead(got.statusCode, got.headers);
        this.heads.emit(new URL(asked.url, 'http://x').pathname);
        got.pipe(answer);
      });
      on.on('error', () => answer.destroy());
      asked.pipe(on);
    });
    await new Promise((listening) => this.server.listen(0, '127.0.0.1', listening));
    return this.server.address().port;
  }
}

export class Prism {
  /** `seen`: for each operation of the description, the statuses that were answered. */
  seen = new Map();
  #hop = new Hop();

  static async start(file, publicUrl) {
    const one = new Prism();
    const to = new URL(publicUrl);
    one.paths = Object.keys(JSON.parse(fs.readFileSync(file, 'utf8')).paths);
    const hop = await one.#hop.listen(to);
    one.port = await freePort();
    const args = [tool('prism'), 'proxy', file, `http://127.0.0.1:${hop}/api/v1`, '--port', one.port, '--cors', 'false', '--verboseLevel', 'info'];
    one.child = spawn(process.execPath, args, { env: QUIET, stdio: ['ignore', 'pipe', 'pipe'] });
    one.said = '';
    for (const stream of [one.child.stdout, one.child.stderr]) stream.on('data', (d) => (one.said += d));
    await until('Prism listens', () => {
      if (one.child.exitCode !== null) throw new Error(`Prism ended: ${one.said}`);
      return one.said.includes('Prism is listening');
    });
    one.host = to.host;
    one.publicUrl = publicUrl;
    return one;
  }

  /**
   * Asks through Prism. Fails when Prism finds that the answer is not as described; what it finds wrong with the request is
   * what a test of refusals wants.
   */
  ask(method, target, { body, type = 'application/json', cookie, origin = this.publicUrl, host = this.host } = {}) {
    this.#hop.host = host;
    const headers = { ...(origin && method !== 'GET' ? { origin } : {}), ...(cookie ? { cookie } : {}) };
    const text = body === undefined || typeof body === 'string' ? body : JSON.stringify(body);
    if (text !== undefined) Object.assign(headers, { 'content-type': type, 'content-length': Buffer.byteLength(text) });
    return new Promise((done, failed) => {
      const request = http.request({ host: '127.0.0.1', port: this.port, method, path: target, headers, agent: false }, async (answer) => {
        try {
          const parts = [];
          for await (const part of answer) parts.push(part);
          const said = Buffer.concat(parts).toString();
          const wrong = JSON.parse(answer.headers['sl-violations'] ?? '[]').filter((v) => v.location[0] !== 'request');
          // Prism's own words instead of the API's: it found no such operation, or nobody to ask.
          if (said.includes('stoplight.io/prism')) throw new Error(`Prism itself answered: ${said}`);
          if (wrong.length > 0) throw new Error(`${answer.statusCode} is not as described: ${JSON.stringify(wrong)}\n${said.slice(0, 2000)}`);
          this.#note(method, target, answer.statusCode);
          done({ status: answer.statusCode, headers: answer.headers, text: said, json: said.startsWith('{') ? JSON.parse(said) : null });
        } catch (error) {
          error.message = `${method} ${target}: ${error.message}`;
          failed(error);
        }
      });
      request.on('error', failed);
      request.end(text);
    });
  }

  /** When the API begins to answer the next request for that path: Prism says nothing of an answer before its end. */
  head(target) {
    return once(this.#hop.heads, `/api/v1${target}`);
  }

  #note(method, target, status) {
    const wanted = target.split('?')[0].split('/');
    const fits = (pattern) => pattern.length === wanted.length && pattern.every((part, i) => part.startsWith('{') || part === wanted[i]);
    // What is written out comes before what varies.
    const at = this.paths.filter((one) => fits(one.split('/'))).sort((a, b) => a.split('{').length - b.split('{').length)[0];
    const key = `${method} ${at}`;
    if (!this.seen.has(key)) this.seen.set(key, new Set());
    this.seen.get(key).add(String(status));
  }

  async close() {
    this.child.kill('SIGTERM');
    await new Promise((ended) => (this.child.exitCode === null && this.child.signalCode === null ? this.child.once('exit', ended) : ended()));
    this.#hop.server.closeAllConnections();
    this.#hop.server.close();
  }
}
