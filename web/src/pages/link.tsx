// A link in a mail: what is asked, for whom it was sent to, and two buttons. Opening it changes nothing; programs that look into mail
// press no buttons.
import { useEffect, useRef, useState } from 'preact/hooks';
import { api, Refusal, type Hold, type Link, type Verb } from '../api.ts';
import { announce, Empty, Failure, Skeleton, Wrong } from '../components/basics.tsx';
import { WhoElse } from '../components/decision.tsx';
import { Icon, Logo } from '../components/icon.tsx';
import { RequestView } from '../components/request.tsx';
import { Outcome, Status } from '../components/state.tsx';
import { Outside } from '../components/text.tsx';
import { useLoad } from '../load.ts';
import { useEvidence, What, Who, Why } from './hold.tsx';

export function LinkPage({ token }: { token: string }) {
  const { value: link, error, again } = useLoad(() => api.link(token), token);
  const [decided, setDecided] = useState<Hold | null>(null);
  const hold = decided ?? link?.hold ?? null;
  useEffect(() => {
    document.title = 'A request for you · Sallyport';
  }, []);
  if (error !== null && link === null)
    return (
      <Door title="This link cannot be opened">
        {error instanceof Refusal && error.status === 404 ? (
          <p class="quiet">It is none that Sallyport has sent, or not whole: copy it from the mail again, or sign in to see what waits for you.</p>
        ) : (
          <Failure error={error} again={again} />
        )}
        <a class="button wide" href="/">
          To the inbox
        </a>
      </Door>
    );
  if (link === null)
    return (
      <Door title="A request for you">
        <Skeleton rows={4} label="Loading the request" />
      </Door>
    );
  if (hold === null) return <Over link={link} />;
  return (
    <main class="page hold-page" id="main" tabIndex={-1}>
      <div class="hold-top">
        <p class="quiet">
          For <Outside text={link.name} />. This link decides once.
        </p>
        {hold.status !== 'held' && <Status hold={hold} />}
      </div>
      <div class="hold-grid">
        <Shown hold={hold} />
        <aside class="hold-aside" aria-label="Decision">
          <WhoElse hold={hold} />
          {decided ? (
            <Done hold={decided} />
          ) : (
            <Press hold={hold} token={token} onHold={setDecided} onStale={again} />
          )}
        </aside>
      </div>
    </main>
  );
}

function Shown({ hold }: { hold: Hold }) {
  const evidence = useEvidence(hold);
  return (
    <div class="hold-evidence">
      <What hold={hold} />
      <Who hold={hold} />
      <Why hold={hold} />
      <RequestView request={hold.request} fields={hold.body_fields ?? []} evidence={evidence} />
    </div>
  );
}

function Door({ title, children }: { title: string; children: preact.ComponentChildren }) {
  return (
    <main class="door" id="main">
      <div class="door-card">
        <Logo />
        <h1 tabIndex={-1}>{title}</h1>
        {children}
      </div>
    </main>
  );
}

function Over({ link }: { link: Link }) {
  return (
    <Door title="This link is no longer good">
      <p class="quiet">It was used, or its time is over. The page of the request says what became of it.</p>
      <a class="button wide" href={`/holds/${link.id}`}>
        Open the request
      </a>
    </Door>
  );
}

function Done({ hold }: { hold: Hold }) {
  return (
    <section class="card decide">
      <div class="outcome" role="status">
        <p>{hold.status === 'held' ? 'Your decision is in. Others are asked too.' : <Outcome hold={hold} />}</p>
      </div>
    </section>
  );
}

interface PressProps {
  hold: Hold;
  token: string;
  onHold: (hold: Hold) => void;
  onStale: () => void;
}

function Press({ hold, token, onHold, onStale }: PressProps) {
  const evidence = useEvidence(hold);
  const [denying, setDenying] = useState(false);
  const [reason, setReason] = useState('');
  const [busy, setBusy] = useState<Verb | null>(null);
  const [error, setError] = useState<unknown>(null);
  const field = useRef<HTMLTextAreaElement>(null);
  useEffect(() => {
    if (denying) field.current?.focus();
  }, [denying]);
  if (hold.status !== 'held' || !hold.may_decide)
    return (
      <Empty icon="lock" title="There is nothing to decide here.">
        {hold.why_not && (
          <p class="quiet">
            <Outside text={hold.why_not} />
          </p>
        )}
      </Empty>
    );
  const run = (verb: Verb, why: string | null) => {
    setBusy(verb);
    setError(null);
    api.decideByLink(token, verb, why).then(
      ({ hold: after }) => {
        announce(verb === 'approve' ? 'You approved this.' : 'You denied this.');
        onHold(after);
      },
      (failed: unknown) => {
        setBusy(null);
        setError(failed);
        onStale();
      },
    );
  };
  const sound = evidence.state === 'sound';
  return (
    <section class="card decide" aria-label="Decide">
      {evidence.state === 'unsound' && (
        <p class="note odd">
          <Icon name="warning" />
          <span>{evidence.why} So it cannot be approved here; you can still deny it.</span>
        </p>
      )}
      <Wrong error={error} />
      {denying ? (
        <form
          onSubmit={(event) => {
            event.preventDefault();
            run('deny', reason.trim() || null);
          }}
        >
          <label class="reason">
            <span>
              Why not? <span class="quiet">The agent is told this, not by whom.</span>
            </span>
            <textarea ref={field} rows={3} maxLength={2000} value={reason} onInput={(event) => setReason(event.currentTarget.value)} />
          </label>
          <div class="decide-buttons">
            <button type="button" class="button" disabled={busy !== null} onClick={() => setDenying(false)}>
              Back
            </button>
            <button type="submit" class="button deny strong" disabled={busy !== null}>
              {busy ? 'Sending…' : reason.trim() ? 'Deny' : 'Deny without a reason'}
            </button>
          </div>
        </form>
      ) : (
        <>
          <div class="decide-buttons">
            <button type="button" class="button deny" disabled={busy !== null} onClick={() => setDenying(true)}>
              Deny
            </button>
            <button type="button" class="button approve" disabled={busy !== null || !sound} onClick={() => run('approve', null)}>
              {busy === 'approve' ? 'Sending…' : 'Approve'}
            </button>
          </div>
          <p class="decide-hint quiet">This rule asks for a click only: a press decides.</p>
        </>
      )}
    </section>
  );
}
