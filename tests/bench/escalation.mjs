// node escalation.mjs SALLYPORT [--held N]
//
// N holds whose next step is due in the same moment: how long until the last one has escalated, and until a webhook that
// answers at once was told of each. They are made due in the database, where alone a hold's time is kept.
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import http from 'node:http';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { Gateway, makeBase, until } from '../system/gateway.mjs';
import { wrk } from './measure.mjs';

const { values, positionals } = parseArgs({ allowPositionals: true, options: { held: { type: 'string', default: '10000' } } });
const HELD = Number(values.held);
const script = path.join(import.meta.dirname ?? path.dirname(new URL(import.meta.url).pathname), 'refund.lua');

const told = new Set();
const receiver = http.createServer((request, response) => {
  let body = '';
  request.on('data', (piece) => (body += piece));
  request.on('end', () => {
    const { type, data } = JSON.parse(body);
    if (type === 'hold.asked') told.add(data.hold);
    response.writeHead(204).end();
  });
});
await new Promise((on) => receiver.listen(0, '127.0.0.1', on));

const base = makeBase('bench-escalation');
const gateway = new Gateway(positionals[0], {
  base,
  configuration: `routes: [ { id: payments, prefix: /payments, upstream: "http://127.0.0.1:9" } ]
policies: [ { id: refunds, route: payments, when: 'request.method == "POST"', verdict: hold, workflow: ladder, summary: "Refund" } ]
workflows: { ladder: { steps: [ { notify: ["person:ada"], for: 2h }, { notify: ["person:grace"], via: [room], for: 2h } ] } }
notifiers: { webhooks: [ { id: room, url: "http://127.0.0.1:${receiver.address().port}/", secret: { env: HOOK } } ] }
limits: { holds: 1000000, holds_per_agent: 1000000 }
`,
  environment: { HOOK: 'a secret' },
});
await gateway.start();
try {
  for (const handle of ['ada', 'grace']) await gateway.approver(handle);
  const agent = await gateway.agent('bot', 'ada', ['payments']);
  const url = `http://127.0.0.1:${gateway.ports.agents}/payments/v1/refunds`;
  while ((await gateway.metric('sallyport_holds')) < HELD)
    await wrk(script, { url, connections: 16, seconds: 2, token: agent.token, environment: { AMOUNT: '900', PREFER: 'respond-async' } });
  const all = await gateway.metric('sallyport_holds');

  const cluster = path.join(base, 'data/postgres');
  const [, , , port, socket] = fs.readFileSync(path.join(cluster, 'data/postmaster.pid'), 'utf8').split('\n');
  const sql = (text) => execFileSync('psql', ['--no-psqlrc', '--quiet', '--tuples-only', '--no-align', '--host', socket, '--port', port, '--username', 'sallyport', '--dbname', 'postgres', '--command', text], { encoding: 'utf8' }).trim();
  const begin = performance.now();
  sql(`UPDATE sallyport.holds SET wake_at = now(), demands = replace(demands::text, '"step_ends_at":' || (demands->0->>'step_ends_at'),
       '"step_ends_at":' || (extract(epoch FROM now()) * 1000000)::bigint)::json WHERE closed_at IS NULL`);
  const due = performance.now();
  await until('each has escalated', () => sql(`SELECT count(*) FROM sallyport.holds WHERE (demands->0->>'step')::int = 0`) === '0', { within: 120_000, every: 50 });
  const escalated = performance.now();
  await until('each is told', () => told.size >= all, { within: 300_000, every: 50 });
  console.log(`${all} holds due at once: escalated ${((escalated - due) / 1000).toFixed(1)} s after they were due (which took ${((due - begin) / 1000).toFixed(1)} s to write), told ${((performance.now() - due) / 1000).toFixed(1)} s after`);
} finally {
  await gateway.stop();
  receiver.closeAllConnections();
  receiver.close();
  fs.rmSync(base, { recursive: true, force: true });
}
