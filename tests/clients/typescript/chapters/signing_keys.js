// Keys that sign webhooks, and the set that receivers verify with.
import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { ok, refused } from '../support/client.js';

export async function signingKeys(world, step) {
  const { client } = world;

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

  await step('the public set names them by their kid until they are deleted', async () => {
    const published = async () => (await ok(client.retrieveJsonWebKeySet())).keys.map(({ kid }) => kid);
    const before = await published();
    for (const { id, kid } of world.keys) {
      assert.ok(before.includes(kid), `${kid} is not published`);
      await ok(client.deleteKey(id));
      await refused(client.retrieveKey(id), 404);
    }
    const after = await published();
    assert.ok(world.keys.every(({ kid }) => !after.includes(kid)));
  });
}
