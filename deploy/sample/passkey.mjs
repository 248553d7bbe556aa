// A passkey in software (WebAuthn Level 3: ES256, attestation "none", user verification): plays a person's
// authenticator where there is no browser. Its private key is in memory, and gone with the process.
import { createHash, generateKeyPairSync, randomBytes, sign } from 'node:crypto';

const sha256 = (data) => createHash('sha256').update(data).digest();
const base64url = (bytes) => Buffer.from(bytes).toString('base64url');

/** CBOR (RFC 8949) of what an attestation object needs: integers, byte and text strings, maps. */
function cbor(value) {
  const head = (major, n) => {
    if (n < 24) return Buffer.from([(major << 5) | n]);
    if (n < 256) return Buffer.from([(major << 5) | 24, n]);
    return Buffer.from([(major << 5) | 25, n >> 8, n & 255]);
  };
  if (typeof value === 'number') return value < 0 ? head(1, -1 - value) : head(0, value);
  if (typeof value === 'string') return Buffer.concat([head(3, Buffer.byteLength(value)), Buffer.from(value)]);
  if (Buffer.isBuffer(value)) return Buffer.concat([head(2, value.length), value]);
  return Buffer.concat([head(5, value.size), ...[...value].flatMap(([k, v]) => [cbor(k), cbor(v)])]);
}

export class SoftwarePasskey {
  constructor(origin) {
    this.origin = origin;
    this.rpId = new URL(origin).hostname;
    this.id = randomBytes(16);
    const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    this.privateKey = privateKey;
    const { x, y } = publicKey.export({ format: 'jwk' });
    this.publicKey = cbor(new Map([[1, 2], [3, -7], [-1, 1], [-2, Buffer.from(x, 'base64url')], [-3, Buffer.from(y, 'base64url')]]));
  }

  #clientData(type, challenge) {
    return Buffer.from(JSON.stringify({ type, challenge, origin: this.origin, crossOrigin: false }));
  }

  /** Flags: user present, user verified, and attested data where there is some. The counter stays 0, as for synced passkeys. */
  #authenticatorData(attested = Buffer.alloc(0)) {
    const flags = 0x01 | 0x04 | (attested.length ? 0x40 : 0);
    return Buffer.concat([sha256(this.rpId), Buffer.from([flags, 0, 0, 0, 0]), attested]);
  }

  #credential(response) {
    const id = base64url(this.id);
    return { id, rawId: id, type: 'public-key', clientExtensionResults: {}, response };
  }

  /** PublicKeyCredentialCreationOptionsJSON → RegistrationResponseJSON */
  create(options) {
    this.userHandle = options.user.id;
    const length = Buffer.from([0, this.id.length]);
    const authData = this.#authenticatorData(Buffer.concat([Buffer.alloc(16), length, this.id, this.publicKey]));
    return this.#credential({
      clientDataJSON: base64url(this.#clientData('webauthn.create', options.challenge)),
      attestationObject: base64url(cbor(new Map([['fmt', 'none'], ['attStmt', new Map()], ['authData', authData]]))),
      transports: ['internal'],
    });
  }

  /** PublicKeyCredentialRequestOptionsJSON → AuthenticationResponseJSON */
  get(options) {
    const clientData = this.#clientData('webauthn.get', options.challenge);
    const authenticatorData = this.#authenticatorData();
    return this.#credential({
      clientDataJSON: base64url(clientData),
      authenticatorData: base64url(authenticatorData),
      signature: base64url(sign('sha256', Buffer.concat([authenticatorData, sha256(clientData)]), this.privateKey)),
      userHandle: this.userHandle,
    });
  }
}
