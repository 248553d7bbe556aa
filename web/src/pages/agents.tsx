import { api, type Agent } from '../api.ts';
import { Empty, Failure, focusSearch, Owner, Search, Skeleton } from '../components/basics.tsx';
import { Outside } from '../components/text.tsx';
import { Moment } from '../components/time.tsx';
import { plural } from '../format.ts';
import { useKeys } from '../keys.ts';
import { readAll, useLoad } from '../load.ts';
import { place, setQuery } from '../router.ts';
import { agentPlace, className } from '../sentences.ts';
import { useStore } from '../store.ts';

export function Agents() {
  const { query } = useStore(place);
  const q = query.get('q') ?? '';
  const agents = useLoad(() => readAll(api.agents), 'agents');
  useKeys({ '/': focusSearch });
  const words = q.toLowerCase();
  const shown = (agents.value ?? []).filter((a) =>
    [a.name, a.owner, a.class, a.purpose ?? '', a.status, ...a.scopes].join('\n').toLowerCase().includes(words),
  );
  return (
    <div class="page">
      <header class="page-head">
        <h1 tabIndex={-1}>Agents</h1>
        {agents.value && <p class="quiet">{plural(agents.value.length, 'agent')}, each with somebody who answers for it</p>}
      </header>
      {agents.error !== null && <Failure error={agents.error} again={agents.again} />}
      {agents.value === null && agents.error === null && <Skeleton label="Loading agents" />}
      {agents.value !== null && agents.value.length > 0 && (
        <div class="filters" role="search">
          <Search value={q} label="Search agents" onInput={(text) => setQuery({ q: text })} />
        </div>
      )}
      {agents.value !== null && shown.length === 0 && (
        <Empty icon="agents" title={q ? 'No agent matches.' : 'There are no agents yet.'}>
          {!q && (
            <p class="quiet">
              An operator adds one with <code>sallyport agent add</code>.
            </p>
          )}
        </Empty>
      )}
      <ul class="cards" role="list">
        {shown.map((agent) => (
          <AgentCard agent={agent} key={agent.id} />
        ))}
      </ul>
    </div>
  );
}

const TONES: Record<string, string> = { active: 'good', suspended: 'odd', revoked: 'bad' };

function AgentCard({ agent }: { agent: Agent }) {
  return (
    <li class="card item">
      <header>
        <h2>
          <a href={agentPlace(agent.name)}>{agent.name}</a>
        </h2>
        <span class={`status ${TONES[agent.status] ?? 'none'}`}>{agent.status}</span>
      </header>
      {agent.purpose && (
        <p>
          <Outside text={agent.purpose} />
        </p>
      )}
      <dl class="facts">
        <div>
          <dt>Class</dt>
          <dd>{className(agent)}</dd>
        </div>
        <div>
          <dt>Owner</dt>
          <dd>
            <Owner owner={agent.owner} />
          </dd>
        </div>
        <div>
          <dt>May reach</dt>
          <dd>
            {agent.scopes.length === 0
              ? 'nothing'
              : agent.scopes.map((scope) => (
                  <span class="pill" title={scope.endsWith(':read') ? 'GET, HEAD and OPTIONS only' : 'every method'}>
                    {scope}
                  </span>
                ))}
          </dd>
        </div>
        <div>
          <dt>Last seen</dt>
          <dd>{agent.last_seen_at ? <Moment at={agent.last_seen_at} relative /> : <span class="quiet">never</span>}</dd>
        </div>
      </dl>
    </li>
  );
}
