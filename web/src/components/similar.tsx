// "Approve similar…": what one signature lets pass besides, proposed as narrowly as the call itself, loosened by hand, and shown
// against last week's calls while one changes it. The passkey signs what stands here.
import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';
import { api, type FieldRule, type GrantPreview, type GrantTerms, type Hold } from '../api.ts';
import { canonical, type Json } from '../canonical.ts';
import { plural } from '../format.ts';
import { LENGTHS, lengthInWords, loosened, loose, steps, wayOf, ways, withField, withWholeSum, type Way } from '../grants.ts';
import { useStore } from '../store.ts';
import { session } from '../session.ts';
import { Skeleton, Wrong } from './basics.tsx';
import { Icon } from './icon.tsx';
import { Outside } from './text.tsx';
import { Moment } from './time.tsx';

const PAUSE = 250; // milliseconds after the last change, before last week is asked

export function FieldName({ pointer }: { pointer: string }) {
  const names = steps(pointer);
  return names.length === 0 ? <>the whole body</> : <Outside text={names.join(' › ')} />;
}

// Its value as it is sent: a text without its quotes, everything else as JSON.
export function RuleValue({ rule }: { rule: FieldRule }) {
  if (rule.any) return <>any {rule.type}</>;
  if (rule.at_most !== undefined)
    return (
      <>
        {rule.at_least} to {rule.at_most}
      </>
    );
  return rule.equals === '' ? <span class="quiet">(empty)</span> : <Outside text={rule.equals ?? ''} />;
}

// What will pass, in one sentence: the largest type of this part of the page.
export function WhatPasses({ terms, agent }: { terms: GrantTerms; agent: string }) {
  const free = loose(terms);
  const { shape } = terms;
  return (
    <p class="passes">
      The next <b>{plural(terms.count, 'call')}</b> of <b>{agent}</b> to{' '}
      <b>
        {shape.method} <Outside text={shape.target} />
      </b>{' '}
      {shape.fields === null ? (
        <>with the very same body</>
      ) : free.length === 0 ? (
        <>with these very fields</>
      ) : (
        <>
          with{' '}
          {free.map((rule, i) => (
            <>
              {i > 0 && (i === free.length - 1 ? ' and ' : ', ')}
              <b>
                <FieldName pointer={rule.pointer} /> <RuleValue rule={rule} />
              </b>
            </>
          ))}{' '}
          and all else as it is
        </>
      )}
      {terms.sum && (
        <>
          ,{' '}
          <b>
            <FieldName pointer={terms.sum.pointer} />
          </b>{' '}
          together at most <b>{terms.sum.at_most}</b>
        </>
      )}
      , within <b>{lengthInWords(terms.seconds)}</b> of the approval, pass without anybody being asked.
    </p>
  );
}

interface Props {
  hold: Hold;
  ready: boolean;
  label: string | null; // while it is being signed
  onApprove: (terms: GrantTerms) => void;
  onCancel: () => void;
}

