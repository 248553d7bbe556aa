// The description of the people's API, as it is served: clean, true, and whole. Redocly lints it; Prism stands in front of
// the live API while every operation is done, and every answer is compared. SALLYPORT_BINARY=… node --test openapi_test.mjs
import assert from 'node:assert/strict';
import fs from 'node:fs';
import http from 'node:http';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { simpleParser } from 'mailparser';
import { SoftwarePasskey } from '../../deploy/sample/passkey.mjs';
import { Gateway, makeBase, until } from '../system/gateway.mjs';
import { SlackPerson } from '../notifiers/slack_person.mjs';
import { serve } from './mail_server.mjs';
import { lint, Prism } from './description.mjs';

// What the API has, by its contract: what is served and what is described are this, no more and no less.
const OPERATIONS = [
  'POST /enrolments/{code}/options', 'POST /enrolments/{code}', 'POST /login/options', 'GET /login/methods', 'POST /login', 'POST /logout', 'GET /me',
  'GET /sessions', 'DELETE /sessions/{session}', 'GET /people/{person}/sessions', 'DELETE /people/{person}/sessions/{session}',
  'GET /holds', 'GET /holds/{id}', 'POST /holds/{id}/statement', 'POST /holds/{id}/decisions', 'DELETE /holds/{id}/decisions/{decision}',
  'GET /agents', 'GET /agents/{agent}', 'GET /people', 'GET /people/{person}', 'GET /grants', 'GET /grants/{grant}', 'DELETE /grants/{grant}',
  'GET /holds/{id}/grant', 'POST /holds/{id}/grant', 'GET /audit', 'GET /events', 'GET /openapi.json',
  'GET /people/{person}/load', 'GET /loads',
  'GET /links/{token}', 'POST /links/{token}', 'GET /channels', 'GET /dead-letters', 'POST /dead-letters/{id}/resend',
  'GET /slack-links/{token}', 'POST /slack-links/{token}', 'GET /me/slack', 'DELETE /me/slack',
  'GET /me/push', 'POST /me/push', 'DELETE /me/push/{browser}',
  'PUT /me/absence', 'DELETE /me/absence',
];
const NOBODY = '00000000000000000000000000';
const filled = (at) => at.replace('{id}', `hld_${NOBODY}`).replace('{decision}', `dec_${NOBODY}`).replace(/\{\w+\}/, 'nobody');

let base, upstream, mail, closeMail, gateway, prism, file, description;
const scope = {};

before(async () => {
  base = makeBase('openapi');
  mail = await serve({ after: (close) => (closeMail = close) });
  upstream = http.createServer((q, r) => q.resume().on('end', () => r.writeHead(q.url === '/gone' ? 410 : 201, { 'content-type': 'application/json' }).end('{"done":true}')));
  await new Promise((listening) => upstream.listen(0, '127.0.0.1', listening));
  gateway = new Gateway(process.env.SALLYPORT_BINARY, {
    base,
    configuration: `
routes: [ { id: pay, prefix: /pay, upstream: "http://127.0.0.1:${upstream.address().port}" } ]
policies:
  - { id: refunds, team: finance, route: pay, when: 'request.path == "/refunds" && body.amount > 5', verdict: hold, workflow: both, summary: "Refund {body.amount}" }
  - { id: closing, route: pay, when: 'request.method == "DELETE"', verdict: hold, workflow: both }
  - { id: easy, route: pay, when: 'request.path == "/easy"', verdict: hold, workflow: easy }
workflows: { easy: { assurance: click, steps: [ { notify: ["person:ada"], via: [email], for: 10m } ] }, both: { approvals: 2, steps: [ { notify: ["team:finance"], via: [gone], for: 10m } ], otherwise: deny } }
notifiers: { slack: { bot_token: { env: HOOK }, signing_secret: { env: HOOK } }, email: { url: "smtp://127.0.0.1:${mail.port}", from: gate@example.com, starttls: never }, webhooks: [ { id: gone, url: "http://127.0.0.1:${upstream.address().port}/gone", secret: { env: HOOK } } ] }
`,
    environment: { HOOK: 'a secret' },
  });
  await gateway.start();
  file = path.join(base, 'openapi.json');
  fs.writeFileSync(file, await (await fetch(`${gateway.publicUrl}/api/v1/openapi.json`)).text());
  description = JSON.parse(fs.readFileSync(file, 'utf8'));
  prism = await Prism.start(file, gateway.publicUrl);
}, { timeout: 60_000 });

