// Escalation through the whole program: one approval of each team, the last approver, labels, hours, deputies and the glass.
// SALLYPORT_BINARY=… node --test escalation_test.mjs
import assert from 'node:assert/strict';
import fs from 'node:fs';
import http from 'node:http';
import { after, before, describe, test } from 'node:test';
import { Gateway, makeBase, until } from './gateway.mjs';
import { RecordingUpstream } from './recording_upstream.mjs';

const DAYS = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'];
const day = 86_400_000;
const people = {};
let gateway, upstream, hooks, agent;
const posted = [];

const configuration = () => {
  const closed = DAYS[new Date(Date.now() + 3 * day).getUTCDay()]; // hours that are three days off
  const rule = (name) => `  - { id: ${name}, route: crm, when: 'request.path == "/${name}"', verdict: hold, workflow: ${name} }`;
  return `
routes: [ { id: crm, prefix: /crm, upstream: "http://127.0.0.1:${upstream.port}" } ]
policies:
${['both', 'turns', 'seniors', 'office', 'night', 'glass'].map(rule).join('\n')}
workflows:
  both: { approvals: { "team:finance": 1, "team:legal": 1 }, steps: [ { notify: ["team:finance", "team:legal"], for: 10m } ] }
  turns: { not: [last-approver], steps: [ { notify: ["team:finance"], for: 10m } ] }
  seniors: { not: ['where:person.labels[?"leaving"].orValue("no") == "yes"'], steps: [ { notify: ['where:has(person.labels.level) && person.labels.level == "senior"'], for: 10m } ] }
  office: { steps: [ { notify: ["team:finance"], for: 2h, within: weekly } ] }
  night: { approvals: 2, steps: [ { notify: ["team:legal"], for: 10m } ] }
  glass: { approvals: 2, not: [owner], break_glass: ["person:tony"], steps: [ { notify: ["team:finance"], via: [ops], for: 10m } ] }
schedules:
  weekly: { time_zone: UTC, hours: [ { days: [${closed}], from: "09:00", until: "10:00" } ] }
notifiers: { webhooks: [ { id: ops, url: "http://127.0.0.1:${hooks.address().port}/", secret: { env: HOOK } } ] }
`;
};

async function api(who, method, path, body) {
  const answer = await fetch(`${gateway.publicUrl}/api/v1${path}`, {
    method,
    headers: { Origin: gateway.publicUrl, Cookie: people[who].cookie, ...(body ? { 'Content-Type': 'application/json' } : {}) },
    body: body && JSON.stringify(body),
  });
  return { status: answer.status, ...(await answer.json()) };
}

const held = async (name) => {
  const answer = await agent.call('POST', `/crm/${name}`, { body: {}, headers: { Prefer: 'respond-async' } });
  return (await answer.json()).hold;
};
const shown = async (who, hold) => (await api(who, 'GET', `/holds/${hold}`)).hold;
const approves = (who, hold) => people[who].approve(hold);

before(async () => {
  upstream = await new RecordingUpstream().listen();
  hooks = http.createServer((q, r) => {
    const parts = [];
    q.on('data', (part) => parts.push(part)).on('end', () => {
      posted.push(JSON.parse(Buffer.concat(parts)));
      r.writeHead(204).end();
    });
  });
  await new Promise((listening) => hooks.listen(0, '127.0.0.1', listening));
  gateway = await new Gateway(process.env.SALLYPORT_BINARY, { base: makeBase('escalation'), configuration: configuration(), environment: { HOOK: 'a secret' } }).start();
  for (const handle of ['ada', 'grace', 'alan', 'tony', 'olga']) people[handle] = await gateway.approver(handle, handle[0].toUpperCase() + handle.slice(1));
  for (const [team, members] of Object.entries({ finance: ['ada', 'grace'], legal: ['grace', 'alan'] })) {
    await gateway.cli(['team', 'add', team]);
    for (const handle of members) await gateway.cli(['team', 'join', team, handle]);
  }
  agent = await gateway.agent('bot', 'olga', ['crm']);
}, { timeout: 60_000 });
after(async () => {
  await gateway?.stop();
  await upstream?.close();
  hooks?.close();
  if (gateway) fs.rmSync(gateway.base, { recursive: true, force: true });
});

