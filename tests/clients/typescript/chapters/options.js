// A survey: neither temporal nor mailed, but with options to choose from.
import assert from 'node:assert/strict';
import { codes, ok, refused } from '../support/client.js';

export async function options(world, step) {
  const { client, receiver } = world;
  const actionerUserId = world.admin.id;
  const answer = (more) => client.actionUser({
    broadcast: true,
    action: { actioneeUserId: world.guest.id, actionerUserId, userActionId: world.survey, ...more },
  });
  const surveys = async () => (await ok(client.retrieveActions(world.guest.id))).actions;

  await step('only an option of the definition is accepted', async () => {
    assert.deepEqual(await codes(answer({ option: 'Furious' })), ['[invalid]action.option']);
    assert.deepEqual(await codes(client.actionUser({})), ['[missing]action']);
  });

  await step('an answer is recorded, is never active, and cannot be changed', async () => {
    const { action } = await ok(answer({ option: 'Happy' }));
    assert.equal(action.option, 'Happy');
    assert.deepEqual([action.expiry, action.endEventSent], [undefined, undefined]);
    assert.equal((await receiver.event(action.id, 'start')).option, 'Happy');
    const { actions } = await ok(client.retrieveInactiveActions(world.guest.id));
    assert.deepEqual(actions.map((log) => log.id), [action.id]);
    const change = { action: { actionerUserId, expiry: Date.now() + 10_000 } };
    assert.deepEqual(await codes(client.modifyAction(action.id, change)), ['[invalid]actionId']);
  });

  await step('a deactivated definition is not applied, but keeps its logs', async () => {
    await ok(client.deactivateUserAction(world.survey));
    const { userActions } = await ok(client.retrieveInactiveUserActions());
    assert.deepEqual(userActions.map((action) => action.id), [world.survey]);
    assert.deepEqual(await codes(answer({ option: 'Happy' })), ['[inactive]action.userActionId']);
    assert.equal((await surveys()).length, 1);
  });

  await step('a reactivated one is applied again', async () => {
    assert.equal((await ok(client.reactivateUserAction(world.survey))).userAction.active, true);
    await ok(answer({ option: 'Sad' }));
    assert.equal((await surveys()).length, 2);
  });

  await step('a deleted one takes its logs with it', async () => {
    await ok(client.deleteUserAction(world.survey));
    await refused(client.retrieveUserAction(world.survey), 404);
    assert.deepEqual(await surveys(), []);
  });
}
