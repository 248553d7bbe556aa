// Being away: until when, and who decides meanwhile.
import { useState } from 'preact/hooks';
import { api, type Person } from '../api.ts';
import { readAll, useLoad } from '../load.ts';
import { announce, Wrong } from './basics.tsx';
import { Moment } from './time.tsx';

// What an input of type datetime-local holds, in the reader's zone.
const local = (time: number) => new Date(time - new Date(time).getTimezoneOffset() * 60_000).toISOString().slice(0, 16);

export function Absence({ person, onChange }: { person: Person; onChange: (person: Person) => void }) {
  const [until, setUntil] = useState(() => local(Date.now() + 7 * 86_400_000));
  const [from, setFrom] = useState('');
  const [deputy, setDeputy] = useState('');
  const [error, setError] = useState<unknown>(null);
  const [busy, setBusy] = useState(false);
  const people = useLoad(() => readAll(api.people), 'deputies');
  const others = (people.value ?? []).filter((p) => p.id !== person.id && p.status === 'active' && p.roles.includes('approver'));

  const run = async (act: () => Promise<Person>, word: string) => {
    setBusy(true);
    setError(null);
    try {
      onChange(await act());
      announce(word);
    } catch (why) {
      setError(why);
    } finally {
      setBusy(false);
    }
  };
  const away = person.away ?? null;
  return (
    <section class="absence" aria-labelledby="absence">
      <h3 id="absence">Out of office</h3>
      {away ? (
        <>
          <p>
            Away from <Moment at={away.from} /> until <Moment at={away.until} />
            {away.deputy ? `; @${away.deputy} is told and decides in your place.` : '; nobody decides in your place.'}
          </p>
          <p class="quiet small">You may still decide. What your deputy decides in your place, you cannot decide again.</p>
          <button type="button" class="button" disabled={busy} onClick={() => void run(api.back, 'You are back.')}>
            I am back
          </button>
        </>
      ) : (
        <form
          onSubmit={(event) => {
            event.preventDefault();
            const at = (text: string) => new Date(text).toISOString();
            void run(
              () => api.away({ until: at(until), ...(from ? { from: at(from) } : {}), ...(deputy ? { deputy } : {}) }),
              'You are away.',
            );
          }}
        >
          <label>
            <span>From (now, if empty)</span>
            <input type="datetime-local" value={from} onInput={(event) => setFrom(event.currentTarget.value)} />
          </label>
          <label>
            <span>Until</span>
            <input type="datetime-local" required value={until} onInput={(event) => setUntil(event.currentTarget.value)} />
          </label>
          <label>
            <span>Deputy</span>
            <select value={deputy} onChange={(event) => setDeputy(event.currentTarget.value)}>
              <option value="">nobody: I am not reached</option>
              {others.map((p) => (
                <option value={p.handle}>
                  {p.name} (@{p.handle})
                </option>
              ))}
            </select>
          </label>
          <button type="submit" class="button" disabled={busy}>
            I am away
          </button>
        </form>
      )}
      <Wrong error={error} />
    </section>
  );
}
