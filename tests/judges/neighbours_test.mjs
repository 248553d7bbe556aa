// HTTP/1.1 between real neighbours: whoever stands in front of the gateway or behind it, bodies are the same to the byte,
// connections are kept, nothing hangs, and one request never becomes two. SALLYPORT_BINARY=… node --test neighbours_test.mjs
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import fs from 'node:fs';
import http from 'node:http';
import net from 'node:net';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { Gateway, makeBase, until } from '../system/gateway.mjs';
import { certify, digest, Echo, ports, startHaproxy, startNginx } from './neighbours.mjs';
import { ATTACKS } from './smuggling.mjs';

const PATIENCE = 10_000;
const QUIET = 1500;
const MIB = randomBytes(1 << 20);
const FRONTS = ['direct', 'nginx', 'haproxy'];
const BEHIND = ['plain', 'nginx', 'haproxy', 'tls'];

let base, echo, gateway, token, nginx, haproxy;
const front = {};

before(async () => {
  base = makeBase('neighbours');
  echo = await new Echo().listen();
  const [nginxBehind, haproxyBehind, tlsBehind, nginxFront, haproxyFront] = await ports(5);
  const tls = certify(base, 'upstream', 'DNS:localhost,IP:127.0.0.1');
  const stranger = certify(base, 'stranger', 'DNS:localhost,IP:127.0.0.1');
  const upstreams = {
    plain: `http://127.0.0.1:${echo.port}`,
    nginx: `http://127.0.0.1:${nginxBehind}`,
    haproxy: `http://127.0.0.1:${haproxyBehind}`,
    tls: `https://localhost:${tlsBehind}`,
  };
  const routes = Object.entries(upstreams).map(([id, upstream]) =>
    `  - { id: ${id}, prefix: /${id}, upstream: "${upstream}", body_limit: 8MiB, timeout: 8s${id === 'tls' ? `, ca: ${tls.certificate}` : ''} }`);
  routes.push(`  - { id: stranger, prefix: /stranger, upstream: "${upstreams.tls}", ca: ${stranger.certificate} }`);
  gateway = new Gateway(process.env.SALLYPORT_BINARY, {
    base,
    configuration: `routes:\n${routes.join('\n')}\npolicies: [ { id: all, route: "*", when: "true", verdict: allow } ]\n`,
  });
  await gateway.start();
  await gateway.cli(['person', 'invite', 'ada', '--name', 'Ada', '--email', 'ada@example.com', '--json']);
  ({ token } = await gateway.agent('bot', 'ada', [...BEHIND, 'stranger']));
  nginx = await startNginx(base, [{ port: nginxFront, to: gateway.ports.agents }, { port: nginxBehind, to: echo.port }, { port: tlsBehind, to: echo.port, tls }]);
  haproxy = await startHaproxy(base, [{ port: haproxyFront, to: gateway.ports.agents }, { port: haproxyBehind, to: echo.port }]);
  Object.assign(front, { direct: gateway.ports.agents, nginx: nginxFront, haproxy: haproxyFront });
}, { timeout: 60_000 });

after(async () => {
  await gateway?.stop();
  for (const one of [nginx, haproxy]) await one?.close();
  echo?.close();
  if (base) fs.rmSync(base, { recursive: true, force: true });
});

