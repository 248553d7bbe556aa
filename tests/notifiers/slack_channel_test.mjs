// The Slack channel against a stand-in that behaves badly. SLACK_PROBE=… node --test slack_channel_test.mjs
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { after, before, beforeEach, test } from 'node:test';

import { SlackProbe } from './slack_probe.mjs';
import { buttons, SlackServer } from './slack_server.mjs';

const USUAL = ['users.lookupByEmail', 'conversations.open', 'chat.postMessage'];
const DECIDING = ['sallyport_approve', 'sallyport_deny', 'sallyport_open'];

let slack, probe;
const options = (more = {}) => probe.ask({ do: 'options', api_url: slack.url, token: slack.token, timeout: 1500, connect_timeout: 1000, ...more });
const deliver = (notice = {}) => probe.ask({ do: 'deliver', notice });
before(async () => {
  slack = await new SlackServer().start();
  probe = new SlackProbe();
});
after(async () => {
  assert.equal(await probe?.end(), 0);
  assert.equal(probe?.errors, '');
  await slack?.stop();
});
beforeEach(async () => {
  slack.forget();
  await options(); // and nothing is remembered
});

test('a person is found by email, written to directly, and remembered', async () => {
  const first = await deliver();
  assert.match(first.delivered, /^D0123456789\/1767603601\.\d+$/);
  assert.deepEqual(slack.methods(), USUAL);
  assert.ok(slack.calls.every((call) => call.authorization === `Bearer ${slack.token}`));
  const message = slack.messages.get(first.delivered);
  assert.deepEqual(buttons(message), DECIDING);
  assert.deepEqual(message.metadata, {
    event_type: 'sallyport_notice',
    event_payload: { key: 'hld_01JGT0000000000000000000H1/per_01JGT0000000000000000000P1/asked', hold: message.metadata.event_payload.hold, kind: 'asked' },
  });
  slack.calls = [];
  const second = await deliver({ key: 'another' });
  assert.notEqual(second.delivered, first.delivered);
  assert.deepEqual(slack.methods(), ['chat.postMessage']);
});

test('what was remembered is asked anew when its time is over', async () => {
  await options({ remember: 0 });
  await deliver();
  await deliver();
  assert.deepEqual(slack.methods(), [...USUAL, ...USUAL]);
});

test('a Slack user that is known is not looked up', async () => {
  assert.ok((await deliver({ slack_user: 'U0123456789' })).delivered);
  assert.deepEqual(slack.methods(), ['conversations.open', 'chat.postMessage']);
});

