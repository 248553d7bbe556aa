// One hold, in the order in which people read: what, who and why, the rules, exactly what, who else, decide.
import { useCallback, useEffect, useState } from 'preact/hooks';
import { api, Refusal, type Hold as HoldRecord, type Person } from '../api.ts';
import { Avatar, Empty, Failure, Owner, Skeleton } from '../components/basics.tsx';
import { Decide, WhoElse } from '../components/decision.tsx';
import { GlassBroken } from '../components/glass.tsx';
import { Icon } from '../components/icon.tsx';
import { Ladders } from '../components/ladder.tsx';
import { RequestView } from '../components/request.tsx';
import { lookOf, Status } from '../components/state.tsx';
import { Outside, Sentence } from '../components/text.tsx';
import { Moment } from '../components/time.tsx';
import { onChange } from '../events.ts';
import { examine, type Evidence } from '../evidence.ts';
import { useKeys } from '../keys.ts';
import { useLoad } from '../load.ts';
import { forMe, queue } from '../queue.ts';
import { go, place } from '../router.ts';
import { agentPlace, className, sentenceOf } from '../sentences.ts';
import { useStore } from '../store.ts';

export function Hold({ id, me }: { id: string; me: Person }) {
  const { query } = useStore(place);
  const loaded = useLoad(() => api.hold(id), id);
  const { value: hold, error, again, put } = loaded;
  useEffect(
    () =>
      onChange((change) => {
        if (change === null || change.hold === id) again();
      }),
    [id, again],
  );
  const acted = useCallback(
    (after: HoldRecord) => {
      put(after);
      again();
    },
    [put, again],
  );
  const waiting = useStore(queue);
  useKeys({ j: () => beside(waiting.holds, id, 1), k: () => beside(waiting.holds, id, -1), u: () => go('/') });
  const evidence = useEvidence(hold);
  const title = hold ? sentenceOf(hold) : 'Request';
  useEffect(() => {
    document.title = `${title} · Sallyport`;
  }, [title]);

  if (hold === null) {
    if (error instanceof Refusal && error.status === 404)
      return (
        <div class="page">
          <Back />
          <h1 class="hidden" tabIndex={-1}>
            Not found
          </h1>
          <Empty icon="search" title="There is no such request, or it is not one that you may see.">
            <a class="button" href="/">
              To the inbox
            </a>
          </Empty>
        </div>
      );
    return (
      <div class="page">
        <Back />
        <h1 class="hidden" tabIndex={-1}>
          Request
        </h1>
        {error === null ? <Skeleton rows={6} label="Loading the request" /> : <Failure error={error} again={again} />}
      </div>
    );
  }
  return (
    <div class="page hold-page">
      <div class="hold-top">
        <Back />
        {hold.status !== 'held' && <Status hold={hold} />}
      </div>
      <div class="hold-grid">
        <div class="hold-evidence">
          <What hold={hold} />
          <GlassBroken hold={hold} />
          <Who hold={hold} />
          <Why hold={hold} />
          <RequestView request={hold.request} fields={hold.body_fields ?? []} evidence={evidence} />
          <Ladders hold={hold} />
          <Record hold={hold} />
        </div>
        <aside class="hold-aside" aria-label="Decision">
          <WhoElse hold={hold} />
          <Decide key={hold.hold} hold={hold} me={me} evidence={evidence} act={query.get('do') ?? ''} onHold={acted} onStale={again} />
        </aside>
      </div>
    </div>
  );
}

function beside(holds: HoldRecord[], id: string, by: 1 | -1): void | false {
  const at = holds.findIndex((h) => h.hold === id);
  const next = at < 0 ? forMe(queue.get())[0] : holds[at + by];
  if (!next) return false;
  go(`/holds/${next.hold}`);
  return undefined;
}

