// What the pages are tried against: the program itself (SALLYPORT_BINARY, else the release build), with the small
// company of the scene in it and an upstream that answers.
import fs from 'node:fs';
import http from 'node:http';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { Gateway, makeBase } from '../system/gateway.mjs';
import { visitor } from './browser.mjs';
import { AGENTS, configuration, PEOPLE, routeOf, ruleOf } from './scene.mjs';

const BINARY = path.resolve(process.env.SALLYPORT_BINARY ?? fileURLToPath(new URL('../../build/release/sallyport', import.meta.url)));

/** What a call's body must contain for the upstream to take it and never answer. */
export const SILENCE = 'the upstream keeps silent';

async function startUpstream() {
  const upstream = http.createServer((q, r) => {
    const parts = [];
    q.on('data', (part) => parts.push(part));
    q.on('end', () => {
      if (Buffer.concat(parts).includes(SILENCE)) return q.socket.destroy();
      r.writeHead(q.method === 'POST' ? 201 : 200, { 'content-type': 'application/json' });
      return r.end('{"done":true}');
    });
  });
  await new Promise((listening) => upstream.listen(0, '127.0.0.1', listening));
  return upstream;
}

/** A call with these headers and no others; what fetch would add belongs to no agent. */
function call(url, { method, headers, body }) {
  return new Promise((answered, failed) => {
    const request = http.request(url, { method, headers }, async (answer) => {
      const parts = [];
      for await (const part of answer) parts.push(part);
      answered({ status: answer.statusCode, text: Buffer.concat(parts).toString() });
    });
    request.on('error', failed);
    request.end(body);
  });
}

export class World {
  /** `upstream` is where approved calls go; one that answers, unless something else is named. */
  static async start({ upstream } = {}) {
    if (!fs.existsSync(BINARY)) throw new Error(`${BINARY} is not there: build it first, or name another in SALLYPORT_BINARY`);
    const world = new World();
    world.base = makeBase('pages');
    world.upstream = await startUpstream();
    world.gateway = new Gateway(BINARY, { base: world.base, configuration: configuration(upstream ?? `http://127.0.0.1:${world.upstream.address().port}`) });
    try {
      await world.gateway.start();
      await world.#populate();
    } catch (e) {
      await world.close();
      throw e;
    }
    return world;
  }

  #tokens = new Map();

  get url() {
    return this.gateway.publicUrl;
  }

  async #populate() {
    const { gateway } = this;
    const all = (items, act) => Promise.all(items.map(act));
    await all([...new Set(PEOPLE.flatMap((p) => p.teams))], (team) => gateway.cli(['team', 'add', team]));
    await all(PEOPLE, (p) => this.invite(p.handle));
    await all(PEOPLE.flatMap((p) => p.teams.map((team) => [team, p.handle])), ([team, handle]) => gateway.cli(['team', 'join', team, handle]));
    await all(AGENTS, (a) =>
      gateway.cli(['agent', 'add', a.name, '--class', a.class, '--owner', a.owner, '--purpose', a.purpose, ...a.scopes.flatMap((s) => ['--scope', s]), '--key-out', this.#key(a.name)]),
    );
  }

  #key(agent) {
    return path.join(this.base, `${agent}.key.pem`);
  }

  /** A link by which this person enrols a passkey. */
  async invite(handle) {
    const { name, role } = PEOPLE.find((p) => p.handle === handle);
    const [{ link }] = await this.gateway.cli(['person', 'invite', handle, '--name', name, '--email', `${handle}@nordwind.example`, '--role', role, '--json']);
    return link;
  }

  /** A token for the call's agent and intent. */
  #token({ agent, intent }) {
    const key = JSON.stringify([agent, intent]);
    if (!this.#tokens.has(key)) this.#tokens.set(key, this.gateway.cli(['token', '--agent', agent, '--key', this.#key(agent), ...(intent ? ['--intent', intent] : [])]));
    return this.#tokens.get(key);
  }

  /** Makes a call of the scene, which its rule holds; gives the hold's id. */
  async hold(wanted) {
    const rule = ruleOf(wanted);
    const { status, text } = await call(`${this.gateway.agentsUrl}${routeOf(rule).prefix}${rule.path}`, {
      method: rule.method,
      headers: {
        authorization: `Bearer ${await this.#token(wanted)}`,
        accept: 'application/json',
        'content-type': wanted.type,
        'user-agent': `${wanted.agent}/3.2`,
        prefer: 'respond-async',
        ...Object.fromEntries(wanted.headers),
      },
      body: wanted.body,
    });
    if (status !== 202) throw new Error(`202 was expected for ${wanted.rule}, seen ${status}: ${text}`);
    return JSON.parse(text).hold;
  }

  async close() {
    await this.gateway.stop();
    this.upstream.closeAllConnections();
    await new Promise((closed) => this.upstream.close(closed));
    fs.rmSync(this.base, { recursive: true, force: true });
  }
}

/** Somebody with a browser, a passkey and a session, at the inbox. */
export async function signedIn(world, browser, handle, options) {
  const v = await visitor(browser, options);
  await v.page.goto(await world.invite(handle));
  await v.page.getByRole('button', { name: 'Make my passkey' }).click();
  await v.page.getByRole('heading', { name: 'Inbox' }).waitFor();
  return v;
}
