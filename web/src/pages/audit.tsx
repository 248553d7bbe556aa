// The log, newest first as the gateway gives it. Everyone may check it with public tools; here it is read.
import { useEffect, useState } from 'preact/hooks';
import { api, Refusal, type AuditEntry } from '../api.ts';
import { Empty, Failure, Skeleton } from '../components/basics.tsx';
import { Outside, Pieces } from '../components/text.tsx';
import { Moment } from '../components/time.tsx';
import { inert } from '../inert.ts';
import { readAll, useLoad } from '../load.ts';
import { agentPlace, personPlace } from '../sentences.ts';
import { inWords } from '../session.ts';

interface Known {
  name: string;
  place: string;
}

// Who is behind the ids. Without an answer the ids stay, and say the same.
async function directory(): Promise<Map<string, Known>> {
  const [agents, people] = await Promise.all([readAll(api.agents), readAll(api.people)]);
  return new Map<string, Known>([
    ...agents.map((a) => [a.id, { name: a.name, place: agentPlace(a.name) }] as const),
    ...people.map((p) => [p.id, { name: p.name, place: personPlace(p.handle) }] as const),
  ]);
}

export function Audit() {
  const first = useLoad(() => api.audit(), 'audit');
  const known = useLoad(directory, 'directory').value;
  const [more, setMore] = useState<{ items: AuditEntry[]; next: string | null } | null>(null);
  const [moreError, setMoreError] = useState<unknown>(null);
  useEffect(() => setMore(null), [first.value]);
  const items = [...(first.value?.items ?? []), ...(more?.items ?? [])];
  const next = more ? more.next : (first.value?.next ?? null);
  // Not everybody may read the log; trying again would not help.
  const barred = first.error instanceof Refusal && first.error.status === 403;
  const loadMore = async () => {
    if (next === null) return;
    try {
      const page = await api.audit({ cursor: next });
      setMore({ items: [...(more?.items ?? []), ...page.items], next: page.next });
      setMoreError(null);
    } catch (error) {
      setMoreError(error);
    }
  };
  return (
    <div class="page">
      <header class="page-head">
        <h1 tabIndex={-1}>Log</h1>
        <p class="quiet">
          Every verdict, decision and release, in one Merkle tree. <code>sallyport audit export</code> and <code>audit verify</code> prove it.
        </p>
      </header>
      {barred && <Empty icon="lock" title={inWords(first.error)} />}
      {first.error !== null && !barred && <Failure error={first.error} again={first.again} />}
      {first.value === null && first.error === null && <Skeleton rows={8} label="Loading the log" />}
      {first.value !== null && items.length === 0 && <Empty icon="log" title="The log has no entry that you may read." />}
      {items.length > 0 && (
        <ol class="log" role="list">
          {items.map((entry) => (
            <Entry entry={entry} known={known} key={entry.index} />
          ))}
        </ol>
      )}
      {moreError !== null && <Failure error={moreError} />}
      {next !== null && (
        <p class="more">
          <button type="button" class="button" onClick={() => void loadMore()}>
            Show more
          </button>
        </p>
      )}
    </div>
  );
}

function Who({ id, known }: { id: string; known: Map<string, Known> | null }) {
  const who = known?.get(id);
  if (!who) return <code title={id}>{id}</code>;
  return (
    <a href={who.place} title={id}>
      {who.name}
    </a>
  );
}

function Entry({ entry, known }: { entry: AuditEntry; known: Map<string, Known> | null }) {
  const data = entry.data === null || entry.data === undefined ? null : JSON.stringify(entry.data, null, 2);
  return (
    <li class="log-entry">
      <span class="log-index">{entry.index}</span>
      <span class={`log-kind ${entry.kind}`}>{entry.kind}</span>
      <span class="log-about">
        {entry.hold ? (
          <a href={`/holds/${entry.hold}`}>
            <code>{entry.hold}</code>
          </a>
        ) : (
          entry.action && <code>{entry.action}</code>
        )}
        {entry.agent && <Who id={entry.agent} known={known} />}
        {entry.person && <Who id={entry.person} known={known} />}
      </span>
      <span class="log-time">
        <Moment at={entry.at} />
      </span>
      {data !== null && data !== '{}' && (
        <details>
          <summary>
            <Outside text={headline(entry.data)} />
          </summary>
          <pre class="exact">
            <Pieces pieces={inert(data, '\n')} />
          </pre>
        </details>
      )}
    </li>
  );
}

// An id, a digest or a key: for the details.
const isToken = (text: string) => /^\S{24,}$/.test(text);

// The few short values of an entry, as its title.
function headline(data: unknown): string {
  if (typeof data !== 'object' || data === null) return String(data);
  const short = Object.entries(data as Record<string, unknown>).filter(
    ([, v]) => (typeof v === 'string' && v !== '' && v.length <= 48 && !isToken(v)) || typeof v === 'number' || typeof v === 'boolean',
  );
  return short.length === 0 ? 'Details' : short.slice(0, 4).map(([name, v]) => `${name}: ${v}`).join(' · ');
}
