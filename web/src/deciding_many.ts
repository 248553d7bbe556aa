// Several holds decided one after the other: each has its own statement and its own signature, and one that fails stops no other,
// unless going on could not help or would not be safe.
import { Refusal, type Hold, type Person, type Verb } from './api.ts';
import { decide, decisionInWords, type Decided } from './decide.ts';

export type Row = { state: 'deciding' } | { state: 'decided'; hold: Hold } | { state: 'failed'; why: string };

export interface Run {
  done: number;
  of: number;
  stopped: string | null; // why it ended before the last
}

type One = (hold: Hold, decision: Verb, reason: string | null, me: Person) => Promise<Decided>;
const usual: One = (hold, decision, reason, me) => decide(hold, decision, reason, me, () => {});

// Only the gateway's own no to this hold lets the others go on: it is closed meanwhile, has changed, or is not this person's.
const passes = (error: unknown) =>
  error instanceof Refusal && ['hold-closed', 'no-hold', 'not-eligible', 'statement-stale', 'conflict', 'assurance-too-low'].includes(error.problem);

export async function decideMany(
  holds: Hold[],
  decision: Verb,
  reason: string | null,
  me: Person,
  row: (hold: string, now: Row) => void,
  progress: (run: Run) => void,
  goesOn: () => boolean,
  one: One = usual,
): Promise<Run> {
  const run: Run = { done: 0, of: holds.length, stopped: null };
  for (const hold of holds) {
    if (!goesOn()) {
      run.stopped = 'You stopped it.';
      break;
    }
    progress({ ...run });
    row(hold.hold, { state: 'deciding' });
    try {
      row(hold.hold, { state: 'decided', hold: (await one(hold, decision, reason, me)).hold });
      run.done++;
    } catch (error) {
      const why = decisionInWords(error);
      row(hold.hold, { state: 'failed', why });
      if (!passes(error)) {
        run.stopped = why;
        break;
      }
    }
  }
  progress({ ...run });
  return run;
}
