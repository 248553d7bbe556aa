// An approver without a browser: enrols by the link, waits for a hold, reads it, and approves it with a passkey.
import { SoftwarePasskey } from './passkey.mjs';

export class Approver {
  constructor(publicUrl) {
    this.publicUrl = publicUrl;
    this.passkey = new SoftwarePasskey(publicUrl);
    this.cookie = '';
  }

  async #ask(method, path, body) {
    const answer = await fetch(`${this.publicUrl}/api/v1${path}`, {
      method,
      headers: { Origin: this.publicUrl, Cookie: this.cookie, ...(body ? { 'Content-Type': 'application/json' } : {}) },
      body: body && JSON.stringify(body),
    });
    const session = answer.headers.getSetCookie().find((c) => c.startsWith('sallyport_session='));
    if (session) this.cookie = session.split(';')[0];
    const json = await answer.json();
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${json.detail ?? json.title}`);
    return json;
  }

  async enrol(link) {
    const code = new URL(link).pathname.split('/').pop();
    const options = await this.#ask('POST', `/enrolments/${code}/options`, {});
    return (await this.#ask('POST', `/enrolments/${code}`, this.passkey.create(options))).person;
  }

  async waiting() {
    return (await this.#ask('GET', '/holds?status=held')).holds;
  }

  /** The narrowest grant for calls like that one. */
  async proposal(hold) {
    return (await this.#ask('GET', `/holds/${hold}/grant`)).grant;
  }

  /** The statement with this person's signature: what `decide` sends. `grant`: for similar calls, to be left behind. */
  async sign(hold, decision, reason, grant) {
    const { statement, webauthn } = await this.#ask('POST', `/holds/${hold}/statement`, { decision, reason, grant });
    return { statement, assertion: this.passkey.get(webauthn) };
  }

  async decide(hold, signed) {
    return (await this.#ask('POST', `/holds/${hold}/decisions`, signed)).decision;
  }

  async approve(hold, reason, grant) {
    return this.decide(hold, await this.sign(hold, 'approve', reason, grant));
  }

  async grants() {
    return (await this.#ask('GET', '/grants')).grants;
  }

  async grant(id) {
    return this.#ask('GET', `/grants/${id}`);
  }

  async revoke(grant) {
    return (await this.#ask('DELETE', `/grants/${grant}`)).grant;
  }
}
