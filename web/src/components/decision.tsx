// Deciding one hold: who else decides, the time left, the two buttons, and what came of it. The passkey's prompt is
// the confirmation; there is no second dialog.
import { useCallback, useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';
import { api, type Besides, type Decision, type Hold, type Person, type Verb } from '../api.ts';
import { decide, decisionInWords, needsPasskey, Unanswered, type Stage } from '../decide.ts';
import { link } from '../events.ts';
import type { Evidence } from '../evidence.ts';
import { plural } from '../format.ts';
import { useKeys } from '../keys.ts';
import { decidedBySelf, nextAfter, queue } from '../queue.ts';
import { go } from '../router.ts';
import { sentenceOf } from '../sentences.ts';
import { useStore } from '../store.ts';
import { announce, Avatar, Wrong } from './basics.tsx';
import { BreakGlass } from './glass.tsx';
import { Icon } from './icon.tsx';
import { InPlaceOf } from './ladder.tsx';
import { Similar } from './similar.tsx';
import { lookOf, Outcome, Status } from './state.tsx';
import { Outside, Sentence } from './text.tsx';
import { Moment, TimeBar, TimeLeft } from './time.tsx';

// What was typed as the reason, by hold: going elsewhere and coming back loses nothing.
const drafts = new Map<string, string>();

export function WhoElse({ hold }: { hold: Hold }) {
  const { needed, given } = hold.approvals;
  const workflows = hold.workflows?.length > 1 ? hold.workflows : [hold.workflow];
  const open = hold.status === 'held';
  if (hold.grant)
    return (
      <section class="card who-else" aria-labelledby="who-else-title">
        <h2 id="who-else-title">Who decided</h2>
        <p>
          Nobody was asked: people approved <a href={`/grants/${hold.grant}`}>calls like this one</a> before.
        </p>
      </section>
    );
  return (
    <section class="card who-else" aria-labelledby="who-else-title">
      <h2 id="who-else-title">Who decides</h2>
      <p class="approvals">
        <span class="slots" aria-hidden="true">
          {Array.from({ length: Math.min(needed, 8) }, (_, i) => (
            <i class={i < given ? 'given' : ''}>{i < given && <Icon name="check" />}</i>
          ))}
        </span>
        <span>
          <b>
            {given} of {needed}
          </b>{' '}
          {needed === 1 ? 'approval' : 'approvals'}
        </span>
      </p>
      {open &&
        workflows
          .filter((w) => w && (w.places?.length ?? 0) > 0)
          .map((w) => (
            <p class="missing">
              <b>Still missing:</b> {(w.missing ?? []).join(', ') || 'nothing'}
            </p>
          ))}
      {hold.decisions.length > 0 && (
        <ul class="decisions" role="list">
          {hold.decisions.map((d) => (
            <DecisionLine decision={d} key={d.id} />
          ))}
        </ul>
      )}
      {open && <TimeBar created={hold.created_at} expires={hold.expires_at} />}
      {workflows.map(
        (w) =>
          w && (
            <p class="quiet step">
              Workflow <b>{w.name}</b>
              {w.steps > 1 && `, step ${w.step} of ${w.steps}`}
              {w.control === 'four-eyes' && ' · four eyes: somebody other than the owner'}
              {w.control === 'confirm' && ' · the owner’s own confirmation'}
              {open && w.next_step_at && (
                <>
                  {' '}
                  · more people are asked at <Moment at={w.next_step_at} />
                </>
              )}
              {open && w.steps > 1 && !w.next_step_at && ' · everybody has been asked'}
            </p>
          ),
      )}
    </section>
  );
}

function DecisionLine({ decision }: { decision: Decision }) {
  return (
    <li>
      <Avatar name={decision.by.name} />
      <p>
        <b>{decision.by.name}</b>{' '}
        {(decision.in_place_of?.length ?? 0) > 0 && (
          <span class="quiet">
            <InPlaceOf whom={decision.in_place_of ?? []} />{' '}
          </span>
        )}
        {decision.break_glass && <b class="bad">broke the glass and </b>}
        <span class={decision.decision === 'approve' ? 'good' : 'bad'}>{decision.decision === 'approve' ? 'approved' : 'denied'}</span>{' '}
        <span class="quiet">
          <Moment at={decision.at} />
          {decision.assurance === 'passkey' && ' · signed with a passkey'}
          {decision.grant && ' · and similar calls'}
          {decision.fast === true && ' · faster than it can be read'}
        </span>
        {decision.reason && (
          <q>
            <Outside text={decision.reason} />
          </q>
        )}
      </p>
    </li>
  );
}

interface Props {
  hold: Hold;
  me: Person;
  evidence: Evidence;
  act: string; // what the address asks for: the focus goes there
  onHold: (hold: Hold) => void; // the answer to an act. A change may have been told before it came, so it is read again
  onStale: () => void;
}

const STAGES: Record<Stage, string> = { asking: 'Preparing…', signing: 'Confirm with your passkey…', sending: 'Sending…' };

export function Decide(props: Props) {
  const { hold, me, evidence, act, onHold, onStale } = props;
  const connection = useStore(link);
  const mine = hold.decisions.find((d) => d.by.id === me.id) ?? null;
  const [stage, setStage] = useState<{ verb: Verb; stage: Stage } | null>(null);
  const [error, setError] = useState<unknown>(null);
  const [denying, setDenying] = useState(act === 'deny');
  const [similar, setSimilar] = useState(false);
  const approve = useRef<HTMLButtonElement>(null);
  const busy = useRef(false);

  const offline = connection === 'offline';
  const open = hold.status === 'held' && hold.may_decide && mine === null;
  const closedWhy = offline
    ? 'You are offline. Deciding opens again with the connection.'
    : evidence.state === 'unsound'
      ? `${evidence.why} So it cannot be approved here; you can still deny it.`
      : null;
  const mayApprove = open && !offline && evidence.state === 'sound' && stage === null;
  const mayDeny = open && !offline && stage === null;

  const run = useCallback(
    async (verb: Verb, reason: string | null, besides: Besides = {}) => {
      if (busy.current) return;
      busy.current = true;
      setError(null);
      try {
        const { hold: after } = await decide(hold, verb, reason, me, (s) => setStage({ verb, stage: s }), besides);
        drafts.delete(hold.hold);
        setDenying(false);
        setSimilar(false);
        announce(verb === 'deny' ? 'You denied this.' : besides.grant ? 'You approved this, and similar calls.' : 'You approved this.');
        onHold(after);
        decidedBySelf(after);
      } catch (why) {
        setError(why);
        onStale(); // what it says now: closed, changed, or decided after all
        if (why instanceof Unanswered) announce('No answer came');
      } finally {
        busy.current = false;
        setStage(null);
      }
    },
    [hold, me, onHold, onStale],
  );

  useEffect(() => {
    if (act === 'approve' && mayApprove) approve.current?.focus();
  }, [act, mayApprove]);

  const next = nextAfter(useStore(queue), hold.hold);
  useKeys({
    a: () => {
      if (!mayApprove || denying || similar) return false;
      // Without a passkey's prompt nothing would stand between one stray key and a decision.
      if (needsPasskey(hold)) void run('approve', null);
      else approve.current?.focus();
      return undefined;
    },
    d: () => (mayDeny && !similar ? setDenying(true) : false),
    s: () => (mayApprove && !denying ? setSimilar(true) : false),
    n: () => (next ? go(`/holds/${next.hold}`) : false),
    Escape: () => {
      if (stage !== null || !(denying || similar)) return false;
      setDenying(false);
      setSimilar(false);
      return undefined;
    },
  });

  const failure = error !== null && (
    <p class="note bad" role="alert">
      <Icon name="warning" />
      <span>
        <Outside text={decisionInWords(error)} />
      </span>
    </p>
  );

  const glass = (
    <BreakGlass
      hold={hold}
      ready={!offline && evidence.state === 'sound' && stage === null}
      label={!open && stage ? STAGES[stage.stage] : null}
      onBreak={(reason) => void run('approve', reason, { breakGlass: true })}
    />
  );

  if (!open)
    return (
      <>
        {glass}
        <section class="card decide done" aria-labelledby="decide-title">
          <h2 id="decide-title" class="hidden">
            Outcome
          </h2>
          {failure}
          <Afterwards hold={hold} mine={mine} offline={offline} onHold={onHold} />
          {next && <NextUp hold={next} />}
        </section>
      </>
    );

  return (
    <>
      <section class={`card decide ${denying ? 'denying' : similar ? 'denying with-similar' : ''}`} aria-labelledby="decide-title">
        <h2 id="decide-title" class="hidden">
          Decide
        </h2>
        {failure}
        {closedWhy && (
          <p class="note odd" role="status">
            <Icon name={offline ? 'offline' : 'warning'} />
            <span>{closedWhy}</span>
          </p>
        )}
        {denying ? (
          <Denial
            hold={hold}
            me={me}
            ready={mayDeny}
            label={stage ? STAGES[stage.stage] : null}
            onDeny={(reason) => void run('deny', reason)}
            onCancel={() => setDenying(false)}
          />
        ) : similar ? (
          <Similar
            hold={hold}
            ready={mayApprove}
            label={stage ? STAGES[stage.stage] : null}
            onApprove={(terms) => void run('approve', null, { grant: terms })}
            onCancel={() => setSimilar(false)}
          />
        ) : (
          <>
            <p class="decide-time">
              <TimeLeft created={hold.created_at} expires={hold.expires_at} />
            </p>
            <div class="decide-buttons">
              <button
                type="button"
                class="button deny"
                disabled={!mayDeny}
                aria-keyshortcuts="d"
                onClick={() => {
                  setError(null);
                  setDenying(true);
                }}
              >
                Deny… <kbd aria-hidden="true">d</kbd>
              </button>
              <button
                type="button"
                class="button approve"
                ref={approve}
                disabled={!mayApprove}
                aria-keyshortcuts="a"
                aria-busy={stage !== null}
                onClick={() => void run('approve', null)}
              >
                {stage ? (
                  STAGES[stage.stage]
                ) : (
                  <>
                    {needsPasskey(hold) && <Icon name="key" />}
                    Approve <kbd aria-hidden="true">a</kbd>
                  </>
                )}
              </button>
              <button
                type="button"
                class="button similar-button"
                disabled={!mayApprove}
                aria-keyshortcuts="s"
                onClick={() => {
                  setError(null);
                  setSimilar(true);
                }}
              >
                Approve similar… <kbd aria-hidden="true">s</kbd>
              </button>
            </div>
            <p class="decide-hint quiet">
              {needsPasskey(hold)
                ? 'Your passkey signs exactly what stands here.'
                : 'This rule asks for your session only: a press decides.'}
            </p>
            {(hold.in_place_of?.length ?? 0) > 0 && (
              <p class="note">
                <span>
                  You decide <InPlaceOf whom={hold.in_place_of ?? []} />.
                </span>
              </p>
            )}
          </>
        )}
      </section>
      {glass}
    </>
  );
}

interface DenialProps {
  hold: Hold;
  me: Person;
  ready: boolean;
  label: string | null;
  onDeny: (reason: string | null) => void;
  onCancel: () => void;
}

function Denial({ hold, me, ready, label, onDeny, onCancel }: DenialProps) {
  const [reason, setReason] = useState(drafts.get(hold.hold) ?? '');
  const [recent, setRecent] = useState<string[]>([]);
  const field = useRef<HTMLTextAreaElement>(null);
  // With the layout: whoever pressed d may be typing already.
  useLayoutEffect(() => {
    field.current?.focus();
  }, []);
  useEffect(() => {
    let gone = false;
    api
      .holds({ status: 'denied', limit: 50 })
      .then(({ items }) => {
        const own = items.flatMap((h) => h.decisions).filter((d) => d.by.id === me.id && d.decision === 'deny' && d.reason);
        own.sort((a, b) => Date.parse(b.at) - Date.parse(a.at));
        if (!gone) setRecent([...new Set(own.map((d) => d.reason as string))].slice(0, 4));
      })
      .catch(() => {}); // suggestions are a courtesy
    return () => {
      gone = true;
    };
  }, [me.id]);
  const write = (text: string) => {
    setReason(text);
    drafts.set(hold.hold, text);
  };
  const submit = () => {
    if (ready) onDeny(reason.trim() || null);
  };
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        submit();
      }}
    >
      <label class="reason">
        <span>
          Why not? <span class="quiet">The agent is told this, not by whom.</span>
        </span>
        <textarea
          ref={field}
          rows={3}
          maxLength={2000}
          value={reason}
          onInput={(event) => write(event.currentTarget.value)}
          onKeyDown={(event) => {
            if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) submit();
            if (event.key === 'Escape') onCancel();
          }}
        />
      </label>
      {recent.length > 0 && (
        <div class="suggestions" role="group" aria-label="Reasons you gave before">
          {recent.map((text) => (
            <button
              type="button"
              class="suggestion"
              onClick={() => {
                write(text);
                field.current?.focus();
              }}
            >
              <Outside text={text} />
            </button>
          ))}
        </div>
      )}
      <div class="decide-buttons">
        <button type="button" class="button" onClick={onCancel}>
          Back
        </button>
        <button type="submit" class="button deny strong" disabled={!ready} aria-busy={label !== null}>
          {label ?? (
            <>
              {needsPasskey(hold) && <Icon name="key" />}
              {reason.trim() ? 'Deny' : 'Deny without a reason'}
            </>
          )}
        </button>
      </div>
    </form>
  );
}

