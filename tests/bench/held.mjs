// node held.mjs SALLYPORT [--held N] [--releases N]
//
// What a held call costs: memory of a connection that waits for people, holds committed a second, and the time from a
// decision's signature to the upstream's receipt, with nobody else there and with N others waiting.
import http from 'node:http';
import net from 'node:net';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { until } from '../system/gateway.mjs';
import { startSallyport } from './contenders.mjs';
import { cpu, kernelMemory, memory, percentile, wrk } from './measure.mjs';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { held: { type: 'string', default: '10000' }, releases: { type: 'string', default: '300' } },
});
const script = path.join(import.meta.dirname ?? path.dirname(new URL(import.meta.url).pathname), 'refund.lua');
const HELD = Number(values.held);
const KiB = (bytes) => (bytes / 1024).toFixed(1);

/** An upstream in this process, so that one clock tells when a call was signed and when it arrived. */
const arrived = new Map();
const upstream = http.createServer((request, response) => {
  const now = performance.now();
  request.resume();
  request.on('end', () => {
    arrived.set(request.headers['idempotency-key'], now);
    response.writeHead(201, { 'content-type': 'application/json' });
    response.end('{"status":"succeeded"}');
  });
});
upstream.keepAliveTimeout = 600_000;
await new Promise((listening) => upstream.listen(0, '127.0.0.1', listening));

const body = JSON.stringify({ amount: 900, currency: 'EUR', customer: 'c_17', reason: 'x'.repeat(230) });
const head = (one, prefer, key) =>
  `POST ${one.prefix}/v1/refunds HTTP/1.1\r\nHost: 127.0.0.1:${one.port}\r\nAuthorization: Bearer ${one.token}\r\nContent-Type: application/json\r\n` +
  `Content-Length: ${body.length}\r\nPrefer: ${prefer}\r\n${key ? `Idempotency-Key: ${key}\r\n` : ''}\r\n${body}`;

/** Connections that each wait with one held call; opened a few at a time. */
async function waitWith(one, count) {
  const sockets = [];
  const openOne = () =>
    new Promise((yes, no) => {
      const socket = net.connect(one.port, '127.0.0.1', () => {
        socket.write(head(one, 'wait=3000'));
        yes(socket);
      });
      socket.on('error', no);
    });
  while (sockets.length < count) sockets.push(...(await Promise.all(Array.from({ length: Math.min(100, count - sockets.length) }, openOne))));
  await until(`${count} calls are held`, async () => (await one.gateway.metric('sallyport_holds')) >= count, { within: 120_000, every: 100 });
  return sockets;
}

async function releases(one, count) {
  const times = [];
  for (let i = 0; i < count; i++) {
    const key = `release-${Math.random().toString(36).slice(2)}`;
    const { hold } = await (await one.agent.call('POST', `${one.prefix}/v1/refunds`, { body: JSON.parse(body), headers: { Prefer: 'respond-async', 'Idempotency-Key': key } })).json();
    const decision = await one.approver.sign(hold, 'approve', 'measured');
    const signed = performance.now();
    await one.approver.decide(hold, decision);
    await until('the upstream has it', () => arrived.has(key), { within: 10_000, every: 1 });
    times.push(arrived.get(key) - signed);
  }
  return times;
}
const told = (times) => `p50 ${percentile(times, 0.5).toFixed(1)} ms, p99 ${percentile(times, 0.99).toFixed(1)} ms, longest ${Math.max(...times).toFixed(1)} ms (${times.length} releases)`;

/** On a gateway of its own, for what is held stays held. */
async function commits() {
  const one = await startSallyport(positionals[0], { port: upstream.address().port }, { core: null });
  const pid = one.gateway.process.pid;
  try {
    for (const connections of [1, 16, 64]) {
      const spent = cpu([pid]);
      const { calls, failed, seconds } = await wrk(script, { url: `http://127.0.0.1:${one.port}${one.prefix}/v1/refunds`, connections, seconds: 4, token: one.token, environment: { AMOUNT: '900', PREFER: 'respond-async' } });
      console.log(`holds committed, ${String(connections).padStart(2)} agents:                 ${(calls / seconds).toFixed(0)} a second, ${(((cpu([pid]) - spent) / calls) * 1e6).toFixed(0)} µs of the gateway's CPU each${failed ? `; ${failed} FAILED` : ''}`);
    }
  } finally {
    await one.close();
  }
}

await commits();
const one = await startSallyport(positionals[0], { port: upstream.address().port }, { core: null });
try {
  await releases(one, 20); // warm
  console.log(`signed decision → upstream, nobody else:     ${told(await releases(one, Number(values.releases)))}`);

  const pid = one.gateway.process.pid;
  const before = { user: memory(pid), kernel: kernelMemory() };
  const sockets = await waitWith(one, HELD);
  const after = { user: memory(pid), kernel: kernelMemory() };
  const user = (after.user - before.user) / HELD;
  const kernel = (after.kernel - before.kernel) / HELD / 2; // both ends of each connection are on this machine
  console.log(`memory of a waiting held connection:         ${KiB(user + kernel)} KiB: the gateway's own ${KiB(user)}, the kernel's ${KiB(kernel)} (${HELD} held)`);
  console.log(`signed decision → upstream, ${HELD} waiting: ${told(await releases(one, Number(values.releases)))}`);
  for (const socket of sockets) socket.destroy();
} finally {
  await one.close();
  upstream.closeAllConnections();
  upstream.close();
}
