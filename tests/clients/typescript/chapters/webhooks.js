// Webhooks: a global one that stays, and another to play with.
import assert from 'node:assert/strict';
import { codes, ok, refused } from '../support/client.js';

export async function webhooks(world, step) {
  const { client, receiver } = world;
  const texts = { connectTimeout: 1000, readTimeout: 2000 };

  await step('a global webhook is registered for the event', async () => {
    const { webhook } = await ok(client.createWebhook(null, {
      webhook: {
        ...texts, url: receiver.url, global: true, eventsEnabled: { 'user.action': true },
        headers: { 'X-Story': 'typescript' },
      },
    }));
    receiver.trust(webhook.signingSecret);
    world.webhook = webhook.id;
    const { webhook: found } = await ok(client.retrieveWebhook(webhook.id));
    assert.equal(found.url, receiver.url);
    assert.equal(found.signingSecret, undefined);
  });

  await step('a webhook is updated, patched, listed, searched and deleted', async () => {
    const webhook = { ...texts, url: 'https://dead.example/hook', description: 'Dead end' };
    const { webhook: { id } } = await ok(client.createWebhook(null, { webhook }));
    const { webhook: updated } = await ok(client.updateWebhook(id, { webhook: { ...webhook, readTimeout: 9000 } }));
    assert.equal(updated.readTimeout, 9000);
    const { webhook: patched } = await ok(client.patchWebhook(id, { webhook: { data: { owner: 'me' } } }));
    assert.deepEqual([patched.readTimeout, patched.data], [9000, { owner: 'me' }]);
    assert.equal((await ok(client.retrieveWebhooks())).webhooks.length, 2);

    const found = await ok(client.searchWebhooks({ search: { url: '*DEAD*', orderBy: 'url ASC' } }));
    assert.deepEqual([found.total, found.webhooks[0].id], [1, id]);
    // The client writes what it was not given as the word `undefined`.
    const named = await ok(client.searchWebhooksByParameters('dead'));
    assert.deepEqual([named.total, named.webhooks[0].id], [1, id]);

    await ok(client.deleteWebhook(id));
    await refused(client.retrieveWebhook(id), 404);
  });

  await step('a webhook without what it needs is refused with all that is missing', async () => {
    assert.deepEqual(await codes(client.createWebhook(null, { webhook: {} })), [
      '[blank]webhook.url',
      '[missing]webhook.connectTimeout',
      '[missing]webhook.readTimeout',
    ]);
  });
}
