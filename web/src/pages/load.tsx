// What deciding costs: how often somebody is asked, how they decide, and how fast.
import { api, type Load, type Person } from '../api.ts';
import { Empty, Failure, Skeleton } from '../components/basics.tsx';
import { Outside } from '../components/text.tsx';
import { duration, plural } from '../format.ts';
import { readAll, useLoad } from '../load.ts';
import { place, setQuery } from '../router.ts';
import { useStore } from '../store.ts';

const SPANS = [7, 30, 90];

const share = (part: number, of: number) => (of === 0 ? 'none' : `${Math.round((part / of) * 100)} %`);
const seconds = (of: number | null) => (of === null ? 'none' : duration(of * 1000));

export function MyLoad({ me }: { me: Person }) {
  const { query } = useStore(place);
  const days = SPANS.find((n) => String(n) === query.get('days')) ?? 7;
  const everybody = me.roles.some((role) => role === 'operator' || role === 'auditor');
  const mine = useLoad(() => api.load(me.id, days), `load ${days}`);
  return (
    <div class="page load-page">
      <header class="page-head">
        <h1 tabIndex={-1}>My load</h1>
        <p class="quiet">How often you are asked, and how you decide. Fewer, better questions are the aim: tell who owns a rule when it asks too much.</p>
      </header>
      <fieldset class="segments">
        <legend class="hidden">Of how many days</legend>
        {SPANS.map((n) => (
          <label key={n}>
            <input type="radio" name="days" checked={days === n} onChange={() => setQuery({ days: n === 7 ? '' : String(n) })} />
            <span>{n} days</span>
          </label>
        ))}
      </fieldset>
      {mine.error !== null && <Failure error={mine.error} again={mine.again} />}
      {mine.value === null && mine.error === null && <Skeleton label="Loading your load" />}
      {mine.value !== null && <Own load={mine.value} />}
      {everybody && <Everybody days={days} />}
    </div>
  );
}

function Own({ load }: { load: Load }) {
  return (
    <>
      <Figures load={load} />
      {load.by_day && <Days days={load.by_day} />}
    </>
  );
}

function Figures({ load }: { load: Load }) {
  const figures: [string, string, string | undefined][] = [
    ['Asked', String(load.asked), load.asks_per_hour === null ? undefined : `${load.asked_within_hour} of at most ${load.asks_per_hour} within the hour`],
    ['Decided', String(load.decided), undefined],
    ['Approved', share(load.approved, load.decided), `${load.approved} approved, ${load.denied} denied`],
    ['Time to decide', seconds(load.seconds_to_decide.median), `half within that; nine in ten within ${seconds(load.seconds_to_decide.p90)}`],
    ['Faster than reading', share(load.fast, load.timed), `${load.fast} of ${plural(load.timed, 'decision')} of which it is known`],
    ['Passed over', String(load.passed_over), 'not told, for having been asked too often'],
  ];
  return (
    <dl class="figures">
      {figures.map(([word, figure, more]) => (
        <div class="card" key={word}>
          <dt>{word}</dt>
          <dd>
            <b>{figure}</b>
            {more && <span class="quiet">{more}</span>}
          </dd>
        </div>
      ))}
    </dl>
  );
}

function Days({ days }: { days: { day: string; asked: number; decided: number }[] }) {
  const most = Math.max(1, ...days.map((d) => Math.max(d.asked, d.decided)));
  return (
    <section class="card days" aria-labelledby="days-title">
      <h2 id="days-title">Each day (UTC)</h2>
      <div class="days-table" tabIndex={0} role="region" aria-label="Table of days">
        <table>
          <thead>
            <tr>
              <th scope="col">Day</th>
              <th scope="col">Asked</th>
              <th scope="col">Decided</th>
            </tr>
          </thead>
          <tbody>
            {days.toReversed().map((d) => (
              <tr key={d.day}>
                <th scope="row">{d.day}</th>
                <td>
                  <Bar part={d.asked} of={most} /> {d.asked}
                </td>
                <td>
                  <Bar part={d.decided} of={most} /> {d.decided}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </section>
  );
}

// Its length without a style attribute, which the pages' CSP does not let through.
function Bar({ part, of }: { part: number; of: number }) {
  return (
    <svg class="bar" viewBox="0 0 100 8" preserveAspectRatio="none" aria-hidden="true">
      <rect width={(part / of) * 100} height="8" />
    </svg>
  );
}

function Everybody({ days }: { days: number }) {
  const all = useLoad(() => readAll((filter) => api.loads({ ...filter, days })), `loads ${days}`);
  const loads = (all.value ?? []).filter((l) => l.asked + l.decided + l.passed_over > 0).sort((a, b) => b.asked - a.asked);
  return (
    <section class="everybody" aria-labelledby="everybody-title">
      <h2 id="everybody-title">Everybody</h2>
      {all.error !== null && <Failure error={all.error} again={all.again} />}
      {all.value === null && all.error === null && <Skeleton label="Loading everybody’s load" />}
      {all.value !== null && loads.length === 0 && <Empty icon="people" title="Nobody was asked anything." />}
      {loads.length > 0 && (
        <div class="card days-table" tabIndex={0} role="region" aria-label="Table of everybody">
          <table>
            <thead>
              <tr>
                {['Person', 'Asked', 'Decided', 'Approved', 'Half within', '9 in 10 within', 'Faster than reading', 'Passed over'].map((word) => (
                  <th scope="col" key={word}>
                    {word}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {loads.map((l) => (
                <tr key={l.person.id}>
                  <th scope="row">
                    <Outside text={l.person.name} />
                  </th>
                  <td>{l.asked}</td>
                  <td>{l.decided}</td>
                  <td>{share(l.approved, l.decided)}</td>
                  <td>{seconds(l.seconds_to_decide.median)}</td>
                  <td>{seconds(l.seconds_to_decide.p90)}</td>
                  <td>{share(l.fast, l.timed)}</td>
                  <td>{l.passed_over}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </section>
  );
}
