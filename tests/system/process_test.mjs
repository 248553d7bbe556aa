// How the process starts, takes other settings while it runs, and what keeps answering meanwhile.
// SALLYPORT_BINARY=… node --test process_test.mjs
import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import fs from 'node:fs';
import http from 'node:http';
import net from 'node:net';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import tls from 'node:tls';
import { Gateway, makeBase, until } from './gateway.mjs';

const binary = process.env.SALLYPORT_BINARY;
const rules = (more = '') => `routes: [ { id: pay, prefix: /pay, upstream: http://127.0.0.1:9 } ]
policies:
  - { id: reads, route: pay, when: request.method == "GET", verdict: allow }
${more}`;
const other = '  - { id: no-deletes, route: pay, when: request.method == "DELETE", verdict: deny }\n';

const begun = [];
function gateway(name, options = {}) {
  const one = new Gateway(binary, { base: makeBase(name), configuration: rules(), ...options });
  begun.push(one);
  return one;
}
after(async () => {
  for (const one of begun) {
    await one.stop('SIGTERM');
    fs.rmSync(one.base, { recursive: true, force: true });
  }
});

const file = (g) => path.join(g.base, 'config', 'sallyport.yaml');
const rewrite = (g, change) => fs.writeFileSync(file(g), change(fs.readFileSync(file(g), 'utf8')));
const lines = (g) => fs.readFileSync(g.logFile, 'utf8').split('\n').filter((l) => l.startsWith('{')).map((l) => JSON.parse(l));
const logged = (g, event, within = 10_000) => until(`the log says "${event}"`, () => lines(g).find((l) => Object.values(l).includes(event)), { within });
const policy = async (g) => /digest="([0-9a-f]+)"/.exec(await (await fetch(`${g.metricsUrl}/metrics`)).text())[1];

/** Starts it without waiting for its work; gives how it ended. */
async function ends(g, within = 30_000) {
  g.spawn();
  return Promise.race([g.ended, pause(within, 'still running', { ref: false })]);
}

describe('while it runs', () => {
  const g = gateway('reload');
  let agent;
  before(async () => {
    await g.start();
    await g.cli(['person', 'invite', 'ada', '--name', 'Ada', '--email', 'ada@example.com', '--json']);
    agent = await g.agent('bot', 'ada', ['pay']);
  });

  test('what only a restart changes stays as it runs, whatever else is loaded, and the log names it', async () => {
    const metadata = async () => (await fetch(`${g.agentsUrl}/.well-known/oauth-authorization-server`)).json();
    const [was, digest] = [await metadata(), await policy(g)];
    rewrite(g, (text) => `${text.replace(g.publicUrl, 'http://elsewhere.example')}${other}agents_url: https://elsewhere.example\n`);
    await until('the other policy', async () => (await policy(g)) !== digest, { within: 5000 });
    const said = await logged(g, 'changes only with a restart');
    assert.equal(said.keys, 'public_url, agents_url');
    assert.deepEqual(await metadata(), was);
    // The upstream is not there, but the token is still one.
    assert.equal((await agent.call('GET', '/pay/x')).status, 502);
    assert.equal((await fetch(`${g.publicUrl}/`)).status, 200);
  });

  test('what the digest does not cover is loaded too, and every SIGHUP is answered in the log', async () => {
    const loads = () => lines(g).filter((l) => Object.values(l).includes('configuration loaded')).length;
    const had = loads();
    rewrite(g, (text) => `${text}notifiers: { webhooks: [ { id: ops, url: "http://127.0.0.1:9/", secret: { env: OPS } } ] }\n`);
    await until('the edit is loaded', () => loads() > had, { within: 5000 });
    const then = loads();
    g.process.kill('SIGHUP');
    await until('SIGHUP is answered', () => loads() > then, { within: 5000 });
  });

  test('limits of connections and heads are those that are loaded', async () => {
    const head = () => new Promise((done, failed) => {
      http.get(`${g.agentsUrl}/pay/x`, { agent: false, headers: { long: 'x'.repeat(4096) } }, (r) => done(r.resume().statusCode)).on('error', failed);
    });
    assert.equal(await head(), 401);
    rewrite(g, (text) => `${text}limits: { header_bytes: 2KiB, connections: 1 }\n`);
    await until('shorter heads', async () => (await head()) === 400, { within: 5000 });
    const first = net.connect(g.ports.agents, '127.0.0.1');
    await new Promise((open) => first.once('connect', open));
    await until('one connection', async () => (await fetch(`${g.agentsUrl}/pay/x`, { headers: { connection: 'close' } })).status === 503, { within: 5000 });
    first.destroy();
    rewrite(g, (text) => text.replace(/limits: .*\n/, ''));
    await until('the usual limits', async () => (await head()) === 401, { within: 5000 });
  });

  test('administration that waits for the database holds up nobody who watches', async () => {
    const sockets = path.join(g.base, 'data', 'postgres', 'run');
    const user = process.getuid() === 0 ? ['-U', 'postgres'] : [];
    const psql = spawn('psql', ['-h', sockets, ...user, '-d', 'postgres', '-qAt'], { stdio: ['pipe', 'pipe', 'inherit'] });
    psql.stdin.write('BEGIN; LOCK TABLE sallyport.agents IN ACCESS EXCLUSIVE MODE; SELECT 1;\n');
    await new Promise((locked) => psql.stdout.once('data', locked));
    const asked = g.cli(['agent', 'list', '--json']).catch((e) => e);
    await pause(200); // until it waits: there is nothing to see of that
    const begin = Date.now();
    assert.equal((await fetch(`${g.metricsUrl}/healthz`)).status, 200);
    assert.ok(Date.now() - begin < 1000, `/healthz took ${Date.now() - begin} ms`);
    assert.equal((await fetch(`${g.metricsUrl}/metrics`)).status, 200);
    assert.ok(Date.now() - begin < 2000, `/metrics took ${Date.now() - begin} ms`);
    psql.stdin.end('ROLLBACK;\n');
    await asked;
  });
});

