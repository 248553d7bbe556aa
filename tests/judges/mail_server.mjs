// Mail servers for the judges: smtp-server, with certificates of our own, and programs that are none.
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { SMTPServer } from 'smtp-server';

/** A certificate authority in `directory`, and what it signs. */
export class Authority {
  constructor(directory, name) {
    this.base = path.join(directory, name);
    this.ca = `${this.base}.pem`;
    this.#openssl('req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', `${this.base}.key`, '-out', this.ca, '-days', '2', '-subj', `/CN=${name}`);
  }

  /** `{ key, cert }` for a server whose certificate says `names`, as `DNS:localhost`. */
  certify(name, names) {
    const at = `${this.base}-${name}`;
    this.#openssl('req', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', `${at}.key`, '-out', `${at}.csr`, '-subj', `/CN=${name}`);
    fs.writeFileSync(`${at}.ext`, `subjectAltName=${names}\n`);
    this.#openssl('x509', '-req', '-in', `${at}.csr`, '-CA', this.ca, '-CAkey', `${this.base}.key`, '-CAcreateserial', '-out', `${at}.pem`, '-days', '2', '-extfile', `${at}.ext`);
    return { key: fs.readFileSync(`${at}.key`), cert: fs.readFileSync(`${at}.pem`) };
  }

  #openssl(...args) {
    execFileSync('openssl', args, { stdio: ['ignore', 'ignore', 'pipe'] });
  }
}

/** An error that smtp-server answers with that code and text. */
export const reply = (responseCode, text) => Object.assign(new Error(text), { responseCode });

/** Starts a server for the time of one test. `mails` are what it took, as bytes; `connections` how often somebody came. */
export async function serve(t, options = {}) {
  const mails = [], sessions = [];
  const server = new SMTPServer({
    disabledCommands: ['STARTTLS'],
    authOptional: true,
    closeTimeout: 100,
    onConnect(session, done) {
      sessions.push(session);
      done();
    },
    async onData(stream, session, done) {
      const chunks = [];
      for await (const chunk of stream) chunks.push(chunk);
      mails.push({ bytes: Buffer.concat(chunks), secure: session.secure, user: session.user, envelope: structuredClone(session.envelope), hello: session.hostNameAppearsAs });
      if (options.afterData) options.afterData(server, done);
      else done();
    },
    ...options.smtp,
  });
  server.on('error', () => {}); // of connections that end as the test wants it
  await new Promise((ready) => server.listen(0, '127.0.0.1', ready));
  t.after(() => new Promise((closed) => server.close(closed)));
  return { port: server.server.address().port, mails, sessions };
}

/** A server that is none: `speak` gets each socket. */
export async function serveRaw(t, speak) {
  const sockets = new Set();
  const server = net.createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    speak(socket);
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  t.after(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return { port: server.address().port };
}

/** What the program says of each notice. */
export async function deliver(options, notices) {
  const child = spawn(process.env.SALLYPORT_DELIVER_MAIL, { stdio: ['pipe', 'pipe', 'pipe'] });
  let out = '', complaints = '';
  child.stdout.on('data', (d) => (out += d));
  child.stderr.on('data', (d) => (complaints += d));
  child.stdin.end(JSON.stringify({ host: 'localhost', tls: 'never', ...options, notices }));
  const [code] = await once(child, 'close');
  if (code !== 0 || complaints !== '') throw new Error(`deliver_mail ended with ${code}: ${complaints}`);
  return JSON.parse(out);
}
