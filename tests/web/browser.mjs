// Chromium with a passkey: Debian's browser, driven by playwright-core, with the virtual authenticator of its
// DevTools protocol in place of a person's finger.
import { createRequire } from 'node:module';

// The packages are installed beside the pages that they build and test.
const require = createRequire(new URL('../../web/package.json', import.meta.url));
const { chromium } = require('playwright-core');
export const { AxeBuilder } = require('@axe-core/playwright');

const EXECUTABLE = process.env.CHROMIUM ?? '/usr/bin/chromium';
const FLAGS = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--disable-background-networking'];

export async function launch() {
  return chromium.launch({ executablePath: EXECUTABLE, headless: true, args: FLAGS });
}

/** A browser of somebody's own: its cookies, its passkey. Errors of the pages are collected in `complaints`. */
export async function visitor(browser, { width = 1440, height = 900, dark = false, phone = false } = {}) {
  const context = await browser.newContext({
    viewport: { width, height },
    colorScheme: dark ? 'dark' : 'light',
    locale: 'en-GB',
    timezoneId: 'Europe/Berlin',
    reducedMotion: 'reduce',
    hasTouch: phone,
    isMobile: phone,
    deviceScaleFactor: phone ? 2 : 1,
  });
  const page = await context.newPage();
  page.setDefaultTimeout(10_000);
  const complaints = [];
  page.on('pageerror', (e) => complaints.push(`error: ${e.message}`));
  page.on('console', (m) => {
    // A refused answer is no fault of the page; a broken policy (CSP, Trusted Types) or a warning is.
    if (['error', 'warning'].includes(m.type()) && !/Failed to load resource/.test(m.text())) complaints.push(`${m.type()}: ${m.text()}`);
  });
  const devtools = await context.newCDPSession(page);
  await devtools.send('WebAuthn.enable');
  const { authenticatorId } = await devtools.send('WebAuthn.addVirtualAuthenticator', {
    options: { protocol: 'ctap2', transport: 'internal', hasResidentKey: true, hasUserVerification: true, isUserVerified: true, automaticPresenceSimulation: true },
  });
  const answers = (yes) => devtools.send('WebAuthn.setUserVerified', { authenticatorId, isUserVerified: yes });
  return { context, page, complaints, answers, close: () => context.close() };
}
