// Takes the pictures of web/screenshots anew, of the program itself: `node tests/web/pictures.mjs`.
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { launch } from './browser.mjs';
import { CALLS } from './scene.mjs';
import { signedIn, World } from './world.mjs';

const SCREENSHOTS = fileURLToPath(new URL('../../web/screenshots', import.meta.url));

const world = await World.start({ upstream: 'https://api.payments.example' }); // nothing here is sent
const browser = await launch();
try {
  const grace = await signedIn(world, browser, 'grace');
  const ada = await signedIn(world, browser, 'ada', { width: 1440, height: 900 });
  const phone = await signedIn(world, browser, 'ada', { width: 360, height: 760, phone: true });
  const refund = await world.hold(CALLS.refund());
  const payout = await world.hold(CALLS.payout());
  for (const call of [CALLS.refund('c_99', '650.00'), CALLS.credit()]) await world.hold(call);
  for (const price of ['39.90', '41.50', '44.00']) await world.hold(CALLS.price('lamp-2', price));

  const take = async ({ page }, name, at, colorScheme, ready) => {
    await page.emulateMedia({ colorScheme });
    await page.goto(world.url + at);
    await ready(page).waitFor();
    await page.screenshot({ path: path.join(SCREENSHOTS, `${name}.png`) });
  };
  const whole = (page) => page.getByText('Whole, checked here');

  await grace.page.goto(`${world.url}/holds/${payout}`);
  await grace.page.getByRole('button', { name: /^Approve(?! similar)/ }).click();
  await grace.page.getByText('1 more is needed').waitFor();
  await take(ada, 'inbox-light', '/', 'light', (page) => page.getByText('1/2'));
  await take(ada, 'hold-light', `/holds/${refund}`, 'light', whole);
  await take(ada, 'hold-dark', `/holds/${payout}`, 'dark', whole);
  await take(phone, 'hold-phone', `/holds/${refund}`, 'light', whole);
} finally {
  await browser.close();
  await world.close();
}
