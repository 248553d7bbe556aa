// The main job and the ways in which it is stopped, and the search for the commits where that can be done.
import assert from 'node:assert/strict';
import { setTimeout as pause } from 'node:timers/promises';
import { settle } from './kill_lane.mjs';
import { checkAll } from './main_job.mjs';

const LATE = 12_000; // a stream looks again by itself after 14 s: that is too late

/** What should have been stopped there came to its end. */
export class NotPassed extends Error {}

/** Comes back at that moment, which is before that end. */
export async function before(end, moment) {
  const never = async () => {
    await end;
    await pause(1000, undefined, { ref: false }); // the record is completed a little later
    throw new NotPassed('it came to its end without passing this point');
  };
  await Promise.race([moment, never()]);
}

async function runUntil(job, moment) {
  const done = job.run();
  done.catch(() => {});
  await before(done, moment);
  return { done };
}

async function check(lane, job, more) {
  await lane.gateway.ready();
  await checkAll([job], { gateway: lane.gateway, upstream: lane.upstream, ...more });
  assert.deepEqual(lane.errors(), [], 'the gateway logged errors');
}

/** Killed when `stop` says so, and started again. */
export async function killed(lane, options, stop, more = {}) {
  const job = await lane.begin(options);
  const { done } = await runUntil(job, stop(lane));
  const ends = await lane.restart();
  await done;
  await check(lane, job, { ends, ...more });
  return job;
}

/** The gateway lives on, but knows of that commit no more than one that was killed there; and the database is there. */
export async function cutOff(lane, options, stop, more) {
  const job = await lane.begin(options);
  const { done } = await runUntil(job, stop(lane));
  const cut = Date.now();
  await done;
  assert.ok(Date.now() - cut < LATE, `the agent heard of it ${(Date.now() - cut) / 1000} s later`);
  await pause(600); // longer than it waits before it tries again
  await check(lane, job, more);
}

/** Kills it once the upstream has the request, which is never answered, … */
export const atRequest = (lane) =>
  new Promise((stopped) => {
    const { received } = lane.upstream;
    lane.upstream.received = (request) => {
      lane.upstream.received = received;
      received(request);
      lane.kill();
      stopped();
      return true;
    };
  });

/** … or when the answer has left. */
export const atAnswer = (lane) =>
  new Promise((stopped) => {
    lane.upstream.answered = () => {
      lane.upstream.answered = () => {};
      lane.kill();
      stopped();
    };
  });

/** The upstream cannot be reached until after the kill; at the first commit of an attempt's failure, or the second. */
export async function killedWhileAway(lane, moment, nth, ends) {
  const job = await lane.begin({ prefer: 'respond-async' });
  lane.upstream.close();
  const { done } = await runUntil(job, lane.commit('advance_hold', moment, { nth })).finally(() => lane.upstream.listen());
  await lane.restart();
  await done;
  await check(lane, job, { ends });
}

/** Killed in the middle of a release, and again at a commit of the start that follows. */
export async function killedTwice(lane, point, moment) {
  const job = await lane.begin({ prefer: 'respond-async' });
  const { done } = await runUntil(job, atRequest(lane));
  const again = lane.commit(point, moment);
  await lane.restart();
  await before(done, again);
  await lane.restart();
  await done;
  await check(lane, job, { ends: ['unknown'] });
}

/** What is unknown stays so. */
export async function startedOnceMore(lane) {
  const job = await killed(lane, { prefer: 'respond-async' }, atRequest);
  lane.kill();
  await lane.restart();
  await lane.gateway.ready();
  await pause(500); // what it may want to do, it has done
  await check(lane, job, { ends: ['unknown'] });
}

/** Killed at a commit of a start on an empty database. */
export async function firstStartKilled(lane, point, moment) {
  await lane.reset({ empty: true });
  const stopped = lane.commit(point, moment);
  lane.gateway.spawn();
  await before(lane.gateway.ready(), stopped);
  await lane.restart();
  await lane.gateway.ready();
  await settle(lane.gateway);
  await lane.gateway.cli(['audit', 'verify']);
  assert.deepEqual(lane.errors(), [], 'the gateway logged errors');
}

/** It ends, and says why, also when somebody asks meanwhile whether it is ready. */
export async function startedWithoutDatabase(lane) {
  await lane.reset();
  lane.proxy.crash(5000);
  lane.gateway.spawn();
  const asked = lane.gateway.ready().catch(() => {});
  assert.equal(await lane.gateway.ended, 3, `the exit code; the log:\n${lane.gateway.log()}`);
  await asked;
  assert.match(lane.errors().join(), /"event":"not started","problem":"storage-unavailable"/);
}

// --- where it can be stopped --------------------------------------------------------------------------------------------

const unique = (list) => [...new Set(list)];
export const heard = (lane) => unique(lane.passed.filter((p) => p.moment === 'before').map((p) => p.point));

/** A commit that changes nothing is named with the phase in which it comes. */
export const reads = (point) => point.includes(': ');
export const bare = (point) => point.replace(/^.*: /, '');

/** The commits that come by themselves. */
export async function housekeeping(lane) {
  await lane.begin();
  await pause(2500); // the slowest comes every two seconds
  return heard(lane).map(bare);
}

/** The commits that every run of a job passes, in their order. */
export async function commitsOf(lane, options) {
  const runs = [];
  for (let i = 0; i < 3; ++i) {
    const job = await lane.begin(options);
    await job.run();
    await pause(200); // the record is completed a little later
    runs.push(heard(lane));
    await check(lane, job, { ends: [options.withdraws ? 'withdrawn' : 'released'] });
  }
  return runs[0].filter((point) => runs.every((run) => run.includes(point)));
}

/** Those of a start after a kill in the middle of a release, until that is settled. */
export async function commitsOfRecovery(lane) {
  const job = await lane.begin({ prefer: 'respond-async' });
  const { done } = await runUntil(job, atRequest(lane));
  await lane.gateway.ended;
  lane.passed = [];
  lane.gateway.spawn();
  await done;
  return heard(lane);
}

/** Those of a start on an empty database. */
export async function commitsOfStart(lane) {
  await lane.reset({ empty: true });
  await lane.gateway.start();
  return heard(lane);
}
