// The two doors: enrolling with an invitation, and signing in.
import { useEffect, useRef, useState } from 'preact/hooks';
import { api, Refusal } from '../api.ts';
import { Failure } from '../components/basics.tsx';
import { Icon, Logo } from '../components/icon.tsx';
import { Outside } from '../components/text.tsx';
import { createPasskey, whyNoPasskeys } from '../passkey.ts';
import { go } from '../router.ts';
import { inWords, signedIn, signIn } from '../session.ts';
import { useLoad } from '../load.ts';

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

function Wrong({ error }: { error: unknown }) {
  if (error === null) return null;
  return (
    <p class="note bad" role="alert">
      <Icon name="warning" />
      <span>
        <Outside text={inWords(error)} />
      </span>
    </p>
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
  return (
    <main class="door" id="main">
      <div class="door-card">
        <Logo />
        <h1 tabIndex={-1}>Sallyport</h1>
        <p class="quiet">What AI agents ask to do waits here for people.</p>
        <SignInButton />
        <p class="quiet small">No passkey yet? Open the link in your invitation; whoever runs Sallyport here can send you one.</p>
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
