// Grants: what is left of each, who signed it, and ending it.
import { useEffect, useState } from 'preact/hooks';
import { api, Refusal, type Grant, type GrantStatus } from '../api.ts';
import { Empty, Failure, Owner, Skeleton, Wrong, announce } from '../components/basics.tsx';
import { Icon } from '../components/icon.tsx';
import { FieldName, RuleValue, WhatPasses } from '../components/similar.tsx';
import { lookOf } from '../components/state.tsx';
import { NamedTexts, Outside, Sentence } from '../components/text.tsx';
import { Moment, timeLeft } from '../components/time.tsx';
import { onChange } from '../events.ts';
import { plural } from '../format.ts';
import { units } from '../grants.ts';
import { useLoad } from '../load.ts';
import { place } from '../router.ts';
import { agentPlace, personPlace } from '../sentences.ts';
import { useStore } from '../store.ts';
import { useNow } from '../time.ts';

const VIEWS: { word: string; status: string; at: string }[] = [
  { word: 'In use', status: 'active', at: '/grants' },
  { word: 'Ended', status: 'exhausted,expired,revoked', at: '/grants?view=ended' },
];

const LOOKS: Record<GrantStatus, { word: string; tone: string }> = {
  active: { word: 'in use', tone: 'good' },
  exhausted: { word: 'used up', tone: 'none' },
  expired: { word: 'expired', tone: 'none' },
  revoked: { word: 'revoked', tone: 'bad' },
};

// Reads again when something changes; a burst of changes is one reading.
function useLive(again: () => void): void {
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const stop = onChange(() => {
      timer ??= setTimeout(() => {
        timer = undefined;
        again();
      }, 500);
    });
    return () => {
      stop();
      clearTimeout(timer);
    };
  }, [again]);
}

export function Grants() {
  const { query } = useStore(place);
  const view = VIEWS[query.get('view') === 'ended' ? 1 : 0] as (typeof VIEWS)[number];
  const all = useLoad(() => api.grants({ status: view.status, limit: 100 }), view.status);
  useLive(all.again);
  return (
    <div class="page">
      <header class="page-head">
        <h1 tabIndex={-1}>Grants</h1>
        <p class="quiet">What approvals left behind: similar calls that pass without anybody being asked again.</p>
      </header>
      <nav class="tabs" aria-label="Which grants">
        {VIEWS.map((v) => (
          <a href={v.at} aria-current={v === view ? 'page' : undefined}>
            {v.word}
          </a>
        ))}
      </nav>
      {all.error !== null && <Failure error={all.error} again={all.again} />}
      {all.value === null && all.error === null && <Skeleton rows={3} label="Loading grants" />}
      {all.value !== null && all.value.items.length === 0 && (
        <Empty icon="grants" title={view.status === 'active' ? 'No grant is in use.' : 'No grant has ended yet.'}>
          {view.status === 'active' && <p class="quiet">“Approve similar…” on a request leaves one behind.</p>}
        </Empty>
      )}
      <ul class="cards grants" role="list">
        {(all.value?.items ?? []).map((grant) => (
          <li class="card item" key={grant.id}>
            <Summary grant={grant} again={all.again} linked />
          </li>
        ))}
      </ul>
    </div>
  );
}

export function GrantPage({ id }: { id: string }) {
  const shown = useLoad(() => api.grant(id), id);
  useLive(shown.again);
  useEffect(() => {
    document.title = 'Grant · Sallyport';
  }, []);
  const { value, error } = shown;
  return (
    <div class="page">
      <a class="back" href="/grants">
        <Icon name="back" />
        Grants
      </a>
      <header class="page-head">
        <h1 tabIndex={-1}>Grant</h1>
      </header>
      {value === null && error === null && <Skeleton rows={4} label="Loading the grant" />}
      {error instanceof Refusal && error.status === 404 ? (
        <Empty icon="search" title="There is no such grant, or it is not one that you may see." />
      ) : (
        error !== null && <Failure error={error} again={shown.again} />
      )}
      {value !== null && (
        <div class="grant-grid">
          <section class="card item" aria-label="What is left of it">
            <WhatPasses terms={value.grant.terms} agent={value.grant.agent.name} />
            <Summary grant={value.grant} again={shown.again} />
          </section>
          <section class="card" aria-labelledby="shape">
            <h2 id="shape">What a call must be</h2>
            <Shape grant={value.grant} />
          </section>
          <section class="card" aria-labelledby="passed">
            <h2 id="passed">What it let pass</h2>
            {value.calls.length === 0 ? (
              <p class="quiet">Nothing so far.</p>
            ) : (
              <ul class="grant-calls" role="list">
                {value.calls.map((call) => (
                  <li key={call.hold}>
                    <a href={`/holds/${call.hold}`}>
                      <Sentence text={call.summary} />
                    </a>
                    <span class="quiet">
                      {lookOf(call.status).word} · <Moment at={call.at} />
                    </span>
                  </li>
                ))}
              </ul>
            )}
          </section>
        </div>
      )}
    </div>
  );
}

