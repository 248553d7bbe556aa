// The two doors: enrolling with an invitation, and signing in.
import { useEffect, useRef, useState } from 'preact/hooks';
import { api, Refusal, type LoginMethods } from '../api.ts';
import { Failure, Wrong } from '../components/basics.tsx';
import { Icon, Logo } from '../components/icon.tsx';
import { Outside } from '../components/text.tsx';
import { createPasskey, whyNoPasskeys } from '../passkey.ts';
import { go, place } from '../router.ts';
import { inWords, signedIn, signIn } from '../session.ts';
import { useLoad } from '../load.ts';
import { useStore } from '../store.ts';

// Only an address of these pages: an open redirect would lend our name to somebody else's sign-in page.
export function safeNext(next: string | null): string {
  if (next === null || !/^\/(?![/\\])[^\\]*$/.test(next)) return '/';
  const url = new URL(next, location.origin);
  return url.origin === location.origin && !url.pathname.startsWith('/login') ? url.pathname + url.search : '/';
}

function useAct(act: () => Promise<void>) {
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>(null);
  const run = async () => {
    if (busy) return;
    setBusy(true);
    setError(null);
    try {
      await act();
    } catch (why) {
      setError(why);
    } finally {
      setBusy(false);
    }
  };
  return { busy, error, run };
}

// Why somebody comes back from their provider without a session: the names that the gateway gives (/login?error=…).
const REFUSALS: Record<string, string> = {
  expired: 'That sign-in was begun in another window, or too long ago. Begin again.',
  declined: 'Your provider did not confirm who you are, or you declined. Nobody was signed in.',
  unknown: 'Your account is known to the provider, but not here. Whoever runs Sallyport can invite you, by the e-mail address of that account.',
  unreachable: 'Your provider could not be reached. Try again in a moment, or use your passkey.',
  busy: 'The gateway cannot do this right now. Try again in a moment.',
  failed: 'What your provider answered could not be trusted, so nobody was signed in. Try again; if it stays so, tell whoever runs Sallyport.',
};

function Refused({ name }: { name: string | null }) {
  const words = name === null ? undefined : (REFUSALS[name] ?? REFUSALS['failed']);
  if (words === undefined) return null;
  return (
    <p class="note bad" role="alert">
      <Icon name="warning" />
      <span>{words}</span>
    </p>
  );
}

// Beside the passkey, where the gateway has a provider. `over`: above a page that must not be left, so in another window;
// whoever comes back from there is signed in here too.
export function ProviderLink({ next, over = false }: { next: string; over?: boolean }) {
  const [oidc, setOidc] = useState<LoginMethods['oidc']>(null);
  useEffect(() => void api.loginMethods().then((methods) => setOidc(methods.oidc), () => {}), []);
  useEffect(() => {
    if (!over) return undefined;
    const look = () => void api.me().then(signedIn, () => {});
    addEventListener('focus', look);
    return () => removeEventListener('focus', look);
  }, [over]);
  if (!oidc) return null;
  return (
    <a class="button wide" href={`/login/oidc?next=${encodeURIComponent(next)}`} {...(over ? { target: '_blank', rel: 'noopener' } : {})}>
      <Icon name="people" />
      <span>
        Sign in with <Outside text={oidc.name} />
      </span>
    </a>
  );
}

export function SignInButton() {
  const { busy, error, run } = useAct(signIn);
  const button = useRef<HTMLButtonElement>(null);
  useEffect(() => {
    button.current?.focus();
  }, []);
  const missing = whyNoPasskeys();
  return (
    <>
      <Wrong error={error} />
      {missing && (
        <p class="note odd" role="alert">
          <Icon name="warning" />
          <span>{missing}</span>
        </p>
      )}
      <button type="button" class="button approve wide" ref={button} disabled={missing !== null} aria-busy={busy} onClick={() => void run()}>
        <Icon name="key" />
        {busy ? 'Waiting for your passkey…' : 'Sign in with your passkey'}
      </button>
    </>
  );
}

export function Login() {
  const { query } = useStore(place);
  return (
    <main class="door" id="main">
      <div class="door-card">
        <Logo />
        <h1 tabIndex={-1}>Sallyport</h1>
        <p class="quiet">What AI agents ask to do waits here for people.</p>
        <Refused name={query.get('error')} />
        <SignInButton />
        <ProviderLink next={safeNext(query.get('next'))} />
        <p class="quiet small">No passkey yet? Open the link in your invitation; whoever runs Sallyport here can send you one. Where a decision asks for a passkey, it does so however you signed in.</p>
      </div>
    </main>
  );
}

export function Enrol({ code }: { code: string }) {
  const options = useLoad(() => api.enrolmentOptions(code), code);
  const { busy, error, run } = useAct(async () => {
    // Asked for anew: the challenge of the page's first look may have expired over a cup of coffee.
    const person = await api.enrol(code, await createPasskey(await api.enrolmentOptions(code)));
    signedIn(person);
    go('/', { replace: true });
  });
  const user = options.value?.user;
  const spent = options.error instanceof Refusal && options.error.status === 404;
  const missing = whyNoPasskeys();
  return (
    <main class="door" id="main">
      <div class="door-card">
        <Logo />
        {user ? (
          <>
            <h1 tabIndex={-1}>
              Welcome, <Outside text={user.displayName || user.name} />
            </h1>
            <p>
              You are invited as <b>@<Outside text={user.name} /></b>. AI agents will ask before they do something that matters, and you
              will be one of those who say yes or no.
            </p>
            <ol class="steps">
              <li>
                <Icon name="key" />
                <span>
                  <b>Make a passkey.</b> Your device asks for your fingerprint, face or PIN. It stays on your device; there is no password.
                </span>
              </li>
              <li>
                <Icon name="check" />
                <span>
                  <b>Decide with it.</b> Each of your decisions is signed by that passkey, so that nobody can decide in your name.
                </span>
              </li>
            </ol>
            <Wrong error={error} />
            {missing && (
              <p class="note odd" role="alert">
                <Icon name="warning" />
                <span>{missing}</span>
              </p>
            )}
            <button type="button" class="button approve wide" disabled={missing !== null} aria-busy={busy} onClick={() => void run()}>
              <Icon name="key" />
              {busy ? 'Waiting for your device…' : 'Make my passkey'}
            </button>
            <p class="quiet small">Not you? Then close this page and tell whoever sent you the link.</p>
          </>
        ) : spent ? (
          <>
            <h1 tabIndex={-1}>This link no longer works</h1>
            <p>{inWords(options.error)}</p>
            <p class="quiet small">
              Enrolled already?{' '}
              <a class="link" href="/login">
                Sign in
              </a>
              .
            </p>
          </>
        ) : options.error !== null ? (
          <>
            <h1 tabIndex={-1}>Your invitation</h1>
            <Failure error={options.error} again={options.again} />
          </>
        ) : (
          <h1 tabIndex={-1} class="quiet">
            Opening your invitation…
          </h1>
        )}
      </div>
    </main>
  );
}
