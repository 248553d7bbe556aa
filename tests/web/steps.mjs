// What a test finds on a page, and does between it and the gateway.
import assert from 'node:assert/strict';

export const row = (page, text) => page.locator('a.row', { hasText: text });
export const approve = (page) => page.getByRole('button', { name: /^Approve(?! similar)/ });
export const deny = (page) => page.getByRole('button', { name: /^Deny…/ });

/** Alters an answer of the API on its way to the page. */
export async function alter(page, pattern, change) {
  await page.route(pattern, async (route) => {
    const answer = await route.fetch();
    const value = await answer.json();
    await route.fulfill({ response: answer, json: change(value) ?? value });
  });
}

/**
 * Runs `act` with somebody signed in, and fails on whatever the browser complained about. Everybody keeps their browser from
 * test to test, as people do; after a failure they get another.
 */
export function company(signIn) {
  const browsers = new Map();
  return async (handle, act) => {
    const v = browsers.get(handle) ?? (await signIn(handle));
    browsers.delete(handle);
    try {
      await act(v.page, v);
      assert.deepEqual(v.complaints, []);
      await v.settle();
      browsers.set(handle, v);
    } catch (e) {
      await v.close();
      throw e;
    }
  };
}
