import type { Hold, HoldStatus } from '../api.ts';
import { Icon, type IconName } from './icon.tsx';
import { Outside } from './text.tsx';
import { Moment } from './time.tsx';

interface Look {
  word: string;
  tone: 'wait' | 'go' | 'good' | 'bad' | 'odd' | 'none';
  icon: IconName;
}

export const LOOKS: Record<HoldStatus, Look> = {
  held: { word: 'Waiting', tone: 'wait', icon: 'clock' },
  approved: { word: 'Approved', tone: 'go', icon: 'check' },
  releasing: { word: 'Sending', tone: 'go', icon: 'send' },
  released: { word: 'Sent', tone: 'good', icon: 'check' },
  denied: { word: 'Denied', tone: 'bad', icon: 'cross' },
  expired: { word: 'Expired', tone: 'none', icon: 'clock' },
  withdrawn: { word: 'Withdrawn', tone: 'none', icon: 'undo' },
  undeliverable: { word: 'Nobody reached', tone: 'odd', icon: 'warning' },
  void: { word: 'Void', tone: 'odd', icon: 'stop' },
  unknown: { word: 'Outcome unknown', tone: 'odd', icon: 'question' },
};

// A status of a later version is shown by its own name.
export const lookOf = (status: string): Look =>
  (LOOKS as Record<string, Look | undefined>)[status] ?? { word: status, tone: 'none', icon: 'dot' };

export function Status({ hold }: { hold: Pick<Hold, 'status'> & Partial<Pick<Hold, 'decisions'>> }) {
  const look = lookOf(hold.status);
  const broken = hold.decisions?.some((d) => d.break_glass) ?? false;
  return (
    <span class={`status ${look.tone}`}>
      <Icon name={look.icon} />
      {look.word}
      {broken && <b class="bad glass-mark">Break-glass</b>}
    </span>
  );
}

// The reasons that are names of problems; the others are words already.
const WHY_VOID: Record<string, string> = {
  'credential-missing': 'the credential that the gateway sends with it is missing',
  'upstream-unreachable': 'the upstream could not be reached in time',
};

// How it ended, or how far it is, in a sentence.
export function Outcome({ hold }: { hold: Hold }) {
  const { outcome } = hold;
  switch (hold.status) {
    case 'held':
      return <>Waits for a decision</>;
    case 'approved':
      return hold.grant ? <>Approved by a grant, about to be sent</> : <>Approved, about to be sent</>;
    case 'releasing':
      return <>Being sent</>;
    case 'released':
      if (!outcome) return <>Sent</>;
      return (
        <>
          Sent <Moment at={outcome.at} /> · upstream answered <b class={outcome.status < 400 ? 'good' : 'bad'}>{outcome.status}</b>
        </>
      );
    case 'denied':
      return <>Denied; nothing was sent</>;
    case 'expired':
      return <>Nobody decided in time; nothing was sent</>;
    case 'withdrawn':
      return <>The agent withdrew it; nothing was sent</>;
    case 'undeliverable':
      return <>Nobody who may decide could be reached; nothing was sent</>;
    case 'void':
      if (!hold.detail) return <>Policy, agent or owner no longer stood behind it; nothing was sent</>;
      return (
        <>
          Nothing was sent: <Outside text={WHY_VOID[hold.detail] ?? hold.detail} />
        </>
      );
    case 'unknown':
      return <>Sent, but no answer was seen. It is not sent again by itself: look at the upstream</>;
    default:
      return <>{hold.status}</>;
  }
}
