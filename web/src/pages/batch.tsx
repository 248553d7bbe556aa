// Alike requests together: what they share is said once, what differs is a table, and each is signed by itself.
import { useCallback, useEffect, useMemo, useRef, useState } from 'preact/hooks';
import { api, type Hold, type Person, type Verb } from '../api.ts';
import { announce, Empty, Failure, Skeleton } from '../components/basics.tsx';
import { Icon } from '../components/icon.tsx';
import { RequestView } from '../components/request.tsx';
import { Status } from '../components/state.tsx';
import { NamedTexts, Outside, Sentence } from '../components/text.tsx';
import { Moment } from '../components/time.tsx';
import { decideMany, type Row, type Run } from '../deciding_many.ts';
import { needsPasskey } from '../decide.ts';
import { compare, sums, whyNotWhole } from '../differences.ts';
import { link } from '../events.ts';
import { examine, type Evidence } from '../evidence.ts';
import { plural } from '../format.ts';
import { decidedBySelf } from '../queue.ts';
import { sentenceOf } from '../sentences.ts';
import { useStore } from '../store.ts';
import { Who, Why } from './hold.tsx';

const PAGE = 50;

interface Listed {
  holds: Hold[];
  evidence: Map<string, Evidence>;
  next: string | null;
}

export function Batch({ alike, me }: { alike: string; me: Person }) {
  const [listed, setListed] = useState<Listed | null>(null);
  const [error, setError] = useState<unknown>(null);
  const [busy, setBusy] = useState(false);
  const more = useCallback(
    async (after: Listed | null) => {
      setBusy(true);
      setError(null);
      try {
        const part = await api.holds({ alike, status: 'held', limit: PAGE, ...(after?.next ? { cursor: after.next } : {}) });
        const known = new Set(after?.holds.map((h) => h.hold));
        const fresh = part.items.filter((h) => !known.has(h.hold));
        const found = await Promise.all(fresh.map(async (h) => [h.hold, await examine(h)] as const));
        setListed({ holds: [...(after?.holds ?? []), ...fresh], evidence: new Map([...(after?.evidence ?? []), ...found]), next: part.next });
      } catch (why) {
        setError(why);
      } finally {
        setBusy(false);
      }
    },
    [alike],
  );
  useEffect(() => void more(null), [more]);
  return (
    <div class="page batch-page">
      <a class="back" href="/">
        <Icon name="back" />
        Inbox
      </a>
      <header class="page-head">
        <h1 tabIndex={-1}>{listed && listed.holds.length > 0 ? `${listed.holds.length}${listed.next ? '+' : ''} alike requests` : 'Alike requests'}</h1>
      </header>
      {error !== null && <Failure error={error} again={() => void more(listed)} />}
      {listed === null && error === null && <Skeleton label="Loading alike requests" rows={6} />}
      {listed !== null && listed.holds.length === 0 && (
        <Empty icon="inbox" title="None of these waits any more.">
          <a class="button" href="/">
            To the inbox
          </a>
        </Empty>
      )}
      {listed !== null && listed.holds.length > 0 && <Together listed={listed} me={me} />}
      {listed?.next && (
        <button type="button" class="button" disabled={busy} onClick={() => void more(listed)}>
          {busy ? 'Loading…' : `Show the next ${PAGE}`}
        </button>
      )}
    </div>
  );
}

