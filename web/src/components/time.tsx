import { ago, duration, parseTime, timeOfDay, utc } from '../format.ts';
import { useNow } from '../time.ts';

// A moment in the reader's zone; UTC on hover and for programs.
export function Moment({ at, relative = false }: { at: string | null; relative?: boolean }) {
  const now = useNow();
  const time = parseTime(at);
  if (time === null) return <>–</>;
  return (
    <time dateTime={new Date(time).toISOString()} title={relative ? `${timeOfDay(time, now)} · ${utc(time)}` : utc(time)}>
      {relative ? ago(time, now) : timeOfDay(time, now)}
    </time>
  );
}

export type Urgency = 'calm' | 'soon' | 'now';

export interface Left {
  ms: number;
  share: number; // of the whole time, 1 at the beginning
  urgency: Urgency;
  text: string;
}

export function timeLeft(created: string, expires: string, now: number): Left {
  const from = parseTime(created) ?? now;
  const until = parseTime(expires) ?? now;
  const ms = Math.max(0, until - now);
  const share = until > from ? Math.min(1, ms / (until - from)) : 0;
  const urgency = ms < 60_000 ? 'now' : ms < 300_000 || share < 0.2 ? 'soon' : 'calm';
  return { ms, share, urgency, text: ms === 0 ? 'time is up' : duration(ms) };
}

// A ring that empties. The text beside it says the same.
export function Ring({ left }: { left: Left }) {
  const around = 2 * Math.PI * 7;
  return (
    <svg class={`ring ${left.urgency}`} viewBox="0 0 20 20" aria-hidden="true" focusable="false">
      <circle class="ring-track" cx="10" cy="10" r="7" />
      <circle
        class="ring-rest"
        cx="10"
        cy="10"
        r="7"
        transform="rotate(-90 10 10)"
        stroke-dasharray={`${(left.share * around).toFixed(2)} ${around.toFixed(2)}`}
      />
    </svg>
  );
}

export function TimeLeft({ created, expires }: { created: string; expires: string }) {
  const left = timeLeft(created, expires, useNow());
  const at = parseTime(expires);
  return (
    <span class={`time-left ${left.urgency}`}>
      <Ring left={left} />
      <time dateTime={expires} title={at === null ? '' : `until ${utc(at)}`}>
        {left.text}
      </time>
      <span class="hidden"> left</span>
    </span>
  );
}

export function TimeBar({ created, expires }: { created: string; expires: string }) {
  const now = useNow();
  const left = timeLeft(created, expires, now);
  const at = parseTime(expires);
  return (
    <div class={`time-bar ${left.urgency}`}>
      <svg viewBox="0 0 100 4" preserveAspectRatio="none" aria-hidden="true" focusable="false">
        <rect class="bar-track" width="100" height="4" />
        <rect class="bar-rest" width={(left.share * 100).toFixed(2)} height="4" />
      </svg>
      <p>
        <b>{left.text}</b> {left.ms > 0 && 'left'}
        {at !== null && (
          <span class="quiet">
            {' '}
            · until <Moment at={expires} />
          </span>
        )}
      </p>
    </div>
  );
}