function Shape({ grant }: { grant: Grant }) {
  const { shape } = grant.terms;
  return (
    <dl class="facts shape">
      <div>
        <dt>Call</dt>
        <dd>
          <code>
            {shape.method} {shape.scheme}://{shape.authority}
            <Outside text={shape.target} />
          </code>
        </dd>
      </div>
      {shape.task && (
        <div>
          <dt>Task</dt>
          <dd>{shape.task.id ? <code>{shape.task.id}</code> : <Outside text={shape.task.intent} />}</dd>
        </div>
      )}
      {(shape.fields ?? []).map((rule) => (
        <div key={rule.pointer}>
          <dt>
            <FieldName pointer={rule.pointer} />
          </dt>
          <dd>
            <RuleValue rule={rule} />
          </dd>
        </div>
      ))}
      {shape.fields === null && (
        <div>
          <dt>Body</dt>
          <dd>{shape.content_digest ? <code>{shape.content_digest}</code> : 'none'}</dd>
        </div>
      )}
      <NamedTexts all={shape.headers} />
    </dl>
  );
}

// How much of something is used, as a bar; the text beside it says the same.
function Bar({ share }: { share: number }) {
  const used = Math.max(0, Math.min(1, share));
  return (
    <svg class="used-bar" viewBox="0 0 100 4" preserveAspectRatio="none" aria-hidden="true" focusable="false">
      <rect class="bar-track" width="100" height="4" />
      <rect class="bar-rest" width={(used * 100).toFixed(2)} height="4" />
    </svg>
  );
}

function shareOf(used: string | null, all: string | null): number {
  const [u, a] = [units(used ?? ''), units(all ?? '')];
  return u === null || a === null || a === 0n ? 0 : Number((u * 10_000n) / a) / 10_000;
}

function Summary({ grant, again, linked = false }: { grant: Grant; again: () => void; linked?: boolean }) {
  const left = timeLeft(grant.created_at, grant.expires_at, useNow());
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>(null);
  const revoke = () => {
    setBusy(true);
    setError(null);
    api.revokeGrant(grant.id).then(
      () => {
        announce('Revoked. Such calls are held again.');
        setBusy(false);
        again();
      },
      (why: unknown) => {
        setBusy(false);
        setError(why);
      },
    );
  };
  const look = LOOKS[grant.status] ?? { word: grant.status, tone: 'none' };
  const active = grant.status === 'active';
  return (
    <>
      <header>
        {linked && (
          <h2>
            <a href={`/grants/${grant.id}`}>
              <Sentence text={grant.summary} />
            </a>
          </h2>
        )}
        <span class={`status ${look.tone}`}>{look.word}</span>
      </header>
      <div class="used">
        <p>
          <b>{grant.used}</b> of {plural(grant.count, 'call')} used
        </p>
        <Bar share={grant.used / grant.count} />
        {grant.sum !== null && (
          <>
            <p>
              <FieldName pointer={grant.terms.sum?.pointer ?? ''} />: <b>{grant.sum_used}</b> of {grant.sum} used
            </p>
            <Bar share={shareOf(grant.sum_used, grant.sum)} />
          </>
        )}
        {active && (
          <>
            <p>
              <b>{left.text}</b> left, until <Moment at={grant.expires_at} />
            </p>
            <Bar share={1 - left.share} />
          </>
        )}
      </div>
      <dl class="facts">
        <div>
          <dt>Agent</dt>
          <dd>
            <a href={agentPlace(grant.agent.name)}>{grant.agent.name}</a> of <Owner owner={grant.agent.owner} />
          </dd>
        </div>
        <div>
          <dt>By</dt>
          <dd>
            {grant.by.map((who, i) => (
              <>
                {i > 0 && ', '}
                {who ? <a href={personPlace(who.handle)}>{who.name}</a> : 'somebody'}
                {who?.status === 'disabled' && ' (disabled)'}
              </>
            ))}{' '}
            with <a href={`/holds/${grant.hold}`}>this request</a> · <Moment at={grant.created_at} relative />
          </dd>
        </div>
        {!active && grant.status !== 'revoked' && (
          <div>
            <dt>Until</dt>
            <dd>
              <Moment at={grant.expires_at} />
            </dd>
          </div>
        )}
        {grant.revoked_at && (
          <div>
            <dt>Revoked</dt>
            <dd>
              <Moment at={grant.revoked_at} relative />, <Outside text={grant.revoked_why ?? ''} />
            </dd>
          </div>
        )}
      </dl>
      <Wrong error={error} />
      {grant.may_revoke && (
        <button type="button" class="button deny" disabled={busy} onClick={revoke}>
          <Icon name="stop" />
          {busy ? 'Revoking…' : 'Revoke'}
        </button>
      )}
    </>
  );
}