describe('certificates', () => {
  const g = gateway('tls');
  const pair = (name) => ({ certificate: path.join(g.base, `${name}.pem`), key: path.join(g.base, `${name}.key`) });
  const make = (name) => {
    const { certificate, key } = pair(name);
    execFileSync('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2', '-subj', `/CN=${name}`, '-keyout', key, '-out', certificate], { stdio: 'ignore' });
  };
  const use = (certificateOf, keyOf = certificateOf) => {
    fs.copyFileSync(pair(certificateOf).certificate, path.join(g.base, 'server.pem'));
    fs.copyFileSync(pair(keyOf).key, path.join(g.base, 'server.key'));
  };
  const shown = () => new Promise((done, failed) => {
    const socket = tls.connect(g.ports.agents, '127.0.0.1', { rejectUnauthorized: false, ALPNProtocols: ['http/1.1'] }, () => {
      done(socket.getPeerCertificate().subject.CN);
      socket.destroy();
    });
    socket.on('error', failed);
  });

  test('that are renewed in place are shown to new connections; a pair that does not fit is not', async () => {
    ['first', 'second', 'third'].forEach(make);
    use('first');
    g.configuration = `tls: { agents: { certificate: ../server.pem, key: ../server.key } }\n${rules()}`;
    await g.start();
    assert.equal(await shown(), 'first');
    use('second');
    g.process.kill('SIGHUP');
    await until('the second certificate', async () => (await shown()) === 'second', { within: 5000 });
    use('third', 'first');
    g.process.kill('SIGHUP');
    await logged(g, 'certificate not loaded');
    assert.equal(await shown(), 'second');
    use('third');
    await until('the third, without a signal', async () => (await shown()) === 'third', { within: 15_000 });
  });
});

describe('at the start', () => {
  test('port 0: every URL names the port that was bound', async () => {
    const g = gateway('ports');
    await g.configure();
    rewrite(g, () => `listen: { agents: 127.0.0.1:0, people: 127.0.0.1:0, metrics: 127.0.0.1:0 }\n${rules()}`);
    g.spawn();
    const ready = await logged(g, 'ready', 60_000);
    assert.ok(!/:0$/.test(ready.agents) && !/:0$/.test(ready.people) && !/:0$/.test(ready.metrics));
    const metadata = await (await fetch(`http://${ready.agents}/.well-known/oauth-authorization-server`)).json();
    assert.equal(metadata.issuer, `http://${ready.agents}`);
    assert.equal((await fetch(`http://localhost:${ready.people.split(':')[1]}/`)).status, 200);
    // A reload finds nothing that only a restart would change.
    g.process.kill('SIGHUP');
    await logged(g, 'configuration loaded');
    assert.ok(!lines(g).some((l) => Object.values(l).includes('changes only with a restart')));
  });

  test('directories that it makes above its data can be passed by PostgreSQL', async () => {
    const g = gateway('parents');
    g.directories[3] = path.join(g.base, 'new', 'er', 'data');
    await g.start();
    assert.equal(fs.statSync(path.join(g.base, 'new')).mode & 0o777, 0o755);
    assert.equal(fs.statSync(path.join(g.base, 'new', 'er')).mode & 0o777, 0o755);
  });

  test('a path longer than a socket may have', async () => {
    const g = gateway('long');
    g.directories[3] = path.join(g.base, 'd'.repeat(60), 'e'.repeat(60), 'data');
    await g.start();
    assert.equal(fs.statSync(path.join(g.directories[3], 'admin.sock')).mode & 0o777, 0o600);
    assert.deepEqual(await g.cli(['agent', 'list', '--json']), []);
  });

  test('what it cannot have ends it with 3, in one piece', async () => {
    const g = gateway('three');
    await g.configure();
    const taken = net.createServer();
    await new Promise((listening) => taken.listen(g.ports.people, '127.0.0.1', listening));
    assert.equal(await ends(g), 3);
    taken.close();

    await g.start();
    const second = gateway('second');
    await second.configure();
    second.directories[3] = g.directories[3];
    assert.equal(await ends(second), 3);
    assert.ok(second.log().includes('in use by another sallyport'), second.log());
  });

  test('a database that says nothing ends it with 3, while somebody watches', async () => {
    const silent = net.createServer(() => {});
    await new Promise((listening) => silent.listen(0, '127.0.0.1', listening));
    const g = gateway('silent', { configuration: `database: postgresql://gate@127.0.0.1:${silent.address().port}/gate\n${rules()}` });
    await g.configure();
    const end = ends(g);
    await until('/healthz answers', () => fetch(`${g.metricsUrl}/healthz`).then((r) => r.ok, () => false), { within: 5000 });
    assert.equal((await fetch(`${g.metricsUrl}/readyz`)).status, 503);
    assert.equal(await end, 3);
    silent.close();
  });

  test('a cluster that cannot be made ends it with 3', async () => {
    const g = gateway('initdb');
    await g.configure();
    fs.mkdirSync(path.join(g.base, 'data'), { mode: 0o700 });
    fs.writeFileSync(path.join(g.base, 'data', 'postgres'), 'in the way');
    assert.equal(await ends(g), 3);
  });

  test('a configuration with errors ends it with 1, and no port is bound', async () => {
    const g = gateway('errors', { configuration: `${rules()}policies: []\n` });
    await g.configure();
    assert.equal(await ends(g), 1);
  });
});
