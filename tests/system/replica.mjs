// One of several gateways over one database, and what stands before them.
import fs from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { Gateway, freePort, makeBase } from './gateway.mjs';
import { ENDS_WITH_US } from './kill_lane.mjs';

const binary = process.env.SALLYPORT_BINARY;

/** What stands before the replicas: people know one address. */
export class Front {
  to = 0;

  async listen() {
    this.port = await freePort();
    this.server = net.createServer((client) => {
      const replica = net.connect(this.to, '127.0.0.1');
      for (const [one, other] of [[client, replica], [replica, client]]) {
        one.pipe(other);
        one.on('error', () => other.destroy());
      }
    });
    await new Promise((listening) => this.server.listen(this.port, '127.0.0.1', listening));
    return this;
  }
}

export class Replica extends Gateway {
  constructor(name, { front, urls, ...options }) {
    super(binary, { base: makeBase(`replica-${name}`), prefix: ENDS_WITH_US, ...options });
    Object.assign(this, { front, urls });
  }

  async configure() {
    await super.configure();
    this.ownAgentsUrl = this.agentsUrl;
    const own = `public_url: ${this.publicUrl}\n`;
    this.publicUrl = `http://localhost:${this.front.port}`;
    this.agentsUrl = this.urls?.agentsUrl ?? this.agentsUrl;
    const file = path.join(this.base, 'config', 'sallyport.yaml');
    fs.writeFileSync(file, fs.readFileSync(file, 'utf8').replace(own, `public_url: ${this.publicUrl}\nagents_url: ${this.agentsUrl}\n`));
  }

  /** Another one, with the same keys: started after the first has made them. */
  static async beside(first, name, configuration) {
    const one = new Replica(name, { front: first.front, configuration, urls: first });
    const data = path.join(one.base, 'data');
    fs.mkdirSync(data, { mode: 0o700 });
    fs.copyFileSync(path.join(first.base, 'data', 'master.key'), path.join(data, 'master.key'));
    await one.start();
    return one;
  }
}
