// Many jobs at once on a gateway that runs its own PostgreSQL.
import fs from 'node:fs';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { Gateway, makeBase, until } from './gateway.mjs';
import { ENDS_WITH_US, configurationFor, settle } from './kill_lane.mjs';
import { MainJob, checkAll, passes } from './main_job.mjs';
import { RecordingUpstream } from './recording_upstream.mjs';

const AGENTS = 5;
const JOBS_EACH = 5;

/** Whether it runs; a zombie does not. */
export const alive = (pid) => fs.existsSync(`/proc/${pid}/stat`) && !/\) Z/.test(fs.readFileSync(`/proc/${pid}/stat`, 'utf8'));

class OwnDatabase {
  static async start(binary, name) {
    const one = new OwnDatabase();
    one.base = makeBase(name);
    one.upstream = await new RecordingUpstream().listen();
    one.gateway = await new Gateway(binary, { base: one.base, configuration: configurationFor(one.upstream.port), prefix: ENDS_WITH_US }).start();
    Object.assign(one, await settle(one.gateway));
    return one;
  }

  /** PostgreSQL's first process; none while there is no PostgreSQL. */
  get postmaster() {
    const file = path.join(this.base, 'data/postgres/data/postmaster.pid');
    return fs.existsSync(file) ? Number(fs.readFileSync(file, 'utf8').split('\n')[0]) : null;
  }

  /** One that serves a connection of the gateway, when there is one. */
  get backend() {
    const children = fs.readFileSync(`/proc/${this.postmaster}/task/${this.postmaster}/children`, 'utf8').trim().split(' ');
    const serving = (pid) => fs.existsSync(`/proc/${pid}/cmdline`) && fs.readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(' sallyport postgres ');
    return Number(children.find(serving) ?? 0);
  }

  async end() {
    await this.gateway.stop();
    // A gateway that ended by itself left it behind.
    if (this.postmaster && alive(this.postmaster)) process.kill(this.postmaster, 'SIGQUIT');
    this.upstream.close();
    fs.rmSync(this.base, { recursive: true, force: true });
  }
}

/** Approves whatever waits, until told to stop. */
export function keepApproving(approver) {
  let stopping = false;
  const approving = async () => {
    while (!stopping) {
      try {
        for (const { hold } of await approver.waiting()) await approver.approve(hold, 'The customer is right');
      } catch (error) {
        if (!passes(error)) throw error;
      }
      await pause(20);
    }
  };
  return { ended: approving(), stop: () => (stopping = true) };
}

/** Agents make calls one after another while `strike` does its worst; then every call has come to one of `ends`. */
export async function underLoad(binary, name, ends, strike) {
  const one = await OwnDatabase.start(binary, name);
  try {
    const jobs = [];
    const approving = keepApproving(one.approver);
    const agents = Array.from({ length: AGENTS }, async (_, i) => {
      for (let n = 0; n < JOBS_EACH; ++n) {
        const job = new MainJob({ agent: one.agent, prefer: i % 2 ? 'respond-async' : 'wait=20' });
        jobs.push(job);
        await job.run();
      }
    });
    const working = Promise.all(agents).finally(approving.stop);
    const striking = until('some calls are released', () => one.upstream.requests.length >= JOBS_EACH).then(() => strike(one));
    await Promise.all([striking, working, approving.ended]); // the first that fails ends it
    await checkAll(jobs, { gateway: one.gateway, upstream: one.upstream, ends });
  } catch (error) {
    error.message += `\n${one.gateway.log()}`;
    throw error;
  } finally {
    await one.end();
  }
}
