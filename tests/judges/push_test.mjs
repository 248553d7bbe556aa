// Browsers are told by push, whatever their services do.
// SALLYPORT_BINARY=… node --test push_test.mjs
import assert from 'node:assert/strict';
import fs from 'node:fs';
import http from 'node:http';
import { after, test } from 'node:test';
import { Gateway, makeBase, until } from '../system/gateway.mjs';
import { PushService } from './push_service.mjs';

const upstream = http.createServer((q, r) => q.resume().on('end', () => r.writeHead(201, { 'Content-Type': 'application/json' }).end('{}')));
await new Promise((on) => upstream.listen(0, '127.0.0.1', on));
const hooked = new Set();
const hook = http.createServer((request, response) => {
  let body = '';
  request.on('data', (piece) => (body += piece));
  request.on('end', () => {
    hooked.add(JSON.parse(body).data.hold);
    response.writeHead(204).end();
  });
});
await new Promise((on) => hook.listen(0, '127.0.0.1', on));
const service = await new PushService().start();
const other = await new PushService().start();

const g = new Gateway(process.env.SALLYPORT_BINARY, {
  base: makeBase('push'),
  configuration: `routes: [ { id: pay, prefix: /pay, upstream: "http://127.0.0.1:${upstream.address().port}", wait: { default: 1s } } ]
policies:
  - { id: writes, route: pay, when: request.method == "POST" && request.path == "/hooked", verdict: hold, workflow: hooked, summary: "Write" }
  - { id: others, route: pay, when: request.method == "POST" && request.path != "/hooked", verdict: hold, workflow: plain, summary: "Pay 900 EUR to c_17" }
workflows:
  plain: { steps: [ { notify: ["person:ada"], for: 30m } ] }
  hooked: { steps: [ { notify: ["person:ada"], via: [ops], for: 30m } ] }
notifiers: { webhooks: [ { id: ops, url: "http://127.0.0.1:${hook.address().port}/", secret: { env: HOOK } } ] }
`,
  environment: { HOOK: 'a secret' },
});
await g.start();
const ada = await g.approver('ada', 'Ada Lovelace');
const grace = await g.approver('grace', 'Grace Hopper');
// Accountable for the agent, and asked nothing.
await g.cli(['person', 'invite', 'olaf', '--name', 'Olaf', '--email', 'olaf@example.com', '--role', 'operator']);
const agent = await g.agent('refund-bot', 'olaf', ['pay']);
after(async () => {
  await g.stop();
  for (const one of [service, other]) one.stop();
  for (const one of [upstream, hook]) {
    one.closeAllConnections();
    one.close();
  }
  fs.rmSync(g.base, { recursive: true, force: true });
});

async function ask(who, method, path, body, expected = 200) {
  const headers = { Origin: g.publicUrl, Cookie: who.cookie, ...(body ? { 'Content-Type': 'application/json' } : {}) };
  const answer = await fetch(`${g.publicUrl}/api/v1${path}`, { method, headers, body: body && JSON.stringify(body) });
  const text = await answer.text();
  assert.equal(answer.status, expected, `${method} ${path}: ${text}`);
  return text ? JSON.parse(text) : null;
}
const on = (who, browser, expected = 201) => ask(who, 'POST', '/me/push', browser.subscription, expected);
const browsersOf = async (who) => (await ask(who, 'GET', '/me/push')).browsers;
async function hold(path = '/a') {
  const answer = await fetch(`${g.agentsUrl}/pay${path}`, {
    method: 'POST',
    headers: { Authorization: `Bearer ${agent.token}`, Prefer: 'respond-async', 'Content-Type': 'application/json' },
    body: '{"amount": 900}',
  });
  assert.equal(answer.status, 202);
  return (await answer.json()).hold;
}
const told = (browser, id, tells) => until(`${browser.name} is told`, () => browser.taken(id, tells)[0], { within: 30_000 });

const phone = service.browser('phone-capability'), desk = other.browser('desk-capability');

test('whoever switches it on is told at once, of the outcome too, and reads nothing of what is asked', async () => {
  await on(ada, phone);
  const id = await hold();
  const asked = await told(phone, id, 'asked');
  assert.deepEqual([asked.message.title, asked.headers.urgency], ['A call of refund-bot waits for you', 'high']);
  assert.ok(Number(asked.headers.ttl) > 1700 && Number(asked.headers.ttl) <= 1800, asked.headers.ttl);
  assert.doesNotMatch(JSON.stringify(asked.message), /900|c_17/);
  await ada.approve(id);
  const ended = await told(phone, id, 'ended');
  assert.equal(ended.message.title, 'A call of refund-bot was approved');
  assert.equal(ended.headers.topic, asked.headers.topic);
  assert.equal(ended.length, asked.length, 'length says nothing');
  assert.notEqual(service.key, undefined);
  assert.deepEqual(service.faults, []);
});

