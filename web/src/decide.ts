// One decision, from the button to the gateway's answer: statement, check, passkey, decision.
import { api, Unreachable, type Besides, type Decision, type Hold, type Person, type Verb } from './api.ts';
import { Mismatch, verify } from './evidence.ts';
import { usePasskey } from './passkey.ts';
import { inWords } from './session.ts';

export type Stage = 'asking' | 'signing' | 'sending';

export interface Decided {
  decision: Decision;
  hold: Hold;
}

// The signature left, and no answer came: it may or may not have counted.
export class Unanswered extends Error {}

// Whether the rules want a passkey's signature, or are content with the session.
export function needsPasskey(hold: Hold): boolean {
  const asked = [hold.workflow, ...(hold.workflows ?? [])].map((w) => w?.assurance ?? 'passkey');
  return asked.some((assurance) => assurance === 'passkey');
}

// `shown` is the hold as it stands on the page, `besides` what an approval does beyond itself: it is what the statement is checked
// against.
export async function decide(
  shown: Hold,
  decision: Verb,
  reason: string | null,
  me: Person,
  stage: (s: Stage) => void,
  besides: Besides = {},
): Promise<Decided> {
  stage('asking');
  const statement = await api.statement(shown.hold, decision, reason, besides);
  await verify(statement, shown, decision, reason, me, besides);
  let assertion = null;
  if (besides.breakGlass || besides.grant || needsPasskey(shown)) {
    stage('signing');
    assertion = await usePasskey(statement.webauthn);
  }
  stage('sending');
  try {
    return await api.decide(shown.hold, statement.statement, assertion);
  } catch (error) {
    if (error instanceof Unreachable) throw new Unanswered();
    throw error;
  }
}

export function decisionInWords(error: unknown): string {
  if (error instanceof Mismatch)
    return `${error.message} Nothing was signed. Reload the page; if it happens again, tell whoever runs Sallyport before you decide.`;
  if (error instanceof Unanswered)
    return 'Your signature was sent, but no answer came back. Whether it counted shows here as soon as the gateway can be reached.';
  return inWords(error);
}
