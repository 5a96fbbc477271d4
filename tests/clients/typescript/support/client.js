// The official client, watched: which methods were called, and a short way to say what
// each call has to answer.
import assert from 'node:assert/strict';
import fusionauth from '@fusionauth/typescript-client';

const { FusionAuthClient } = fusionauth;
const called = new Set();

/** An official client whose calls are counted. */
export function connect(key) {
  const client = new FusionAuthClient(key, process.env.BEADLE_URL);
  return new Proxy(client, {
    get(target, name) {
      const member = target[name];
      if (typeof member !== 'function') return member;
      called.add(name);
      return member.bind(target);
    },
  });
}

/** The body of a call that must succeed. */
export async function ok(call, status = 200) {
  const answer = await call.catch((refusal) => assert.fail(`refused: ${show(refusal)}`));
  assert.equal(answer.statusCode, status);
  return answer.response;
}

/** What came with a call that must be refused. */
export async function refused(call, status) {
  const answer = await call.then(
    (success) => assert.fail(`not refused: ${show(success)}`),
    (refusal) => refusal,
  );
  assert.equal(answer.statusCode, status, show(answer));
  return answer.exception;
}

/** The codes of a call that must be refused with 400, sorted. */
export async function codes(call) {
  const { fieldErrors, generalErrors } = await refused(call, 400);
  return [...Object.values(fieldErrors).flat(), ...generalErrors]
    .map((error) => error.code)
    .sort();
}

/** The methods of the list that the story has not called, and those that do not exist. */
export function missing(methods) {
  const unknown = methods.filter((name) => !(name in FusionAuthClient.prototype));
  const silent = methods.filter((name) => !called.has(name));
  return [...new Set([...unknown, ...silent])];
}

function show(answer) {
  const { exception } = answer;
  const detail = exception instanceof Error ? String(exception) : exception;
  return JSON.stringify({ status: answer.statusCode, detail, response: answer.response });
}
