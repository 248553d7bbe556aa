// Mail as others take and read it: smtp-server is the server in all its moods, mailparser the reader.
// SALLYPORT_DELIVER_MAIL=… node --test mail_test.mjs
import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { simpleParser } from 'mailparser';
import { Authority, deliver, reply, serve, serveRaw } from './mail_server.mjs';

let directory, ours, theirs, good;
before(() => {
  directory = fs.mkdtempSync(path.join(os.tmpdir(), 'sallyport-mail-'));
  ours = new Authority(directory, 'ours');
  theirs = new Authority(directory, 'theirs');
  good = ours.certify('localhost', 'DNS:localhost,IP:127.0.0.1');
});
after(() => fs.rmSync(directory, { recursive: true, force: true }));

const withTls = (certificate, more = {}) => ({ smtp: { ...certificate, disabledCommands: [], ...more } });
const one = async (options, notice = {}) => (await deliver(options, [notice]))[0];
const PASSWORD = 'correct horse "battery" staple';
const onAuth = (auth, session, done) =>
  auth.username === 'gate' && auth.password === PASSWORD ? done(null, { user: 'gate' }) : done(reply(535, `5.7.8 not ${auth.password}`));

/** What mailparser makes of the bytes is what was to be said. */
async function reads(mail, said, { name = 'Ada Lovelace' } = {}) {
  const read = await simpleParser(mail.bytes, { skipHtmlToText: true, skipTextToHtml: true, skipImageLinks: true });
  assert.equal(read.subject, said.subject);
  assert.deepEqual(read.from.value, [{ address: 'gate@example.com', name: 'Sallyport' }]);
  assert.deepEqual(read.to.value, [{ address: 'ada@example.com', name }]);
  assert.equal(read.text, said.text);
  assert.equal(read.html, said.html);
  assert.equal(read.messageId, said.message_ref);
  assert.equal(read.headers.get('auto-submitted'), 'auto-generated');
  assert.equal(read.date.toISOString(), '2026-01-05T09:00:00.000Z');
  assert.deepEqual(read.attachments, []);
  for (const field of ['bcc', 'cc', 'reply-to']) assert.equal(read.headers.has(field), false);
  const lines = mail.bytes.toString('latin1').split('\r\n');
  assert.ok(lines.every((line) => line.length <= 998 && /^[\x20-\x7e]*$/.test(line)));
  return read;
}

test('one hold is one thread', async (t) => {
  const server = await serve(t);
  const [asked, ended, again] = await deliver({ port: server.port }, [{}, { what: 'ended' }, { what: 'ended' }]);
  assert.deepEqual([asked.what, ended.what, again.what], ['delivered', 'delivered', 'delivered']);
  assert.deepEqual(server.mails[0].envelope.mailFrom.address, 'gate@example.com');
  assert.deepEqual(server.mails[0].envelope.rcptTo.map((to) => to.address), ['ada@example.com']);
  assert.equal(server.mails[0].hello, 'example.com');

  const question = await reads(server.mails[0], asked);
  assert.equal(question.references, undefined);
  const answer = await reads(server.mails[1], ended);
  assert.equal(answer.subject, `Re: ${question.subject}`);
  assert.equal(answer.inReplyTo, question.messageId);
  assert.deepEqual([answer.references].flat(), [question.messageId]);
  assert.equal(again.message_ref, ended.message_ref, 'tried again, it is the same message');
  assert.notEqual(asked.message_ref, ended.message_ref);
  assert.equal(server.sessions.length, 1, 'one connection for all of them');
});

test('a reference that was kept is the one that is used', async (t) => {
  const server = await serve(t);
  const said = await one({ port: server.port }, { what: 'ended', earlier_ref: '<kept@example.com>' });
  assert.deepEqual([(await reads(server.mails[0], said)).references].flat(), ['<kept@example.com>']);
});

