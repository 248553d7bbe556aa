// Who is asked and when, who decides in whose place, and the glass, as people see them.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { launch } from './browser.mjs';
import { CALLS } from './scene.mjs';
import { approve, company, row } from './steps.mjs';
import { signedIn, World } from './world.mjs';

let world, browser;
const someone = () => `c_${process.pid}x`; // a customer of this test's own

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

const open = async (page, id) => {
  await page.goto(`${world.url}/holds/${id}`);
  await page.getByText(/Whole, checked here|Not whole/).waitFor();
};

describe('escalation', () => {
  it('the ladder is a list of steps with their people and times, and says what is now', async () => {
    const id = await world.hold(CALLS.closing('2026-01'));
    await as('ada', async (page) => {
      await open(page, id);
      const steps = page.getByRole('list', { name: 'Steps of the workflow both-teams' }).getByRole('listitem');
      assert.equal(await steps.count(), 3);
      const [first, second, last] = await steps.allInnerTexts();
      assert.match(first, /Step 1\s+now/);
      assert.match(first, /Ada Lovelace, Grace Hopper by inbox/);
      assert.match(first, /Reminders /);
      assert.match(second, /Step 2\s+later/);
      assert.match(second, /Grace Hopper/);
      assert.match(last, /^Expires /);
      assert.equal(await steps.nth(0).getAttribute('aria-current'), 'step');
      assert.match(await steps.nth(1).locator('time').first().getAttribute('title'), / UTC$/);
      await page.getByText('Still missing: one more of team finance, one more of team platform').waitFor();
    });
  });

  it('one of each team: who is still missing is said in words', async () => {
    const id = await world.hold(CALLS.closing('2026-02'));
    await as('ada', async (page) => {
      await open(page, id);
      await approve(page).click();
      await page.getByText('Your approval is in. Still missing: one more of team platform.').waitFor();
      await page.getByText('team finance: 1 of 1').waitFor();
    });
  });

  it('the glass is broken only by whom it is for, with a reason, and shows for ever', async () => {
    const id = await world.hold(CALLS.closing('2026-03'));
    await as('grace', async (page) => {
      await open(page, id);
      assert.equal(await page.getByRole('button', { name: 'Break glass…' }).count(), 0);
    });
    await as('ada', async (page) => {
      await open(page, id);
      await page.getByRole('button', { name: 'Break glass…' }).click();
      const go = page.getByRole('button', { name: 'Break the glass and approve alone' });
      assert.equal(await go.isDisabled(), true);
      await page.getByRole('textbox', { name: 'Why can it not wait?' }).fill('The auditors are at the door');
      await go.click();
      await page.getByText(/upstream answered 201/).waitFor();
      await page.getByRole('heading', { name: 'Break-glass' }).waitFor();
      await page.goto(`${world.url}/history?q=2026-03`);
      await row(page, '2026-03').waitFor();
    });
    await as('grace', async (page) => {
      await open(page, id);
      await page.getByText('The auditors are at the door').first().waitFor();
    });
  });

  it('what is signed for an ordinary approval cannot be made a broken glass on the way', async () => {
    const id = await world.hold(CALLS.closing('2026-04'));
    await as('ada', async (page) => {
      await page.route('**/statement', (route) => route.continue({ postData: JSON.stringify({ decision: 'approve', break_glass: true, reason: 'sly' }) }));
      await open(page, id);
      await approve(page).click();
      await page.getByRole('alert').filter({ hasText: 'Nothing was signed' }).waitFor();
      await page.unroute('**/statement');
    });
  });

  it('whoever goes away names a deputy, who decides in their place and is told so', async () => {
    await as('ada', async (page) => {
      await page.goto(world.url);
      await page.getByRole('button', { name: /your account/ }).click();
      await page.getByRole('combobox', { name: 'Deputy' }).selectOption('edsger');
      await page.getByRole('button', { name: 'I am away' }).click();
      await page.getByText('@edsger is told and decides in your place.').waitFor();
    });
    const id = await world.hold(CALLS.refund(someone()));
    await as('edsger', async (page) => {
      await open(page, id);
      await page.getByText(/You decide in place of Ada Lovelace, away until/).waitFor();
      await approve(page).click();
      await page.getByText(/upstream answered 201/).waitFor();
      await page.getByText(/in place of Ada Lovelace/).first().waitFor();
      await page.goto(`${world.url}/people`);
      await page.getByText('deputy @edsger').waitFor();
    });
    await as('ada', async (page) => {
      await page.goto(world.url);
      await page.getByRole('button', { name: /your account/ }).click();
      await page.getByRole('button', { name: 'I am back' }).click();
      await page.getByRole('button', { name: 'I am away' }).waitFor();
    });
  });
});
