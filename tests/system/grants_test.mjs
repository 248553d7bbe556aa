// Grants over two replicas: what one approval lets pass, to the call and to the cent, whoever asks where; how it ends; and what
// the log says of it. SALLYPORT_BINARY=… node --test grants_test.mjs
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { until } from './gateway.mjs';
import { TwoReplicas } from './two_replicas.mjs';

const OPEN = ['approved', 'releasing'];
let replicas, base, cluster, upstream, front, one, other, agent, agentOfOther, approver;

before(async () => {
  replicas = await TwoReplicas.start('grants');
  ({ base, cluster, upstream, front, one, other, agent, agentOfOther, approver } = replicas);
});
after(() => replicas?.stop());

/** A call; what became of it once nothing moves it any more but people. */
async function call(customer, { amount = 900, more = {}, by = agent, headers = {}, raw = null } = {}) {
  const key = randomUUID();
  const body = { amount, currency: 'EUR', customer, ...more };
  const send = raw === null ? by.call('POST', '/payments/v1/refunds', { body, headers: { 'Idempotency-Key': key, Prefer: 'respond-async', ...headers } }) : sendRaw(by, raw, key);
  const response = await send;
  const hold = response.headers.get('sallyport-hold');
  assert.ok(hold, `the call is answered with ${response.status}: ${await response.text()}`);
  let state;
  await until('it is decided by nobody, or sent', async () => {
    state = await (await by.call('GET', `/.sallyport/holds/${hold}`)).json();
    return !OPEN.includes(state.status);
  });
  return { key, hold, ...state };
}

const sendRaw = (by, text, key) =>
  fetch(`${by.agentsUrl}/payments/v1/refunds`, {
    method: 'POST',
    headers: { Authorization: `Bearer ${by.token}`, 'Content-Type': 'application/json', 'Idempotency-Key': key, Prefer: 'respond-async' },
    body: text,
  });

/** A call is held, and approved with what `change` makes of the proposal. */
async function granted(customer, change = () => {}, options = {}) {
  const first = await call(customer, options);
  assert.equal(first.status, 'held');
  const grant = await approver.proposal(first.hold);
  change(grant);
  await approver.approve(first.hold, 'and alike', grant);
  return (await approver.grants()).find((g) => g.hold === first.hold);
}

const field = (grant, pointer) => grant.shape.fields.find((f) => f.pointer === pointer);

test('thirty at once on both replicas: exactly as many pass as were granted', { timeout: 60_000 }, async () => {
  const grant = await granted('c_many', (g) => (g.count = 10));
  assert.deepEqual([grant.status, grant.count, grant.used, grant.sum, grant.by[0].handle], ['active', 10, 0, '9000', 'ada']);
  const calls = await Promise.all(Array.from({ length: 30 }, (_, i) => call('c_many', { by: i % 2 ? agent : agentOfOther })));
  const passed = calls.filter((c) => c.status === 'released');
  assert.deepEqual([passed.length, calls.filter((c) => c.status === 'held').length], [10, 20]);
  for (const each of passed) assert.equal(upstream.seen(each.key).length, 1);
  for (const each of calls.filter((c) => c.status === 'held')) assert.equal(upstream.seen(each.key).length, 0);
  const { grant: spent, calls: shown } = await approver.grant(grant.id);
  assert.deepEqual([spent.status, spent.used, spent.sum_used], ['exhausted', 10, '9000']);
  assert.deepEqual(shown.map((c) => c.hold).sort(), passed.map((c) => c.hold).sort());
});

test('a sum is burned to the cent', { timeout: 60_000 }, async () => {
  await granted('c_sum', (g) => {
    g.shape.fields = g.shape.fields.map((f) => (f.pointer === '/amount' ? { pointer: '/amount', type: 'number', at_least: '500.00', at_most: '900.10' } : f));
    g.count = 100;
    g.sum = { pointer: '/amount', at_most: '2100.30' };
  });
  const states = [];
  for (const amount of [700.1, 700.1, 700.11, 700.1, 500.01]) states.push((await call('c_sum', { amount })).status);
  assert.deepEqual(states, ['released', 'released', 'held', 'released', 'held']);
});

