// node kill_test.mjs SALLYPORT [PATTERN]: kills the gateway at every commit of its main job, and at the other moments
// where something could be lost; starts it again on what is left; and looks whether a held call was lost, sent twice or
// without a decision, or stuck, and whether the record tells what happened. PATTERN picks cases by their names.
//
// Commits are found by running the job first (postgres_proxy.mjs sees them pass), so that one which is new is killed at
// too. At "the gateway is not told" the connection breaks after the commit; in "connection lost" the gateway survives it.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { makeBase, until } from './gateway.mjs';
import { callsKilled, commitsOfCalls, shippingStopped } from './kill_calls.mjs';
import * as kill from './kill_cases.mjs';
import { Lane } from './kill_lane.mjs';
import { alive, underLoad } from './own_database.mjs';
import { PostgresCluster } from './postgres_cluster.mjs';

const LANES = 2;
const CASE_TIMEOUT = 90_000;
const [binary, pattern = ''] = process.argv.slice(2);

const jobs = {
  async: { prefer: 'respond-async' },
  waiting: { prefer: 'wait=20' },
  withdrawn: { prefer: 'respond-async', withdraws: true },
};
const moments = {
  before: 'the database never hears of it',
  after: 'the database has done it, the gateway is not told',
};

/** Each of the commits, both ways. */
function each(points, name, run) {
  return points.flatMap((point) => {
    // To look is no change: its two moments are the same, and it may come in another phase this time.
    if (kill.reads(point)) return [[`${name} ${point}`, (lane) => run(lane, point, 'before').catch(passedBy)]];
    return Object.keys(moments).map((moment) => [`${name} ${point}: ${moments[moment]}`, (lane) => run(lane, point, moment)]);
  });
}

const DID_NOT_COME = 'it did not come by';
function passedBy(error) {
  if (error instanceof kill.NotPassed) return DID_NOT_COME;
  throw error;
}

async function findCommits([first, second]) {
  const findRest = async () => [await kill.housekeeping(first), { start: await kill.commitsOfStart(first), calls: await commitsOfCalls(first) }];
  const findJobs = async () => {
    const found = { recovery: await kill.commitsOfRecovery(second) };
    for (const way of Object.keys(jobs)) found[way] = await kill.commitsOf(second, jobs[way]);
    return found;
  };
  const [[idle, rest], found] = await Promise.all([findRest(), findJobs()]);
  const commits = Object.fromEntries(Object.entries({ ...found, ...rest }).map(([of, points]) => [of, points.filter((point) => !idle.includes(kill.bare(point)))]));
  // Some cases know these by name.
  for (const name of ['claim_holds+advance_hold', 'advance_hold+put_response']) assert.ok(commits.async.includes(name), `no commit is ${name}: has a statement another name now?`);
  return commits;
}

const changes = (points) => points.filter((point) => !kill.reads(point));

function ownDatabase() {
  return [
    ['own PostgreSQL: the gateway is killed under load, PostgreSQL runs on', () =>
      underLoad(binary, 'kill-own-1', ['released', 'unknown'], async (one) => {
        const { postmaster } = one;
        await one.gateway.stop('SIGKILL');
        assert.ok(alive(postmaster), 'PostgreSQL went with the gateway');
        one.gateway.spawn();
        await one.gateway.ready();
        assert.equal(one.postmaster, postmaster, 'PostgreSQL was not taken over');
      })],
    ['own PostgreSQL: both are killed under load', () =>
      underLoad(binary, 'kill-own-2', ['released', 'unknown'], async (one) => {
        process.kill(one.postmaster, 'SIGKILL');
        await one.gateway.stop('SIGKILL');
        one.gateway.spawn();
      })],
    ['own PostgreSQL: it is killed under load, then one of its processes', () =>
      underLoad(binary, 'kill-own-3', ['released'], async (one) => {
        const first = one.postmaster;
        const before = one.upstream.requests.length;
        process.kill(first, 'SIGKILL');
        await until('PostgreSQL is started again', () => ![null, first].includes(one.postmaster) && one.upstream.requests.length > before + 5);
        process.kill(await until('it serves the gateway', () => one.backend), 'SIGKILL');
      })],
  ];
}

function atTheUpstream(way) {
  const idempotent = { ...jobs[way], route: 'ledger' };
  const again = { ends: ['released'], times: 2 };
  return [
    [`${way}, killed while the upstream has the request`, (lane) => kill.killed(lane, jobs[way], kill.atRequest)],
    [`${way}, killed when the upstream has answered`, (lane) => kill.killed(lane, jobs[way], kill.atAnswer)],
    [`${way}, idempotent, killed while the upstream has the request`, (lane) => kill.killed(lane, idempotent, kill.atRequest, again)],
    [`${way}, idempotent, killed at its outcome`, (lane) => kill.killed(lane, idempotent, () => lane.commit('advance_hold+put_response', 'before'), again)],
  ];
}

/** A statement that only this transaction has. */
const ownOf = (point, all) => point.split('+').find((name) => all.every((other) => other === point || !other.split('+').includes(name)));

