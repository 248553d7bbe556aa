// Signing in by a provider that misbehaves in every way that the specifications warn of: each is refused, with a word for the
// person and a cause for the operator. SALLYPORT_BINARY=… node --test oidc_refusals_test.mjs
import assert from 'node:assert/strict';
import fs from 'node:fs';
import http from 'node:http';
import https from 'node:https';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { Approver } from '../../deploy/sample/approver.mjs';
import { CookieBrowser } from './cookie_browser.mjs';
import { StandIn } from './identity_provider.mjs';
import { Authority } from './mail_server.mjs';
import { SignInScene } from './sign_in_scene.mjs';

let scene;
before(async () => {
  scene = await SignInScene.start('oidc-refusals');
  await scene.invite('grace', 'grace@example.com');
}, { timeout: 60_000 });
after(() => scene?.close());

describe('a provider that misbehaves', { concurrency: 1 }, () => {
  let provider;
  before(async () => {
    provider = await StandIn.start();
    await scene.gateway.cli(['person', 'invite', 'someone', '--name', 'Someone', '--email', 'someone@example.com', '--json']);
    await fresh();
  });
  after(() => provider?.close());

  /** What the gateway knows of it is forgotten. */
  let turn = 0;
  const fresh = () => scene.configure({ issuer: provider.issuer, client_id: 'gate', client_secret: { file: 'stand-in-secret' }, scopes: ['openid', `turn${++turn}`] });
  const signIn = async (mood = {}) => {
    provider.mood = mood;
    const browser = new CookieBrowser();
    return { browser, seen: await browser.go(scene.begin()) };
  };
  const refused = async (name, mood, error, cause) => {
    const { seen: { browser, seen }, cause: said } = await scene.causeOf(() => signIn(mood));
    assert.equal(scene.errorOf(seen), error, name);
    assert.equal(browser.cookie('sallyport_session'), undefined, name);
    assert.match(said, cause, name);
    return seen;
  };

  test('one that behaves, with client_secret_post and a query in its endpoint', async () => {
    const { browser, seen } = await signIn();
    assert.ok(scene.isCallback(seen.url), `${seen.url} ${JSON.stringify(scene.causes().at(-1))}`);
    assert.equal((await scene.me(browser)).handle, 'someone');
    assert.deepEqual(provider.wrong, []);
  });

  test('ID tokens that are not about this sign-in', async () => {
    const now = () => Math.floor(Date.now() / 1000);
    const claims = (more) => ({ claims: (c) => ({ ...c, ...more }) });
    const rows = [
      ['alg none', { header: () => ({ alg: 'none' }) }, /ID token: /],
      ['HS256 by the secret', { header: () => ({ alg: 'HS256' }) }, /algorithm is none of/],
      ['a key that nobody published', { header: (h) => ({ ...h, kid: 'elsewhere' }) }, /not signed by a key/],
      ['changed after signing', { tokens: (t) => ({ ...t, id_token: t.id_token.replace(/\.([^.]+)\./, (_, c) => `.${Buffer.from(JSON.stringify({ ...JSON.parse(Buffer.from(c, 'base64url')), sub: 'other' })).toString('base64url')}.`) }) }, /not signed by a key/],
      ['another issuer', claims({ iss: 'https://evil.example' }), /another issuer/],
      ['another client', claims({ aud: 'other' }), /another client/],
      ['several clients, none of them named', claims({ aud: ['gate', 'other'] }), /several audiences/],
      ['given to another client', claims({ azp: 'other' }), /given to another client/],
      ['expired', claims({ iat: now() - 400, exp: now() - 100 }), /expired/],
      ['long ago', claims({ iat: now() - 3600 }), /long ago/],
      ['in the future', claims({ iat: now() + 3600, exp: now() + 7200 }), /future/],
      ['without an end', claims({ exp: undefined }), /does not say when/],
      ['another nonce', claims({ nonce: 'x' }), /nonce/],
      ['no nonce', claims({ nonce: undefined }), /nonce/],
      ['no subject', claims({ sub: undefined }), /sub/],
      ['userinfo of another', { userinfo: (u) => ({ ...u, sub: 'other' }) }, /somebody else/],
      ['userinfo of nobody', { userinfo: ({ sub: _, ...u }) => u }, /somebody else/],
      ['no ID token', { tokens: ({ id_token: _, ...t }) => t }, /no ID token/],
      ['another kind of token', { tokens: (t) => ({ ...t, token_type: 'DPoP' }) }, /another type/],
      ['an access token that would split a field', { tokens: (t) => ({ ...t, access_token: 'a\r\nb: c' }) }, /no access token/],
      ['two members of one name', { userinfo: () => '{"sub":"someone","sub":"other","email":"someone@example.com","email_verified":true}' }, /not JSON/],
    ];
    for (const [name, mood, cause] of rows) await refused(name, mood, 'failed', cause);
  });

  test('addresses that it does not vouch for', async () => {
    await scene.gateway.cli(['person', 'invite', 'someone', '--reset', '--json']);
    const info = (more) => ({ userinfo: (u) => ({ ...u, ...more }) });
    for (const [name, mood] of [['false', info({ email_verified: false })], ['a text', info({ email_verified: 'true' })], ['missing', info({ email_verified: undefined })], ['no address', info({ email: undefined })], ['an address of bytes', info({ email: 'some\u0131ne@example.com' })]])
      await refused(name, mood, 'unknown', /./);
    assert.equal((await scene.me((await signIn()).browser)).handle, 'someone');
  });

  test('a sloppy provider, that takes a code twice: the sign-in still counts once', async () => {
    const browser = new CookieBrowser();
    provider.mood = {};
    const back = await browser.go(scene.begin(), { until: scene.isCallback });
    const sealed = browser.cookie('sallyport_login');
    assert.equal((await browser.ask(back.location)).status, 200);
    browser.put(scene.gateway.publicUrl, 'sallyport_login', sealed, '/login');
    const { seen, cause } = await scene.causeOf(() => browser.go(back.location));
    assert.equal(scene.errorOf(seen), 'expired');
    assert.match(cause, /finished before/);
  });

  test('a new key is fetched when it is first seen, and keys that are invented are not asked for again and again', async () => {
    await fresh();
    await signIn();
    await provider.newKey('second');
    provider.asked = [];
    // Just read: not again so soon.
    await refused('a new key at once', {}, 'failed', /not signed by a key/);
    assert.equal(provider.asked.filter((at) => at === '/keys').length, 0);
    await fresh();
    assert.equal((await signIn()).seen.status, 200);
    for (let i = 0; i < 5; i++) await refused('an invented one', { header: (h) => ({ ...h, kid: `k${i}` }) }, 'failed', /not signed/);
    assert.ok(provider.asked.filter((at) => at === '/keys').length <= 2);
    assert.equal(provider.asked.filter((at) => at.startsWith('/.well-known')).length, 1, 'its metadata are kept');
  });

  test('metadata that are not its own, or lead elsewhere', async () => {
    const rows = [
      ['another issuer', (m) => ({ ...m, issuer: 'https://evil.example' }), /another issuer/],
      ['a slash more', (m) => ({ ...m, issuer: `${m.issuer}/` }), /another issuer/],
      ['no token endpoint', (m) => ({ ...m, token_endpoint: undefined }), /token_endpoint/],
      ['a file', (m) => ({ ...m, jwks_uri: 'file:///etc/passwd' }), /jwks_uri/],
      ['a line end', (m) => ({ ...m, authorization_endpoint: `${m.issuer}/a\r\nSet-Cookie: a=b` }), /authorization_endpoint/],
      ['no JSON', () => 'hello', /no JSON object/],
    ];
    for (const [name, metadata, cause] of rows) {
      await fresh();
      await refused(name, { metadata }, 'unreachable', cause);
    }
  });

  test('answers that are too long, too late, redirected, refused or none', async () => {
    const only = (path, act) => ({ serve: (at, r) => at === path && (act(r), true) });
    const huge = (r) => {
      r.writeHead(200, { 'content-type': 'application/json' });
      const more = () => {
        while (r.writable && r.write('x'.repeat(64 << 10)));
        r.once('drain', more);
      };
      more();
    };
    const rows = [
      ['huge', huge, /more than can be read/],
      ['500', (r) => r.writeHead(500).end(), /500/],
      ['a redirect', (r) => r.writeHead(302, { location: 'http://127.0.0.1:9/' }).end(), /302/],
      ['cut', (r) => r.destroy(), /127\.0\.0\.1/],
      ['HTML', (r) => r.writeHead(200, { 'content-type': 'text/html' }).end('<p>log in first</p>'), /./],
    ];
    for (const at of ['/.well-known/openid-configuration', '/token', '/keys', '/userinfo'])
      for (const [name, act, cause] of rows) {
        await fresh();
        const { seen: { browser, seen }, cause: said } = await scene.causeOf(() => signIn(only(at, act)));
        assert.ok(['unreachable', 'failed'].includes(scene.errorOf(seen)), `${at} ${name}`);
        assert.equal(browser.cookie('sallyport_session'), undefined, `${at} ${name}`);
        assert.match(said, cause, `${at} ${name}`);
      }
  });

  test('its certificate: by the authority that is named, for the name that is asked, and nothing else', async () => {
    const ours = new Authority(path.join(scene.base, 'config'), 'ours');
    const right = await StandIn.start(ours.certify('right', 'IP:127.0.0.1'));
    const wrong = await StandIn.start(ours.certify('wrong', 'DNS:elsewhere.example'));
    try {
      const settings = { client_id: 'gate', client_secret: { file: 'stand-in-secret' } };
      for (const oidc of [{ ...settings, issuer: right.issuer }, { ...settings, issuer: wrong.issuer, ca: 'ours.pem' }]) {
        await scene.configure(oidc);
        const { seen, cause } = await scene.causeOf(() => new CookieBrowser().go(scene.begin()));
        assert.equal(scene.errorOf(seen), 'unreachable');
        assert.match(cause, /certificate|subject name/i);
      }
      assert.deepEqual([right.asked, wrong.asked], [[], []]);
      await scene.configure({ ...settings, issuer: right.issuer, ca: 'ours.pem' });
      const browser = new CookieBrowser();
      const { location } = await browser.ask(scene.begin());
      const back = await new Promise((answered, failed) => https.get(location, { ca: fs.readFileSync(ours.ca) }, (r) => answered(r.resume().headers.location)).on('error', failed));
      assert.ok(scene.isCallback((await browser.go(back)).url));
      assert.equal((await scene.me(browser)).handle, 'someone');
    } finally {
      await right.close();
      await wrong.close();
    }
  });

  test('one that never answers: it is given up in time, others are served meanwhile, and too many are turned away', { timeout: 60_000 }, async () => {
    await fresh();
    provider.mood = {};
    const ready = [];
    for (let i = 0; i < 24; i++) {
      const browser = new CookieBrowser();
      ready.push({ browser, back: await browser.go(scene.begin(), { until: scene.isCallback }) });
    }
    const held = [];
    provider.mood = { serve: (at, r) => at === '/token' && held.push(r) > 0 };
    const began = Date.now();
    const all = ready.map(({ browser, back }) => browser.go(back.location).then((seen) => ({ error: scene.errorOf(seen), took: Date.now() - began })));
    // Beyond those who may wait.
    const first = await Promise.race(all);
    assert.deepEqual([first.error, first.took < 2_000], ['busy', true]);
    assert.equal((await fetch(`${scene.gateway.publicUrl}/api/v1/login/methods`)).status, 200);
    const done = await Promise.all(all);
    const errors = done.map((d) => d.error);
    assert.equal(errors.filter((e) => e === 'busy').length, 4, `${errors}`);
    assert.equal(errors.filter((e) => e === 'unreachable').length, 20, `${errors}`);
    assert.ok(Math.max(...done.map((d) => d.took)) < 20_000, 'over all 15 s');
    for (const r of held) r.destroy();
  });

  test('one that is down is not asked by everybody', async () => {
    await provider.close();
    await fresh();
    await refused('down', {}, 'unreachable', /127\.0\.0\.1/);
    // Passkeys go on.
    await new Approver(scene.gateway.publicUrl).enrol((await scene.gateway.cli(['person', 'invite', 'grace', '--json']))[0].link);
  });

  test('a gateway that is stopped does not wait for it', { timeout: 30_000 }, async () => {
    const silent = http.createServer(() => {});
    await new Promise((listening) => silent.listen(0, '127.0.0.1', listening));
    await scene.configure({ issuer: `http://127.0.0.1:${silent.address().port}`, client_id: 'gate' });
    const waiting = fetch(scene.begin(), { redirect: 'manual' }).catch(() => null);
    await new Promise((asked) => silent.once('request', asked));
    const began = Date.now();
    assert.equal(await scene.gateway.stop(), 0);
    assert.ok(Date.now() - began < 5_000, `${Date.now() - began} ms`);
    await waiting;
    silent.closeAllConnections();
    silent.close();
  });
});
