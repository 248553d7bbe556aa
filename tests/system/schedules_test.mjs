// Who is on call decides who is told and who may decide, while the program runs; and an escalation played beforehand.
// SALLYPORT_BINARY=… node --test schedules_test.mjs
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { Gateway, makeBase, until } from './gateway.mjs';
import { RecordingUpstream } from './recording_upstream.mjs';

const local = (time) => new Date(time).toISOString().slice(0, 19);
const day = 86_400_000;

let gateway, upstream, agent, ada, grace;

// ada has been on call since yesterday; `overrides` come on top.
const configuration = (overrides = []) => `
routes: [ { id: crm, prefix: /crm, upstream: "http://127.0.0.1:${upstream.port}" } ]
policies: [ { id: writes-wait, route: crm, when: 'request.method == "POST"', verdict: hold, workflow: night } ]
workflows:
  night:
    steps:
      - { notify: ["schedule:night"], for: 10m }
      - { notify: ["team:day"], for: 5m }
  unread: { steps: [ { notify: ["schedule:strangers"], for: 10m } ] }
schedules:
  night:
    time_zone: UTC
    rotation: { people: [ada], every: 1d, from: "${local(Date.now() - day)}" }
    overrides: [ ${overrides.map(({ person, from, until: end }) => `{ person: ${person}, from: "${local(from)}", until: "${local(end)}" }`).join(', ')} ]
  strangers:
    time_zone: Europe/Berlin
    rotation: { people: [zoe, ada], every: 7d, from: 2026-01-05T09:00 }
    overrides: [ { person: yan, from: 2026-02-01T00:00, until: 2026-02-02T00:00 } ]
`;

async function reload(overrides) {
  const file = path.join(gateway.base, 'config', 'sallyport.yaml');
  const digest = async () => /digest="([0-9a-f]+)"/.exec(await (await fetch(`${gateway.metricsUrl}/metrics`)).text())[1];
  const was = await digest();
  const head = fs.readFileSync(file, 'utf8').split('\n').slice(0, 2).join('\n');
  fs.writeFileSync(file, `${head}\n${configuration(overrides)}`);
  await until('the other schedule', async () => (await digest()) !== was, { within: 10_000 });
}

const held = async () => (await (await agent.call('POST', '/crm/x', { body: {}, headers: { Prefer: 'respond-async' } })).json()).hold;
const sees = async (who, hold) => (await who.waiting()).find((h) => h.hold === hold);

before(async () => {
  upstream = await new RecordingUpstream().listen();
  gateway = await new Gateway(process.env.SALLYPORT_BINARY, { base: makeBase('schedules'), configuration: configuration() }).start();
  ada = await gateway.approver('ada');
  grace = await gateway.approver('grace');
  await gateway.cli(['person', 'invite', 'olga', '--name', 'Olga', '--email', 'olga@example.com']);
  await gateway.cli(['team', 'add', 'day']);
  await gateway.cli(['team', 'join', 'day', 'grace']);
  agent = await gateway.agent('bot', 'olga', ['crm']);
});
after(async () => {
  await gateway?.stop();
  await upstream?.close();
  if (gateway) fs.rmSync(gateway.base, { recursive: true, force: true });
});

describe('who is on call', () => {
  test('is asked, and others only when their step begins', async () => {
    const hold = await held();
    assert.equal((await sees(ada, hold)).may_decide, true);
    assert.match((await sees(grace, hold)).why_not, /^You are asked from /);
    await ada.approve(hold);
    assert.equal((await agent.collect(hold)).status, 201);
  });

  test('is whom the configuration names now: a reload changes it, and who was on call when it began stays asked', async () => {
    const hold = await held();
    await reload([{ person: 'grace', from: Date.now() + 2000, until: Date.now() + day }]);
    await until('grace may decide', async () => (await sees(grace, hold)).may_decide, { within: 10_000 });
    assert.equal((await sees(ada, hold)).may_decide, true);
    const later = await held();
    assert.equal(await sees(ada, later), undefined);
    await grace.approve(later);
    await ada.approve(hold);
    assert.equal((await agent.collect(hold)).status, 201);
  });

  test('changes while a hold waits, without anybody doing anything', async () => {
    await reload([{ person: 'grace', from: Date.now() + 4000, until: Date.now() + day }]);
    const hold = await held();
    assert.equal((await sees(grace, hold)).may_decide, false);
    await until('grace may decide', async () => (await sees(grace, hold)).may_decide, { within: 15_000 });
    assert.equal((await sees(ada, hold)).may_decide, true);
    await grace.approve(hold);
    assert.equal((await agent.collect(hold)).status, 201);
  });
});

describe('workflow simulate', () => {
  before(() => reload([]));
  const simulate = (...args) => gateway.cli(['workflow', 'simulate', ...args]);

  test('plays the escalation line by line', async () => {
    const at = new Date().toISOString();
    assert.deepEqual((await simulate('night', '--at', at)).split('\n'), [
      `night: 1 approval by passkey, asked at ${at}`,
      '+0s   step 1 begins: schedule:night',
      '+0s   told by inbox: ada',
      '+10m  step 2 begins: team:day',
      '+10m  told by inbox: grace',
      '+15m  it ends: expired, 2 people told',
    ]);
  });

  test('says who is told, which step is skipped and why, and how it ends', async () => {
    const at = new Date().toISOString();
    const short = (events) => events.map(({ event, after: offset, step, people, via, why, status }) => [offset, event, step ?? people ?? status, via ?? why].filter((x) => x !== undefined));
    const [all] = await simulate('night', '--at', at, '--agent', 'bot', '--json');
    assert.equal(all.workflow, 'night');
    assert.equal(all.owner, 'olga');
    assert.deepEqual(short(all.events), [
      ['0s', 'step', 1],
      ['0s', 'told', ['ada'], ['inbox']],
      ['10m', 'step', 2],
      ['10m', 'told', ['grace'], ['inbox']],
      ['15m', 'ended', 'expired'],
    ]);
    const [without] = await simulate('night', '--at', at, '--json', '--absent', 'ada');
    assert.deepEqual(short(without.events), [
      ['0s', 'skipped', 1, ['ada is absent']],
      ['0s', 'step', 2],
      ['0s', 'told', ['grace'], ['inbox']],
      ['15m', 'ended', 'expired'],
    ]);
    const [nobody] = await simulate('night', '--at', at, '--json', '--absent', 'ada', 'grace');
    assert.deepEqual(short(nobody.events).at(-1), ['0s', 'ended', 'undeliverable']);
  });

  test('people and agents that are not there end it with 1', async () => {
    await assert.rejects(simulate('night', '--absent', 'zoe'), /ended with 1: sallyport: There is no person zoe/);
    await assert.rejects(simulate('night', '--agent', 'nobody'), /ended with 1: /);
  });
});

test('check warns of people in schedules who do not exist', async () => {
  const [{ ok, warnings }] = await gateway.cli(['check', '--json']);
  assert.equal(ok, true);
  const about = warnings.map((w) => w.message).filter((m) => m.startsWith('schedule'));
  assert.deepEqual(about, ['schedule strangers: there is no person yan', 'schedule strangers: there is no person zoe']);
});