export function useEvidence(hold: HoldRecord | null): Evidence {
  const [evidence, setEvidence] = useState<{ of: string; found: Evidence }>({ of: '', found: { state: 'checking' } });
  // All that is checked, so that a reload which brought the same does not close the button for a blink.
  const what = hold ? JSON.stringify([hold.hold, hold.request]) : '';
  const look = useCallback(async () => {
    if (hold === null) return null;
    return examine(hold);
  }, [what]);
  useEffect(() => {
    let gone = false;
    void look().then((found) => {
      if (!gone && found) setEvidence({ of: what, found });
    });
    return () => {
      gone = true;
    };
  }, [look, what]);
  return evidence.of === what ? evidence.found : { state: 'checking' };
}

function Back() {
  return (
    <a class="back" href="/" aria-keyshortcuts="u">
      <Icon name="back" />
      Inbox
    </a>
  );
}

export function What({ hold }: { hold: HoldRecord }) {
  const summaries = hold.reasons.map((r) => r.summary).filter((s): s is string => Boolean(s));
  const said = [...new Set(summaries)];
  return (
    <header class={`what ${lookOf(hold.status).tone}`}>
      <h1 tabIndex={-1}>
        <Sentence text={said[0] ?? sentenceOf(hold)} />
      </h1>
      {said.slice(1).map((sentence) => (
        <p class="what-also">
          and: <Sentence text={sentence} />
        </p>
      ))}
    </header>
  );
}

export function Who({ hold }: { hold: HoldRecord }) {
  const { agent, task } = hold;
  return (
    <section class="who" aria-label="Who asks">
      <Avatar name={agent.name.replaceAll('-', ' ')} />
      <div>
        <p class="who-line">
          <a class="plain-link" href={agentPlace(agent.name)}>
            <b>{agent.name}</b>
          </a>
          , a {className(agent)}, asks for{' '}
          <b>
            <Owner owner={agent.owner} />
          </b>
          <span class="quiet">
            {' ·\u00A0'}
            <Moment at={hold.created_at} relative />
          </span>
        </p>
        {agent.purpose && (
          <p class="quiet">
            Its purpose: <Outside text={agent.purpose} />
          </p>
        )}
        {task?.intent && (
          <figure class="says">
            <figcaption>The agent says</figcaption>
            <blockquote>
              <Outside text={task.intent} />
            </blockquote>
          </figure>
        )}
      </div>
    </section>
  );
}

const VERDICTS: Record<string, string> = { hold: 'holds this for people to decide', deny: 'refuses this', allow: 'would let this pass' };

export function Why({ hold }: { hold: HoldRecord }) {
  const spoke = hold.rules.filter((r) => r.matched !== false);
  const main = sentenceOf(hold);
  return (
    <section class="card why" aria-labelledby="why-title">
      <h2 id="why-title">{hold.may_decide ? 'Why you are asked' : 'Why people are asked'}</h2>
      <ul role="list">
        {spoke.map((rule) => (
          <li class={rule.verdict}>
            <Icon name={rule.verdict === 'hold' ? 'stop' : rule.verdict === 'deny' ? 'cross' : 'check'} />
            <p>
              {rule.team ? (
                <>
                  <b>{rule.team}</b>’s rule{' '}
                </>
              ) : (
                'The rule '
              )}
              <code>{rule.rule}</code> {VERDICTS[rule.verdict] ?? rule.verdict}
              {rule.summary && rule.summary !== main && (
                <span class="rule-words">
                  <Sentence text={rule.summary} />
                </span>
              )}
            </p>
          </li>
        ))}
      </ul>
    </section>
  );
}

// For whoever must find it again.
function Record({ hold }: { hold: HoldRecord }) {
  return (
    <dl class="record">
      <div>
        <dt>Request</dt>
        <dd>
          <code>{hold.hold}</code>
        </dd>
      </div>
      <div>
        <dt>Action</dt>
        <dd>
          <code>{hold.action}</code>
        </dd>
      </div>
      <div>
        <dt>Route</dt>
        <dd>
          <a href={`/history?route=${encodeURIComponent(hold.route)}`}>{hold.route}</a>
        </dd>
      </div>
      <div>
        <dt>Asked</dt>
        <dd>
          <Moment at={hold.created_at} />
        </dd>
      </div>
      <div>
        <dt>Policy</dt>
        <dd>
          <code>{hold.policy}</code>
        </dd>
      </div>
    </dl>
  );
}