/** The gateway lives on, but not its connections to the database. */
function disconnected(points) {
  const cut = (way, stop) => (lane) => kill.cutOff(lane, jobs[way], stop);
  const lost = (lose) => (lane, point, moment) => kill.cutOff(lane, jobs.async, () => lane.commit(point, moment, { lose }));
  return points.flatMap((point) => {
    const own = ownOf(point, points);
    return [
      ...each([point], 'async, connection lost at', lost('one')),
      ...each([point], 'async, all connections lost at', lost('all')),
      [`async, connection lost in the statement ${own}`, cut('async', (lane) => lane.statement(own, 'before', { lose: 'one' }))],
      [`async, the database crashes after the statement ${own}`, cut('async', (lane) => lane.statement(own, 'after', { lose: 'crash' }))],
      [`async, the database crashes after ${point}`, cut('async', (lane) => lane.commit(point, 'after', { lose: 'crash' }))],
      [`waiting, the database crashes after ${point}`, cut('waiting', (lane) => lane.commit(point, 'after', { lose: 'crash' }))],
    ];
  });
}

function allCases({ async, waiting, withdrawn, recovery, start, calls }) {
  const at = (options, more) => (lane, point, moment) => kill.killed(lane, options, () => lane.commit(point, moment), more);
  const gone = { ends: ['withdrawn'] };
  return [
    ...ownDatabase(),
    ...each(async, 'async, killed at', at(jobs.async)),
    ...each(waiting, 'waiting, killed at', at(jobs.waiting)),
    ...each(changes(withdrawn), 'withdrawn, killed at', at(jobs.withdrawn, gone)),
    ...atTheUpstream('async'),
    ...atTheUpstream('waiting'),
    ['upstream away, killed at the outcome: the database never hears of it', (lane) => kill.killedWhileAway(lane, 'before', 1, ['unknown'])],
    ['upstream away, killed at the outcome: the gateway is not told', (lane) => kill.killedWhileAway(lane, 'after', 1, ['released'])],
    ['upstream away, killed before the next attempt', (lane) => kill.killedWhileAway(lane, 'before', 2, ['released'])],
    ['unknown, started once more', kill.startedOnceMore],
    ...each(changes(recovery), 'recovering, killed again at', kill.killedTwice),
    ...each(changes(start), 'first start, killed at', kill.firstStartKilled),
    ['start without a database', kill.startedWithoutDatabase],
    ['allowed, killed while the upstream has the request', (lane) => callsKilled(lane, 1, () => (kill.atRequest(lane), () => {}))],
    ['allowed and denied, killed under load', (lane) => callsKilled(lane, 1000, () => (n) => n === 300 && lane.kill())],
    ['denied, killed when it is answered', (lane) => callsKilled(lane, 5, () => (n) => n === 5 && lane.kill())],
    ...each(calls, 'allowed and denied, killed at', (lane, point, moment) => shippingStopped(lane, point, moment)),
    ...each(calls, 'allowed and denied, connection lost at', (lane, point, moment) => shippingStopped(lane, point, moment, { lose: 'one' })),
    ...disconnected(changes(async)),
    ...each(changes(withdrawn), 'withdrawn, connection lost at', (lane, point, moment) => kill.cutOff(lane, jobs.withdrawn, () => lane.commit(point, moment, { lose: 'one' }), gone)),
  ].filter(([name]) => name.includes(pattern));
}

const within = (time, work) => Promise.race([work, pause(time, undefined, { ref: false }).then(() => assert.fail(`not done in ${time / 1000} s`))]);

/** Runs the cases, a lane's one after another; gives how many failed. */
async function runAll(cases, lanes) {
  let next = 0;
  let failed = 0;
  const work = async (lane) => {
    while (next < cases.length) {
      const number = ++next;
      const [name, run] = cases[number - 1];
      const began = Date.now();
      const { said, error } = await within(CASE_TIMEOUT, run(lane)).then((said) => ({ said }), (error) => ({ error }));
      const took = `(${((Date.now() - began) / 1000).toFixed(1)} s)`;
      console.log(`${error ? 'not ok' : 'ok'} ${number} - ${name} ${said === DID_NOT_COME ? `# SKIP ${said}` : took}`);
      if (!error) continue;
      ++failed;
      console.log(`${error.stack ?? error}\nthe gateway's log:\n${lane.gateway.log()}`.replace(/^/gm, '  # '));
    }
  };
  console.log(`1..${cases.length}`);
  await Promise.all(lanes.map(work));
  console.log(`# ${cases.length - failed} of ${cases.length} passed`);
  return failed;
}

async function main() {
  const base = makeBase('kill');
  const lanes = [];
  let cluster;
  try {
    cluster = await PostgresCluster.start(base);
    lanes.push(...(await Promise.all(Array.from({ length: LANES }, (_, i) => Lane.prepare(binary, cluster, `lane_${i + 1}`)))));
    const cases = allCases(await findCommits(lanes));
    return cases.length > 0 && (await runAll(cases, lanes)) === 0 ? 0 : 1;
  } finally {
    await Promise.all(lanes.map((lane) => lane.close()));
    await cluster?.stop();
    fs.rmSync(base, { recursive: true, force: true });
  }
}

process.exit(await main());