const HOSTILE = {
  'line breaks': 'x\r\nBcc: eve@example.com\r\n\r\n<h1>Approved</h1>',
  'another language': 'Bitte überweisen Sie 900 € an 家族 👩‍🚀 — Zoë',
  'the right-to-left override': 'pay \u202Eevil\u202C',
  'markup': '</td></tr></table><script>alert(1)</script><a href="https://evil.example">Approve</a>',
  'an encoded word': '=?utf-8?Q?=0D=0ABcc:_eve@example.com?= =?utf-8?B?WA==?=',
  'a boundary': '--=_sallyport-- --=_sallyport',
  'the end of data': '.\r\n.\r\nMAIL FROM:<eve@example.com>',
  'quotes and addresses': '"Eve" <eve@example.com>, \\"Ada\\"; x:',
  'very long': 'many words in a row '.repeat(200),
  'very long, in one': 'ö'.repeat(3000),
  'a kilobyte without blanks': 'x'.repeat(1000),
  'blanks': '   a   \t  b   ',
};
for (const [name, words] of Object.entries(HOSTILE))
  test(`read back as it was meant: ${name}`, async (t) => {
    const server = await serve(t);
    const notices = [{ summary: words, target: words, name: words, agent: words }, { what: 'ended', summary: words, target: words, name: words, reason: words }];
    const said = await deliver({ port: server.port }, notices);
    for (const i of [0, 1]) {
      assert.equal(said[i].what, 'delivered');
      const shown = words.replace(/\s+/g, ' ').trim().replace(/[\u202A-\u202E]/g, '\uFFFD');
      const { length } = [...shown];
      const read = await reads(server.mails[i], said[i], { name: length > 100 ? `${[...shown].slice(0, 93).join('')}… [cut]` : shown });
      assert.ok(read.text.includes(length > 1000 ? '… [cut]\n' : `\n> ${shown}\n`));
      assert.equal(read.html.match(/<a /g).length, 1);
      assert.equal(server.mails[i].envelope.rcptTo.length, 1);
    }
  });

test('STARTTLS, with a certificate that our authority signed', async (t) => {
  const server = await serve(t, withTls(good, { onAuth, authOptional: false }));
  const options = { port: server.port, tls: 'required', ca: ours.ca, user: 'gate', password: PASSWORD };
  const said = await deliver(options, [{}, {}, {}]);
  assert.deepEqual(said.map((each) => each.what), ['delivered', 'delivered', 'delivered'], said[0].why);
  assert.deepEqual(server.mails.map((mail) => [mail.secure, mail.user]), Array(3).fill([true, 'gate']));
  assert.equal(server.sessions.length, 1);
  await reads(server.mails[0], said[0]);
});

test('TLS from the first byte', async (t) => {
  const server = await serve(t, withTls(good, { secure: true, onAuth, authOptional: false }));
  const said = await one({ port: server.port, tls: 'from_first_byte', ca: ours.ca, user: 'gate', password: PASSWORD });
  assert.equal(said.what, 'delivered', said.why);
  assert.equal(server.mails[0].secure, true);
});

test('many at once', async (t) => {
  const server = await serve(t, withTls(good));
  const notices = Array.from({ length: 12 }, (_, i) => ({ what: 'ended', key: `key-${i}` }));
  const said = await deliver({ port: server.port, tls: 'required', ca: ours.ca, at_once: true }, notices);
  assert.deepEqual(said.map((each) => each.what), Array(12).fill('delivered'));
  assert.equal(new Set(said.map((each) => each.message_ref)).size, 12);
  assert.equal(server.mails.length, 12);
});

test('STARTTLS where it is offered', async (t) => {
  const offers = await serve(t, withTls(good)), offersNot = await serve(t);
  assert.equal((await one({ port: offers.port, tls: 'opportunistic', ca: ours.ca })).what, 'delivered');
  assert.equal((await one({ port: offersNot.port, tls: 'opportunistic', ca: ours.ca })).what, 'delivered');
  assert.deepEqual([offers.mails[0].secure, offersNot.mails[0].secure], [true, false]);
});