test('of two browsers one fails: it is tried again by itself, and the other hears nothing twice', async () => {
  await on(ada, desk);
  phone.behave = (nth) => [500, 429, -1, 201][nth - 1] ?? 201;
  const id = await hold();
  await told(desk, id, 'asked');
  await told(phone, id, 'asked');
  const tries = phone.tries.filter((t) => t.message.hold === id);
  assert.deepEqual(tries.map((t) => t.status), [500, 429, -1, 201]);
  assert.ok(tries[2].at - tries[1].at >= 1900, 'Retry-After is obeyed');
  assert.equal(desk.tries.filter((t) => t.message.hold === id).length, 1);
  phone.behave = () => 201;
});

test('a service that hangs holds up neither another service nor another channel', async () => {
  phone.behave = () => 0;
  const begun = Date.now();
  const ids = await Promise.all(Array.from({ length: 8 }, () => hold('/hooked')));
  await until('the webhook has all', () => ids.every((id) => hooked.has(id)), { within: 3000 });
  await until('the other browser has all', () => ids.every((id) => desk.taken(id).length === 1), { within: 6000 });
  console.log(`# ms until the others had eight: ${Date.now() - begun}`);
  assert.ok(phone.tries.filter((t) => ids.includes(t.message.hold)).length <= 4);
  phone.behave = () => 201;
  service.server.closeAllConnections();
  await until('and the silent one, later', () => ids.every((id) => phone.taken(id).length === 1), { within: 90_000, every: 200 });
});

test('413 is a dead letter, 410 and 404 end the subscription', async () => {
  phone.behave = () => 413;
  const big = await hold();
  await told(desk, big, 'asked');
  const dead = (of) => fetch(`${g.metricsUrl}/metrics`).then((r) => r.text()).then((text) => new RegExp(`sallyport_channel_dead\\{channel="${of}"\\} (\\d+)`).exec(text)?.[1]);
  await until('it is given up', async () => (await dead('push')) === '1');
  for (const [browser, status] of [[phone, 410], [desk, 404]]) {
    browser.behave = () => status;
    const before = (await browsersOf(ada)).length;
    await hold();
    await until('it is gone', async () => (await browsersOf(ada)).length === before - 1);
    browser.behave = () => 201;
  }
  assert.equal(await dead('push'), '1', 'nobody needs to look at those');
});

test('addresses that a hostile approver hands in are not spoken to, and nobody else’s browser is taken', async () => {
  for (const endpoint of ['http://192.168.0.1/x', 'http://10.0.0.1:5432/x', 'https://push.example:5432/x', 'http://push.example/x', 'file:///etc/passwd'])
    await ask(ada, 'POST', '/me/push', { ...phone.subscription, endpoint }, 400);
  await on(ada, phone);
  await ask(grace, 'POST', '/me/push', { ...phone.subscription, keys: { ...phone.subscription.keys, auth: 'AAAAAAAAAAAAAAAAAAAAAA' } }, 403);
  assert.equal((await browsersOf(ada)).length, 1);
  assert.equal((await browsersOf(grace)).length, 0);
});

test('the key and the subscriptions survive a restart, and what waits is told then', async () => {
  const { key } = await ask(ada, 'GET', '/me/push');
  phone.behave = () => 500;
  const id = await hold();
  await until('it is tried', () => phone.tries.some((t) => t.message.hold === id));
  await g.stop();
  phone.behave = () => 201;
  await g.start();
  await told(phone, id, 'asked');
  assert.equal((await ask(ada, 'GET', '/me/push')).key, key);
  assert.equal(phone.taken(id).length, 1);
  assert.deepEqual([...service.faults, ...other.faults], []);
});

test('nothing of a browser’s address is in the log, nor in the record', async () => {
  const log = fs.readFileSync(g.logFile, 'utf8');
  assert.doesNotMatch(log, /capability/);
  const shown = JSON.stringify(await g.cli(['audit', 'show', '--json']));
  assert.match(shown, /push\.on/);
  assert.doesNotMatch(shown, /capability/);
});

test('who is disabled hears nothing more; holds that wait with nobody to ask make it not ready', async () => {
  const ready = () => fetch(`${g.metricsUrl}/readyz`).then(async (r) => [r.status, await r.text()]);
  const id = await hold();
  await told(phone, id, 'asked');
  assert.deepEqual(await ready(), [200, 'ready\n']);
  await g.cli(['person', 'disable', 'grace']);
  await g.cli(['person', 'disable', 'ada']);
  await until('it says so', async () => {
    const [status, text] = await ready();
    return status === 503 && text === 'people: holds wait, and nobody who may approve can be reached\n';
  });
  const before = phone.tries.length;
  await g.cli(['hold', 'deny', id]);
  await until('it is over', async () => (await g.metric('sallyport_outbox_pending')) === 0);
  assert.equal(phone.tries.length, before);
  await g.cli(['person', 'enable', 'ada']);
  await until('it is ready again', async () => (await ready())[0] === 200);
});
