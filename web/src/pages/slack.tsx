// A Slack account is connected to whoever is signed in: Slack signed whose account it is, the press here says who that person is.
// Whoever is connected decides from Slack as that person, so the page says whose account it would be before anything else.
import { useEffect, useState } from 'preact/hooks';
import { api, Refusal, type Person, type SlackAccount, type SlackConnection } from '../api.ts';
import { announce, Failure, Wrong } from '../components/basics.tsx';
import { Logo } from '../components/icon.tsx';
import { Outside } from '../components/text.tsx';
import { Moment } from '../components/time.tsx';
import { useLoad } from '../load.ts';

export function SlackPage({ token, me }: { token: string; me: Person }) {
  const { value: link, error, again } = useLoad(() => api.slackLink(token), token);
  const [connected, setConnected] = useState(false);
  useEffect(() => {
    document.title = 'Connect Slack · Sallyport';
  }, []);
  if (connected)
    return (
      <Door title="Connected">
        <p role="status">
          From now on you are told there, and a press there decides as <Outside text={me.name} /> where a rule asks for a click only.
        </p>
        <ToInbox />
      </Door>
    );
  if (error !== null && link === null)
    return (
      <Door title="This link cannot be used">
        {error instanceof Refusal && (error.status === 404 || error.status === 409) ? (
          <p class="quiet">It was used, is older than ten minutes, or is not whole. Write /sallyport in Slack to get another.</p>
        ) : (
          <Failure error={error} again={again} />
        )}
        <ToInbox />
      </Door>
    );
  if (link === null)
    return (
      <Door title="Connect Slack" busy>
        <p class="quiet">Opening the link…</p>
      </Door>
    );
  if (link.connected !== null)
    return (
      <Door title="You have a Slack account here already">
        <Connection connection={link.connected} gone={again} />
        <p class="quiet small">One account is connected to a person. To use another, disconnect this one first.</p>
        <ToInbox />
      </Door>
    );
  return (
    <Door title="Connect this Slack account to you?">
      <Account account={link.account} />
      <p>
        Whoever uses that account will decide as <b><Outside text={me.name} /></b> (@<Outside text={me.handle} />) where a rule asks for a
        click only, and is told in Slack what waits for you.
      </p>
      <Connect token={token} done={() => setConnected(true)} />
      <p class="quiet small">Did somebody send you this link? Then that account is theirs: close this page, and tell an operator.</p>
    </Door>
  );
}

function Door({ title, busy = false, children }: { title: string; busy?: boolean; children: preact.ComponentChildren }) {
  return (
    <main class="door" id="main" aria-busy={busy}>
      <div class="door-card">
        <Logo />
        <h1 tabIndex={-1}>{title}</h1>
        {children}
      </div>
    </main>
  );
}

function ToInbox() {
  return (
    <a class="button wide" href="/">
      To the inbox
    </a>
  );
}

function Account({ account }: { account: SlackAccount }) {
  return (
    <dl class="facts">
      <div>
        <dt>Account</dt>
        <dd>
          {account.user_name && (
            <>
              <Outside text={account.user_name} />{' '}
            </>
          )}
          <code>{account.user}</code>
        </dd>
      </div>
      <div>
        <dt>Team</dt>
        <dd>
          {account.team_domain && (
            <>
              <Outside text={account.team_domain} />{' '}
            </>
          )}
          <code>{account.team}</code>
        </dd>
      </div>
    </dl>
  );
}

// A button that does one thing, and says why it could not.
function Act({ label, tone, act, done }: { label: string; tone: string; act: () => Promise<unknown>; done: () => void }) {
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>(null);
  const run = () => {
    setBusy(true);
    setError(null);
    act().then(done, (failed: unknown) => {
      setBusy(false);
      setError(failed);
    });
  };
  return (
    <>
      <Wrong error={error} />
      <button type="button" class={`button ${tone}`} disabled={busy} onClick={run}>
        {label}
      </button>
    </>
  );
}

function Connect({ token, done }: { token: string; done: () => void }) {
  return <Act label="Connect" tone="approve wide" act={() => api.connectSlack(token)} done={done} />;
}

function Connection({ connection, gone }: { connection: SlackConnection; gone: () => void }) {
  return (
    <>
      <p>
        <code>{connection.user}</code> of <code>{connection.team}</code>, connected <Moment at={connection.created_at} relative />.
      </p>
      <div>
        <Act
          label="Disconnect"
          tone="deny"
          act={api.disconnectSlack}
          done={() => {
            announce('Your Slack account is disconnected.');
            gone();
          }}
        />
      </div>
    </>
  );
}

// One's own, among the channels; nobody else is shown it.
export function MySlack() {
  const { value, again } = useLoad(api.mySlack, 'slack');
  if (value?.slack == null) return null;
  return (
    <section class="card item" aria-labelledby="my-slack">
      <header>
        <h2 id="my-slack">Your Slack account</h2>
      </header>
      <Connection connection={value.slack} gone={again} />
    </section>
  );
}
