// What goes, goes with all that belongs to it.
import assert from 'node:assert/strict';
import { ok, refused } from '../support/client.js';

export async function farewell(world, step) {
  const { client } = world;

  await step('a deleted definition leaves nothing of itself at its users', async () => {
    await ok(client.deleteUserAction(world.ban));
    const { actions } = await ok(client.retrieveActions(world.reader.id));
    assert.deepEqual(actions.filter((action) => action.userActionId === world.ban), []);
  });

  await step('a deleted user is gone, and so are the logs', async () => {
    await ok(client.deleteUser(world.reader.id));
    await refused(client.retrieveUser(world.reader.id), 404);
    await refused(client.retrieveActions(world.reader.id), 404);
  });

  await step('the tenant goes with everybody in it', async () => {
    client.setTenantId(null);
    await ok(client.deleteTenant(world.tenant));
    await refused(client.retrieveUser(world.admin.id), 404);
  });
}
