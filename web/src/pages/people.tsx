import { api, type Person } from '../api.ts';
import { Avatar, Empty, Failure, focusSearch, Search, Skeleton } from '../components/basics.tsx';
import { Outside } from '../components/text.tsx';
import { Moment } from '../components/time.tsx';
import { plural } from '../format.ts';
import { useKeys } from '../keys.ts';
import { readAll, useLoad } from '../load.ts';
import { place, setQuery } from '../router.ts';
import { personPlace } from '../sentences.ts';
import { useStore } from '../store.ts';

export function People({ me }: { me: Person }) {
  const { query } = useStore(place);
  const q = query.get('q') ?? '';
  const people = useLoad(() => readAll(api.people), 'people');
  useKeys({ '/': focusSearch });
  const words = q.toLowerCase();
  const shown = (people.value ?? []).filter((p) =>
    [p.name, p.handle, p.email ?? '', p.status, ...p.roles, ...p.teams].join('\n').toLowerCase().includes(words),
  );
  const teams = [...new Set((people.value ?? []).flatMap((p) => p.teams))].sort();
  return (
    <div class="page">
      <header class="page-head">
        <h1 tabIndex={-1}>People</h1>
        {people.value && (
          <p class="quiet">
            {plural(people.value.length, 'person', 'people')}
            {teams.length > 0 && ` in ${plural(teams.length, 'team')}`}
          </p>
        )}
      </header>
      {me.roles.some((role) => role === 'operator' || role === 'auditor') && (
        <p>
          <a href="/load">How often everybody is asked</a>
        </p>
      )}
      {people.error !== null && <Failure error={people.error} again={people.again} />}
      {people.value === null && people.error === null && <Skeleton label="Loading people" />}
      {people.value !== null && (
        <div class="filters" role="search">
          <Search value={q} label="Search people and teams" hint="Search" onInput={(text) => setQuery({ q: text })} />
        </div>
      )}
      {people.value !== null && shown.length === 0 && <Empty icon="people" title="Nobody matches." />}
      <ul class="cards" role="list">
        {shown.map((person) => (
          <li class="card item person" key={person.id}>
            <header>
              <Avatar name={person.name} />
              <div class="person-name">
                <h2>
                  <Outside text={person.name} />
                  {person.id === me.id && <span class="quiet"> (you)</span>}
                </h2>
                <p class="quiet">@{person.handle}</p>
              </div>
              <span class={`status ${person.status === 'active' ? 'good' : 'none'}`}>{person.status}</span>
            </header>
            <dl class="facts">
              <div>
                <dt>{person.roles.length === 1 ? 'Role' : 'Roles'}</dt>
                <dd>{person.roles.join(', ') || 'none'}</dd>
              </div>
              <div>
                <dt>{person.teams.length === 1 ? 'Team' : 'Teams'}</dt>
                <dd>
                  {person.teams.length === 0 ? (
                    <span class="quiet">none</span>
                  ) : (
                    person.teams.map((team) => (
                      <a class="pill" href={personPlace(team)}>
                        {team}
                      </a>
                    ))
                  )}
                </dd>
              </div>
              {Object.keys(person.labels ?? {}).length > 0 && (
                <div>
                  <dt>Labels</dt>
                  <dd>
                    {Object.entries(person.labels ?? {}).map(([key, value]) => (
                      <span class="pill" key={key}>
                        {key}={<Outside text={value} />}
                      </span>
                    ))}
                  </dd>
                </div>
              )}
              {person.away && (
                <div>
                  <dt>Away</dt>
                  <dd>
                    <Moment at={person.away.from} /> until <Moment at={person.away.until} />
                    {person.away.deputy && `, deputy @${person.away.deputy}`}
                  </dd>
                </div>
              )}
              {person.email && (
                <div>
                  <dt>E-mail</dt>
                  <dd>
                    <Outside text={person.email} />
                  </dd>
                </div>
              )}
            </dl>
          </li>
        ))}
      </ul>
    </div>
  );
}
