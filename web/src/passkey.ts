// WebAuthn in the JSON forms of its Level 3 (PublicKeyCredential.parse…FromJSON and toJSON), by our own conversion
// where the browser has none yet.

export interface DescriptorJSON {
  id: string;
  type: string;
  transports?: string[];
}

export interface RequestOptionsJSON {
  challenge: string;
  timeout?: number;
  rpId?: string;
  allowCredentials?: DescriptorJSON[];
  userVerification?: string;
  [other: string]: unknown;
}

export interface CreationOptionsJSON {
  challenge: string;
  rp: { name: string; id?: string };
  user: { id: string; name: string; displayName: string };
  pubKeyCredParams: { type: string; alg: number }[];
  timeout?: number;
  excludeCredentials?: DescriptorJSON[];
  authenticatorSelection?: Record<string, unknown>;
  attestation?: string;
  [other: string]: unknown;
}

interface CredentialJSON {
  id: string;
  rawId: string;
  type: string;
  authenticatorAttachment?: string | null;
  clientExtensionResults: object;
}

export interface RegistrationJSON extends CredentialJSON {
  response: { clientDataJSON: string; attestationObject: string; transports: string[] };
}

export interface AssertionJSON extends CredentialJSON {
  response: { clientDataJSON: string; authenticatorData: string; signature: string; userHandle: string | null };
}

export class PasskeyError extends Error {}

export function toBase64url(bytes: ArrayBuffer | Uint8Array): string {
  const view = bytes instanceof Uint8Array ? bytes : new Uint8Array(bytes);
  let text = '';
  for (const byte of view) text += String.fromCharCode(byte);
  return btoa(text).replaceAll('+', '-').replaceAll('/', '_').replace(/=+$/, '');
}

export function fromBase64url(text: string): Uint8Array<ArrayBuffer> {
  const raw = atob(text.replaceAll('-', '+').replaceAll('_', '/'));
  const bytes = new Uint8Array(raw.length);
  for (let i = 0; i < raw.length; i++) bytes[i] = raw.charCodeAt(i);
  return bytes;
}

// Null where passkeys can be used here; otherwise why not, for the person.
export function whyNoPasskeys(): string | null {
  if (!globalThis.isSecureContext) return 'This page was not opened over https, and browsers keep passkeys to secure pages. Open it by its https address.';
  if (typeof PublicKeyCredential === 'undefined') return 'This browser has no passkeys. Open this page in a current one.';
  return null;
}

const descriptor = (d: DescriptorJSON) => ({ ...d, id: fromBase64url(d.id) }) as PublicKeyCredentialDescriptor;

function creationOptions(json: CreationOptionsJSON): PublicKeyCredentialCreationOptions {
  if (typeof PublicKeyCredential.parseCreationOptionsFromJSON === 'function')
    return PublicKeyCredential.parseCreationOptionsFromJSON(json as unknown as PublicKeyCredentialCreationOptionsJSON);
  return {
    ...json,
    challenge: fromBase64url(json.challenge),
    user: { ...json.user, id: fromBase64url(json.user.id) },
    excludeCredentials: (json.excludeCredentials ?? []).map(descriptor),
  } as unknown as PublicKeyCredentialCreationOptions;
}

function requestOptions(json: RequestOptionsJSON): PublicKeyCredentialRequestOptions {
  if (typeof PublicKeyCredential.parseRequestOptionsFromJSON === 'function')
    return PublicKeyCredential.parseRequestOptionsFromJSON(json as unknown as PublicKeyCredentialRequestOptionsJSON);
  return {
    ...json,
    challenge: fromBase64url(json.challenge),
    allowCredentials: (json.allowCredentials ?? []).map(descriptor),
  } as unknown as PublicKeyCredentialRequestOptions;
}

// What the browser says, in words with what to do. Its own messages are for programmers.
function inWords(error: unknown, making: boolean): PasskeyError {
  const name = error instanceof DOMException ? error.name : '';
  switch (name) {
    case 'NotAllowedError':
    case 'AbortError':
      return new PasskeyError('The passkey prompt was closed, or nobody answered it in time. Nothing was sent; try again when you are ready.');
    case 'InvalidStateError':
      return new PasskeyError(
        making ? 'This device already has a passkey for you here. Sign in with it.' : 'This device could not use its passkey. Try again, or use another device.',
      );
    case 'SecurityError':
      return new PasskeyError('The browser refused the passkey for this address. Open the page by the address in your invitation.');
    case 'NotSupportedError':
    case 'ConstraintError':
      return new PasskeyError('This device cannot confirm that it is you (by fingerprint, face or PIN). Set up a screen lock, or use another device.');
    default:
      return new PasskeyError('The passkey could not be used. Try again, or use another device.');
  }
}

export async function createPasskey(options: CreationOptionsJSON): Promise<RegistrationJSON> {
  const missing = whyNoPasskeys();
  if (missing) throw new PasskeyError(missing);
  try {
    const made = (await navigator.credentials.create({ publicKey: creationOptions(options) })) as PublicKeyCredential | null;
    if (made === null) throw new PasskeyError('No passkey was made. Try again.');
    const response = made.response as AuthenticatorAttestationResponse;
    return {
      ...common(made),
      response: {
        clientDataJSON: toBase64url(response.clientDataJSON),
        attestationObject: toBase64url(response.attestationObject),
        transports: response.getTransports?.() ?? [],
      },
    };
  } catch (error) {
    throw error instanceof PasskeyError ? error : inWords(error, true);
  }
}

export async function usePasskey(options: RequestOptionsJSON): Promise<AssertionJSON> {
  const missing = whyNoPasskeys();
  if (missing) throw new PasskeyError(missing);
  try {
    const used = (await navigator.credentials.get({ publicKey: requestOptions(options) })) as PublicKeyCredential | null;
    if (used === null) throw new PasskeyError('No passkey answered. Try again.');
    const response = used.response as AuthenticatorAssertionResponse;
    return {
      ...common(used),
      response: {
        clientDataJSON: toBase64url(response.clientDataJSON),
        authenticatorData: toBase64url(response.authenticatorData),
        signature: toBase64url(response.signature),
        userHandle: response.userHandle ? toBase64url(response.userHandle) : null,
      },
    };
  } catch (error) {
    throw error instanceof PasskeyError ? error : inWords(error, false);
  }
}

function common(credential: PublicKeyCredential): CredentialJSON {
  return {
    id: credential.id,
    rawId: toBase64url(credential.rawId),
    type: credential.type,
    authenticatorAttachment: credential.authenticatorAttachment,
    clientExtensionResults: credential.getClientExtensionResults(),
  };
}
