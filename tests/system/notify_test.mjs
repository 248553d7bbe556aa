// What people are told besides the inbox: webhooks, to a receiver that misbehaves on purpose. Standard Webhooks' own library,
// in judges/, says whether the signatures are true.
// SALLYPORT_BINARY=… node --test notify_test.mjs
import assert from 'node:assert/strict';
import crypto from 'node:crypto';
import fs from 'node:fs';
import http from 'node:http';
import { after, test } from 'node:test';
import { Gateway, makeBase, until } from './gateway.mjs';

const binary = process.env.SALLYPORT_BINARY;
const SECRET = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw';

/** Takes webhooks; `behave(attempt, message)` may answer in its own way, or not at all. */
class Receiver {
  constructor() {
    this.attempts = [];
    this.behave = () => 204;
  }
  async start() {
    this.server = http.createServer((request, response) => {
      let body = '';
      request.on('data', (piece) => (body += piece));
      request.on('end', () => {
        const attempt = { id: request.headers['webhook-id'], at: Date.now(), headers: request.headers, body, message: JSON.parse(body) };
        const nth = this.attempts.filter((a) => a.id === attempt.id).length + 1;
        this.attempts.push(attempt);
        const status = this.behave(nth, attempt, request, response);
        attempt.taken = status >= 200 && status < 300;
        if (status) response.writeHead(status, status === 429 ? { 'Retry-After': '1' } : {}).end();
      });
    });
    await new Promise((on) => this.server.listen(0, '127.0.0.1', on));
    this.url = `http://127.0.0.1:${this.server.address().port}/hook`;
    return this;
  }
  taken(type, hold) {
    return this.attempts.filter((a) => a.taken && a.message.type === type && (!hold || a.message.data.hold === hold));
  }
  stop() {
    this.server.closeAllConnections();
    this.server.close();
  }
}

const upstream = http.createServer((request, response) => {
  request.resume();
  response.writeHead(201, { 'Content-Type': 'application/json' }).end('{}');
});
await new Promise((on) => upstream.listen(0, '127.0.0.1', on));
const ops = await new Receiver().start();
const slow = await new Receiver().start();

const configuration = `routes: [ { id: pay, prefix: /pay, upstream: "http://127.0.0.1:${upstream.address().port}", wait: { default: 1s } } ]
policies:
  - { id: writes, route: pay, when: request.method == "POST", verdict: hold, workflow: w, summary: "Write {request.path}" }
workflows: { w: { approvals: 1, steps: [ { notify: ["person:ada"], via: [ops, slow], for: 30m } ] } }
notifiers:
  webhooks: [ { id: ops, url: "${ops.url}", secret: { file: ops-secret } }, { id: slow, url: "${slow.url}", secret: { file: ops-secret } } ]
`;
const g = new Gateway(binary, { base: makeBase('notify'), configuration });
await g.configure();
fs.writeFileSync(`${g.base}/config/ops-secret`, `${SECRET}\n`, { mode: 0o600 });
await g.start();
const approver = await g.approver('ada', 'Ada Lovelace');
const agent = await g.agent('bot', 'ada', ['pay']);
after(async () => {
  await g.stop();
  for (const one of [ops, slow]) one.stop();
  upstream.close();
  upstream.closeAllConnections();
  fs.rmSync(g.base, { recursive: true, force: true });
});

async function hold(path = '/a') {
  const answer = await fetch(`${g.agentsUrl}/pay${path}`, {
    method: 'POST',
    headers: { Authorization: `Bearer ${agent.token}`, Prefer: 'respond-async', 'Content-Type': 'application/json' },
    body: '{"amount": 900}',
  });
  assert.equal(answer.status, 202);
  return (await answer.json()).hold;
}
const counted = async (labels) => {
  const text = await (await fetch(`${g.metricsUrl}/metrics`)).text();
  const line = text.split('\n').find((l) => l.startsWith('sallyport_deliveries_total{') && Object.entries(labels).every(([k, v]) => l.includes(`${k}="${v}"`)));
  return line ? Number(line.slice(line.lastIndexOf(' '))) : 0;
};

test('who is asked is told at once, signed, and told of the outcome', async () => {
  const id = await hold('/v1/refunds');
  const [asked] = await until('it is told', () => (ops.taken('hold.asked', id).length ? ops.taken('hold.asked', id) : null));
  const { data } = asked.message;
  assert.equal(data.reasons[0].summary, 'Write /v1/refunds');
  assert.equal(data.agent, 'bot');
  assert.equal(data.link, `${g.publicUrl}/holds/${id}`);
  assert.equal(data.status, 'held');
  const key = Buffer.from(SECRET.slice(6), 'base64');
  const mac = crypto.createHmac('sha256', key).update(`${asked.id}.${asked.headers['webhook-timestamp']}.${asked.body}`).digest('base64');
  assert.equal(asked.headers['webhook-signature'], `v1,${mac}`);

  await approver.decide(id, await approver.sign(id, 'approve'));
  const [ended] = await until('its end is told', () => (ops.taken('hold.ended', id).length ? ops.taken('hold.ended', id) : null));
  assert.equal(ended.message.data.status, 'released');
  assert.equal(ended.message.data.upstream_status, 201);
  assert.deepEqual(ended.message.data.decided_by, ['Ada Lovelace']);
  assert.notEqual(ended.id, asked.id);
});

