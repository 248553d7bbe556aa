// A certified OAuth client (openid-client) asks for tokens, and jose verifies them: by what the gateway itself publishes, and
// nothing else. SALLYPORT_BINARY=… node --test oauth_client_test.mjs
import assert from 'node:assert/strict';
import { createPrivateKey, generateKeyPairSync } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';
import * as jose from 'jose';
import * as oauth from 'openid-client';
import { Gateway, makeBase } from '../system/gateway.mjs';

let base, gateway;
before(async () => {
  base = makeBase('oauth');
  gateway = new Gateway(process.env.SALLYPORT_BINARY, {
    base,
    configuration: `
routes: [ { id: pay, prefix: /pay, upstream: "http://127.0.0.1:9" }, { id: crm, prefix: /crm, upstream: "http://127.0.0.1:9" } ]
policies: [ { id: nothing, route: "*", when: 'request.method == "GET"', verdict: deny } ]
`,
  });
  await gateway.start();
  await gateway.cli(['person', 'invite', 'ada', '--name', 'Ada', '--email', 'ada@example.com', '--json']);
}, { timeout: 60_000 });
after(async () => {
  await gateway?.stop();
  if (base) fs.rmSync(base, { recursive: true, force: true });
});

/** An agent with a key of that kind, as the client sees it: its metadata found, its key the one that it signs with. */
async function clientOf(name, alg, pair) {
  const file = path.join(base, `${name}.pem`);
  fs.writeFileSync(file, pair.publicKey.export({ type: 'spki', format: 'pem' }));
  await gateway.cli(['agent', 'add', name, '--class', 'workforce', '--owner', 'ada', '--scope', 'pay', '--scope', 'crm:read', '--key', file]);
  return discovered(name, alg, pair.privateKey);
}

async function discovered(name, alg, privateKey) {
  const key = await jose.importPKCS8(privateKey.export({ type: 'pkcs8', format: 'pem' }), alg);
  return oauth.discovery(new URL(gateway.agentsUrl), name, undefined, oauth.PrivateKeyJwt(key), { algorithm: 'oauth2', execute: [oauth.allowInsecureRequests] });
}

const KINDS = {
  ES256: () => generateKeyPairSync('ec', { namedCurve: 'P-256' }),
  EdDSA: () => generateKeyPairSync('ed25519'),
  RS256: () => generateKeyPairSync('rsa', { modulusLength: 2048 }),
  PS256: () => generateKeyPairSync('rsa', { modulusLength: 2048 }),
};

for (const [alg, pair] of Object.entries(KINDS))
  test(`private_key_jwt by ${alg}: a token that verifies by the published keys`, async () => {
    const name = `bot-${alg.toLowerCase()}`;
    const client = await clientOf(name, alg === 'EdDSA' ? 'Ed25519' : alg, pair());
    const metadata = client.serverMetadata();
    assert.ok(metadata.token_endpoint_auth_signing_alg_values_supported.includes(alg));

    const granted = await oauth.clientCredentialsGrant(client, { scope: 'crm:read' });
    assert.deepEqual([granted.token_type, granted.scope, granted.expires_in], ['bearer', 'crm:read', 900]);
    // RFC 9068 §2, §4.
    const { payload, protectedHeader } = await jose.jwtVerify(granted.access_token, jose.createRemoteJWKSet(new URL(metadata.jwks_uri)), {
      issuer: gateway.agentsUrl,
      audience: gateway.agentsUrl,
      typ: 'at+jwt',
      requiredClaims: ['sub', 'client_id', 'iat', 'exp', 'jti', 'scope'],
    });
    assert.equal(payload.client_id, name);
    assert.match(payload.sub, /^agt_/);
    assert.ok(protectedHeader.kid);
    // The gateway takes it: scope is not enough for the other route, and policy denies the one that it covers.
    const call = (at) => fetch(gateway.agentsUrl + at, { headers: { authorization: `Bearer ${granted.access_token}` } });
    const refusals = [];
    for (const at of ['/pay/x', '/crm/x']) refusals.push((await (await call(at)).json()).type);
    assert.deepEqual(refusals, ['urn:sallyport:problem:insufficient-scope', 'urn:sallyport:problem:denied-by-policy']);
  });

test('a task is in the token, and scopes that were not given are refused in OAuth’s words', async () => {
  const client = await clientOf('tasker', 'ES256', KINDS.ES256());
  const details = [{ type: 'sallyport_task', intent: 'Refund order 4711' }];
  const granted = await oauth.clientCredentialsGrant(client, { authorization_details: JSON.stringify(details) });
  assert.equal(granted.scope, 'pay crm:read');
  const claims = jose.decodeJwt(granted.access_token);
  assert.equal(claims.authorization_details[0].intent, 'Refund order 4711');
  assert.deepEqual(claims.authorization_details, granted.authorization_details);
  const refused = await oauth.clientCredentialsGrant(client, { scope: 'crm' }).catch((e) => e);
  assert.deepEqual([refused.constructor.name, refused.error, refused.status], ['ResponseBodyError', 'invalid_scope', 400]);
});

test('another key, and a name that nobody has, are told the same', async () => {
  await clientOf('known', 'ES256', KINDS.ES256());
  const stranger = createPrivateKey(KINDS.ES256().privateKey.export({ type: 'pkcs8', format: 'pem' }));
  for (const name of ['known', 'nobody']) {
    const refused = await oauth.clientCredentialsGrant(await discovered(name, 'ES256', stranger), {}).catch((e) => e);
    assert.deepEqual([refused.error, refused.status, refused.error_description], ['invalid_client', 401, 'The client assertion is not acceptable.']);
  }
});

test('keys are public ones, each named by its thumbprint', async () => {
  const { keys } = await (await fetch(`${gateway.agentsUrl}/.well-known/jwks.json`)).json();
  assert.ok(keys.length > 0);
  for (const key of keys) {
    for (const secret of ['d', 'p', 'q', 'k']) assert.ok(!(secret in key));
    assert.equal(await jose.calculateJwkThumbprint(key), key.kid);
  }
});