test('what is not such a call is held', { timeout: 60_000 }, async () => {
  await granted('c_shape');
  const held = async (what, options) => assert.equal((await call('c_shape', options)).status, 'held', what);
  await held('a field more', { more: { note: 'x' } });
  await held('another customer', { more: { customer: 'c_other' } });
  await held('the same number otherwise', { raw: '{"amount":9e2,"currency":"EUR","customer":"c_shape"}' });
  await held('with a point', { raw: '{"amount":900.0,"currency":"EUR","customer":"c_shape"}' });
  await held('as an object', { raw: '{"amount":900,"currency":"EUR","customer":{"":"c_shape"}}' });
  await held('a header more', { headers: { 'X-Dry-Run': 'false' } });
  const others = await one.agent('other-bot', 'ada', ['payments']);
  await held('another agent', { by: others });
  assert.equal((await call('c_shape', { headers: { traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01' } })).status, 'released', 'a trace of its own');
  assert.equal((await call('c_shape', { raw: '{ "customer":"c_\\u0073hape", "currency":"EUR","amount":900}' })).status, 'released', 'the same written otherwise');
});

test('revoked on one replica, it is over on both', { timeout: 60_000 }, async () => {
  const grant = await granted('c_revoked');
  assert.equal((await call('c_revoked', { by: agentOfOther })).status, 'released');
  assert.equal((await approver.revoke(grant.id)).status, 'revoked');
  assert.equal((await call('c_revoked', { by: agentOfOther })).status, 'held');
  assert.equal((await call('c_revoked')).status, 'held');

  const second = await granted('c_terminal');
  const [listed] = (await one.cli(['grant', 'list', '--json'])).filter((g) => g.id === second.id);
  assert.deepEqual([listed.status, listed.agent.name], ['active', 'refund-bot']);
  await other.cli(['grant', 'revoke', second.id]);
  assert.equal((await call('c_terminal')).status, 'held');
  assert.match(await one.cli(['grant', 'show', second.id]), /revoked/);
});

test('its time begins with the approval, and ends', { timeout: 60_000 }, async () => {
  const grant = await granted('c_time', (g) => (g.seconds = 60));
  assert.equal(Date.parse(grant.expires_at) - Date.parse(grant.created_at), 60_000);
  // A minute is the shortest: the clock is turned, not waited for.
  await cluster.sql('\\c grants', `UPDATE sallyport.grants SET created_at = created_at - interval '2 minutes', expires_at = expires_at - interval '1 minute' WHERE id = '${grant.id}'`);
  assert.equal((await call('c_time')).status, 'held');
  await cluster.sql('\\c grants', `UPDATE sallyport.grants SET created_at = created_at + interval '2 minutes', expires_at = expires_at + interval '1 minute' WHERE id = '${grant.id}'`);
});

test('suspending the agent ends its grants for good', { timeout: 60_000 }, async () => {
  const grant = await granted('c_suspended');
  await one.cli(['agent', 'suspend', 'refund-bot']);
  await one.cli(['agent', 'resume', 'refund-bot']);
  await until('both take it again', async () => (await agent.call('GET', '/payments/v1/x')).status === 200 && (await agentOfOther.call('GET', '/payments/v1/x')).status === 200);
  assert.equal((await call('c_suspended')).status, 'held');
  assert.equal((await approver.grant(grant.id)).grant.revoked_why, 'the agent was suspended');
});

test('a replica that dies leaves what a grant approved to the other: sent once', { timeout: 60_000 }, async () => {
  const grant = await granted('c_killed', (g) => Object.assign(g, { count: 20, sum: { pointer: '/amount', at_most: '18000' } }));
  front.to = other.ports.people;
  const calls = Array.from({ length: 12 }, async (_, i) => {
    const key = randomUUID();
    const by = i % 2 ? agent : agentOfOther;
    const ask = () => by.call('POST', '/payments/v1/refunds', { body: { amount: 900, currency: 'EUR', customer: 'c_killed' }, headers: { 'Idempotency-Key': key, Prefer: 'respond-async' } });
    const hold = await ask().then((r) => r.headers.get('sallyport-hold'), () => null);
    return { key, hold };
  });
  await until('some are sent', () => upstream.requests.filter((r) => r.body.includes('c_killed')).length >= 3);
  one.process.kill('SIGKILL');
  const made = (await Promise.all(calls)).filter((c) => c.hold);
  for (const { key, hold } of made) {
    let state;
    await until('it has ended', async () => {
      state = await (await agentOfOther.call('GET', `/.sallyport/holds/${hold}`)).json();
      return !OPEN.includes(state.status);
    });
    assert.ok(['released', 'unknown'].includes(state.status), state.status);
    assert.ok(upstream.seen(key).length <= 1);
    if (state.status === 'released') assert.equal(upstream.seen(key).length, 1);
  }
  assert.ok((await approver.grant(grant.id)).grant.used >= made.length);
});

test('the log tells the same', { timeout: 60_000 }, async () => {
  await until('the record is whole', async () => Number((await cluster.sql('\\c grants', 'SELECT count(*) FROM sallyport.audit_pending')).match(/\d+/)?.[0] ?? 0) === 0);
  assert.match(await other.cli(['audit', 'verify']), /./);
  const exported = path.join(base, 'export');
  await other.cli(['audit', 'export', exported]);
  assert.match(await other.cli(['audit', 'verify', exported]), /./);
  const entries = await other.cli(['audit', 'show', '--json']);
  const acts = entries.filter((e) => e.kind === 'admin').map((e) => e.data.act);
  for (const act of ['grant.make', 'grant.revoke', 'grant.exhausted']) assert.ok(acts.includes(act), act);
});
