// What Slack's own libraries say: @slack/types and @slack/web-api, through the TypeScript compiler, of all that is sent; @slack/bolt
// of the signatures of what comes. SLACK_PROBE=… node --test slack_test.mjs
import bolt from '@slack/bolt';
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { createHmac, randomBytes } from 'node:crypto';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import YAML from 'yaml';

import { SlackProbe } from '../notifiers/slack_probe.mjs';

const here = path.dirname(fileURLToPath(import.meta.url));
let probe, directory;
before(() => {
  probe = new SlackProbe();
  directory = fs.mkdtempSync(path.join(os.tmpdir(), 'sallyport-slack-types-'));
  fs.symlinkSync(path.join(here, 'node_modules'), path.join(directory, 'node_modules'));
  fs.writeFileSync(path.join(directory, 'package.json'), '{"type":"module"}');
  const compilerOptions = { strict: true, noEmit: true, module: 'nodenext', target: 'es2022', skipLibCheck: true, types: ['node'] };
  fs.writeFileSync(path.join(directory, 'tsconfig.json'), JSON.stringify({ compilerOptions, include: ['*.ts'] }));
});
after(async () => {
  assert.equal(await probe?.end(), 0);
  if (directory) fs.rmSync(directory, { recursive: true, force: true });
});

/** What the compiler says of values of those types: its errors, none when they are right. Literals, so that it sees every member. */
function judged(values) {
  const lines = ["import type { KnownBlock, ModalView } from '@slack/types';",
    "import type { AppsManifestCreateArguments, ChatPostEphemeralArguments, ChatPostMessageArguments, ChatUpdateArguments, ViewsOpenArguments } from '@slack/web-api';",
    "import type { RespondArguments, ViewErrorsResponseAction } from '@slack/bolt';"];
  for (const [index, [type, value]] of values.entries()) lines.push(`export const value${index}: ${type} = ${JSON.stringify(value)};`);
  lines.push('export type all = [KnownBlock, ModalView, AppsManifestCreateArguments, ChatPostEphemeralArguments, ChatPostMessageArguments, ChatUpdateArguments, ViewsOpenArguments, RespondArguments, ViewErrorsResponseAction];');
  fs.writeFileSync(path.join(directory, 'values.ts'), `${lines.join('\n')}\n`);
  const tsc = spawnSync(path.join(here, 'node_modules/.bin/tsc'), ['--project', directory, '--pretty', 'false'], { encoding: 'utf8' });
  if (tsc.error) throw tsc.error;
  return tsc.stdout.split('\n').filter((line) => line.includes('error'));
}

const HOSTILE = ['<!channel> *b* `c` <@U1> :x:', '\u202E\u0000\n\\"', 'x'.repeat(4000), '😀'.repeat(4000), '&'.repeat(4000)];
const STATUSES = ['held', 'approved', 'releasing', 'released', 'denied', 'expired', 'withdrawn', 'undeliverable', 'void', 'unknown'];

async function all() {
  const notices = [
    ...['click', 'session', 'passkey'].map((assurance) => ({ assurance })),
    { token: '' },
    ...HOSTILE.flatMap((text) => [{ summaries: [text] }, { summaries: Array(100).fill(text) }, { agent: text, target: text }, { status: 'denied', reason: text }]),
    ...STATUSES.map((status) => ({ status })),
  ];
  const values = [];
  for (const notice of notices) {
    const { message: post } = await probe.ask({ do: 'post', notice });
    const { message: update } = await probe.ask({ do: 'update', notice });
    values.push(['ChatPostMessageArguments', post], ['ChatUpdateArguments', update], ['KnownBlock[]', post.blocks]);
  }
  for (const summary of HOSTILE) {
    const { message } = await probe.ask({ do: 'dialog', summary });
    values.push(['ViewsOpenArguments', message], ['ModalView', message.view]);
  }
  for (const text of HOSTILE) {
    for (const link of ['', 'https://gate.example/slack/x']) {
      values.push(['ChatPostEphemeralArguments', (await probe.ask({ do: 'whispered', text, link })).message], ['RespondArguments', (await probe.ask({ do: 'note', text, link })).message]);
    }
    values.push(['ViewErrorsResponseAction', (await probe.ask({ do: 'error', text })).message]);
    for (const of of [0, 1, 20, 30]) {
      const { message } = await probe.ask({ do: 'list', text, of, ...(of > 20 ? { more: true } : {}) });
      assert.ok(JSON.stringify(message.blocks ?? []).length < 13_000, `${of} of ${text.slice(0, 9)}`);
      values.push(['RespondArguments', message], ['KnownBlock[]', message.blocks ?? []]);
    }
  }
  return values;
}

