// nginx and haproxy, each in front of the gateway or behind it, and an upstream that echoes what it was sent.
import { execFileSync, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import http from 'node:http';
import net from 'node:net';
import path from 'node:path';
import { freePort, until } from '../system/gateway.mjs';

// Debian puts servers where users who are not root do not look.
const sbin = { ...process.env, PATH: `${process.env.PATH}:/usr/sbin:/sbin` };

export const digest = (bytes) => createHash('sha256').update(bytes).digest('hex');

/** A certificate for `names`, of an authority of its own: `name.pem`, `name.key`. */
export function certify(base, name, names) {
  const [key, certificate] = [path.join(base, `${name}.key`), path.join(base, `${name}.pem`)];
  execFileSync('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2', '-subj', `/CN=${name}`,
    '-addext', `subjectAltName=${names}`, '-keyout', key, '-out', certificate], { stdio: 'ignore' });
  return { key, certificate };
}

/** Answers by the last part of the path; everything that it was asked is in `requests`. */
export class Echo {
  requests = [];
  cut = 0; // requests that ended in the middle

  async listen() {
    this.server = http.createServer({ keepAliveTimeout: 60_000 }, (q, r) => this.#answer(q, r));
    this.server.on('clientError', (e, socket) => socket.destroy());
    await new Promise((listening) => this.server.listen(0, '127.0.0.1', listening));
    this.port = this.server.address().port;
    return this;
  }

  close() {
    this.server.closeAllConnections();
    this.server.close();
  }

  async #answer(q, r) {
    const asked = { method: q.method, url: q.url, headers: q.headers, length: 0, digest: null };
    this.requests.push(asked);
    const what = new URL(q.url, 'http://x').pathname.split('/').pop();
    if (what === 'early') {
      // Before the body, which is read and thrown away: closing instead would take the answer out of the other's hands.
      r.writeHead(413, { 'content-length': 9 });
      return r.end('too much\n');
    }
    const parts = [];
    const whole = await q.forEach((part) => parts.push(part)).then(() => true, () => false);
    if (!whole) return this.cut++;
    const body = Buffer.concat(parts);
    Object.assign(asked, { length: body.length, digest: digest(body) });
    switch (what) {
      case 'nothing':
        return r.writeHead(204).end();
      case 'same':
        return r.writeHead(304, { etag: '"one"' }).end();
      case 'cut':
        r.writeHead(200, { 'content-length': 100_000 });
        return r.write('x'.repeat(1000), () => q.socket.destroy());
      case 'cut-chunked':
        r.writeHead(200);
        return r.write('x'.repeat(1000), () => q.socket.destroy());
      case 'chunked':
        r.writeHead(200, { 'content-type': 'application/octet-stream' });
        for (let at = 0; at < body.length; at += 10_007) r.write(body.subarray(at, at + 10_007));
        return r.end();
      default:
        r.writeHead(200, { 'content-type': 'application/octet-stream', 'content-length': q.method === 'HEAD' ? 1234 : body.length, 'x-asked': q.url });
        return r.end(q.method === 'HEAD' ? undefined : body);
    }
  }
}

class Server {
  constructor(command, args) {
    this.child = spawn(command, args, { stdio: ['ignore', 'ignore', 'pipe'], env: sbin });
    this.said = '';
    this.child.stderr.on('data', (d) => (this.said = (this.said + d).slice(-4000)));
    this.child.on('error', (e) => (this.said += e.message));
    this.ended = new Promise((end) => this.child.on('close', end));
  }

  async up(port) {
    const accepts = () =>
      new Promise((done) => {
        const socket = net.connect(port, '127.0.0.1', () => done(true));
        socket.on('error', () => done(false));
        socket.on('connect', () => socket.destroy());
      });
    await until(`port ${port} answers`, () => {
      if (this.child.exitCode !== null || this.child.pid === undefined) throw new Error(`it ended: ${this.said}`);
      return accepts();
    });
  }

  async close() {
    this.child.kill('SIGTERM');
    await this.ended;
  }
}

/**
 * One nginx with several servers. Nothing is buffered: what one side sends, the other has at once. `servers`:
 * [{ port, to, tls? }], two ports, and the certificate that it has on `port`, if any.
 */
export async function startNginx(base, servers) {
  const file = path.join(base, 'nginx.conf');
  const server = ({ port, to, tls }, i) => `
  upstream to${i} { server 127.0.0.1:${to}; keepalive 16; }
  server { listen 127.0.0.1:${port}${tls ? ' ssl' : ''};
    ${tls ? `ssl_certificate ${tls.certificate}; ssl_certificate_key ${tls.key};` : ''}
    location / { proxy_pass http://to${i}; proxy_set_header Host $http_host; proxy_set_header Connection ""; } }`;
  fs.writeFileSync(file, `daemon off; worker_processes 1; pid ${base}/nginx.pid; error_log stderr crit;
events { worker_connections 512; }
http {
  access_log off; keepalive_timeout 60s; client_max_body_size 16m;
  proxy_http_version 1.1; proxy_request_buffering off; proxy_buffering off; proxy_read_timeout 20s; proxy_next_upstream off;
  ${['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((n) => `${n}_temp_path ${base}/nginx-${n};`).join(' ')}
  ${servers.map(server).join('')}
}
`);
  const one = new Server('nginx', ['-p', base, '-c', file, '-e', 'stderr']);
  await one.up(servers.find((s) => !s.tls).port);
  return one;
}

export async function startHaproxy(base, servers) {
  const file = path.join(base, 'haproxy.cfg');
  fs.writeFileSync(file, `global
  nbthread 1
  maxconn 512
defaults
  mode http
  timeout connect 5s
  timeout client 20s
  timeout server 20s
  http-reuse always
  retries 0
${servers.map(({ port, to }, i) => `frontend f${i}\n  bind 127.0.0.1:${port}\n  default_backend b${i}\nbackend b${i}\n  server one 127.0.0.1:${to}\n`).join('')}`);
  const one = new Server('haproxy', ['-f', file, '-db']);
  await one.up(servers[0].port);
  return one;
}

/** A port that is not given twice in one run. */
export async function ports(count) {
  const all = new Set();
  while (all.size < count) all.add(await freePort());
  return [...all];
}
