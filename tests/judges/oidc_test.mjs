// Signing in by OpenID Connect against oidc-provider, as people do it. SALLYPORT_BINARY=… node --test oidc_test.mjs
import assert from 'node:assert/strict';
import http from 'node:http';
import { after, before, describe, test } from 'node:test';
import { Approver } from '../../deploy/sample/approver.mjs';
import { freePort, until } from '../system/gateway.mjs';
import { axe, launch, markup, markupOf, visitor } from '../web/browser.mjs';
import { CookieBrowser } from './cookie_browser.mjs';
import { startProvider } from './identity_provider.mjs';
import { CALLBACK, SignInScene } from './sign_in_scene.mjs';

const RULES = `
routes: [ { id: pay, prefix: /pay, upstream: "http://127.0.0.1:UPSTREAM" } ]
policies:
  - { id: small, route: pay, when: 'request.path == "/small"', verdict: hold, workflow: signed-in }
  - { id: large, route: pay, when: 'request.path == "/large"', verdict: hold, workflow: by-passkey }
workflows:
  signed-in: { assurance: session, steps: [ { notify: ["team:finance"], for: 10m } ], otherwise: deny }
  by-passkey: { steps: [ { notify: ["team:finance"], for: 10m } ], otherwise: deny }
`;

let scene, upstream;
const accounts = {
  'ada-at-idp': { email: 'Ada@Example.COM', email_verified: true, name: 'Ada', groups: ['finance-approvers', 'everybody'] },
  'grace-at-idp': { email: 'grace@example.com', email_verified: true, groups: ['everybody'] },
  'unverified': { email: 'grace@example.com', email_verified: false, groups: ['finance-approvers'] },
  'impostor': { email: 'ada@example.com', email_verified: true, groups: ['finance-approvers'] },
  'stranger': { email: 'stranger@example.com', email_verified: true, groups: ['finance-approvers'] },
  'twin': { email: 'twin@example.com', email_verified: true },
  'gone': { email: 'gone@example.com', email_verified: true },
  'olga-at-idp': { email: 'olga@example.com', email_verified: true },
  'oscar-at-idp': { email: 'oscar@example.com', email_verified: true },
};

before(async () => {
  upstream = http.createServer((q, r) => q.resume().on('end', () => r.writeHead(201, { 'content-type': 'application/json' }).end('{}')));
  await new Promise((listening) => upstream.listen(0, '127.0.0.1', listening));
  scene = await SignInScene.start('oidc', RULES.replace('UPSTREAM', upstream.address().port));
  await scene.invite('ada', 'ada@example.com');
  await scene.invite('grace', 'grace@example.com');
  await scene.invite('twin1', 'twin@example.com');
  await scene.invite('twin2', 'TWIN@example.com');
  await scene.invite('gone', 'gone@example.com');
  await scene.gateway.cli(['person', 'disable', 'gone']);
  await scene.invite('olga', 'olga@example.com', 'operator');
  await scene.invite('oscar', 'oscar@example.com', 'auditor');
  await scene.gateway.cli(['team', 'add', 'finance']);
  await scene.gateway.cli(['team', 'add', 'treasury']);
  await scene.gateway.cli(['team', 'join', 'treasury', 'ada']);
}, { timeout: 60_000 });

after(async () => {
  await scene?.close();
  upstream?.close();
});

