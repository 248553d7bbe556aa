// The record as others check it: an exported log by Go's sumdb packages, and by the program itself without a gateway, before
// and after somebody has changed it. SALLYPORT_BINARY names the program.
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import http from 'node:http';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { Gateway, makeBase } from './gateway.mjs';
import { PostgresCluster } from './postgres_cluster.mjs';

const CALLS = 300; // more than a tile
const CHECKER = path.join(import.meta.dirname ?? path.dirname(new URL(import.meta.url).pathname), 'sumdb', 'check.go');

let base, cluster, upstream, gateway, agent, ada;
const directory = (name) => path.join(base, name);

before(async () => {
  base = makeBase('audit');
  cluster = await PostgresCluster.start(base);
  upstream = http.createServer((q, r) => q.resume().on('end', () => r.end('{}')));
  await new Promise((listening) => upstream.listen(0, '127.0.0.1', listening));
  gateway = new Gateway(process.env.SALLYPORT_BINARY, {
    base,
    configuration: `
database: "postgresql:///postgres?user=postgres&host=${encodeURIComponent(cluster.sockets)}"
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
  await cluster?.stop();
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

const checkedByOthers = (...names) => execFileSync(directory('check'), [key, ...names.map(directory)], { encoding: 'utf8', stdio: 'pipe' });

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
  execFileSync('go', ['build', '-o', directory('check'), CHECKER], { env, stdio: 'pipe' });
  assert.match(checkedByOthers('first', 'second'), /^\d+ entries\n\d+ entries\n$/);
  assert.throws(() => checkedByOthers('second', 'first'), /Command failed/);
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

test('what a stranger wrote into an export moves no cursor', () => {
  const dir = directory('second');
  for (const [name, shown] of [['\x1b[2Jgone', '\\u001B[2Jgone'], ['grün\u009b\u202e', 'grün\\u009B\\u202E'], [Buffer.from([0x66, 0xff, 0x7f]), 'f\\xFF\\u007F']]) {
    const file = Buffer.concat([Buffer.from(dir + path.sep), Buffer.from(name)]);
    fs.writeFileSync(file, '');
    const { status, stderr } = verify(dir);
    assert.equal(status, 1);
    assert.equal(stderr, `${shown}: does not belong to an export of this log\n`);
    assert.ok(JSON.parse(verify(dir, '--json').stdout).findings[0].message.startsWith(shown));
    fs.rmSync(file);
  }
  fs.mkdirSync(path.join(dir, 'more'));
  for (let i = 0; i < 60; ++i) fs.writeFileSync(path.join(dir, 'more', `${i}`), '');
  const many = verify(dir);
  assert.match(many.stderr, /\n… and 10 more\n$/);
  assert.match(many.stdout, /: 60 findings\.\n$/);
  assert.equal(JSON.parse(verify(dir, '--json').stdout).left_out, 10);
  fs.rmSync(path.join(dir, 'more'), { recursive: true });
  assert.equal(verify(dir).status, 0);
});

/** Of the administrator's socket, as the command line reads it. */
function adminGet(target) {
  return new Promise((done, failed) => {
    http.get({ socketPath: path.join(base, 'data', 'admin.sock'), path: target }, (r) => {
      const parts = [];
      r.on('data', (part) => parts.push(part)).on('end', () => done(Buffer.concat(parts).toString())).on('error', failed);
    }).on('error', failed);
  });
}

test('pages of long entries end by their bytes', { timeout: 120_000 }, async () => {
  const LONG = 60, LENGTH = 120_000;
  for (let i = 0; i < LONG; i += 10) await Promise.all(Array.from({ length: 10 }, () => agent.call('GET', `/crm/${'y'.repeat(LENGTH)}`)));
  const { entries: size } = JSON.parse(await adminGet('/audit/checkpoint'));
  const indexes = [];
  let pages = 0;
  for (; indexes.length < size; ++pages) {
    const answer = await adminGet(`/audit/leaves?from=${indexes.length}`);
    assert.ok(answer.length < 6 << 20, `a page of ${answer.length} bytes`);
    const { leaves } = JSON.parse(answer);
    assert.ok(leaves.length > 0);
    indexes.push(...leaves.map((l) => l.index));
  }
  assert.deepEqual(indexes, Array.from({ length: indexes.length }, (_, i) => i));
  assert.ok(pages > 1 && pages < 10, `${pages} pages`);
  const shown = await gateway.cli(['audit', 'show', '--json']);
  assert.deepEqual(shown.map((e) => e.index), Array.from({ length: shown.length }, (_, i) => i));
  assert.equal(shown.filter((e) => e.data.target?.length > LENGTH).length, LONG);
  await gateway.cli(['audit', 'verify', '--key', key]);
  await gateway.cli(['audit', 'export', directory('long')]);
  assert.equal(verify(directory('long'), '--key', key).status, 0);
});

const inDatabase = (...statements) => cluster.sql('SET search_path = sallyport', ...statements);
const changed = 'checkpoint: it was signed for other entries than the log has';

test('a log that had no tree gets one, and it is the same', { timeout: 60_000 }, async () => {
  await gateway.stop();
  await inDatabase("UPDATE audit_head SET tree = '', checkpoint = ''");
  await gateway.start();
  await assert.rejects(gateway.cli(['audit', 'verify']), /ended with 1: checkpoint: it is not signed by the log's key/, 'it has seen one');
  await gateway.stop();
  fs.rmSync(path.join(base, 'data', 'checkpoint'));
  await gateway.start();
  await gateway.cli(['audit', 'verify', '--key', key]);
  await gateway.cli(['audit', 'export', directory('third')]);
  checkedByOthers('first', 'second', 'third');
});

test('what is changed in the database is found, and not exported', { timeout: 60_000 }, async () => {
  const free = 'ALTER TABLE audit_log DISABLE TRIGGER audit_log_is_for_ever';
  const there = await inDatabase('SELECT data FROM audit_log WHERE index = 5');
  await inDatabase(free, 'UPDATE audit_log SET data = \'{"act":"nothing"}\' WHERE index = 5');
  await assert.rejects(gateway.cli(['audit', 'verify']), new RegExp(`ended with 1: ${changed}`));
  await assert.rejects(gateway.cli(['audit', 'export', directory('fourth')]), /ended with 1: .*are not those that its checkpoint was signed for/s);
  assert.ok(!fs.existsSync(path.join(directory('fourth'), 'checkpoint')));
  await inDatabase(`UPDATE audit_log SET data = $$${there}$$ WHERE index = 5`);
  await gateway.cli(['audit', 'verify']);

  await inDatabase("UPDATE audit_log SET at = at + interval '1 microsecond' WHERE index = 6");
  await assert.rejects(gateway.cli(['audit', 'verify']), new RegExp(`ended with 1: ${changed}`));
  await inDatabase("UPDATE audit_log SET at = at - interval '1 microsecond' WHERE index = 6");
  await gateway.cli(['audit', 'verify']);

  const columns = 'index, at, kind, action, hold, agent, person, data';
  await inDatabase(`CREATE TABLE kept AS SELECT ${columns} FROM audit_log WHERE index = 10`, 'DELETE FROM audit_log WHERE index = 10');
  await assert.rejects(gateway.cli(['audit', 'verify']), new RegExp(`ended with 1: ${changed}\nentry 10: an entry is missing here`));
  await assert.rejects(gateway.cli(['audit', 'export', directory('fifth')]), /ended with 1: .*Entry 10 is missing from the log/s);
  assert.ok(!fs.existsSync(path.join(directory('fifth'), 'checkpoint')));
  assert.ok((await gateway.cli(['audit', 'show', '--json'])).length > CALLS, 'the others are shown');
  await inDatabase(`INSERT INTO audit_log (${columns}) SELECT ${columns} FROM kept`, 'DROP TABLE kept');
  await gateway.cli(['audit', 'verify']);

  const last = await inDatabase('DELETE FROM audit_log WHERE index = (SELECT max(index) FROM audit_log) RETURNING index');
  await assert.rejects(gateway.cli(['audit', 'verify']), new RegExp(`ended with 1: ${changed}\nentry ${last}: an entry is missing here`));
  await assert.rejects(gateway.cli(['audit', 'export', directory('sixth')]), new RegExp(`ended with 1: .*Entry ${last} is missing from the log`, 's'));
});

test('a head that was changed stops the tree, not the gateway', { timeout: 60_000 }, async () => {
  await inDatabase("UPDATE audit_head SET tree = ''");
  assert.equal((await agent.call('GET', '/crm/y')).status, 200);
  await assert.rejects(gateway.cli(['audit', 'verify']), /ended with 1: checkpoint: covers \d+ of the log.s \d+ entries/);
  assert.match(gateway.log(), /"event":"audit: the tree stands still"/);
  const entries = await gateway.cli(['audit', 'show', '--json']);
  assert.ok(entries.some((e) => e.data.target === '/y'), 'the call is in the log');
});
