// The job that the gateway is for, done by an agent and an approver who do not give up: what is lost on the way is asked
// again, with the same Idempotency-Key, until there is an answer. And what must be true of it afterwards, whoever was
// killed meanwhile.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';

const PATIENCE = 20_000;
const OPEN = ['held', 'approved', 'releasing'];
const ENDS = [201, 202, 410, 502]; // the upstream's answer, not yet, withdrawn, unknown
const refund = { amount: 900, currency: 'EUR', customer: 'c_17' };

/** Whether to ask again: the other end was gone, cut off or silent, or said that asking again can help. */
export function passes(error) {
  if (error instanceof TypeError || error instanceof SyntaxError || error.name === 'TimeoutError') return true;
  return /: (503|409) /.test(error.message); // the approver's refusals
}

export class MainJob {
  key = randomUUID();
  told = new Set(); // holds that the agent was told of
  decided = false; // a decision may have been sent
  answer = null; // the last one to the agent
  #asked = new Set();
  #gaveUp = false;

  /**
   * `prefer` is the agent's way: `respond-async`, then following the hold's events; or `wait=N`, waiting on its call.
   * Without an approver somebody else decides; with `withdraws` nobody does. `at(phase)` is told where the job is.
   */
  constructor({ agent, approver = null, prefer, route = 'payments', withdraws = false, at = () => {} }) {
    Object.assign(this, { agent, approver, prefer, route, withdraws, at });
  }

  async run() {
    this.at('call');
    if (this.prefer !== 'respond-async') {
      const answered = this.repeat();
      const refused = new Promise((_, failed) => answered.catch(failed));
      await Promise.race([this.#decide(), refused]);
      this.at('answer');
      await answered;
      return;
    }
    await this.#persist('the call is taken', () => this.#call({ open: true }));
    if (this.withdraws) await this.#withdraw();
    else await this.#decide();
    this.at('follow');
    await this.#persist('the hold closes', () => this.#follow()).catch((error) => {
      throw new Error(`${error.message}; the hold was ${this.status}`);
    });
    this.at('collect');
    await this.#persist('the answer is collected', async () => this.#take(await this.#ask('GET', `/.sallyport/holds/${this.hold}/response`)));
  }

  /** Nothing more is asked for it. */
  giveUp() {
    this.#gaveUp = true;
    for (const one of this.#asked) one.abort();
  }

  /** The call, until it is answered for good. */
  repeat() {
    return this.#persist('the call is answered', () => this.#call());
  }

  get hold() {
    return [...this.told].at(-1);
  }

  /** Tries until something comes of it. */
  async #persist(what, attempt) {
    let last = 'nothing';
    for (const end = Date.now() + PATIENCE; ; ) {
      if (this.#gaveUp) throw new Error(`${what}: given up`);
      try {
        const done = await attempt();
        if (done) return done;
      } catch (error) {
        if (!passes(error)) throw error;
        last = error.cause?.message ?? error.message;
      }
      if (Date.now() > end) throw new Error(`${what}: not in ${PATIENCE / 1000} s (the last failure: ${last})`);
      await pause(20);
    }
  }

  // Not AbortSignal.any: what it is made of is collected too early by some versions of Node.
  #ask(method, path, options = {}) {
    const asked = new AbortController();
    this.#asked.add(asked);
    setTimeout(() => asked.abort(new DOMException('no answer', 'TimeoutError')), PATIENCE).unref();
    return this.agent.call(method, path, { ...options, signal: asked.signal });
  }

