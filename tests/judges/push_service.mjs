// A push service that misbehaves as it is told, and browsers behind it: http_ece decrypts what comes, jose believes who sends.
import { createRequire } from 'node:module';
import crypto from 'node:crypto';
import http from 'node:http';
import * as jose from 'jose';

const ece = createRequire(import.meta.url)('http_ece');

/** One browser's subscription. `behave(nth)` gives a status, or 0 for silence, or -1 to drop the connection. */
export class Browser {
  constructor(service, name) {
    this.service = service;
    this.name = name;
    this.keys = crypto.createECDH('prime256v1');
    this.keys.generateKeys();
    this.auth = crypto.randomBytes(16);
    this.behave = () => 201;
    this.tries = [];
    this.shown = new Map(); // what the service keeps by topic: a later message takes the place of an earlier one
  }
  get endpoint() {
    return `${this.service.url}/send/${this.name}`;
  }
  get subscription() {
    return {
      endpoint: this.endpoint,
      expirationTime: null,
      keys: { p256dh: this.keys.getPublicKey('base64url'), auth: this.auth.toString('base64url') },
    };
  }
  taken(hold, tells = 'asked') {
    return this.tries.filter((t) => t.status === 201 && t.message.hold === hold && t.message.tells === tells);
  }
}

export class PushService {
  browsers = new Map();
  faults = []; // what a real service would have refused

  async start() {
    this.server = http.createServer((request, response) => {
      const pieces = [];
      request.on('data', (piece) => pieces.push(piece));
      request.on('end', () => void this.take(request, Buffer.concat(pieces), response).catch((e) => this.faults.push(e.stack)));
    });
    await new Promise((on) => this.server.listen(0, '127.0.0.1', on));
    this.url = `http://127.0.0.1:${this.server.address().port}`;
    return this;
  }

  browser(name) {
    const made = new Browser(this, name);
    this.browsers.set(`/send/${name}`, made);
    return made;
  }

  async take({ method, url, headers }, body, response) {
    const browser = this.browsers.get(url);
    if (!browser) return response.writeHead(404).end();
    const fault = (what) => this.faults.push(`${url}: ${what}`);
    if (method !== 'POST' || headers['content-encoding'] !== 'aes128gcm') fault('not a message of RFC 8291');
    if (!/^\d+$/.test(headers.ttl ?? '')) fault('no TTL'); // RFC 8030 §5.2: it is required
    if (!/^[\w-]{1,32}$/.test(headers.topic ?? '')) fault('no Topic');
    if (body.length > 4096) fault('too long');
    const [, token, key] = /^vapid t=([\w.-]+), k=([\w-]+)$/.exec(headers.authorization ?? '') ?? [];
    const point = Buffer.from(key ?? '', 'base64url');
    this.key ??= key;
    if (key !== this.key) fault('another key than the one that it subscribed for');
    const jwk = { kty: 'EC', crv: 'P-256', x: point.subarray(1, 33).toString('base64url'), y: point.subarray(33, 65).toString('base64url') };
    const { payload } = await jose.jwtVerify(token, await jose.importJWK(jwk, 'ES256'), { audience: this.url, algorithms: ['ES256'] });
    if (!(payload.exp - Date.now() / 1000 <= 24 * 3600)) fault('exp is too far');
    if (!/^(mailto:|https:)/.test(payload.sub ?? '')) fault('no sub');
    const text = ece.decrypt(body, { version: 'aes128gcm', privateKey: browser.keys, authSecret: browser.auth });
    const message = JSON.parse(text.toString().replace(/\0+$/, ''));
    const nth = browser.tries.filter((t) => t.message.hold === message.hold && t.message.tells === message.tells).length + 1;
    const status = browser.behave(nth, message);
    browser.tries.push({ at: Date.now(), status, message, headers, length: body.length });
    if (status === 201) browser.shown.set(headers.topic, message);
    if (status < 0) return response.socket.destroy();
    if (status > 0) response.writeHead(status, status === 429 ? { 'Retry-After': '2' } : {}).end();
  }

  stop() {
    this.server.closeAllConnections();
    this.server.close();
  }
}
