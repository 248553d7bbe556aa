// Calls that are not held, while the gateway is killed: what it let pass or refused is in the record, once.
import assert from 'node:assert/strict';
import { setTimeout as pause } from 'node:timers/promises';
import { before, heard, reads } from './kill_cases.mjs';

const CALLERS = 20;

/** Makes `count` calls, every fifth of which is denied. `at(n)` is told of the nth answer. */
function callMany(agent, count, at) {
  const answered = [];
  const call = async (i) => {
    const verdict = i % 5 === 0 ? 'deny' : 'allow';
    const response = await agent.call(verdict === 'deny' ? 'DELETE' : 'GET', `/payments/v1/customers/c_${i}`);
    const action = response.headers.get('sallyport-action') ?? (await response.json()).action;
    answered.push({ target: `/v1/customers/c_${i}`, verdict, action });
    at(answered.length);
  };
  let next = 1;
  const caller = async () => {
    while (next <= count) await call(next++);
  };
  return { answered, ended: Promise.allSettled(Array.from({ length: CALLERS }, caller)) };
}

async function checkRecord(lane, answered) {
  await lane.gateway.ready();
  const entries = await lane.gateway.cli(['audit', 'show', '--json']);
  const verdicts = entries.filter((e) => e.kind === 'verdict');
  const seen = lane.upstream.requests.map((r) => ({ target: r.url, verdict: 'allow' }));
  for (const { target, verdict, action } of [...answered, ...seen]) {
    const found = verdicts.filter((e) => e.data.target === target);
    assert.deepEqual(found.map((e) => e.data.verdict), [verdict], `the record's verdicts on ${target}`);
    if (action) assert.equal(found[0].action, action);
  }
  const told = entries.filter((e) => ['verdict', 'outcome'].includes(e.kind));
  // A verdict's entry may tell the outcome too.
  const calls = told.flatMap((e) => [e.kind, ...(e.data.outcome ? ['outcome'] : [])].map((what) => `${what} of ${e.action}`));
  assert.equal(new Set(calls).size, calls.length, 'something is twice in the record');
  await lane.gateway.cli(['audit', 'verify']);
  assert.deepEqual(lane.errors(), [], 'the gateway logged errors');
}

/** `arm` gives what is told of each answer, or arranges for the kill itself. */
export async function callsKilled(lane, count, arm) {
  await lane.begin();
  const calls = callMany(lane.agent, count, arm(lane));
  await lane.gateway.ended;
  await calls.ended;
  await lane.restart();
  await checkRecord(lane, calls.answered);
}

/** The commits that take calls from the journal into the log. */
export async function commitsOfCalls(lane) {
  await lane.begin();
  await callMany(lane.agent, 50, () => {}).ended;
  await pause(300); // it is shipped a little later
  return heard(lane).filter((point) => !reads(point));
}

export async function shippingStopped(lane, point, moment, { lose = null } = {}) {
  await lane.begin();
  const stopped = lane.commit(point, moment, { lose });
  const calls = callMany(lane.agent, 200, () => {});
  await before(calls.ended, stopped);
  if (!lose) await lane.restart();
  await calls.ended;
  await checkRecord(lane, calls.answered);
}
