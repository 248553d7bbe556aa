import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import { api, type Hold } from '../api.ts';
import { Choose, Empty, Failure, focusSearch, Search, Skeleton, announce } from '../components/basics.tsx';
import { Icon } from '../components/icon.tsx';
import { moveInList, HoldRow } from '../components/rows.tsx';
import { Outcome, lookOf } from '../components/state.tsx';
import { Sentence } from '../components/text.tsx';
import { Moment, timeLeft } from '../components/time.tsx';
import { plural } from '../format.ts';
import { useKeys } from '../keys.ts';
import { forMe, queue, reload } from '../queue.ts';
import { go, place, setQuery } from '../router.ts';
import { kind, matches, sentenceOf } from '../sentences.ts';
import { useStore } from '../store.ts';
import { useNow } from '../time.ts';

const STACK_FROM = 3;
const FEW = 12;

export function Inbox() {
  const waiting = useStore(queue);
  const { query } = useStore(place);
  const filter = { q: query.get('q') ?? '', agent: query.get('agent') ?? '', route: query.get('route') ?? '' };
  const shown = waiting.holds.filter(
    (h) => (!filter.agent || h.agent.name === filter.agent) && (!filter.route || h.route === filter.route) && matches(h, filter.q),
  );
  // What somebody decided keeps its section while it fades: by then nobody may decide it any more.
  const askedOf = useRef(new Map<string, boolean>());
  for (const h of waiting.holds) if (h.status === 'held') askedOf.current.set(h.hold, h.may_decide);
  const forYou = shown.filter((h) => askedOf.current.get(h.hold) ?? h.may_decide);
  const forOthers = shown.filter((h) => !forYou.includes(h));
  const filtered = Boolean(filter.q || filter.agent || filter.route);
  useTelling(waiting.holds);
  useKeys({
    j: () => moveInList(1),
    k: () => moveInList(-1),
    a: () => openFocused('approve'),
    d: () => openFocused('deny'),
    '/': focusSearch,
  });

  return (
    <div class="page">
      <Heading />
      {waiting.state === 'failed' && <Failure error={waiting.error} again={() => void reload()} />}
      {waiting.state === 'loading' && <Skeleton label="Loading what waits" />}
      {waiting.state === 'ready' && (waiting.holds.length > 0 || filtered) && <Filters filter={filter} holds={waiting.holds} />}
      {waiting.state === 'ready' && shown.length === 0 && filtered && (
        <Empty icon="search" title="Nothing that waits matches.">
          <a class="button" href="/">
            Show everything
          </a>
        </Empty>
      )}
      {waiting.state === 'ready' && waiting.holds.length === 0 && !filtered && <NothingWaits />}
      {forYou.length > 0 && <Section title={forOthers.length > 0 ? 'For you' : ''} holds={forYou} settled={waiting.settled} />}
      {forOthers.length > 0 && <Section title="Waiting for others" holds={forOthers} settled={waiting.settled} />}
      {waiting.cut && <p class="quiet">Only the first {waiting.holds.length} are listed. Filter the history for the others.</p>}
    </div>
  );
}

function openFocused(act: 'approve' | 'deny'): void | false {
  const row = document.activeElement?.closest<HTMLAnchorElement>('a.row');
  if (!row) return false;
  // Not from here: what is decided has to be seen. The page opens with the button under the finger.
  go(`${row.pathname}?do=${act}`);
  return undefined;
}

function Heading() {
  const waiting = useStore(queue);
  const now = useNow();
  const mine = forMe(waiting);
  const first = mine[0];
  return (
    <header class="page-head">
      <h1 tabIndex={-1}>Inbox</h1>
      {waiting.state === 'ready' && (
        <p class="quiet">
          {mine.length === 0 ? 'Nothing waits for you' : `${plural(mine.length, 'request waits', 'requests wait')} for you`}
          {first && ` · the first expires in ${timeLeft(first.created_at, first.expires_at, now).text}`}
        </p>
      )}
    </header>
  );
}

function Filters({ filter, holds }: { filter: { q: string; agent: string; route: string }; holds: Hold[] }) {
  const agents = [...new Set([...holds.map((h) => h.agent.name), filter.agent])].filter(Boolean).sort();
  const routes = [...new Set([...holds.map((h) => h.route), filter.route])].filter(Boolean).sort();
  return (
    <div class={`filters ${holds.length < FEW ? 'few' : ''}`} role="search">
      <Search value={filter.q} label="Search what waits" onInput={(q) => setQuery({ q })} />
      <Choose
        label="Agent"
        value={filter.agent}
        choices={[{ value: '', word: 'Any agent' }, ...agents.map((a) => ({ value: a, word: a }))]}
        onChange={(agent) => setQuery({ agent })}
      />
      <Choose
        label="Route"
        value={filter.route}
        choices={[{ value: '', word: 'Any route' }, ...routes.map((r) => ({ value: r, word: r }))]}
        onChange={(route) => setQuery({ route })}
      />
    </div>
  );
}

