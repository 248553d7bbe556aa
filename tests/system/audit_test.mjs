// The record as others check it: an exported log by Go's sumdb packages, and by the program itself without a gateway, before
// and after somebody has changed it. SALLYPORT_BINARY names the program.
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import http from 'node:http';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { Gateway, makeBase } from './gateway.mjs';

const CALLS = 300; // more than a tile
const CHECKER = path.join(import.meta.dirname ?? path.dirname(new URL(import.meta.url).pathname), 'sumdb', 'check.go');

let base, upstream, gateway, agent, ada;
const directory = (name) => path.join(base, name);

before(async () => {
  base = makeBase('audit');
  upstream = http.createServer((q, r) => q.resume().on('end', () => r.end('{}')));
  await new Promise((listening) => upstream.listen(0, '127.0.0.1', listening));
  gateway = new Gateway(process.env.SALLYPORT_BINARY, {
    base,
    configuration: `
limits: { header_bytes: 128KiB }
routes: [ { id: crm, prefix: /crm, upstream: "http://127.0.0.1:${upstream.address().port}" } ]
policies:
  - { id: reads-pass, route: crm, when: 'request.method == "GET"', verdict: allow }
  - { id: writes-wait, route: crm, when: 'request.method == "POST"', verdict: hold, workflow: owner }
workflows: { owner: { steps: [ { notify: [owner], for: 10m } ], otherwise: deny } }
`,
  });
  await gateway.start();
  ada = await gateway.approver('ada');
  agent = await gateway.agent('reader', 'ada', ['crm']);
}, { timeout: 60_000 });
after(async () => {
  await gateway?.stop();
  upstream?.close();
  if (base) fs.rmSync(base, { recursive: true, force: true });
});

/** Offline: no configuration, no data, no gateway. */
function verify(dir, ...more) {
  const { status, stdout, stderr } = spawnSync(gateway.binary, ['audit', 'verify', dir, ...more], {
    encoding: 'utf8', cwd: '/', env: { ...process.env, SALLYPORT_CONFIG: '/nonexistent', SALLYPORT_DATA: '/nonexistent' },
  });
  return { status, stdout, stderr };
}

async function approveOne() {
  const { hold } = await (await agent.call('POST', '/crm/x', { body: {}, headers: { Prefer: 'respond-async' } })).json();
  await ada.approve(hold, 'fine');
  await agent.collect(hold);
  return hold;
}

let key;
test('two exports, one after the other', { timeout: 120_000 }, async () => {
  await approveOne();
  const [first] = await gateway.cli(['audit', 'export', directory('first'), '--json']);
  key = first.key;
  // A target that no bundle of entries takes; the upstream will not have it either.
  await agent.call('GET', `/crm/${'x'.repeat(70_000)}`);
  for (let i = 0; i < CALLS; i += 20) await Promise.all(Array.from({ length: 20 }, () => agent.call('GET', '/crm/x')));
  await gateway.stop();
  await gateway.start();
  await approveOne();
  const [second] = await gateway.cli(['audit', 'export', directory('second'), '--json']);
  assert.equal(second.key, key, 'the key is that of the log, over restarts');
  assert.equal(second.origin, first.origin);
  assert.ok(second.entries > first.entries + CALLS, `${second.entries} entries`);
  await assert.rejects(gateway.cli(['audit', 'export', directory('second')]), /ended with 1: .*is not empty/);
  await gateway.cli(['audit', 'verify']);
  await gateway.cli(['audit', 'verify', '--key', key]);
  const jwks = await (await fetch(`${gateway.agentsUrl}/.well-known/jwks.json`)).json();
  assert.equal(jwks.keys.length, 2, 'the log has a key of its own, which signs nothing else');
});

test('others can check it: the head, each entry, and that the log continues', { timeout: 120_000 }, () => {
  const env = { ...process.env, GO111MODULE: 'off', GOFLAGS: '', GOPATH: '/usr/share/gocode', GOCACHE: directory('go') };
  const checker = directory('check');
  execFileSync('go', ['build', '-o', checker, CHECKER], { env, stdio: 'pipe' });
  const said = execFileSync(checker, [key, directory('first'), directory('second')], { encoding: 'utf8' });
  assert.match(said, /^\d+ entries\n\d+ entries\n$/);
  assert.throws(() => execFileSync(checker, [key, directory('second'), directory('first')], { stdio: 'pipe' }), /Command failed/);
});

test('it verifies without a gateway, by the key that lies there or by the one given', () => {
  const own = verify(directory('second'));
  assert.equal(own.status, 0, own.stderr);
  assert.match(own.stdout, /^Trusted is the key that lies in the directory itself: sallyport\/.*\n.* 2 decisions \(2 passkey signatures verified\), 2 releases: all in order\./);
  const given = verify(directory('second'), '--key', key);
  assert.equal(given.status, 0, given.stderr);
  assert.doesNotMatch(given.stdout, /Trusted/);
  const other = verify(directory('second'), '--key', 'example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k');
  assert.equal(other.status, 1);
  assert.match(other.stderr, /checkpoint: is not signed by the key given/);
  assert.equal(verify(directory('second'), '--key', 'no key').status, 2);
  assert.equal(verify(directory('none')).status, 1);
});

test('any change is found, and where it is said', { timeout: 120_000 }, () => {
  const dir = directory('second');
  const files = fs.readdirSync(dir, { recursive: true, withFileTypes: true }).filter((f) => f.isFile()).map((f) => path.join(f.parentPath ?? f.path, f.name));
  assert.ok(files.some((f) => f.startsWith(path.join(dir, 'data'))), 'the long target lies apart');
  for (const file of files) {
    const name = path.relative(dir, file);
    const whole = fs.readFileSync(file);
    const changed = Buffer.from(whole);
    changed[Math.floor(whole.length / 2)] ^= 1;
    for (const [how, bytes] of Object.entries({ changed, cut: whole.subarray(0, -1), longer: Buffer.concat([whole, Buffer.from('x')]), missing: null })) {
      if (bytes) fs.writeFileSync(file, bytes);
      else fs.rmSync(file);
      const { status, stderr } = verify(dir);
      assert.equal(status, 1, `${name}, ${how}`);
      if (!name.startsWith('data/') && !(name === 'keys.json')) assert.ok(stderr.includes(`${name}: `), `${name}, ${how}: ${stderr}`);
      fs.writeFileSync(file, whole);
    }
  }
  fs.writeFileSync(path.join(dir, 'tile', 'more'), '');
  assert.match(verify(dir).stderr, /^tile\/more: does not belong to an export of this log\n$/);
  fs.rmSync(path.join(dir, 'tile', 'more'));
  assert.equal(verify(dir).status, 0);
});
