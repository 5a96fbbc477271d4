// Keys that sign webhooks, and the set that receivers verify with.
import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { codes, ok, refused } from '../support/client.js';
import { verified } from '../support/jwt.js';

const SECRET = 'a secret of a receiver, long enough for every hash there is';

export async function signingKeys(world, step) {
  const { client, receiver } = world;
  const keySet = () => ok(client.retrieveJsonWebKeySet());

  await step('a key is generated and imported, and shows its public half only', async () => {
    const generated = await ok(client.generateKey(null, { key: { name: 'Made here', algorithm: 'ES256' } }));
    const pair = generateKeyPairSync('rsa', {
      modulusLength: 2048,
      publicKeyEncoding: { type: 'spki', format: 'pem' },
      privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
    });
    const imported = await ok(client.importKey(null, {
      key: { name: 'Brought along', algorithm: 'RS256', ...pair },
    }));
    world.keys = [generated.key, imported.key];
    for (const { id, type } of world.keys) {
      const { key } = await ok(client.retrieveKey(id));
      assert.equal(key.type, type);
      assert.match(key.publicKey, /BEGIN PUBLIC KEY/);
      assert.equal(key.privateKey, undefined);
    }
    const { keys } = await ok(client.retrieveKeys());
    assert.ok(world.keys.every(({ id }) => keys.some((key) => key.id === id)));
  });

  await step('there is a key for every algorithm', async () => {
    for (const algorithm of ['ES384', 'ES512', 'EdDSA', 'RS384', 'RS512', 'HS256', 'HS384', 'HS512']) {
      const key = { name: `Signs ${algorithm}`, algorithm };
      const made = algorithm.startsWith('HS')
        ? await ok(client.importKey(null, { key: { ...key, secret: SECRET } }))
        : await ok(client.generateKey(null, { key }));
      assert.equal(made.key.algorithm, algorithm);
      world.keys.push(made.key);
    }
  });

  await step('with each of them a webhook is signed, and its receiver can tell', async () => {
    const userAction = { name: 'Signed' };
    const { userAction: { id: userActionId } } = await ok(client.createUserAction(null, { userAction }));
    for (const { id, algorithm, kid } of world.keys) {
      const signatureConfiguration = { enabled: true, signingKeyId: id };
      await ok(client.patchWebhook(world.webhook, { webhook: { signatureConfiguration } }));
      const action = { actioneeUserId: world.guest.id, actionerUserId: world.admin.id, userActionId };
      const { action: taken } = await ok(client.actionUser({ broadcast: true, action }));
      await receiver.event(taken.id, 'start');
      const { body, headers } = receiver.received.find(({ event }) => event.actionId === taken.id);
      const signed = verified(headers['x-fusionauth-signature-jwt'], body, await keySet(), () => SECRET);
      assert.deepEqual(signed, { alg: algorithm, kid });
    }
    await ok(client.deleteUserAction(userActionId));
  });

  await step('a key that is in use stays, and signs no longer when it is taken away', async () => {
    const { id } = world.keys.at(-1);
    assert.deepEqual(await codes(client.deleteKey(id)), ['[inUse]keyId']);
    const { webhook } = await ok(client.retrieveWebhook(world.webhook));
    const { signatureConfiguration, ...rest } = webhook;
    assert.deepEqual(signatureConfiguration, { enabled: true, signingKeyId: id });
    const { webhook: updated } = await ok(client.updateWebhook(world.webhook, { webhook: rest }));
    assert.deepEqual(updated.signatureConfiguration, { enabled: false });
  });

  await step('the public set names them by their kid until they are deleted', async () => {
    const published = async () => (await keySet()).keys.map(({ kid }) => kid);
    const before = await published();
    for (const { id, kid, publicKey } of world.keys) {
      assert.equal(before.includes(kid), publicKey !== undefined, kid);
      await ok(client.deleteKey(id));
      await refused(client.retrieveKey(id), 404);
    }
    const after = await published();
    assert.ok(world.keys.every(({ kid }) => !after.includes(kid)));
  });
}
