// One line for one hold, in the inbox and in the history.
import type { Hold } from '../api.ts';
import { ownerName, sentenceOf } from '../sentences.ts';
import { lookOf, Status } from './state.tsx';
import { Sentence } from './text.tsx';
import { Moment, TimeLeft } from './time.tsx';

// Moves the focus along the rows; the first or last one when none has it.
export function moveInList(by: 1 | -1): void | false {
  const rows = [...document.querySelectorAll<HTMLAnchorElement>('a.row')];
  if (rows.length === 0) return false;
  const at = rows.indexOf(document.activeElement as HTMLAnchorElement);
  const next = at < 0 ? (by > 0 ? 0 : rows.length - 1) : Math.min(rows.length - 1, Math.max(0, at + by));
  rows[next]?.focus();
  return undefined;
}

// Who ended it, if a person did.
function closer(hold: Hold): string | null {
  if (hold.status === 'denied') return hold.decisions.find((d) => d.decision === 'deny')?.by.name ?? null;
  if (hold.grant) return 'a grant';
  if (['approved', 'releasing', 'released', 'unknown'].includes(hold.status)) return hold.decisions.filter((d) => d.decision === 'approve').at(-1)?.by.name ?? null;
  return null;
}

export function HoldRow({ hold, settled, history = false }: { hold: Hold; settled: boolean; history?: boolean }) {
  const open = hold.status === 'held' && !settled;
  const look = lookOf(hold.status);
  const by = closer(hold);
  return (
    <a class={`row ${settled ? 'settled' : ''} ${look.tone}`} href={`/holds/${hold.hold}`}>
      <span class="row-sentence">
        <Sentence text={sentenceOf(hold)} />
      </span>
      <span class="row-who">
        <span class="row-agent">{hold.agent.name}</span>
        <span class="row-owner">
          <span class="for">for</span> {ownerName(hold.agent.owner)}
        </span>
      </span>
      <span class="row-approvals">
        {open && hold.approvals.needed > 1 && (
          <span class="pill" title={`${hold.approvals.given} of ${hold.approvals.needed} approvals given`}>
            {hold.approvals.given}/{hold.approvals.needed}
            <span class="hidden"> approvals given</span>
          </span>
        )}
        {!open && by && <span class="row-by">by {by}</span>}
      </span>
      <span class="row-state">
        {open ? <TimeLeft created={hold.created_at} expires={hold.expires_at} /> : <Status hold={hold} />}
        {history && hold.outcome && hold.status === 'released' && (
          <span class={`code ${hold.outcome.status < 400 ? 'good' : 'bad'}`} title={`The upstream answered ${hold.outcome.status}`}>
            {hold.outcome.status}
          </span>
        )}
        {history && (
          <span class="row-time">
            <Moment at={hold.decided_at ?? hold.created_at} />
          </span>
        )}
      </span>
    </a>
  );
}
