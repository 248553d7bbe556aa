// What waits, for the inbox, the count in the title, and the next one after a decision. Live: changes come in by the
// stream, and what somebody else decided stays a moment with its outcome.
import { api, Refusal, type Hold } from './api.ts';
import { onChange, type Change } from './events.ts';
import { parseTime } from './format.ts';
import { session } from './session.ts';
import { store } from './store.ts';

export interface Queue {
  state: 'loading' | 'ready' | 'failed';
  error: unknown;
  holds: Hold[]; // what expires first stands first
  settled: ReadonlySet<string>; // those among `holds` that are decided, and fade
  cut: boolean; // more wait than are listed here
}

const PAGE = 100;
const PAGES = 10;
const FADE_MS = 8_000;

export const queue = store<Queue>({ state: 'loading', error: null, holds: [], settled: new Set(), cut: false });

let turn = 0;
let edits = 0;
const edited = new Map<string, number>(); // when what is known of a hold last changed, in counts of `edits`
const decidedHere = new Set<string>(); // one's own decisions need no telling

const order = (a: Hold, b: Hold) =>
  (parseTime(a.expires_at) ?? Infinity) - (parseTime(b.expires_at) ?? Infinity) || (a.hold < b.hold ? -1 : 1);

function put(hold: Hold): void {
  edited.set(hold.hold, ++edits);
  const now = queue.get();
  const others = now.holds.filter((h) => h.hold !== hold.hold);
  const settled = new Set(now.settled);
  const known = others.length !== now.holds.length;
  if (hold.status === 'held') {
    settled.delete(hold.hold);
    queue.set({ ...now, holds: [...others, hold].sort(order), settled });
  } else if (known && !decidedHere.has(hold.hold)) {
    if (!settled.has(hold.hold)) setTimeout(() => remove(hold.hold), FADE_MS);
    settled.add(hold.hold);
    queue.set({ ...now, holds: [...others, hold].sort(order), settled });
  } else if (known) {
    remove(hold.hold);
  }
}

function remove(id: string): void {
  edited.set(id, ++edits);
  const now = queue.get();
  const settled = new Set(now.settled);
  settled.delete(id);
  queue.set({ ...now, holds: now.holds.filter((h) => h.hold !== id), settled });
}

async function readOne(id: string): Promise<void> {
  const mine = ++edits;
  edited.set(id, mine);
  try {
    const hold = await api.peek(id);
    if (edited.get(id) === mine) put(hold); // else a later reading is on its way, or was here
  } catch (error) {
    // Not for this person any more; where nobody answered, the next reload tells.
    if (error instanceof Refusal && edited.get(id) === mine) remove(id);
  }
}

export async function reload(): Promise<void> {
  const mine = ++turn;
  const since = edits;
  const found: Hold[] = [];
  let cursor: string | null = null;
  try {
    for (let page = 0; page < PAGES; page++) {
      const part = await api.holds({ status: 'held', limit: PAGE, ...(cursor ? { cursor } : {}) });
      found.push(...part.items);
      cursor = part.next;
      if (cursor === null) break;
    }
  } catch (error) {
    if (turn !== mine) return;
    const before = queue.get();
    queue.set({ ...before, state: before.state === 'ready' ? 'ready' : 'failed', error });
    return;
  }
  if (turn !== mine) return;
  const before = queue.get();
  // What was learnt of one hold while the list was on its way is newer than the list.
  const newer = (h: Hold) => (edited.get(h.hold) ?? 0) > since;
  const listed = found.filter((h) => !newer(h));
  const others = before.holds.filter((h) => !listed.some((f) => f.hold === h.hold));
  const gone = others.filter((h) => !newer(h) && !before.settled.has(h.hold));
  queue.set({ ...before, state: 'ready', error: null, holds: [...listed, ...others].sort(order), cut: cursor !== null });
  for (const hold of gone) void readOne(hold.hold); // what became of it
}

// What this person did on the page of one hold: it leaves the list at once, or waits for others.
export function decidedBySelf(hold: Hold): void {
  if (hold.status === 'held') decidedHere.delete(hold.hold);
  else decidedHere.add(hold.hold);
  put(hold);
}

export const forMe = (q: Queue) => q.holds.filter((h) => h.may_decide && h.status === 'held');

export function nextAfter(q: Queue, id: string): Hold | null {
  const mine = forMe(q).filter((h) => h.hold !== id);
  return mine[0] ?? null;
}

export function follow(): void {
  onChange((change: Change | null) => {
    if (session.get().state !== 'in') return;
    if (change === null) void reload();
    else if (change.status === 'held' || queue.get().holds.some((h) => h.hold === change.hold)) void readOne(change.hold);
  });
  let was = '';
  const attend = () => {
    const now = session.get().state;
    if (now === 'in' && was !== 'in') void reload();
    was = now;
  };
  session.watch(attend);
  attend();
}