/** One request by that front, on a connection of its own unless `agent` keeps one. `body` in pieces is chunked. */
function ask(by, method, at, { body, headers = {}, continued = false, agent = false } = {}) {
  return new Promise((done, failed) => {
    const framing = body === undefined || Array.isArray(body) ? {} : { 'content-length': body.length };
    const expecting = continued ? { expect: '100-continue' } : {};
    const request = http.request({ host: '127.0.0.1', port: front[by], method, path: at, agent, headers: { authorization: `Bearer ${token}`, ...framing, ...expecting, ...headers } });
    const patience = setTimeout(() => request.destroy(new Error(`${method} ${at} by ${by}: no answer in ${PATIENCE / 1000} s`)), PATIENCE);
    const send = () => {
      for (const piece of Array.isArray(body) ? body : []) request.write(piece);
      request.end(Array.isArray(body) ? undefined : body);
    };
    let toldToContinue = false;
    request.on('continue', () => {
      toldToContinue = true;
      send();
    });
    request.on('response', async (answer) => {
      const parts = [];
      try {
        for await (const part of answer) parts.push(part);
        done({ status: answer.statusCode, headers: answer.headers, body: Buffer.concat(parts), toldToContinue, reused: request.reusedSocket });
      } catch (e) {
        done({ status: answer.statusCode, failed: e, body: Buffer.concat(parts) });
      } finally {
        clearTimeout(patience);
      }
    });
    request.on('error', (e) => {
      clearTimeout(patience);
      failed(e);
    });
    if (continued) request.flushHeaders();
    else send();
  });
}

const pieces = (bytes, size) => Array.from({ length: Math.ceil(bytes.length / size) }, (_, i) => bytes.subarray(i * size, (i + 1) * size));
const last = () => echo.requests.at(-1);

for (const by of FRONTS)
  for (const to of BEHIND)
    describe(`${by} in front, ${to} behind`, { concurrency: 1 }, () => {
      const got = (at, options) => ask(by, 'GET', `/${to}/${at}`, options);
      const posted = (at, options) => ask(by, 'POST', `/${to}/${at}`, options);

      test('one connection serves whatever comes, in order', async () => {
        const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
        const answers = [];
        answers.push(await got('echo', { agent }), await posted('echo', { body: Buffer.from('one'), agent }), await ask(by, 'HEAD', `/${to}/echo`, { agent }));
        answers.push(await got('nothing', { agent }), await got('same', { headers: { 'if-none-match': '"one"' }, agent }));
        answers.push(await posted('chunked', { body: pieces(Buffer.from('pieces'), 2), agent }), await ask(by, 'DELETE', `/${to}/echo`, { agent }), await got('echo?last', { agent }));
        agent.destroy();
        assert.deepEqual(answers.map((a) => [a.status, a.body.toString()]), [[200, ''], [200, 'one'], [200, ''], [204, ''], [304, ''], [200, 'pieces'], [200, ''], [200, '']]);
        assert.equal(answers[2].headers['content-length'], '1234', 'HEAD');
        assert.equal(answers[4].headers.etag, '"one"');
        for (const none of [answers[3], answers[4]]) assert.deepEqual([none.headers['transfer-encoding'], none.headers['content-length'] ?? '0'], [undefined, '0']);
        assert.deepEqual(answers.slice(1).map((a) => a.reused), Array(7).fill(true), 'a connection was not kept');
        assert.equal(last().url, '/echo?last');
      });

      test('1 MiB each way, by its length and in chunks', async () => {
        const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
        for (const [at, body] of [['echo', MIB], ['chunked', pieces(MIB, 16_411)], ['chunked', MIB], ['echo', pieces(MIB, 65_536)]]) {
          const answer = await posted(at, { body, agent });
          assert.deepEqual([answer.status, digest(answer.body), last().digest], [200, digest(MIB), digest(MIB)], `${at}, ${Array.isArray(body) ? 'chunked' : 'by length'}`);
        }
        agent.destroy();
      });

      test('Expect: 100-continue', async () => {
        const answer = await posted('echo', { body: MIB.subarray(0, 100_000), continued: true });
        assert.deepEqual([answer.toldToContinue, answer.status, digest(answer.body)], [true, 200, digest(MIB.subarray(0, 100_000))]);
        assert.equal(last().headers.expect, undefined);
      });

      test('an answer that comes before the body', async () => {
        const answer = await posted('early', { body: MIB }).catch((e) => e);
        // Whoever still sends may be cut off before it reads.
        if (answer instanceof Error) assert.match(answer.code, /EPIPE|ECONNRESET/);
        else assert.equal(answer.status, 413, answer.body.toString());
        assert.equal((await got('echo')).status, 200);
      });

      test('an upstream that leaves in the middle of its answer: nobody takes a part for the whole', async () => {
        for (const at of ['cut', 'cut-chunked']) {
          const answer = await got(at).catch((e) => ({ failed: e }));
          assert.ok(answer.failed || answer.status >= 500, `${at}: ${answer.status}, ${answer.body?.length} bytes`);
        }
        assert.equal((await got('echo')).status, 200);
      });

      test('a client that leaves in the middle of its body: the upstream gets no whole request', async () => {
        const was = [echo.cut, echo.requests.length];
        const socket = net.connect(front[by], '127.0.0.1');
        socket.on('error', () => {});
        socket.write(`POST /${to}/echo HTTP/1.1\r\nHost: gate\r\nAuthorization: Bearer ${token}\r\nContent-Length: 500000\r\n\r\n`);
        socket.write(MIB.subarray(0, 200_000));
        await until('it arrives', () => echo.requests.length > was[1], { within: PATIENCE });
        socket.destroy();
        await until('the upstream is told', () => echo.cut > was[0], { within: PATIENCE });
        assert.equal((await got('echo')).status, 200);
      });
    });

