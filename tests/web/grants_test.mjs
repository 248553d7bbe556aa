// Grants as people use them: approving similar calls, seeing what is left, ending it.
import assert from 'node:assert/strict';
import { after, before, it } from 'node:test';
import { launch } from './browser.mjs';
import { CALLS } from './scene.mjs';
import { approve, company } from './steps.mjs';
import { signedIn, World } from './world.mjs';

let world, browser;
let customers = 0;
const someone = () => `c_${++customers}x`; // a customer of this test's own

before(async () => {
  world = await World.start();
  browser = await launch();
  // Somebody has to be reachable before anything can be held.
  for (const handle of ['ada', 'grace']) await as(handle, () => {});
}, { timeout: 60_000 });
after(async () => {
  await browser?.close();
  await world?.close();
});

const as = company((handle) => signedIn(world, browser, handle));
const open = async (page, id) => {
  await page.goto(`${world.url}/holds/${id}`);
  await page.getByText('Whole, checked here').waitFor();
};

it('similar calls are approved along, pass, and are held again once that is revoked', async () => {
  const customer = someone(), call = CALLS.refund(customer, '700.00');
  const id = await world.hold(call);
  await as('ada', async (page) => {
    await open(page, id);
    await page.keyboard.press('s');
    await page.getByText('Last week').first().waitFor();
    const passes = page.locator('.passes');
    assert.match(await passes.textContent(), /The next 10 calls of refund-bot to POST \/v1\/refunds with these very fields, amount together at most 7000, within 30 minutes/);
    // Loosened, the sentence, the sum and the numbers follow.
    await page.getByRole('spinbutton', { name: 'Calls' }).fill('3');
    await page.getByRole('combobox', { name: 'amount may be' }).selectOption('upto');
    await page.getByRole('textbox', { name: 'amount, at most' }).fill('800.00');
    await page.getByRole('combobox', { name: 'note may be' }).selectOption('any');
    assert.match(await passes.textContent(), /The next 3 calls .* with amount 0 to 800\.00 and note any string and all else as it is, amount together at most 2400/);
    // What makes no sense is said, and cannot be signed.
    await page.getByRole('textbox', { name: 'amount, at most' }).fill('1e3');
    await page.getByRole('alert').filter({ hasText: 'plain decimal' }).waitFor();
    assert.ok(await page.getByRole('button', { name: 'Approve all these' }).isDisabled());
    await page.getByRole('textbox', { name: 'amount, at most' }).fill('800.00');
    await page.getByRole('button', { name: 'Approve all these' }).click();
    await page.getByText(/upstream answered 201/).waitFor();
    await page.getByRole('link', { name: 'Similar calls pass by a grant' }).click();
    await page.getByText('0 of 3 calls used').waitFor();

    const passed = await world.hold(CALLS.refund(customer, '799.99', 'Another parcel'));
    await page.getByText('1 of 3 calls used').waitFor(); // live
    await page.getByText('amount: 799.99 of 2400 used').waitFor();
    const dearer = await world.hold(CALLS.refund(customer, '800.01'));
    await page.goto(`${world.url}/holds/${passed}`);
    await page.getByText('Nobody was asked').waitFor();
    await page.getByText(/upstream answered 201/).waitFor();
    await open(page, dearer);
    await approve(page).waitFor();

    await page.goto(`${world.url}/grants`);
    const card = page.locator('.item', { hasText: customer });
    await card.getByRole('button', { name: 'Revoke' }).click();
    await card.waitFor({ state: 'detached' });
    const held = await world.hold(CALLS.refund(customer, '799.99', 'Another parcel'));
    await open(page, held);
    await approve(page).waitFor();
  });
});

it('two who sign the same leave a grant behind; the second is shown what the first proposed', async () => {
  const id = await world.hold(CALLS.payout(`${7000 + ++customers}.00`));
  await as('grace', async (page) => {
    await open(page, id);
    await page.getByRole('button', { name: 'Approve similar…' }).click();
    await page.getByText('once 2 people have signed the same').waitFor();
    await page.getByRole('combobox', { name: 'Within' }).selectOption('an hour');
    await page.locator('.week:not(.stale)').waitFor();
    await page.getByRole('button', { name: 'Approve all these' }).click();
    await page.getByText('1 more is needed').waitFor();
  });
  await as('ada', async (page) => {
    await open(page, id);
    await page.getByRole('button', { name: 'Approve similar…' }).click();
    await page.getByText('Proposed by who approved before you').waitFor();
    assert.equal(await page.getByRole('combobox', { name: 'Within' }).inputValue(), '3600');
    await page.locator('.week:not(.stale)').waitFor();
    await page.getByRole('button', { name: 'Approve all these' }).click();
    await page.getByRole('link', { name: 'Similar calls pass by a grant' }).click();
    await page.getByText('Ada Lovelace').first().waitFor();
    await page.getByText('Grace Hopper').first().waitFor();
  });
});
