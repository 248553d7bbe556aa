// Who is signed in. A session that ends while a page is open leaves the page as it is, with what was typed; the person
// signs in over it and goes on.
import { api, Refusal, Unreachable, whenSignedOut, type Person } from './api.ts';
import { PasskeyError, usePasskey } from './passkey.ts';
import { store } from './store.ts';

export type Session =
  | { state: 'unknown' }
  | { state: 'unreachable' }
  | { state: 'out' }
  | { state: 'in'; person: Person }
  | { state: 'ended'; person: Person };

export const session = store<Session>({ state: 'unknown' });

whenSignedOut(() => {
  const before = session.get();
  session.set(before.state === 'in' || before.state === 'ended' ? { state: 'ended', person: before.person } : { state: 'out' });
});

export async function recall(): Promise<void> {
  try {
    session.set({ state: 'in', person: await api.me() });
  } catch (error) {
    if (error instanceof Refusal && error.status === 401) return; // whenSignedOut has noted it
    session.set({ state: 'unreachable' });
  }
}

export function signedIn(person: Person): void {
  const before = session.get();
  if (before.state === 'ended' && before.person.id !== person.id) {
    // Somebody else: nothing that the one before typed or saw may stay.
    location.assign('/');
    return;
  }
  session.set({ state: 'in', person });
}

export async function signIn(): Promise<void> {
  signedIn(await api.login(await usePasskey(await api.loginOptions())));
}

export async function signOut(): Promise<void> {
  await api.logout();
  session.set({ state: 'out' });
  location.assign('/login');
}

// Any failure of an act, in words with what to do next.
export function inWords(error: unknown): string {
  if (error instanceof PasskeyError) return error.message;
  if (error instanceof Unreachable) return `${error.message} Check your connection and try again.`;
  if (!(error instanceof Refusal)) return 'Something went wrong in this page. Reload it and try again.';
  switch (error.problem) {
    case 'no-enrolment':
      return 'This link was used already, was replaced by a newer one, or has expired. Ask whoever invited you for a new one.';
    case 'bad-assertion':
      return 'The gateway did not accept this passkey. Use the one that you made for Sallyport; if it is lost, ask an operator for a new invitation.';
    case 'not-eligible':
      return error.detail || 'You may not decide this one.';
    case 'no-hold':
      return 'There is no such request, or it is not one that you may see.';
    case 'hold-closed':
      return 'This one is closed already; nothing more can be decided.';
    case 'statement-stale':
      return 'The request changed, or the time to sign ran out, before your signature arrived. Nothing was decided. Look at it again and decide anew.';
    case 'assurance-too-low':
      return error.detail || 'This decision needs your passkey.';
    case 'overloaded':
    case 'storage-unavailable':
      return 'The gateway cannot do this right now. Nothing was decided; try again in a moment.';
    case 'unauthenticated':
      return 'Your session has ended. Sign in to go on.';
    case 'cross-origin':
      return 'This page was opened by another address than the one Sallyport is set up for. Open it by its public address.';
    default:
      return error.detail || error.title || `The gateway refused (${error.status}).`;
  }
}