test('an upstream whose certificate is another authority’s is not asked', async () => {
  const before = echo.requests.length;
  const answer = await ask('direct', 'GET', '/stranger/echo');
  assert.deepEqual([answer.status, JSON.parse(answer.body).type, echo.requests.length], [502, 'urn:sallyport:problem:upstream-unreachable', before]);
});

/**
 * Sends these bytes; gives all that came back until the end. The gateway makes one; who stands in front of it may wait for
 * more, and is left when it has been quiet for a while.
 */
function attack(by, bytes) {
  return new Promise((done, failed) => {
    let said = '';
    const socket = net.connect(front[by], '127.0.0.1');
    socket.setTimeout(by === 'direct' ? PATIENCE : QUIET, () => {
      if (by === 'direct') failed(new Error(`the gateway did not close in ${PATIENCE / 1000} s:\n${said}`));
      socket.destroy();
    });
    socket.on('data', (d) => (said += d.toString('latin1')));
    socket.on('error', () => {});
    socket.on('close', () => done(said));
    socket.write(Buffer.from(bytes, 'latin1'));
  });
}

for (const by of FRONTS)
  describe(`what could be read in two ways, ${by} in front`, { concurrency: 8 }, () => {
    for (const [name, { bytes, harmless = false }] of Object.entries(ATTACKS))
      test(name, async () => {
        const mark = `${by}-${name.replaceAll(/\W+/g, '-')}`;
        const said = await attack(by, bytes({ token, host: `127.0.0.1:${front[by]}`, mark }));
        const seen = echo.requests.filter((r) => r.url.endsWith(`?${mark}`));
        // What who stands in front takes for two requests is two: then both are answered to who sent them, and nobody else.
        const answered = [...said.matchAll(/^x-asked: (.*)\r$/gim)].map((m) => m[1]);
        assert.deepEqual(seen.filter((r) => r.digest !== null).map((r) => r.url), answered, `the upstream saw other requests than were answered:\n${said}`);
        if (by === 'direct') {
          assert.deepEqual(seen.filter((r) => r.url.includes('smuggled')), [], `a second request was made of it:\n${said}`);
          const statuses = [...said.matchAll(/^HTTP\/1\.[01] (\d{3})/gm)].map((m) => Number(m[1]));
          if (harmless) assert.deepEqual(statuses, [200], said);
          else assert.ok(statuses.length === 1 && statuses[0] >= 400 && statuses[0] < 500, `${statuses}: ${said}`);
          if (!harmless) assert.deepEqual(seen.filter((r) => r.digest !== null), [], 'it was passed on as a whole');
        }
      });

    test('and those who come next get their own answers', async () => {
      for (let i = 0; i < 10; ++i) {
        const answer = await ask(by, 'POST', `/plain/echo?victim=${by}${i}`, { body: Buffer.from(`mine ${i}`) });
        assert.deepEqual([answer.status, answer.body.toString(), answer.headers['x-asked']], [200, `mine ${i}`, `/echo?victim=${by}${i}`]);
      }
    });
  });
