// The model of a hold's life, verified by spin over every interleaving; and that the model can fail: each mutation breaks
// one thing that the code relies on, and spin must find a run in which that matters. node --test hold_test.mjs
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const MODEL = fileURLToPath(new URL('hold.pml', import.meta.url));
const safety = { build: ['-DSAFETY', '-DNOCLAIM'], run: [] };
// `ends`, under weak fairness.
const liveness = { build: [], run: ['-a', '-f', '-N', 'ends'] };

function run(directory, command, args) {
  const { status, stdout, stderr, error } = spawnSync(command, args, { cwd: directory, encoding: 'utf8', timeout: 120_000 });
  assert.equal(error, undefined, `${command} is needed: ${error?.message}`);
  assert.equal(status, 0, `${command} ${args.join(' ')}:\n${stdout}${stderr}`);
  return stdout;
}

/** What the verifier says of the model, with these defined. */
function verify(defined, { build, run: how }) {
  const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'sallyport-model-'));
  try {
    run(directory, 'spin', ['-a', ...defined.map((d) => `-D${d}`), MODEL]);
    // What spin writes takes longer to optimize than it runs.
    run(directory, 'gcc', ['-O0', '-w', '-DMEMLIM=2000', ...build, '-o', 'pan', 'pan.c']);
    const said = run(directory, './pan', ['-m100000', ...how]);
    return {
      said,
      found: /^pan:1: (.*)$/m.exec(said)?.[1] ?? null,
      whole: !/max search depth too small|Search not completed/.test(said),
      states: Number(/^ *(\S+) states, stored/m.exec(said)?.[1] ?? 0),
    };
  } finally {
    fs.rmSync(directory, { recursive: true, force: true });
  }
}

test('no release without approval, at most one send, and what was cut off is unknown', () => {
  const { found, whole, states, said } = verify([], safety);
  assert.deepEqual([found, whole], [null, true], said);
  assert.ok(states > 1_000_000, `only ${states} states: most of the model was not reached`);
});

test('every hold comes to an end', () => {
  const { found, whole, states, said } = verify(['SLOTS=1'], liveness);
  assert.deepEqual([found, whole], [null, true], said);
  assert.ok(states > 100_000, `only ${states} states: most of the model was not reached`);
});

const MUTATIONS = [
  ['CLAIM_WITHOUT_STATUS_CHECK', 'a claim takes the hold whatever its status is', safety, /assertion violated/],
  ['SEND_BEFORE_CLAIM', 'it is sent before the claim commits', safety, /assertion violated/],
  ['STANDING_FROM_MEMORY', 'a claim does not look whether the directory was changed meanwhile', safety, /in_force/],
  ['FLIGHTS_FORGET', 'what is left over is given back, whatever was sent of it', safety, /assertion violated/],
  ['ABANDONED_GOES_BACK', 'what a dead replica was sending is given back', safety, /assertion violated/],
  ['NOBODY_SETTLES', 'nobody settles claims whose commit went unanswered', liveness, /acceptance cycle/],
];
for (const [name, what, property, expected] of MUTATIONS)
  test(`spin finds out when ${what}`, () => {
    const { found, said } = verify([name, 'SLOTS=1'], property);
    assert.match(found ?? '', expected, said);
  });
