// Alike requests together: selected, decided one after the other, each signed by itself.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { launch } from './browser.mjs';
import { CALLS } from './scene.mjs';
import { alter, company } from './steps.mjs';
import { signedIn, World } from './world.mjs';

let world, browser;

before(async () => {
  world = await World.start();
  browser = await launch();
  for (const handle of ['ada', 'grace']) await as(handle, () => {});
}, { timeout: 60_000 });
after(async () => {
  await browser?.close();
  await world?.close();
});

const as = company((handle) => signedIn(world, browser, handle));
const read = async (page, id) => (await (await page.request.get(`${world.url}/api/v1/holds/${id}?shown=false`)).json()).hold;
const rows = (page) => page.locator('.batch-table tbody tr');
const all = (page) => page.getByRole('checkbox', { name: 'Select all that stand here whole' });
const status = (page, words) => page.locator('.batch-decide').getByRole('status').filter({ hasText: words });

async function together(page, calls) {
  const ids = [];
  for (const call of calls) ids.push(await world.hold(call));
  const { alike } = await read(page, ids[0]);
  await page.goto(`${world.url}/alike/${alike}`);
  await all(page).waitFor();
  return ids;
}

describe('alike requests', { concurrency: 1 }, () => {
  it('stack in the inbox, and are looked at together from there', async () => {
    for (const price of ['7.00', '8.00', '9.00']) await world.hold(CALLS.price('shade', price));
    await as('ada', async (page) => {
      await page.goto(`${world.url}/?q=shade`);
      await page.getByRole('link', { name: 'Look at all of them together' }).click();
      await page.getByRole('heading', { name: '3 alike requests' }).waitFor();
      // What they share is said once, what differs is a table, and amounts are summed.
      assert.match(await page.locator('.shared').innerText(), /body \/article\s+"shade"/);
      assert.deepEqual((await page.locator('.batch-table tbody tr').allInnerTexts()).map((t) => /(\d\.00)/.exec(t)[1]).sort(), ['7.00', '8.00', '9.00']);
      await page.getByText('24.00 EUR').waitFor();
      assert.equal(await page.getByText('This rule asks for your session only').count(), 1);
    });
  });

  it('by the session they are decided with one press, without a passkey', async () => {
    await as('ada', async (page) => {
      const asked = [];
      page.on('request', (r) => r.method() === 'POST' && asked.push(new URL(r.url()).pathname.split('/').slice(-2)));
      await page.goto(`${world.url}/?q=shade`);
      await page.getByRole('link', { name: 'Look at all of them together' }).click();
      await all(page).check();
      await page.getByRole('button', { name: 'Approve 3' }).click();
      await status(page, '3 of 3 decided').waitFor();
      assert.equal(asked.filter(([, what]) => what === 'statement').length, 3);
      assert.equal(new Set(asked.filter(([, what]) => what === 'decisions').map(([hold]) => hold)).size, 3);
    });
  });

  it('each is signed by itself, one after the other, with one reason', async () => {
    await as('grace', async (page) => {
      const ids = await together(page, ['search', 'basket', 'mailer', 'ledger'].map((name) => CALLS.deploy(name)));
      const bodies = [];
      page.on('request', (r) => r.method() === 'POST' && r.url().endsWith('/decisions') && bodies.push(r.postDataJSON()));
      await all(page).check();
      await page.getByRole('textbox', { name: /^Reason/ }).fill('Thursday’s train');
      await page.getByRole('button', { name: 'Approve 4' }).click();
      await status(page, '4 of 4 decided').waitFor();
      const statements = bodies.map((b) => JSON.parse(b.statement));
      assert.deepEqual(statements.map((s) => s.hold).sort(), [...ids].sort());
      assert.ok(statements.every((s) => s.reason === 'Thursday’s train'));
      assert.equal(new Set(bodies.map((b) => b.assertion.response.signature)).size, 4);
      for (const id of ids) assert.equal((await read(page, id)).decisions[0].reason, 'Thursday’s train');
    });
  });

  it('one that is closed meanwhile says so on its row, and the others go on', async () => {
    await as('grace', async (page) => {
      const ids = await together(page, ['one', 'two', 'three'].map((name) => CALLS.deploy(name)));
      const problem = { type: 'urn:sallyport:problem:hold-closed', title: 'closed', status: 409, detail: 'This hold is denied.' };
      await page.route(`**/holds/${ids[1]}/statement`, (route) => route.fulfill({ status: 409, json: problem }));
      await all(page).check();
      await page.getByRole('button', { name: 'Deny 3' }).click();
      await status(page, '2 of 3 decided').waitFor();
      await rows(page).filter({ hasText: '"two"' }).getByText('closed already').waitFor();
      assert.equal((await read(page, ids[0])).status, 'denied');
      assert.equal((await read(page, ids[1])).status, 'held');
      assert.equal((await read(page, ids[2])).status, 'denied');
      await page.unrouteAll();
    });
  });

  it('a closed prompt ends it, and what was decided stays decided', async () => {
    await as('grace', async (page, v) => {
      await together(page, ['four', 'five'].map((name) => CALLS.deploy(name)));
      await v.answers(false);
      await all(page).check();
      await page.getByRole('button', { name: /^Approve \d/ }).click();
      await status(page, /^0 of \d decided/).waitFor();
      await v.answers(true);
    });
  });

  it('what is not whole is not selected with the others, and not approved here', async () => {
    await as('grace', async (page) => {
      await alter(page, '**/api/v1/holds?alike=*', (listed) => {
        const { body } = listed.holds[0].request;
        body.text = body.text.replace('production', 'productiom');
      });
      await together(page, ['six', 'seven'].map((name) => CALLS.deploy(name)));
      const odd = rows(page).filter({ hasText: 'Open it by itself.' });
      assert.equal(await odd.count(), 1);
      await all(page).check();
      assert.equal(await odd.getByRole('checkbox').isChecked(), false);
      await odd.getByRole('checkbox').check();
      assert.equal(await page.getByRole('button', { name: /^Approve \d/ }).isDisabled(), true);
      assert.equal(await page.getByRole('button', { name: /^Deny \d/ }).isDisabled(), false);
      await page.unrouteAll();
    });
  });

  it('what was selected is signed as it was shown, or not at all', async () => {
    await as('grace', async (page, v) => {
      await together(page, ['eight'].map((name) => CALLS.deploy(name)));
      await alter(page, '**/statement', (answer) => {
        answer.statement = answer.statement.replace('"approve"', '"deny"');
      });
      await all(page).check();
      await page.getByRole('button', { name: /^Approve \d/ }).click();
      await status(page, 'Nothing was signed').waitFor();
      assert.equal(v.complaints.length, 0);
      await page.unrouteAll();
    });
  });
});

describe('load', () => {
  it('is there from one’s account, and says how often one was asked', async () => {
    await as('ada', async (page) => {
      await page.goto(world.url);
      await page.getByRole('button', { name: /your account/ }).click();
      await page.getByRole('link', { name: 'My load' }).click();
      await page.getByRole('heading', { name: 'My load' }).waitFor();
      await page.locator('.figures').getByText('3 approved, 0 denied').waitFor();
      assert.equal(await page.locator('.days tbody tr').count(), 7);
      await page.getByRole('radio', { name: '30 days' }).check();
      await page.locator('.days tbody tr').nth(29).waitFor();
      assert.equal(await page.getByRole('heading', { name: 'Everybody' }).count(), 0);
    });
  });
});
