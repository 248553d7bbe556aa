// SIGTERM: `serve` ends with 0 within ten seconds, whatever hangs, and what it was doing is known afterwards.
// SALLYPORT_BINARY=… node --test stop_test.mjs
import assert from 'node:assert/strict';
import fs from 'node:fs';
import http from 'node:http';
import net from 'node:net';
import path from 'node:path';
import { after, test } from 'node:test';
import { Gateway, makeBase, until } from './gateway.mjs';

const binary = process.env.SALLYPORT_BINARY;
const LONGEST = 10_000;

// Answers nothing, ever.
const upstream = http.createServer((request) => {
  request.resume();
  upstream.seen.push(request.url);
});
upstream.seen = [];
await new Promise((listening) => upstream.listen(0, '127.0.0.1', listening));

const configuration = `routes: [ { id: pay, prefix: /pay, upstream: "http://127.0.0.1:${upstream.address().port}", wait: { default: 25s } } ]
policies:
  - { id: reads, route: pay, when: request.method == "GET", verdict: allow }
  - { id: writes, route: pay, when: request.method == "POST", verdict: hold, workflow: w, summary: Write }
workflows: { w: { approvals: 1, steps: [ { notify: ["person:ada"], for: 30m } ] } }
`;

const begun = [];
function gateway(name, options = {}) {
  const one = new Gateway(binary, { base: makeBase(name), configuration, ...options });
  begun.push(one);
  return one;
}
after(async () => {
  for (const one of begun) {
    await one.stop('SIGKILL');
    for (const pid of clusterProcesses(one)) process.kill(pid, 'SIGKILL');
    fs.rmSync(one.base, { recursive: true, force: true });
  }
  upstream.closeAllConnections();
  upstream.close();
});

/** Whatever runs in its cluster's directory. */
function clusterProcesses(g) {
  const cluster = path.join(g.base, 'data', 'postgres', 'data');
  return fs.readdirSync('/proc').filter((name) => /^\d+$/.test(name)).filter((pid) => {
    try {
      return fs.readlinkSync(`/proc/${pid}/cwd`) === cluster;
    } catch {
      return false;
    }
  }).map(Number);
}

/** SIGTERM; how it ended, and after how many milliseconds. */
async function stops(g) {
  const begin = Date.now();
  const code = await g.stop('SIGTERM');
  return { code, took: Date.now() - begin };
}
function inTime({ code, took }, g) {
  assert.equal(code, 0, g.log());
  assert.ok(took < LONGEST, `it took ${took} ms`);
}

async function withAgent(name) {
  const g = await gateway(name).start();
  const approver = await g.approver('ada');
  return { g, approver, agent: await g.agent('bot', 'ada', ['pay']) };
}

test('nothing to do: it is quick', async () => {
  const g = await gateway('idle').start();
  const end = await stops(g);
  inTime(end, g);
  assert.ok(end.took < 4000, `it took ${end.took} ms`);
  assert.deepEqual(clusterProcesses(g), []);
});

test('calls whose upstream says nothing are cut, held ones get their 202, a release without an answer is unknown', async () => {
  const { g, approver, agent } = await withAgent('slow');
  const slow = agent.call('GET', '/pay/slow').then((r) => r.status, (e) => e.cause?.code ?? e.message);
  const held = agent.call('POST', '/pay/held', { body: {} });
  const made = await agent.call('POST', '/pay/sent', { body: {}, headers: { Prefer: 'respond-async' } });
  assert.equal(made.status, 202);
  const { hold } = await made.json();
  await approver.approve(hold, 'yes');
  await until('both are upstream', () => upstream.seen.includes('/sent') && upstream.seen.includes('/slow'), { within: 10_000 });
  const ended = stops(g);
  assert.equal((await held).status, 202);
  inTime(await ended, g);
  assert.notEqual(await slow, 200);

  await g.start();
  const state = async () => (await (await agent.call('GET', `/.sallyport/holds/${hold}`)).json()).status;
  await until('its outcome is known to be unknown', async () => (await state()) === 'unknown', { within: 10_000 });
  assert.equal(upstream.seen.filter((url) => url === '/sent').length, 1);
  inTime(await stops(g), g);
});

test('a PostgreSQL that says nothing does not keep it', async () => {
  const { g, agent } = await withAgent('deaf');
  const frozen = clusterProcesses(g);
  assert.ok(frozen.length > 1);
  for (const pid of frozen) process.kill(pid, 'SIGSTOP');
  const waiting = agent.call('POST', '/pay/x', { body: {}, headers: { Prefer: 'respond-async' } }).then((r) => r.status, () => 0);
  inTime(await stops(g), g);
  await waiting;
  for (const pid of clusterProcesses(g)) process.kill(pid, 'SIGCONT');
  await g.start();
  inTime(await stops(g), g);
});

test('while it starts: PostgreSQL is being made', async () => {
  const g = gateway('young');
  await g.configure();
  g.spawn();
  await until('PostgreSQL is begun', () => fs.existsSync(path.join(g.base, 'data', 'postgres')), { within: 10_000, every: 5 });
  inTime(await stops(g), g);
  assert.deepEqual(clusterProcesses(g), []);
  await g.start();
  inTime(await stops(g), g);
});

test('while it starts: the database does not answer', async () => {
  const silent = net.createServer(() => {});
  await new Promise((listening) => silent.listen(0, '127.0.0.1', listening));
  const g = gateway('patient', { configuration: `database: postgresql://gate@127.0.0.1:${silent.address().port}/gate\n${configuration}` });
  await g.configure();
  g.spawn();
  await until('/healthz answers', () => fetch(`${g.metricsUrl}/healthz`).then((r) => r.ok, () => false), { within: 5000 });
  inTime(await stops(g), g);
  silent.close();
});
