// The three that are compared: Sallyport, nginx and haproxy, each one worker on the same core, each with kept-alive
// connections to the same upstream. Nothing of theirs is logged per call. Sallyport's PostgreSQL stands elsewhere, as it would.
import { execFileSync, spawn } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { Gateway, freePort, makeBase, until } from '../system/gateway.mjs';

export const PROXY_CORE = '0'; // the measured one alone
export const OTHER_CORE = '1'; // who asks, who answers, and the database

// Debian puts servers where users who are not root do not look.
const sbin = { ...process.env, PATH: `${process.env.PATH}:/usr/sbin:/sbin` };

const answers = (url) => fetch(url, { method: 'GET' }).then(() => true, () => false);

function start(command, args, core) {
  const child = spawn('taskset', ['--cpu-list', core, command, ...args], { stdio: ['ignore', 'ignore', 'pipe'], env: sbin });
  let said = '';
  child.stderr.on('data', (d) => (said = (said + d).slice(-2000)));
  const ended = new Promise((end) => child.on('exit', end));
  return { child, ended, said: () => said };
}

async function up(name, url, one) {
  await until(`${name} answers`, () => {
    if (one.child.exitCode !== null) throw new Error(`${name} ended: ${one.said()}`);
    return answers(url);
  });
}

function nginx(base, http) {
  const file = path.join(base, 'nginx.conf');
  fs.writeFileSync(
    file,
    `daemon off; worker_processes 1; pid ${base}/nginx.pid; error_log stderr crit;
events { worker_connections 4096; }
http {
  access_log off; keepalive_timeout 300s; keepalive_requests 1000000000; client_body_buffer_size 16k;
  ${['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((n) => `${n}_temp_path ${base}/nginx-${n};`).join(' ')}
  ${http}
}
`,
  );
  return ['-p', base, '-c', file, '-e', 'stderr'];
}

/** Answers every call with 300 bytes of JSON. */
export async function startUpstream() {
  const base = makeBase('bench-upstream');
  const port = await freePort();
  const answer = JSON.stringify({ id: 're_1', status: 'succeeded', note: 'x'.repeat(257) });
  const args = nginx(base, `server { listen 127.0.0.1:${port} backlog=4096; location / { default_type application/json; return 200 '${answer}'; } }`);
  const one = start('nginx', args, OTHER_CORE);
  await up('the upstream', `http://127.0.0.1:${port}/`, one);
  return { port, close: () => end(one, base) };
}

async function end(one, base) {
  one.child.kill('SIGTERM');
  await one.ended;
  fs.rmSync(base, { recursive: true, force: true });
}

/** Processes whose CPU is the contender's: itself and what it forked. */
function family(pid) {
  const children = fs.readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(/\s+/).filter(Boolean);
  return [pid, ...children.map(Number)];
}

export async function startNginx(upstream) {
  const base = makeBase('bench-nginx');
  const port = await freePort();
  const args = nginx(
    base,
    `upstream payments { server 127.0.0.1:${upstream.port}; keepalive 256; keepalive_requests 1000000000; }
  server { listen 127.0.0.1:${port} backlog=4096;
    location / { proxy_pass http://payments; proxy_http_version 1.1; proxy_set_header Connection ""; } }`,
  );
  const one = start('nginx', args, PROXY_CORE);
  await up('nginx', `http://127.0.0.1:${port}/`, one);
  return { name: 'nginx', port, pids: () => family(one.child.pid), close: () => end(one, base) };
}

export async function startHaproxy(upstream) {
  const base = makeBase('bench-haproxy');
  const port = await freePort();
  const file = path.join(base, 'haproxy.cfg');
  fs.writeFileSync(
    file,
    `global
  nbthread 1
  maxconn 4096
defaults
  mode http
  timeout connect 5s
  timeout client 300s
  timeout server 300s
  http-reuse always
frontend agents
  bind 127.0.0.1:${port}
  default_backend payments
backend payments
  server one 127.0.0.1:${upstream.port} pool-max-conn 256
`,
  );
  const one = start('haproxy', ['-f', file, '-db'], PROXY_CORE);
  await up('haproxy', `http://127.0.0.1:${port}/`, one);
  return { name: 'haproxy', port, pids: () => family(one.child.pid), close: () => end(one, base) };
}

/** Token checked, a rule over the body judged, every call recorded: what an allowed call always costs. */
const CONFIGURATION = (port) => `
routes:
  - id: payments
    prefix: /payments
    upstream: http://127.0.0.1:${port}
    wait: { max: 1h }
policies:
  - id: small-refunds-pass
    route: payments
    when: request.method == "POST" && request.path == "/v1/refunds" && body.amount <= 500
    verdict: allow
  - id: refunds-over-500
    route: payments
    when: request.method == "POST" && request.path == "/v1/refunds" && body.amount > 500
    verdict: hold
    workflow: finance
    summary: "Refund {body.amount} {body.currency} to {body.customer}"
workflows:
  finance:
    steps: [ { notify: [owner], for: 1h } ]
    otherwise: deny
limits: { holds: 1000000, holds_per_agent: 1000000 }
`;

export async function startSallyport(binary, upstream, { core = PROXY_CORE } = {}) {
  const base = makeBase('bench');
  const gateway = new Gateway(binary, { base, configuration: CONFIGURATION(upstream.port), prefix: core === null ? [] : ['taskset', '--cpu-list', core] });
  await gateway.start();
  // Its database would stand on a machine of its own: it gets what those who ask and answer leave of their core, else they would be
  // what is measured. Whoever waits until all is recorded waits for it. What it forks later follows.
  if (core !== null)
    for (const pid of postgres(gateway)) {
      execFileSync('taskset', ['--all-tasks', '--pid', '--cpu-list', OTHER_CORE, String(pid)], { stdio: 'ignore' });
      execFileSync('renice', ['--priority', '19', '--pid', String(pid)], { stdio: 'ignore' });
    }
  const approver = await gateway.approver('ada');
  const agent = await gateway.agent('refund-bot', 'ada', ['payments']);
  return {
    name: 'sallyport',
    gateway,
    approver,
    agent,
    port: gateway.ports.agents,
    prefix: '/payments',
    token: agent.token,
    pids: () => [gateway.process.pid], // PostgreSQL's processes are counted apart
    database: () => postgres(gateway),
    /** Everything that was recorded has reached the log: what a call costs later is counted too. */
    settled: () => settled(gateway),
    close: async () => {
      await gateway.stop();
      fs.rmSync(base, { recursive: true, force: true });
    },
  };
}

/** Its own PostgreSQL: the postmaster, by its pid file, and its children. */
function postgres(gateway) {
  const directory = path.join(gateway.base, 'data');
  const file = fs.readdirSync(directory, { recursive: true }).find((f) => path.basename(f) === 'postmaster.pid');
  return family(Number(fs.readFileSync(path.join(directory, file), 'utf8').split('\n')[0]));
}

async function settled(gateway) {
  await until('the record has caught up', async () => (await gateway.metric('sallyport_journal_pending_bytes')) === 0, { within: 600_000, every: 200 });
}