after(async () => {
  await prism?.close();
  await gateway?.stop();
  upstream?.close();
  await closeMail?.();
  if (base) fs.rmSync(base, { recursive: true, force: true });
});

/** Somebody who uses the API through Prism. */
class Visitor {
  cookie = '';
  constructor() {
    this.passkey = new SoftwarePasskey(gateway.publicUrl);
  }

  async ask(method, target, body, expected) {
    const got = await prism.ask(method, target, { body, cookie: this.cookie });
    const set = (got.headers['set-cookie'] ?? []).find((c) => c.startsWith('sallyport_session='));
    if (set) this.cookie = set.split(';')[0];
    assert.equal(got.status, expected, `${method} ${target}: ${got.text}`);
    return got.json;
  }

  async enrol(handle, role = 'approver') {
    const [{ link }] = await gateway.cli(['person', 'invite', handle, '--name', handle, '--email', `${handle}@example.com`, '--role', role, '--json']);
    const code = new URL(link).pathname.split('/').pop();
    const options = await this.ask('POST', `/enrolments/${code}/options`, {}, 200);
    await this.ask('POST', `/enrolments/${code}`, this.passkey.create({ ...options, challenge: 'AAAA' }), 422);
    await this.ask('POST', `/enrolments/${code}`, this.passkey.create(options), 201);
    await this.ask('POST', `/enrolments/${code}`, this.passkey.create(options), 404);
    return this;
  }

  async signIn() {
    this.cookie = '';
    const options = await this.ask('POST', '/login/options', {}, 200);
    await this.ask('POST', '/login', this.passkey.get({ ...options, challenge: 'AAAA' }), 422);
    await this.ask('POST', '/login', this.passkey.get(options), 200);
  }

  async signed(hold, decision, reason = null, grant = null) {
    const { statement, webauthn } = await this.ask('POST', `/holds/${hold}/statement`, { decision, reason, grant }, 200);
    return { statement, assertion: this.passkey.get(webauthn) };
  }

  decide(hold, signed, expected = 201) {
    return this.ask('POST', `/holds/${hold}/decisions`, signed, expected);
  }
}

const hold = async (method, at, body) => {
  const answer = await scope.agent.call(method, at, { body, headers: { Prefer: 'respond-async' } });
  assert.equal(answer.status, 202);
  return (await answer.json()).hold;
};

describe('the description', () => {
  test('has nothing that Redocly would mend', async () => {
    const found = await lint(file);
    assert.deepEqual(found.map((p) => `${p.severity} ${p.ruleId}: ${p.message} ${p.location[0].pointer}`), []);
  });

  test('names what the contract and the project name, and nothing else', () => {
    const described = Object.entries(description.paths).flatMap(([at, methods]) => Object.keys(methods).map((m) => `${m.toUpperCase()} ${at}`));
    assert.deepEqual(described.sort(), [...OPERATIONS].sort());
  });

  test('is what is served: other methods are 405 and say which there are, other paths are 404', async () => {
    const direct = (method, at) => fetch(`${gateway.publicUrl}/api/v1${at}`, { method, headers: { origin: gateway.publicUrl } });
    for (const [at, methods] of Object.entries(description.paths)) {
      const there = Object.keys(methods).map((m) => m.toUpperCase());
      if (there.includes('GET')) there.push('HEAD');
      for (const method of ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']) {
        const answer = await direct(method, filled(at));
        if (there.includes(method)) assert.notEqual(answer.status, 405, `${method} ${at}`);
        else assert.deepEqual([answer.status, answer.headers.get('allow')?.split(', ').sort()], [405, there.sort()], `${method} ${at}`);
        await answer.body?.cancel();
      }
      for (const other of [`${filled(at)}/more/and/more/yet`, `${filled(at)}/`, `${filled(at).replace(/^.\w+/, '$&x')}`]) {
        const answer = await direct('GET', other);
        assert.deepEqual([answer.status, (await answer.json()).type], [404, 'urn:sallyport:problem:not-found'], other);
      }
    }
    for (const other of ['', '/', '?x=1', '/enrolments', '/enrolments/', '/healthz', '/decisions', '/methods'])
      assert.equal((await direct('GET', other)).status, 404, other);
  });
});

