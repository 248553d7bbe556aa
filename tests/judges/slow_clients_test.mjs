// slowhttptest holds connections open by sending or reading next to nothing, on both listeners at once. Whoever else comes is
// served all the while, and the slow are ended in the times of gateway/http/server.hpp, which nothing sets otherwise.
// SALLYPORT_BINARY=… node --test slow_clients_test.mjs
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import http from 'node:http';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { Gateway, makeBase } from '../system/gateway.mjs';

const EACH = 40; // connections, of six kinds
const AT_ONCE = 1000; // ms
// Seconds: to the end of a head; without 4 KiB of a body, or without a write being taken. A moment goes by until they are all
// there, and slowhttptest looks once a second.
const HEAD_TIME = 10, PROGRESS_TIME = 30, SLACK = 3;
const LENGTH = (PROGRESS_TIME + SLACK + 1) * 1000; // ms

let base, upstream, gateway, ada, token, hold;
before(async () => {
  base = makeBase('slow');
  const long = Buffer.alloc(8 << 20, 'x');
  upstream = http.createServer((q, r) => q.resume().on('end', () => r.end(q.url === '/long' ? long : 'ok')));
  await new Promise((listening) => upstream.listen(0, '127.0.0.1', listening));
  gateway = new Gateway(process.env.SALLYPORT_BINARY, {
    base,
    configuration: `
routes: [ { id: pay, prefix: /pay, upstream: "http://127.0.0.1:${upstream.address().port}", timeout: 60s } ]
policies:
  - { id: reads, route: pay, when: 'request.method == "GET"', verdict: allow }
  - { id: writes, route: pay, when: 'request.method == "POST" && body.amount > 0', verdict: hold, workflow: owner }
workflows: { owner: { steps: [ { notify: [owner], for: 10m } ], otherwise: deny } }
`,
  });
  await gateway.start();
  ada = await gateway.approver('ada');
  const agent = await gateway.agent('bot', 'ada', ['pay']);
  token = agent.token;
  // What a page is shown of it is longer than a socket takes at once.
  const held = await agent.call('POST', '/pay/x', { body: { amount: 1, note: 'x'.repeat(900_000) }, headers: { Prefer: 'respond-async' } });
  ({ hold } = await held.json());
}, { timeout: 60_000 });
after(async () => {
  await gateway?.stop();
  upstream?.closeAllConnections();
  upstream?.close();
  if (base) fs.rmSync(base, { recursive: true, force: true });
});

/** Its rows, one a second: how many connections were open, and whether it could be served itself. */
function slow(name, args) {
  const prefix = path.join(base, name.replaceAll(' ', '-'));
  return new Promise((done, failed) => {
    const child = spawn('slowhttptest', ['-c', EACH, '-r', EACH, '-l', 2 * PROGRESS_TIME, '-i', '1', '-p', '1', '-v', '0', '-g', '-o', prefix, ...args].map(String), { stdio: 'ignore' });
    child.on('error', (e) => failed(new Error(`slowhttptest (Debian) is needed: ${e.message}`)));
    const enough = setTimeout(() => child.kill('SIGINT'), LENGTH);
    child.on('exit', () => {
      clearTimeout(enough);
      const rows = fs.readFileSync(`${prefix}.csv`, 'utf8').trim().split('\n').slice(1).map((line) => line.split(',').map(Number));
      done(rows.map(([second, , pending, connected, available]) => ({ second, open: pending + connected, available: available > 0 })));
    });
  });
}

/** How long one good request takes, on a connection of its own. */
function asked(url, options) {
  const begin = Date.now();
  return new Promise((done, failed) => {
    const request = http.request(url, { agent: false, timeout: 5000, ...options }, (answer) => {
      answer.resume().on('end', () => done({ status: answer.statusCode, took: Date.now() - begin }));
    });
    request.on('timeout', () => request.destroy(new Error('no answer in 5 s')));
    request.on('error', failed);
    request.end();
  });
}

/**
 * How many connections the gateway has at each of these ports, as the kernel sees it: one that it closed with bytes unread is
 * not among them.
 */
