// What people do in Slack decides: the program, and a stand-in for Slack that posts what is pressed there, in order and out of it,
// forged and again, and answers 429 and 500. SALLYPORT_BINARY=… node --test slack_test.mjs
import assert from 'node:assert/strict';
import crypto from 'node:crypto';
import fs from 'node:fs';
import http from 'node:http';
import { after, test } from 'node:test';
import { SlackPerson, form } from '../notifiers/slack_person.mjs';
import { SlackServer, buttons } from '../notifiers/slack_server.mjs';
import { Gateway, makeBase, until } from './gateway.mjs';

const SECRET = 'the signing secret of the test';
const APPROVE = 'sallyport_approve', DENY = 'sallyport_deny';

const received = [];
const upstream = http.createServer((request, response) => {
  request.resume();
  received.push(request.url);
  response.writeHead(201, { 'Content-Type': 'application/json' }).end('{"done":true}');
});
await new Promise((on) => upstream.listen(0, '127.0.0.1', on));
const slack = await new SlackServer().start();
const user = (id) => ({ id, deleted: false, is_bot: false });
slack.users = new Map([['ada@example.com', user('UADA')], ['grace@example.com', user('UGRACE')], ['elsewhere@example.com', user('UADA2')]]);

const configuration = `routes: [ { id: pay, prefix: /pay, upstream: "http://127.0.0.1:${upstream.address().port}" } ]
policies:
  - { id: one, route: pay, when: request.path.startsWith("/one"), verdict: hold, workflow: one, summary: "Write {request.path}" }
  - { id: two, route: pay, when: request.path.startsWith("/two"), verdict: hold, workflow: two, summary: "Write {request.path}" }
  - { id: solo, route: pay, when: request.path.startsWith("/solo"), verdict: hold, workflow: solo, summary: "Write {request.path}" }
  - { id: strict, route: pay, when: request.path.startsWith("/strict"), verdict: hold, workflow: strict, summary: "Write {request.path}" }
workflows:
  one: { assurance: click, steps: [ { notify: ["person:ada", "person:grace"], via: [slack], for: 30m } ] }
  two: { approvals: 2, assurance: click, steps: [ { notify: ["person:ada", "person:grace"], via: [slack], for: 30m } ] }
  solo: { assurance: click, steps: [ { notify: ["person:ada"], via: [slack], for: 30m } ] }
  strict: { assurance: passkey, steps: [ { notify: ["person:ada"], via: [slack], for: 30m } ] }
notifiers: { slack: { bot_token: { env: BOT }, signing_secret: { file: slack-secret }, api_url: "${slack.url}" } }
`;
const g = new Gateway(process.env.SALLYPORT_BINARY, { base: makeBase('slack'), configuration, environment: { BOT: slack.token } });
await g.configure();
const secretFile = `${g.base}/config/slack-secret`;
fs.writeFileSync(secretFile, `${SECRET}\n`, { mode: 0o600 });
await g.start();
after(async () => {
  await g.stop();
  await slack.stop();
  upstream.close();
  upstream.closeAllConnections();
  fs.rmSync(g.base, { recursive: true, force: true });
});
const people = { ada: await g.approver('ada', 'Ada Lovelace'), grace: await g.approver('grace', 'Grace Hopper') };
const agent = await g.agent('bot', 'ada', ['pay']);
const url = `${g.publicUrl}/slack/interactivity`;
const ada = new SlackPerson({ url, secret: SECRET, user: 'UADA', name: 'ada.l' });
const grace = new SlackPerson({ url, secret: SECRET, user: 'UGRACE', name: 'grace.h' });
const stranger = new SlackPerson({ url, secret: SECRET, user: 'USTRANGER' });

async function hold(path) {
  const answer = await agent.call('POST', `/pay${path}`, { body: { amount: 9 }, headers: { Prefer: 'respond-async' } });
  assert.equal(answer.status, 202);
  return (await answer.json()).hold;
}
const state = async (id) => (await agent.call('GET', `/.sallyport/holds/${id}`)).json();
/** The card of that hold in somebody's conversation: [place, message]. */
const card = (id, who) =>
  until(`${who.user} is told`, () => [...slack.messages].find(([place, m]) => place.startsWith(`D${who.user.slice(1)}/`) && m.metadata.event_payload.hold === id));