test('an email address is escaped', async () => {
  slack.users.set('a+b&users=x@exämple.com', { id: 'U0000000002' });
  assert.match((await deliver({ email: 'a+b&users=x@exämple.com' })).delivered, /^D0000000002\//);
});

test('a conversation that is gone is looked for anew, once', async () => {
  await deliver();
  slack.calls = [];
  slack.next('chat.postMessage', 'channel_not_found');
  assert.ok((await deliver()).delivered);
  assert.deepEqual(slack.methods(), ['chat.postMessage', ...USUAL]);
  slack.calls = [];
  slack.next('chat.postMessage', 'channel_not_found');
  slack.next('chat.postMessage', 'channel_not_found');
  assert.equal((await deliver()).not_delivered, 'address');
  assert.deepEqual(slack.methods(), ['chat.postMessage', ...USUAL]);
});

test('recipients whom nothing reaches', async () => {
  slack.users.set('gone@example.com', { id: 'U0000000003', deleted: true });
  slack.users.set('bot@example.com', { id: 'U0000000004', is_bot: true });
  for (const notice of [{ email: 'nobody@example.com' }, { email: '' }, { email: 'gone@example.com' }, { email: 'bot@example.com' }, { slack_user: 'U9999999999' }, { slack_user: '../x' }])
    assert.equal((await deliver(notice)).not_delivered, 'address', JSON.stringify(notice));
  assert.equal((await deliver({ nobody: true })).not_delivered, 'never');
  assert.ok(!slack.methods().includes('chat.postMessage'));
});

test('what has ended is written into the message that asked', async () => {
  const asked = await deliver();
  const ended = await deliver({ status: 'denied', reason: 'no\nmore <!channel>', earlier_ref: asked.delivered });
  assert.equal(ended.delivered, asked.delivered);
  const message = slack.messages.get(asked.delivered);
  assert.deepEqual(buttons(message), ['sallyport_open']);
  assert.equal(message.text, 'Denied by Ada Lovelace and Grace Hopper: no↵more &lt;!channel&gt; (refund-bot)');
  assert.deepEqual(slack.methods(), [...USUAL, 'chat.update']);
});

test('where the earlier message is gone, the outcome comes below it', async () => {
  for (const error of ['message_not_found', 'cant_update_message', 'edit_window_closed']) {
    slack.forget();
    slack.next('chat.update', error);
    const ended = await deliver({ status: 'expired', earlier_ref: 'D0123456789/1767603601.999999' });
    assert.deepEqual(slack.methods(), ['chat.update', 'chat.postMessage']);
    assert.equal(slack.messages.get(ended.delivered).thread_ts, '1767603601.999999');
  }
});

test('where nothing can come below it either, it is a message of its own', async () => {
  slack.next('chat.postMessage', 'thread_not_found');
  const ended = await deliver({ status: 'expired', earlier_ref: 'D0123456789/1767603601.999999' });
  assert.deepEqual(slack.methods(), ['chat.update', 'chat.postMessage', ...USUAL]);
  assert.equal(slack.messages.get(ended.delivered).thread_ts, undefined);
});

test('an earlier place that is another workspace’s, or none', async () => {
  slack.next('chat.update', 'channel_not_found');
  assert.ok((await deliver({ status: 'expired', earlier_ref: 'D9999999999/1767603601.000001' })).delivered);
  for (const earlier_ref of ['', 'x', 'D1', '/1.2', 'D1/', 'D1/1.2/3', '../1.2', 'd1/1.2']) {
    slack.forget();
    assert.ok((await deliver({ status: 'expired', earlier_ref })).delivered);
    assert.ok(!slack.methods().includes('chat.update'), earlier_ref);
  }
});

test('an update that fails otherwise is tried again as an update', async () => {
  const asked = await deliver();
  slack.next('chat.update', 'internal_error');
  assert.equal((await deliver({ status: 'expired', earlier_ref: asked.delivered })).not_delivered, 'later');
  slack.next('chat.update', 'invalid_blocks');
  assert.equal((await deliver({ status: 'expired', earlier_ref: asked.delivered })).not_delivered, 'never');
});

test('each refusal, at each step', async () => {
  const table = {
    later: ['ratelimited', 'internal_error', 'fatal_error', 'service_unavailable', 'request_timeout', 'invalid_auth', 'token_revoked', 'account_inactive', 'missing_scope', 'not_authed', 'what_is_new'],
    address: ['users_not_found', 'user_disabled', 'channel_not_found', 'cannot_dm_bot', 'is_archived'],
    never: ['invalid_blocks', 'msg_too_long'],
  };
  for (const [kind, errors] of Object.entries(table))
    for (const error of errors)
      for (const method of USUAL) {
        await options();
        slack.next(method, error);
        const answer = await deliver();
        assert.equal(answer.not_delivered, kind, `${method}: ${error}`);
        assert.ok(answer.why.startsWith(`${method}: Slack answers ${error}`), answer.why);
      }
});

test('a rate limit says how long to wait', async () => {
  slack.next('chat.postMessage', (request, response) => response.writeHead(429, { 'Retry-After': '30' }).end());
  assert.deepEqual(await deliver(), { not_delivered: 'later', why: 'chat.postMessage: Slack was asked too often (HTTP 429).', pause: 30_000 });
  for (const wait of ['-1', 'soon', '99999999999999999999', '']) {
    slack.next('chat.postMessage', (request, response) => response.writeHead(429, { 'Retry-After': wait }).end());
    const answer = await deliver();
    assert.equal(answer.not_delivered, 'later');
    assert.ok(answer.pause === undefined || (answer.pause > 0 && answer.pause <= 3_600_000), `${wait}: ${answer.pause}`);
  }
});

test('answers that are none', async () => {
  const ways = {
    'status 500': (request, response) => response.writeHead(500).end('{"ok":true}'),
    'status 503 with a page': (request, response) => response.writeHead(503).end('<html>'),
    'a redirect, not followed': (request, response) => response.writeHead(307, { Location: `${slack.url}elsewhere` }).end(),
    'a page': (request, response) => response.end('<html>'),
    nothing: (request, response) => response.end(),
    'ok, no more': (request, response) => response.end('{"ok":true}'),
    'ids that are none': (request, response) => response.end('{"ok":true,"user":{"id":"../x"},"channel":{"id":"a b"}}'),
    'types that are others': (request, response) => response.end('{"ok":true,"user":"U1","channel":["D1"]}'),
    'a depth of 100,000': (request, response) => response.end(`{"ok":true,"a":${'['.repeat(100_000)}`),
    'a dropped connection': (request) => request.socket.destroy(),
    'a reset connection': (request) => request.socket.resetAndDestroy(),
    'an end within the body': (request, response) => {
      response.writeHead(200, { 'Content-Length': 100 });
      response.write('{"ok":');
      setTimeout(() => request.socket.destroy(), 20);
    },
    'no HTTP': (request) => request.socket.end('SSH-2.0-x\r\n'),
    'a status line of 1 MiB': (request) => request.socket.end(`HTTP/1.1 200 ${'x'.repeat(1 << 20)}\r\nContent-Length: 0\r\n\r\n`),
    'a head of 1 MiB': (request) => request.socket.end(`HTTP/1.1 200 OK\r\n${`A: ${'x'.repeat(1000)}\r\n`.repeat(1000)}Content-Length: 0\r\n\r\n`),
  };
  for (const [name, how] of Object.entries(ways))
    for (const method of USUAL.slice(0, 2)) {
      await options();
      slack.next(method, how);
      const answer = await deliver();
      assert.equal(answer.not_delivered, 'later', `${method}, ${name}: ${JSON.stringify(answer)}`);
      assert.ok(!answer.why.includes(slack.token));
    }
});

test('an answer longer than 1 MiB is not read on', async () => {
  for (const length of [undefined, 1 << 30]) {
    let sent = 0;
    const ended = new Promise((resolve) =>
      slack.next('chat.postMessage', (request, response) => {
        if (length) response.setHeader('Content-Length', length);
        const more = () => {
          while (!response.destroyed && sent < 1 << 28 && response.write('x'.repeat(1 << 16))) sent += 1 << 16;
        };
        response.on('drain', more).on('close', resolve);
        more();
      }));
    const answer = await deliver();
    assert.deepEqual(answer, { not_delivered: 'later', why: 'chat.postMessage: the answer is longer than is read.' });
    await ended;
    assert.ok(sent < 1 << 26, `${sent} bytes`);
  }
});

test('whoever is slow is waited for as long as was said, not longer', async () => {
  const drip = (piece) => (request) => {
    const timer = setInterval(() => request.socket.write(piece), 100);
    request.socket.on('close', () => clearInterval(timer)).on('error', () => {});
  };
  const ways = {
    'no answer': () => {},
    'a status line that drips': (request) => (request.socket.write('HTTP/1.1 200 '), drip('x')(request)),
    'a head that drips': (request) => (request.socket.write('HTTP/1.1 200 OK\r\n'), drip('A: b\r\n')(request)),
    'a body that drips': (request) => (request.socket.write('HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n'), drip(' ')(request)),
  };
  for (const [name, how] of Object.entries(ways)) {
    slack.next('chat.postMessage', how);
    const began = performance.now();
    const answer = await deliver();
    const took = performance.now() - began;
    assert.equal(answer.not_delivered, 'later', name);
    assert.ok(took > 1300 && took < 3000, `${name}: ${took} ms`);
  }
});

test('an answer that was lost may post twice: the same key, the same buttons', async () => {
  let lost;
  slack.next('chat.postMessage', (request, response, given) => {
    lost = given; // it was posted
    request.socket.destroy();
  });
  assert.equal((await deliver()).not_delivered, 'later');
  const again = await deliver();
  assert.deepEqual(slack.messages.get(again.delivered), lost);
});

test('nobody listens, and nobody of that name', async () => {
  const closed = await new Promise((resolve) => {
    const server = net.createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
  for (const api_url of [`http://127.0.0.1:${closed}/api/`, 'https://no-such-host.invalid/api/']) {
    await options({ api_url });
    assert.equal((await deliver()).not_delivered, 'later', api_url);
  }
});

test('the token goes nowhere in the clear but to this machine, and no proxy sees it', async () => {
  for (const api_url of ['http://slack.example/api/', 'http://127.0.0.1.example/api/', 'http://127.0.0.1@slack.example/api/', 'HTTP://slack.example/api/', 'ftp://127.0.0.1/', 'file:///etc/']) {
    await options({ api_url });
    const answer = await deliver();
    assert.equal(answer.not_delivered, 'later');
    assert.match(answer.why, /by https only/, api_url);
  }
});

test('a token that is wrong, missing, or would begin another header field', async () => {
  for (const [token, why] of [['xoxb-other', /invalid_auth.*operator/], ['', /no bot token.*operator/], ['a\r\nX: y', /control character/]]) {
    await options({ token });
    const answer = await deliver();
    assert.equal(answer.not_delivered, 'later');
    assert.match(answer.why, why);
    assert.ok(token === '' || !answer.why.includes(token));
  }
});

test('certificates are checked: their issuer, and their name', async () => {
  const base = fs.mkdtempSync(path.join(os.tmpdir(), 'sallyport-slack-'));
  const pair = (name, san) => {
    const at = (end) => path.join(base, `${name}.${end}`);
    execFileSync('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2', '-subj', `/CN=${name}`, '-addext', `subjectAltName=${san}`, '-keyout', at('key'), '-out', at('pem')], { stdio: 'ignore' });
    return { key: fs.readFileSync(at('key')), cert: fs.readFileSync(at('pem')), file: at('pem') };
  };
  const right = pair('right', 'IP:127.0.0.1');
  const other = pair('other', 'DNS:slack.example');
  const sealed = await new SlackServer(right).start();
  const misnamed = await new SlackServer(other).start();
  try {
    const tried = async (server, ca_file) => {
      await options({ api_url: server.url, ca_file });
      return deliver();
    };
    assert.ok((await tried(sealed, right.file)).delivered);
    for (const [server, ca_file] of [[sealed, ''], [sealed, other.file], [misnamed, other.file], [sealed, path.join(base, 'none.pem')]])
      assert.equal((await tried(server, ca_file)).not_delivered, 'later', ca_file);
    assert.deepEqual(misnamed.calls, []);
    assert.deepEqual(sealed.methods(), USUAL);
  } finally {
    await sealed.stop();
    await misnamed.stop();
    fs.rmSync(base, { recursive: true, force: true });
  }
});

test('a dialog and a whisper', async () => {
  assert.deepEqual(await probe.ask({ do: 'ask_why' }), {});
  assert.deepEqual(await probe.ask({ do: 'whisper' }), {});
  assert.deepEqual(slack.methods(), ['views.open', 'chat.postEphemeral']);
  slack.next('views.open', 'expired_trigger_id');
  assert.equal((await probe.ask({ do: 'ask_why' })).not_delivered, 'never');
});