function Section({ title, holds, settled }: { title: string; holds: Hold[]; settled: ReadonlySet<string> }) {
  const groups = useMemo(() => {
    const byKind = new Map<string, Hold[]>();
    for (const hold of holds) {
      // What is settled fades on its own line; it is no part of what still waits.
      const key = settled.has(hold.hold) ? hold.hold : kind(hold);
      byKind.set(key, [...(byKind.get(key) ?? []), hold]);
    }
    return [...byKind.values()].flatMap((group) => (group.length >= STACK_FROM ? [group] : group.map((hold) => [hold])));
  }, [holds, settled]);
  groups.sort((a, b) => Date.parse((a[0] as Hold).expires_at) - Date.parse((b[0] as Hold).expires_at));
  return (
    <section class="rows-section">
      {title && (
        <h2 class="rows-title">
          {title} <span class="count">{holds.filter((h) => !settled.has(h.hold)).length}</span>
        </h2>
      )}
      <ul class="rows" role="list">
        {groups.map((group) => {
          const [first] = group as [Hold];
          if (group.length === 1)
            return (
              <li key={first.hold}>
                <HoldRow hold={first} settled={settled.has(first.hold)} />
              </li>
            );
          return <Stack key={`stack ${kind(first)}`} holds={group} />;
        })}
      </ul>
    </section>
  );
}

// Alike ones: the most urgent stands for all, and the others are one press away.
function Stack({ holds }: { holds: Hold[] }) {
  const [open, setOpen] = useState(false);
  const [first, ...others] = holds as [Hold, ...Hold[]];
  return (
    <li class={`stack ${open ? 'open' : ''}`}>
      <HoldRow hold={first} settled={false} />
      <button type="button" class="stack-more" aria-expanded={open} onClick={() => setOpen(!open)}>
        <Icon name={open ? 'down' : 'next'} />
        {others.length} more like this from {first.agent.name}
      </button>
      {first.alike && (
        <a class="stack-all" href={`/alike/${encodeURIComponent(first.alike)}`}>
          Look at all of them together
        </a>
      )}
      {open && (
        <ul class="rows nested" role="list">
          {others.map((hold) => (
            <li key={hold.hold}>
              <HoldRow hold={hold} settled={false} />
            </li>
          ))}
        </ul>
      )}
    </li>
  );
}

function NothingWaits() {
  const [last, setLast] = useState<Hold | null>(null);
  const waiting = useStore(queue);
  useEffect(() => {
    let gone = false;
    api
      .holds({ status: 'released,denied,expired,approved,releasing,void,unknown', limit: 50 })
      .then(({ items }) => {
        const decided = items.filter((h) => h.decided_at).sort((a, b) => Date.parse(b.decided_at ?? '') - Date.parse(a.decided_at ?? ''));
        if (!gone) setLast(decided[0] ?? null);
      })
      .catch(() => {}); // it is only a courtesy
    return () => {
      gone = true;
    };
  }, [waiting.holds]);
  return (
    <Empty icon="check" title="Nothing waits. The gate is quiet.">
      {last && (
        <p class="quiet">
          The last one was decided <Moment at={last.decided_at} relative />:
        </p>
      )}
      {last && (
        <a class="last-decided" href={`/holds/${last.hold}`}>
          <Sentence text={sentenceOf(last)} />
          <span class="quiet">
            <Outcome hold={last} />
          </span>
        </a>
      )}
      <p>
        <a class="button" href="/history">
          <Icon name="history" />
          History
        </a>
      </p>
    </Empty>
  );
}

// Tells listeners what came and what others decided, not what was there from the beginning.
function useTelling(holds: Hold[]): void {
  const before = useRef<Map<string, string> | null>(null);
  const { state } = queue.get();
  useEffect(() => {
    if (state !== 'ready') return;
    const known = before.current;
    before.current = new Map(holds.map((h) => [h.hold, h.status]));
    if (known === null) return;
    const fresh = holds.filter((h) => !known.has(h.hold) && h.status === 'held');
    const closed = holds.filter((h) => known.get(h.hold) === 'held' && h.status !== 'held');
    const words = [
      ...(fresh.length === 1 ? [`New: ${sentenceOf(fresh[0] as Hold)}`] : fresh.length > 1 ? [`${fresh.length} new requests`] : []),
      ...closed.map((h) => `${lookOf(h.status).word}: ${sentenceOf(h)}`),
    ];
    if (words.length > 0) announce(words.join('. '));
  }, [holds, state]);
}
