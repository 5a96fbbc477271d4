// Drives a running Beadle with the official TypeScript client: an acceptance story, in
// which every method that Beadle promises is called at least once.
//
// Takes the address from BEADLE_URL and a key that may manage keys from
// BEADLE_MANAGER_KEY. Prints a line per step, and ends with 1 at the first that fails.
import { METHODS } from './support/methods.js';
import { missing } from './support/client.js';
import { Mailbox } from './support/mailbox.js';
import { Receiver } from './support/receiver.js';
import { keys } from './chapters/keys.js';
import { tenants } from './chapters/tenants.js';
import { users } from './chapters/users.js';
import { applications } from './chapters/applications.js';
import { templates } from './chapters/templates.js';
import { webhooks } from './chapters/webhooks.js';
import { definitions } from './chapters/definitions.js';
import { temporal } from './chapters/temporal.js';
import { consent } from './chapters/consent.js';
import { options } from './chapters/options.js';
import { logs } from './chapters/logs.js';
import { signingKeys } from './chapters/signing_keys.js';
import { farewell } from './chapters/farewell.js';

const CHAPTERS = [
  keys, tenants, users, templates, webhooks, definitions, temporal, consent, options,
  applications, signingKeys, logs, farewell,
];

let count = 0;
let running = 'the beginning';

/** One line of the story; everything that must hold in it is asserted in `act`. */
async function step(what, act) {
  running = what;
  const result = await act();
  count += 1;
  console.log(`ok ${count} ${what}`);
  return result;
}

function everyMethodCalled() {
  const left = missing(Object.values(METHODS).flat());
  if (left.length !== 0) throw new Error(`not called, or not there: ${left.join(', ')}`);
}

const world = { receiver: await Receiver.start(), mailbox: await Mailbox.start() };
try {
  for (const chapter of CHAPTERS) await chapter(world, step);
  await step('every promised method was called', everyMethodCalled);
  console.log(`${count} passed, 0 failed`);
} catch (error) {
  console.error(`not ok ${count + 1} ${running}\n${error.stack}`);
  process.exitCode = 1;
} finally {
  world.receiver.stop();
  world.mailbox.stop();
}