describe('approvals', () => {
  test('one of each team: whoever is of both fills one place, and the page says who is missing', async () => {
    const hold = await held('both');
    await approves('grace', hold);
    const half = await shown('ada', hold);
    assert.deepEqual(half.approvals, { needed: 2, given: 1 });
    assert.deepEqual(half.workflow.missing, ['one more of team finance or team legal']);
    await approves('ada', hold);
    assert.equal((await agent.collect(hold)).status, 201);
  });

  test('whoever approved the agent’s last call does not approve the next, also not both at once', async () => {
    const holds = [await held('turns'), await held('turns')];
    const both = await Promise.allSettled(holds.map((hold) => approves('ada', hold)));
    assert.deepEqual(both.map((b) => b.status).sort(), ['fulfilled', 'rejected']);
    const left = holds[both.findIndex((b) => b.status === 'rejected')];
    assert.match((await shown('ada', left)).why_not, /^You approved this agent's last call/);
    await approves('grace', left);
    assert.equal((await agent.collect(left)).status, 201);
  });
});

test('people are picked by their labels', async () => {
  const refused = await agent.call('POST', '/crm/seniors', { body: {} });
  assert.equal((await refused.json()).type, 'urn:sallyport:problem:undeliverable');
  assert.equal(await gateway.cli(['person', 'label', 'alan', 'level=senior', 'leaving=no']), 'leaving=no\nlevel=senior');
  await gateway.cli(['person', 'label', 'tony', 'level=senior', 'leaving=yes']);
  const hold = await held('seniors');
  assert.equal((await shown('alan', hold)).may_decide, true);
  assert.match((await shown('tony', hold)).why_not, /^The workflow excludes those of whom this is true/);
  await gateway.cli(['person', 'label', 'tony', '--remove', 'leaving']);
  assert.equal((await shown('tony', hold)).may_decide, true);
  assert.deepEqual((await api('ada', 'GET', '/people/tony')).person.labels, { level: 'senior' });
  await approves('tony', hold);
  assert.equal((await agent.collect(hold)).status, 201);
  await assert.rejects(gateway.cli(['person', 'label', 'tony', 'Level=x']), /ended with 1: /);
  await assert.rejects(gateway.cli(['person', 'label', 'tony', 'level']), /ended with 2: /);
});

test('a step within hours waits for them, and the hold lasts as the calendar says', async () => {
  const hold = await held('office');
  const h = await shown('olga', hold);
  assert.equal(h.status, 'held');
  const [step] = h.workflows[0].ladder;
  assert.equal(step.state, 'waits');
  assert.equal(step.within, 'weekly');
  const opens = new Date(step.begins_at);
  assert.equal(opens.getUTCHours(), 9);
  assert.ok(opens - Date.now() > 2 * day && opens - Date.now() < 4 * day);
  // An hour that week, and an hour the next.
  assert.equal(new Date(h.expires_at) - opens, 7 * day + 3_600_000);
  assert.match((await shown('ada', hold)).why_not, /^You are asked from /);
  const [played] = await gateway.cli(['workflow', 'simulate', 'office', '--owner', 'olga', '--json']);
  assert.deepEqual(played.events.map((e) => e.event), ['step', 'told', 'ended']);
  assert.equal(played.events[0].at, step.begins_at);
});

describe('whoever is away', () => {
  test('is represented by a deputy, whom the command line names', async () => {
    const until_ = new Date(Date.now() + day).toISOString();
    assert.match(await gateway.cli(['person', 'absent', 'alan', '--until', until_, '--deputy', 'tony']), /^alan is away .*; tony decides in their place\.$/);
    await assert.rejects(gateway.cli(['person', 'absent', 'alan', '--until', until_, '--deputy', 'nobody']), /There is no person nobody/);
    const hold = await held('night');
    const h = await shown('tony', hold);
    assert.equal(h.may_decide, true);
    assert.deepEqual(h.in_place_of.map(({ name }) => name), ['Alan']);
    assert.deepEqual(h.workflows[0].ladder[0].people.map((p) => p.handle), ['tony', 'grace']);
    await approves('tony', hold);
    assert.match((await shown('alan', hold)).why_not, /^Tony has decided in your place/);
    await approves('grace', hold);
    assert.equal((await agent.collect(hold)).status, 201);
    const { events } = (await gateway.cli(['workflow', 'simulate', 'night', '--owner', 'olga', '--absent', 'grace=ada', '--json']))[0];
    assert.deepEqual(events.find((e) => e.event === 'told').people, ['tony', 'ada']);
    await gateway.cli(['person', 'back', 'alan']);
    await assert.rejects(gateway.cli(['person', 'back', 'alan']), /ended with 1: .*alan is not away/);
  });

  test('says so on the page, and is not reached where nobody stands in', async () => {
    const until_ = new Date(Date.now() + day).toISOString();
    for (const who of ['ada', 'grace']) assert.equal((await api(who, 'PUT', '/me/absence', { until: until_ })).person.away.deputy, null);
    const refused = await agent.call('POST', '/crm/turns', { body: {} });
    assert.equal((await refused.json()).type, 'urn:sallyport:problem:undeliverable');
    for (const who of ['ada', 'grace']) assert.equal((await api(who, 'DELETE', '/me/absence')).person.away, null);
  });
});

test('the glass is broken loudly, and by nobody else', async () => {
  const hold = await held('glass');
  const loud = async (who, reason) => {
    const stated = await api(who, 'POST', `/holds/${hold}/statement`, { decision: 'approve', break_glass: true, ...(reason && { reason }) });
    if (stated.status !== 200) return stated.status;
    return (await api(who, 'POST', `/holds/${hold}/decisions`, { statement: stated.statement, assertion: people[who].passkey.get(stated.webauthn) })).status;
  };
  assert.equal(await loud('ada', 'I would like to'), 403);
  assert.equal(await loud('tony'), 400);
  assert.equal(await loud('tony', 'The shop is on fire'), 201);
  assert.equal((await agent.collect(hold)).status, 201);
  const told = await until('the webhook hears of it', () => posted.find((p) => p.type === 'hold.glass_broken'));
  assert.equal(told.data.glass_broken_by, 'Tony');
  assert.equal(told.data.reason, 'The shop is on fire');
  assert.equal(await gateway.metric('sallyport_break_glass_total'), 1);
  const line = fs.readFileSync(gateway.logFile, 'utf8').split('\n').find((l) => l.includes('glass broken'));
  assert.match(line, /"level":"warn/);
  const { decisions } = await shown('ada', hold);
  assert.deepEqual(decisions.map((d) => [d.by.handle, d.break_glass]), [['tony', true]]);
});

test('the record agrees with all of it', async () => {
  assert.match(await gateway.cli(['audit', 'verify']), /./);
  const entries = await gateway.cli(['audit', 'show', '--json']);
  const broken = entries.filter((e) => e.kind === 'decision' && e.data.break_glass);
  assert.equal(broken.length, 1);
  assert.match(broken[0].data.statement, /"slot":"break-glass"/);
  assert.deepEqual(entries.filter((e) => e.data?.in_place_of).map((e) => e.data.in_place_of), [['alan']]);
  for (const act of ['person.label', 'person.absent', 'person.back']) assert.ok(entries.some((e) => e.data?.act === act), act);
});

test('check knows how many of a team could approve', async () => {
  await gateway.cli(['person', 'disable', 'alan']);
  await gateway.cli(['team', 'leave', 'legal', 'grace']);
  const [{ warnings }] = await gateway.cli(['check', '--json']);
  assert.ok(warnings.some((w) => /workflow both: 1 of team legal must approve, and it has 0 approvers/.test(w.message)), JSON.stringify(warnings));
});
