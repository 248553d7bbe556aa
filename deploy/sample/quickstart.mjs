// node quickstart.mjs SALLYPORT [--approve]: the main job, end to end, on this machine.
import { execFile, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import fs from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { Agent } from './agent.mjs';
import { Approver } from './approver.mjs';
import { startPaymentsApi } from './payments_api.mjs';

const [binary, mode] = process.argv.slice(2);
const here = import.meta.dirname ?? path.dirname(new URL(import.meta.url).pathname);
const base = fs.mkdtempSync(path.join(os.tmpdir(), 'sallyport-quickstart-'));
fs.chmodSync(base, 0o711); // PostgreSQL runs as another user when we are root
const dirs = ['--config', path.join(base, 'config'), '--data', path.join(base, 'data')];
const logFile = path.join(base, 'gateway.log');
const ending = new AbortController();
const toEnd = [];

const say = (text = '') => console.log(text);
const bold = (text) => (process.stdout.isTTY ? `\x1b[1m${text}\x1b[0m` : text);

/** The usual port if nobody has it, else a free one. */
function port(usual) {
  return new Promise((found, failed) => {
    const probe = net.createServer();
    probe.on('error', () => (usual ? found(port(0)) : failed(new Error('no free port'))));
    probe.listen(usual, '127.0.0.1', () => {
      const { port: free } = probe.address();
      probe.close(() => found(free));
    });
  });
}

/** A command of the program itself; gives what it prints, from JSON where it asks for that. */
async function sallyport(args, input = '') {
  const child = promisify(execFile)(binary, [...args, ...dirs]);
  child.child.stdin.end(input);
  const { stdout } = await child;
  return args.includes('--json') ? JSON.parse(stdout) : stdout.trim();
}

function writeConfiguration(ports) {
  fs.mkdirSync(path.join(base, 'config'));
  const text = fs.readFileSync(path.join(here, 'config', 'sallyport.yaml'), 'utf8');
  fs.writeFileSync(path.join(base, 'config', 'sallyport.yaml'), text.replace(/@([A-Z]+)@/g, (_, name) => ports[name]));
}

/** Starts the gateway with a PostgreSQL of its own; resolves when it can do its work. */
async function startGateway(ports) {
  const log = fs.openSync(logFile, 'w');
  // A session of its own: Ctrl-C reaches this program alone, which then ends things in their order.
  const gateway = spawn(binary, ['serve', ...dirs], { stdio: ['ignore', log, log], detached: true });
  const ended = new Promise((end) => gateway.on('exit', (code) => end(code)));
  toEnd.push(async () => {
    gateway.kill('SIGTERM');
    await ended;
  });
  for (let i = 0; i < 600; i++) {
    if (gateway.exitCode !== null) throw new Error(`the gateway ended with ${gateway.exitCode}; its log: ${fs.readFileSync(logFile, 'utf8')}`);
    const ready = await fetch(`http://127.0.0.1:${ports.METRICS}/readyz`).catch(() => null);
    if (ready?.ok) return;
    await new Promise((later) => setTimeout(later, 100));
  }
  throw new Error(`the gateway was not ready in a minute; its log: ${logFile}`);
}

/** A person, an agent of theirs, and the credential that only the gateway has. */
async function register(key) {
  await sallyport(['team', 'add', 'finance']);
  const { link } = await sallyport(['person', 'invite', 'ada', '--name', 'Ada Lovelace', '--email', 'ada@example.com', '--json']);
  await sallyport(['team', 'join', 'finance', 'ada']);
  await sallyport(['credential', 'put', 'payments-key', '--type', 'header', '--header', 'X-Api-Key'], key);
  const keyFile = path.join(base, 'refund-bot.key.pem');
  await sallyport(['agent', 'add', 'refund-bot', '--class', 'digital-worker', '--owner', 'ada', '--scope', 'payments', '--purpose', 'Settles refunds', '--key-out', keyFile]);
  const token = await sallyport(['token', '--agent', 'refund-bot', '--key', keyFile, '--intent', 'Settle the complaint in ticket 4711']);
  return { link, token };
}

async function show(call, answer) {
  const text = await answer.text();
  say(`   ${call}\n   → ${answer.status} ${text}\n`);
}

async function run() {
  const ports = { AGENTS: await port(8080), PEOPLE: await port(8081), METRICS: await port(9464) };
  const key = `key-${randomBytes(12).toString('hex')}`;
  const upstream = await startPaymentsApi(key);
  toEnd.push(() => upstream.close());
  writeConfiguration({ ...ports, UPSTREAM: upstream.port });
  say(`Starting the gateway and its PostgreSQL (log: ${logFile})`);
  await startGateway({ ...ports });
  const publicUrl = `http://localhost:${ports.PEOPLE}`;
  const { link, token } = await register(key);
  const agent = new Agent(`http://127.0.0.1:${ports.AGENTS}`, token);

  say(`\n${bold('1. A call that passes')}`);
  await show('GET /payments/v1/customers/c_17', await agent.call('GET', '/payments/v1/customers/c_17'));
  say(bold('2. A call that policy refuses'));
  await show('DELETE /payments/v1/customers/c_17', await agent.call('DELETE', '/payments/v1/customers/c_17'));

  say(bold('3. A call that a person must decide'));
  say(`   Inbox:  ${publicUrl}/`);
  say(`   Enrol:  ${link}\n`);
  const approver = new Approver(publicUrl);
  if (mode === '--approve') {
    const person = await approver.enrol(link);
    say(`   ${person.name} has enrolled a passkey (in software).`);
  } else {
    say('   Open the second link in a browser and create a passkey; the call below then waits in your inbox.');
    say('   (A hold needs somebody who can be told, so it is made once you have enrolled.)\n');
    await enrolled();
  }

  const body = { amount: 900, currency: 'EUR', customer: 'c_17' };
  const held = await (await agent.call('POST', '/payments/v1/refunds', { body, headers: { Prefer: 'respond-async' } })).json();
  say(`   POST /payments/v1/refunds ${JSON.stringify(body)}\n   → 202 ${held.hold} is ${held.status}: ${held.reasons?.[0]?.summary}\n`);
  if (mode === '--approve') {
    const [hold] = await approver.waiting();
    const decision = await approver.approve(hold.hold, 'The customer is right');
    say(`   ${decision.by.name} approved it: ${decision.id}, signed.\n`);
  } else {
    say(`   Decide it at ${publicUrl}/holds/${held.hold}\n`);
  }
  const answer = await agent.collect(held.hold, ending.signal);
  await show(`GET /.sallyport/holds/${held.hold}/response`, answer);
  say(await sallyport(['audit', 'verify']));
  if (mode !== '--approve') {
    say(`\nThe gateway goes on: ${publicUrl}/ (Ctrl-C ends it)`);
    await new Promise((end) => ending.signal.addEventListener('abort', end));
  }
}

/** Until ada has a passkey: `/readyz` cannot tell, the list of people can. */
async function enrolled() {
  while (!ending.signal.aborted) {
    const lines = await sallyport(['person', 'list', '--json']).catch(() => null);
    if (lines && [lines].flat().some((p) => p.enrolled)) return;
    await new Promise((later) => setTimeout(later, 500));
  }
}

async function end(status) {
  for (const close of toEnd.reverse()) await close();
  fs.rmSync(base, { recursive: true, force: true });
  process.exit(status);
}

for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => {
  say('\nEnding…');
  ending.abort();
  end(0);
});
try {
  await run();
  await end(0);
} catch (error) {
  if (!ending.signal.aborted) {
    console.error(error.message);
    await end(1);
  }
}
