// A thousand alike holds through the whole program: listed page by page, fifty decided one after the other, each with its own
// signature; who is asked too often, and what is decided too fast.
// SALLYPORT_BINARY=… node --test load_test.mjs
import assert from 'node:assert/strict';
import fs from 'node:fs';
import { after, before, describe, test } from 'node:test';
import { Gateway, makeBase, until } from './gateway.mjs';
import { RecordingUpstream } from './recording_upstream.mjs';

const MANY = 1000;
const CAP = 5;
const people = {};
let gateway, upstream, agent;

const configuration = (cap) => `
routes: [ { id: crm, prefix: /crm, upstream: "http://127.0.0.1:${upstream.port}" } ]
policies:
  - { id: changes, route: crm, when: 'request.path.startsWith("/customers/")', verdict: hold, workflow: many, summary: "Change {body.amount}" }
  - { id: rare, route: crm, when: 'request.path == "/rare"', verdict: hold, workflow: ladder, summary: "Rare" }
workflows:
  many: { steps: [ { notify: ["person:ada"], for: 60m } ] }
  ladder: { assurance: session, steps: [ { notify: ["person:ada"], for: 30m }, { notify: ["person:grace"], for: 30m } ] }
${cap ? `limits: { asks_per_hour: ${cap}, holds_per_agent: 5000 }` : 'limits: { holds_per_agent: 5000 }'}
`;

async function api(who, path) {
  const answer = await fetch(`${gateway.publicUrl}/api/v1${path}`, { headers: { Cookie: people[who].cookie } });
  return { status: answer.status, ...(await answer.json()) };
}
const held = async (path, body = {}) => (await (await agent.call('POST', `/crm${path}`, { body, headers: { Prefer: 'respond-async' } })).json()).hold;
const labelled = async (line) => {
  const text = await (await fetch(`${gateway.metricsUrl}/metrics`)).text();
  return Number(text.split('\n').find((l) => l.startsWith(`${line} `))?.split(' ').at(-1) ?? 0);
};

before(async () => {
  upstream = await new RecordingUpstream().listen();
  gateway = await new Gateway(process.env.SALLYPORT_BINARY, { base: makeBase('load'), configuration: configuration(0) }).start();
  people.ada = await gateway.approver('ada');
  people.grace = await gateway.approver('grace');
  await gateway.cli(['person', 'invite', 'olga', '--name', 'Olga', '--email', 'olga@example.com']);
  agent = await gateway.agent('bot', 'olga', ['crm']);
}, { timeout: 60_000 });
after(async () => {
  await gateway?.stop();
  await upstream?.close();
  if (gateway) fs.rmSync(gateway.base, { recursive: true, force: true });
});