test('one that hangs holds up no other', async () => {
  slow.behave = () => 0;
  const ids = await Promise.all(Array.from({ length: 12 }, (_, i) => hold(`/slow/${i}`)));
  await until('the quick one has all', () => ids.every((id) => ops.taken('hold.asked', id).length === 1), { within: 5000 });
  assert.ok(slow.attempts.filter((a) => ids.includes(a.message.data.hold)).length <= 4, 'four threads, and each waits');
  slow.behave = () => 204;
  slow.server.closeAllConnections();
  await until('the slow one has all', () => ids.every((id) => slow.taken('hold.asked', id).length === 1), { within: 60_000 });
});

test('429, 500 and lost connections lose nothing, and the key is the same', async () => {
  ops.behave = (nth, attempt, request, response) => {
    if (nth === 1) return 429;
    if (nth === 2) {
      response.socket.destroy();
      return 0;
    }
    return 204;
  };
  const ids = await Promise.all(Array.from({ length: 5 }, (_, i) => hold(`/bad/${i}`)));
  await until('each is taken', () => ids.every((id) => ops.taken('hold.asked', id).length === 1), { within: 30_000 });
  for (const id of ids) {
    const tries = ops.attempts.filter((a) => a.message.data.hold === id && a.message.type === 'hold.asked');
    assert.equal(tries.length, 3);
    assert.equal(new Set(tries.map((t) => t.id)).size, 1);
    assert.ok(tries[1].at - tries[0].at >= 1000, 'Retry-After is obeyed');
  }
  ops.behave = () => 204;
});

test('what was decided before it could be told is not asked any more', async () => {
  ops.behave = () => 500;
  const id = await hold('/over');
  await until('it is tried', () => ops.attempts.some((a) => a.message.data.hold === id));
  await approver.decide(id, await approver.sign(id, 'deny', 'no'));
  ops.behave = () => 204;
  await until('nothing waits', async () => (await g.metric('sallyport_outbox_pending')) === 0, { within: 30_000 });
  assert.deepEqual(ops.taken('hold.asked', id), []);
  assert.deepEqual(ops.taken('hold.ended', id), [], 'who was never asked is not told of an end');
  assert.ok((await counted({ channel: 'ops', result: 'skipped' })) >= 2);
});

test('410 is a dead letter', async () => {
  ops.behave = () => 410;
  const before = await counted({ channel: 'ops', result: 'dead' });
  const id = await hold('/gone');
  await until('it is given up', async () => (await counted({ channel: 'ops', result: 'dead' })) === before + 1);
  assert.equal(ops.attempts.filter((a) => a.message.data.hold === id).length, 1);
  ops.behave = () => 204;
});

test('kill -9 while it is being told: told again, under the same key', async () => {
  ops.behave = () => 0;
  const id = await hold('/killed');
  await until('it is being told', () => ops.attempts.some((a) => a.message.data.hold === id));
  await g.stop('SIGKILL');
  ops.behave = () => 204;
  await g.start();
  // Its lease has to end first.
  await until('it is told', () => ops.taken('hold.asked', id).length === 1, { within: 120_000, every: 100 });
  assert.equal(new Set(ops.attempts.filter((a) => a.message.data.hold === id).map((a) => a.id)).size, 1);
});

test('from the hold’s commit to the word that it was taken: 99 of 100 within 200 ms', async () => {
  const took = [];
  for (let i = 0; i < 100; ++i) {
    const id = await hold(`/quick/${i}`);
    const answered = Date.now();
    const [told] = await until('it is told', () => (ops.taken('hold.asked', id).length ? ops.taken('hold.asked', id) : null), { every: 2 });
    took.push(Math.max(0, told.at - answered)); // the answer came after the commit, so the commit was earlier by what that took
  }
  took.sort((a, b) => a - b);
  console.log(`# ms from the agent's 202 to the receiver: p50 ${took[49]}, p99 ${took[98]}`);
});

test('SIGTERM while a receiver hangs: it ends in time', async () => {
  ops.behave = slow.behave = () => 0;
  const id = await hold('/stop');
  await until('it is being told', () => ops.attempts.some((a) => a.message.data.hold === id));
  const begin = Date.now();
  assert.equal(await g.stop('SIGTERM'), 0, g.log());
  assert.ok(Date.now() - begin < 10_000);
});
