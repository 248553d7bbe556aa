// Two replicas that share nothing but the database and the master key: what one begins the other goes on with, a call is
// sent once whoever sends it, and both write one log. SALLYPORT_BINARY=… node --test replicas_test.mjs
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { until } from './gateway.mjs';
import { MainJob, checkAll } from './main_job.mjs';
import { keepApproving } from './own_database.mjs';
import { TwoReplicas } from './two_replicas.mjs';

const jobs = [];
let replicas, upstream, front, one, other, agent, agentOfOther, approver;

before(async () => {
  replicas = await TwoReplicas.start('replicas');
  ({ upstream, front, one, other, agent, agentOfOther, approver } = replicas);
});
after(() => replicas?.stop());

function job(options) {
  const made = new MainJob({ approver, ...options });
  jobs.push(made);
  return made;
}

test('a call that waits on one replica is decided on the other, and answered where it waits', { timeout: 30_000 }, async () => {
  front.to = other.ports.people;
  const waiting = job({ agent, prefer: 'wait=20' });
  await waiting.run();
  assert.equal(waiting.answer.status, 201);
});

test('what one replica held is followed and collected on the other', { timeout: 30_000 }, async () => {
  front.to = one.ports.people;
  const followed = job({ agent, prefer: 'respond-async', at: (phase) => (followed.agent = phase === 'call' ? agent : agentOfOther) });
  await followed.run();
  assert.equal(followed.answer.status, 201);
});

test('a key that one replica knows is known to the other: nothing is sent twice', { timeout: 30_000 }, async () => {
  const [first] = jobs;
  const repeated = new MainJob({ agent: agentOfOther, prefer: 'wait=20' });
  repeated.key = first.key;
  const { status, body } = await repeated.repeat();
  assert.deepEqual([status, body, upstream.seen(first.key).length], [first.answer.status, first.answer.body, 1]);
});

test('many at once, on both, while both decide', { timeout: 60_000 }, async () => {
  const approving = keepApproving(approver);
  const turning = setInterval(() => (front.to = front.to === one.ports.people ? other.ports.people : one.ports.people), 50);
  const calls = Array.from({ length: 40 }, (_, i) => job({ agent: i % 2 ? agent : agentOfOther, approver: null, prefer: i % 4 < 2 ? 'wait=20' : 'respond-async' }));
  await Promise.all(calls.map((call) => call.run())).finally(approving.stop);
  clearInterval(turning);
  await approving.ended;
  assert.equal(new Set(upstream.requests.map((r) => r.headers['idempotency-key'])).size, upstream.requests.length, 'something was sent twice');
});

test('who is suspended on one replica is refused by the other within a second', { timeout: 30_000 }, async () => {
  const read = async () => (await agentOfOther.call('GET', '/payments/v1/customers/c_1')).status;
  assert.equal(await read(), 200);
  await one.cli(['agent', 'suspend', 'refund-bot']);
  await until('the other replica refuses', async () => (await read()) === 403, { within: 1000 });
  await other.cli(['agent', 'resume', 'refund-bot']);
  await until('the first takes it again', async () => (await agent.call('GET', '/payments/v1/customers/c_2')).status === 200, { within: 1000 });
});

test('a replica that is killed leaves its holds to the other', { timeout: 60_000 }, async () => {
  front.to = other.ports.people;
  const left = job({
    agent,
    prefer: 'respond-async',
    at: (phase) => {
      if (phase !== 'decide') return;
      one.process.kill('SIGKILL');
      left.agent = agentOfOther;
    },
  });
  await left.run();
  assert.equal(left.answer.status, 201);
});

test('nothing was lost or sent twice, and the log is one', { timeout: 60_000 }, async () => {
  for (const each of jobs) each.agent = agentOfOther;
  await checkAll(jobs, { gateway: other, upstream });
});
