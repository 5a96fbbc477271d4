// API keys: made with the manager's, which no other key can replace.
import assert from 'node:assert/strict';
import { connect, ok, refused } from '../support/client.js';

export async function keys(world, step) {
  const manager = connect(process.env.BEADLE_MANAGER_KEY);

  await step('the manager key makes a key, which is used from here on', async () => {
    const { apiKey } = await ok(manager.createAPIKey(null, { apiKey: {} }));
    assert.equal(apiKey.keyManager, false);
    world.client = connect(apiKey.key);
  });

  await step('a key without that right makes none', async () => {
    assert.equal(await refused(world.client.createAPIKey(null, { apiKey: {} }), 401), undefined);
  });

  await step('keys are retrieved, updated, patched and deleted', async () => {
    const request = { apiKey: { name: 'Reporting', metaData: { attributes: { description: 'old' } } } };
    const { apiKey: made } = await ok(manager.createAPIKey(null, request));
    const { apiKey: found } = await ok(manager.retrieveAPIKey(made.id));
    assert.deepEqual([found.name, found.key], ['Reporting', made.key]);

    const endpoints = { '/api/user-action': ['GET'] };
    await ok(manager.updateAPIKey(made.id, { apiKey: { name: 'Reports', permissions: { endpoints } } }));
    const metaData = { attributes: { description: 'new' } };
    const { apiKey: patched } = await ok(manager.patchAPIKey(made.id, { apiKey: { metaData } }));
    assert.deepEqual(patched.permissions.endpoints, endpoints);
    assert.equal(patched.metaData.attributes.description, 'new');

    const limited = connect(made.key);
    await ok(limited.retrieveUserActions());
    await refused(limited.retrieveTenants(), 401);

    await ok(manager.deleteAPIKey(made.id));
    await refused(limited.retrieveUserActions(), 401);
    await refused(manager.retrieveAPIKey(made.id), 404);
  });
}
