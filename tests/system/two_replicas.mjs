// Two replicas over one database, an agent that asks either, and an approver who sees one address.
import fs from 'node:fs';
import { Agent } from '../../deploy/sample/agent.mjs';
import { makeBase } from './gateway.mjs';
import { configurationFor, settle } from './kill_lane.mjs';
import { PostgresCluster } from './postgres_cluster.mjs';
import { RecordingUpstream } from './recording_upstream.mjs';
import { Front, Replica } from './replica.mjs';

export class TwoReplicas {
  /** `name` is the database's, and part of each replica's directory. */
  static async start(name) {
    const all = new TwoReplicas();
    try {
      await all.#begin(name);
    } catch (e) {
      await all.stop();
      throw e;
    }
    return all;
  }

  async #begin(name) {
    this.base = makeBase(name);
    this.cluster = await PostgresCluster.start(this.base);
    await this.cluster.sql(`CREATE DATABASE ${name}`);
    this.upstream = await new RecordingUpstream().listen();
    this.front = await new Front().listen();
    const configuration = configurationFor(this.upstream.port, `database: "postgresql:///${name}?user=postgres&host=${encodeURIComponent(this.cluster.sockets)}"`);
    this.one = new Replica(`${name}-one`, { front: this.front, configuration });
    await this.one.configure();
    this.front.to = this.one.ports.people;
    await this.one.start();
    Object.assign(this, await settle(this.one)); // agent, approver
    this.other = await Replica.beside(this.one, `${name}-other`, configuration);
    this.agentOfOther = new Agent(this.other.ownAgentsUrl, this.agent.token);
  }

  async stop() {
    for (const replica of [this.one, this.other]) {
      await replica?.stop('SIGKILL');
      if (replica) fs.rmSync(replica.base, { recursive: true, force: true });
    }
    this.front?.server.close();
    this.upstream?.close();
    await this.cluster?.stop();
    fs.rmSync(this.base, { recursive: true, force: true });
  }
}
