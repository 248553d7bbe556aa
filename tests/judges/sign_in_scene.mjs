// A gateway that people sign in to, and what a test sees of it.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { Gateway, makeBase, until } from '../system/gateway.mjs';

export const CALLBACK = '/login/oidc/callback';
export const SECRET = 'hunter2+hunter2&=:%/~.long.enough.for.HS256';

export class SignInScene {
  static async start(name, configuration = '') {
    const one = new SignInScene();
    one.base = makeBase(name);
    one.gateway = new Gateway(process.env.SALLYPORT_BINARY, { base: one.base, configuration });
    await one.gateway.start();
    fs.writeFileSync(path.join(one.base, 'config', 'client-secret'), `${SECRET}\n`);
    fs.writeFileSync(path.join(one.base, 'config', 'stand-in-secret'), 'a secret\n');
    return one;
  }

  async close() {
    await this.gateway.stop();
    fs.rmSync(this.base, { recursive: true, force: true });
  }

  invite(handle, email, role = 'approver') {
    return this.gateway.cli(['person', 'invite', handle, '--name', handle, '--email', email, '--role', role, '--json']);
  }

  log() {
    return fs.readFileSync(this.gateway.logFile, 'utf8');
  }

  /** The lines about sign-ins that were refused. */
  causes() {
    return this.log().split('\n').filter(Boolean).map((line) => JSON.parse(line)).filter((l) => l.event === 'sign-in refused');
  }

  /** What the operator reads of the refusal that `act` leads to. A line may come a moment after the answer. */
  async causeOf(act) {
    const before = this.causes().length;
    const seen = await act();
    const cause = await until('the log says why', () => this.causes()[before]?.cause, { within: 5_000 });
    return { seen, cause };
  }

  /** Another provider, without a restart. */
  async configure(oidc) {
    const loaded = () => this.log().split('"configuration loaded"').length;
    const before = loaded();
    fs.writeFileSync(path.join(this.base, 'config', 'sign_in.yaml'), `sign_in:\n  oidc: ${JSON.stringify(oidc)}\n`);
    await until('the configuration is loaded', () => loaded() > before, { within: 10_000 });
  }

  begin(next) {
    return `${this.gateway.publicUrl}/login/oidc${next === undefined ? '' : `?next=${encodeURIComponent(next)}`}`;
  }

  isCallback = (url) => url.startsWith(`${this.gateway.publicUrl}${CALLBACK}`);

  async me(browser) {
    const answer = await browser.ask(`${this.gateway.publicUrl}/api/v1/me`);
    return answer.status === 200 ? JSON.parse(answer.text).person : null;
  }

  async api(browser, method, at, status, json) {
    const answer = await browser.ask(`${this.gateway.publicUrl}/api/v1${at}`, { method, json, headers: { origin: this.gateway.publicUrl } });
    assert.equal(answer.status, status, `${method} ${at}: ${answer.text}`);
    return answer.text ? JSON.parse(answer.text) : null;
  }

  /** What the sign-in page was told, where it ended there. */
  errorOf(seen) {
    const at = new URL(seen.url);
    assert.equal(`${at.origin}${at.pathname}`, `${this.gateway.publicUrl}/login`, seen.text);
    assert.match(seen.headers.get('content-type'), /^text\/html/);
    return at.searchParams.get('error');
  }
}