function Afterwards({ hold, mine, offline, onHold }: { hold: Hold; mine: Decision | null; offline: boolean; onHold: (hold: Hold) => void }) {
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>(null);
  const waits = hold.status === 'held';
  const takeBack = async () => {
    if (mine === null) return;
    setBusy(true);
    setError(null);
    try {
      const after = await api.takeBack(hold.hold, mine.id);
      announce('Taken back.');
      onHold(after);
      decidedBySelf(after);
    } catch (why) {
      setError(why);
    } finally {
      setBusy(false);
    }
  };
  const missing = hold.approvals.needed - hold.approvals.given;
  const whose = hold.workflows.flatMap((w) => ((w.places?.length ?? 0) > 0 ? (w.missing ?? []) : []));
  return (
    <div class={`outcome ${lookOf(hold.status).tone}`} role="status">
      <p class="outcome-status">
        <Status hold={hold} />
        {mine && <span class="quiet">you {mine.decision === 'approve' ? 'approved' : 'denied'} it</span>}
      </p>
      <p>
        {waits && mine ? (
          <>Your approval is in. {whose.length > 0 ? `Still missing: ${whose.join(', ')}.` : missing > 0 && `${plural(missing, 'more is', 'more are')} needed before anything is sent.`}</>
        ) : waits ? (
          <>
            <Icon name="lock" /> {hold.why_not ? <Outside text={hold.why_not} /> : 'You may not decide this one.'}
          </>
        ) : (
          <Outcome hold={hold} />
        )}
      </p>
      {hold.grant && (
        <p>
          <a href={`/grants/${hold.grant}`}>The grant that approved it</a>
        </p>
      )}
      {hold.left_grant && (
        <p>
          <a href={`/grants/${hold.left_grant}`}>Similar calls pass by a grant</a>
        </p>
      )}
      {hold.reason && !hold.decisions.some((d) => d.reason === hold.reason) && (
        <q>
          <Outside text={hold.reason} />
        </q>
      )}
      {waits && mine && (
        <button type="button" class="button" disabled={busy || offline} onClick={() => void takeBack()}>
          <Icon name="undo" />
          {busy ? 'Taking back…' : 'Take back'}
        </button>
      )}
      <Wrong error={error} />
    </div>
  );
}

function NextUp({ hold }: { hold: Hold }) {
  return (
    <a class="next-up" href={`/holds/${hold.hold}`} aria-keyshortcuts="n">
      <span class="quiet">
        Next <kbd aria-hidden="true">n</kbd>
      </span>
      <span class="next-sentence">
        <Sentence text={sentenceOf(hold)} />
      </span>
      <TimeLeft created={hold.created_at} expires={hold.expires_at} />
    </a>
  );
}
