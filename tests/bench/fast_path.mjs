// node fast_path.mjs SALLYPORT [--rounds N] [--seconds N] [--connections N,N…]
//
// The fast path against nginx and haproxy: the same calls, upstream and cores, taking turns in one run, so that a machine
// whose speed drifts is the same for all. What is compared is the proxy's own CPU time per call, from /proc; for Sallyport
// until everything that was recorded has reached the log.
import path from 'node:path';
import { parseArgs } from 'node:util';
import { startHaproxy, startNginx, startSallyport, startUpstream } from './contenders.mjs';
import { cpu, median, threads, wrk } from './measure.mjs';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { rounds: { type: 'string', default: '5' }, seconds: { type: 'string', default: '3' }, connections: { type: 'string', default: '1,16,64,256' }, threads: { type: 'boolean', default: false } },
});
const script = path.join(import.meta.dirname ?? path.dirname(new URL(import.meta.url).pathname), 'refund.lua');
const micro = (seconds, calls) => (seconds / calls) * 1e6;

async function measure(one, connections, token) {
  const url = `http://127.0.0.1:${one.port}${one.prefix ?? ''}/v1/refunds`;
  const before = cpu(one.pids());
  const databaseBefore = one.database ? cpu(one.database()) : 0;
  const byThread = values.threads && one.gateway ? threads(one.pids()[0]) : {};
  const result = await wrk(script, { url, connections, seconds: Number(values.seconds), token });
  const during = cpu(one.pids()) - before;
  if (result.failed > 0) throw new Error(`${one.name}: ${result.failed} of ${result.calls} calls failed`);
  if (one.settled) await one.settled();
  const whole = cpu(one.pids()) - before;
  if (values.threads && one.gateway)
    for (const [name, seconds] of Object.entries(threads(one.pids()[0]))) {
      const spent = seconds - (byThread[name] ?? 0);
      if (micro(spent, result.calls) > 0.05) console.log(`     thread ${name}: ${micro(spent, result.calls).toFixed(2)} µs a call`);
    }
  return {
    cpu: micro(whole, result.calls),
    during: micro(during, result.calls),
    database: one.database ? micro(cpu(one.database()) - databaseBefore, result.calls) : 0,
    rate: result.calls / result.seconds,
    p50: result.p50,
    p99: result.p99,
  };
}

const upstream = await startUpstream();
const sallyport = await startSallyport(positionals[0], upstream);
const contenders = [await startNginx(upstream), await startHaproxy(upstream), sallyport];
try {
  for (const one of contenders) await measure(one, 16, sallyport.token); // warm
  console.log('connections  who         CPU µs/call  (to nginx)  calls/s  (to nginx)   p50 ms   p99 ms');
  for (const connections of values.connections.split(',').map(Number)) {
    const rounds = [];
    for (let i = 0; i < Number(values.rounds); i++) {
      const round = {};
      for (const one of contenders) round[one.name] = await measure(one, connections, sallyport.token);
      rounds.push(round);
    }
    for (const { name } of contenders) {
      const of = (what) => median(rounds.map((r) => r[name][what]));
      const ratio = (what) => median(rounds.map((r) => r[name][what] / r.nginx[what]));
      console.log(
        `${String(connections).padStart(11)}  ${name.padEnd(10)} ${of('cpu').toFixed(1).padStart(12)} ${ratio('cpu').toFixed(2).padStart(11)} ${of('rate').toFixed(0).padStart(8)} ${ratio('rate').toFixed(2).padStart(11)} ${of('p50').toFixed(2).padStart(8)} ${of('p99').toFixed(2).padStart(8)}` +
          (name === 'sallyport' ? `   while loaded ${of('during').toFixed(1)} (${median(rounds.map((r) => r[name].during / r.nginx.cpu)).toFixed(2)}); its PostgreSQL ${of('database').toFixed(1)}` : ''),
      );
    }
  }
} finally {
  for (const one of contenders) await one.close();
  await upstream.close();
}
