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
  // On a phone Enter is a new line, and the button sends.
  await page.getByRole('button', { name: 'Send' }).click();
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

/** What stands at the side: People, Settings, Help. On a phone the way there is through the list of rooms. */
export async function visit(page, name) {
  const back = page.getByRole('button', { name: 'Back to the rooms' });
  if (await back.isVisible()) await back.click();
  await page.locator('.side').getByRole('button', { name }).click();
  await page.getByRole('heading', { level: 1, name }).waitFor();
}

/** Opens a room that stands in the list. */
export async function enter(page, name) {
  await page.locator('.side').getByRole('listitem').filter({ hasText: name }).getByRole('button').click();
  await inRoom(page);
}

/** Makes an account, as far as the screen that shows the words; they are given back. */
export async function account(page, name) {
  await visit(page, 'People');
  await page.getByRole('button', { name: 'Make an account' }).click();
  await page.getByLabel('Your name').fill(name);
  await page.getByRole('button', { name: 'Make an account' }).click();
  const list = page.getByRole('list', { name: 'Recovery words' });
  await list.waitFor();
  return list.locator('li > span:last-child').allTextContents();
}

/** Says that the words are written down, and gives the two that are asked for. */
export async function keepWords(page, words) {
  await page.getByRole('button', { name: 'I have written them down' }).click();
  for (const field of await page.getByLabel(/^Word \d+$/).all()) {
    const label = await field.evaluate((input) => input.labels[0].textContent);
    await field.fill(words[Number(label.replace(/\D/g, '')) - 1]);
  }
  await page.getByRole('button', { name: 'Check' }).click();
  await page.getByRole('button', { name: 'My contact link' }).waitFor();
}

/** The own contact link, out of its dialog. */
export async function contactLink(page) {
  await visit(page, 'People');
  await page.getByRole('button', { name: 'My contact link' }).click();
  const link = await page.getByRole('dialog').locator('.code').textContent();
  await page.getByRole('dialog').getByRole('button', { name: 'Close' }).click();
  return link.trim();
}

/** Asks somebody by their link. */
export async function ask(page, link, word) {
  await visit(page, 'People');
  await page.getByRole('button', { name: 'Add somebody' }).click();
  await page.getByLabel('Their contact link').fill(link);
  await page.getByLabel('A word to them').fill(word);
  await page.getByRole('button', { name: 'Ask them' }).click();
  await page.getByRole('heading', { name: 'About this contact' }).waitFor();
}

/** The screen that compares with somebody. */
export async function compareWith(page, name) {
  await visit(page, 'People');
  await page.getByRole('button', { name: `Compare with ${name}` }).click();
  await page.locator('.phrase').waitFor();
}

/** Nothing is open, and what can be begun with is there: the heading alone stands on the first page, before there is a program. */
export const begun = (page) => page.getByRole('button', { name: 'Make a room Share' }).waitFor();
