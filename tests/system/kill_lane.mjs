// One gateway that is killed again and again: each time its database and data directory are made anew from the same
// template, with an agent and an approver who are known to it.
import fs from 'node:fs';
import path from 'node:path';
import { Gateway, makeBase } from './gateway.mjs';
import { MainJob } from './main_job.mjs';
import { PostgresProxy } from './postgres_proxy.mjs';
import { RecordingUpstream } from './recording_upstream.mjs';

export const configurationFor = (upstream, database = '') => `${database}
routes:
  - { id: payments, prefix: /payments, upstream: "http://127.0.0.1:${upstream}", credential: payments-key }
  - { id: ledger, prefix: /ledger, upstream: "http://127.0.0.1:${upstream}", credential: payments-key, idempotent: true }
policies:
  - { id: reads-pass, route: [payments, ledger], when: request.method == "GET", verdict: allow }
  - { id: customers-stay, route: [payments, ledger], when: request.method == "DELETE", verdict: deny }
  - id: refunds-over-500
    route: [payments, ledger]
    when: request.method == "POST" && body.amount > 500
    verdict: hold
    workflow: finance
    summary: "Refund {body.amount} {body.currency} to customer {body.customer}"
workflows:
  finance: { approvals: 1, steps: [ { notify: ["person:ada"], for: 30m } ], otherwise: deny }
`;

const STARTING = 400; // milliseconds

/** So that nothing is left of it if we are killed ourselves. */
export const ENDS_WITH_US = ['setpriv', '--pdeathsig', 'KILL'];

/** Makes ada, the credential, and an agent; gives those who use the gateway from outside. */
export async function settle(gateway) {
  const approver = await gateway.approver('ada', 'Ada Lovelace');
  await gateway.cli(['credential', 'put', 'payments-key', '--type', 'header', '--header', 'X-Api-Key'], 'key-4711');
  return { approver, agent: await gateway.agent('refund-bot', 'ada', ['payments', 'ledger']) };
}

export class Lane {
  phase = '';
  passed = [];
  target = null;

  static async prepare(binary, cluster, name) {
    const lane = new Lane();
    Object.assign(lane, { cluster, database: name, base: makeBase(`kill-${name}`) });
    lane.upstream = await new RecordingUpstream().listen();
    lane.proxy = await new PostgresProxy(cluster.socket, lane.base).listen();
    lane.proxy.atCommit = (moment, transaction) => lane.#atCommit(moment, transaction);
    lane.proxy.atStatement = (moment, name) => lane.#atStatement(moment, name);
    const configuration = configurationFor(lane.upstream.port, `database: ${lane.proxy.uri(name)}`);
    lane.gateway = new Gateway(binary, { base: lane.base, configuration, prefix: ENDS_WITH_US });
    await cluster.sql(`CREATE DATABASE ${name}`);
    await lane.gateway.start();
    Object.assign(lane, await settle(lane.gateway));
    await lane.gateway.stop();
    await cluster.sql(`ALTER DATABASE ${name} RENAME TO ${name}_template`);
    fs.renameSync(lane.#data, lane.#template);
    return lane;
  }

  get #data() {
    return path.join(this.base, 'data');
  }
  get #template() {
    return path.join(this.base, 'template');
  }

  /** A gateway that has done nothing yet; with `empty`, one that was never started. */
  async reset({ empty = false } = {}) {
    this.current?.giveUp();
    await this.gateway.stop('SIGKILL');
    Object.assign(this, { target: null, phase: '', passed: [] });
    this.proxy.crash(0);
    this.upstream.reset();
    await this.cluster.sql(`DROP DATABASE IF EXISTS ${this.database} WITH (FORCE)`, `CREATE DATABASE ${this.database} TEMPLATE ${empty ? 'template1' : `${this.database}_template`}`);
    fs.rmSync(this.#data, { recursive: true, force: true });
    fs.rmSync(this.gateway.logFile, { force: true });
    fs.rmSync(path.join(this.base, 'refund-bot.key.pem'), { force: true });
    if (!empty) fs.cpSync(this.#template, this.#data, { recursive: true });
  }

  /** A job on a gateway that has done nothing before. */
  async begin(options = {}) {
    await this.reset();
    await this.gateway.start();
    this.passed = [];
    return this.#job(options);
  }

  #job(options) {
    const job = new MainJob({ agent: this.agent, approver: this.approver, at: (phase) => (this.phase = phase), ...options });
    const received = this.upstream.received;
    this.upstream.received = (request) => {
      if (!job.decided) job.sentTooEarly = true;
      return received(request);
    };
    this.current = job;
    return job;
  }

  kill() {
    this.gateway.process.kill('SIGKILL');
  }

  /**
   * Resolves at the first (or `nth`) commit of that name, 'before' or 'after' it (see PostgresProxy). Then the gateway is
   * killed, or `lose`s 'one' connection, which is this one, or 'all'; or the database has a 'crash' when that was told.
   */
  commit(point, moment, { lose = null, nth = 1 } = {}) {
    return new Promise((fired) => (this.target = { point, moment, lose, left: nth, fired }));
  }

  /** The same at a statement: 'before' it is read by the server, or 'after' it was answered. */
  statement(name, moment, { lose }) {
    return new Promise((fired) => (this.target = { statement: name, moment, lose, fired }));
  }

  #atCommit(moment, transaction) {
    // What only reads is told apart by when it happens.
    const point = transaction.writes ? transaction.label : `${this.phase}: ${transaction.label}`;
    const { target } = this;
    const hit = target?.point === point && target.moment === moment && --target.left === 0;
    // What is cut off before it, the database never hears.
    if (!hit || moment === 'after') this.passed.push({ point, moment, claims: transaction.has('claim_holds'), outcome: transaction.has('put_response') });
    return hit && this.#strike();
  }

  #atStatement(moment, name) {
    const { target } = this;
    return target?.statement === name && target.moment === moment && this.#strike({ here: true });
  }

  // Whether this connection is cut at once.
  #strike({ here = false } = {}) {
    const { lose, fired } = this.target;
    this.target = null;
    fired();
    if (!lose) this.kill();
    if (lose === 'all') this.proxy.crash(STARTING);
    // What is committed is told first.
    if (lose === 'crash') setImmediate(() => this.proxy.crash(STARTING, { farewell: true }));
    return here || lose !== 'crash';
  }

  /** What the hold may end as if the gateway stops now: by the commits that the database heard of. */
  get ends() {
    const saw = (what, moment) => this.passed.some((p) => p[what] && p.moment === moment);
    if (!saw('claims', 'before') || saw('outcome', 'after')) return ['released'];
    return saw('claims', 'after') && !saw('outcome', 'before') ? ['unknown'] : ['released', 'unknown'];
  }

  /** After a kill. Gives what `ends` was. */
  async restart() {
    await this.gateway.ended;
    const { ends } = this;
    this.gateway.spawn();
    return ends;
  }

  /** What the gateway itself calls its failure. */
  errors() {
    return fs.readFileSync(this.gateway.logFile, 'utf8').split('\n').filter((line) => line.includes('"level":"error"'));
  }

  async close() {
    await this.gateway.stop('SIGKILL');
    this.proxy.close();
    this.upstream.close();
    fs.rmSync(this.base, { recursive: true, force: true });
  }
}