const whispers = (who) => slack.calls.filter((c) => c.method === 'chat.postEphemeral' && c.arguments.user === who.user);
/** What is whispered while `act` runs and after it. */
async function whispered(who, act) {
  const before = whispers(who).length;
  const answer = await act();
  assert.equal(answer.status, 200);
  assert.equal(await answer.text(), '');
  return (await until('it is whispered', () => whispers(who)[before])).arguments;
}
const said = async (who, act) => (await whispered(who, act)).text;
const ended = (id, who, status) => until(`the card of ${who.user} says ${status}`, async () => {
  const [, message] = await card(id, who);
  return message.blocks[0].text.text === status && !buttons(message).includes(APPROVE) && message;
});
const asPerson = (person, method, at) =>
  fetch(`${g.publicUrl}/api/v1${at}`, { method, headers: { Origin: g.publicUrl, Cookie: person.cookie, 'Content-Type': 'application/json' }, ...(method === 'POST' ? { body: '{}' } : {}) });
const tokenOf = (blocks) => new URL(blocks.flatMap((b) => b.elements ?? []).find((e) => e.url).url).pathname.split('/').pop();

test('an account is connected by a press in Slack and one here', async () => {
  const id = await hold('/one/connect');
  const [place, message] = await card(id, ada);
  const asked = await whispered(ada, () => ada.press(message, place, APPROVE));
  assert.match(asked.text, /not connected/);
  assert.equal((await state(id)).status, 'held');
  const token = tokenOf(asked.blocks);

  assert.equal((await fetch(`${g.publicUrl}/slack/${token}`)).status, 200, 'the page');
  assert.equal((await fetch(`${g.publicUrl}/api/v1/slack-links/${token}`)).status, 401);
  const shown = await (await asPerson(people.ada, 'GET', `/slack-links/${token}`)).json();
  assert.deepEqual(shown.account, { team: 'T1', user: 'UADA', team_domain: 'example', user_name: 'ada.l' });
  assert.equal(shown.person.handle, 'ada');
  assert.equal((await asPerson(people.ada, 'POST', `/slack-links/${token}`)).status, 201);
  assert.equal((await asPerson(people.ada, 'POST', `/slack-links/${token}`)).status, 409, 'used');

  const command = await (await grace.write()).json();
  assert.equal(command.response_type, 'ephemeral');
  assert.equal((await asPerson(people.grace, 'POST', `/slack-links/${tokenOf(command.blocks)}`)).status, 201);
  assert.equal((await (await asPerson(people.grace, 'GET', '/me/slack')).json()).slack.user, 'UGRACE');

  assert.equal((await ada.press(message, place, APPROVE)).status, 200);
  await ended(id, ada, 'Approved and sent');
  await ended(id, grace, 'Approved and sent');
});

test('approved by a click: sent once, however often it is pressed, and all cards say so', async () => {
  const id = await hold('/one/approve');
  const [place, message] = await card(id, ada);
  assert.ok(buttons(message).includes(APPROVE));
  const click = ada.signed(ada.click(message, place, APPROVE));
  const answers = await Promise.all(Array.from({ length: 10 }, () => ada.post(click)));
  for (const answer of answers) assert.equal(answer.status, 200);
  const answer = await agent.collect(id);
  assert.equal(answer.status, 201);
  await ended(id, ada, 'Approved and sent');
  await ended(id, grace, 'Approved and sent');
  assert.equal(received.filter((at) => at === '/one/approve').length, 1);
  assert.match(await said(ada, () => ada.post(click)), /Approved by Ada Lovelace and sent; the upstream answered 201/);
  const audit = await until('it is in the log', async () => {
    const { audit: found } = await (await asPerson(people.ada, 'GET', `/audit?kind=decision&hold=${id}`)).json();
    return found.length > 0 && found;
  });
  assert.deepEqual(audit.map((e) => [e.data.channel, e.data.assurance]), [['slack', 'click']]);
  const evidence = JSON.parse(audit[0].data.evidence);
  assert.equal(evidence.signature, click.headers['X-Slack-Signature']);
  assert.equal(evidence.body_sha256, crypto.createHash('sha256').update(click.body).digest('base64url'));
});

test('denied in a dialog: the agent is told why', async () => {
  const id = await hold('/one/deny');
  const [place, message] = await card(id, ada);
  const before = slack.calls.length;
  assert.equal((await ada.press(message, place, DENY)).status, 200);
  const { view } = (await until('it is asked why', () => slack.calls.slice(before).find((c) => c.method === 'views.open'))).arguments;
  assert.equal((await (await ada.answer(view, '   ')).json()).response_action, 'errors');
  assert.match(Object.values((await (await grace.answer(view, 'mine')).json()).errors)[0], /somebody else/);
  assert.equal((await state(id)).status, 'held');
  const taken = await ada.answer(view, 'Refunded twice already');
  assert.deepEqual([taken.status, await taken.text()], [200, '']);
  const refused = await agent.collect(id);
  assert.equal(refused.status, 403);
  assert.equal((await refused.json()).reason, 'Refunded twice already');
  await ended(id, ada, 'Denied');
  assert.match(Object.values((await (await ada.answer(view, 'again')).json()).errors)[0], /Denied by Ada Lovelace: Refunded twice already/);
  assert.ok(!received.includes('/one/deny'));
});

