import { useEffect, useState } from 'preact/hooks';
import { api, type Hold } from '../api.ts';
import { Choose, Empty, Failure, focusSearch, Search, Skeleton } from '../components/basics.tsx';
import { moveInList, HoldRow } from '../components/rows.tsx';
import { LOOKS } from '../components/state.tsx';
import { onChange } from '../events.ts';
import { dayName, parseTime } from '../format.ts';
import { useKeys } from '../keys.ts';
import { useLoad } from '../load.ts';
import { place, setQuery } from '../router.ts';
import { useStore } from '../store.ts';
import { useNow } from '../time.ts';

const PAGE = 50;
const TYPING_MS = 250;

// What is typed, once the fingers rest: each letter would otherwise be a request.
function useRested(text: string): string {
  const [rested, setRested] = useState(text);
  useEffect(() => {
    const timer = setTimeout(() => setRested(text), TYPING_MS);
    return () => clearTimeout(timer);
  }, [text]);
  return rested;
}

export function History() {
  const { query } = useStore(place);
  const filter = {
    q: query.get('q') ?? '',
    status: query.get('status') ?? '',
    agent: query.get('agent') ?? '',
    route: query.get('route') ?? '',
  };
  const asked = { ...filter, q: useRested(filter.q) };
  const [more, setMore] = useState<{ items: Hold[]; next: string | null } | null>(null);
  const [moreError, setMoreError] = useState<unknown>(null);
  const what = JSON.stringify(asked);
  const first = useLoad(() => api.holds({ ...asked, limit: PAGE }), what);
  useEffect(() => {
    setMore(null);
    setMoreError(null);
  }, [what]);
  useEffect(() => onChange(() => first.again()), [first.again]);
  useKeys({ j: () => moveInList(1), k: () => moveInList(-1), '/': focusSearch });

  const items = unique([...(first.value?.items ?? []), ...(more?.items ?? [])]);
  const next = more ? more.next : (first.value?.next ?? null);
  const loadMore = async () => {
    if (next === null) return;
    try {
      const page = await api.holds({ ...asked, limit: PAGE, cursor: next });
      setMore({ items: [...(more?.items ?? []), ...page.items], next: page.next });
      setMoreError(null);
    } catch (error) {
      setMoreError(error);
    }
  };
  const agents = [...new Set([...items.map((h) => h.agent.name), filter.agent])].filter(Boolean).sort();
  const routes = [...new Set([...items.map((h) => h.route), filter.route])].filter(Boolean).sort();
  const any = Boolean(filter.q || filter.status || filter.agent || filter.route);

  return (
    <div class="page">
      <header class="page-head">
        <h1 tabIndex={-1}>History</h1>
        <p class="quiet">What was asked, who decided, and what came of it</p>
      </header>
      <div class="filters" role="search">
        <Search value={filter.q} label="Search the history" hint="Search" onInput={(q) => setQuery({ q })} />
        <Choose
          label="Status"
          value={filter.status}
          choices={[{ value: '', word: 'Any outcome' }, ...Object.entries(LOOKS).map(([value, look]) => ({ value, word: look.word }))]}
          onChange={(status) => setQuery({ status })}
        />
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
      {first.error !== null && <Failure error={first.error} again={first.again} />}
      {first.value === null && first.error === null && <Skeleton rows={8} label="Loading the history" />}
      {first.value !== null && items.length === 0 && (
        <Empty icon="history" title={any ? 'Nothing matches.' : 'Nothing was held yet.'}>
          {any && (
            <a class="button" href="/history">
              Show everything
            </a>
          )}
        </Empty>
      )}
      <Days items={items} />
      {moreError !== null && <Failure error={moreError} />}
      {next !== null && (
        <p class="more">
          <button type="button" class="button" onClick={() => void loadMore()}>
            Show older
          </button>
        </p>
      )}
    </div>
  );
}

function unique(items: Hold[]): Hold[] {
  return [...new Map(items.map((h) => [h.hold, h])).values()];
}

function Days({ items }: { items: Hold[] }) {
  const now = useNow();
  const days: { name: string; holds: Hold[] }[] = [];
  for (const hold of items) {
    const name = dayName(parseTime(hold.created_at) ?? 0, now);
    const last = days.at(-1);
    if (last?.name === name) last.holds.push(hold);
    else days.push({ name, holds: [hold] });
  }
  return (
    <>
      {days.map((day) => (
        <section class="rows-section" key={day.name}>
          <h2 class="rows-title">{day.name}</h2>
          <ul class="rows past" role="list">
            {day.holds.map((hold) => (
              <li key={hold.hold}>
                <HoldRow hold={hold} settled={false} history />
              </li>
            ))}
          </ul>
        </section>
      ))}
    </>
  );
}
