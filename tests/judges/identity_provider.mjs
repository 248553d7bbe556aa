// Who people are, by others' word: oidc-provider as an organization would run it, and a provider that misbehaves as it is told.
import { createHash, generateKeyPairSync, randomBytes } from 'node:crypto';
import http from 'node:http';
import https from 'node:https';
import * as jose from 'jose';
import { SECRET } from './sign_in_scene.mjs';

/** oidc-provider on a port of this machine. `accounts`: by login name, the claims of each. E-mail and groups come by userinfo alone. */
export async function startProvider({ port, redirectUri, accounts }) {
  const silenced = console.warn; // it warns of what only a development server does
  console.warn = console.info = () => {};
  const { default: Provider } = await import('oidc-provider');
  const pair = (kind, options) => generateKeyPairSync(kind, options).privateKey.export({ format: 'jwk' });
  const issuer = `http://127.0.0.1:${port}`;
  const client = (alg, more = {}) => ({
    client_id: `gate-${alg}`.toLowerCase(), client_secret: SECRET, redirect_uris: [redirectUri], id_token_signed_response_alg: alg, ...more,
  });
  const provider = new Provider(issuer, {
    clients: [
      ...['RS256', 'ES256', 'PS256', 'EdDSA'].map((alg) => client(alg)),
      client('RS256', { client_id: 'gate-public', client_secret: undefined, token_endpoint_auth_method: 'none' }),
      client('HS256'),
    ],
    enabledJWA: { idTokenSigningAlgValues: ['RS256', 'ES256', 'PS256', 'EdDSA', 'HS256'] },
    jwks: {
      keys: [
        { ...pair('rsa', { modulusLength: 2048 }), kid: 'rsa', use: 'sig' },
        { ...pair('ec', { namedCurve: 'P-256' }), kid: 'ec', use: 'sig' },
        { ...pair('ed25519'), kid: 'ed', use: 'sig' },
      ],
    },
    cookies: { keys: ['a key of this test'] },
    claims: { openid: ['sub'], email: ['email', 'email_verified'], profile: ['name'], groups: ['groups'] },
    scopes: ['openid', 'email', 'profile', 'groups'],
    pkce: { required: () => true },
    features: { devInteractions: { enabled: true } },
    findAccount: (_, sub) => (accounts[sub] ? { accountId: sub, claims: () => ({ sub, ...accounts[sub] }) } : undefined),
  });
  const complaints = [];
  for (const event of ['server_error', 'grant.error', 'authorization.error']) provider.on(event, (_, error) => complaints.push(`${event}: ${error.error ?? error.message}: ${error.error_description ?? ''} ${error.error_detail ?? ''}`));
  const server = provider.listen(port, '127.0.0.1');
  await new Promise((listening) => server.on('listening', listening));
  console.warn = silenced;
  return { issuer, complaints, close: () => (server.closeAllConnections(), new Promise((closed) => server.close(closed))) };
}

/**
 * A provider that does what `mood` says, and else what is right: `mood` has a function for what is to be changed, given what
 * would be right: `metadata`, `keys`, `answer` (the query of the way back), `tokens`, `header`, `claims`, `userinfo`; and
 * `serve(at, response)` true when it has answered a path itself.
 */
export class StandIn {
  mood = {};
  asked = []; // paths
  wrong = []; // what a good provider would have refused
  #codes = new Map();

  /** `tls`: certificate and key. */
  static async start(tls = null) {
    const one = new StandIn();
    one.server = (tls ? https : http).createServer(tls ?? {}, (q, r) => one.#serve(q, r).catch((e) => r.destroy(e)));
    await new Promise((listening) => one.server.listen(0, '127.0.0.1', listening));
    one.issuer = `${tls ? 'https' : 'http'}://127.0.0.1:${one.server.address().port}`;
    await one.newKey('first');
    return one;
  }

  async newKey(kid) {
    const { publicKey, privateKey } = await jose.generateKeyPair('ES256', { extractable: true });
    this.key = { kid, privateKey, jwk: { ...(await jose.exportJWK(publicKey)), kid, alg: 'ES256', use: 'sig' } };
  }

  close() {
    this.server.closeAllConnections();
    return new Promise((closed) => this.server.close(closed));
  }

  async #serve(q, r) {
    const at = new URL(q.url, this.issuer);
    this.asked.push(at.pathname);
    if (this.mood.serve?.(at.pathname, r)) return;
    const changed = (what, value) => (this.mood[what] ? this.mood[what](value) : value);
    const json = (value, status = 200) => r.writeHead(status, { 'content-type': 'application/json' }).end(typeof value === 'string' ? value : JSON.stringify(value));
    const { issuer } = this;
    switch (at.pathname) {
      case '/.well-known/openid-configuration':
        return json(changed('metadata', {
          issuer, authorization_endpoint: `${issuer}/authorize?tenant=a%20b`, token_endpoint: `${issuer}/token`, jwks_uri: `${issuer}/keys`, userinfo_endpoint: `${issuer}/userinfo`,
          authorization_response_iss_parameter_supported: true, token_endpoint_auth_methods_supported: ['client_secret_post'],
        }));
      case '/keys':
        return json(changed('keys', { keys: [this.key.jwk] }));
      case '/authorize': {
        const asked = Object.fromEntries(at.searchParams);
        const code = randomBytes(16).toString('base64url');
        this.#codes.set(code, asked);
        const back = changed('answer', { code, state: asked.state, iss: issuer });
        return r.writeHead(302, { location: `${asked.redirect_uri}?${new URLSearchParams(Object.entries(back).filter(([, v]) => v !== undefined))}` }).end();
      }
      case '/token': {
        const parts = [];
        for await (const part of q) parts.push(part);
        const form = Object.fromEntries(new URLSearchParams(Buffer.concat(parts).toString()));
        const begun = this.#codes.get(form.code);
        const expected = { grant_type: 'authorization_code', redirect_uri: begun?.redirect_uri, client_id: begun?.client_id, client_secret: 'a secret' };
        for (const [name, value] of Object.entries(expected)) if (form[name] !== value) this.wrong.push(`${name}: ${form[name]}`);
        if (createHash('sha256').update(form.code_verifier ?? '').digest('base64url') !== begun?.code_challenge) this.wrong.push('PKCE');
        const now = Math.floor(Date.now() / 1000);
        const claims = changed('claims', { iss: issuer, sub: 'someone', aud: begun?.client_id, iat: now, exp: now + 300, nonce: begun?.nonce });
        const header = changed('header', { alg: 'ES256', kid: this.key.kid });
        let id_token;
        if (header.alg === 'none') id_token = `${Buffer.from(JSON.stringify(header)).toString('base64url')}.${Buffer.from(JSON.stringify(claims)).toString('base64url')}.`;
        else if (header.alg === 'HS256') id_token = await new jose.SignJWT(claims).setProtectedHeader(header).sign(Buffer.from('a secret'.padEnd(32, '.')));
        else id_token = await new jose.SignJWT(claims).setProtectedHeader(header).sign(this.key.privateKey);
        return json(changed('tokens', { access_token: 'an-access-token', token_type: 'Bearer', id_token }));
      }
      case '/userinfo':
        if (q.headers.authorization !== 'Bearer an-access-token') this.wrong.push(`authorization: ${q.headers.authorization}`);
        return json(changed('userinfo', { sub: 'someone', email: 'someone@example.com', email_verified: true }));
      default:
        return r.writeHead(404).end();
    }
  }
}
