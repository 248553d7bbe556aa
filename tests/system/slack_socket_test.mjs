// Slack's Socket Mode: nothing comes in, the program fetches what people do. The stand-in's sockets are cut, replaced and silent.
// SALLYPORT_BINARY=… node --test slack_socket_test.mjs
import assert from 'node:assert/strict';
import fs from 'node:fs';
import http from 'node:http';
import { after, test } from 'node:test';
import { SlackPerson } from '../notifiers/slack_person.mjs';
import { SlackServer } from '../notifiers/slack_server.mjs';
import { SlackSockets } from '../notifiers/slack_sockets.mjs';
import { Gateway, makeBase, until } from './gateway.mjs';

const APP_TOKEN = 'xapp-of-the-test';
const received = [];
const upstream = http.createServer((request, response) => {
  request.resume();
  received.push(request.url);
  response.writeHead(201).end('{}');
});
await new Promise((on) => upstream.listen(0, '127.0.0.1', on));
const slack = await new SlackServer().start();
slack.users = new Map([['ada@example.com', { id: 'UADA', deleted: false, is_bot: false }]]);
slack.appToken = APP_TOKEN;
const sockets = await new SlackSockets().start();
slack.socketUrl = sockets.url;

const g = new Gateway(process.env.SALLYPORT_BINARY, {
  base: makeBase('slack-socket'),
  configuration: `routes: [ { id: pay, prefix: /pay, upstream: "http://127.0.0.1:${upstream.address().port}" } ]
policies: [ { id: one, route: pay, when: "true", verdict: hold, workflow: one, summary: "Write {request.path}" } ]
workflows: { one: { assurance: click, steps: [ { notify: ["person:ada"], via: [slack], for: 30m } ] } }
notifiers: { slack: { bot_token: { env: BOT }, app_token: { env: APP }, api_url: "${slack.url}" } }
`,
  environment: { BOT: slack.token, APP: APP_TOKEN },
});
await g.start();
after(async () => {
  await g.stop();
  sockets.stop();
  await slack.stop();
  upstream.close();
  upstream.closeAllConnections();
  fs.rmSync(g.base, { recursive: true, force: true });
});
const approver = await g.approver('ada', 'Ada Lovelace');
const agent = await g.agent('bot', 'ada', ['pay']);
const ada = new SlackPerson({ url: `${g.publicUrl}/slack/interactivity`, secret: 'none', user: 'UADA', name: 'ada.l' });

let envelopes = 0;
/** What a form would bring, in an envelope; gives its acknowledgement. */
async function deliver(body, { pieces = 1, socket = sockets.last } = {}) {
  const fields = Object.fromEntries(new URLSearchParams(body));
  const envelope_id = `envelope-${++envelopes}`;
  const [type, payload] = fields.payload ? ['interactive', JSON.parse(fields.payload)] : ['slash_commands', fields];
  socket.send({ envelope_id, type, payload, accepts_response_payload: true }, pieces);
  const began = Date.now();
  const word = await until('it is acknowledged', () => socket.acknowledged(envelope_id), { within: 5000 });
  assert.ok(Date.now() - began < 3000, 'Slack waits three seconds');
  return word;
}
const opened = (count) => until(`socket ${count} is open`, () => sockets.sockets.length >= count && sockets.last);
async function hold(path) {
  const answer = await agent.call('POST', `/pay${path}`, { body: { amount: 9 }, headers: { Prefer: 'respond-async' } });
  assert.equal(answer.status, 202);
  const { hold: id } = await answer.json();
  const [place, message] = await until('it is told', () => [...slack.messages].find(([, m]) => m.metadata.event_payload.hold === id));
  return { id, place, message };
}
const isOver = (place, how) => until(`the card says ${how}`, () => slack.messages.get(place).blocks[0].text.text === how);

test('connects by the app’s token, and does what is pressed', async () => {
  assert.equal((await opened(1)).target, '/link/?ticket=t');
  assert.equal((await fetch(ada.url, { method: 'POST' })).status, 404, 'nothing is taken from outside');
  const { payload } = await deliver(ada.command());
  const link = payload.blocks.flatMap((b) => b.elements ?? []).find((e) => e.url).url;
  const headers = { Origin: g.publicUrl, Cookie: approver.cookie, 'Content-Type': 'application/json' };
  assert.equal((await fetch(`${g.publicUrl}/api/v1/slack-links/${new URL(link).pathname.split('/').pop()}`, { method: 'POST', headers, body: '{}' })).status, 201);

  const { id, place, message } = await hold('/click');
  const click = ada.click(message, place, 'sallyport_approve');
  const words = await Promise.all([deliver(click, { pieces: 7 }), deliver(click), deliver(click)]);
  for (const word of words) assert.deepEqual(Object.keys(word), ['envelope_id']);
  await isOver(place, 'Approved and sent');
  assert.deepEqual(received, ['/click']);
  assert.ok(sockets.last.pongs.length >= 6, 'pings are answered');
  const entry = await until('it is in the log', async () => (await (await fetch(`${g.publicUrl}/api/v1/audit?kind=decision&hold=${id}`, { headers })).json()).audit[0]);
  assert.match(JSON.parse(entry.data.evidence).envelope, /^envelope-\d+$/);
});

test('a dialog’s answer, right and wrong', async () => {
  const { id, place, message } = await hold('/deny');
  await deliver(ada.click(message, place, 'sallyport_deny'));
  const { view } = (await until('it is asked why', () => slack.calls.find((c) => c.method === 'views.open' && c.arguments.view.private_metadata.includes(id)))).arguments;
  assert.equal((await deliver(ada.submit(view, ' '))).payload.response_action, 'errors');
  assert.deepEqual(Object.keys(await deliver(ada.submit(view, 'no'))), ['envelope_id']);
  await isOver(place, 'Denied');
});

test('what means nothing is acknowledged, what cannot be read is left', async () => {
  const socket = sockets.last;
  for (const envelope of [{ type: 'events_api', payload: {} }, { type: 'interactive', payload: { type: 'block_actions' } }, { type: 'interactive' }, { type: 'slash_commands', payload: {} }]) {
    const envelope_id = `other-${++envelopes}`;
    socket.send({ envelope_id, ...envelope });
    await until('it is acknowledged', () => socket.acknowledged(envelope_id), { within: 5000 });
  }
  for (const text of ['x', '[]', '{"envelope_id":"y"}']) socket.send(text);
  assert.equal((await deliver(ada.command())).payload.text, 'Nothing waits for you.');
});

test('sockets that end, are cut, refused or say nothing: the next one is there', async () => {
  const next = async (what) => {
    const count = sockets.sockets.length;
    await what();
    await opened(count + 1);
    assert.equal((await deliver(ada.command())).payload.text, 'Nothing waits for you.');
  };
  await next(() => sockets.last.send({ type: 'disconnect', reason: 'refresh_requested' }));
  await next(() => sockets.last.cut());
  await next(() => {
    slack.next('apps.connections.open', 'internal_error');
    slack.next('apps.connections.open', (request, response) => response.writeHead(500).end());
    sockets.last.cut();
  });
  // One in the middle of a message.
  await next(() => {
    sockets.last.stream.write(Buffer.from([0x81, 100, 0x7b]));
    sockets.last.cut();
  });
  // A frame that is none.
  await next(() => sockets.last.stream.write(Buffer.alloc(16, 0xff)));
});

test('a replica that ends lets go at once', async () => {
  const began = Date.now();
  assert.equal(await g.stop(), 0);
  assert.ok(Date.now() - began < 8000);
  await until('its socket is closed', () => sockets.last.closed);
});