describe('Prism, in front of the live API', { concurrency: 1 }, () => {
  test('enrolment, signing in and out', async () => {
    await gateway.cli(['team', 'add', 'finance']);
    for (const handle of ['ada', 'grace']) {
      scope[handle] = await new Visitor().enrol(handle);
      await gateway.cli(['team', 'join', 'finance', handle]);
    }
    scope.oscar = await new Visitor().enrol('oscar', 'auditor');
    await scope.ada.ask('POST', '/logout', {}, 204);
    await scope.ada.signIn();
    assert.equal((await scope.ada.ask('GET', '/me', undefined, 200)).person.handle, 'ada');
    assert.deepEqual(await scope.ada.ask('GET', '/login/methods', undefined, 200), { passkey: true, oidc: null });
    scope.agent = await gateway.agent('bot', 'ada', ['pay']);
  });

  test('a grant, from its proposal to its end', async () => {
    const { ada, grace, oscar } = scope;
    const id = await hold('POST', '/pay/refunds', { amount: 6, currency: 'EUR' });
    const { grant } = await ada.ask('GET', `/holds/${id}/grant`, undefined, 200);
    grant.count = 2;
    const { week } = await ada.ask('POST', `/holds/${id}/grant`, { grant }, 200);
    assert.deepEqual([week.covered, week.complete], [0, true]);
    await ada.ask('POST', `/holds/${id}/grant`, { grant: { ...grant, count: 1000, seconds: 60, shape: { ...grant.shape, route: 'other' } } }, 400);
    await oscar.ask('GET', `/holds/${id}/grant`, undefined, 403);
    for (const person of [ada, grace]) await person.decide(id, await person.signed(id, 'approve', null, grant));
    const made = await until('it is there', async () => (await oscar.ask('GET', '/grants?status=active&agent=bot&limit=10', undefined, 200)).grants[0]);
    assert.deepEqual([made.hold, made.by.map((p) => p.handle).sort(), made.may_revoke], [id, ['ada', 'grace'], false]);
    const passed = await hold('POST', '/pay/refunds', { amount: 6, currency: 'EUR' });
    const shown = await oscar.ask('GET', `/grants/${made.id}`, undefined, 200);
    assert.deepEqual([shown.grant.used, shown.calls.map((c) => c.hold)], [1, [passed]]);
    await oscar.ask('DELETE', `/grants/${made.id}`, undefined, 403);
    assert.equal((await ada.ask('DELETE', `/grants/${made.id}`, undefined, 200)).grant.status, 'revoked');
    await ada.ask('DELETE', `/grants/grt_${NOBODY}`, undefined, 404);
  });

  test('a hold, from the queue to its outcome', async () => {
    const { ada, grace, oscar } = scope;
    const { load: before } = await ada.ask('GET', '/people/ada/load?days=30', undefined, 200);
    const id = await hold('POST', '/pay/refunds', { amount: 9, currency: 'EUR' });
    const { holds } = await ada.ask('GET', '/holds?status=held&agent=bot&route=pay&limit=10', undefined, 200);
    assert.deepEqual(holds.map((h) => h.hold), [id]);
    await ada.ask('GET', `/holds/${id}`, undefined, 200);
    await ada.ask('GET', `/holds?alike=${holds[0].alike}&status=held&limit=10`, undefined, 200);

    const signed = await ada.signed(id, 'approve', 'fine');
    await ada.decide(id, { statement: signed.statement }, 403); // assurance-too-low
    const { decision } = await ada.decide(id, signed);
    await ada.ask('DELETE', `/holds/${id}/decisions/${decision.id}`, undefined, 200);
    await ada.ask('DELETE', `/holds/${id}/decisions/${decision.id}`, undefined, 404);
    await ada.decide(id, signed, 409); // statement-stale
    const other = await grace.signed(id, 'approve');
    await grace.decide(id, { ...other, assertion: ada.passkey.get({ challenge: 'AAAA' }) }, 422);
    await ada.decide(id, await ada.signed(id, 'approve', 'fine, on reflection'));
    await oscar.ask('POST', `/holds/${id}/statement`, { decision: 'approve' }, 403); // not-eligible
    await grace.decide(id, await grace.signed(id, 'approve'));
    assert.equal((await ada.ask('GET', '/people/ada/load?days=30', undefined, 200)).load.decided, before.decided + 1);
    await grace.ask('GET', '/people/ada/load', undefined, 403);
    assert.ok((await oscar.ask('GET', '/loads?days=7&limit=100', undefined, 200)).loads.length >= 3);
    const released = await until('it is released', async () => {
      const { hold: now } = await ada.ask('GET', `/holds/${id}`, undefined, 200);
      return now.status === 'released' && now;
    });
    assert.equal(released.outcome.status, 201);
    await ada.ask('POST', `/holds/${id}/statement`, { decision: 'deny' }, 409);
    await ada.decide(id, signed, 409);
    await ada.ask('DELETE', `/holds/${id}/decisions/${decision.id}`, undefined, 409);
  });

  test('one without a body, denied, and one withdrawn', async () => {
    const { ada } = scope;
    const denied = await hold('DELETE', '/pay/account');
    await ada.decide(denied, await ada.signed(denied, 'deny', 'not today'));
    const withdrawn = await hold('DELETE', '/pay/account?of=bot');
    assert.equal((await scope.agent.call('DELETE', `/.sallyport/holds/${withdrawn}`)).status, 200);
    await ada.ask('GET', `/holds/${denied}`, undefined, 200);
    await ada.ask('GET', `/holds/${withdrawn}`, undefined, 200);
    assert.equal((await ada.ask('GET', '/holds?status=denied,withdrawn', undefined, 200)).holds.length, 2);
  });

  test('a link in a mail', async () => {
    const { ada } = scope;
    await hold('POST', '/pay/easy', { amount: 1 });
    const bytes = await until('it is mailed', () => mail.mails[0]?.bytes);
    const token = /\/d\/([\w-]+)/.exec((await simpleParser(bytes)).text)[1];
    const nobody = new Visitor();
    assert.equal((await nobody.ask('GET', `/links/${token}`, undefined, 200)).name, 'ada');
    await nobody.ask('POST', `/links/${token}`, { decision: 'approve' }, 201);
    await nobody.ask('POST', `/links/${token}`, { decision: 'approve' }, 409);
    await nobody.ask('GET', `/links/${token}`, undefined, 200);
    await ada.ask('GET', '/links/x', undefined, 404);
  });

  test('a Slack account', async () => {
    const { ada, grace } = scope;
    const connected = (of) => of.ask('GET', '/me/slack', undefined, 200).then((answer) => answer.slack?.user ?? null);
    const link = async (user) => {
      const answer = await new SlackPerson({ url: `${gateway.publicUrl}/slack/interactivity`, secret: 'a secret', user }).write();
      return /\/slack\/([\w-]+)/.exec(await answer.text())[1];
    };
    assert.equal(await connected(ada), null);
    const token = await link('UADA');
    assert.equal((await ada.ask('GET', `/slack-links/${token}`, undefined, 200)).account.user, 'UADA');
    await ada.ask('POST', `/slack-links/${token}`, {}, 201);
    await ada.ask('POST', `/slack-links/${token}`, {}, 409); // statement-stale
    await ada.ask('GET', `/slack-links/${token}`, undefined, 409);
    await ada.ask('POST', '/slack-links/x', {}, 404);
    const second = await link('UADA2');
    assert.equal((await ada.ask('GET', `/slack-links/${second}`, undefined, 200)).connected.user, 'UADA');
    await ada.ask('POST', `/slack-links/${second}`, {}, 409); // conflict
    assert.equal(await connected(ada), 'UADA');
    assert.equal(await connected(grace), null);
    await ada.ask('DELETE', '/me/slack', undefined, 200);
    await ada.ask('DELETE', '/me/slack', undefined, 404);
  });

  test('a browser that is told', async () => {
    const { ada, grace } = scope;
    const keys = { p256dh: 'BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4', auth: 'BTBZMqHH6r4Tts7J_aSIgg' };
    const { browser } = await ada.ask('POST', '/me/push', { endpoint: 'http://127.0.0.1:9/x', expirationTime: null, keys }, 201);
    assert.deepEqual((await ada.ask('GET', '/me/push', undefined, 200)).browsers, [browser]);
    await grace.ask('POST', '/me/push', { endpoint: 'http://127.0.0.1:9/x', keys: { ...keys, auth: 'AAAAAAAAAAAAAAAAAAAAAA' } }, 403);
    await ada.ask('DELETE', `/me/push/${browser.id}`, undefined, 204);
    await ada.ask('DELETE', `/me/push/${browser.id}`, undefined, 404);
  });

  test('what there is to look up', async () => {
    const { ada, oscar } = scope;
    const { agents } = await ada.ask('GET', '/agents', undefined, 200);
    for (const who of ['bot', agents[0].id]) await ada.ask('GET', `/agents/${who}`, undefined, 200);
    await ada.ask('GET', '/agents/nobody', undefined, 404);
    const { people, next } = await ada.ask('GET', '/people?limit=2', undefined, 200);
    assert.equal((await ada.ask('GET', `/people?limit=2&cursor=${next}`, undefined, 200)).people.length, 1);
    for (const who of ['grace', people[0].id]) await ada.ask('GET', `/people/${who}`, undefined, 200);
    await ada.ask('GET', '/people/nobody', undefined, 404);
    await ada.ask('GET', '/grants', undefined, 200);
    assert.deepEqual((await ada.ask('GET', '/channels', undefined, 200)).channels.map((c) => c.name), ['email', 'gone', 'push', 'slack']);
    const [letter] = (await oscar.ask('GET', '/dead-letters', undefined, 200)).dead_letters;
    assert.equal(letter.why, 'answered 410');
    assert.deepEqual((await ada.ask('GET', '/dead-letters', undefined, 200)).dead_letters, []);
    for (const who of [ada, oscar]) await who.ask('POST', `/dead-letters/${letter.id}/resend`, {}, 403); // not-eligible
    const olga = await new Visitor().enrol('olga', 'operator');
    await olga.ask('POST', `/dead-letters/${letter.id}/resend`, {}, 202);
    await olga.ask('POST', '/dead-letters/0/resend', {}, 404);
    const all = [];
    for (let cursor = ''; cursor !== null; ) {
      const page = await oscar.ask('GET', `/audit?limit=5${cursor && `&cursor=${encodeURIComponent(cursor)}`}`, undefined, 200);
      all.push(...page.audit);
      cursor = page.next;
    }
    assert.deepEqual([...new Set(all.map((e) => e.kind))].sort(), ['admin', 'decision', 'hold', 'outcome', 'release', 'verdict']);
    await ada.ask('GET', '/audit?kind=decision', undefined, 200);
    await ada.ask('GET', `/holds/hld_${NOBODY}`, undefined, 404);
    await prism.ask('GET', '/openapi.json');
  });

  test('sessions: one’s own, and those of others for whom the role says so', async () => {
    const { ada, grace, oscar } = scope;
    const olga = await new Visitor().enrol('olga', 'operator');
    await grace.signIn();
    const { sessions } = await ada.ask('GET', '/sessions', undefined, 200);
    assert.deepEqual(sessions.map((s) => [s.how, s.current]), [['passkey', true]]);
    const of = (await olga.ask('GET', '/people/grace/sessions', undefined, 200)).sessions;
    assert.equal(of.length, 2);
    await ada.ask('GET', '/people/grace/sessions', undefined, 403);
    await olga.ask('GET', '/people/nobody/sessions', undefined, 404);
    await oscar.ask('GET', '/people/grace/sessions', undefined, 200);
    await oscar.ask('DELETE', `/people/grace/sessions/${of[1].id}`, undefined, 403);
    await olga.ask('DELETE', `/people/grace/sessions/${of[1].id}`, undefined, 204);
    await olga.ask('DELETE', `/people/grace/sessions/${of[1].id}`, undefined, 404);
    await ada.ask('DELETE', `/sessions/${of[0].id}`, undefined, 404);
    await ada.ask('DELETE', `/sessions/${sessions[0].id}`, undefined, 204);
    await ada.ask('GET', '/me', undefined, 401);
    await ada.signIn();
  });

  test('being away, and back', async () => {
    const { ada } = scope;
    const until = new Date(Date.now() + 86_400_000).toISOString();
    await ada.ask('PUT', '/me/absence', { until, deputy: 'nobody' }, 404);
    await ada.ask('PUT', '/me/absence', { until, deputy: 'oscar' }, 409);
    const { person } = await ada.ask('PUT', '/me/absence', { until, deputy: 'grace' }, 200);
    assert.equal(person.away.deputy, 'grace');
    await ada.ask('GET', '/people', undefined, 200);
    await ada.ask('DELETE', '/me/absence', undefined, 200);
    await ada.ask('DELETE', '/me/absence', undefined, 404);
  });

  test('the event stream, to its end', async () => {
    const listener = new Visitor();
    Object.assign(listener, { passkey: scope.grace.passkey });
    await listener.signIn();
    const begun = prism.head('/events');
    const ended = listener.ask('GET', '/events', undefined, 200).then((r) => r, (e) => e);
    await Promise.race([begun, ended]);
    // Who was signed out hears of nothing more: the next piece of news ends the stream.
    await hold('DELETE', '/pay/account?first');
    await prism.ask('POST', '/logout', { body: {}, cookie: listener.cookie });
    await hold('DELETE', '/pay/account?second');
    const failed = await ended;
    if (failed instanceof Error) throw failed;
  });

  test('every operation was done', () => {
    const done = (operation) => [...(prism.seen.get(operation) ?? [])].some((status) => status < 300);
    assert.deepEqual(OPERATIONS.filter((operation) => !done(operation)), []);
  });

  test('every refusal that all have', async () => {
    for (const operation of OPERATIONS) {
      const [method, at] = operation.split(' ');
      const { security, requestBody } = description.paths[at][method.toLowerCase()];
      const target = filled(at);
      const cookie = scope.ada.cookie;
      const body = requestBody ? {} : undefined;
      const refused = async (status, options) => {
        const answer = await prism.ask(method, options.target ?? target, { cookie, body, ...options });
        assert.equal(answer.status, status, `${operation}: ${answer.text}`);
      };
      await refused(421, { host: 'elsewhere.example' });
      await refused(400, { target: `${target}?x=%01` });
      if (security.length > 0) await refused(401, { cookie: '' });
      if (method !== 'GET') await refused(403, { origin: 'https://elsewhere.example' });
      if (requestBody) {
        await refused(415, { body: 'x', type: 'text/plain' });
        await refused(413, { body: JSON.stringify({ x: 'x'.repeat(300 << 10) }) });
      }
    }
  });

  test('when the database is away', async () => {
    // The gateway's own PostgreSQL, found by its pid file.
    const pid = path.join(base, 'data/postgres/data/postmaster.pid');
    process.kill(Number(fs.readFileSync(pid, 'utf8').split('\n')[0]), 'SIGQUIT');
    const answer = await until('it is noticed', async () => {
      const one = await prism.ask('GET', '/me', { cookie: scope.ada.cookie });
      return one.status !== 200 && one;
    }, { within: 5000 });
    assert.equal(answer.status, 503);
  });
});