export function Similar({ hold, ready, label, onApprove, onCancel }: Props) {
  const [first, setFirst] = useState<GrantTerms | null>(null); // the narrowest: what each field goes back to
  const [terms, setTerms] = useState<GrantTerms | null>(null);
  const [shown, setShown] = useState<{ of: string; preview: GrantPreview } | null>(null);
  const [error, setError] = useState<unknown>(null);
  const heading = useRef<HTMLHeadingElement>(null);
  const { state } = useStore(session);
  useLayoutEffect(() => {
    heading.current?.focus();
  }, []);

  // What somebody proposed before is signed as it is, or not at all.
  const before = hold.decisions.find((d) => d.decision === 'approve' && d.grant)?.grant ?? null;
  useEffect(() => {
    if (state === 'ended' || first !== null) return;
    let gone = false;
    api.grantProposal(hold.hold).then(
      (got) => {
        if (gone) return;
        setFirst(got.grant);
        setTerms(before ?? got.grant);
        if (before === null) setShown({ of: canonical(got.grant as unknown as Json), preview: got });
      },
      (why: unknown) => !gone && setError(why),
    );
    return () => {
      gone = true;
    };
  }, [hold.hold, state, first]);

  const text = terms === null ? '' : canonical(terms as unknown as Json);
  const known = shown?.of === text;
  useEffect(() => {
    if (terms === null || known) return;
    let gone = false;
    const timer = setTimeout(() => {
      api.grantPreview(hold.hold, terms).then(
        (got) => {
          if (gone) return;
          setShown({ of: text, preview: got });
          setError(null);
        },
        (why: unknown) => !gone && setError(why),
      );
    }, PAUSE);
    return () => {
      gone = true;
      clearTimeout(timer);
    };
  }, [text, known]);

  const change = (next: GrantTerms) => {
    setError(null);
    setTerms(next);
  };
  const mayApprove = ready && terms !== null && known && error === null;
  return (
    <form
      class="similar"
      onSubmit={(event) => {
        event.preventDefault();
        if (mayApprove) onApprove(terms);
      }}
    >
      <h3 tabIndex={-1} ref={heading}>
        Approve this, and similar calls
      </h3>
      {terms === null && error === null && <Skeleton rows={4} label="Looking at last week’s calls" />}
      {terms !== null && first !== null && (
        <>
          <WhatPasses terms={terms} agent={hold.agent.name} />
          {shown && <Week preview={shown.preview} stale={!known} />}
          {hold.approvals.needed > 1 && (
            <p class="note odd">
              <Icon name="people" />
              <span>
                {before === null
                  ? `It holds once ${hold.approvals.needed} people have signed the same.`
                  : 'Proposed by who approved before you. It holds if you sign the same.'}
              </span>
            </p>
          )}
          <Fields first={first} terms={terms} fixed={before !== null} change={change} />
          <Bounds first={first} terms={terms} fixed={before !== null} change={change} />
        </>
      )}
      <Wrong error={error} />
      <div class="decide-buttons">
        <button type="button" class="button" onClick={onCancel}>
          Back
        </button>
        <button type="submit" class="button approve" disabled={!mayApprove} aria-busy={label !== null}>
          {label ?? (
            <>
              <Icon name="key" />
              Approve all these
            </>
          )}
        </button>
      </div>
    </form>
  );
}

const WAYS: Record<Way, string> = { fixed: 'as it is', upto: 'up to', any: 'any' };

function Fields({ first, terms, fixed, change }: { first: GrantTerms; terms: GrantTerms; fixed: boolean; change: (next: GrantTerms) => void }) {
  const { fields } = first.shape;
  if (fields === null) return <p class="quiet small">The body is not JSON, so that only the very same bytes pass.</p>;
  if (fields.length === 0) return null;
  return (
    <fieldset class="similar-fields" disabled={fixed}>
      <legend>Its body has exactly these fields</legend>
      <ul role="list">
        {fields.map((held) => {
          const rule = terms.shape.fields?.find((f) => f.pointer === held.pointer) ?? held;
          const way = wayOf(rule);
          const open = ways(held);
          const name = steps(held.pointer).join(' › ') || 'the whole body';
          const set = (next: FieldRule) => {
            const changed = withField(terms, next);
            const summed = first.sum?.pointer === held.pointer;
            change(summed && !next.any ? withWholeSum(changed, held.pointer) : changed);
          };
          return (
            <li key={held.pointer} class={way}>
              <span class="similar-name">
                <FieldName pointer={held.pointer} />
              </span>
              <span class="similar-value">
                {way === 'upto' ? (
                  <input
                    aria-label={`${name}, at most`}
                    inputMode="decimal"
                    value={rule.at_most ?? ''}
                    onInput={(event) => set(loosened(held, 'upto', event.currentTarget.value.trim()))}
                  />
                ) : way === 'any' ? (
                  <span class="quiet">any {held.type}</span>
                ) : (
                  <RuleValue rule={held} />
                )}
              </span>
              {open.length > 1 && (
                <select aria-label={`${name} may be`} value={way} onChange={(event) => set(loosened(held, event.currentTarget.value as Way))}>
                  {open.map((w) => (
                    <option value={w}>{WAYS[w]}</option>
                  ))}
                </select>
              )}
            </li>
          );
        })}
      </ul>
    </fieldset>
  );
}

