// What is signed can be computed from what is shown: RFC 8785 canonical JSON and SHA-256.
import { fromBase64url, toBase64url } from './passkey.ts';

export type Json = null | boolean | number | string | Json[] | { [name: string]: Json };

// RFC 8785: names by UTF-16 code unit, numbers and strings as ECMAScript writes them. Both are JavaScript's own.
export function canonical(value: Json): string {
  if (value === null || typeof value === 'boolean') return String(value);
  if (typeof value === 'number') {
    if (!Number.isFinite(value)) throw new RangeError('not a JSON number');
    return JSON.stringify(value);
  }
  if (typeof value === 'string') {
    if (!value.isWellFormed()) throw new RangeError('a lone surrogate'); // §3.2.2.2
    return JSON.stringify(value);
  }
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`;
  const members = Object.keys(value).sort();
  return `{${members.map((name) => `${canonical(name)}:${canonical(value[name] as Json)}`).join(',')}}`;
}

export async function sha256(data: string | Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>> {
  const bytes = typeof data === 'string' ? new TextEncoder().encode(data) : data;
  return new Uint8Array(await crypto.subtle.digest('SHA-256', bytes));
}

export const sha256Base64url = async (data: string | Uint8Array<ArrayBuffer>) => toBase64url(await sha256(data));

// RFC 9530: sha-256=:BASE64:
export async function contentDigest(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  const raw = await sha256(bytes);
  return `sha-256=:${btoa(String.fromCharCode(...raw))}:`;
}

export const fromBase64 = fromBase64url; // atob takes both once the letters are mapped back
