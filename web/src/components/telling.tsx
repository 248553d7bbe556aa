// "Tell me on this device": the switch, and the browsers in which one is told.
import { useState } from 'preact/hooks';
import { browserName } from '../format.ts';
import { useLoad } from '../load.ts';
import * as push from '../push.ts';
import { inWords } from '../session.ts';
import { Icon } from './icon.tsx';
import { Outside } from './text.tsx';
import { Moment } from './time.tsx';

const WHY_NOT = {
  unsupported: 'This browser cannot be told while it is closed. On an iPhone or iPad, add Sallyport to the Home Screen and open it there.',
  denied: 'Notifications from this address are blocked. Allow them in the settings of the browser, then come back.',
};

function inWordsOfPush(error: unknown): string {
  // The browser's own: its push service is away, or a policy forbids it.
  if (error instanceof DOMException) return 'The browser could not be switched on: its push service refused, or cannot be reached. Try again later.';
  return inWords(error);
}

export function Telling() {
  const telling = useLoad(push.look, 'telling');
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>(null);
  const act = (what: Promise<void>) => {
    setBusy(true);
    setError(null);
    what
      .catch((why: unknown) => {
        setError(why);
      })
      .finally(() => {
        setBusy(false);
        telling.again();
      });
  };
  const failed = error ?? telling.error;
  if (telling.value === null && failed === null) return null;
  const { state, here, browsers } = telling.value ?? { state: 'off' as const, here: null, browsers: [] };
  const possible = state === 'on' || state === 'off';
  return (
    <section class="sessions" aria-labelledby="telling">
      <h3 id="telling">Notifications</h3>
      {telling.value !== null && possible && (
        <label class="switch">
          <input
            type="checkbox"
            checked={state === 'on'}
            disabled={busy}
            onChange={(event) => act(event.currentTarget.checked ? push.switchOn() : push.switchOff(here ?? ''))}
          />
          <span>Tell me on this device</span>
        </label>
      )}
      {telling.value !== null && !possible && <p class="quiet">{WHY_NOT[state as keyof typeof WHY_NOT]}</p>}
      {telling.value !== null && possible && (
        <p class="quiet small">Says that something waits, and whose call it is; never what it is. Ends when you sign out here.</p>
      )}
      {browsers.length > 0 && (
        <ul role="list" aria-label="Browsers in which you are told">
          {browsers.map((browser) => (
            <li key={browser.id}>
              <span>
                <Outside text={browserName(browser.user_agent)} />
                {browser.id === here && <b> (this one)</b>}
                <span class="quiet small">
                  since <Moment at={browser.created_at} />, by <Outside text={browser.service} />
                </span>
              </span>
              {browser.id !== here && (
                <button
                  type="button"
                  class="button"
                  disabled={busy}
                  aria-label={`Tell me no more in ${browserName(browser.user_agent)}`}
                  onClick={() => act(push.switchOff(browser.id))}
                >
                  Remove
                </button>
              )}
            </li>
          ))}
        </ul>
      )}
      {failed !== null && (
        <p class="note bad" role="alert">
          <Icon name="warning" />
          <span>{inWordsOfPush(failed)}</span>
        </p>
      )}
    </section>
  );
}