test('STARTTLS taken out of the offer: nothing is sent, and no password', async (t) => {
  const passwords = [];
  const server = await serve(t, { smtp: { allowInsecureAuth: true, onAuth: (auth, session, done) => (passwords.push(auth), done(null, { user: 'gate' })) } });
  for (const options of [{ tls: 'required' }, { tls: 'required', user: 'gate', password: PASSWORD }, { tls: 'opportunistic', user: 'gate', password: PASSWORD }]) {
    const said = await one({ port: server.port, ca: ours.ca, ...options });
    assert.equal(said.what, 'later');
    assert.match(said.why, /offers no STARTTLS/);
  }
  assert.deepEqual([server.mails, passwords], [[], []]);
});

test('a certificate that does not verify', async (t) => {
  const wrong = {
    'of another authority': theirs.certify('localhost', 'DNS:localhost,IP:127.0.0.1'),
    'of another host': ours.certify('elsewhere', 'DNS:mail.elsewhere.example'),
  };
  for (const [name, certificate] of Object.entries(wrong))
    for (const [tls, secure] of [['required', false], ['opportunistic', false], ['from_first_byte', true]])
      await t.test(`${name}, ${tls}`, async (t) => {
        const server = await serve(t, withTls(certificate, { secure, onAuth }));
        const said = await one({ port: server.port, tls, ca: ours.ca, user: 'gate', password: PASSWORD });
        assert.equal(said.what, 'later');
        assert.match(said.why, /certificate/);
        assert.equal(server.mails.length, 0);
      });
});

const MOODS = {
  'defers the recipient': [{ onRcptTo: (to, session, done) => done(reply(451, '4.7.1 come back later')) }, 'later', /refused the recipient: 451 4\.7\.1 come back later/],
  'does not know the recipient': [{ onRcptTo: (to, session, done) => done(reply(550, '5.1.1 no such user')) }, 'address', /refused the recipient: 550 5\.1\.1 no such user/],
  'relays nothing': [{ onRcptTo: (to, session, done) => done(reply(554, '5.7.1 relay access denied')) }, 'never', /554 5\.7\.1 relay/],
  'refuses the sender': [{ onMailFrom: (from, session, done) => done(reply(553, '5.7.1 not yours')) }, 'later', /refused the sender: 553/],
  'refuses the message': [{ onData: (stream, session, done) => stream.resume().on('end', () => done(reply(554, '5.7.1 spam: Refund 900 EUR'))) }, 'never', /refused the message: 554 5\.7\.1$/],
  'defers the message': [{ onData: (stream, session, done) => stream.resume().on('end', () => done(reply(451, '4.3.0 later'))) }, 'later', /refused the message: 451 4\.3\.0$/],
  'takes no connections': [{ onConnect: (session, done) => done(reply(421, '4.3.2 too busy')) }, 'later', /did not take the connection: 421/],
  'wants authentication': [{ authOptional: false, allowInsecureAuth: true, onAuth }, 'later', /530.*wants authentication/],
};
for (const [name, [smtp, what, why]] of Object.entries(MOODS))
  test(`a server that ${name}`, async (t) => {
    const server = await serve(t, { smtp });
    const said = await one({ port: server.port });
    assert.equal(said.what, what, said.why);
    assert.match(said.why, why);
    assert.doesNotMatch(said.why, /Refund/, 'no words of the agent');
  });

test('a password that is refused', async (t) => {
  const server = await serve(t, withTls(good, { onAuth, authOptional: false }));
  const said = await one({ port: server.port, tls: 'required', ca: ours.ca, user: 'gate', password: 'not that one' });
  assert.equal(said.what, 'later');
  assert.match(said.why, /refused user or password: 535/);
  assert.doesNotMatch(said.why, /not that one/);
});

test('a password without TLS goes to a loopback address alone', async (t) => {
  const server = await serve(t, { smtp: { onAuth, authOptional: false, allowInsecureAuth: true } });
  assert.equal((await one({ port: server.port, user: 'gate', password: PASSWORD })).what, 'delivered');
  const said = await one({ port: server.port, host: 'mail.invalid', user: 'gate', password: PASSWORD });
  assert.deepEqual([said.what, said.why], ['later', 'no password is sent to mail.invalid without TLS']);
});