  async #call({ open = false } = {}) {
    const headers = { 'Idempotency-Key': this.key, Prefer: this.prefer };
    return this.#take(await this.#ask('POST', `/${this.route}/v1/refunds`, { body: refund, headers }), { open });
  }

  /** An answer that is the last one; with `open`, also that the call is held. */
  async #take(response, { open = false } = {}) {
    const body = await response.json();
    const hold = response.headers.get('sallyport-hold');
    if (hold) this.told.add(hold);
    if (response.status === 503 && body.retry) return null;
    if (response.status === 202 && !open) return null;
    if (!ENDS.includes(response.status)) throw new Error(`the agent is answered with ${response.status}: ${body.detail ?? body.title}`);
    this.answer = { status: response.status, body, end: response.ok ? 'released' : body.type.split(':').pop() };
    return this.answer;
  }

  async #decide() {
    if (!this.approver) return;
    await this.#persist('the approver decides', async () => {
      const [held] = await this.approver.waiting();
      if (!held) return this.decided; // what was decided is not waiting any more
      this.at('decide');
      this.decided = true;
      await this.approver.approve(held.hold, 'The customer is right');
      return true;
    });
  }

  #withdraw() {
    return this.#persist('the call is withdrawn', async () => {
      const { status } = await this.#ask('DELETE', `/.sallyport/holds/${this.hold}`);
      assert.ok([200, 409, 503].includes(status), `withdrawing is answered with ${status}`);
      return status !== 503;
    });
  }

  async #follow() {
    const response = await this.#ask('GET', `/.sallyport/holds/${this.hold}/events`);
    assert.notEqual(response.status, 404, `the agent was told of ${this.hold}, and it is gone`);
    if (!response.ok) return false;
    let text = '';
    for await (const part of response.body.pipeThrough(new TextDecoderStream())) {
      text += part;
      for (let end; (end = text.indexOf('\n\n')) >= 0; text = text.slice(end + 2)) {
        const data = text.slice(0, end).split('\n').find((line) => line.startsWith('data: '));
        if (data) this.status = JSON.parse(data.slice(6)).status;
      }
      if (this.status && !OPEN.includes(this.status)) return true;
    }
    return false;
  }

  /**
   * Nothing lost, nothing sent twice or without a decision, nothing stuck, and the record tells the same. `ends` are
   * those that the hold may have come to; `times`, how often the upstream may have been asked.
   */
  async check({ holds, entries, upstream, ends = ['released'], times = 1 }) {
    const hold = holds.find((h) => this.told.has(h.hold));
    assert.ok(hold, `the agent was told of ${[...this.told]}, and it is gone`);
    assert.equal(this.told.size, 1, `one call became several holds: ${[...this.told]}`);
    assert.ok(ends.includes(hold.status), `the hold is ${hold.status}, should be ${ends.join(' or ')}`);
    const seen = upstream.seen(this.key);
    assert.ok(!this.sentTooEarly, 'the upstream saw the call before anybody decided');
    assert.ok(seen.length <= times, `the upstream saw the call ${seen.length} times`);
    if (hold.status === 'released') {
      assert.ok(seen.length >= 1, 'released, but the upstream never saw the call');
      assert.deepEqual([hold.outcome.status, this.answer.status, this.answer.body.of], [201, 201, this.key]);
    } else {
      const problem = { unknown: [502, 'outcome-unknown'], withdrawn: [410, 'withdrawn'] }[hold.status];
      assert.deepEqual([hold.outcome, this.answer.status, this.answer.end], [null, ...problem]);
    }
    for (const request of seen) {
      assert.deepEqual([request.method, request.url, request.body], ['POST', '/v1/refunds', JSON.stringify(refund)]);
      assert.ok(request.headers['sallyport-receipt'] && request.headers['x-api-key'], 'the call came without receipt or credential');
    }
    this.#checkRecord(entries.filter((e) => e.hold === hold.hold), hold, seen.length);

    // Whoever asks again gets the same, and nothing is sent for it.
    const before = this.answer;
    const { status, body } = await this.repeat();
    assert.deepEqual([status, body, this.told.size], [before.status, before.body, 1], 'the same call is answered otherwise');
    assert.equal(upstream.seen(this.key).length, seen.length, 'a repeated call was sent again');
  }

  #checkRecord(entries, hold, seen) {
    for (const e of entries) assert.equal(e.action, hold.action);
    const story = entries.map((e) => `${e.kind} ${e.data.verdict ?? e.data.status}`);
    const expected = ['verdict hold', 'hold held'];
    if (hold.status === 'withdrawn') {
      expected.push('hold withdrawn');
    } else {
      const sendings = story.filter((line) => line.startsWith('release')).length;
      assert.ok(sendings >= Math.max(seen, 1), `${sendings} releases in the record, ${seen} at the upstream`);
      // What could not be sent, or was cut off and may be sent again, is approved anew.
      expected.push('hold approved', 'decision approve', ...Array(sendings - 1).fill(['release releasing', 'outcome approved']).flat());
      expected.push('release releasing', `outcome ${hold.status}`);
    }
    assert.deepEqual(story, expected, 'the record tells another story');
  }
}

/** Checks the jobs, which are all that the gateway ever held, and the whole record. */
export async function checkAll(jobs, { gateway, ...rest }) {
  const holds = [];
  for (let next = ''; next !== null; ) {
    const page = await (await jobs[0].agent.call('GET', `/.sallyport/holds?limit=100${next && `&cursor=${next}`}`)).json();
    holds.push(...page.holds);
    next = page.next;
  }
  assert.equal(holds.length, jobs.length, `${jobs.length} calls became ${holds.length} holds`);
  const entries = await gateway.cli(['audit', 'show', '--json']);
  for (const job of jobs) await job.check({ holds, entries, ...rest });
  const decided = jobs.filter((job) => !job.withdraws).length;
  assert.match(await gateway.cli(['audit', 'verify']), new RegExp(` ${decided} decisions \\(${decided} passkey signatures verified\\), \\d+ releases: all in order`));
}
