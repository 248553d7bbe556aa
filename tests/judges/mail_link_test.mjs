// A hold that a click decides, by the link in a mail: sent by the program, taken by smtp-server, read by mailparser.
// SALLYPORT_BINARY=… node --test mail_link_test.mjs
import assert from 'node:assert/strict';
import fs from 'node:fs';
import http from 'node:http';
import { after, test } from 'node:test';
import { simpleParser } from 'mailparser';
import { Gateway, makeBase, until } from '../system/gateway.mjs';
import { serve } from './mail_server.mjs';

const cleanup = [];
after(async () => {
  for (const each of cleanup.reverse()) await each();
});
const mail = await serve({ after: (each) => cleanup.push(each) });
const upstream = http.createServer((request, response) => request.resume().on('end', () => response.writeHead(201).end('{}')));
await new Promise((on) => upstream.listen(0, '127.0.0.1', on));
cleanup.push(() => upstream.close());

const base = makeBase('mail-link');
cleanup.push(() => fs.rmSync(base, { recursive: true, force: true }));
const g = new Gateway(process.env.SALLYPORT_BINARY, {
  base,
  configuration: `routes: [ { id: pay, prefix: /pay, upstream: "http://127.0.0.1:${upstream.address().port}" } ]
policies:
  - { id: small, route: pay, when: request.path == "/small", verdict: hold, workflow: easy, summary: "Small {request.path}" }
  - { id: large, route: pay, when: request.path == "/large", verdict: hold, workflow: hard, summary: "Large {request.path}" }
workflows:
  easy: { assurance: click, steps: [ { notify: ["person:ada", "person:grace"], via: [email], for: 10m } ] }
  hard: { assurance: passkey, steps: [ { notify: ["person:ada"], via: [email], for: 10m } ] }
notifiers: { email: { url: "smtp://127.0.0.1:${mail.port}", from: "Sallyport <gate@example.com>", starttls: never } }
`,
});
await g.start();
cleanup.push(() => g.stop());
const ada = await g.approver('ada', 'Ada Lovelace');
await g.approver('grace', 'Grace Hopper');
const agent = await g.agent('bot', 'ada', ['pay']);

async function hold(path) {
  const answer = await agent.call('POST', `/pay${path}`, { body: { amount: 9 }, headers: { Prefer: 'respond-async' } });
  assert.equal(answer.status, 202);
  return (await answer.json()).hold;
}
async function mailTo(address, has) {
  return until(`a mail to ${address}`, async () => {
    for (const one of mail.mails.filter((m) => m.envelope.rcptTo[0].address === address)) {
      const read = await simpleParser(one.bytes, { skipHtmlToText: true });
      if (read.text.includes(has)) return read;
    }
    return null;
  });
}
const linkOf = (read) => new URL(/^https?:\S+$/m.exec(read.text)[0]);
const at = (link) => `${g.publicUrl}/api/v1/links/${link.pathname.split('/').pop()}`;
const press = (link, body, headers = { Origin: g.publicUrl }) =>
  fetch(at(link), { method: 'POST', headers: { 'Content-Type': 'application/json', ...headers }, body: JSON.stringify(body) });
const problem = async (answer) => [answer.status, (await answer.json()).type?.split(':').pop()];

test('a link decides, once, and opening it changes nothing', async () => {
  const id = await hold('/small');
  const mine = linkOf(await mailTo('ada@example.com', 'Small /small')), hers = linkOf(await mailTo('grace@example.com', 'Small /small'));
  assert.equal(mine.origin, g.publicUrl);
  assert.match(mine.pathname, /^\/d\/[\w-]+$/);
  assert.notEqual(mine.pathname, hers.pathname);

  // A program that looks into mail opens everything, more than once.
  for (const method of ['GET', 'HEAD', 'GET']) {
    assert.equal((await fetch(mine, { method })).status, 200);
    assert.equal((await fetch(at(mine), { method })).status, 200);
  }
  const shown = await (await fetch(at(mine))).json();
  assert.equal(shown.name, 'Ada Lovelace');
  assert.equal(shown.hold.hold, id);
  assert.equal(shown.hold.status, 'held');
  assert.equal(shown.hold.request.body.text, '{"amount":9}');

  assert.deepEqual(await problem(await press(mine, { decision: 'approve' }, { Origin: 'https://elsewhere.example' })), [403, 'cross-origin']);
  assert.deepEqual(await problem(await press(mine, { decision: 'perhaps' })), [400, 'malformed-request']);
  const decided = await press(mine, { decision: 'approve' });
  assert.equal(decided.status, 201);
  const { decision } = await decided.json();
  assert.deepEqual([decision.by.handle, decision.assurance], ['ada', 'click']);
  await until('it is sent', async () => (await (await agent.call('GET', `/.sallyport/holds/${id}`)).json()).status === 'released');

  assert.deepEqual(await problem(await press(mine, { decision: 'deny' })), [409, 'statement-stale']);
  const over = await (await fetch(at(mine))).json();
  assert.deepEqual([over.over, over.hold], [true, null], 'a used link shows nothing more');
  assert.ok(!JSON.stringify(over).includes('@'));
  const told = await mailTo('grace@example.com', 'Approved by Ada Lovelace');
  assert.match(told.subject, /^Re: /);

  const [entry] = (await g.cli(['audit', 'show', '--json'])).filter((e) => e.kind === 'decision' && e.hold === id);
  assert.equal(entry.data.channel, 'email');
  assert.equal(entry.data.assurance, 'click');
  await g.cli(['audit', 'verify']);
});

test('a denial with its reason', async () => {
  const before = mail.mails.length;
  const id = await hold('/small');
  await until('both are told', () => mail.mails.length >= before + 2);
  const newest = [];
  for (const one of mail.mails.slice(before)) newest.push(await simpleParser(one.bytes, { skipHtmlToText: true }));
  const hers = linkOf(newest.find((m) => m.to.value[0].address === 'grace@example.com'));
  assert.equal((await press(hers, { decision: 'deny', reason: 'not this one' })).status, 201);
  const answer = await agent.call('GET', `/.sallyport/holds/${id}/response`);
  assert.equal((await answer.json()).reason, 'not this one');
});

test('where a passkey is asked the mail links to the page, and no link decides', async () => {
  const id = await hold('/large');
  const read = await mailTo('ada@example.com', 'Large /large');
  assert.equal(linkOf(read).pathname, `/holds/${id}`);
});

test('no other token opens anything', async () => {
  const mine = linkOf(await mailTo('ada@example.com', 'Small /small'));
  const token = mine.pathname.split('/').pop();
  for (const other of ['x', token.slice(1), `${token.slice(0, -1)}${token.endsWith('A') ? 'B' : 'A'}`, 'A'.repeat(token.length)]) {
    const answer = await fetch(`${g.publicUrl}/api/v1/links/${other}`);
    assert.deepEqual(await problem(answer), [404, 'not-found'], other);
  }
});

test('who was disabled decides by no link', async () => {
  const before = mail.mails.length;
  await hold('/small');
  await until('both are told', () => mail.mails.length >= before + 2);
  let hers = null;
  for (const one of mail.mails.slice(before)) {
    const read = await simpleParser(one.bytes, { skipHtmlToText: true });
    if (read.to.value[0].address === 'grace@example.com') hers = linkOf(read);
  }
  await g.cli(['person', 'disable', 'grace']);
  assert.deepEqual(await problem(await press(hers, { decision: 'approve' })), [404, 'not-found']);
  assert.ok(ada);
});
