// The metrics that others graph (wire.md), as Prometheus' own checker reads them. SALLYPORT_BINARY names the program.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import http from 'node:http';
import { after, before, test } from 'node:test';
import { Gateway, makeBase } from './gateway.mjs';

const NAMES = [
  'sallyport_calls_total', 'sallyport_call_seconds', 'sallyport_holds', 'sallyport_hold_seconds', 'sallyport_release_seconds',
  'sallyport_outbox_pending', 'sallyport_audit_size', 'sallyport_policy_info', 'sallyport_refusals_total',
];

let base, upstream, gateway;
before(async () => {
  base = makeBase('metrics');
  upstream = http.createServer((q, r) => q.resume().on('end', () => r.end('{}')));
  await new Promise((listening) => upstream.listen(0, '127.0.0.1', listening));
  gateway = new Gateway(process.env.SALLYPORT_BINARY, {
    base,
    configuration: `
routes: [ { id: crm, prefix: /crm, upstream: "http://127.0.0.1:${upstream.address().port}" } ]
policies:
  - { id: reads-pass, route: crm, when: 'request.method == "GET"', verdict: allow }
  - { id: writes-wait, route: crm, when: 'request.method == "POST"', verdict: hold, workflow: owner }
workflows: { owner: { steps: [ { notify: [owner], for: 10m } ], otherwise: deny } }
`,
  });
  await gateway.start();
}, { timeout: 60_000 });
after(async () => {
  await gateway?.stop();
  upstream?.close();
  if (base) fs.rmSync(base, { recursive: true, force: true });
});

test('promtool finds nothing, and every name of the contract is there', async () => {
  const ada = await gateway.approver('ada');
  const agent = await gateway.agent('reader', 'ada', ['crm']);
  assert.equal((await agent.call('GET', '/crm/x')).status, 200);
  assert.equal((await agent.call('DELETE', '/crm/x')).status, 403);
  assert.equal((await fetch(`${gateway.agentsUrl}/crm/x`)).status, 401);
  const { hold } = await (await agent.call('POST', '/crm/x', { body: {}, headers: { Prefer: 'respond-async' } })).json();
  await ada.approve(hold, 'fine');
  await agent.collect(hold);

  const text = await (await fetch(`${gateway.metricsUrl}/metrics`)).text();
  const judged = spawnSync('promtool', ['check', 'metrics'], { input: text, encoding: 'utf8' });
  assert.equal(judged.error, undefined, 'promtool (Debian: prometheus) is needed');
  assert.deepEqual([judged.status, judged.stdout + judged.stderr], [0, '']);
  for (const name of NAMES) assert.match(text, new RegExp(`^# TYPE ${name} `, 'm'), name);
  for (const line of [/^sallyport_calls_total\{.*route="crm".*verdict="allow"/m, /^sallyport_calls_total\{.*verdict="deny"/m, /^sallyport_hold_seconds_count\{outcome="released"/m, /^sallyport_refusals_total\{problem="unauthenticated"\} 1$/m])
    assert.match(text, line);
});