function established(ports) {
  const open = fs.readFileSync('/proc/net/tcp', 'utf8').split('\n').map((line) => line.trim().split(/\s+/)).filter(([, , , state]) => state === '01');
  const at = (port) => open.filter(([, local]) => local.endsWith(`:${port.toString(16).toUpperCase().padStart(4, '0')}`)).length;
  return { agents: at(ports.agents), people: at(ports.people) };
}

describe('while connections are held by next to nothing', () => {
  const answers = [], seen = [];
  let ended;
  before(async () => {
    const { agentsUrl: agents, publicUrl: people, ports } = gateway;
    // What it is given ends up in the head as it is, so that a line may be put behind it.
    const asAgent = ['-m', `*/*\r\nAuthorization: Bearer ${token}`, '-f', 'application/json'];
    const asPage = ['-m', `*/*\r\nOrigin: ${people}`, '-f', 'application/json'];
    const little = ['-w', 1, '-y', 64, '-z', 5, '-n', 1];
    const kinds = {
      'agents head': ['-H', '-u', `${agents}/pay/x`],
      'people head': ['-H', '-u', `${people}/`],
      'agents body': ['-B', '-s', 8192, '-x', 10, ...asAgent, '-u', `${agents}/pay/x`],
      'people body': ['-B', '-s', 8192, '-x', 10, ...asPage, '-u', `${people}/api/v1/login`],
      'agents read': ['-X', ...little, '-u', `${agents}/pay/long HTTP/1.1\r\nAuthorization: Bearer ${token}\r\nX-Rest: 1`],
      'people read': ['-X', ...little, '-k', 10, '-j', ada.cookie, '-u', `${people}/api/v1/holds/${hold}`],
    };
    const begin = Date.now();
    let over = false;
    const running = Promise.all(Object.entries(kinds).map(async ([name, args]) => [name, await slow(name, args)])).finally(() => (over = true));
    while (!over) {
      answers.push(await asked(`${agents}/pay/x`, { headers: { authorization: `Bearer ${token}` } }));
      answers.push(await asked(`${people}/`), await asked(`${people}/api/v1/login/options`, { method: 'POST', headers: { origin: people } }));
      seen.push({ at: (Date.now() - begin) / 1000, ...established(ports) });
      await pause(200);
    }
    ended = Object.fromEntries(await running);
  }, { timeout: 90_000 });

  test('everybody else is answered at once', () => {
    assert.ok(answers.length > 100);
    assert.deepEqual(answers.filter((a) => a.status !== 200 || a.took >= AT_ONCE), []);
    for (const [name, rows] of Object.entries(ended)) assert.ok(rows.every((row) => row.available), `${name}: not available at ${rows.find((row) => !row.available)?.second} s`);
  });

  for (const [name, time] of Object.entries({ 'agents head': HEAD_TIME, 'people head': HEAD_TIME, 'agents body': PROGRESS_TIME, 'people body': PROGRESS_TIME }))
    test(`${name}: ended after ${time} s`, () => {
      const rows = ended[name];
      const within = rows.filter((row) => row.second >= SLACK && row.second <= time - SLACK);
      assert.ok(within.length > 0 && within.every((row) => row.open === EACH), `some were ended before their time: ${JSON.stringify(rows)}`);
      const last = rows.findLast((row) => row.open > 0);
      assert.ok(last.second <= time + SLACK, `some were open for ${last.second} s: ${JSON.stringify(rows)}`);
    });

  // Who reads nothing does not see its connection's end either: it is looked for where the gateway is.
  for (const listener of ['agents', 'people'])
    test(`${listener} read: ended after ${PROGRESS_TIME} s`, () => {
      const counts = (from, to) => seen.filter(({ at }) => at >= from && at < to).map((s) => s[listener]);
      const story = JSON.stringify(seen.filter((s, i) => i % 8 === 0));
      assert.ok(Math.min(...counts(SLACK, HEAD_TIME - 1)) >= 3 * EACH, `they were never all there: ${story}`);
      assert.ok(Math.min(...counts(HEAD_TIME + SLACK, PROGRESS_TIME - 1)) >= 2 * EACH, `some were ended before their time: ${story}`);
      const left = counts(PROGRESS_TIME + SLACK, Infinity);
      assert.ok(left.length > 0 && Math.max(...left) < EACH / 4, `some are still there: ${story}`);
    });
});
