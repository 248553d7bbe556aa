// Breaking the glass: an approval alone, by those whom the workflow names for that. A separate act, and made to look like one.
import { useState } from 'preact/hooks';
import type { Hold } from '../api.ts';
import { Dialog } from './basics.tsx';
import { Icon } from './icon.tsx';
import { Outside } from './text.tsx';
import { Moment } from './time.tsx';

interface Props {
  hold: Hold;
  ready: boolean; // all of it is shown and sound, and nothing else is under way
  label: string | null; // what is under way
  onBreak: (reason: string) => void;
}

export function BreakGlass({ hold, ready, label, onBreak }: Props) {
  const [asking, setAsking] = useState(false);
  const [reason, setReason] = useState('');
  if (hold.status !== 'held' || !hold.may_break_glass) return null;
  const given = reason.trim();
  return (
    <section class="card glass" aria-label="Break-glass">
      <p>
        <Icon name="warning" /> In an emergency you may approve this alone, whatever it still needs. Everybody concerned is told.
      </p>
      <button type="button" class="button break-glass" disabled={!ready} onClick={() => setAsking(true)}>
        {label ?? 'Break glass…'}
      </button>
      {asking && (
        <Dialog title="Break the glass?" onClose={() => setAsking(false)}>
          <form
            class="glass-form"
            onSubmit={(event) => {
              event.preventDefault();
              if (!given || !ready) return;
              setAsking(false);
              onBreak(given);
            }}
          >
            <p class="note bad">
              <Icon name="warning" />
              <span>
                It is sent at once, without the approvals that its rules ask for. All who are asked, the agent’s owners and all who may break the
                glass are told that it was you, and why; the record keeps it for ever.
              </span>
            </p>
            <label class="reason">
              <span>Why can it not wait?</span>
              <textarea rows={3} required maxLength={2000} value={reason} onInput={(event) => setReason(event.currentTarget.value)} />
            </label>
            <button type="submit" class="button deny strong wide" disabled={!given || !ready}>
              <Icon name="key" />
              Break the glass and approve alone
            </button>
          </form>
        </Dialog>
      )}
    </section>
  );
}

// For ever on the hold: who did, when and why.
export function GlassBroken({ hold }: { hold: Hold }) {
  const broken = hold.decisions.find((d) => d.break_glass);
  if (!broken) return null;
  return (
    <section class="card glass-broken" aria-labelledby="glass-title">
      <h2 id="glass-title">
        <Icon name="warning" /> Break-glass
      </h2>
      <p>
        <b>
          <Outside text={broken.by.name} />
        </b>{' '}
        approved this alone, <Moment at={broken.at} />, without the approvals that its rules ask for.
      </p>
      {broken.reason && (
        <q>
          <Outside text={broken.reason} />
        </q>
      )}
    </section>
  );
}
