// A stand-in for the people's API, for working on the pages without the gateway: the shapes of the real one, kept in
// memory, with the real one's headers. It checks a passkey's challenge, origin and id but not its signature: what is
// right about signatures is the gateway's to test. The tests of the pages run against the real program too (world.mjs).
import { createHash, randomBytes } from 'node:crypto';
import fs from 'node:fs';
import http from 'node:http';
import path from 'node:path';
import { AGENTS, PEOPLE, routeOf, ruleOf, WORKFLOWS } from './scene.mjs';

const CSP =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; font-src 'self'; " +
  "manifest-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; require-trusted-types-for 'script'";
const TYPES = { '.html': 'text/html; charset=utf-8', '.js': 'text/javascript; charset=utf-8', '.css': 'text/css; charset=utf-8', '.svg': 'image/svg+xml', '.webmanifest': 'application/manifest+json' };
const PAGES = /^\/(?:login|history|agents|people|audit|holds\/[^/]+|enrol\/[^/]+)?$/;

const sha = (data, form = 'base64url') => createHash('sha256').update(data).digest(form);
const b64 = (bytes) => Buffer.from(bytes).toString('base64url');

export function canonical(value) {
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`;
  if (value && typeof value === 'object') return `{${Object.keys(value).sort().map((k) => `${JSON.stringify(k)}:${canonical(value[k])}`).join(',')}}`;
  return JSON.stringify(value);
}

let serial = 0;
export function makeId(prefix) {
  const letters = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';
  const tail = (++serial).toString().padStart(6, '0');
  return `${prefix}_01KB${tail}${[...randomBytes(16)].map((b) => letters[b % 32]).join('')}`; // in order, as ULIDs are
}

class Problem extends Error {
  constructor(status, name, detail = '') {
    super(name);
    Object.assign(this, { status, name, detail });
  }
}

export class StandIn {
  static async start({ dist, port = 0 }) {
    const s = new StandIn();
    s.dist = dist;
    s.people = PEOPLE.map((p) => ({ id: makeId('per'), handle: p.handle, name: p.name, email: `${p.handle}@nordwind.example`, roles: [p.role], teams: p.teams, status: 'active' }));
    s.agents = AGENTS.map((a, i) => ({ id: makeId('agt'), ...a, status: 'active', created_at: new Date(Date.now() - 40 * 864e5).toISOString(), last_seen_at: i === 2 ? null : new Date(Date.now() - i * 5e6).toISOString() }));
    Object.assign(s, { holds: [], log: [], codes: new Map(), keys: new Map(), sessions: new Map(), challenges: new Map(), statements: new Map(), streams: new Set(), sockets: new Set() });
    s.server = http.createServer((q, r) => s.#serve(q, r));
    s.server.on('connection', (c) => {
      s.sockets.add(c);
      c.on('close', () => s.sockets.delete(c));
    });
    await new Promise((yes) => s.server.listen(port, '127.0.0.1', yes));
    s.port = s.server.address().port;
    s.url = `http://localhost:${s.port}`;
    return s;
  }
  async close() {
    for (const c of this.sockets) c.destroy();
    await new Promise((done) => this.server.close(done));
  }

  invite(handle) {
    const code = randomBytes(16).toString('base64url');
    this.codes.set(code, handle);
    return `${this.url}/enrol/${code}`;
  }
  person(handle) {
    return this.people.find((p) => p.handle === handle);
  }
  endSessions() {
    this.sessions.clear();
  }

  /** Holds a call of the scene; `ago` and `left` in seconds shape its times. */
  hold(call, { ago = 5, left = null } = {}) {
    const rule = ruleOf(call), route = routeOf(rule), flow = WORKFLOWS.find((w) => w.name === rule.workflow);
    const bytes = Buffer.from(call.body), isText = typeof call.body === 'string';
    const data = isText ? JSON.parse(call.body) : null;
    const summary = rule.summary.replace(/\{body\.([\w.]+)\}/g, (_, at) => {
      const last = at.split('.').pop();
      const found = at.split('.').reduce((v, k) => v?.[k], data);
      return typeof found === 'number' ? new RegExp(`"${last}":([-\\d.]+)`).exec(call.body)[1] : String(found ?? '?');
    });
    const now = Date.now(), created = now - ago * 1000;
    const hold = {
      hold: makeId('hld'), action: makeId('act'), status: 'held', reasons: [{ rule: rule.id, summary }],
      approvals: { needed: flow.approvals, given: 0 }, created_at: new Date(created).toISOString(),
      expires_at: new Date(left === null ? created + flow.minutes * 60e3 : now + left * 1000).toISOString(), decided_at: null, reason: null, outcome: null,
      agent: this.agents.find((a) => a.name === call.agent),
      task: call.intent ? { id: makeId('tsk'), intent: call.intent } : null, route: route.id, policy: sha('policy', 'hex'),
      rules: [{ rule: rule.id, team: rule.team, verdict: 'hold', summary, matched: true }],
      request: {
        method: rule.method, authority: `api.${route.id}.example`, target: rule.path,
        headers: [['accept', 'application/json'], ['content-type', call.type], ['user-agent', `${call.agent}/3.2`], ...call.headers],
        body: { length: bytes.length, content_digest: `sha-256=:${sha(bytes, 'base64')}:`, media_type: call.type, text: isText ? call.body : null, base64: isText ? null : bytes.toString('base64') },
      },
      decisions: [], body_fields: rule.reads, flow,
    };
    hold.workflow = { name: flow.name, step: 1, steps: 1, assurance: flow.assurance, next_step_at: null };
    hold.workflows = [hold.workflow];
    this.holds.unshift(hold);
    this.#record('hold', hold, null, { summary });
    this.#changed(hold);
    return hold.hold;
  }

  /** Another person's decision, as if it came from their own browser. */
  decide(id, handle, verb, reason = null, { at = new Date() } = {}) {
    const hold = this.holds.find((h) => h.hold === id), by = this.person(handle);
    const decision = { id: makeId('dec'), decision: verb, by, reason, assurance: hold.flow.assurance, at: at.toISOString() };
    hold.decisions.push(decision);
    this.#record('decision', hold, by, { decision: verb, reason });
    if (verb === 'deny') Object.assign(hold, { status: 'denied', reason, decided_at: decision.at });
    else if (++hold.approvals.given >= hold.approvals.needed) {
      Object.assign(hold, { status: 'approved', decided_at: decision.at });
      setImmediate(() => {
        Object.assign(hold, { status: 'released', outcome: { status: hold.request.method === 'POST' ? 201 : 200, at: new Date(+at + 300).toISOString() } });
        this.#record('outcome', hold, null, { status: 201 });
        this.#changed(hold);
      });
    }
    this.#changed(hold);
    return decision;
  }
  expire(id, at = new Date()) {
    const hold = this.holds.find((h) => h.hold === id);
    Object.assign(hold, { status: 'expired', decided_at: null, expires_at: at.toISOString() });
    this.#changed(hold);
  }

  #record(kind, hold, person, data) {
    this.log.unshift({ index: this.log.length, at: new Date().toISOString(), kind, action: hold.action, hold: hold.hold, agent: hold.agent.name, person: person?.handle ?? null, data });
  }
  #changed(hold) {
    for (const stream of this.streams) stream.write(`event: hold\ndata: ${JSON.stringify({ hold: hold.hold, status: hold.status })}\n\n`);
  }
  #asked(hold, me) {
    const member = hold.flow.notify.some((n) => me.teams.includes(n.replace('team:', '')) || (n === 'owner' && hold.agent.owner === me.handle));
    if (!member) return me.roles.includes('auditor') ? 'Auditors read everything and decide nothing.' : 'You are not asked about this one.';
    if (hold.flow.not.includes('owner') && hold.agent.owner === me.handle) return 'You own this agent, and the rule asks for somebody else.';
    if (hold.decisions.some((d) => d.by.id === me.id)) return 'You have decided this one already.';
    return null;
  }
  #view(hold, me) {
    const { flow: _, ...rest } = hold;
    const why = hold.status === 'held' ? this.#asked(hold, me) : 'It is closed.';
    return { ...rest, may_decide: why === null, why_not: why };
  }

  async #serve(q, r) {
    const url = new URL(q.url, this.url);
    const base = { 'content-security-policy': CSP, 'x-content-type-options': 'nosniff', 'referrer-policy': 'no-referrer' };
    const parts = [];
    for await (const d of q) parts.push(d);
    try {
      if (!url.pathname.startsWith('/api/v1/')) return this.#file(url, r, base);
      if (q.method !== 'GET' && q.headers.origin !== this.url) throw new Problem(403, 'cross-origin');
      const body = parts.length ? JSON.parse(Buffer.concat(parts)) : null;
      const [status, value, headers = {}] = this.#api(q, r, url, body) ?? [];
      if (status === undefined) return undefined; // a stream
      r.writeHead(status, { ...base, 'cache-control': 'no-store', ...(value ? { 'content-type': 'application/json' } : {}), ...headers });
      return r.end(value ? JSON.stringify(value) : undefined);
    } catch (e) {
      const p = e instanceof Problem ? e : new Problem(500, 'internal', String(e.stack));
      r.writeHead(p.status, { ...base, 'content-type': 'application/problem+json' });
      return r.end(JSON.stringify({ type: `urn:sallyport:problem:${p.name}`, title: p.name, status: p.status, detail: p.detail }));
    }
  }
  #file(url, r, base) {
    const name = PAGES.test(url.pathname) ? '/index.html' : url.pathname;
    const file = path.join(this.dist, path.normalize(name));
    if (!fs.existsSync(file) || !fs.statSync(file).isFile()) throw new Problem(404, 'no-route');
    r.writeHead(200, { ...base, 'content-type': TYPES[path.extname(file)] ?? 'application/octet-stream' });
    return r.end(fs.readFileSync(file));
  }

  #challenge() {
    const challenge = b64(randomBytes(32));
    this.challenges.set(challenge, true);
    return challenge;
  }
  #client(message, type, challenge) {
    const client = JSON.parse(Buffer.from(message.response.clientDataJSON, 'base64url'));
    const known = challenge ? client.challenge === challenge : this.challenges.delete(client.challenge);
    if (client.type !== type || client.origin !== this.url || !known) throw new Problem(422, 'bad-assertion');
  }
  #session(person) {
    const token = randomBytes(24).toString('base64url');
    this.sessions.set(token, person);
    return { 'set-cookie': `sallyport_session=${token}; Path=/; HttpOnly; SameSite=Strict; Max-Age=43200` };
  }

  #api(q, r, url, body) {
    const [, , , kind, id, act, which] = url.pathname.split('/');
    const key = `${q.method} ${kind}`;
    const rp = { name: 'Sallyport', id: 'localhost' };
    if (key === 'POST enrolments') {
      const person = this.person(this.codes.get(id));
      if (!person) throw new Problem(404, 'no-enrolment');
      if (act === 'options')
        return [200, { rp, user: { id: b64(person.id), name: person.handle, displayName: person.name }, challenge: this.#challenge(), pubKeyCredParams: [{ type: 'public-key', alg: -7 }, { type: 'public-key', alg: -257 }], timeout: 120000, excludeCredentials: [], attestation: 'none', authenticatorSelection: { residentKey: 'required', requireResidentKey: true, userVerification: 'required' } }];
      this.#client(body, 'webauthn.create');
      this.keys.set(body.id, person);
      this.codes.delete(id);
      return [201, { person }, this.#session(person)];
    }
    if (key === 'POST login') {
      if (id === 'options') return [200, { challenge: this.#challenge(), timeout: 120000, rpId: 'localhost', userVerification: 'required' }];
      this.#client(body, 'webauthn.get');
      const person = this.keys.get(body.id);
      if (!person) throw new Problem(422, 'bad-assertion');
      return [200, { person }, this.#session(person)];
    }
    const token = /sallyport_session=([\w-]+)/.exec(q.headers.cookie ?? '')?.[1];
    const me = this.sessions.get(token);
    if (!me) throw new Problem(401, 'unauthenticated');
    if (key === 'GET me') return [200, { person: me }];
    if (key === 'POST logout') {
      this.sessions.delete(token);
      return [204, null, { 'set-cookie': 'sallyport_session=; Path=/; Max-Age=0' }];
    }
    if (key === 'GET agents') return [200, { agents: this.agents, next: null }];
    if (key === 'GET people') return [200, { people: this.people, next: null }];
    if (key === 'GET audit') return [200, { audit: this.log, next: null }];
    if (key === 'GET events') {
      r.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' });
      r.write(': here\n\n');
      this.streams.add(r);
      r.on('close', () => this.streams.delete(r));
      return undefined;
    }
    if (kind !== 'holds') throw new Problem(404, 'no-route');
    if (!id) return [200, this.#list(url.searchParams, me)];
    const hold = this.holds.find((h) => h.hold === id);
    if (!hold) throw new Problem(404, 'no-hold');
    if (q.method === 'GET') return [200, { hold: this.#view(hold, me) }];
    if (hold.status !== 'held') throw new Problem(409, 'hold-closed');
    if (q.method === 'DELETE') {
      hold.decisions = hold.decisions.filter((d) => d.id !== which);
      hold.approvals.given = hold.decisions.length;
      this.#changed(hold);
      return [200, { hold: this.#view(hold, me) }];
    }
    const why = this.#asked(hold, me);
    if (why) throw new Problem(403, 'not-eligible', why);
    if (act === 'statement') return [200, this.#statement(hold, me, body)];
    const statement = this.statements.get(body.statement);
    if (!statement || statement.hold !== id || statement.me !== me.id) throw new Problem(409, 'statement-stale');
    if (body.assertion) {
      this.#client(body.assertion, 'webauthn.get', sha(body.statement));
      if (this.keys.get(body.assertion.id) !== me) throw new Problem(422, 'bad-assertion');
    } else if (hold.flow.assurance === 'passkey') throw new Problem(403, 'assurance-too-low', 'This decision needs a passkey.');
    this.statements.delete(body.statement);
    const decision = this.decide(id, me.handle, statement.decision, statement.reason);
    return [201, { decision, hold: this.#view(hold, me) }];
  }

  #list(query, me) {
    const wanted = (query.get('status') ?? '').split(',').filter(Boolean), text = (query.get('q') ?? '').toLowerCase();
    const from = Number(query.get('cursor') ?? 0), limit = Number(query.get('limit') ?? 50);
    const all = this.holds.filter(
      (h) =>
        (!wanted.length || wanted.includes(h.status)) && (!query.get('agent') || h.agent.name === query.get('agent')) &&
        (!query.get('route') || h.route === query.get('route')) && (!text || JSON.stringify([h.reasons, h.request, h.agent.name]).toLowerCase().includes(text)),
    );
    const part = all.slice(from, from + limit);
    return { holds: part.map((h) => this.#view(h, me)), next: from + limit < all.length ? String(from + limit) : null };
  }

  #statement(hold, me, { decision, reason = null }) {
    const { request } = hold, content_digest = request.body?.content_digest ?? null;
    const { method, authority, target, headers } = request;
    const text = canonical({
      type: 'sallyport.statement.v1', hold: hold.hold, decision, reason,
      action: { id: hold.action, method, authority, target, content_digest, digest: sha(canonical({ method, authority, target, headers, content_digest })) },
      agent: { id: hold.agent.id, name: hold.agent.name, owner: hold.agent.owner }, task: hold.task, approver: { id: me.id, name: me.name },
      rules: hold.reasons.map((x) => x.rule), policy: hold.policy, summary_digest: sha(canonical(hold.reasons)),
      slot: decision === 'approve' ? hold.approvals.given + 1 : null, grant: null, nonce: b64(randomBytes(16)),
      issued_at: new Date().toISOString(), expires_at: new Date(Date.now() + 3e5).toISOString(),
      ...this.lie, // a test's: what a statement says that the page does not show
    });
    this.statements.set(text, { hold: hold.hold, me: me.id, decision, reason });
    const allowCredentials = [...this.keys].filter(([, p]) => p === me).map(([id]) => ({ id, type: 'public-key' }));
    return { statement: text, sha256: sha(text), webauthn: { challenge: sha(text), timeout: 120000, rpId: 'localhost', userVerification: 'required', allowCredentials } };
  }
}

