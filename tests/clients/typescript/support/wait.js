// Waiting for what arrives on its own.
import { setTimeout as sleep } from 'node:timers/promises';

const PATIENCE = 30_000;

/** Asks again and again until the answer is neither undefined nor false, and returns it. */
export async function until(what, ask) {
  const deadline = Date.now() + PATIENCE;
  for (;;) {
    const answer = await ask();
    if (answer !== undefined && answer !== false) return answer;
    if (Date.now() > deadline) throw new Error(`waited in vain for ${what}`);
    await sleep(20);
  }
}

export { sleep };