function Bounds({ first, terms, fixed, change }: { first: GrantTerms; terms: GrantTerms; fixed: boolean; change: (next: GrantTerms) => void }) {
  const { task } = first.shape;
  const lengths = LENGTHS.some(([s]) => s === terms.seconds) ? LENGTHS : [...LENGTHS, [terms.seconds, lengthInWords(terms.seconds)] as [number, string]];
  const counted = (text: string) => {
    const count = Math.trunc(Number(text));
    if (!(count >= 1 && count <= 1000)) return;
    const next = { ...terms, count };
    change(terms.sum && terms.sum.at_most === withWholeSum(terms, terms.sum.pointer).sum?.at_most ? withWholeSum(next, terms.sum.pointer) : next);
  };
  return (
    <fieldset class="similar-bounds" disabled={fixed}>
      <legend>And no more than</legend>
      <label>
        <span>Calls</span>
        <input type="number" min={1} max={1000} value={terms.count} onInput={(event) => counted(event.currentTarget.value)} />
      </label>
      {terms.sum && (
        <label>
          <span>
            Sum of <FieldName pointer={terms.sum.pointer} />
          </span>
          <input
            inputMode="decimal"
            value={terms.sum.at_most}
            onInput={(event) => terms.sum && change({ ...terms, sum: { ...terms.sum, at_most: event.currentTarget.value.trim() } })}
          />
        </label>
      )}
      <label>
        <span>Within</span>
        <select value={terms.seconds} onChange={(event) => change({ ...terms, seconds: Number(event.currentTarget.value) })}>
          {lengths.map(([seconds, words]) => (
            <option value={seconds}>{words}</option>
          ))}
        </select>
      </label>
      {task && (
        <label class="similar-task">
          <span>For</span>
          <select
            value={terms.shape.task?.id === null ? 'alike' : 'this'}
            onChange={(event) => {
              const id = event.currentTarget.value === 'this' ? task.id : null;
              change({ ...terms, shape: { ...terms.shape, task: { ...task, id } } });
            }}
          >
            <option value="this">this task only</option>
            {task.intent && <option value="alike">every task with the same words</option>}
          </select>
        </label>
      )}
    </fieldset>
  );
}

function Week({ preview, stale }: { preview: GrantPreview; stale: boolean }) {
  const { week, grant } = preview;
  return (
    <div class={`week ${stale ? 'stale' : ''}`} role="status" aria-busy={stale}>
      <p>
        {week.covered === 0 ? (
          <>
            Last week <b>none</b> of {plural(week.looked_at, 'other held call')} would have been covered.
          </>
        ) : (
          <>
            Last week this would have covered <b>{plural(week.covered, 'call')}</b> of {week.looked_at} held
            {week.sum !== null && (
              <>
                {' '}
                (sum <b>{week.sum}</b>, the largest {week.largest})
              </>
            )}
            {week.beyond > 0 && (
              <>
                ; <b>{week.beyond}</b> of them would have been asked about all the same, {week.sum !== null && grant.sum ? 'by count or sum' : 'by count'}
              </>
            )}
            .
          </>
        )}
      </p>
      {week.denied > 0 && (
        <p class="bad">
          <Icon name="warning" /> People denied {plural(week.denied, 'of those', 'of those')}.
        </p>
      )}
      <p class="quiet small">
        Held calls of this agent and route since <Moment at={week.since} /> that you may read{week.complete ? '' : ', the newest of very many'}. What passes by itself
        needs no grant and is not counted.
      </p>
    </div>
  );
}
