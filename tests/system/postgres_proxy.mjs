// A door to PostgreSQL that understands what passes (PostgreSQL's protocol 3.0, "Message Formats"): which transaction a
// COMMIT ends, so that a test can stop the world just before the server hears it, or when it is done and nobody was told.
import net from 'node:net';
import path from 'node:path';

/** Cuts a stream into messages. A client's first one has no type. */
class Messages {
  #left = Buffer.alloc(0);
  #untyped;

  constructor({ untyped }) {
    this.#untyped = untyped;
  }

  *take(chunk) {
    this.#left = this.#left.length ? Buffer.concat([this.#left, chunk]) : chunk;
    for (;;) {
      const at = this.#untyped ? 0 : 1;
      if (this.#left.length < at + 4) return;
      const end = at + this.#left.readInt32BE(at);
      if (this.#left.length < end) return;
      const whole = this.#left.subarray(0, end);
      this.#left = this.#left.subarray(end);
      yield { type: at ? String.fromCharCode(whole[0]) : '', body: whole.subarray(at + 4), whole };
      this.#untyped = false;
    }
  }
}

/** The texts, each ended by a zero, that a message begins with. */
const texts = (body, count) => body.toString('utf8').split('\0', count);

function message(type, fields) {
  const body = Buffer.from(`${fields.join('\0')}\0`);
  const head = Buffer.from(`${type}    `);
  head.writeInt32BE(4 + body.length, 1);
  return Buffer.concat([head, body]);
}

// What each of its processes says when another has crashed, before it ends. It is no error but a notice.
const FAREWELL = message('N', ['SWARNING', 'VWARNING', 'C57P02', 'Mterminating connection because of crash of another server process', '']);
// libpq reads so much at a time.
const READ_AT_ONCE = 16 << 10;
const padding = (length) => message('S', ['padding', 'x'.repeat(length - message('S', ['padding', '']).length)]);

/** So that who reads the answer, and then looks whether there is more, has not come to the farewell when it writes again. */
function beforeFarewell(answer) {
  const room = READ_AT_ONCE - answer.length;
  return Buffer.concat([room > 100 ? padding(room) : Buffer.alloc(0), answer, padding(READ_AT_ONCE), FAREWELL]);
}

const writing = /\b(INSERT\s+INTO|DELETE\s+FROM|UPDATE\s+\w+\s+(AS\s+\w+\s+)?SET|CREATE\s|pg_notify)/i;
// With nearly every change; they tell no transaction from another.
const companions = ['append_audit', 'tell_listeners'];

/** What a transaction did so far: `label` is the same for the same work, whatever its values. */
class Transaction {
  #did = new Map();

  did({ name, text }, rows) {
    // A statement that found nothing is a look in vain: it makes no difference.
    if (rows > 0) this.#did.set(name, writing.test(text));
  }
  has(name) {
    return this.#did.has(name);
  }
  get writes() {
    return [...this.#did.values()].includes(true);
  }
  get label() {
    const names = [...this.#did].filter(([, writes]) => writes === this.writes).map(([name]) => name);
    const telling = names.filter((name) => !companions.includes(name));
    return (telling.length ? telling : names).join('+') || 'nothing';
  }
}

export class PostgresProxy {
  #socket;
  #directory;
  #server;
  #links = new Set();
  #startedAt = 0;

  /**
   * Asked at each commit, with 'before' (the server has not heard it yet) or 'after' (it is done, nobody was told) and
   * the transaction. True cuts the connection there, both ways.
   */
  atCommit = () => false;

  /**
   * Asked at each statement of a transaction: 'before' the server has it, or 'after' it was done. True cuts the connection;
   * 'after' it the answer is passed on, and a farewell, so that it is the next statement which cannot be written.
   */
  atStatement = () => false;

  /** `socket` is PostgreSQL's own; this one's will be in `directory`. */
  constructor(socket, directory) {
    this.#socket = socket;
    this.#directory = directory;
  }

  // No TCP: only where the other end is known at once to be gone does libpq fail in all of its ways.
  async listen() {
    this.#server = net.createServer((client) => this.#open(client));
    await new Promise((listening) => this.#server.listen(path.join(this.#directory, '.s.PGSQL.5432'), listening));
    return this;
  }

  uri(database) {
    return `postgresql:///${database}?user=postgres&host=${encodeURIComponent(this.#directory)}`;
  }

  /**
   * As if the database had crashed, and took so long to start again; with `farewell`, as when one of its processes has.
   * Who only listens is back at once: there is nothing to prepare for it, so it is the first after a real start, too.
   */
  crash(milliseconds, { farewell = false } = {}) {
    for (const link of this.#links) {
      if (farewell && !link.cut) link.client.write(FAREWELL);
      this.#cut(link);
    }
    this.#startedAt = Date.now() + milliseconds;
  }

  close() {
    this.crash(0);
    this.#server.close();
  }

  #open(client) {
    const server = net.connect(this.#socket);
    const link = { client, server, prepared: new Map(), running: null, transaction: null, committing: false, answer: [], cut: false };
    this.#links.add(link);
    const fromClient = new Messages({ untyped: true });
    const fromServer = new Messages({ untyped: false });
    client.on('data', (chunk) => {
      for (const asked of fromClient.take(chunk)) if (this.#asks(link, asked)) server.write(asked.whole);
    });
    server.on('data', (chunk) => {
      for (const answered of fromServer.take(chunk)) this.#answers(link, answered);
    });
    for (const [one, other] of [[client, server], [server, client]]) {
      one.on('error', () => {});
      one.on('close', () => {
        other.end();
        this.#links.delete(link);
      });
    }
  }

  // What the server was given before is still done: its side ends in order. False: nothing goes on.
  #cut(link) {
    link.cut = true;
    link.client.destroy();
    link.server.end();
    return false;
  }

  // Whether the message goes on.
  #asks(link, { type, body }) {
    if (link.cut) return false;
    if (type === 'P') {
      if (Date.now() < this.#startedAt) return this.#cut(link);
      const [name, text] = texts(body, 2);
      link.prepared.set(name, text);
      link.running = { name: name || 'sql', text };
    } else if (type === 'B') {
      const [, name] = texts(body, 2);
      link.running = { name: name || 'sql', text: link.prepared.get(name) ?? '' };
      if (link.transaction && this.atStatement('before', name)) return this.#cut(link);
    } else if (type === 'Q') {
      const [text] = texts(body, 1);
      link.running = { name: 'sql', text };
      if (/^\s*BEGIN/i.test(text)) link.transaction = new Transaction();
      if (/^\s*ROLLBACK/i.test(text)) link.transaction = null;
      link.committing = link.transaction !== null && /^\s*COMMIT/i.test(text);
      if (link.committing && this.atCommit('before', link.transaction)) return this.#cut(link);
    }
    return true;
  }

  #answers(link, { type, body, whole }) {
    if (link.cut) return;
    if (!link.transaction) {
      link.client.write(whole);
      return;
    }
    // Until ReadyForQuery: then it is done, for everybody to see.
    link.answer.push(whole);
    if (type === 'C') [link.tag] = texts(body, 1);
    if (type === 'Z') this.#done(link);
  }

  #done(link) {
    const { tag, running, transaction, committing } = link;
    const answer = Buffer.concat(link.answer);
    Object.assign(link, { tag: '', answer: [] });
    if (committing) {
      Object.assign(link, { transaction: null, committing: false });
      if (tag === 'COMMIT' && this.atCommit('after', transaction)) {
        this.#cut(link);
        return;
      }
    } else if (tag && tag !== 'BEGIN') {
      // What has no number (CREATE TABLE, SET) counts as one.
      transaction.did(running, Number(tag.match(/\d+$/)?.[0] ?? 1));
      if (this.atStatement('after', running.name)) {
        link.client.write(beforeFarewell(answer));
        this.#cut(link);
        return;
      }
    }
    link.client.write(answer);
  }
}
