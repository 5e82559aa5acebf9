// What a person does in a room: join, say, read. By roles and labels alone, as a screen reader finds them.
import { until } from './support.mjs';

/** Follows a link on the relay's page and joins under a name. */
export async function join(browser, link, name, passphrase) {
  const page = await browser.open(link);
  await page.getByLabel('Your name here').fill(name);
  if (passphrase) await page.getByLabel("The room's passphrase").fill(passphrase);
  await page.getByRole('button', { name: 'Join' }).click();
  await inRoom(page);
  return page;
}

/** The room's timeline stands there and can be written into. */
export async function inRoom(page) {
  await page.getByRole('log', { name: 'Messages' }).waitFor();
  await page.getByRole('button', { name: 'Send' }).waitFor();
}

/** The field in which one writes. */
export const field = (page) => page.locator('.composer textarea');

export async function say(page, text) {
  await field(page).fill(text);
  await field(page).press('Enter');
}

/** The message with this text, when it stands there. */
export function message(page, text) {
  return page.locator('.msg', { hasText: text });
}

export async function reads(page, text) {
  await message(page, text).first().waitFor();
}

/** Until the own message is in this state. */
export async function becomes(page, text, state) {
  await until(async () => (await message(page, text).first().locator('.state').textContent())?.includes(state),
    `"${text}" becomes ${state}`);
}

/** All texts of messages that stand there, in order. */
export async function texts(page) {
  return page.locator('.msg .msg-text').allTextContents();
}
