// What the pages are tried against: the real program when SALLYPORT_BINARY names it, else the stand-in. Both offer the
// same: a URL, invitations, and held calls of the scene.
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import http from 'node:http';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { visitor } from './browser.mjs';
import { AGENTS, configuration, PEOPLE, routeOf, ruleOf } from './scene.mjs';
import { StandIn } from './stand_in.mjs';

const DIST = fileURLToPath(new URL('../../web/dist', import.meta.url));

export async function createWorld() {
  const binary = process.env.SALLYPORT_BINARY;
  if (binary) return RealWorld.start(path.resolve(binary));
  if (!fs.existsSync(path.join(DIST, 'index.html'))) throw new Error('web/dist is not there: run `npm run build` in web/ first');
  return new StandInWorld(await StandIn.start({ dist: DIST }));
}

/** Somebody with a browser, a passkey and a session, at the inbox. */
export async function signedIn(world, browser, handle, options) {
  const v = await visitor(browser, options);
  await v.page.goto(await world.invite(handle));
  await v.page.getByRole('button', { name: 'Make my passkey' }).click();
  await v.page.getByRole('heading', { name: 'Inbox' }).waitFor();
  return v;
}

class StandInWorld {
  constructor(standIn) {
    this.standIn = standIn;
    this.url = standIn.url;
  }
  async invite(handle) {
    return this.standIn.invite(handle);
  }
  async hold(call) {
    return this.standIn.hold(call);
  }
  async close() {
    await this.standIn.close();
  }
}

const freePort = () =>
  new Promise((yes, no) => {
    const s = net.createServer();
    s.on('error', no);
    s.listen(0, '127.0.0.1', () => {
      const { port } = s.address();
      s.close(() => yes(port));
    });
  });

class RealWorld {
  static async start(binary) {
    const w = new RealWorld();
    w.binary = binary;
    w.base = fs.mkdtempSync(path.join(os.tmpdir(), 'sallyport-pages-'));
    fs.chmodSync(w.base, 0o755); // its PostgreSQL may run as another user, who has to pass through
    w.config = path.join(w.base, 'config');
    w.data = path.join(w.base, 'data');
    fs.mkdirSync(w.config);
    w.upstream = http.createServer((q, r) => {
      q.resume();
      q.on('end', () => {
        r.writeHead(q.method === 'POST' ? 201 : 200, { 'content-type': 'application/json' });
        r.end('{"done":true}');
      });
    });
    await new Promise((yes) => w.upstream.listen(0, '127.0.0.1', yes));
    w.agents = await freePort();
    w.people = await freePort();
    w.metrics = await freePort();
    w.url = `http://localhost:${w.people}`;
    const upstream = `http://127.0.0.1:${w.upstream.address().port}`;
    fs.writeFileSync(path.join(w.config, 'main.yaml'), configuration({ agents: w.agents, people: w.people, metrics: w.metrics, upstream }));
    try {
      await w.#serve();
      await w.#populate();
    } catch (e) {
      await w.close();
      throw e;
    }
    return w;
  }

  async #serve() {
    this.child = spawn(this.binary, ['serve', '--config', this.config, '--data', this.data], { stdio: ['ignore', 'ignore', 'pipe'] });
    let log = '';
    this.child.stderr.on('data', (d) => {
      log = (log + d).slice(-4000);
    });
    let ended = false;
    this.ended = new Promise((yes) =>
      this.child.on('exit', () => {
        ended = true;
        yes();
      }),
    );
    for (const until = Date.now() + 60_000; ; ) {
      const ready = await fetch(`http://127.0.0.1:${this.metrics}/readyz`).then((r) => r.ok, () => false);
      if (ready) return;
      if (ended || Date.now() > until) throw new Error(`the gateway did not come up:\n${log}`);
      await new Promise((yes) => setTimeout(yes, 50)); // there is nothing else to wait on but its port
    }
  }

  async #populate() {
    for (const team of new Set(PEOPLE.flatMap((p) => p.teams))) await this.cli('team', 'add', team);
    for (const p of PEOPLE) {
      await this.invite(p.handle);
      for (const team of p.teams) await this.cli('team', 'join', team, p.handle);
    }
    for (const a of AGENTS)
      await this.cli('agent', 'add', a.name, '--class', a.class, '--owner', a.owner, '--purpose', a.purpose, ...a.scopes.flatMap((s) => ['--scope', s]), '--key-out', this.#key(a.name));
  }
  #key(agent) {
    return path.join(this.base, `${agent}.key.pem`);
  }

  /** Runs a command; its standard output. */
  cli(...args) {
    return new Promise((yes, no) => {
      const child = spawn(this.binary, [...args, '--config', this.config, '--data', this.data], { cwd: this.base, stdio: ['ignore', 'pipe', 'pipe'] });
      let out = '', err = '';
      child.stdout.on('data', (d) => {
        out += d;
      });
      child.stderr.on('data', (d) => {
        err += d;
      });
      child.on('error', no);
      child.on('close', (code) => (code === 0 ? yes(out) : no(new Error(`sallyport ${args.join(' ')} ended with ${code}: ${err.trim()}`))));
    });
  }

  async invite(handle) {
    const p = PEOPLE.find((x) => x.handle === handle);
    return JSON.parse(await this.cli('person', 'invite', handle, '--name', p.name, '--email', `${handle}@nordwind.example`, '--role', p.role, '--json')).link;
  }

  async hold(call) {
    const rule = ruleOf(call);
    const intent = call.intent ? ['--intent', call.intent] : [];
    const token = JSON.parse(await this.cli('token', '--agent', call.agent, '--key', this.#key(call.agent), ...intent, '--json')).access_token;
    const answer = await fetch(`http://127.0.0.1:${this.agents}${routeOf(rule).prefix}${rule.path}`, {
      method: rule.method,
      headers: { authorization: `Bearer ${token}`, 'content-type': call.type, prefer: 'respond-async', ...Object.fromEntries(call.headers) },
      body: call.body,
    });
    const text = await answer.text();
    if (answer.status !== 202) throw new Error(`202 was expected for ${call.rule}, seen ${answer.status}: ${text}`);
    return JSON.parse(text).hold;
  }

  async close() {
    if (this.child && this.child.exitCode === null) {
      this.child.kill('SIGTERM');
      const late = setTimeout(() => this.child.kill('SIGKILL'), 15_000);
      await this.ended;
      clearTimeout(late);
    }
    this.upstream.closeAllConnections();
    await new Promise((done) => this.upstream.close(done));
    fs.rmSync(this.base, { recursive: true, force: true });
  }
}