test('two who press at once', async () => {
  for (let round = 0; round < 5; ++round) {
    const id = await hold(`/one/race/${round}`);
    const [mine, hers] = [await card(id, ada), await card(id, grace)];
    await Promise.all([ada.press(mine[1], mine[0], APPROVE), grace.press(hers[1], hers[0], APPROVE)]);
    await ended(id, ada, 'Approved and sent');
    await ended(id, grace, 'Approved and sent');
    assert.equal(received.filter((at) => at === `/one/race/${round}`).length, 1);
  }
  const id = await hold('/two/both');
  const [mine, hers] = [await card(id, ada), await card(id, grace)];
  await Promise.all([ada.press(mine[1], mine[0], APPROVE), grace.press(hers[1], hers[0], APPROVE)]);
  await ended(id, ada, 'Approved and sent');
  assert.equal(received.filter((at) => at === '/two/both').length, 1);
});

test('one of two: whoever pressed is told that it counts', async () => {
  const id = await hold('/two/one');
  const [place, message] = await card(id, ada);
  assert.equal(await said(ada, () => ada.press(message, place, APPROVE)), 'Your approval is in: 1 of 2.');
  assert.match(await said(ada, () => ada.press(message, place, APPROVE)), /decided already/);
  assert.equal((await state(id)).approvals.given, 1);
  const [there, hers] = await card(id, grace);
  await grace.press(hers, there, APPROVE);
  await ended(id, ada, 'Approved and sent');
});

test('what is not Slack’s, or not theirs to press, decides nothing', async () => {
  const id = await hold('/one/forged');
  const [place, message] = await card(id, ada);
  const click = ada.click(message, place, APPROVE);
  const now = Math.floor(Date.now() / 1000);
  const right = ada.signed(click);
  const changed = (headers) => ({ body: click, headers: { ...right.headers, ...headers } });
  for (const [name, request] of [
    ['another secret', ada.signed(click, { secret: 'other' })], ['an old one', ada.signed(click, { at: now - 310 })], ['one of tomorrow', ada.signed(click, { at: now + 310 })],
    ['another body', { ...right, body: `${click}&x=1` }], ['no signature', changed({ 'X-Slack-Signature': '' })], ['another time', changed({ 'X-Slack-Request-Timestamp': String(now - 1) })],
  ]) {
    const answer = await ada.post(request);
    assert.deepEqual([answer.status, (await answer.json()).type], [401, 'urn:sallyport:problem:unauthenticated'], name);
  }
  assert.match(await said(grace, () => grace.press(message, place, APPROVE)), /sent to somebody else/);
  assert.match(await said(stranger, () => stranger.press(message, place, APPROVE)), /not connected/);
  const abroad = new SlackPerson({ ...ada, team: 'T2' });
  assert.match(await said(ada, () => abroad.press(message, place, APPROVE)), /not connected/);
  assert.equal((await state(id)).status, 'held');
  assert.equal((await state(id)).approvals.given, 0);
  // Slack's requests have no Origin, and one that is there does not matter; the host does.
  const strange = await new Promise((done, failed) => {
    const { hostname, port } = new URL(g.publicUrl);
    const request = http.request({ hostname, port, path: '/slack/interactivity', method: 'POST', headers: { ...right.headers, Host: 'elsewhere.example' } }, (r) => done(r.resume().statusCode));
    request.on('error', failed).end(right.body);
  });
  assert.equal(strange, 421);
  await g.stop();
  assert.equal(g.log().split('\n').filter((line) => line.includes("in Slack's name")).length, 1, 'said once');
  await g.start();
  await ada.press(message, place, APPROVE);
  await ended(id, ada, 'Approved and sent');
});

test('what is well-formed and means nothing is 200; what is not is 400', async () => {
  const send = async (body, headers) => {
    const one = ada.signed(body);
    const answer = await ada.post({ body, headers: { ...one.headers, ...headers } });
    return [answer.status, await answer.text()];
  };
  for (const body of [form({ ssl_check: '1' }), form({ payload: '{"type":"view_closed"}' })]) assert.deepEqual(await send(body), [200, '']);
  for (const body of ['', 'x=%', form({ payload: 'x' }), form({ payload: '{}' })]) assert.equal((await send(body))[0], 400, body);
  assert.equal((await send('{}', { 'Content-Type': 'application/json' }))[0], 400);
  assert.equal((await send(form({ payload: 'x'.repeat(300 << 10) })))[0], 413);
  const got = await fetch(url);
  assert.deepEqual([got.status, got.headers.get('allow')], [405, 'POST']);
});