test('all that is sent has the types of Slack', { timeout: 60_000 }, async () => {
  assert.deepEqual(judged(await all()), []);
});

test('the judge sees what is wrong', { timeout: 60_000 }, async () => {
  const { message } = await probe.ask({ do: 'post', notice: {} });
  const { message: dialog } = await probe.ask({ do: 'dialog', summary: 'x' });
  const changes = [
    ['ChatPostMessageArguments', message, (m) => (m.client_msg_id = 'x')],
    ['ChatPostMessageArguments', message, (m) => delete m.channel],
    ['KnownBlock[]', message.blocks, (blocks) => (blocks[0].text.type = 'mrkdwn')],
    ['KnownBlock[]', message.blocks, (blocks) => (blocks[0].text.emoji = 'no')],
    ['KnownBlock[]', message.blocks, (blocks) => (blocks[1].texts = 'x')],
    ['KnownBlock[]', message.blocks, (blocks) => (blocks.at(-1).elements[0].style = 'red')],
    ['KnownBlock[]', message.blocks, (blocks) => delete blocks.at(-1).elements[0].text],
    ['ModalView', dialog.view, (view) => delete view.title],
    ['ModalView', dialog.view, (view) => (view.blocks[1].element.type = 'text')],
  ];
  const values = changes.map(([type, value, change]) => {
    const changed = structuredClone(value);
    change(changed);
    return [type, changed];
  });
  const seen = new Set(judged(values).map((line) => /values\.ts\((\d+),/.exec(line)?.[1]));
  assert.equal(seen.size, changes.length, [...seen].join());
});

test('the app’s manifest is one', { timeout: 60_000 }, () => {
  const manifest = YAML.parse(fs.readFileSync(path.join(here, '../../deploy/slack-app.yaml'), 'utf8'));
  const wrong = structuredClone(manifest);
  wrong.oauth_config.scopes.bot.push('chat:read');
  assert.deepEqual(judged([['AppsManifestCreateArguments["manifest"]', manifest]]), []);
  assert.notDeepEqual(judged([['AppsManifestCreateArguments["manifest"]', wrong]]), []);
  const { name, description, long_description: long } = manifest.display_information;
  assert.ok(name.length <= 35 && description.length <= 140 && long.length >= 174 && long.length <= 4000, `${long.length}`);
});

test('bolt and we take the same signatures, but for those of the future', async () => {
  const secret = randomBytes(16).toString('hex');
  const now = 1_767_603_600;
  const sign = (timestamp, body, by = secret) => `v0=${createHmac('sha256', by).update(`v0:${timestamp}:${body}`).digest('hex')}`;
  const tampered = (text, at) => text.slice(0, at) + (text[at] === '0' ? '1' : '0') + text.slice(at + 1);
  const boltTakes = (timestamp, signature, body) =>
    bolt.isValidSlackRequest({ signingSecret: secret, body, headers: { 'x-slack-signature': signature, 'x-slack-request-timestamp': timestamp }, nowMilliseconds: now * 1000 });

  let right = 0;
  for (let round = 0; round < 500; ++round) {
    const body = `payload=${encodeURIComponent(randomBytes(round % 300).toString('base64'))}&é=${'x'.repeat(round)}`;
    const timestamp = String(now + (round % 13) * 100 - 600);
    const good = sign(timestamp, body);
    const signature = [good, good, good, tampered(good, 3 + (round % 64)), sign(timestamp, body, 'other'), good.toUpperCase(), good.slice(0, -1), good.replace('v0', 'v1')][round % 8];
    const { signature: ours } = await probe.ask({ do: 'verify', secret, timestamp, signature, body, now });
    const future = Number(timestamp) > now + 300;
    assert.equal(ours === 'right', !future && boltTakes(timestamp, signature, body), `${round}: ${timestamp} ${signature}: ${ours}`);
    if (ours === 'right') ++right;
    if (future && signature === good) assert.equal(ours, 'stale');
  }
  assert.ok(right > 50, `${right} were right`);
});
