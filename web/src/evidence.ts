// Whether what the page shows is what would be sent and what would be signed. The gateway computes the digests; the
// browser computes them again from what stands on the page, so that nobody signs one thing and reads another.
import type { Besides, Body, HeldRequest, Hold, Person, Verb } from './api.ts';
import { now, type Statement } from './api.ts';
import { canonical, contentDigest, fromBase64, sha256Base64url, type Json } from './canonical.ts';

// Something does not match. Nothing is signed then.
export class Mismatch extends Error {}

// The body's exact bytes; null where the hold has none, and an error where it cannot be decoded.
export function bodyBytes(body: Body | null): Uint8Array<ArrayBuffer> | null {
  if (body === null) return null;
  let bytes: Uint8Array<ArrayBuffer>;
  if (typeof body.text === 'string') {
    if (!body.text.isWellFormed()) throw new Mismatch('The body is not text that can be shown.');
    bytes = new TextEncoder().encode(body.text);
  } else if (typeof body.base64 === 'string') {
    try {
      bytes = fromBase64(body.base64);
    } catch {
      throw new Mismatch('The body could not be decoded.');
    }
  } else {
    throw new Mismatch('The body is not in what the gateway sent to this page.');
  }
  if (bytes.length !== body.length)
    throw new Mismatch(`The body has ${body.length} bytes, and ${bytes.length} of them are here.`);
  return bytes;
}

// The digest that stands in the statement as action.digest.
export async function actionDigest(request: HeldRequest): Promise<string> {
  const { method, authority, target, headers, body } = request;
  return sha256Base64url(canonical({ method, authority, target, headers, content_digest: body?.content_digest ?? null }));
}

export type Evidence = { state: 'checking' } | { state: 'sound'; digest: string } | { state: 'unsound'; why: string };

// Null when everything that would be sent is on the page, whole; otherwise why not.
export async function examine(hold: Hold): Promise<Evidence> {
  if (!globalThis.crypto?.subtle)
    return { state: 'unsound', why: 'This page was not opened over https, so your browser cannot check what it shows.' };
  try {
    const { request } = hold;
    const bytes = bodyBytes(request.body);
    if (bytes !== null && (await contentDigest(bytes)) !== request.body?.content_digest)
      return { state: 'unsound', why: 'The body shown here is not the one whose digest the gateway states.' };
    const texts = [request.method, request.authority, request.target, ...request.headers.flat()];
    if (texts.some((text) => typeof text !== 'string')) return { state: 'unsound', why: 'A part of the request is missing.' };
    return { state: 'sound', digest: await actionDigest(request) };
  } catch (error) {
    return { state: 'unsound', why: error instanceof Mismatch ? error.message : 'The request could not be decoded.' };
  }
}

interface Stated {
  type: string;
  hold: string;
  decision: string;
  reason: string | null;
  action: { id: string; method: string; authority: string; target: string; content_digest: string | null; digest: string };
  agent: { id: string; name: string; owner: string };
  task: { id: string; intent: string | null } | null;
  approver: { id: string; name: string };
  rules: string[];
  policy: string;
  summary_digest: string;
  grant: unknown;
  slot: unknown;
  expires_at: string;
}

function equal(what: string, stated: unknown, shown: unknown): void {
  if (stated !== shown) throw new Mismatch(`What you would sign has another ${what} than this page shows.`);
}

// Throws a Mismatch unless `text` says what the page shows and the person chose, and nothing else.
export async function verify(
  answer: Statement,
  hold: Hold,
  decision: Verb,
  reason: string | null,
  me: Person,
  { breakGlass = false, grant = null }: Besides = {},
): Promise<void> {
  const digest = await sha256Base64url(answer.statement);
  if (digest !== answer.sha256 || digest !== answer.webauthn.challenge)
    throw new Mismatch('Your passkey was asked to sign something other than the statement.');
  let stated: Stated;
  try {
    const value = JSON.parse(answer.statement) as Json;
    if (canonical(value) !== answer.statement) throw new Mismatch('The statement is not in its one canonical form.');
    stated = value as unknown as Stated;
    equal('type', stated.type, 'sallyport.statement.v1');
    equal('request', stated.hold, hold.hold);
    equal('decision', stated.decision, decision);
    equal('reason', stated.reason || null, reason || null);
    equal('grant', canonical(stated.grant as Json), canonical(grant as unknown as Json));
    if (grant !== null) {
      equal('kind of similar call', grant.shape.method, hold.request.method);
      equal('kind of similar call', grant.shape.authority, hold.request.authority);
      equal('kind of similar call', grant.shape.target, hold.request.target);
    }
    // An approval among others has a number there; one alone must not be signed by mistake.
    equal('place in the quorum', breakGlass ? stated.slot : typeof stated.slot, breakGlass ? 'break-glass' : decision === 'approve' ? 'number' : 'object');
    equal('action', stated.action.id, hold.action);
    equal('method', stated.action.method, hold.request.method);
    equal('address', stated.action.authority, hold.request.authority);
    equal('target', stated.action.target, hold.request.target);
    equal('body', stated.action.content_digest, hold.request.body?.content_digest ?? null);
    equal('request digest', stated.action.digest, await actionDigest(hold.request));
    equal('agent', stated.agent.id, hold.agent.id);
    equal('agent', stated.agent.name, hold.agent.name);
    equal('owner', stated.agent.owner, hold.agent.owner);
    equal('task', stated.task?.id ?? null, hold.task?.id ?? null);
    equal('intent', stated.task?.intent ?? null, hold.task?.intent ?? null);
    equal('approver', stated.approver.id, me.id);
    equal('policy', stated.policy, hold.policy);
    equal('set of rules', stated.rules.join('\n'), hold.reasons.map((r) => r.rule).join('\n'));
    equal('summary', stated.summary_digest, await sha256Base64url(canonical(hold.reasons as unknown as Json)));
  } catch (error) {
    throw error instanceof Mismatch ? error : new Mismatch('The statement could not be read.');
  }
  if (!(Date.parse(stated.expires_at) > now())) throw new Mismatch('The statement has expired already.');
}
