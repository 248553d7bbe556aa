// The program as a test or a benchmark runs it: a configuration and data of its own, free loopback ports, its command
// line, and its log when something fails.
import { execFile, spawn } from 'node:child_process';
import fs from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { Agent } from '../../deploy/sample/agent.mjs';
import { Approver } from '../../deploy/sample/approver.mjs';

export async function freePort() {
  return new Promise((found, failed) => {
    const probe = net.createServer();
    probe.on('error', failed);
    probe.listen(0, '127.0.0.1', () => {
      const { port } = probe.address();
      probe.close(() => found(port));
    });
  });
}

/** A directory of its own that an unprivileged PostgreSQL can pass through. */
export function makeBase(name) {
  const base = fs.mkdtempSync(path.join(os.tmpdir(), `sallyport-${name}-`));
  fs.chmodSync(base, 0o711);
  return base;
}

/** Waits until `look` gives something true; asks again every `every` ms. There is nothing else to wait on. */
export async function until(what, look, { within = 60_000, every = 20 } = {}) {
  for (const end = Date.now() + within; ; ) {
    const seen = await look();
    if (seen) return seen;
    if (Date.now() > end) throw new Error(`${what}: not within ${within / 1000} s`);
    await new Promise((later) => setTimeout(later, every));
  }
}

export class Gateway {
  /**
   * `configuration` gives the YAML behind `listen` and `public_url`; `prefix` is put before the command (`taskset …`).
   */
  constructor(binary, { base, configuration = '', prefix = [], environment = {} }) {
    Object.assign(this, { binary: path.resolve(binary), base, prefix, environment });
    this.configuration = configuration;
    this.logFile = path.join(base, 'gateway.log');
    this.directories = ['--config', path.join(base, 'config'), '--data', path.join(base, 'data')];
  }

  async configure() {
    this.ports = { agents: await freePort(), people: await freePort(), metrics: await freePort() };
    this.agentsUrl = `http://127.0.0.1:${this.ports.agents}`;
    this.publicUrl = `http://localhost:${this.ports.people}`;
    this.metricsUrl = `http://127.0.0.1:${this.ports.metrics}`;
    const listen = Object.entries(this.ports).map(([name, port]) => `${name}: 127.0.0.1:${port}`).join(', ');
    fs.mkdirSync(path.join(this.base, 'config'), { recursive: true });
    fs.writeFileSync(path.join(this.base, 'config', 'sallyport.yaml'), `listen: { ${listen} }\npublic_url: ${this.publicUrl}\n${this.configuration}`);
  }

  /** Starts it; `ready()` waits for its work. */
  spawn() {
    const log = fs.openSync(this.logFile, 'a');
    const [command, ...args] = [...this.prefix, this.binary, 'serve', ...this.directories];
    this.process = spawn(command, args, { stdio: ['ignore', log, log], env: { ...process.env, ...this.environment } });
    fs.closeSync(log);
    this.ended = new Promise((end) => this.process.on('exit', (code, signal) => end(signal ?? code)));
  }

  async ready() {
    await until('the gateway is ready', async () => {
      if (this.process.exitCode !== null || this.process.signalCode !== null) throw new Error(`the gateway ended; its log:\n${this.log()}`);
      return fetch(`${this.metricsUrl}/readyz`).then((r) => r.ok, () => false);
    }).catch((e) => {
      throw new Error(`${e.message}\n${this.log()}`);
    });
  }

  async start() {
    if (!this.ports) await this.configure();
    this.spawn();
    await this.ready();
    return this;
  }

  async stop(signal = 'SIGTERM') {
    if (!this.process || this.process.exitCode !== null || this.process.signalCode !== null) return this.ended;
    this.process.kill(signal);
    return this.ended;
  }

  log() {
    return fs.existsSync(this.logFile) ? fs.readFileSync(this.logFile, 'utf8').split('\n').slice(-40).join('\n') : '';
  }

  /** A command; gives its standard output, from JSON where it asks for that. Fails with what the command said. */
  cli(args, input = '') {
    return new Promise((done, failed) => {
      const child = execFile(this.binary, [...args, ...this.directories], { maxBuffer: 256 << 20, cwd: this.base }, (error, stdout, stderr) => {
        if (error) failed(new Error(`sallyport ${args.join(' ')} ended with ${error.code}: ${stderr.trim()}`));
        else done(args.includes('--json') ? stdout.trim().split('\n').filter(Boolean).map((line) => JSON.parse(line)) : stdout.trim());
      });
      child.stdin.on('error', () => {}); // a command may end without reading it
      child.stdin.end(input);
    });
  }

  /** An agent with a key of its own, and a token for it. */
  async agent(name, owner, scopes) {
    const key = path.join(this.base, `${name}.key.pem`);
    await this.cli(['agent', 'add', name, '--class', 'digital-worker', '--owner', owner, ...scopes.flatMap((s) => ['--scope', s]), '--key-out', key]);
    return new Agent(this.agentsUrl, await this.cli(['token', '--agent', name, '--key', key]));
  }

  /** A person with a passkey in software, signed in. */
  async approver(handle, name = handle) {
    const [{ link }] = await this.cli(['person', 'invite', handle, '--name', name, '--email', `${handle}@example.com`, '--json']);
    const approver = new Approver(this.publicUrl);
    await approver.enrol(link);
    return approver;
  }

  /** The sum of a metric over its labels. */
  async metric(name) {
    const text = await (await fetch(`${this.metricsUrl}/metrics`)).text();
    return text.split('\n').filter((l) => l.startsWith(`${name}{`) || l.startsWith(`${name} `)).reduce((sum, l) => sum + Number(l.slice(l.lastIndexOf(' '))), 0);
  }
}