describe('oidc-provider', { concurrency: 1 }, () => {
  let provider, settings;
  before(async () => {
    provider = await startProvider({ port: await freePort(), redirectUri: `${scene.gateway.publicUrl}${CALLBACK}`, accounts });
    settings = {
      issuer: provider.issuer, client_id: 'gate-rs256', client_secret: { file: 'client-secret' }, scopes: ['openid', 'email', 'profile', 'groups'],
      groups: { 'finance-approvers': 'finance', everybody: 'no-such-team' },
    };
  });
  after(() => provider?.close());

  /** Through the provider's own forms, to its answer; `until` stops before an address. */
  async function signIn(login, { next, browser = new CookieBrowser(), until: stop, abort = false } = {}) {
    let seen = await browser.go(scene.begin(next), { until: stop });
    for (const form of [{ prompt: 'login', login, password: 'x' }, { prompt: 'consent' }]) {
      const action = /<form[^>]*action="([^"]+)"/.exec(seen.text)?.[1];
      if (!action || scene.isCallback(seen.url)) break;
      if (abort) seen = await browser.go(/href="([^"]+\/abort)"/.exec(seen.text)[1], { until: stop });
      else seen = await browser.go(new URL(action, seen.url).href, { method: 'POST', form, until: stop });
      if (seen.location && stop?.(seen.location)) break;
    }
    return { browser, seen };
  }

  test('the page learns of it, and of its absence, without a session', async () => {
    const methods = async () => (await fetch(`${scene.gateway.publicUrl}/api/v1/login/methods`)).json();
    assert.deepEqual(await methods(), { passkey: true, oidc: null });
    const seen = await new CookieBrowser().go(scene.begin());
    assert.equal(new URL(seen.url).pathname, '/login');
    await scene.configure(settings);
    assert.deepEqual(await methods(), { passkey: true, oidc: { name: new URL(provider.issuer).host } });
  });

  test('whoever was invited is signed in, and led to where they wanted to go', async () => {
    const { browser, seen } = await signIn('ada-at-idp', { next: '/history?agent=a&q="<x' });
    assert.ok(scene.isCallback(seen.url), `${seen.url} ${provider.complaints} ${JSON.stringify(scene.causes().at(-1))}`);
    assert.equal(seen.headers.get('content-type'), 'text/html; charset=utf-8');
    assert.ok(seen.text.includes('<meta http-equiv="refresh" content="0; url=/history?agent=a&amp;q=&quot;&lt;x">'), seen.text);
    assert.match(seen.headers.get('content-security-policy'), /^default-src 'none'/);
    assert.deepEqual(await markupOf(seen.text), []);
    const session = seen.headers.getSetCookie().find((line) => line.startsWith('sallyport_session='));
    assert.match(session, /; Path=\/; HttpOnly; SameSite=Strict; Max-Age=43200$/);
    assert.equal(browser.cookie('sallyport_login'), undefined, 'the attempt is over');
    const ada = await scene.me(browser);
    assert.equal(ada.handle, 'ada');
    // The mapped team, and the one that is nobody's but ours; a team that does not exist is said in the log.
    assert.deepEqual(ada.teams, ['finance', 'treasury']);
    assert.ok(scene.log().includes('no-such-team'));
  });

  test('the way there: PKCE, state and nonce, in a cookie that is sealed', async () => {
    const browser = new CookieBrowser();
    const seen = await browser.ask(scene.begin());
    assert.equal(seen.status, 302);
    const asked = Object.fromEntries(new URL(seen.location).searchParams);
    assert.deepEqual({ ...asked, state: '', nonce: '', code_challenge: '' }, {
      response_type: 'code', client_id: 'gate-rs256', redirect_uri: `${scene.gateway.publicUrl}${CALLBACK}`, scope: 'openid email profile groups',
      state: '', nonce: '', code_challenge: '', code_challenge_method: 'S256',
    });
    for (const name of ['state', 'nonce', 'code_challenge']) assert.match(asked[name], /^[\w-]{43}$/);
    assert.equal(new Set([asked.state, asked.nonce, asked.code_challenge]).size, 3);
    assert.match(seen.headers.getSetCookie()[0], /^sallyport_login=[\w-]+; Path=\/login; HttpOnly; SameSite=Lax; Max-Age=600$/);
    for (const name of ['state', 'nonce']) assert.ok(!Buffer.from(browser.cookie('sallyport_login'), 'base64url').includes(asked[name]));
    for (const method of ['POST', 'HEAD', 'DELETE']) assert.ok([405, 403].includes((await browser.ask(scene.begin(), { method })).status), method);
  });

  test('nobody is led to another site', async () => {
    for (const next of ['//evil.example/', '/\\evil.example', 'https://evil.example/', '/\t/evil.example', 'javascript:alert(1)', '/login', '/x\r\nSet-Cookie:a=b', `/${'x'.repeat(600)}`]) {
      const { seen } = await signIn('ada-at-idp', { next });
      // A control character is no address at all.
      if (/[\t\r]/.test(next)) {
        assert.equal(`${seen.status} ${new URL(seen.url).origin}`, `400 ${scene.gateway.publicUrl}`);
        continue;
      }
      assert.ok(seen.text.includes('content="0; url=/"'), `${next}: ${seen.status} ${seen.text}`);
    }
  });

  for (const client of ['gate-es256', 'gate-ps256', 'gate-eddsa', 'gate-public'])
    test(`signs in as ${client}`, async () => {
      await scene.configure({ ...settings, client_id: client, ...(client === 'gate-public' ? { client_secret: undefined } : {}) });
      const { browser, seen } = await signIn('grace-at-idp');
      assert.ok(scene.isCallback(seen.url), `${seen.url} ${provider.complaints} ${JSON.stringify(scene.causes().at(-1))}`);
      const grace = await scene.me(browser);
      assert.deepEqual([grace.handle, grace.teams], ['grace', []]);
    });

  test('an ID token by the client’s own secret (HS256) is none', async () => {
    await scene.configure({ ...settings, client_id: 'gate-hs256' });
    assert.equal(scene.errorOf((await signIn('grace-at-idp')).seen), 'failed');
    await scene.configure(settings);
  });

  test('a wrong client secret', async () => {
    await scene.configure({ ...settings, client_secret: { file: 'stand-in-secret' } });
    const { seen, cause } = await scene.causeOf(() => signIn('grace-at-idp'));
    assert.equal(scene.errorOf(seen.seen), 'failed');
    assert.match(cause, /answered 401 invalid_client/);
    await scene.configure(settings);
  });

  test('who is nobody here stays nobody', async () => {
    const people = async () => (await scene.gateway.cli(['person', 'list', '--json'])).length;
    const before = await people();
    const rows = [
      ['stranger', 'unknown', /nobody here has the account's e-mail/],
      ['unverified', 'unknown', /vouches for no e-mail/],
      ['impostor', 'unknown', /ada is linked to another account/],
      ['twin', 'unknown', /several people here/],
      ['gone', 'unknown', /nobody here has the account's e-mail/],
    ];
    for (const [login, error, cause] of rows) {
      const { seen: { browser, seen }, cause: said } = await scene.causeOf(() => signIn(login));
      assert.equal(scene.errorOf(seen), error, login);
      assert.match(said, cause);
      assert.equal(await scene.me(browser), null);
      assert.equal(browser.cookie('sallyport_session'), undefined);
    }
    assert.equal(await people(), before);
  });

  test('who declines is told so', async () => {
    assert.equal(scene.errorOf((await signIn('ada-at-idp', { abort: true })).seen), 'declined');
  });

  test('an answer counts once, in the browser that asked', async () => {
    const { browser, seen: back } = await signIn('ada-at-idp', { until: scene.isCallback });
    assert.ok(scene.isCallback(back.location), back.url);
    // Somebody is made to finish another's sign-in: no cookie, or the cookie of one's own.
    assert.equal(scene.errorOf(await new CookieBrowser().go(back.location)), 'expired');
    const other = new CookieBrowser();
    await other.ask(scene.begin());
    assert.equal(scene.errorOf(await other.go(back.location)), 'expired');
    const sealed = browser.cookie('sallyport_login');
    assert.equal((await browser.ask(back.location)).status, 200);
    // The same again, also with the cookie that is gone: the code was used.
    assert.equal(scene.errorOf(await browser.go(back.location)), 'expired');
    browser.put(scene.gateway.publicUrl, 'sallyport_login', sealed, '/login');
    assert.equal(scene.errorOf(await browser.go(back.location)), 'failed');
  });

  test('a state or a cookie that was tampered with', async () => {
    const rows = [
      ['another state', (url) => url.searchParams.set('state', 'x'.repeat(43))],
      ['no state', (url) => url.searchParams.delete('state')],
      ['no code', (url) => url.searchParams.delete('code'), 'failed'],
      ['two codes', (url) => url.searchParams.append('code', 'x'), 'failed'],
      ['another issuer', (url) => url.searchParams.set('iss', 'https://evil.example'), 'failed'],
      ['no issuer, of one who names itself', (url) => url.searchParams.delete('iss'), 'failed'],
      ['a code of nobody', (url) => url.searchParams.set('code', 'x'), 'failed'],
      ['a changed cookie', (_, browser, sealed) => browser.put(scene.gateway.publicUrl, 'sallyport_login', `${sealed.slice(0, -4)}AAAA`, '/login')],
      ['two cookies', (_, browser, sealed) => browser.put(scene.gateway.publicUrl, 'sallyport_login', `${sealed}x`, '/')],
    ];
    for (const [name, change, error = 'expired'] of rows) {
      const { browser, seen: back } = await signIn('ada-at-idp', { until: scene.isCallback });
      const url = new URL(back.location);
      change(url, browser, browser.cookie('sallyport_login'));
      assert.equal(scene.errorOf(await browser.go(url.href)), error, name);
      assert.equal(await scene.me(browser), null, name);
    }
  });

  test('another provider meanwhile', async () => {
    const { browser, seen: back } = await signIn('ada-at-idp', { until: scene.isCallback });
    await scene.configure({ ...settings, client_id: 'gate-es256' });
    assert.equal(scene.errorOf(await browser.go(back.location)), 'failed');
    await scene.configure(settings);
  });

  test('groups follow the provider at each sign-in; an agent that nobody owns any more loses what it had held', async () => {
    await scene.gateway.cli(['team', 'add', 'lone']);
    await scene.configure({ ...settings, groups: { ...settings.groups, everybody: 'lone' } });
    await signIn('grace-at-idp');
    await new Approver(scene.gateway.publicUrl).enrol((await scene.gateway.cli(['person', 'invite', 'ada', '--json']))[0].link);
    const agent = await scene.gateway.agent('lone-bot', 'team:lone', ['pay']);
    const held = await (await agent.call('POST', '/pay/large', { body: {}, headers: { Prefer: 'respond-async' } })).json();
    assert.equal(held.status, 'held');
    accounts['grace-at-idp'].groups = ['finance-approvers'];
    const { browser } = await signIn('grace-at-idp');
    assert.deepEqual((await scene.me(browser)).teams, ['finance']);
    const [{ hold }] = await scene.gateway.cli(['hold', 'show', held.hold, '--json']);
    assert.equal(hold.status, 'void');
    delete accounts['grace-at-idp'].groups; // no claim at all
    await signIn('grace-at-idp', { browser });
    assert.deepEqual((await scene.me(browser)).teams, []);
    accounts['grace-at-idp'].groups = ['everybody'];
    await scene.configure(settings);
  });

  test('what such a session allows: a decision by session, none by passkey', async () => {
    const { browser } = await signIn('ada-at-idp');
    const agent = await scene.gateway.agent('ada-bot', 'ada', ['pay']);
    const hold = async (at) => (await (await agent.call('POST', at, { body: {}, headers: { Prefer: 'respond-async' } })).json()).hold;
    const decide = async (id, status) => {
      const { statement } = await scene.api(browser, 'POST', `/holds/${id}/statement`, 200, { decision: 'approve' });
      return scene.api(browser, 'POST', `/holds/${id}/decisions`, status, { statement });
    };
    const { decision } = await decide(await hold('/pay/small'), 201);
    assert.deepEqual([decision.by.handle, decision.assurance], ['ada', 'session']);
    assert.equal((await decide(await hold('/pay/large'), 403)).type, 'urn:sallyport:problem:assurance-too-low');
  });

  test('sessions are listed and ended; roles say whose', async () => {
    const ada = (await signIn('ada-at-idp', { browser: new CookieBrowser('First/1 \u00e9<b>') })).browser;
    const other = (await signIn('ada-at-idp', { browser: new CookieBrowser('Second/2') })).browser;
    const grace = (await signIn('grace-at-idp')).browser;
    const olga = (await signIn('olga-at-idp')).browser, oscar = (await signIn('oscar-at-idp')).browser;
    const { sessions } = await scene.api(ada, 'GET', '/sessions', 200);
    assert.ok(sessions.length > 2);
    assert.deepEqual(sessions.filter((s) => s.current).map((s) => [s.how, s.user_agent]), [['oidc', 'First/1 <b>']]);
    assert.ok(sessions.some((s) => s.how === 'passkey'));
    for (const s of sessions) {
      assert.match(s.id, /^[\w-]{22}$/);
      assert.ok(Math.abs(Date.parse(s.expires_at) - Date.parse(s.created_at) - 12 * 3600_000) < 1000);
    }
    const second = sessions.find((s) => s.user_agent === 'Second/2');
    await scene.api(grace, 'DELETE', `/sessions/${second.id}`, 404);
    await scene.api(grace, 'GET', '/people/ada/sessions', 403);
    await scene.api(grace, 'DELETE', `/people/ada/sessions/${second.id}`, 403);
    assert.deepEqual((await scene.api(oscar, 'GET', '/people/ada/sessions', 200)).sessions.filter((s) => s.current), []);
    await scene.api(oscar, 'DELETE', `/people/ada/sessions/${second.id}`, 403);
    await scene.api(ada, 'GET', '/people/ada/sessions', 200);
    assert.equal((await scene.me(other)).handle, 'ada');
    await scene.api(ada, 'DELETE', `/sessions/${second.id}`, 204);
    assert.equal(await scene.me(other), null);
    await scene.api(ada, 'DELETE', `/sessions/${second.id}`, 404);
    const own = sessions.find((s) => s.current);
    await scene.api(olga, 'DELETE', `/people/ada/sessions/${own.id}`, 204);
    assert.equal(await scene.me(ada), null);
    const ends = (await scene.gateway.cli(['audit', 'show', '--json'])).filter((e) => e.data?.act === 'session.end');
    assert.deepEqual(ends.map((e) => [e.data.handle, e.data.of]).sort(), [['ada', 'ada'], ['olga', 'ada']]);
  });

  test('in a browser, from another site and back, with a session that is SameSite=Strict', { timeout: 60_000 }, async () => {
    const chromium = await launch();
    try {
      const { page, complaints } = await visitor(chromium);
      await page.goto(`${scene.gateway.publicUrl}/login?error=unknown`);
      await page.getByRole('alert').filter({ hasText: 'not here' }).waitFor();
      assert.deepEqual([...(await axe(page)), ...(await markup(page))], []);
      await page.goto(`${scene.gateway.publicUrl}/history?agent=x`);
      await page.getByRole('link', { name: `Sign in with ${new URL(provider.issuer).host}` }).click();
      await page.locator('input[name=login]').fill('grace-at-idp');
      await page.locator('input[name=password]').fill('x');
      await page.getByRole('button', { name: 'Sign-in' }).click();
      const served = [];
      page.on('response', (r) => scene.isCallback(r.url()) && served.push(r.text().catch(() => '')));
      await page.getByRole('button', { name: 'Continue' }).click();
      await page.getByRole('heading', { name: 'History' }).waitFor();
      assert.equal(page.url(), `${scene.gateway.publicUrl}/history?agent=x`);
      for (const html of served) assert.deepEqual(await markupOf(await html), []);
      assert.equal(served.length, 1);
      // What the callback sets goes along with a plain navigation too.
      // To the API, which the pages' worker leaves alone: of what it passes on, a page's own request does not show the fields.
      const sent = page.waitForRequest(`${scene.gateway.publicUrl}/api/v1/me`);
      await page.goto(`${scene.gateway.publicUrl}/api/v1/me`);
      assert.match((await (await sent).allHeaders()).cookie, /^sallyport_session=[^;]+$/);
      await page.goto(`${scene.gateway.publicUrl}/people`);
      await page.getByRole('button', { name: /your account/ }).click();
      await page.getByText('(this one)').waitFor();
      assert.deepEqual([...(await axe(page)), ...(await markup(page))], []);
      const others = page.getByRole('button', { name: /^End the session of/ });
      const before = await others.count();
      assert.ok(before > 0);
      await others.first().click();
      await until('it is ended', async () => (await others.count()) === before - 1, { within: 10_000 });
      // A session that ends under the page: signed in again in another window, and the page goes on.
      await page.getByRole('button', { name: 'Close' }).click();
      const olga = (await signIn('olga-at-idp')).browser;
      for (const s of (await scene.api(olga, 'GET', '/people/grace/sessions', 200)).sessions) await scene.api(olga, 'DELETE', `/people/grace/sessions/${s.id}`, 204);
      await page.getByRole('link', { name: 'Agents' }).click();
      await page.getByRole('heading', { name: 'Your session has ended' }).waitFor();
      const opened = page.waitForEvent('popup');
      await page.getByRole('link', { name: /^Sign in with/ }).click();
      const other = await opened; // the provider still knows who it is
      await other.getByRole('heading', { name: 'Inbox' }).waitFor();
      await other.close();
      await page.evaluate(() => dispatchEvent(new Event('focus')));
      await page.getByRole('heading', { name: 'Your session has ended' }).waitFor({ state: 'detached' });
      assert.deepEqual(complaints, []);
    } finally {
      await chromium.close();
    }
  });

  test('the record says who was linked and how each signed in; a reset ends the link', async () => {
    const acts = async (act) => (await scene.gateway.cli(['audit', 'show', '--json'])).filter((e) => e.data?.act === act);
    const [linked] = (await acts('identity.link')).filter((e) => e.data.handle === 'ada');
    // What `check` says of the team that is not there.
    const [said] = await scene.gateway.cli(['check', '--json']);
    assert.ok(said.ok && said.warnings.some((w) => w.message === 'sign_in.oidc: there is no team no-such-team'), JSON.stringify(said));
    assert.deepEqual([linked.data.issuer, linked.data.subject, linked.data.email], [provider.issuer, 'ada-at-idp', 'Ada@Example.COM']);
    assert.ok((await acts('login')).some((e) => e.data.by === 'oidc' && e.data.issuer === provider.issuer));
    await scene.gateway.cli(['audit', 'verify']);
    assert.ok((await acts('team.join')).some((e) => e.data.by === 'oidc' && e.data.handle === 'ada'));
    // From then on the address does not matter.
    accounts['ada-at-idp'].email = 'another@example.com';
    assert.equal((await scene.me((await signIn('ada-at-idp')).browser)).handle, 'ada');
    const { browser } = await signIn('ada-at-idp');
    await scene.gateway.cli(['person', 'invite', 'ada', '--reset', '--json']);
    assert.equal(await scene.me(browser), null);
    assert.equal(scene.errorOf((await signIn('ada-at-idp')).seen), 'unknown');
    assert.equal((await scene.me((await signIn('impostor')).browser)).handle, 'ada');
    await scene.gateway.cli(['person', 'disable', 'ada']);
    assert.equal(scene.errorOf((await signIn('impostor')).seen), 'unknown');
    await scene.gateway.cli(['person', 'enable', 'ada']);
  });

  test('nothing secret is in the log', () => {
    const text = scene.log();
    for (const secret of ['hunter2', 'eyJ', 'sallyport_login']) assert.ok(!text.includes(secret), secret);
  });
});