describe('a thousand alike holds', { concurrency: 1 }, () => {
  let alike;
  const ids = [];

  test('are made, and are alike', async () => {
    for (let from = 0; from < MANY; from += 50)
      ids.push(...(await Promise.all(Array.from({ length: 50 }, (_, i) => held(`/customers/c_${from + i}`, { amount: from + i })))));
    assert.equal(new Set(ids).size, MANY);
    const { hold } = await api('ada', `/holds/${ids[0]}?shown=false`);
    alike = hold.alike;
    assert.match(alike, /^[\w-]{22}$/);
  });

  test('are listed in bounded pages, each of them once', async () => {
    const seen = new Set();
    let cursor = null, pages = 0;
    do {
      const page = await api('ada', `/holds?alike=${alike}&status=held&limit=50${cursor ? `&cursor=${encodeURIComponent(cursor)}` : ''}`);
      assert.ok(page.holds.length <= 50);
      for (const h of page.holds) {
        assert.equal(h.alike, alike);
        assert.equal(h.may_decide, true);
        seen.add(h.hold);
      }
      cursor = page.next;
      pages++;
    } while (cursor !== null && pages < 100);
    assert.deepEqual([...seen].sort(), [...ids].sort());
    assert.ok(pages <= MANY / 50 + 1, `${pages} pages`);
    assert.deepEqual((await api('grace', `/holds?alike=${alike}&status=held`)).holds, []);
  });

  test('are decided one after the other, each by a statement of its own; one that closed meanwhile stops no other', async () => {
    const chosen = ids.slice(0, 50);
    await gateway.cli(['hold', 'deny', chosen[20], '--reason', 'not this one']);
    const statements = [], failed = [];
    for (const hold of chosen) {
      try {
        const signed = await people.ada.sign(hold, 'approve', 'the weekly list');
        statements.push(signed.statement);
        await people.ada.decide(hold, signed);
      } catch (error) {
        failed.push([hold, error.message]);
      }
    }
    assert.deepEqual(failed.map(([hold]) => hold), [chosen[20]]);
    assert.match(failed[0][1], /409/);
    assert.equal(new Set(statements.map((s) => JSON.parse(s).hold)).size, 49);
    await until('they are released', async () => upstream.requests.length >= 49);
    const load = (await api('ada', '/people/ada/load')).load;
    assert.equal(load.asked, MANY);
    assert.equal(load.decided, 49);
    assert.equal(load.approved, 49);
    assert.equal(load.timed, 49);
    assert.equal(load.asks_per_hour, null);
    assert.ok(load.seconds_to_decide.median > 0);
    assert.equal(load.by_day.reduce((sum, d) => sum + d.asked, 0), MANY);
    assert.equal((await api('grace', '/people/ada/load')).status, 403);
  });

  test('one decided sooner than it can be read is marked, wherever it is told of', async () => {
    const before = await labelled('sallyport_decisions_total{pace="fast"}');
    const hold = await held('/customers/c_5000', { amount: 1, note: 'x'.repeat(4000) });
    await api('ada', `/holds/${hold}`);
    const decision = await people.ada.approve(hold);
    assert.equal(decision.fast, true);
    assert.equal(await labelled('sallyport_decisions_total{pace="fast"}'), before + 1);
    const [entry] = await until('the record has it', async () => {
      const { audit } = await api('ada', `/audit?hold=${hold}&kind=decision`);
      return audit.length > 0 && audit;
    });
    assert.equal(entry.data.fast, true);
    const unseen = await held('/customers/c_5001', { amount: 1 });
    assert.equal((await people.ada.approve(unseen)).fast, null);
  });
});

describe('a cap of asks in the hour', { concurrency: 1 }, () => {
  const digest = async () => /digest="([0-9a-f]+)"/.exec(await (await fetch(`${gateway.metricsUrl}/metrics`)).text())[1];
  const limit = async (cap) => {
    const was = await digest();
    const file = `${gateway.base}/config/sallyport.yaml`;
    const head = fs.readFileSync(file, 'utf8').split('\n').slice(0, 2).join('\n');
    fs.writeFileSync(file, `${head}\n${configuration(cap)}`);
    await until('the cap', async () => (await digest()) !== was, { within: 10_000 });
  };

  test('goes past who is tired, at once, and says so', async () => {
    await limit(CAP);
    const before = await labelled('sallyport_passed_over_total');
    const hold = await held('/rare');
    const shown = (await api('grace', `/holds/${hold}`)).hold;
    assert.equal(shown.status, 'held');
    assert.equal(shown.may_decide, true); // her step began at once
    const [passed] = shown.workflows[0].passed_over;
    assert.deepEqual({ handle: passed.handle, step: passed.step }, { handle: 'ada', step: 1 });
    assert.ok(passed.asked >= MANY);
    assert.equal(await labelled('sallyport_passed_over_total'), before + 1);
    const { load } = await api('ada', '/people/ada/load');
    assert.equal(load.passed_over, 1);
    assert.equal(load.asks_per_hour, CAP);
    // Who was passed over may decide all the same.
    assert.equal((await api('ada', `/holds/${hold}`)).hold.may_decide, true);
    await people.ada.approve(hold);
  });

  test('never leaves a hold without people: the last who could decide are asked, however tired', async () => {
    const only = await held('/customers/c_9999', { amount: 1 });
    const shown = (await api('ada', `/holds/${only}`)).hold;
    assert.equal(shown.status, 'held');
    assert.deepEqual(shown.workflows[0].passed_over, []);
    const answers = [];
    for (let i = 0; i < CAP + 1; i++) answers.push(await held('/rare')); // grace becomes tired, too
    const last = (await api('ada', `/holds/${answers.at(-1)}`)).hold;
    assert.equal(last.status, 'held');
    assert.deepEqual(last.workflows[0].passed_over, []);
  });
});