test('429, 500 and silence of Slack’s: what is to be said is said later, and a dialog that cannot open leads to the page', async () => {
  const id = await hold('/two/bad');
  const [place, message] = await card(id, ada);
  const fails = (status, headers = {}) => (request, response) => response.writeHead(status, headers).end();
  slack.next('chat.postEphemeral', fails(429, { 'Retry-After': '1' }));
  slack.next('chat.postEphemeral', fails(500));
  const before = whispers(ada).length;
  const began = Date.now();
  assert.equal((await ada.press(message, place, APPROVE)).status, 200);
  assert.ok(Date.now() - began < 1000, 'Slack waits three seconds');
  await until('it is said', () => whispers(ada).length === before + 3);
  assert.equal(whispers(ada).at(-1).arguments.text, 'Your approval is in: 1 of 2.');
  const [there, hers] = await card(id, grace);
  for (const how of [fails(500), 'expired_trigger_id', () => {}]) {
    slack.next('views.open', how);
    const told = await whispered(grace, () => grace.press(hers, there, DENY));
    assert.match(told.text, /could not be opened/);
    assert.ok(JSON.stringify(told.blocks).includes(`${g.publicUrl}/holds/${id}`));
  }
  await grace.press(hers, there, APPROVE);
  await ended(id, grace, 'Approved and sent');
});

test('a copy of a card that nobody knows of says how it ended', async () => {
  // The answer to the first post is lost: it is posted again.
  const place = 'DADA/1767603600.000009';
  slack.next('chat.postMessage', (request, response, given) => {
    slack.messages.set(place, given);
    response.writeHead(500).end();
  });
  const id = await hold('/solo/twice');
  const cards = () => [...slack.messages].filter(([, m]) => m.metadata.event_payload.hold === id);
  await until('it is posted twice', () => cards().length === 2);
  const copy = slack.messages.get(place);
  assert.equal((await ada.press(copy, place, APPROVE)).status, 200);
  await until('the known one is brought up to date', () => cards().some(([, m]) => m.blocks[0].text.text === 'Approved and sent'));
  assert.ok(buttons(slack.messages.get(place)).includes(APPROVE), 'nobody knows where the other is');
  for (const action of [APPROVE, DENY]) assert.match(await said(ada, () => ada.press(copy, place, action)), /Approved by Ada Lovelace and sent/);
  assert.equal(received.filter((at) => at === '/solo/twice').length, 1);
});

test('where more than a click is asked, none decides', async () => {
  const id = await hold('/strict');
  const [, message] = await card(id, ada);
  assert.deepEqual(buttons(message), ['sallyport_open']);
  await people.ada.decide(id, await people.ada.sign(id, 'deny', 'no'));
  await ended(id, ada, 'Denied');
});

test('the command lists what waits', async () => {
  const none = await (await ada.write()).json();
  assert.equal(none.text, 'Nothing waits for you.');
  const id = await hold('/two/list');
  const listed = await (await ada.write('anything')).json();
  assert.match(listed.text, /^1 request waits/);
  assert.match(listed.blocks[1].text.text, /^Write \/two\/list\nbot · \d+ min left$/);
  assert.equal(listed.blocks[1].accessory.url, `${g.publicUrl}/holds/${id}`);
  for (let i = 0; i < 20; ++i) await hold(`/two/list/${i}`);
  const many = await (await ada.write()).json();
  assert.match(many.text, /^At least 20/);
  assert.equal(many.blocks.length, 22);
  assert.ok(JSON.stringify(many.blocks).length < 13_000);
});

test('who is connected is told there, and who has ended that is no more', async () => {
  assert.equal((await asPerson(people.ada, 'DELETE', '/me/slack')).status, 200);
  assert.equal((await asPerson(people.ada, 'DELETE', '/me/slack')).status, 404);
  const other = new SlackPerson({ ...ada, user: 'UADA2' });
  const command = await (await other.write()).json();
  assert.equal((await asPerson(people.ada, 'POST', `/slack-links/${tokenOf(command.blocks)}`)).status, 201);
  const id = await hold('/one/elsewhere');
  const [place, message] = await card(id, other);
  assert.ok(![...slack.messages].some(([at, m]) => at.startsWith('DADA/') && m.metadata.event_payload.hold === id));
  assert.match(await said(ada, () => ada.press(message, place, APPROVE)), /not connected/);
  await other.press(message, place, APPROVE);
  await ended(id, other, 'Approved and sent');
});

test('the record holds what Slack gave, and verifies', async () => {
  await g.cli(['audit', 'export', `${g.base}/export`]);
  await g.cli(['audit', 'verify', `${g.base}/export`]);
});

test('the signing secret is read anew each time', async () => {
  fs.writeFileSync(secretFile, 'another\n');
  assert.equal((await ada.write()).status, 401);
  const renewed = new SlackPerson({ ...grace, secret: 'another' });
  assert.equal((await renewed.write()).status, 200);
});