function Together({ listed, me }: { listed: Listed; me: Person }) {
  const { holds, evidence } = listed;
  const [first] = holds as [Hold];
  const compared = useMemo(() => compare(holds), [holds]);
  const [selected, setSelected] = useState<ReadonlySet<string>>(new Set());
  const [rows, setRows] = useState<ReadonlyMap<string, Row>>(new Map());
  const [run, setRun] = useState<Run | null>(null);
  const [running, setRunning] = useState<Verb | null>(null);
  const [reason, setReason] = useState('');
  const stop = useRef(false);
  useEffect(
    () => () => {
      stop.current = true; // who leaves the page signs no more
    },
    [],
  );
  const offline = useStore(link) === 'offline';

  const unwhole = useMemo(
    () =>
      new Map(
        holds.map((h) => {
          const found = evidence.get(h.hold);
          return [h.hold, found?.state === 'unsound' ? found.why : found?.state !== 'sound' ? 'It was not checked.' : whyNotWhole(h)] as const;
        }),
      ),
    [holds, evidence],
  );
  const open = (h: Hold) => h.may_decide && rows.get(h.hold)?.state !== 'decided';
  const whole = holds.filter((h) => open(h) && unwhole.get(h.hold) === null);
  const chosen = holds.filter((h) => open(h) && selected.has(h.hold));
  const notWhole = chosen.filter((h) => unwhole.get(h.hold) !== null).length;
  const idle = running === null && !offline;

  const choose = (id: string, on: boolean) => {
    const next = new Set(selected);
    if (on) next.add(id);
    else next.delete(id);
    setSelected(next);
  };
  const begin = async (verb: Verb) => {
    if (running !== null) return;
    stop.current = false;
    setRunning(verb);
    const ended = await decideMany(
      chosen,
      verb,
      reason.trim() || null,
      me,
      (id, now) => {
        setRows((before) => new Map(before).set(id, now));
        if (now.state === 'decided') decidedBySelf(now.hold);
      },
      setRun,
      () => !stop.current,
    );
    setRunning(null);
    setSelected(new Set());
    announce(`${ended.done} of ${ended.of} ${verb === 'approve' ? 'approved' : 'denied'}.`);
  };

  const totals = sums(chosen.length > 0 ? chosen : holds);
  return (
    <>
      <Who hold={first} />
      <Why hold={first} />
      <section class="card shared" aria-labelledby="shared-title">
        <h2 id="shared-title">The same in all of them</h2>
        {compared.shared.length === 0 ? (
          <p class="quiet">Nothing.</p>
        ) : (
          <dl class="headers">
            <NamedTexts all={compared.shared} />
          </dl>
        )}
      </section>
      <section class="card differing" aria-labelledby="differing-title">
        <h2 id="differing-title">What differs</h2>
        <div class="batch-table" tabIndex={0} role="region" aria-label="Table of what differs">
          <table>
            <thead>
              <tr>
                <th scope="col">
                  <label class="pick">
                    <input
                      type="checkbox"
                      aria-label="Select all that stand here whole"
                      disabled={!idle || whole.length === 0}
                      checked={whole.length > 0 && whole.every((h) => selected.has(h.hold))}
                      onChange={(event) => setSelected(new Set(event.currentTarget.checked ? whole.map((h) => h.hold) : []))}
                    />
                  </label>
                </th>
                {compared.columns.map((name) => (
                  <th scope="col" key={name}>
                    <Outside text={name} />
                  </th>
                ))}
                <th scope="col">Made</th>
                <th scope="col">State</th>
              </tr>
            </thead>
            <tbody>
              {holds.map((hold) => (
                <tr key={hold.hold} class={selected.has(hold.hold) ? 'selected' : ''}>
                  <td>
                    <label class="pick">
                      <input
                        type="checkbox"
                        aria-label={`Select ${sentenceOf(hold)}`}
                        disabled={!idle || !open(hold)}
                        checked={selected.has(hold.hold) && open(hold)}
                        onChange={(event) => choose(hold.hold, event.currentTarget.checked)}
                      />
                    </label>
                  </td>
                  {compared.columns.map((name) => (
                    <td key={name}>
                      {compared.cells.get(hold.hold)?.has(name) ? (
                        <Outside text={compared.cells.get(hold.hold)?.get(name) ?? ''} />
                      ) : (
                        <span class="quiet">none</span>
                      )}
                    </td>
                  ))}
                  <td>
                    <Moment at={hold.created_at} relative />
                  </td>
                  <td>
                    <RowState row={rows.get(hold.hold)} hold={hold} unwhole={unwhole.get(hold.hold) ?? null} />
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
        {totals.length > 0 && (
          <dl class="totals" aria-label={chosen.length > 0 ? 'Sums of what is selected' : 'Sums of all that is listed'}>
            {totals.map((sum) => (
              <div key={`${sum.column} ${sum.of}`}>
                <dt>
                  Sum of <Outside text={sum.column} />, {chosen.length > 0 ? `${chosen.length} selected` : `all ${holds.length} listed`}
                </dt>
                <dd>
                  <b>
                    {sum.total} <Outside text={sum.of} />
                  </b>
                </dd>
              </div>
            ))}
          </dl>
        )}
      </section>
      <section class="rows-section" aria-labelledby="each-title">
        <h2 id="each-title" class="rows-title">
          Each of them, whole
        </h2>
        <ul class="each" role="list">
          {holds.map((hold) => (
            <li key={hold.hold}>
              <Each hold={hold} evidence={evidence.get(hold.hold) ?? { state: 'checking' }} />
            </li>
          ))}
        </ul>
      </section>
      <section class="card batch-decide" aria-labelledby="batch-decide-title">
        <h2 id="batch-decide-title">Decide what is selected</h2>
        <p role="status">
          {running !== null && run !== null
            ? `${Math.min(run.done + 1, run.of)} of ${run.of}…`
            : run !== null
              ? `${run.done} of ${run.of} decided. ${run.stopped ?? ''}`
              : `${plural(chosen.length, 'request')} selected`}
        </p>
        {notWhole > 0 && (
          <p class="note odd">
            <Icon name="warning" />
            <span>
              {plural(notWhole, 'request')} of these cannot be read whole here, so they are not approved together. You can deny them, or open each by itself.
            </span>
          </p>
        )}
        <label class="reason">
          <span>
            Reason <span class="quiet">One for all; with a denial the agent is told it.</span>
          </span>
          <textarea rows={2} maxLength={2000} value={reason} disabled={running !== null} onInput={(event) => setReason(event.currentTarget.value)} />
        </label>
        <div class="decide-buttons">
          {running !== null ? (
            <button type="button" class="button" onClick={() => (stop.current = true)}>
              Stop after this one
            </button>
          ) : (
            <>
              <button type="button" class="button deny" disabled={!idle || chosen.length === 0} onClick={() => void begin('deny')}>
                Deny {chosen.length || ''}
              </button>
              <button type="button" class="button approve" disabled={!idle || chosen.length === 0 || notWhole > 0} onClick={() => void begin('approve')}>
                {needsPasskey(first) && <Icon name="key" />}
                Approve {chosen.length || ''}
              </button>
            </>
          )}
        </div>
        <p class="decide-hint quiet">
          {needsPasskey(first) ? 'Your passkey signs each of them by itself, one after the other.' : 'This rule asks for your session only: a press decides all that is selected, each by itself.'}
        </p>
      </section>
    </>
  );
}

function RowState({ row, hold, unwhole }: { row: Row | undefined; hold: Hold; unwhole: string | null }) {
  if (row?.state === 'deciding') return <span>Deciding…</span>;
  if (row?.state === 'decided') return <Status hold={row.hold} />;
  if (row?.state === 'failed')
    return (
      <span class="row-failed">
        <Icon name="warning" /> <Outside text={row.why} />
      </span>
    );
  if (!hold.may_decide) return <Outside text={hold.why_not ?? 'Not yours to decide.'} />;
  if (unwhole !== null)
    return (
      <a href={`/holds/${hold.hold}`}>
        <Outside text={unwhole} /> Open it by itself.
      </a>
    );
  return <Status hold={hold} />;
}

// Drawn when it is opened: a thousand of them would be a long page.
function Each({ hold, evidence }: { hold: Hold; evidence: Evidence }) {
  const [open, setOpen] = useState(false);
  return (
    <details class="card" onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>
        <Sentence text={sentenceOf(hold)} />
      </summary>
      {open && (
        <>
          <RequestView request={hold.request} fields={hold.body_fields ?? []} evidence={evidence} />
          <p>
            <a href={`/holds/${hold.hold}`}>Open it by itself</a>
          </p>
        </>
      )}
    </details>
  );
}