const SILENCES = {
  'at first': (t) => serveRaw(t, () => {}),
  'after the recipient': (t) => serve(t, { smtp: { onRcptTo: () => {} } }),
  'after the message': (t) => serve(t, { afterData: () => {} }),
  'after a refusal': (t) =>
    serveRaw(t, (socket) => {
      socket.write('220 here\r\n');
      socket.on('data', (line) => {
        if (/^(EHLO|MAIL)/.test(line)) socket.write('250 ok\r\n');
        else if (/^RCPT/.test(line)) socket.write('550 5.1.1 no such user\r\n');
      });
    }),
};
for (const [name, silent] of Object.entries(SILENCES))
  test(`a server that falls silent ${name}`, async (t) => {
    const server = await silent(t);
    const begun = Date.now();
    const said = await one({ port: server.port, connect: 700, whole: 1500 });
    assert.equal(said.what, name === 'after a refusal' ? 'address' : 'later');
    if (said.what === 'later') assert.match(said.why, /did not answer in time/);
    assert.ok(Date.now() - begun < 5000, `${Date.now() - begun} ms`);
  });

test('a connection that is lost', async (t) => {
  const drop = (server) => server.connections.forEach((connection) => connection._socket.destroy());
  const afterData = await serve(t, { afterData: drop });
  const first = await one({ port: afterData.port });
  assert.equal(first.what, 'later');
  assert.equal(afterData.mails.length, 1, 'whether it was taken is not known: it is not tried again at once');
  const read = await simpleParser(afterData.mails[0].bytes);
  const good = await serve(t);
  assert.equal((await one({ port: good.port })).message_ref, read.messageId, 'but later as the same message');

  assert.equal((await one({ port: (await serveRaw(t, (socket) => socket.destroy())).port })).what, 'later');
  const nobody = await serveRaw(t, () => {});
  assert.equal((await one({ port: nobody.port + 1 < 65536 ? 1 : 2 })).what, 'later');
});

test('a connection that went stale between two messages', async (t) => {
  const endings = { 'in silence': '', 'with a word': '421 4.4.2 idle for too long\r\n' };
  for (const [name, words] of Object.entries(endings))
    await t.test(name, async (t) => {
      let count = 0;
      const server = await serveRaw(t, (socket) => {
        let message = false, stale = false;
        count += 1;
        socket.write('220 here\r\n');
        socket.on('data', (data) => {
          if (stale) return socket.end(words);
          for (const line of data.toString().split('\r\n').slice(0, -1)) {
            if (message) {
              if (line !== '.') continue;
              message = false;
              stale = true;
              socket.write('250 taken\r\n');
              continue;
            }
            if (line === 'DATA') message = true;
            socket.write(message ? '354 go on\r\n' : '250 ok\r\n');
          }
        });
      });
      const said = await deliver({ port: server.port }, [{}, { what: 'ended' }]);
      assert.deepEqual(said.map((each) => each.what), ['delivered', 'delivered'], said[1].why);
      assert.equal(count, 2);
    });
});

test('a server that speaks the rest of TLS before its time', async (t) => {
  // What comes in the clear behind the answer to STARTTLS is not taken for an answer under TLS (CVE-2021-22947).
  const server = await serveRaw(t, (socket) => {
    socket.write('220 here\r\n');
    socket.on('data', (line) => {
      if (/^EHLO/.test(line)) socket.write('250-here\r\n250 STARTTLS\r\n');
      else if (/^STARTTLS/.test(line)) socket.write('220 go on\r\n250-here\r\n250 AUTH PLAIN\r\n235 welcome\r\n250 ok\r\n250 ok\r\n354 go on\r\n250 taken\r\n');
    });
  });
  const said = await one({ port: server.port, tls: 'required', ca: ours.ca, connect: 1000, whole: 1500 });
  assert.equal(said.what, 'later');
});
