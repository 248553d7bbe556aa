// The ladder of a hold: who is asked in which step, by what, when it began or will, and what is now. An ordered list, so that it
// reads the same aloud as it looks.
import type { Hold, Represented, Step, Workflow } from '../api.ts';
import { Icon, type IconName } from './icon.tsx';
import { Outside } from './text.tsx';
import { Moment } from './time.tsx';

const STATES: Record<Step['state'], { word: string; icon: IconName }> = {
  over: { word: 'over', icon: 'check' },
  skipped: { word: 'skipped, it reached nobody', icon: 'next' },
  now: { word: 'now', icon: 'dot' },
  waits: { word: 'waits for its hours', icon: 'clock' },
  later: { word: 'later', icon: 'clock' },
  never: { word: 'not reached', icon: 'dot' },
};

export function Ladders({ hold }: { hold: Hold }) {
  const drawn = hold.workflows.filter((w) => w.ladder && w.ladder.length > 0);
  if (drawn.length === 0) return null;
  return (
    <section class="card ladders" aria-labelledby="ladder-title">
      <h2 id="ladder-title">Who is asked, and when</h2>
      {drawn.map((workflow) => (
        <Ladder key={workflow.name} hold={hold} workflow={workflow} named={drawn.length > 1} />
      ))}
    </section>
  );
}

function Ladder({ hold, workflow, named }: { hold: Hold; workflow: Workflow; named: boolean }) {
  return (
    <>
      {named && <h3>{workflow.name}</h3>}
      <Places workflow={workflow} />
      {(workflow.passed_over ?? []).map((p) => (
        <p class="quiet" key={`${p.handle} ${p.step}`}>
          <Outside text={p.name} /> was passed over in step {p.step}: {p.asked} asked within the hour. They may decide all the same.
        </p>
      ))}
      <ol class="ladder" aria-label={`Steps of the workflow ${workflow.name}`}>
        {(workflow.ladder ?? []).map((step) => (
          <Rung key={step.step} step={step} />
        ))}
        <li class={`rung end ${hold.status === 'held' ? 'later' : 'over'}`}>
          <p>
            {hold.status === 'held' ? (
              <>
                Expires <Moment at={hold.expires_at} />, and then nothing is sent
              </>
            ) : (
              <>
                {hold.decided_at ? 'Decided' : 'Ended'} {hold.decided_at && <Moment at={hold.decided_at} />}
              </>
            )}
          </p>
        </li>
      </ol>
    </>
  );
}

function Places({ workflow }: { workflow: Workflow }) {
  const places = workflow.places ?? [];
  if (places.length === 0) return null;
  return (
    <ul class="seats" role="list" aria-label="Approvals by whom">
      {places.map((place) => (
        <li key={place.of} class={place.given >= place.needed ? 'given' : ''}>
          <Icon name={place.given >= place.needed ? 'check' : 'dot'} />
          <span>
            {place.of}: {place.given} of {place.needed}
          </span>
        </li>
      ))}
    </ul>
  );
}

function Rung({ step }: { step: Step }) {
  const state = STATES[step.state] ?? { word: step.state, icon: 'dot' as IconName };
  const begun = step.state === 'over' || step.state === 'skipped' || step.state === 'now';
  return (
    <li class={`rung ${step.state}`} aria-current={step.state === 'now' ? 'step' : undefined}>
      <p class="rung-head">
        <b>Step {step.step}</b>
        <span class="rung-state">
          <Icon name={state.icon} />
          {state.word}
        </span>
      </p>
      {step.state !== 'never' && (
        <p class="quiet rung-time">
          {begun ? 'began' : 'begins'} <Moment at={step.begins_at} />
          {step.state !== 'skipped' && (
            <>
              , {step.state === 'over' ? 'ended' : 'ends'} <Moment at={step.ends_at} />
            </>
          )}
          {step.within && `, within the hours ${step.within}`}
        </p>
      )}
      <p>
        {step.people.length === 0 ? (
          <span class="quiet">nobody of {step.notify.join(', ')} can be reached</span>
        ) : (
          step.people.map((person, i) => (
            <span key={person.handle}>
              {i > 0 && ', '}
              <Outside text={person.name} />
              {person.in_place_of.length > 0 && (
                <span class="quiet">
                  {' '}
                  (<InPlaceOf whom={person.in_place_of} />)
                </span>
              )}
            </span>
          ))
        )}
        <span class="quiet"> by {step.via.join(', ')}</span>
      </p>
      {step.reminders.length > 0 && (
        <p class="quiet rung-time">
          {step.reminders.length === 1 ? 'Reminder ' : 'Reminders '}
          {step.reminders.slice(0, 3).map((at, i) => (
            <>
              {i > 0 && ', '}
              <Moment at={at} />
            </>
          ))}
          {step.reminders.length > 3 && ', …'}
          {step.reminded > 0 && ` · ${step.reminded} given`}
        </p>
      )}
    </li>
  );
}

export function InPlaceOf({ whom }: { whom: Represented[] }) {
  return (
    <>
      in place of{' '}
      {whom.map((away, i) => (
        <span key={away.handle}>
          {i > 0 && ' and '}
          <Outside text={away.name} />
          {away.until && (
            <>
              , away until <Moment at={away.until} />
            </>
          )}
        </span>
      ))}
    </>
  );
}
